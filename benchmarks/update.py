"""`scaffold update --all` over a fleet of generated stacks, compared with stock `copier update` in a loop.

    .venv/bin/python benchmarks/update.py [--stacks N] [--stock N]

A tenth of the stacks is edited by hand. Prints processor seconds and elapsed seconds for a whole run
without plans and with plans (with an empty cache), those of stock Copier for a few stacks, extrapolated to
all of them, and the ratios of processor seconds. Aims: 0.05 without plans, 0.25 with plans.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from scaffold import demo
from scaffold.answers.sources import Answers
from scaffold.answers.validation import problems
from scaffold.changes.change import Symlink
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render
from scaffold.templates.template import Origin

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ANSWERS = sorted((ROOT / "tests" / "answers" / "valid").glob("*.yml"))
FIRST, SECOND = "v0.1.0", "v0.2.0"
CHANGED = ROOT / "templates" / "partials" / "stack" / "namespace.jinja"


@dataclass(frozen=True)
class Took:
    """Seconds of the processors, of this process's children, and of the clock."""

    cpu: float
    wall: float


def run(command: list[str | Path], directory: Path, cache: Path) -> Took:
    """Run one command to its end and measure it."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Took(cpu, time.perf_counter() - start)


def git(directory: Path, *arguments: str) -> None:
    """Run Git."""
    subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


def commit(directory: Path, message: str) -> None:
    """Commit all there is, as somebody."""
    git(directory, "add", "--all")
    git(directory, "-c", "user.name=b", "-c", "user.email=b@example.test", "commit", "--quiet", "-m", message)


def templates(directory: Path) -> None:
    """Two versions of the templates, of which the second has one more line in each namespace."""
    directory.mkdir()
    shutil.copy(ROOT / "copier.yml", directory)
    shutil.copytree(ROOT / "templates", directory / "templates", symlinks=True)
    git(directory, "init", "--quiet")
    commit(directory, FIRST)
    git(directory, "tag", FIRST)
    changed = directory / CHANGED.relative_to(ROOT)
    text = changed.read_text()
    assert text.count("    labels = {\n") == 1
    changed.write_text(
        text.replace(
            "    labels = {\n",
            '    annotations = {\n      "example.test/seen" = "yes"\n    }\n    labels = {\n',
        )
    )
    commit(directory, SECOND)
    git(directory, "tag", SECOND)


def fleet(root: Path, source: Path, number: int) -> list[str]:
    """A sample monorepo with generated stacks of the first version; returns their names."""
    demo.write(root)
    sensed = sense(Monorepo(root))
    names: list[str] = []
    origin = Origin(str(source), FIRST, updatable=True)
    for index in range(2 * number):
        answers = yaml.safe_load(ANSWERS[index % len(ANSWERS)].read_text())
        name = f"{answers['name'][:30]}-{index}"
        answers = {**answers, "name": name}
        if len(names) == number or problems(Answers(answers), sensed, {}):
            continue  # some answers go with one name only
        files = render(answers, sensed, {}, origin).files
        for path, content in files.items():
            place = root / "stacks" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Symlink):
                place.symlink_to(content.target)
            elif index % 10 == 0 and path.name == "main.tf":
                place.write_bytes(content + b'\nresource "terraform_data" "own" {}\n')
            else:
                place.write_bytes(content)
        names.append(name)
    commit(root, "Stacks")
    return names


def main(number: int, stock: int) -> None:
    """Make the fleet, update it in each way, and print what each took."""
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        templates(directory / "template")
        root = directory / "monorepo"
        names = fleet(root, directory / "template", number)
        update: list[str | Path] = [BIN / "scaffold", "update", "--all", "--to", SECOND]
        update += ["--template-source", directory / "template", "--monorepo", root, "--verify"]
        took = {}
        for level in ("static", "plan"):
            took[level] = run([*update, level], root, directory / f"cache-{level}")
            git(root, "checkout", "--quiet", "stacks")
        one_by_one = []
        for name in names[:: max(1, number // stock)][:stock]:
            command: list[str | Path] = [
                BIN / "copier",
                "update",
                "--defaults",
                "--quiet",
                "--vcs-ref",
                SECOND,
            ]
            one_by_one.append(run(command, root / "stacks" / name, directory / "cache-stock"))
            commit(root, name)
        cpu = sum(one.cpu for one in one_by_one) / len(one_by_one) * number
        wall = sum(one.wall for one in one_by_one) / len(one_by_one) * number
        print(f"{'':34} {'processors':>10} {'clock':>8}")
        print(f"{f'copier update, {number} × mean of {len(one_by_one)}':34} {cpu:10.1f} {wall:8.1f}")
        for level, one in took.items():
            what = f"scaffold update --verify {level}"
            print(f"{what:34} {one.cpu:10.1f} {one.wall:8.1f}   ratio {one.cpu / cpu:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stacks", type=int, default=100, help="how many stacks")
    parser.add_argument("--stock", type=int, default=4, help="how many of them stock Copier updates")
    given = parser.parse_args()
    main(given.stacks, given.stock)

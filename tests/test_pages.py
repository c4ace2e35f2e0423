"""The pages are true: their files are written, their commands run in order, and what they show is compared."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import needs, scaffold

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Page:
    """What a page takes for granted: the commands that were given before, in the sample monorepo or without one."""

    before: tuple[str, ...] = ()
    sample: bool = True


MAKE = "scaffold new-service --verify static --commit --answers"
VALID = ROOT / "tests/answers/valid"
URL = "https://git.example.org/platform/scaffold-templates.git"
PAGES = {
    "adopt": Page(),
    "how-to/compose": Page(),
    "how-to/gate": Page((f"{MAKE} reader.yml",)),
    "how-to/own-app": Page(("git init --quiet ../meals",)),
    "how-to/own-terraform": Page(),
    "how-to/restore": Page(
        (f"sed s/stamp-album/album/ {VALID}/stamp-album.yml > album.yml", f"{MAKE} album.yml")
    ),
    "how-to/templates": Page(),
    "life": Page(
        (
            "scaffold template export ../templates",
            f"git config --global url.$PWD/../templates.insteadOf {URL}",
            f"echo template: {URL} > scaffold.yml && git add --all && git commit --quiet --message start",
            f"{MAKE} {VALID}/drone-logbook.yml",
        )
    ),
    "sweep": Page(("sed -i /goldilocks/d stacks/journal/main.tf",)),
    "tutorial": Page(sample=False),
}
ELSEWHERE = {
    "README": "tests/test_readme.py runs them, with an environment of its own",
    "CONTRIBUTING": "they set up a checkout, run these tests, and lock the dependencies from the network",
    "how-to/own-house": "tests/test_how_to.py runs them in another house",
    "how-to/rename": "tests/test_how_to.py runs them, and looks at what is kept",
    "cd stacks/drone-logbook && copier update --defaults": "tests/test_copier.py runs it: stock Copier takes long",
}
"""The pages whose commands are not run here, or the commands, and why."""


def blocks(page: str) -> list[tuple[str, str]]:
    """The files and consoles of a page, in order."""
    path = next(path for path in (ROOT / f"docs/{page}.md", ROOT / f"{page}.md") if path.exists())
    return re.findall(r"(?ms)^```(yaml|hcl|console)\n(.*?)^```$", path.read_text())


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console, each with what the page says that it prints; ``…`` stands for anything."""
    said = re.split(r"(?m)^\$ (.*)\n", block)
    return list(zip(said[1::2], said[2::2], strict=True))


def file_of(kind: str, text: str) -> Path | None:
    """Where a file that a page shows is written: where its first line says, or where the commands look for it."""
    if kind == "hcl":
        return Path("nest.tf")
    if text.startswith("template: "):
        return Path("scaffold.yml")
    if said := re.match(r"# (\S+\.yml)\n", text):
        return Path(said[1]).expanduser()
    named = re.match(r"(?:name|code): (\S+)\n", text)
    return Path(f"{named[1]}.yml") if named else None


def run(command: str, here: Path) -> tuple[int, str]:
    """The exit code and the output of a command: of ours in this process, of the others in a shell."""
    words = shlex.split(command, comments=True)
    if words[0] == "scaffold" and ">" not in words:
        done = scaffold(*map(os.path.expanduser, words[1:]), cwd=here, env={"COLUMNS": "120"})
        return done.returncode, done.stdout + done.stderr
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    there = subprocess.run(
        ["bash", "-c", command], cwd=here, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return there.returncode, there.stdout


@pytest.mark.slow("runs every command of a page, most with a plan")
@pytest.mark.parametrize("page", PAGES)
@needs("terraform")
def test_every_command_prints_what_the_page_shows(
    page: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    here: Path = request.getfixturevalue("monorepo").root if PAGES[page].sample else tmp_path
    same = doctest.OutputChecker().check_output
    before = list(PAGES[page].before)
    for kind, text in blocks(page):
        if kind != "console":
            if path := file_of(kind, text):
                (here / path).parent.mkdir(parents=True, exist_ok=True)
                (here / path).write_text(text)
            continue
        while before:
            code, told = run(before.pop(0), here)
            assert code == 0, told
        for command, wanted in commands(text):
            if command in ELSEWHERE:
                continue
            if re.fullmatch(r"cd \S+", command):
                here /= command.removeprefix("cd ")
                continue
            code, told = run(command, here)
            what = f"$ {command}\n{told}\nThe page says:\n{wanted}"
            shown = wanted.replace("…", "...")
            assert not wanted or same(shown, told.replace("…", "..."), doctest.ELLIPSIS), what
            if not (code == 1 and command.startswith(("scaffold check", "scaffold status"))):
                assert bool(code) == ("\nerror: " in f"\n{wanted}"), what


def test_every_page_with_commands_is_run() -> None:
    pages = {
        path.relative_to(ROOT).as_posix().removeprefix("docs/").removesuffix(".md")
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    }
    told = {
        page: [command for kind, text in blocks(page) if kind == "console" for command, _ in commands(text)]
        for page in pages
    }
    assert {page for page in pages if told[page]} == {*PAGES, *(name for name in ELSEWHERE if name in pages)}
    assert {name for name in ELSEWHERE if name not in pages} <= {
        command for page in PAGES for command in told[page]
    }


def test_the_tutorial_shows_output() -> None:
    assert (
        sum(
            bool(wanted)
            for kind, text in blocks("tutorial")
            if kind == "console"
            for _, wanted in commands(text)
        )
        > 8
    )

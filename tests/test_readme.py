"""README is true: its answer file creates the Service that it shows, and its commands work there."""

from __future__ import annotations

import doctest
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest
from support import needs, scaffold

from scaffold.monorepo.repository import Monorepo

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
(ANSWERS,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", README)
((NEW_SERVICE, SHOWN),) = re.findall(
    r"(?ms)^\$ scaffold (new-service --answers drone[^\n]*)\n(.*?)^```$", README
)
USES = re.findall(r"(?m)^\| [^|]+ \| `scaffold ([^`]+)` \|$", README)


@pytest.mark.slow("makes a sample monorepo, and two Services")
def test_what_is_to_be_tried_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block "Try it": ``dev`` in this process, without an environment of its own; the rest as it stands there."""
    dev = runpy.run_path(str(ROOT / "dev"))
    ran: list[list[str]] = []

    def run(*command: object, **_: object) -> None:
        tool, *words = map(str, command)
        ran.append(words)
        if Path(tool).name == "scaffold":
            done = scaffold(*words, *(["--verify", "static"] if words[0] == "new-service" else []))
            assert done.returncode == 0, done.stderr

    monkeypatch.chdir(tmp_path)
    for name, instead in (("run", run), ("environment", lambda _: None)):
        monkeypatch.setitem(dev["main"].__globals__, name, instead)
    for words in re.findall(r"(?m)^\$ python3 dev (.*?) *(?:#.*)?$", README):
        dev["main"](shlex.split(words))
    assert [words[:2] for words in ran] == [
        ["demo", str(tmp_path / "sample-monorepo")],
        ["new-service", "--monorepo"],
        ["-m", "pytest"],
    ]
    assert (tmp_path / "sample-monorepo/stacks/drone-logbook/main.tf").is_file()
    ((place, words),) = re.findall(r"(?m)^\$ cd (\S+)\n\$ \.\./\.venv/bin/scaffold (.*)$", README)
    words = words.replace("../tests", str(ROOT / "tests"))
    done = scaffold(*shlex.split(words), "--verify", "static", cwd=tmp_path / place)
    assert done.returncode == 0, done.stderr
    assert "linkboard: would be written" in done.stdout


@pytest.mark.slow("runs every command of README, most with a plan")
@needs("terraform")
def test_what_readme_shows_is_what_happens(monorepo: Monorepo, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=monorepo.root, check=True, capture_output=True)

    def normal(text: str) -> str:
        return re.sub(r"terraform [\d.]+", "terraform X", text).replace("…", "...")

    answers = tmp_path / "drone-logbook.yml"
    answers.write_text(ANSWERS)
    words = [str(answers) if word == answers.name else word for word in shlex.split(NEW_SERVICE)]
    done = scaffold(*words, cwd=monorepo.root)
    same = doctest.OutputChecker().check_output(normal(SHOWN), normal(done.stdout), doctest.ELLIPSIS)
    assert same, f"{done.stdout}{done.stderr}\nREADME says:\n{SHOWN}"
    git("branch", "-M", "main")
    git("add", "--all")
    git("commit", "--message", "drone-logbook")
    assert len(USES) > 7
    for use in USES:
        done = scaffold(*shlex.split(use), cwd=monorepo.root)
        assert done.returncode in (0, 1), f"{use}\n{done.stdout}{done.stderr}"
        git("add", "--all")
        git("commit", "--allow-empty", "--message", use)

"""README is what happens: its answer file makes the Service that it shows, and its commands work there."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from support import needs, scaffold

from scaffold.monorepo.repository import Monorepo

README = (Path(__file__).parent.parent / "README.md").read_text()
(ANSWERS,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", README)
((NEW_SERVICE, SHOWN),) = re.findall(
    r"(?ms)^\$ scaffold (new-service --answers drone[^\n]*)\n(.*?)^```$", README
)
USES = re.findall(r"(?m)^\| [^|]+ \| `scaffold ([^`]+)` \|$", README)


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

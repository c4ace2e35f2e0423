"""Commands that run in a Git hook of another repository work in the one that they are given."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from commands.test_new_service import DRONE, new_service
from support import git, scaffold

from scaffold.changes.git import git as own_git
from scaffold.monorepo.repository import Monorepo


@pytest.fixture
def hook(monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The variables that a hook of a foreign repository has. Git itself must not see them in the tests."""
    foreign = tmp_path / "foreign"
    subprocess.run(["git", "init", "--quiet", foreign], check=True)
    for name, value in {
        "GIT_DIR": ".git",
        "GIT_WORK_TREE": ".",
        "GIT_INDEX_FILE": ".git/index",
        "GIT_OBJECT_DIRECTORY": ".git/objects",
        "GIT_COMMON_DIR": ".git",
        "GIT_PREFIX": "",
    }.items():
        monkeypatch.setenv(name, str(foreign / value) if value else "")
    return foreign


def test_a_service_is_made_removed_and_planned(
    monorepo: Monorepo, hook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_service(monorepo, "--answers", DRONE, "--verify", "static", "--commit")
    assert made.returncode == 0, made.stderr
    if shutil.which("terraform"):
        planned = scaffold("plan", "drone-logbook", "--against", "HEAD", "--monorepo", monorepo.root)
        assert planned.returncode == 0, planned.stderr
        assert (
            "cannot read revision"
            in scaffold("plan", "drone-logbook", "--against", "nowhere", "--monorepo", monorepo.root).stderr
        )
    options = ("--write", "--commit", "--monorepo", monorepo.root)
    removed = scaffold("remove-service", "drone-logbook", *options)
    assert removed.returncode == 0, removed.stderr
    monkeypatch.undo()
    assert git(monorepo.root, "log", "--format=%s").splitlines()[:2] == [
        "drone-logbook: removed",
        "drone-logbook: new Service",
    ]
    assert git(monorepo.root, "status", "--porcelain") == ""
    assert {path.name for path in hook.iterdir()} == {".git"}
    assert not (hook / ".git" / "index").exists()


@pytest.mark.parametrize("way", ["LITERAL", "ICASE", "GLOB", "NOGLOB"])
def test_a_path_means_itself_whatever_the_caller_has_told_git(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in ("notes*", "notes-too", "NOTES*"):
        (tmp_path / name).touch()
    monkeypatch.setenv(f"GIT_{way}_PATHSPECS", "1")
    told = own_git(tmp_path, "ls-files", "--others", "-z", "--", "notes*")
    assert told.split("\0") == ["notes*", ""]

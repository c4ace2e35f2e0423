"""A change that is killed before each of its steps, and its recovery before each of its own: the tree is whole."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from steps import counted
from support import git, recover
from test_kills import ON_LINUX, Tree, ended, forked, tree_of

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Content, Files, Symlink
from scaffold.changes.journal import Goal
from scaffold.changes.lock import pending

WANTED: dict[PurePosixPath, Content | None] = {
    PurePosixPath("stacks/new/main.tf"): b"new\n",
    PurePosixPath("stacks/new/secrets"): Symlink("../../secrets"),
    PurePosixPath("list.md"): b"one\ntwo\n",
    PurePosixPath("run.sh"): b"#!/bin/sh\nexit 1\n",
    PurePosixPath("gone/only.tf"): None,
}
"""A file and a link in a new directory, an edit, an edit of what is executable, the last file of a directory."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "gone").mkdir(parents=True)
    (root / "list.md").write_text("one\n")
    (root / "gone/only.tf").write_text("old\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    git(root, "init", "--quiet")
    return root


def ended_at(step: int, work: Callable[[], object], number: signal.Signals = signal.SIGKILL) -> bool:
    """Do work in a process that gets a signal before a step; whether it had that step."""
    tells, told = os.pipe()

    def counting() -> None:
        steps = counted(step, lambda: os.kill(os.getpid(), number))
        try:
            work()
        finally:
            os.writev(told, [b"." * steps()])

    code = ended(forked(counting))
    os.close(told)
    with os.fdopen(tells) as pipe:
        had = len(pipe.read()) >= step or code == -number
    assert had == (code != 0), "whoever is told to end says so"
    return had


def write(root: Path) -> None:
    apply(ChangeSet.plan(Files(root), WANTED, [PurePosixPath("run.sh")]))


def sides(root: Path) -> tuple[Tree, Tree]:
    """How the repository is before the change and after it; it is put back."""
    before = tree_of(root)
    copy = root.with_name("after")
    shutil.copytree(root, copy, symlinks=True)
    write(copy)
    return before, {name.replace(str(copy), str(root)): state for name, state in tree_of(copy).items()}


def again(root: Path, pristine: Path) -> None:
    shutil.rmtree(root)
    shutil.copytree(pristine, root, symlinks=True)


@ON_LINUX
@pytest.mark.slow("a process for every step")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_change_that_ends_before_any_of_its_steps_is_whole(root: Path, number: signal.Signals) -> None:
    pristine = root.with_name("pristine")
    shutil.copytree(root, pristine, symlinks=True)
    before, after = sides(root)
    reached: list[Goal | None] = []
    while ended_at(len(reached) + 1, lambda: write(root), number):
        found = tree_of(root)
        assert found in (before, after) or pending(root), "half-written, and no journal tells it"
        assert number is signal.SIGKILL or not pending(root), "whoever can clean up does"
        reached.append(recover(root))
        assert tree_of(root) == (after if reached[-1] is Goal.NEW or found == after else before)
        assert not pending(root)
        again(root, pristine)
    assert tree_of(root) == after
    assert len(reached) > 30
    assert number is not signal.SIGKILL or {*reached} == {None, Goal.OLD, Goal.NEW}


@ON_LINUX
@pytest.mark.slow("a process for every step of every recovery")
def test_a_recovery_that_is_killed_before_any_of_its_steps_goes_on(root: Path) -> None:
    pristine, half = root.with_name("pristine"), root.with_name("half")
    shutil.copytree(root, pristine, symlinks=True)
    before, after = sides(root)
    step = kills = 0
    while ended_at(step := step + 1, lambda: write(root)):
        kills += 1
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(root, half, symlinks=True)
        whole = after if recover(root) is Goal.NEW or tree_of(root) == after else before
        again(root, half)
        below = 0
        while ended_at(below := below + 1, lambda: recover(root)):
            kills += 1
            recover(root)
            assert tree_of(root) == whole
            assert not pending(root)
            again(root, half)
        again(root, pristine)
    assert kills > 300

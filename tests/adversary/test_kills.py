"""A run that is killed at any moment while it writes leaves whole files, or a journal that makes them whole.

What is prepared is written by a fork, which gets the signal at one of its steps, alone or with the Git that it
started. Then the next command that writes comes. `dev test --fuzz N` draws N steps for each of the writers.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from steps import counted
from support import ANSWERS, GOLDEN, ORIGIN, examples, git

from scaffold.answers.sources import from_yaml
from scaffold.changes.apply import apply, writing
from scaffold.changes.lock import pending
from scaffold.changes.signals import ended_by_exception
from scaffold.checks.verify import Level
from scaffold.commands import index, new_service, remove_service
from scaffold.monorepo.repository import Monorepo

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to wait for orphans")
FOREIGN = "README.md"
_SUBREAPER = 36
"""Of prctl: whoever loses its parent becomes our child."""
Tree: TypeAlias = dict[str, tuple[bytes, int]]
Writer: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True, repr=False)
class Writing:
    """A prepared writer, its repositories, how they are before and after it, and in how many steps."""

    write: Writer
    roots: tuple[Path, ...]
    pristine: Path
    before: tuple[Tree, ...]
    after: tuple[Tree, ...]
    steps: int
    commits: bool

    def reset(self) -> None:
        """Make the repositories as they were."""
        for root in self.roots:
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(self.pristine / root.name, root, symlinks=True)


def tree_of(root: Path) -> Tree:
    files = (path for path in root.rglob("*") if path.relative_to(root).parts[0] != ".git")
    return {
        str(path): (b"" if path.is_symlink() or path.is_dir() else path.read_bytes(), path.lstat().st_mode)
        for path in files
    }


def forked(work: Writer) -> int:
    """Start work in a process with a group of its own, quiet, which ends as the command line does."""
    if child := os.fork():
        return child
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    try:
        with ended_by_exception():
            work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def ended(child: int) -> int:
    """How a fork ended, after all that it started has ended too."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    while True:
        try:
            os.waitpid(-child, 0)
        except ChildProcessError:
            return code


def _new(root: Path, app: Path | None = None) -> Callable[[bool], object]:
    name = GOLDEN.parent / "golden_service/meter-api/answers.yml" if app else ANSWERS / "valid/linkboard.yml"
    answers = from_yaml(name.read_bytes(), name.name)
    source = ORIGIN.source
    prepared = new_service.prepare(Monorepo(root), answers, app, level=Level.STATIC, template_source=source)
    return lambda commit: prepared.apply(commit=commit)


def _indexes(root: Path) -> Writer:
    _new(root)(False)
    git(root, "stash", "--quiet")  # the lists are as they were, the stack stays
    git(root, "stash", "drop", "--quiet")
    stage_foreign(root)
    return lambda: apply(index.fix(Monorepo(root)).change)


def _removal(root: Path) -> Callable[[bool], object]:
    git(root, "commit", "--quiet", "--message", "staged")
    _new(root)(True)
    stage_foreign(root)
    removal = remove_service.plan_removal(Monorepo(root), "linkboard")
    return lambda commit: remove_service.remove(removal, commit=commit)


def stage_foreign(root: Path) -> None:
    """Stage a change that is somebody else's."""
    with (root / FOREIGN).open("a") as file:
        file.write("Theirs, staged.\n")
    git(root, "add", FOREIGN)


def _writer(name: str, root: Path, app: Path) -> Writer:
    what, _, how = name.partition(" ")
    if what == "index":
        return _indexes(root)
    write = _removal(root) if what == "remove" else _new(root, app if "app" in how else None)
    return lambda: write("commit" in how)


@pytest.fixture(
    params=["new", "new commit", "index", "remove", "remove commit", "new app", "new app commit"],
    scope="module",
)
def prepared(
    request: pytest.FixtureRequest, pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory
) -> Writing:
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    place = tmp_path_factory.mktemp("kills")
    root, app = place / "monorepo", place / "app"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Robin Gardener")
            patch.setenv(f"GIT_{role}_EMAIL", "robin@example.test")
        shutil.copytree(pristine.root, root, symlinks=True)
        stage_foreign(root)
        git(place, "init", "--quiet", str(app))
        (app / FOREIGN).write_text("An app.\n")
        git(app, "add", "--all")
        git(app, "commit", "--quiet", "--message", "start")
        stage_foreign(app)
        write = _writer(request.param, root, app)
        roots = (root, app) if "app" in request.param else (root,)
        for path in roots:
            shutil.copytree(path, place / "pristine" / path.name, symlinks=True)
        before = tuple(map(tree_of, roots))
        tells, told = os.pipe()

        def counting() -> None:
            steps = counted(0, lambda: None)
            write()
            os.writev(told, [str(steps()).encode()])

        assert ended(forked(counting)) == 0
        steps = int(os.read(tells, 9))
    after = tuple(map(tree_of, roots))
    assert all(new != old for new, old in zip(after, before, strict=True))
    return Writing(write, roots, place / "pristine", before, after, steps, "commit" in request.param)


@ON_LINUX
@pytest.mark.slow("forks and copies a monorepo for each moment")
@given(
    at=st.floats(0, 1.1),
    number=st.sampled_from([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]),
    group=st.booleans(),
)
@examples(6)
def test_a_writer_that_is_ended_at_any_moment_loses_nothing(
    prepared: Writing, at: float, number: signal.Signals, group: bool
) -> None:
    prepared.reset()
    heads = [git(root, "rev-parse", "HEAD").strip() for root in prepared.roots]
    step = 1 + int(at * prepared.steps)  # beyond the last one, nothing is ended

    def work() -> None:
        counted(step, lambda: os.killpg(0, number) if group else os.kill(os.getpid(), number))
        prepared.write()

    assert (ended(forked(work)) != 0) == (step <= prepared.steps)
    for which, (root, head) in enumerate(zip(prepared.roots, heads, strict=True)):
        old, new = prepared.before[which], prepared.after[which]
        interrupted, found = pending(root), tree_of(root)
        side = "before" if found == old else "after" if found == new else "half-written"
        assert interrupted or side != "half-written", "half-written, and no journal tells it"
        assert number is signal.SIGKILL or not interrupted, "whoever can clean up does"
        with writing(root):
            pass
        assert not pending(root)
        whole = tree_of(root)
        assert whole in (old, new)
        git_state = _git_state(root, head, whole == new, number, commits=prepared.commits)
        event(f"{root.name}: {number.name}, {side}{', journal' if interrupted else ''}{git_state}")


def _git_state(root: Path, head: str, written: bool, number: signal.Signals, *, commits: bool) -> str:
    """What HEAD and the index are, where nothing may be lost; a lock is left only where Git was killed."""
    lock = (root / ".git/index.lock").exists()
    staged = dict(
        line.split("\t")[::-1] for line in git(root, "diff", "--cached", "--name-status").splitlines()
    )
    assert staged.pop(FOREIGN) == "M", "what somebody else staged stays staged"
    moved = git(root, "rev-parse", "HEAD").strip() != head
    assert not moved or (commits and written)
    if moved:
        assert git(root, "rev-parse", "HEAD^").strip() == head
        assert FOREIGN not in git(root, "show", "--name-only", "--format=", "HEAD")
    if number is not signal.SIGKILL:
        assert (lock, staged) == (False, {}), "whoever can clean up does"
        if moved:
            assert git(root, "status", "--porcelain") == f"M  {FOREIGN}\n"
    return (
        f"{', committed' if moved else ''}{', index.lock' if lock else ''}{', stale index' if staged else ''}"
    )

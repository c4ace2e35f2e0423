"""Change sets, their diffs, and applying them all or nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import examples, recover

from scaffold.changes import lock
from scaffold.changes.apply import apply, writing
from scaffold.changes.change import (
    Action,
    ChangeSet,
    Content,
    FileChange,
    Files,
    LineCount,
    Symlink,
    diff,
    read,
)
from scaffold.changes.journal import Goal
from scaffold.changes.lock import pending, unfinished
from scaffold.errors import MissingError, RefusedError

Tree = dict[PurePosixPath, Content]
Snapshot = dict[PurePosixPath, tuple[Content, int] | None]


def git(root: Path, *arguments: str, check: bool = True) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    result = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=check, capture_output=True, text=True
    )
    return result.stdout


def put(root: Path, tree: Tree) -> None:
    for path, content in tree.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            target.symlink_to(content.target)
        else:
            target.write_bytes(content)


def tree_of(root: Path) -> Snapshot:
    """Everything under the root but Git's directory: content and mode; ``None`` for a directory."""
    found: Snapshot = {}
    for path in sorted(root.rglob("*")):
        relative = PurePosixPath(path.relative_to(root).as_posix())
        if relative.parts[0] == ".git":
            continue
        if path.is_symlink():
            found[relative] = (Symlink(str(path.readlink())), 0)
        elif path.is_dir():
            found[relative] = None
        else:
            found[relative] = (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    return found


def plan(root: Path, **wanted: Content | None) -> ChangeSet:
    return ChangeSet.plan(Files(root), {PurePosixPath(name): content for name, content in wanted.items()})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


# Planning


def test_plan_keeps_only_differences(root: Path) -> None:
    put(root, {PurePosixPath("same"): b"1\n", PurePosixPath("edited"): b"1\n", PurePosixPath("gone"): b"1\n"})
    change_set = plan(root, same=b"1\n", edited=b"2\n", gone=None, new=b"", never=None)
    assert [(str(c.path), c.action) for c in change_set.changes] == [
        ("edited", Action.MODIFY),
        ("gone", Action.DELETE),
        ("new", Action.CREATE),
    ]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../outside", "a/../../outside", ".", ".git/config", "sub/.GIT/config"]
)
def test_path_outside_is_refused(root: Path, path: str) -> None:
    with pytest.raises(RefusedError, match=r"outside the repository|inside a Git directory"):
        ChangeSet.plan(Files(root), {PurePosixPath(path): b"x"})


def test_path_through_a_link_a_file_or_onto_a_directory_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "file").write_bytes(b"")
    (root / "directory").mkdir()
    for path, message in [
        ("link/x", "link is a symbolic link"),
        ("file/x", "file is not a directory"),
        ("directory", "directory exists and is not a file"),
    ]:
        with pytest.raises(RefusedError, match=message):
            ChangeSet.plan(Files(root), {PurePosixPath(path): b"x"})


def test_file_inside_a_file_is_refused(root: Path) -> None:
    with pytest.raises(RefusedError, match="a cannot be a file and hold a/b"):
        ChangeSet.plan(Files(root), {PurePosixPath("a"): b"", PurePosixPath("a/b"): b""})


def test_ciphertext_is_never_overwritten(root: Path) -> None:
    (root / "tfvars").write_bytes(b"\0GITCRYPT\0\x01\x02")
    with pytest.raises(RefusedError, match="encrypted"):
        plan(root, tfvars=b"plain")
    assert plan(root, tfvars=b"\0GITCRYPT\0\x01\x02").changes == ()


def test_one_change_after_another_is_one(root: Path) -> None:
    put(root, {PurePosixPath("a"): b"1\n", PurePosixPath("b"): b"1\n"})
    files = Files(root)
    first = ChangeSet.plan(files, {PurePosixPath("a"): b"2\n", PurePosixPath("b"): b"2\n"})
    wanted: dict[PurePosixPath, Content | None] = {
        PurePosixPath("a"): b"3\n", PurePosixPath("b"): b"1\n", PurePosixPath("new"): b"n\n",
    }  # fmt: skip
    later = ChangeSet.plan(files.after(first), wanted)
    assert [file.before for file in later.changes] == [b"2\n", b"2\n", None]
    assert first.then(later) == plan(root, a=b"3\n", new=b"n\n")
    assert files.read(PurePosixPath("a")) == (b"1\n", False), "what was read stays so"


# Diffs


def test_diff_reads_like_gits(root: Path) -> None:
    put(root, {PurePosixPath("a"): b"one\ntwo\nthree\n", PurePosixPath("gone"): b"x"})
    text = diff(plan(root, a=b"one\n2\nthree\n", gone=None, new=b"n\n"))
    assert text == (
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
        "diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n"
        "@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
        "diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n"
    )


def test_diff_of_names_modes_and_links(root: Path) -> None:
    path = PurePosixPath("a b")
    change = FileChange(path, b"1\n", b"1\n", executable=True)
    assert diff(ChangeSet(root, (change,))) == "diff --git a/a b b/a b\nold mode 100644\nnew mode 100755\n"
    change = FileChange(path, b"1\n", Symlink("there"), was_executable=True)
    assert diff(ChangeSet(root, (change,))) == (
        "diff --git a/a b b/a b\ndeleted file mode 100755\n--- a/a b\t\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
        "diff --git a/a b b/a b\nnew file mode 120000\n--- /dev/null\n+++ b/a b\t\n@@ -0,0 +1 @@\n+there\n"
        "\\ No newline at end of file\n"
    )
    change = FileChange(PurePosixPath(" /x"), None, b"")
    assert diff(ChangeSet(root, (change,))) == 'diff --git "a/ /x" "b/ /x"\nnew file mode 100644\n'
    change = FileChange(PurePosixPath('say "ä"\t'), None, b"")
    name = '\\"ä\\"\\t"'
    header = f'diff --git "a/say {name} "b/say {name}\nnew file mode 100644\n'
    assert diff(ChangeSet(root, (change,))) == header


def test_diff_does_not_show_binary_files_or_ciphertext(root: Path) -> None:
    put(root, {PurePosixPath("secret"): b"\0GITCRYPT\0hidden", PurePosixPath("logo"): b"\x89\0old"})
    text = diff(plan(root, secret=None, logo=b"\x89\0new", latin=b"\xe4\n"))
    assert "Encrypted files a/secret and /dev/null differ (not shown)\n" in text
    assert "Binary files a/logo and b/logo differ (not shown)\n" in text
    assert "Binary files /dev/null and b/latin differ (not shown)\n" in text
    assert "hidden" not in text


def test_line_counts() -> None:
    change = FileChange(PurePosixPath("a"), b"1\n2\n--3\n", b"1\n++\n2\n4")
    assert change.lines == LineCount(added=2, removed=1)
    assert FileChange(PurePosixPath("a"), b"\0", b"\0\0").lines == LineCount()


names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=6
).filter(lambda name: name not in (".", "..") and name.lower() != ".git" and len(name.encode()) < 100)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: PurePosixPath(*parts))
texts = st.text(st.sampled_from("ab \t\r\n\x0c\u2028é"), max_size=12).map(str.encode)
contents = st.one_of(texts, st.binary(max_size=6), names.map(Symlink))


@st.composite
def two_trees(draw: st.DrawFn, content: st.SearchStrategy[Content] = contents) -> tuple[Tree, Tree]:
    """Two trees whose paths do not collide: no path is a directory of another."""
    drawn = draw(st.lists(paths, unique=True, max_size=6))
    chosen = [path for path in drawn if not any(path in other.parents for other in drawn)]
    old = {path: draw(content) for path in chosen if draw(st.booleans())}
    new = {
        path: draw(st.one_of(st.just(old.get(path, b"")), content)) for path in chosen if draw(st.booleans())
    }
    return old, new


@contextmanager
def repository() -> Iterator[Path]:
    """A repository for one example: hypothesis may not share a fixture's directory between them."""
    with TemporaryDirectory() as directory:
        root = Path(directory) / "repo"
        (root / ".git").mkdir(parents=True)
        yield root


def wanted(old: Tree, new: Tree) -> dict[PurePosixPath, Content | None]:
    return {path: new.get(path) for path in old.keys() | new.keys()}


@given(two_trees())
@examples(150)
def test_apply_and_back_is_the_identity(trees: tuple[Tree, Tree]) -> None:
    old, new = trees
    with repository() as root:
        put(root, old)
        before = tree_of(root)
        apply(ChangeSet.plan(Files(root), wanted(old, new)))
        assert {path: read(root, path)[0] for path in new} == new
        assert {path for path, held in tree_of(root).items() if held} == set(new)
        assert ChangeSet.plan(Files(root), wanted(old, new)).changes == ()
        apply(ChangeSet.plan(Files(root), wanted(new, old)))
        assert tree_of(root) == before
        assert not pending(root)


@given(two_trees(st.one_of(texts, names.map(Symlink))))
@examples(150)
def test_git_applies_the_diff(trees: tuple[Tree, Tree]) -> None:
    old, new = trees
    with repository() as root:
        git(root, "init", "--quiet")
        put(root, old)
        change_set = ChangeSet.plan(Files(root), wanted(old, new))
        if change_set.changes:
            (root / ".git" / "patch").write_bytes(os.fsencode(diff(change_set)))
            git(root, "apply", "--whitespace=nowarn", ".git/patch")
        assert {path: held[0] for path, held in tree_of(root).items() if held} == new


# Applying


def test_modes_survive(root: Path) -> None:
    put(root, {PurePosixPath("script"): b"1", PurePosixPath("private"): b"1"})
    (root / "script").chmod(0o755)
    (root / "private").chmod(0o600)
    paths = {PurePosixPath("script"): b"2", PurePosixPath("private"): b"2", PurePosixPath("hook"): b"2"}
    apply(ChangeSet.plan(Files(root), paths, executable=[PurePosixPath("hook")]))
    assert [stat.S_IMODE((root / n).stat().st_mode) for n in ("script", "private")] == [0o755, 0o600]
    assert os.access(root / "hook", os.X_OK)


def test_changed_since_planning_is_refused(root: Path) -> None:
    put(root, {PurePosixPath("a"): b"1", PurePosixPath("b"): b"1"})
    change_set = plan(root, a=b"2", b=b"2", new=b"2")
    (root / "b").write_bytes(b"theirs")
    with pytest.raises(RefusedError, match=r"another process: b$"):
        apply(change_set)
    assert (root / "a").read_bytes() == b"1"
    assert not (root / "new").exists()


def test_created_since_planning_is_refused(root: Path) -> None:
    change_set = plan(root, a=b"2")
    (root / "a").write_bytes(b"theirs")
    with pytest.raises(RefusedError, match="another process: a"):
        apply(change_set)


def test_a_link_that_appeared_since_planning_is_refused(root: Path, tmp_path: Path) -> None:
    change_set = ChangeSet.plan(Files(root), {PurePosixPath("stacks/a"): b"2"})
    (tmp_path / "outside").mkdir()
    (root / "stacks").symlink_to(tmp_path / "outside")
    with pytest.raises(RefusedError, match="symbolic link"):
        apply(change_set)
    assert list((tmp_path / "outside").iterdir()) == []


def test_second_writer_waits_and_is_refused_in_the_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_set = plan(root, a=b"2")
    apply(plan(root, other=b""))  # creates the lock file
    held = (root / ".git/scaffold/lock").open()
    fcntl.flock(held, fcntl.LOCK_EX)
    monkeypatch.setattr(lock, "_PATIENCE", 0.1)
    with pytest.raises(RefusedError, match="another scaffold is writing"):
        apply(change_set)
    assert not (root / "a").exists()
    monkeypatch.setattr(lock, "_PATIENCE", 100)
    with writing(root, held.close):  # it ends as soon as we are told of it
        apply(change_set)
    assert (root / "a").read_bytes() == b"2"


def test_a_run_that_is_just_writing_is_waited_for_and_not_told_as_interrupted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_written(root)
    assert unfinished(root)
    lock = (root / ".git/scaffold/lock").open()
    fcntl.flock(lock, fcntl.LOCK_EX)

    def ends(_: float) -> None:
        (root / ".git/scaffold/journal.json").unlink()

    monkeypatch.setattr("time.sleep", ends)
    assert not unfinished(root)
    lock.close()


def test_an_edit_of_somebody_else_between_reading_and_planning_is_noticed(root: Path) -> None:
    put(root, {PurePosixPath("list.md"): b"one\n"})
    files = Files(root)
    content = files.read(PurePosixPath("list.md"))[0]
    assert isinstance(content, bytes)
    (root / "list.md").write_bytes(b"one\ntheirs\n")
    with pytest.raises(RefusedError, match=r"changed in the meantime by another process: list\.md"):
        apply(ChangeSet.plan(files, {PurePosixPath("list.md"): content + b"ours\n"}))
    assert (root / "list.md").read_bytes() == b"one\ntheirs\n"


def test_who_writes_lets_nobody_else_write(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = plan(root, a=b"1"), plan(root, b=b"2")
    fsync, refused = os.fsync, []

    def meanwhile(file: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        with monkeypatch.context() as other:  # as another process would see it
            other.setattr(lock, "_HELD", set())
            other.setattr(lock, "_PATIENCE", 0)
            with pytest.raises(RefusedError, match="another scaffold is writing") as told:
                apply(second)
        refused.append(told)
        fsync(file)

    monkeypatch.setattr(os, "fsync", meanwhile)
    apply(first)
    assert refused, "nothing was written meanwhile"
    assert tree_of(root).keys() == {PurePosixPath("a")}


def test_what_is_staged_is_on_disk_before_the_goal_turns(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that leads to the new tree needs all of it, after a power failure too."""
    change_set = ChangeSet.plan(Files(root), {PurePosixPath("stacks/a/main.tf"): b"1"})
    synced: set[int] = set()
    turned: list[set[Path]] = []
    fsync, replace = os.fsync, os.replace

    def sync(file: int) -> None:
        synced.add(os.fstat(file).st_ino)
        fsync(file)

    def move(source: Path, target: Path) -> None:
        if target.name == "journal.json" and b'"goal": "new"' in source.read_bytes():
            turned.append(
                {
                    at
                    for at in (root, root / "stacks", *(root / "stacks").rglob("*"))
                    if at.stat().st_ino not in synced
                }
            )
        replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", move)
    apply(change_set)
    assert turned == [set()]


def failing(call: Callable[..., Any], error: BaseException, at: int) -> Callable[..., Any]:
    """The call, but for its ``at``-th time, when it fails."""
    count = 0

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise error
        return call(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    "name", ["open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "symlink"]
)
@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "Permission denied", "there"), KeyboardInterrupt()],
    ids=["denied", "interrupt"],
)
def test_an_error_rolls_back(root: Path, name: str, at: int, error: BaseException) -> None:
    old, change_set = large_change(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, name, failing(getattr(os, name), error, at))
        try:
            apply(change_set)
        except MissingError as told:
            assert "there: Permission denied" in told.message
        except KeyboardInterrupt:
            pass
    if pending(root):  # the very last step failed: removing the journal
        recover(root)
    assert tree_of(root) == old or tree_of(root) == new_tree(change_set)
    assert not list(root.rglob(".scaffold-*"))


def test_rolled_back_completely_and_said_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, change_set = large_change(root)
    monkeypatch.setattr(os, "replace", failing(os.replace, PermissionError(13, "Permission denied", "x"), 4))
    monkeypatch.setattr(os, "rename", failing(os.rename, PermissionError(13, "Permission denied", "x"), 4))
    with pytest.raises(MissingError) as told:
        apply(change_set)
    assert (told.value.message, told.value.hint) == (
        "cannot write x: Permission denied",
        "Nothing was changed.",
    )
    assert tree_of(root) == old
    assert not pending(root)


def test_linked_work_tree_has_its_own_journal(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked tree"
    git(tmp_path, "init", "--quiet", "main")
    git(main, "commit", "--quiet", "--allow-empty", "--message", "start")
    git(main, "worktree", "add", "--quiet", "--detach", str(linked))
    kill_at(30, lambda: apply(ChangeSet.plan(Files(linked), dict(WANTED))))
    assert pending(linked)
    assert not pending(main)
    assert Path(git(linked, "rev-parse", "--git-path", "scaffold/journal.json").strip()).exists()
    recover(linked)
    assert not pending(linked)


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="not the top directory of a Git repository"):
        apply(plan(tmp_path, a=b""))


# Crashes

MUTATIONS = (
    "open", "write", "fchmod", "fsync", "close", "rename", "replace", "unlink", "mkdir", "rmdir", "symlink",
)  # fmt: skip

OLD: Tree = {
    PurePosixPath("stacks/vault/main.tf"): b"one\n" * 50,
    PurePosixPath("docs/with a blank.md"): b"old\n",
    PurePosixPath("docs/größe.md"): b"old\n",
    PurePosixPath("old-stack/main.tf"): b"gone\n",
    PurePosixPath("old-stack/secrets"): Symlink("../../secrets"),
    PurePosixPath("becomes-a-link"): b"file\n",
}
WANTED: dict[PurePosixPath, Content | None] = {
    PurePosixPath("stacks/vault/main.tf"): b"one\n" * 50 + b"two\n",
    PurePosixPath("docs/with a blank.md"): b"new\n",
    PurePosixPath("docs/größe.md"): b"new\n",
    PurePosixPath("old-stack/main.tf"): None,
    PurePosixPath("old-stack/secrets"): None,
    PurePosixPath("becomes-a-link"): Symlink("docs/größe.md"),
    PurePosixPath("stacks/new/secrets"): Symlink("../../secrets"),
    **{PurePosixPath(f"stacks/new/deep er/{n}.tf"): b"x" * n for n in range(1, 16)},
}


def large_change(root: Path) -> tuple[Snapshot, ChangeSet]:
    put(root, OLD)
    (root / "docs/with a blank.md").chmod(0o640)
    (root / "untouched").mkdir()
    return tree_of(root), ChangeSet.plan(Files(root), WANTED)


def new_tree(change_set: ChangeSet) -> Snapshot:
    """What the tree is after an undisturbed run from the old one."""
    with TemporaryDirectory() as directory:
        copy = Path(directory)
        (copy / ".git").mkdir()
        large_change(copy)
        apply(ChangeSet(copy, change_set.changes))
        return tree_of(copy)


def kill_at(n: int, action: Callable[[], object], mutations: Collection[str] = MUTATIONS) -> bool:
    """Run in a child that kills itself at its ``n``-th change of the file system; whether it was killed.

    The child does not sync to disk: what a killed process wrote stays in the system's cache.
    """
    child = os.fork()
    if child == 0:
        run_and_die(n, action, mutations)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, f"the child failed at {n}"
    return False


def run_and_die(n: int, action: Callable[[], object], mutations: Collection[str]) -> NoReturn:
    count = 0
    real_write = os.write

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == n:
                if name == "write":
                    real_write(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return None if name == "fsync" else call(*args, **kwargs)

        return wrapper

    code = 1
    try:
        for name in mutations:
            setattr(os, name, counted(name, getattr(os, name)))
        action()
        code = 0
    finally:
        os._exit(code)


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow("a process for every write"))])
def test_a_kill_at_a_write_leaves_the_old_tree_or_the_new(tmp_path: Path, step: int) -> None:
    outcomes, in_between, new = [], False, None
    for n in range(1, 1000, step):
        root = tmp_path / str(n)
        (root / ".git").mkdir(parents=True)
        old, change_set = large_change(root)
        new = new or new_tree(change_set)
        killed = kill_at(n, lambda: apply(change_set))  # noqa: B023 - runs at once
        if pending(root):
            in_between |= tree_of(root) not in (old, new)
            # A second crash, during the recovery, changes nothing either.
            kill_at(n // 3, lambda: recover(root))  # noqa: B023
            recover(root)
        state = tree_of(root)
        assert state in (old, new), f"a mixture after a kill at {n}"
        assert not pending(root)
        outcomes.append(state == new)
        if not killed:
            break
    assert not killed, "it was killed at the writes, the last ones too"
    assert set(outcomes) == {False, True}, "it was killed before the decision and after it"
    assert in_between, "the kills did not hit the critical moments"
    assert outcomes == sorted(outcomes), "once decided for the new tree, always the new tree"
    assert not outcomes[0]
    assert outcomes[-1]


def half_written(root: Path) -> ChangeSet:
    """A repository in which the run was killed when it had renamed half of the files."""
    _, change_set = large_change(root)
    journal_writes = 2
    assert kill_at(journal_writes + 10, lambda: apply(change_set), ["replace"])
    assert pending(root)
    return change_set


@pytest.mark.parametrize("which", ["written already", "not written yet"])
def test_recovery_never_overwrites_a_change_made_since(root: Path, which: str) -> None:
    change_set = half_written(root)
    edited = next(
        change
        for change in change_set.changes
        if isinstance(change.after, bytes)
        and (read(root, change.path)[0] == change.after) == (which == "written already")
    )
    (root / edited.path).write_bytes(b"mine")
    frozen = tree_of(root)
    for _ in range(2):
        with pytest.raises(RefusedError) as told:
            recover(root)
        assert str(edited.path) in told.value.message
        assert "journal.json" in told.value.hint
        assert tree_of(root) == frozen
    (root / edited.path).write_bytes(edited.after if isinstance(edited.after, bytes) else b"")
    assert recover(root) is Goal.NEW
    assert ChangeSet.plan(Files(root), WANTED).changes == ()


def test_apply_recovers_first(root: Path) -> None:
    half_written(root)
    apply(ChangeSet.plan(Files(root), {PurePosixPath("another"): b"1"}))
    assert not pending(root)
    assert ChangeSet.plan(Files(root), WANTED).changes == ()
    assert (root / "another").read_bytes() == b"1"


def test_kill_before_the_decision_goes_back_even_over_foreign_changes(root: Path) -> None:
    """Nothing of ours is on disk but temporary files, so there is nothing that could be overwritten."""
    _, change_set = large_change(root)
    kill_at(30, lambda: apply(change_set))
    assert pending(root)
    (root / "docs/größe.md").write_bytes(b"mine")
    assert recover(root) is Goal.OLD
    assert (root / "docs/größe.md").read_bytes() == b"mine"
    assert not list(root.rglob(".scaffold-*"))


def test_kill_before_the_decision_where_a_directory_of_ours_is_a_file_by_now(root: Path) -> None:
    change_set = ChangeSet.plan(Files(root), {PurePosixPath("stacks/foo/main.tf"): b"x"})
    kill_at(2, lambda: apply(change_set), ["replace"])
    assert pending(root)
    shutil.rmtree(root / "stacks", ignore_errors=True)
    (root / "stacks").mkdir()
    (root / "stacks/foo").write_bytes(b"mine")
    assert recover(root) is Goal.OLD
    assert (root / "stacks/foo").read_bytes() == b"mine"
    assert not pending(root)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": 99}', b"[]"])
def test_journal_that_is_not_understood_is_refused(root: Path, content: bytes) -> None:
    (root / ".git/scaffold").mkdir()
    (root / ".git/scaffold/journal.json").write_bytes(content)
    with pytest.raises(RefusedError, match="cannot read the journal"):
        recover(root)

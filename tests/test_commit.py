"""Committing exactly the files of a change set."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from scaffold.changes import commit as commit_module
from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Content, Files, Symlink
from scaffold.changes.commit import demand_committed, keep, uncommitted, unsaved, write
from scaffold.changes.signals import ended_by_exception
from scaffold.errors import RefusedError, UncommittedError
from scaffold.report.findings import error_text


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ann@example.com")
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "--quiet")
    return root


@pytest.fixture
def busy(root: Path) -> Path:
    """A repository whose user has staged one file, edited another, and left a third untracked."""
    for name in ("catalog.md", "gone.md", "staged.md", "dirty.md", "both-ways.md"):
        (root / name).write_text("old\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "start")
    (root / "staged.md").write_text("theirs, staged\n")
    (root / "both-ways.md").write_text("theirs, staged\n")
    git(root, "add", "--all")
    (root / "both-ways.md").write_text("theirs, staged and edited\n")
    (root / "dirty.md").write_text("theirs, edited\n")
    (root / "untracked.md").write_text("theirs\n")
    return root


STATUS_OF_BUSY = "MM both-ways.md\n M dirty.md\nM  staged.md\n?? untracked.md\n"
WANTED: dict[str, Content | None] = {
    "catalog.md": b"new\n",
    "gone.md": None,
    "stacks/größe/a file.tf": b"new\n",
    "stacks/größe/secrets": Symlink("../../secrets"),
}


def planned(root: Path, wanted: dict[str, Content | None]) -> ChangeSet:
    return ChangeSet.plan(Files(root), {PurePosixPath(name): content for name, content in wanted.items()})


def commit(root: Path, wanted: dict[str, Content | None], message: str = "Edit") -> str | None:
    return write(planned(root, wanted), message, committed=True)


def test_exactly_the_files_of_the_change_set(busy: Path) -> None:
    name = commit(busy, WANTED, "Add größe\n\nWith a body.")
    assert name == git(busy, "rev-parse", "HEAD").strip()
    assert git(busy, "show", "--format=%B", "--name-status").split("\n", 4) == [
        "Add größe", "", "With a body.", "",
        "\nM\tcatalog.md\nD\tgone.md\nA\tstacks/größe/a file.tf\nA\tstacks/größe/secrets\n",
    ]  # fmt: skip
    assert git(busy, "status", "--porcelain") == STATUS_OF_BUSY
    assert git(busy, "show", ":both-ways.md") == "theirs, staged\n"


def test_first_commit_of_a_repository(root: Path) -> None:
    (root / "theirs.md").write_text("staged\n")
    git(root, "add", "theirs.md")
    commit(root, {"new.md": b"new\n"})
    assert git(root, "ls-tree", "--name-only", "HEAD") == "new.md\n"
    assert git(root, "status", "--porcelain") == "A  theirs.md\n"


def test_ignored_file_is_committed_too(busy: Path) -> None:
    (busy / ".git/info/exclude").write_text("*.tfvars\n")
    commit(busy, {"stacks/x/x.tfvars": b"new\n"})
    assert git(busy, "show", "--format=", "--name-only") == "stacks/x/x.tfvars\n"


def test_an_ignored_file_of_the_user_is_work_of_the_user(busy: Path) -> None:
    (busy / ".git/info/exclude").write_text("stacks/\n")
    (busy / "stacks").mkdir()
    (busy / "stacks/own.md").write_text("theirs\n")
    assert uncommitted(planned(busy, {"stacks/own.md": b"ours\n"})) == (PurePosixPath("stacks/own.md"),)
    assert uncommitted(planned(busy, {"stacks/own.md": None})) == ()


def test_file_that_was_never_tracked_can_go(busy: Path) -> None:
    commit(busy, {"untracked.md": None, "catalog.md": b"new\n"})
    assert git(busy, "show", "--format=", "--name-only") == "catalog.md\n"


@pytest.mark.parametrize("name", ["staged.md", "dirty.md", "both-ways.md"])
def test_work_of_the_user_is_not_swept_in(busy: Path, name: str) -> None:
    wanted = {**WANTED, name: b"ours\n"}
    assert uncommitted(planned(busy, wanted)) == (PurePosixPath(name),)
    head = git(busy, "rev-parse", "HEAD")
    with pytest.raises(RefusedError, match=name):
        commit(busy, wanted)
    assert git(busy, "rev-parse", "HEAD") == head
    assert git(busy, "status", "--porcelain") == STATUS_OF_BUSY, "nothing is written"


def test_a_mode_that_the_user_changed_is_work_of_the_user(busy: Path) -> None:
    (busy / "catalog.md").chmod(0o755)
    assert uncommitted(planned(busy, {"catalog.md": b"new\n"})) == (PurePosixPath("catalog.md"),)


@pytest.mark.parametrize("flag", ["assume-unchanged", "skip-worktree"])
def test_work_that_git_is_told_not_to_look_at_is_work_of_the_user(busy: Path, flag: str) -> None:
    hidden, same = PurePosixPath("catalog.md"), PurePosixPath("gone.md")
    git(busy, "update-index", f"--{flag}", str(hidden), str(same))
    (busy / hidden).write_text("theirs\n")
    assert uncommitted(planned(busy, {str(hidden): b"ours\n", str(same): b"ours\n"})) == (hidden,)
    (busy / hidden).unlink()
    assert uncommitted(planned(busy, {str(hidden): b"ours\n"})) == (hidden,)


def test_a_repository_within_is_work_of_the_user(busy: Path) -> None:
    git(busy, "init", "--quiet", "nested")
    (busy / "nested/own.md").write_text("theirs\n")
    assert uncommitted(planned(busy, {"nested/own.md": b"ours\n"})) == (PurePosixPath("nested/own.md"),)


def test_what_the_user_stages_while_files_are_written_is_not_lost(
    busy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def staging(change_set: ChangeSet) -> None:
        (busy / "catalog.md").write_text("theirs\n")
        git(busy, "add", "catalog.md")
        (busy / "catalog.md").write_text("old\n")
        apply(change_set)

    monkeypatch.setattr(commit_module, "apply", staging)
    with pytest.raises(UncommittedError, match=r"staged meanwhile: catalog\.md"):
        commit(busy, WANTED)
    assert git(busy, "show", ":catalog.md") == "theirs\n"
    assert (busy / "catalog.md").read_text() == "new\n"


def test_what_the_user_staged_and_took_back_is_not_lost(busy: Path) -> None:
    (busy / "staged.md").write_text("old\n")
    assert uncommitted(planned(busy, {"staged.md": b"ours\n"})) == (PurePosixPath("staged.md"),)


@pytest.mark.parametrize("missing", ["AUTHOR_NAME", "COMMITTER_EMAIL"])
def test_nothing_is_written_where_git_has_nobody_to_commit_as(
    busy: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    git(busy, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.delenv(f"GIT_{missing}")
    change_set = ChangeSet.plan(Files(busy), {PurePosixPath("catalog.md"): b"new\n"})
    with pytest.raises(RefusedError, match="name and email address"):
        write(change_set, "new", committed=True)
    assert (busy / "catalog.md").read_text() == "old\n"
    assert write(change_set, "new", committed=False) is None


def test_line_ends_that_git_converts_are_no_work_of_the_user(busy: Path) -> None:
    git(busy, "config", "core.autocrlf", "true")
    (busy / "catalog.md").write_bytes(b"old\r\n")
    assert uncommitted(planned(busy, {"catalog.md": b"new\r\n"})) == ()


def test_hooks_run_and_see_only_the_change(busy: Path) -> None:
    hook = busy / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\ngit diff --cached --name-only -- '*.md' > seen\n")
    hook.chmod(0o755)
    commit(busy, {"catalog.md": b"new\n"})
    assert (busy / "seen").read_text() == "catalog.md\n"


def test_hook_that_refuses_leaves_files_and_index(busy: Path) -> None:
    hook = busy / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho no thanks >&2\nexit 1\n")
    hook.chmod(0o755)
    head = git(busy, "rev-parse", "HEAD")
    with pytest.raises(
        UncommittedError, match=r"The files were written, but not committed: .*no thanks"
    ) as error:
        commit(busy, WANTED, "Add it")
    assert git(busy, "rev-parse", "HEAD") == head
    assert (busy / "stacks/größe/a file.tf").read_bytes() == b"new\n"
    changed = " M catalog.md\n M dirty.md\n D gone.md\nM  staged.md\n?? stacks/\n?? untracked.md\n"
    assert git(busy, "status", "--porcelain").replace("MM both-ways.md\n", "") == changed
    with pytest.raises(UncommittedError, match=r"stacks/größe/a file\.tf"):
        demand_committed(busy, PurePosixPath("stacks"), "Add it")
    hook.unlink()
    command = error.value.hint.partition("then run: `")[2].partition("`")[0]
    assert command in error_text(error.value, 40), "a narrow terminal leaves it whole"
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    demand_committed(busy, PurePosixPath("stacks"), "Add it")
    assert git(busy, "log", "-1", "--format=%s", "--name-only").split("\n")[0] == "Add it"
    assert "D  staged.md" not in git(busy, "status", "--porcelain")


def test_works_inside_another_repositorys_hook(
    busy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nowhere/index"))
    name = commit(busy, {"catalog.md": b"new\n"})
    monkeypatch.undo()
    assert git(busy, "rev-parse", "HEAD").strip() == name


def test_what_no_commit_has_is_kept_and_comes_back(busy: Path) -> None:
    change_set = ChangeSet.plan(
        Files(busy), dict.fromkeys(map(PurePosixPath, ("dirty.md", "gone.md", "untracked.md")))
    )
    files = unsaved(change_set)
    assert files == (PurePosixPath("dirty.md"), PurePosixPath("untracked.md"))
    before = git(busy, "status", "--porcelain")
    tree = keep(busy, files)
    assert git(busy, "status", "--porcelain") == before, "neither index nor files are touched"
    apply(change_set)
    git(busy, "restore", f"--source={tree}", "--", *map(str, files))
    assert (busy / "dirty.md").read_text() == "theirs, edited\n"
    assert (busy / "untracked.md").read_text() == "theirs\n"


def test_a_commit_of_files_that_git_never_knew_is_none(busy: Path) -> None:
    assert commit(busy, {"untracked.md": None}) is None
    assert not (busy / "untracked.md").exists()


@pytest.mark.parametrize("hook", ["pre-commit", "post-commit"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_commit_is_made_or_not_and_the_index_agrees(
    busy: Path, hook: str, number: signal.Signals
) -> None:
    """The signal reaches only us, from within the hook: Git is ended, waited for, and leaves no lock."""
    before = git(busy, "rev-parse", "HEAD")
    script = busy / ".git/hooks" / hook
    script.write_text(f"#!/bin/sh\nkill -{number.value} {os.getpid()}\nexec sleep 20\n")
    script.chmod(0o755)
    wanted = {name: content for name, content in WANTED.items() if name != "gone.md"}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    with ended_by_exception(), pytest.raises((KeyboardInterrupt, SystemExit)):
        commit(busy, wanted)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which stays ignored, for a process ends then
    made = git(busy, "rev-parse", "HEAD") != before
    assert made == (hook == "post-commit")
    after = git(busy, "status", "--porcelain", "--untracked-files=all", "-z").split("\0")
    left = [" M catalog.md", *(f"?? {path}" for path in wanted if path.startswith("stacks/"))]
    assert sorted(after) == sorted([*STATUS_OF_BUSY.split("\n"), *([] if made else left)])
    assert not list((busy / ".git").glob("*.lock"))


def test_what_is_staged_while_a_commit_fails_stays_staged(busy: Path) -> None:
    hook = busy / ".git/hooks/pre-commit"
    hook.write_text(
        "#!/bin/sh\nunset GIT_INDEX_FILE; rm -f .git/index.lock; echo theirs > catalog.md\n"
        "git add catalog.md\nexit 1\n"
    )
    hook.chmod(0o755)
    with pytest.raises(UncommittedError):
        commit(busy, {"catalog.md": b"new\n", "new.md": b"new\n"})
    assert git(busy, "show", ":catalog.md") == "theirs\n"
    assert "new.md" not in git(busy, "ls-files")


def test_keeping_leaves_nothing_and_takes_away_what_a_killed_run_left(
    busy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    scratch = busy / ".git/scaffold/keep"
    scratch.mkdir(parents=True)
    (scratch / "index.lock").write_bytes(b"")
    tree = keep(busy, [PurePosixPath("untracked.md")])
    assert git(busy, "show", f"{tree}:untracked.md") == "theirs\n"
    assert not scratch.exists()

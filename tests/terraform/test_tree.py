"""The files of a plan: on disk, in a revision, not written yet; and paths that may not leave them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import git

from scaffold.changes.change import Symlink
from scaffold.errors import MissingError
from scaffold.terraform.tree import (
    DiskTree,
    Kind,
    OutsideError,
    OverlayTree,
    Tree,
    git_tree,
    is_file,
    names_in,
    normal,
    resolve,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a/b").mkdir(parents=True)
    (root / "a/file.txt").write_bytes(b"one\n")
    (root / "a/b/deep.bin").write_bytes(b"\0\n\0")
    (root / "a/link").symlink_to("b")
    (root / "a/out").symlink_to("../../elsewhere")
    (root / "a/absolute").symlink_to("/etc")
    (root / "a/round").symlink_to("round")
    return root


def _same(tree: Tree) -> None:
    assert tree.kind("a") is Kind.DIRECTORY and tree.kind("a/b") is Kind.DIRECTORY
    assert tree.kind("a/file.txt") is Kind.FILE and tree.read("a/file.txt") == b"one\n"
    assert tree.read("a/b/deep.bin") == b"\0\n\0"
    assert tree.kind("a/link") is Kind.LINK and tree.target("a/link") == "b"
    assert tree.kind("a/nothing") is None
    assert tree.names("a") == {"b", "file.txt", "link", "out", "absolute", "round"}
    assert "a" in tree.names("")
    assert resolve(tree, "a/link/deep.bin") == "a/b/deep.bin"
    assert is_file(tree, "a/link/deep.bin") and not is_file(tree, "a/out/x") and not is_file(tree, "a")
    assert names_in(tree, "a/b") == {"deep.bin"} and names_in(tree, "a/nothing") == frozenset()


def test_on_disk_and_in_a_revision(root: Path) -> None:
    _same(DiskTree(root))
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "a/file.txt").write_bytes(b"two\n")
    with git_tree(root, "HEAD") as tree:
        _same(tree)
        assert tree.read("a/file.txt") == b"one\n"


def test_a_revision_is_read_by_several_at_once(root: Path) -> None:
    contents = {f"many/{n}.txt": b"%d\n" % n * n for n in range(200)}
    (root / "many").mkdir()
    for path, content in contents.items():
        (root / path).write_bytes(content)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    with git_tree(root, "HEAD") as tree, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tree.read, contents)) == list(contents.values())


@pytest.mark.parametrize("revision", ["nope", "--all"])
def test_a_revision_that_does_not_exist(root: Path, revision: str) -> None:
    git(root, "init", "-q")
    with pytest.raises(MissingError, match=f"cannot read revision {revision}"), git_tree(root, revision):
        pass


def test_files_that_are_not_written_yet(root: Path) -> None:
    tree = OverlayTree(
        DiskTree(root),
        {"a/file.txt": b"new", "n/e/w.txt": b"deep", "n/link": Symlink("e"), "a/b/deep.bin": None},
    )
    assert tree.read("a/file.txt") == b"new" and tree.target("a/link") == "b"
    assert tree.kind("n/e") is Kind.DIRECTORY and tree.names("n") == {"e", "link"}
    assert resolve(tree, "n/link/w.txt") == "n/e/w.txt" and tree.read("n/e/w.txt") == b"deep"
    assert tree.kind("a/b/deep.bin") is None and tree.names("a/b") == frozenset()
    assert {"a", "n"} <= tree.names("")


@pytest.mark.parametrize("path", ["..", "a/../..", "/a", "../root/a"])
def test_a_path_that_leaves_the_root(path: str) -> None:
    with pytest.raises(OutsideError):
        normal(path)


@pytest.mark.parametrize("path", ["a/out", "a/out/x", "a/absolute", "a/round", "a/link/../../../x"])
def test_a_link_that_leaves_the_root_or_leads_nowhere(root: Path, path: str) -> None:
    with pytest.raises(OutsideError):
        resolve(DiskTree(root), path)


def test_normal_paths() -> None:
    assert [normal(p) for p in ("a/./b", "a/../b", "", ".", "a//b")] == ["a/b", "b", "", "", "a/b"]

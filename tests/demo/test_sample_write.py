"""``write``: a clean repository, the same everywhere, or a refusal that leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support import git

import scaffold.demo
from scaffold.demo import sample, write
from scaffold.errors import MissingError, RefusedError


def files_of_the_sample() -> set[str]:
    root = Path(str(sample()))
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_is_a_clean_repository_with_one_commit_on_main(tmp_path: Path) -> None:
    write(tmp_path / "new" / "homelab")
    homelab = tmp_path / "new" / "homelab"
    assert git(homelab, "status", "--porcelain", "--ignored") == ""
    assert git(homelab, "rev-list", "--count", "HEAD") == "1\n"
    assert git(homelab, "symbolic-ref", "--short", "HEAD") == "main\n"
    assert git(homelab, "rev-parse", "--show-toplevel").strip() == str(homelab.resolve())


def test_every_file_of_the_sample_is_committed_byte_by_byte(tmp_path: Path) -> None:
    write(tmp_path)
    committed = set(git(tmp_path, "ls-tree", "-r", "--name-only", "HEAD").splitlines())
    assert committed == files_of_the_sample() | {"stacks/navidrome/secrets"}
    root = Path(str(sample()))
    for name in files_of_the_sample():
        assert (tmp_path / name).read_bytes() == (root / name).read_bytes(), name


def test_scripts_are_executable_and_the_secrets_of_a_stack_are_a_link(tmp_path: Path) -> None:
    write(tmp_path)
    modes = {
        line.split("\t")[1]: line.split()[0] for line in git(tmp_path, "ls-tree", "-r", "HEAD").splitlines()
    }
    executable = {name for name, mode in modes.items() if mode == "100755"}
    assert executable == {"scripts/tg", "scripts/check-ingress-auth-comments.py"}
    assert modes["stacks/navidrome/secrets"] == "120000"
    assert (tmp_path / "stacks/navidrome/secrets").resolve() == (tmp_path / "secrets").resolve()


def test_the_commit_does_not_depend_on_anybodys_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "plain")
    commit = git(tmp_path / "plain", "rev-parse", "HEAD")

    home = tmp_path / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/ignore").write_text(".claude/\n*.tf\n")
    (home / ".config/git/attributes").write_text("*.md working-tree-encoding=UTF-16\n")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (home / ".gitconfig").write_text(
        "[user]\nname = Somebody Else\nemail = else@example.test\n"
        "[commit]\ngpgsign = true\n[init]\ndefaultBranch = trunk\n"
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    write(tmp_path / "configured")
    monkeypatch.delenv("GIT_DIR")

    assert git(tmp_path / "configured", "rev-parse", "HEAD") == commit
    assert git(tmp_path / "configured", "symbolic-ref", "--short", "HEAD") == "main\n"
    assert not (tmp_path / "elsewhere").exists()


def test_compiled_files_beside_the_scripts_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "installed"
    shutil.copytree(str(sample()), installed)
    (installed / "scripts/__pycache__").mkdir(exist_ok=True)
    (installed / "scripts/__pycache__/check.cpython-311.pyc").write_bytes(b"\0")
    monkeypatch.setattr(scaffold.demo, "sample", lambda: installed)
    write(tmp_path / "homelab")
    assert list((tmp_path / "homelab").rglob("__pycache__")) == []


def test_a_directory_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RefusedError, match="is not empty") as refusal:
        write(tmp_path)
    assert refusal.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RefusedError, match="cannot be written"):
        write(tmp_path / "file")
    with pytest.raises(RefusedError, match="cannot be written"):
        write(tmp_path / "file" / "homelab")
    assert (tmp_path / "file").read_text() == "mine"


def test_without_git_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(MissingError, match="git was not found") as missing:
        write(tmp_path / "homelab")
    assert missing.value.hint
    assert not (tmp_path / "homelab").exists()


def test_when_git_fails_the_directory_stays_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "git").write_text("#!/bin/sh\necho 'fatal: out of ink' >&2\nexit 128\n")
    (broken / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(MissingError, match="git init failed: fatal: out of ink"):
        write(tmp_path / "homelab")
    assert list((tmp_path / "homelab").iterdir()) == []

"""What is wrong around a run is told by its own name, with what mends it."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest
from support import ANSWERS, scaffold

from scaffold.monorepo.repository import Monorepo

DRONE = ANSWERS / "valid" / "drone-logbook.yml"
CATALOG = ".claude/reference/service-catalog.md"


def new_service(monorepo: Monorepo, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    options = ("--verify", "static", "--template-source", "https://x.test/t.git", *arguments)
    return scaffold(
        "new-service", "--answers", DRONE, "--monorepo", monorepo.root, *options, env=variables or None
    )


def git(monorepo: Monorepo, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=monorepo.root, check=True, capture_output=True)


def test_a_repository_of_another_user_is_told_with_git_s_own_mend(monorepo: Monorepo) -> None:
    done = new_service(monorepo, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert done.returncode == 6
    assert "detected dubious ownership" in done.stderr
    assert "git config --global --add safe.directory" in done.stderr
    assert "usage:" not in done.stderr


def test_a_byte_that_is_no_text_blocks_its_own_lists_and_is_told(monorepo: Monorepo) -> None:
    catalog = monorepo.root / CATALOG
    catalog.write_bytes(b"# Caf\xe9\n" + catalog.read_bytes())
    done = new_service(monorepo)
    assert done.returncode == 4
    assert "line 1 is not UTF-8 text: it holds the byte 0xe9" in done.stderr
    names = [line.split()[-1] for line in done.stderr.splitlines() if "fix:" in line]
    assert len(names) == 2, "the lists of the catalog and no others"
    assert new_service(monorepo, *(f"--no-index={name}" for name in names)).returncode == 0


def test_a_list_in_an_unfinished_merge_is_told_as_that(monorepo: Monorepo) -> None:
    catalog = monorepo.root / CATALOG
    start = catalog.read_text()
    branch = subprocess.check_output(
        ["git", "branch", "--show-current"], cwd=monorepo.root, text=True
    ).strip()
    git(monorepo, "branch", "theirs")
    for who in (branch, "theirs"):
        git(monorepo, "switch", "--quiet", who)
        catalog.write_text(start.replace("### Proxied", f"### {who}"))
        git(monorepo, "commit", "--quiet", "--all", "--message", who)
    git(monorepo, "switch", "--quiet", branch)
    subprocess.run(["git", "merge", "theirs"], cwd=monorepo.root, capture_output=True, check=False)
    done = new_service(monorepo)
    assert done.returncode == 4
    assert f"There are unmerged paths: {CATALOG}." in done.stderr
    assert "--no-index" not in done.stderr


def test_what_a_hook_refused_is_committed_whole_by_the_hint_of_the_next_run(monorepo: Monorepo) -> None:
    hook = monorepo.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert new_service(monorepo, "--commit").returncode == 4
    again = new_service(monorepo, "--commit")
    assert again.returncode == 4
    hook.unlink()
    command = again.stderr.partition("Mend that, then: ")[2].splitlines()[0]
    for part in command.split(" && "):
        subprocess.run(shlex.split(part), check=True, capture_output=True)
    status = subprocess.check_output(["git", "status", "--porcelain"], cwd=monorepo.root, text=True)
    assert status == ""


@pytest.mark.parametrize("command", [["index", "--check"], ["explain", "--answers", str(DRONE)]])
def test_a_named_pipe_is_not_waited_for(monorepo: Monorepo, command: list[str]) -> None:
    before = scaffold(*command, "--monorepo", monorepo.root)
    os.mkfifo(monorepo.root / "stacks/journal/pipe.tf")
    done = scaffold(*command, "--monorepo", monorepo.root)
    assert (done.returncode, done.stdout) == (before.returncode, before.stdout)

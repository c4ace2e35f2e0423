"""Problems in a run's surroundings are named, with their fix."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from support import ANSWERS, git, scaffold

from scaffold.monorepo.repository import Monorepo
from scaffold.templates.template import checked_source

DRONE = ANSWERS / "valid" / "drone-logbook.yml"
CATALOG = ".claude/reference/service-catalog.md"


def new_service(monorepo: Monorepo, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    options = ("--verify", "static", "--template-source", "https://x.test/t.git", *arguments)
    return scaffold(
        "new-service", "--answers", DRONE, "--monorepo", monorepo.root, *options, env=variables or None
    )


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
    git(monorepo.root, "branch", "theirs")
    for who in (branch, "theirs"):
        git(monorepo.root, "switch", "--quiet", who)
        catalog.write_text(start.replace("### Proxied", f"### {who}"))
        git(monorepo.root, "commit", "--quiet", "--all", "--message", who)
    git(monorepo.root, "switch", "--quiet", branch)
    subprocess.run(["git", "merge", "theirs"], cwd=monorepo.root, capture_output=True, check=False)
    done = new_service(monorepo)
    assert done.returncode == 4
    assert f"A merge is unfinished in {CATALOG}." in done.stderr
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
    command = again.stderr.partition("Fix that, then run: `")[2].partition("`")[0]
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


def test_a_root_that_is_no_hcl_is_told_with_its_place(monorepo: Monorepo) -> None:
    settings = monorepo.root / "terragrunt.hcl"
    settings.write_text("locals {\n  a = 1\n")
    done = new_service(monorepo)
    assert done.returncode == 4
    assert "terragrunt.hcl:3:1: missing '}' of what begins on line 1" in done.stderr
    assert "moved away" not in done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "--upload-pack=touch x", "https://x.test/a\nb", "htps://x.test/t.git", "/no/such/directory", "", " ", "ext::sh -c id",
        "ssh://-oProxyCommand=id/x", "git@-oProxyCommand=id:x", "https://me:secret@x.test/t.git", "https://x.test", "a\0b",
    ],
)  # fmt: skip
def test_a_source_that_no_update_could_take_is_wrong_use(pristine: Monorepo, source: str) -> None:
    done = new_service(pristine, "--dry-run", f"--template-source={source}")
    assert done.returncode == 2, done.stderr
    assert "neither a Git URL nor an existing directory" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "https://x.test/t.git", "git+https://me@x.test:8443/t", "git@x.test:a/t.git", "ssh://git@x.test:22/a/t", "file:///srv/t.git",
        "gh:a/t", "git://x.test/t", "git+ssh://git@x.test/a/t.git", ".",
    ],
)  # fmt: skip
def test_a_source_that_copier_takes_is_taken(source: str) -> None:
    assert checked_source(source) == source


@pytest.mark.parametrize("answer", ["echo {}", "echo nonsense", "echo []", "true", "exit 3"])
def test_a_planner_that_plans_nothing_is_an_environment_that_lacks_one(
    pristine: Monorepo, tmp_path: Path, answer: str
) -> None:
    program = tmp_path / "terraform"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    done = scaffold("plan", "journal", "--monorepo", pristine.root, env={"SCAFFOLD_TERRAFORM": str(program)})
    assert done.returncode == 6, done.stdout + done.stderr
    assert "0 resources" not in done.stdout
    assert "SCAFFOLD_TERRAFORM names another one" in done.stderr

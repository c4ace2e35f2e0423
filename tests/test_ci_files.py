"""What runs ``scaffold check`` elsewhere: the pre-commit hook, and the jobs in the documentation."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from support import needs, scaffold

from scaffold.monorepo.repository import Monorepo

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.S)
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def run_hook(monorepo: Monorepo, *more: str) -> tuple[int, str]:
    """What the hook does with the files of a monorepo, as pre-commit would start it."""
    files = [path.relative_to(monorepo.root).as_posix() for path in sorted(monorepo.root.rglob("*"))]
    chosen = [file for file in files if re.search(HOOK["files"], file)]
    assert any(file.endswith("navidrome/main.tf") for file in chosen)
    assert any(file.endswith("terragrunt.hcl") for file in chosen)
    program, *arguments = shlex.split(HOOK["entry"])
    assert program == "scaffold"
    done = scaffold(*arguments, *more, *chosen, cwd=monorepo.root)
    return done.returncode, done.stdout + done.stderr


def test_the_hook_of_pre_commit_looks_at_the_stacks_of_the_files(monorepo: Monorepo) -> None:
    code, told = run_hook(monorepo)
    assert (code, "[ING002]" in told) == (1, True)
    assert f"{len(monorepo.stacks)} stacks, 1 error" in told
    path = monorepo.stack_directory("_template") / "main.tf"
    path.parent.mkdir(exist_ok=True)
    path.write_text("locals {")
    assert "_template" not in run_hook(monorepo)[1]


def test_the_documented_hook_exists_and_takes_its_arguments(monorepo: Monorepo) -> None:
    (repository,) = yaml.safe_load(BLOCKS[0])["repos"]
    (hook,) = repository["hooks"]
    assert hook["id"] == HOOK["id"]
    done = scaffold("check", "--all", "--static", *hook["args"], "--update-baseline", cwd=monorepo.root)
    assert done.returncode == 0, done.stderr
    assert run_hook(monorepo, *hook["args"])[0] == 0


@needs("actionlint")
def test_the_documented_jobs_keep_the_rules_of_pipelines_and_need_no_secret(tmp_path: Path) -> None:
    for path, text in zip((".woodpecker/check.yml", ".github/workflows/check.yml"), BLOCKS[1:], strict=True):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
        assert "secret" not in text
    done = scaffold("check", "--pipelines", tmp_path)
    assert "[" not in done.stdout, done.stdout
    assert "2 files, no findings." in done.stdout


@pytest.mark.parametrize("block", BLOCKS[1:], ids=["woodpecker", "github"])
def test_the_documented_commands_run(monorepo: Monorepo, block: str) -> None:
    commands = re.findall(r"scaffold (check [^\n>|]*)", block)
    assert commands
    for command in commands:
        arguments = [a for a in shlex.split(command) if a not in ("--baseline", ".scaffold-baseline")]
        done = scaffold(*dict.fromkeys((*arguments, "--static")), cwd=monorepo.root)
        assert done.returncode == 1, done.stderr

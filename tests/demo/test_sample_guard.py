"""The sample's check: which ``auth`` lines need a comment above them, and what counts as one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scaffold.demo import sample, write

GUARD = "scripts/check-ingress-auth-comments.py"


def run(guard: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, guard, *arguments], check=False, capture_output=True, encoding="utf-8"
    )


def verdict(stack: Path, text: str) -> subprocess.CompletedProcess[str]:
    (stack / "main.tf").write_text(text, encoding="utf-8")
    return run(Path(str(sample()), GUARD), str(stack))


@pytest.mark.parametrize(
    "lines",
    [
        'auth = "required"',
        'auth = "public"',
        '# auth = "app": its own login\nauth = "app"',
        '  # auth   =  "none": a public site\n  auth             = "none"',
        '# auth = "none": machines that cannot\n# sign on\nauth = "none"',
        '# Read this first.\n# auth = "none": a webhook\nauth = "none"',
        'authentication = "none"',
        '# auth = "none"',
    ],
)
def test_good(tmp_path: Path, lines: str) -> None:
    result = verdict(tmp_path, lines)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "lines",
    [
        'auth = "app"',
        'auth = "none" # open on purpose',
        '# auth = "none"\nauth = "none"',
        '# auth = "none":\nauth = "none"',
        '# auth = "app": its own login\nauth = "none"',
        '# auth = "app": its own login\n\nauth = "app"',
        '# auth = "app": its own login\nname = "x"\nauth = "app"',
        'x = "y" # auth = "app": its own login\nauth = "app"',
    ],
)
def test_bad(tmp_path: Path, lines: str) -> None:
    result = verdict(tmp_path, lines)
    number = len(lines.splitlines())
    assert result.returncode == 1
    assert result.stderr.startswith(f"{tmp_path / 'main.tf'}:{number}: auth = ")
    assert len(result.stderr.splitlines()) == 1


def test_every_violation_is_listed_in_order_whatever_the_encoding(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/b.tf").write_bytes(b'# caf\xe9\nauth = "none"\n')
    result = verdict(tmp_path, 'auth = "app"\nauth = "none"\n')
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        f"{tmp_path}/main.tf:1",
        f"{tmp_path}/main.tf:2",
        f"{tmp_path}/modules/b.tf:2",
    ]


def test_all_means_every_stack_of_the_repository_wherever_it_is_called(tmp_path: Path) -> None:
    write(tmp_path)
    result = run(tmp_path / GUARD, "--all")
    stack = tmp_path.resolve() / "stacks/navidrome/main.tf"
    assert result.returncode == 1
    assert result.stderr.startswith(f'{stack}:122: auth = "app" needs')
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["--all", "x"], ["no-such-stack"]])
def test_wrong_use(arguments: list[str]) -> None:
    result = run(Path(str(sample()), GUARD), *arguments)
    assert result.returncode == 2
    assert "usage:" in result.stderr


def test_tg_asks_the_guard_before_it_starts_terragrunt(tmp_path: Path) -> None:
    write(tmp_path / "homelab")
    terragrunt = tmp_path / "bin/terragrunt"
    terragrunt.parent.mkdir()
    terragrunt.write_text('#!/bin/sh\necho "terragrunt $*"\n')
    terragrunt.chmod(0o755)

    def tg(directory: str) -> tuple[int, str]:
        result = subprocess.run(
            [tmp_path / "homelab/scripts/tg", "plan"],
            check=False,
            cwd=tmp_path / "homelab" / directory,
            env={"PATH": f"{terragrunt.parent}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"},
            capture_output=True,
            encoding="utf-8",
        )
        return result.returncode, result.stdout

    assert tg("stacks/journal") == (0, "terragrunt plan\n")
    assert tg("stacks/navidrome") == (1, "")
    assert tg("docs") == (2, "")

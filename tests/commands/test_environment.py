"""No file, size, closed stream or full disk is reported as a defect."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import scaffold

from scaffold.monorepo.repository import Monorepo

LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["new-service", f"--set=name={LONG}", "--set=port=80"], 3),
        (["plan", LONG], 6),
        (["remove-service", LONG], 6),
        (["pipeline", "--service", LONG, "--app-repo", "."], 6),
        (["new-service", "--answers", LONG], 2),
        (["check", "--pipelines", LONG], 6),
        (["doctor", "--schemas", LONG], 6),
    ],
)
def test_a_name_that_no_file_can_have(pristine: Monorepo, arguments: list[str], code: int) -> None:
    done = scaffold(*arguments, cwd=pristine.root)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def run(tail: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    script = f'exec "$0" -m scaffold "$@" {tail}'
    return subprocess.run(["sh", "-c", script, sys.executable, *arguments], capture_output=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_output_that_does_not_fit_is_told() -> None:
    done = run(">/dev/full", "schema")
    assert done.returncode == 6
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_streams_that_the_caller_has_closed(pristine: Monorepo) -> None:
    arguments = ("new-service", "--monorepo", str(pristine.root), "--answers", "-")
    done = run("<&-", *arguments)
    assert done.returncode == 2
    assert b"Standard input is closed." in done.stderr
    assert run("<&- >&- 2>&-", *arguments).returncode == 2


def test_whatever_the_system_refuses_is_told_with_its_path(
    pristine: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere/file")

    monkeypatch.setattr("scaffold.commands.index.show", refuse)
    done = scaffold("index", "--monorepo", pristine.root)
    assert done.returncode == 6
    assert "/somewhere/file: No space left on device." in done.stderr

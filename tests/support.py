"""What several kinds of tests share."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import settings

from scaffold.changes.apply import writing
from scaffold.changes.journal import Goal
from scaffold.templates.template import Origin
from scaffold.terraform.planned import Tree

ANSWERS = Path(__file__).parent / "answers"
GOLDEN = Path(__file__).parent / "golden"
ORIGIN = Origin("https://git.example.test/scaffold.git", "v0.1.0", updatable=True)

FUZZ = "fuzz"
"""The profile of Hypothesis that draws new examples, as many as it is told."""
QUICK = "quick"
"""The profile of the tests without the slow ones: a third of the examples."""
TOOLS = {
    "terraform": "https://developer.hashicorp.com/terraform/install",
    "go": "https://go.dev/doc/install",
    "actionlint": "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7",
    "busybox": "apt-get install busybox-static",
    "sqlite3": "apt-get install sqlite3",
    "initdb": "apt-get install postgresql",
    "mariadbd": "apt-get install mariadb-server",
    "chromium": "apt-get install chromium",
    "curl": "apt-get install curl",
    "jq": "apt-get install jq",
}
"""The commands that some tests need and a machine may lack, and how to get each."""
WITHOUT = "needs "


def where(tool: str) -> str | None:
    """Where a command of :data:`TOOLS` is, or nothing. PostgreSQL keeps its own out of PATH."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{tool}"))
    return shutil.which(tool) or (str(kept[-1]) if kept else None)


def needs(*tools: str) -> pytest.MarkDecorator:
    """The mark of a test that is left out where one of :data:`TOOLS` is missing; the last line tells."""
    missing = [tool for tool in tools if where(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=WITHOUT + ", ".join(missing or tools))


def demand(tool: str) -> str:
    """Where a command of :data:`TOOLS` is. Leaves the test out where it is missing."""
    place = where(tool)
    if place is None:
        pytest.skip(WITHOUT + tool)
    return place


def examples(number: int) -> settings:
    """How many examples a property draws that shall not have the usual number, unless fuzzing says it."""
    profile = settings.get_current_profile_name()
    if profile == FUZZ:
        return settings()
    return settings(max_examples=max(1, number // 3) if profile == QUICK else number)


class _Stream(io.TextIOWrapper):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def scaffold(
    *arguments: str | Path,
    stdin: str = "",
    terminal: bool = False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, as a user would in one of its own.

    Takes the arguments, what stands on standard input, whether that is typed in a terminal, the directory
    to be in and variables to add to the environment. Returns what was written and the exit code.
    """
    from scaffold.cli import main

    command = ["scaffold", *map(str, arguments)]
    streams = [_Stream(io.BytesIO(data), "utf-8") for data in (stdin.encode(), b"", b"")]
    for stream in streams[:2]:
        stream.terminal = terminal
    code: object = 0
    interrupted = signal.getsignal(signal.SIGINT)
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(cwd or Path.cwd()):
        patch.setattr(sys, "argv", command)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        for name, value in (env or {}).items():
            patch.setitem(os.environ, name, value)
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            if signal.getsignal(signal.SIGINT) is not interrupted:
                signal.signal(signal.SIGINT, interrupted)
    told = []
    for stream in streams[1:]:
        stream.flush()
        stream.seek(0)
        told.append(stream.read())
    assert isinstance(code, int)
    return subprocess.CompletedProcess(command, code, *told)


def git(directory: Path, *arguments: str) -> str:
    """What Git prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout


def frozen(value: Any) -> Tree:
    """Plain data as a plan has it."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(item) for key, item in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def keep_output(terminal: int) -> None:
    """A key that is a signal throws away what the terminal has not shown yet, and tests read slowly."""
    import termios  # not every system has it

    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.NOFLSH
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def recover(root: Path) -> Goal | None:
    """Finish or undo what a crash left behind, as the next command that writes does first."""
    with writing(root) as reached:
        return reached

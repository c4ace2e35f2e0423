"""The tutorial is what happens: its files are written, its commands run in order, its output compared."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import needs

PAGE = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCKS = re.findall(r"(?ms)^```(yaml|console)\n(.*?)^```$", PAGE.read_text())


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console, each with what the page says that it prints; ``…`` stands for anything."""
    said = re.split(r"(?m)^\$ (.*)\n", block)
    return list(zip(said[1::2], (text.replace("…", "...") for text in said[2::2]), strict=True))


@pytest.mark.slow("runs a dozen whole commands, most with a plan")
@needs("terraform")
def test_every_command_prints_what_the_tutorial_shows(tmp_path: Path) -> None:
    here = tmp_path
    checker = doctest.OutputChecker()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for kind, text in BLOCKS:
        if kind == "yaml":
            (here / text.split()[1]).write_text(text)
            continue
        for command, wanted in commands(text):
            if command.startswith("cd "):
                here /= command.removeprefix("cd ")
                continue
            done = subprocess.run(
                ["bash", "-c", command], cwd=here, env={**os.environ, "PATH": path, "COLUMNS": "120"},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            assert checker.check_output(wanted, done.stdout, doctest.ELLIPSIS), (
                f"$ {command}\n{done.stdout}\nThe page says:\n{wanted}"
            )


def test_the_tutorial_shows_output() -> None:
    assert sum(bool(wanted) for kind, text in BLOCKS if kind == "console" for _, wanted in commands(text)) > 8

"""What the system keeps from what a run starts, and from nothing else."""

from __future__ import annotations

import platform
import socket
import sys
from pathlib import Path

import pytest

from scaffold.terraform.confine import Layer
from scaffold.terraform.lifetime import private_run

LOOK = """
import socket, sys
socket.socket(socket.AF_UNIX)
for attempt in (lambda: socket.socket(), lambda: socket.socket(socket.AF_NETLINK), lambda: open(sys.argv[1])):
    try:
        attempt()
        print("open")
    except PermissionError:
        print("kept")
"""


def test_what_is_started_is_confined_and_nothing_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    script = tmp_path / "program"
    script.write_text("#!/bin/sh\n")
    with private_run() as run:
        held = run.confine(script)
        done = run.result([sys.executable, "-c", LOOK, str(outside)], run.directory, {}, 30)
    # On a system that cannot keep it, that is said: never more than what holds.
    network = b"kept" if Layer.NETWORK in held else b"open"
    assert done.stdout.split() == [network, network, b"open"], done.stderr
    socket.socket().close()


def test_a_program_reads_the_files_of_its_run_and_no_others(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    with private_run() as run:
        (run.directory / "inside.txt").write_text("y")
        held = run.confine(Path("/bin/cat"))
        inside, refused = (
            run.result(["/bin/cat", str(path)], run.directory, {}, 30)
            for path in (run.directory / "inside.txt", outside)
        )
    assert (inside.stdout, inside.code) == (b"y", 0)
    assert (b"ermission denied" in refused.stderr) == (Layer.FILES in held)
    assert (refused.stdout == b"x") == (Layer.FILES not in held)


def test_where_the_system_can_do_nothing_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    with private_run() as run:
        assert run.confine(Path("/bin/cat")) == frozenset()
        assert run.result(["/bin/cat"], run.directory, {}, 30).code == 0

"""How long each key of the wizard takes to show: a person answers for drone-logbook.

    .venv/bin/python benchmarks/wizard.py

A character counts until it stands there (its answer is judged when nothing is typed for a moment); Enter and
arrows count until the next question, or what the option leads to, is drawn whole. Prints minimum, median and
maximum in milliseconds, and the slowest keys. Aim: no key above 50 ms on an idle machine.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pexpect

from scaffold import demo

ENTER, DOWN = "\r", "\x1b[B"
STILL = 0.15
"""Seconds without output after which a key is taken to be done; they are not counted."""
KEYS = [
    *[ENTER] * 6,
    *"ghcr.io/arpanghosh8453/open-dronelog:1.0.0",
    ENTER,
    "\x15",
    *"drone-logbook",
    ENTER,
    *"Flight log analyzer",
    ENTER,
    *"SYNC_LOGS_PATH=/sync-logs",
    ENTER,
    *"/data/drone-logbook=2Gi /sync-logs",
    ENTER,
    ENTER,
    DOWN,
    DOWN,
    ENTER,
    DOWN,
    DOWN,
    ENTER,
    DOWN,
    ENTER,
    *"PROFILE_CREATION_PASS",
]


def latency(child: pexpect.spawn, key: str) -> float:
    """Milliseconds from a key to what it draws."""
    start = time.perf_counter()
    drawn: list[float] = []
    child.send(key)
    while True:
        try:
            child.read_nonblocking(65536, timeout=STILL)
            drawn.append((time.perf_counter() - start) * 1000)
        except pexpect.TIMEOUT:
            return drawn[0 if key.isprintable() else -1] if drawn else 0.0


def main() -> None:
    """Type the answers one key at a time."""
    with TemporaryDirectory() as scratch:
        monorepo = Path(scratch, "monorepo")
        demo.write(monorepo)
        child = pexpect.spawn(
            sys.executable,
            ["-m", "scaffold", "new-service", "--verify=static"],
            cwd=str(monorepo),
            dimensions=(60, 100),
            encoding="utf-8",
            timeout=30,
        )
        child.delaybeforesend = None
        child.expect_exact("What gates the app")
        latency(child, "")
        times = [(latency(child, key), place, key) for place, key in enumerate(KEYS)]
        child.close(force=True)
    figures = [figure for figure, _, _ in times]
    print(f"{'ms':8} {min(figures):8.1f} {statistics.median(figures):8.1f} {max(figures):8.1f}")
    for figure, place, key in sorted(times, reverse=True)[:8]:
        print(f"  {figure:8.1f}  key {place}: {key!r}")


if __name__ == "__main__":
    main()

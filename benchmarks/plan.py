"""Offline plans as a user experiences them: whole processes, including Python's start.

    .venv/bin/python benchmarks/plan.py [RUNS] [--monorepo DIR]

Prints minimum, median and maximum of one stack and of ten stacks in one run (one and two workers), and the
peak memory of scaffold and of Terraform; then those of all stacks, first uncached and then again with
nothing changed. Without a monorepo, the sample's stacks are planned, some of them twice. Aims on an idle
machine: 0.7 s for one stack, 25 s for 127 stacks, and 2 s for those again.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold import demo

CHILD = """
import resource, sys
from pathlib import Path
from scaffold.terraform.runner import plan_stacks
results = plan_stacks(Path(sys.argv[1]), sys.argv[3:], workers=int(sys.argv[2]))
assert all(result.ok for result in results), [result.findings for result in results]
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss)
"""
UNIT = 1024 if sys.platform != "darwin" else 1024 * 1024
"""What a unit of ``ru_maxrss`` is short of a megabyte: kilobytes, on macOS bytes."""


def measure(root: Path, workers: int, stacks: Sequence[str], cache: Path) -> tuple[float, int, int]:
    """Seconds of a whole process that plans these stacks; peak memory of it and of Terraform."""
    command = [sys.executable, "-c", CHILD, str(root), str(workers), *stacks]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    own, children = map(int, done.stdout.split())
    return time.perf_counter() - start, own // UNIT, children // UNIT


def show(
    name: str, runs: int, root: Path, workers: int, stacks: Sequence[str], kept: Path | None = None
) -> None:
    """Measure several times and print one line; the first of several runs warms up and is not counted.

    ``kept`` has what an earlier run planned; without it each run starts from nothing.
    """
    measured = []
    for _ in range(runs + 1 if runs > 1 else 1):
        with TemporaryDirectory() as empty:
            measured.append(measure(root, workers, stacks, kept or Path(empty)))
    measured = measured[1:] or measured
    seconds = [entry[0] for entry in measured]
    own, children = max(entry[1] for entry in measured), max(entry[2] for entry in measured)
    figures = f"{min(seconds):8.2f} {statistics.median(seconds):8.2f} {max(seconds):8.2f}"
    print(f"{name:28} {figures} {own:8} {children:8}")


def main(runs: int, root: Path) -> None:
    """Measure stacks of a monorepo: those that have a ``main.tf``."""
    stacks = sorted(path.parent.name for path in root.glob("stacks/*/main.tf"))
    ten = list(islice(cycle(stacks), 10))
    print(f"{'seconds':28} {'min':>8} {'median':>8} {'max':>8} {'MB':>8} {'tool MB':>8}")
    largest = max(stacks, key=lambda name: (root / "stacks" / name / "main.tf").stat().st_size)
    show(f"one stack ({largest})", runs, root, 1, [largest])
    show("ten stacks, one worker", runs, root, 1, ten)
    show("ten stacks, two workers", runs, root, 2, ten)
    with TemporaryDirectory() as kept:
        show("all stacks, two workers", 1, root, 2, stacks, Path(kept))
        show("all stacks again", runs, root, 2, stacks, Path(kept))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int, nargs="?", default=5)
    parser.add_argument("--monorepo", type=Path)
    given = parser.parse_args()
    if given.monorepo is not None:
        main(given.runs, given.monorepo)
    else:
        with TemporaryDirectory() as scratch:
            demo.write(Path(scratch) / "monorepo")
            main(given.runs, Path(scratch) / "monorepo")

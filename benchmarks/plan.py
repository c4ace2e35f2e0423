"""Offline plans as a user waits for them: whole processes, Python's start included.

    .venv/bin/python benchmarks/plan.py [RUNS] [MONOREPO]

Prints minimum, median and maximum of one stack and of ten stacks in one run (one and two workers), and the
peak memory of scaffold and of Terraform. Without a MONOREPO the sample's stacks are planned, some of them
twice. Aim: 0.7 s for one stack on an idle machine.
"""

from __future__ import annotations

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


def measure(root: Path, workers: int, stacks: Sequence[str]) -> tuple[float, int, int]:
    """Seconds of a whole process that plans these stacks; peak memory of it and of Terraform."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, root, str(workers), *stacks], check=True, capture_output=True, text=True
    )
    own, children = map(int, done.stdout.split())
    return time.perf_counter() - start, own // UNIT, children // UNIT


def show(name: str, runs: int, root: Path, workers: int, stacks: Sequence[str]) -> None:
    """Measure several times and print one line; the first run warms up and is not counted."""
    measured = [measure(root, workers, stacks) for _ in range(runs + 1)][1:]
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


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with TemporaryDirectory() as scratch:
            demo.write(Path(scratch) / "monorepo")
            main(count, Path(scratch) / "monorepo")

"""Whole processes in pairs: `scaffold new-service` against stock `copier copy` of the same template.

    .venv/bin/python benchmarks/new_service.py [RUNS]

Prints the median of each, and the ratio pair by pair (which holds when the machine's speed drifts);
then `explain` and `--help` alone. Aims: a ratio of at most 1.5, 0.3 s and 80 ms on an idle machine.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ANSWERS = ROOT / "tests" / "answers" / "valid" / "drone-logbook.yml"


def seconds(command: list[str | Path]) -> float:
    """How long a whole process takes, on the wall clock."""
    start = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return time.perf_counter() - start


def show(name: str, values: list[float]) -> None:
    """Minimum, median and maximum of one figure."""
    print(f"{name:32} {min(values):8.3f} {statistics.median(values):8.3f} {max(values):8.3f}")


def main(runs: int) -> None:
    """Measure in a scratch directory: the first pair warms up and is not counted."""
    with TemporaryDirectory() as scratch:
        monorepo, plain, out = Path(scratch, "monorepo"), Path(scratch, "template"), Path(scratch, "out")
        subprocess.run([BIN / "scaffold", "demo", monorepo], check=True, stdout=subprocess.DEVNULL)
        plain.mkdir()
        shutil.copy(ROOT / "copier.yml", plain)
        shutil.copytree(ROOT / "templates", plain / "templates", symlinks=True)
        new: list[str | Path] = [BIN / "scaffold", "new-service", "--verify", "static"]
        ours: list[str | Path] = [*new, "--monorepo", monorepo, "--answers", ANSWERS]
        stock: list[str | Path] = [
            BIN / "copier",
            "copy",
            "--quiet",
            "--defaults",
            f"--data-file={ANSWERS}",
            plain,
            out,
        ]
        pairs = []
        for _ in range(runs + 1):
            shutil.rmtree(monorepo / "stacks" / "drone-logbook", ignore_errors=True)
            shutil.rmtree(out, ignore_errors=True)
            pairs.append((seconds(ours), seconds(stock)))
        pairs = pairs[1:]
        print(f"{'seconds':32} {'min':>8} {'median':>8} {'max':>8}")
        show("scaffold new-service", [a for a, _ in pairs])
        show("copier copy", [b for _, b in pairs])
        show("ratio", [a / b for a, b in pairs])
        for name, command in (("explain", ["explain", "--answers", ANSWERS]), ("--help", ["--help"])):
            show(f"scaffold {name}", [seconds([BIN / "scaffold", *command]) for _ in range(runs + 1)][1:])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)

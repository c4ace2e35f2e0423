"""Whole processes in pairs: `scaffold new-service` and stock `copier copy` of the same template.

    .venv/bin/python benchmarks/new_service.py [RUNS] [--monorepo DIR]

With the plan (of files that were never planned before) and without it, each paired with a `copier copy`.
Prints the medians, and the ratio pair by pair (which is stable when the machine's speed drifts); then
`explain` (with and without the monorepo) and `--help` alone. Of each, the elapsed time and the processor's
(of all processes that a command starts), which says more on a busy machine. Aims on an idle machine: a ratio
of at most 0.5 with the plan and 0.35 static, 0.25 s for `explain`, 60 ms for `--help`; with the plan 1.2 s in
a monorepo of 127 stacks. DIR is copied, not changed.
"""

from __future__ import annotations

import argparse
import os
import resource
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


Figure = tuple[float, float]
"""Seconds, or a ratio of them: elapsed, and of the processor."""


def processor() -> float:
    """Seconds of the processor that processes started here took so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(command: list[str | Path]) -> Figure:
    """How long a whole process takes, and the processes that it starts."""
    start, before = time.perf_counter(), processor()
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return time.perf_counter() - start, processor() - before


def show(name: str, figures: list[Figure]) -> None:
    """Minimum, median and maximum of one figure, elapsed and of the processor."""
    columns = (
        f"{min(values):8.3f} {statistics.median(values):8.3f} {max(values):8.3f}"
        for values in zip(*figures, strict=True)
    )
    print(f"{name:32} " + "    ".join(columns))


def main(runs: int, source: Path | None) -> None:
    """Measure in a scratch directory: the first pair of each kind warms up and is not counted."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles the modules anew at each start
    with TemporaryDirectory() as scratch:
        monorepo, plain, out = Path(scratch, "monorepo"), Path(scratch, "template"), Path(scratch, "out")
        os.environ["XDG_CACHE_HOME"] = str(Path(scratch, "cache"))
        if source is None:
            subprocess.run([BIN / "scaffold", "demo", monorepo], check=True, stdout=subprocess.DEVNULL)
        else:
            shutil.copytree(source, monorepo, symlinks=True)
        plain.mkdir()
        shutil.copy(ROOT / "copier.yml", plain)
        shutil.copytree(ROOT / "templates", plain / "templates", symlinks=True)
        stock: list[str | Path] = [BIN / "copier", "copy", "--quiet", "--defaults"]
        stock += [f"--data-file={ANSWERS}", plain, out]
        heads = f"{'min':>8} {'median':>8} {'max':>8}"
        print(f"{'':32} {'elapsed':>26}    {'processor':>26}\n{'seconds':32} {heads}    {heads}")
        for level in ("plan", "static"):
            # With --dry-run the indexes are edited too, and every run finds the same monorepo.
            ours: list[str | Path] = [BIN / "scaffold", "new-service", "--dry-run", "--verify", level]
            ours += ["--monorepo", monorepo, "--answers", ANSWERS]
            pairs = []
            for _ in range(runs + 1):
                shutil.rmtree(out, ignore_errors=True)
                shutil.rmtree(Path(scratch, "cache", "homelab-scaffold", "plans"), ignore_errors=True)
                pairs.append((seconds(ours), seconds(stock)))
            pairs = pairs[1:]
            show(f"scaffold new-service, {level}", [a for a, _ in pairs])
            show("copier copy", [b for _, b in pairs])
            show("ratio", [(a[0] / b[0], a[1] / b[1]) for a, b in pairs])
        explain: list[str | Path] = ["explain", "--answers", ANSWERS]
        around = [*explain, "--monorepo", monorepo]
        help_: list[str | Path] = ["--help"]
        for name, command in (("explain", explain), ("explain, monorepo", around), ("--help", help_)):
            show(f"scaffold {name}", [seconds([BIN / "scaffold", *command]) for _ in range(runs + 1)][1:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=int, nargs="?", default=9)
    parser.add_argument("--monorepo", type=Path)
    given = parser.parse_args()
    main(given.runs, given.monorepo)

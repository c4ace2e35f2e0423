"""How long ``scaffold check --all`` takes, compared with ``terraform fmt -check -recursive`` on one tree.

    .venv/bin/python benchmarks/check.py MONOREPO [--rounds 3] [--plans]

Each round runs both, one after the other, so that a busy machine slows both. Prints the medians of seconds,
of processor seconds and of their ratio, and the peak memory of a single process. With ``--plans``, planned
resources are judged too, from an empty cache and then from a full one. Python's bytecode exists in every run,
as in an installed package.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import scaffold


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds, processor seconds, and megabytes of its largest process."""

    seconds: float
    processor: float
    memory: float


def cost(command: Sequence[str | Path], environment: Mapping[str, str]) -> Cost:
    """Run a command in a process of its own that tells what it and its children took."""
    meter = [sys.executable, __file__, "--meter", *command]
    done = subprocess.run(meter, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(*map(float, done.stdout.split()))


def _meter(command: Sequence[str]) -> None:
    started = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        code = subprocess.run(command, stdout=told, stderr=told, check=False).returncode
        if code not in (0, 1, 2, 3):
            told.seek(0)
            sys.exit(f"{command[0]} ended with {code}: {told.read().decode(errors='replace')[-500:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("monorepo", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plans", action="store_true")
    arguments = parser.parse_args()
    check = [sys.executable, "-m", "scaffold", "check", "--all", "--monorepo", arguments.monorepo]
    fmt = ["terraform", "fmt", "-check", "-recursive", arguments.monorepo]
    with tempfile.TemporaryDirectory() as directory:
        ratios: list[tuple[float, float]] = []
        installed = compiled(f"{directory}/bytecode")
        for number in range(arguments.rounds):
            fresh = {**installed, "XDG_CACHE_HOME": f"{directory}/{number}"}
            beside, cold = cost(fmt, fresh), cost([*check, "--static"], fresh)
            ratios.append((cold.seconds / beside.seconds, cold.processor / beside.processor))
            told("terraform fmt", beside)
            told("check --static, cold", cold)
            told("check --static, again", cost([*check, "--static"], fresh))
        seconds, processor = (statistics.median(of_all) for of_all in zip(*ratios, strict=True))
        print(f"check --static, cold, to terraform fmt: {seconds:.2f}, of processor seconds {processor:.2f}")
        if arguments.plans:
            planned = {**installed, "XDG_CACHE_HOME": f"{directory}/plans"}
            told("check with plans, cold", cost(check, planned))
            told("check with plans, again", cost(check, planned))


def compiled(directory: str) -> dict[str, str]:
    """An environment in which Python keeps its bytecode in a directory, and finds that of scaffold there."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**known, "PYTHONPYCACHEPREFIX": directory}
    cost([sys.executable, "-m", "compileall", "-q", Path(scaffold.__file__).parent], environment)
    cost([sys.executable, "-m", "scaffold", "rule", "--list"], environment)
    return environment


def told(what: str, of: Cost) -> None:
    """One line."""
    print(f"{what:24} {of.seconds:6.2f} s  {of.processor:6.2f} s processor  {of.memory:5.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--meter"]:
        _meter(sys.argv[2:])
    else:
        main()

"""How long ``scaffold status --all`` takes, from an empty cache and then from a full one.

    .venv/bin/python benchmarks/status.py MONOREPO [--made 100] [--rounds 3]

The monorepo is copied, and that many rendered stacks are added, from ``tests/answers/valid`` under other
names. Prints seconds, processor seconds (which a busy machine changes little) and memory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

import yaml
from check import cost, told  # type: ignore[import-not-found]

from scaffold.changes.change import Symlink
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.sensing import sense
from scaffold.templates import template
from scaffold.templates.render import render

ANSWERS = Path(__file__).parent.parent / "tests" / "answers" / "valid"


def add_stacks(root: Path, number: int) -> None:
    """Render stacks into a monorepo, from the answers of the tests in turn."""
    sensed, origin = sense(Monorepo(root)), template.origin()
    for count, path in enumerate(islice(cycle(sorted(ANSWERS.glob("*.yml"))), number)):
        answers = {**yaml.safe_load(path.read_text("utf-8")), "name": f"bench-{count}"}
        for name, content in render(answers, sensed, {}, origin).files.items():
            file = root / STACKS / f"bench-{count}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Symlink):
                file.symlink_to(content.target)
            else:
                file.write_bytes(content)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("monorepo", type=Path)
    parser.add_argument("--made", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "monorepo")
        shutil.copytree(arguments.monorepo, root, symlinks=True)
        add_stacks(root, arguments.made)
        command = [sys.executable, "-m", "scaffold", "status", "--all", "--monorepo", root]
        fresh = {**os.environ, "XDG_CACHE_HOME": f"{directory}/cache"}
        print(f"{len(Monorepo(root).stacks)} stacks, {arguments.made} of them made by scaffold")
        told("status --all, cold", cost(command, fresh))
        for _ in range(arguments.rounds):
            told("status --all, again", cost(command, fresh))


if __name__ == "__main__":
    main()

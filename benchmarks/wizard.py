"""What the wizard costs: how many questions and keys five Services take, and how long each key takes.

    .venv/bin/python benchmarks/wizard.py [--count]

First it counts, for the Services in benchmarks/wizard.yml: a menu costs the first letters that select the
option, or the arrows, and Enter; a line costs what is typed, and a key to clear the initial text. Whatever no
question asks for is typed in the review. Then (without --count) a person's answers for drone-logbook are
typed. A key that edits a line takes until that is shown (its answer is judged after a short pause in
typing); Enter and arrows take until the next question, or the option's consequence, is drawn completely.
Prints median, 95th percentile and maximum in milliseconds: elapsed; of the processor until then, by the whole
process; and of the processor until nothing more is drawn, with all that is judged in the background (0 if the
system does not report it). Then the slowest keys. Aim: no key above 50 ms on an idle machine; on a busy one,
the processor's milliseconds tell more, and one key's can include another's.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pexpect
import yaml

from scaffold import demo
from scaffold.answers.notation import write
from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import questions
from scaffold.templates.questions import Value
from scaffold.wizard import fields
from scaffold.wizard.engine import Engine
from scaffold.wizard.state import MORE, State
from scaffold.wizard.step import Step

ENTER, DOWN, CLEAR = "\r", "\x1b[B", "\x15"
STILL = 0.15
"""Seconds without output after which a key is taken to be done; they are not counted."""
KEYS = [
    ENTER,
    ENTER,
    *"ghcr.io/arpanghosh8453/open-dronelog:1.0.0",
    ENTER,
    CLEAR,
    *"drone-logbook",
    ENTER,
    *"Flight log analyzer",
    ENTER,
    *[ENTER] * 4,
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


def wanted(answers: Mapping[str, Value], step: Step) -> Value:
    """What the person who wants these answers says at a step."""
    name, *place = step.path
    value = answers.get(str(name))
    if not place:
        return step.default if value is None else value
    if value is None or int(place[0]) >= len(value):
        return MORE
    return "other" if len(place) == 1 else value[int(place[0])].get(place[1], step.default)


def cost(step: Step, value: Value) -> int:
    """The keys for an answer."""
    options = [option.value for option in step.options or step.field.options]
    if not options:
        text = replace(step, default=value).text
        return 1 if text == step.text else len(text) + 1 + bool(step.text)
    if value == step.default:
        return 1
    labels = [fields.shown(option).lower() for option in options]
    label = labels[options.index(value)]
    letters = next(
        n for n in range(1, len(label) + 1) if next(o for o in labels if o.startswith(label[:n])) == label
    )
    arrows = abs(options.index(value) - (options.index(step.default) if step.default in options else 0))
    return 1 + min(letters, arrows)


def effort(engine: Engine, answers: Mapping[str, Value]) -> tuple[int, int, list[str]]:
    """How many questions and keys answers take, and what has to be said in the review."""
    state, number, keys = State(), 0, 0
    while (step := engine.first_open(state)) is not None:
        value = wanted(answers, step)
        if wrong := engine.problem(state, step.path, value):
            raise SystemExit(wrong)
        number, keys = number + 1, keys + cost(step, value)
        state = engine.answer(state, step.path, value if step.options or step.field.options else step.read(
            replace(step, default=value).text
        ))  # fmt: skip
    known = engine.known(engine.result(state))
    later = [
        name for name, value in answers.items() if _complete(name, known[name]) != _complete(name, value)
    ]
    keys += sum(len(f"{name}={write(questions.types().get(name, {}), answers[name])}") + 1 for name in later)
    return number, keys + len("a\r"), later


def _complete(name: str, value: Value) -> Value:
    """An answer with the defaults of its items."""
    properties = fields.item_schema(questions.asked()[name]).get("properties")
    if not properties:
        return value
    return [
        {key: item.get(key, schema.get("default")) for key, schema in properties.items()} for item in value
    ]


def count() -> None:
    """Tell what each Service takes."""
    with TemporaryDirectory() as scratch:
        demo.write(Path(scratch, "monorepo"))
        engine = Engine(judge(Monorepo(Path(scratch, "monorepo")), {}), {})
        wishes = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text())
        print(f"{'':20} {'questions':>9} {'keys':>6}  in the review")
        for name, answers in wishes.items():
            number, keys, later = effort(engine, answers)
            print(f"{name:20} {number:9} {keys:6}  {', '.join(later)}")


def processor(child: pexpect.spawn) -> float:
    """Milliseconds that a process, with all threads that it had, took of processors so far."""
    clock = ~child.pid << 3 | 2  # what clock_getcpuclockid gives, which Python does not have
    try:
        return time.clock_gettime_ns(clock) / 1e6
    except (AttributeError, OSError):
        return 0.0


def latency(child: pexpect.spawn, key: str) -> tuple[float, float, float]:
    """Milliseconds from a key to what it draws; those of the processor until then, and until all is still."""
    start, before = time.perf_counter(), processor(child)
    drawn: list[tuple[float, float]] = []
    child.send(key)
    while True:
        try:
            child.read_nonblocking(65536, timeout=STILL)
            drawn.append(((time.perf_counter() - start) * 1000, processor(child) - before))
        except pexpect.TIMEOUT:
            edits = key.isprintable() or key == CLEAR
            shown = drawn[0 if edits else -1] if drawn else (0.0, 0.0)
            return *shown, processor(child) - before


def main() -> None:
    """Type the answers one key at a time."""
    with TemporaryDirectory() as scratch:
        monorepo = Path(scratch, "monorepo")
        demo.write(monorepo)
        child = pexpect.spawn(
            sys.executable,
            ["-m", "scaffold", "new-service", "--verify=static"],
            cwd=str(monorepo),
            env={**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"},  # here, nobody answers what it asks a terminal
            dimensions=(60, 100),
            encoding="utf-8",
            timeout=30,
        )
        child.delaybeforesend = None
        child.expect_exact("How is it built")
        latency(child, "")
        times = [(*latency(child, key), place, key) for place, key in enumerate(KEYS)]
        child.kill(signal.SIGKILL)
        child.wait()
    print(f"{len(times)} keys, ms {'median':>8} {'95 %':>8} {'max':>8}")
    for column, name in enumerate(("clock", "processor", "until still")):
        figures = sorted(one[column] for one in times)
        told = statistics.median(figures), figures[len(figures) * 95 // 100], figures[-1]
        print(f"{name:12}" + "".join(f" {figure:8.1f}" for figure in told))
    for clock, used, all_used, place, key in sorted(times, reverse=True)[:8]:
        print(f"  {clock:8.1f} {used:8.1f} {all_used:8.1f}  key {place}: {key!r}")


if __name__ == "__main__":
    count()
    if "--count" not in sys.argv[1:]:
        main()

"""Steps that are left to a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import shorten

from scaffold.changes.step import Step
from scaffold.report.findings import wrapped
from scaffold.templates.questions import Value

_WIDTH = 80
_MOST = 25
"""Lines of the short form: what a terminal shows without scrolling."""


def steps_json(steps: Iterable[Step]) -> list[Value]:
    """Steps as JSON."""
    return [{"text": step.text, "command": step.command or None} for step in steps]


def steps_text(steps: Iterable[Step], heading: str = "Next steps:") -> Iterator[str]:
    """Steps for people, numbered, wrapped between words, each with its command on lines of its own."""
    yield heading
    for number, step in enumerate(steps, 1):
        yield from wrapped(f"  {number}. {step.text}", _WIDTH, " " * 5)
        yield from (f"     {line}" for line in step.command.splitlines())


def brief_text(steps: Sequence[Step], more: str) -> Iterator[str]:
    """The first sentence of each step, and commands that fit on a line, as far as there is room.

    ``more`` is the command that prints all of it.
    """
    shown = steps if len(steps) <= _MOST - 2 else steps[: _MOST - 3]
    room = _MOST - 2 - len(shown) - (len(steps) - len(shown) > 0)
    yield "Next steps:"
    for number, step in enumerate(shown, 1):
        sentence = re.split(r"(?<=\.)\s", step.text, maxsplit=1)[0]
        head = f"  {number}. "
        yield head + shorten(sentence, _WIDTH - len(head), placeholder=" …", break_on_hyphens=False)
        command = f"     {step.command}"
        if room and step.command and "\n" not in command and len(command) <= _WIDTH:
            room -= 1
            yield command
    if len(shown) < len(steps):
        yield f"  … and {len(steps) - len(shown)} more"
    yield f"Each with its commands: {more}"


def restore_text(service: str, steps: Sequence[Step]) -> Iterator[str]:
    """How a Service's data is restored, for people."""
    if steps:
        yield from steps_text(steps, f"To restore {service}, one of these:")
    else:
        why = "what is on NFS is mirrored, and shared databases are dumped centrally"
        yield f"{service} has no backup of its own: {why}."

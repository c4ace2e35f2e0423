"""Steps that are left to a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.changes.step import Step


def steps_json(steps: Iterable[Step]) -> list[Value]:
    """Steps as JSON."""
    return [{"text": step.text, "command": step.command or None} for step in steps]


def steps_text(steps: Iterable[Step], heading: str = "Next steps:") -> Iterator[str]:
    """Steps for people, numbered, each with its command."""
    yield heading
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.text}"
        yield from (f"     {line}" for line in step.command.splitlines())

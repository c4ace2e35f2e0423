"""The answers as the review lists them: all of them, or those that a person should see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from scaffold.answers.known import Known
from scaffold.answers.known import known as known_of
from scaffold.templates import questions
from scaffold.templates.questions import Question, Value
from scaffold.wizard import fields
from scaffold.wizard.engine import Engine
from scaffold.wizard.state import State

_ROWS = 14
"""Answers that stand on a row of their own in the short review; it has to fit into a terminal of 40 rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer in the review."""

    number: int
    question: Question
    value: Value
    origin: str
    is_usual: bool
    """Whether it is what would hold if nobody said anything."""

    @property
    def empty(self) -> bool:
        """Whether the answer is that there is none."""
        return self.value is None or self.value in ("", [], {})

    def text(self, width: int) -> str:
        """The answer on a line of its own, names padded to ``width``."""
        told = f"{fields.shown(self.value)} ({self.origin})"
        return f"  {self.number:>2} {self.question.name:<{width}}  {told}"


def rows(engine: Engine, state: State) -> list[Row]:
    """The answers that apply: first those that somebody gave, then the defaults, last what is left empty."""
    values = engine.values(state)
    known = engine.known(values)
    asked = questions.asked()
    usual = engine.known({name: value for name, value in values.items() if not asked[name].has_default})
    follows = known_of(values)
    found = [
        Row(0, q, known[name], _origin(state, name, follows), q.has_default and known[name] == usual[name])
        for name, q in engine.applying(state).items()
    ]
    ordered = sorted(found, key=lambda row: (row.origin == "default", row.empty))
    return [Row(n, r.question, r.value, r.origin, r.is_usual) for n, r in enumerate(ordered, 1)]


def _origin(state: State, name: str, follows: Known) -> str:
    """Where a question's answer comes from, in a word or two."""
    if name in state.given:
        return "given"
    if any(path[0] == name for path in state.said):
        return "asked"
    if name in state.suggested:
        return "file"
    if any(path[0] == name for path in state.accepted):
        return "asked"
    return follows.origin if name in follows.answers else "default"


def every(listed: Sequence[Row]) -> Iterator[str]:
    """All answers; empty ones that nobody gave by their names only."""
    yield from ("", "Answers")
    width = max(len(row.question.name) for row in listed)
    empty = [row for row in listed if row.empty and row.origin == "default"]
    yield from (row.text(width) for row in listed if row not in empty)
    if empty:
        yield f"  Left empty: {', '.join(f'{row.number} {row.question.name}' for row in empty)}"


def main(listed: Sequence[Row]) -> Iterator[str]:
    """The answers that differ from their defaults, a row each."""
    yield from ("", "Answers")
    own = [row for row in listed if not row.is_usual and row.origin in ("asked", "given", "file")]
    width = max((len(row.question.name) for row in own), default=0)
    yield from (row.text(width) for row in own[:_ROWS])
    if len(own) > _ROWS:
        yield f"  and {len(own) - _ROWS} more, which l lists"


def other(listed: Sequence[Row]) -> Iterator[str]:
    """The answers that were accepted as proposed, and those that are known from the image."""
    taken = [
        row
        for row in listed
        if (row.is_usual and row.origin == "asked") or row.origin not in ("asked", "given", "file", "default")
    ]
    for origin, some in groupby(taken, key=lambda row: row.origin):
        told = ", ".join(f"{row.number} {row.question.name} {fields.shown(row.value)}" for row in some)
        yield f"  {'As proposed' if origin == 'asked' else origin[:1].upper() + origin[1:]}: {told}"

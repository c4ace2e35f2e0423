"""Decisions with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

from scaffold.templates.decisions import Decision
from scaffold.templates.questions import Value

_HEADINGS = ("decision", "value", "reason", "rule")
_GAP = "  "


def decisions_text(decisions: Sequence[Decision], width: int) -> str:
    """Decisions as a table, ``width`` columns wide."""
    rows = [_HEADINGS, *((d.name, _shown(d.value), d.reason, d.rule) for d in decisions)]
    columns = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(columns) + len(_GAP) * (len(columns) - 1) > max(width, 40):
        columns[columns.index(max(columns))] -= 1
    return "\n".join(line for row in rows for line in _lines(row, columns))


def _lines(row: Sequence[str], columns: Sequence[int]) -> Iterator[str]:
    """The lines of a row; text that is wider than its column goes on below."""
    cells = [wrap(text, column, break_on_hyphens=False) for text, column in zip(row, columns, strict=True)]
    for line in zip_longest(*cells, fillvalue=""):
        padded = [text.ljust(column) for text, column in zip(line, columns, strict=True)]
        yield _GAP.join(padded).rstrip()


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "–"


def decision_line(decision: Decision) -> str:
    """A decision with its reason on one line."""
    return f"{decision.name} = {_shown(decision.value)}: {decision.reason}"

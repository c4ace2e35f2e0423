"""Decisions with their reasons."""

from __future__ import annotations

from collections.abc import Sequence

from scaffold.templates.decisions import Decision
from scaffold.templates.questions import Value


def decision_json(decision: Decision) -> dict[str, Value]:
    """A decision as JSON."""
    return {"name": decision.name, "value": decision.value, "reason": decision.reason, "rule": decision.rule}


def decisions_text(decisions: Sequence[Decision], width: int) -> str:
    """Decisions as a table, ``width`` columns wide."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("decision", "value", "reason", "rule"):
        table.add_column(heading, overflow="fold")
    for decision in decisions:
        table.add_row(decision.name, _shown(decision.value), decision.reason, decision.rule)
    console = Console(width=width, highlight=False, markup=False, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "–"


def decision_line(decision: Decision) -> str:
    """A decision with its reason on one line."""
    return f"{decision.name} = {_shown(decision.value)}: {decision.reason}"

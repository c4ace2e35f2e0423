"""``scaffold explain``: the decisions that follow from answers, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffold import decisions, validation
from scaffold.answers import Answers
from scaffold.decisions import Decision

if TYPE_CHECKING:
    from scaffold.monorepo import Monorepo


def explain(given: Answers, monorepo: Monorepo | None) -> tuple[Decision, ...]:
    """The decisions for these answers, by the facts of ``monorepo`` or else the template's own.

    Raises :class:`~scaffold.errors.AnswersError` with every problem of the answers.
    """
    sensed = {}
    if monorepo is not None:
        from scaffold.sensing import sense

        sensed = sense(monorepo)
    validation.check(given, sensed, {})
    return decisions.table(decisions.combine({**given.values, "sensed": sensed}))

"""``scaffold explain``: the decisions that follow from answers, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffold.answers import validation
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers
from scaffold.templates import decisions
from scaffold.templates.decisions import Decision

if TYPE_CHECKING:
    from scaffold.monorepo.repository import Monorepo


def explain(given: Answers, monorepo: Monorepo | None) -> tuple[Decision, ...]:
    """The decisions for these answers, with the facts of ``monorepo`` or else the templates' own.

    Raises :class:`~scaffold.errors.AnswersError` with every problem of the answers.
    """
    sensed = {}
    if monorepo is not None:
        from scaffold.commands.own_store import with_own_store
        from scaffold.monorepo.sensing import sense

        sensed = sense(monorepo)
        given = with_own_store(monorepo, given, sensed)
    given = filled(given)
    validation.check(given, sensed, {})
    return decisions.table(decisions.combine({**given.values, "sensed": sensed}))

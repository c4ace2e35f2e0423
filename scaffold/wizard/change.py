"""The wizard over a Service's current answers: the review, a field and its questions, the review again."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass

from scaffold.answers.sources import Answers
from scaffold.checks.verify import Level
from scaffold.commands.change import prepare_change
from scaffold.commands.changed import ServiceChange
from scaffold.commands.prepared import Prepared
from scaffold.commands.stored import record_of, stored_values
from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.report.change import consequences_text
from scaffold.report.progress import waiting
from scaffold.templates import decisions
from scaffold.templates.questions import asked
from scaffold.wizard.engine import Engine
from scaffold.wizard.kept import answers_text, keep_beside
from scaffold.wizard.preview import Previews
from scaffold.wizard.review import Outcome, review
from scaffold.wizard.session import open_screen
from scaffold.wizard.state import State


@dataclass(frozen=True, slots=True)
class Asked:
    """How it ended: the change to write, or what to print instead."""

    change: ServiceChange | None
    closing: tuple[str, ...] = ()
    commit: bool = False
    """Whether the person wants what is written committed."""


def ask(
    monorepo: Monorepo, name: str, level: Level | None, without_indexes: Collection[str], *, plain: bool
) -> Asked:
    """Ask in the terminal until the person applies, saves or quits.

    Raises :class:`~scaffold.errors.RefusedError` for a Service that records no answers.
    """
    with waiting("Reading the monorepo …"):
        sensed = sense(monorepo)
    before, present = stored_values(monorepo, name), record_of(monorepo, name).given.values
    holds = {n: before[n] for n, q in asked().items() if n in before and decisions.holds(q.when, before)}
    engine = Engine(judge(monorepo, sensed, before), sensed)
    made: list[ServiceChange] = []

    def make(given: Answers, /, *, level: Level | None) -> Prepared:
        # A default that still applies stays one.
        said = {n: v for n, v in given.values.items() if n in present or v != holds.get(n)}
        found = prepare_change(
            Monorepo(monorepo.root), name, Answers(said), level=level, without_indexes=without_indexes
        )
        made[:] = [found]
        return found.prepared

    facts = {"sensed": sensed, "recorded": before["recorded"]}
    previews = Previews(make, facts, level, lambda _: consequences_text(made[0]))
    screen, state = open_screen(plain), State(given=holds)
    try:
        with screen.opened():
            screen.show([screen.keys])
            outcome, state = review(engine, state, screen, previews.of, lambda _: None)
        if outcome in (Outcome.APPLY, Outcome.COMMIT):
            previews.prepared()
            return Asked(made[0], commit=outcome is Outcome.COMMIT)
    finally:
        previews.close()
    if outcome is Outcome.QUIT:
        return Asked(None, ("Nothing was written.",))
    path = keep_beside(name, answers_text(engine.result(state)))
    command = shlex.join(["scaffold", "change", name, "--answers", str(path)])
    return Asked(None, (f"The answers are in {path}. To make the change:", f"  {command}"))

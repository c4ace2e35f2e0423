"""``scaffold rename``: another name for a Service, around what runs.

Kubernetes, Vault, the database servers and the NFS server cannot rename anything in place. So existing
objects keep their names, as the rows of the decisions with ``keep`` say, and these are recorded; what people
and lists call the stack follows the new name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from scaffold.answers import validation
from scaffold.answers.sources import Answers, Place
from scaffold.checks.verify import Level
from scaffold.commands.change import as_it_holds, what_follows
from scaffold.commands.changed import ServiceChange
from scaffold.commands.in_place import kept_in_place
from scaffold.commands.named import problems
from scaffold.commands.remove_service import mentions, refuse_going
from scaffold.commands.stored import record_of
from scaffold.commands.taken import refuse_taken
from scaffold.errors import RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render

_GIVEN = Place("the command line")


def prepare_rename(
    monorepo: Monorepo,
    name: str,
    to: str,
    *,
    keep_host: bool = False,
    level: Level | None = None,
    without_indexes: Collection[str] = (),
) -> ServiceChange:
    """Find out everything that another name changes, and verify it; nothing is written.

    The host follows where no answer gives it, unless ``keep_host`` says otherwise. Raises
    :class:`~scaffold.errors.AnswersError` with every problem of the new name, :class:`RefusedError` for a
    stack that cannot go, a name that is taken and edits that the new name meets, and
    :class:`~scaffold.errors.VerificationError` for what would not work.
    """
    refuse_going(monorepo, name)
    record, sensed = record_of(monorepo, name), sense(monorepo)
    record.demand_unedited()
    before = as_it_holds(record, sensed)
    said = {"name": to, **({"host": before.values["host"]} if keep_host else {})}
    wanted = Answers(said, {(question,): _GIVEN for question in said}).over(record.given)
    kept = before.values["recorded_now"]
    recorded = {**kept, "names": {"made_as": name, **kept["names"]}}
    if found := problems(monorepo, wanted, sensed, recorded, stack=name):
        raise validation.refused(found)
    if monorepo.stack_directory(to).exists():
        raise RefusedError(
            f"{monorepo.place(to)} already exists; nothing was written.", "Choose another name."
        )
    after = render(wanted.values, sensed, recorded, record.origin)
    refuse_taken(monorepo, wanted, after.values, before.values)
    change = what_follows(monorepo, record, wanted, before, after, level, without_indexes)
    assert change.prepared.stack is not None
    return replace(
        change,
        was=name,
        kept=tuple(kept_in_place(before.values, wanted.values, sensed, kept)),
        mentions=tuple(mentions(monorepo, name, change.prepared.stack.change)),
    )

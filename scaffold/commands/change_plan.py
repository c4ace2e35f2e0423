"""Whether a changed stack works, what the change does to running workloads, and whether an edit got lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from scaffold.checks.consequences import Consequence
from scaffold.checks.verify import Level, Unverified, Verified, verify
from scaffold.commands.plan import STANDING, Plans, compared, plan_sides
from scaffold.commands.update_plan import Sides, read_by_plans, written_out
from scaffold.errors import Finding, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value
from scaffold.terraform.result import PlanResult
from scaffold.updates.merge import Tree
from scaffold.updates.oracle import losses


def verified_change(
    monorepo: Monorepo,
    sides: Sides,
    after: Tree,
    values: Mapping[str, Value],
    level: Level | None,
    *,
    edited: bool,
) -> tuple[Verified, Plans | None, tuple[Consequence, ...]]:
    """The verification of the files ``after`` a change, the plans before and after, and what the change does.

    ``values`` are the combined ones, and ``edited`` says that the change and a person edited one file. There
    are no plans if nothing differs that one could read, or none can be made; then what it does is told as far
    as it is written out. Raises :class:`VerificationError` for what does not work, and for an edit that would
    be lost.
    """
    if not sides.renamed and read_by_plans(sides.ours) == read_by_plans(after):
        return Verified(Level.STATIC), None, ()
    verified = _verified(monorepo, sides, after, values, level)
    if verified.plan is None:
        return verified, None, written_out(monorepo, sides, after)
    edits = {sides.stack: sides.renders if edited else ()}
    ((older, *renders),) = plan_sides(monorepo, edits, workers=3).values()
    if not older.ok:
        why = older.findings[0].message if older.findings else "it cannot be planned"
        gap = Unverified("what this does to running workloads", f"as the stack is now, {why}")
        seen = written_out(monorepo, sides, after)
        return replace(verified, unverified=(*verified.unverified, gap)), None, seen
    if lost := list(_lost(sides.directory, renders, older, verified.plan)):
        raise VerificationError(
            "The change conflicts with manual edits; nothing was written.",
            "Revert the edits, make the change, and repeat the edits.",
            lost,
        )
    stack = next(compared(monorepo, [(sides.stack, older, verified.plan)]))
    return verified, Plans(verified.plan.tool, (stack,), STANDING), stack.consequences


def _verified(
    monorepo: Monorepo, sides: Sides, after: Tree, values: Mapping[str, Value], level: Level | None
) -> Verified:
    """The outcome of the verification; what was wrong with the stack before is not the change's fault."""
    name, files = sides.renamed or sides.stack, {**dict.fromkeys(sides.ours), **after}
    try:
        return verify(monorepo, name, files, values, level)
    except VerificationError:
        known = _findings(monorepo, sides, values, level)
        return verify(monorepo, name, files, values, level, known)


def _findings(
    monorepo: Monorepo, sides: Sides, values: Mapping[str, Value], level: Level | None
) -> Sequence[Finding]:
    try:
        verify(monorepo, sides.stack, sides.ours, values, level)
    except VerificationError as error:
        return error.findings
    return ()


def _lost(
    directory: str, renders: Sequence[PlanResult], before: PlanResult, after: PlanResult
) -> Iterator[Finding]:
    if renders and all(result.ok for result in renders):
        old, new = renders
        for loss in losses(old, new, before, after):
            yield Finding(directory, None, None, f"change.{loss.wrong.name.lower()}", loss.text)

"""Whether a changed stack works, what the change does to running workloads, and whether an edit got lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scaffold.checks.consequences import Consequence
from scaffold.checks.verify import Level, Unverified, Verified, verify
from scaffold.commands.plan import STANDING, Plans, compared, plan_sides
from scaffold.commands.update_plan import Sides, lost, read_by_plans, written_out
from scaffold.errors import Finding, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value
from scaffold.updates.merge import Tree


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
    if found := list(lost("change", sides.directory, renders, older, verified.plan)):
        raise VerificationError(
            "The change conflicts with manual edits; nothing was written.",
            "Revert the edits, make the change, and repeat the edits.",
            found,
        )
    stack = next(compared(monorepo, [(sides.stack, older, verified.plan)]))
    return verified, Plans(verified.plan.tool, (stack,), STANDING), stack.consequences


def _verified(
    monorepo: Monorepo, sides: Sides, after: Tree, values: Mapping[str, Value], level: Level | None
) -> Verified:
    """The outcome of the verification; what was wrong with the stack before is not the change's fault."""
    name, files = sides.renamed or sides.stack, {**dict.fromkeys(sides.ours), **after}
    known: Sequence[Finding] = ()
    try:
        return verify(monorepo, name, files, values, level)
    except VerificationError:
        try:
            verify(monorepo, sides.stack, sides.ours, values, level)
        except VerificationError as before:
            known = before.findings
        return verify(monorepo, name, files, values, level, known)

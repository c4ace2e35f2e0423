"""A stack as rendered, as it is and as rendered again: whether it works, what it does and what it loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from scaffold.changes.change import Content
from scaffold.checks.consequences import Consequence, seen
from scaffold.checks.house import house_of
from scaffold.checks.verify import Level, Unverified, Verified, verify
from scaffold.commands.plan import STANDING, Plans, compared, plan_sides
from scaffold.errors import Finding, MissingError, VerificationError
from scaffold.indexes.entry import ServiceEntry
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.monorepo.stack import read_stack
from scaffold.templates.questions import Value
from scaffold.templates.render import ANSWERS_FILE
from scaffold.terraform.result import PlanResult
from scaffold.terraform.tool import find_tool
from scaffold.updates.merge import Tree
from scaffold.updates.oracle import losses

_NOT_PLANNED = "the plans, and so what happens to data and hosts that are not written out"


@dataclass(frozen=True, slots=True)
class Sides:
    """A stack as it was rendered by ``version``, as it is rendered again, and as it is.

    ``findings`` say why it cannot be rendered again. ``entries`` are what the lists outside had to have of it
    and what they have to have, and ``unverified`` is what of that is not known. ``renamed`` is the name that
    the stack gets, where that is another one.
    """

    directory: str
    """The stack's, by its path from the monorepo's root."""
    version: str
    old: Tree
    new: Tree
    ours: Tree
    findings: tuple[Finding, ...] = ()
    entries: tuple[ServiceEntry, ServiceEntry] | None = None
    unverified: tuple[Unverified, ...] = ()
    renamed: str = ""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return PurePosixPath(self.directory).name

    def wanted(self, after: Tree) -> dict[PurePosixPath, Content | None]:
        """What should be in the monorepo: the files of ``after``, and no others of those that are there."""
        if not self.renamed:
            return self._instead(after)
        new = PurePosixPath(self.directory).with_name(self.renamed)
        return {**self._instead({}), **{new / path: content for path, content in after.items()}}

    def _instead(self, files: Tree) -> dict[PurePosixPath, Content | None]:
        return {PurePosixPath(self.directory, p): files.get(p) for p in {*self.ours, *files}}

    def sources(self, files: Tree) -> dict[str, bytes]:
        """The HCL among some files of the stack, by path from the monorepo's root."""
        return {
            f"{self.directory}/{path}": content
            for path, content in files.items()
            if path.suffix in (".tf", ".hcl") and isinstance(content, bytes)
        }

    @property
    def renders(self) -> tuple[Mapping[PurePosixPath, Content | None], ...]:
        """Both renders, if the existing files are not the first one: plans of both show what an edit did."""
        if read_by_plans(self.old) == read_by_plans(self.ours):
            return ()
        return self._instead(self.old), self._instead(self.new)


def planned(
    monorepo: Monorepo, merged: Sequence[tuple[Sides, Tree]], level: Level | None, workers: int
) -> tuple[Plans | None, Mapping[str, Sequence[Finding]], tuple[Unverified, ...]]:
    """Plan each stack before and after and, if it was edited by hand, as the template renders it.

    Returns the plans, what is wrong with each update, and what could not be determined. Of a stack in which
    nothing changes that is planned there is no plan. Raises ``MissingError`` if ``level`` demands plans and
    there is no Terraform.
    """
    if level is Level.STATIC:
        return None, {}, (Unverified(_NOT_PLANNED, "left out by --verify static"),)
    try:
        tool = find_tool()
    except MissingError as error:
        if level is Level.PLAN:
            raise
        return None, {}, (Unverified(_NOT_PLANNED, error.message),)
    changing = [(side, after) for side, after in merged if read_by_plans(side.ours) != read_by_plans(after)]
    edits = {side.stack: (side.wanted(after), *side.renders) for side, after in changing}
    results = plan_sides(monorepo, edits, workers, tool=tool)
    stacks = tuple(compared(monorepo, ((s, before, after) for s, (before, after, *_) in results.items())))
    version = next(
        (result.tool for found in results.values() for result in found if result.tool.version), tool
    )
    same = tuple(side.stack for side, _ in merged if side.stack not in results)
    fix = "Make the change of the templates by hand, or revert the edit that it conflicts with."
    findings = {
        stack: (
            *(after.findings if before.ok else ()),
            *lost("update", monorepo.place(stack), renders, before, after, fix),
        )
        for stack, (before, after, *renders) in results.items()
    }
    return Plans(version, stacks, STANDING, same), findings, tuple(_unverified(results))


def written_out(monorepo: Monorepo, sides: Sides, after: Tree) -> tuple[Consequence, ...]:
    """What these files do to running workloads, as far as that shows without a plan."""
    before, now = (read_stack(sides.sources(files), monorepo.shared) for files in (sides.ours, after))
    return seen(before, now, house_of(monorepo, facts(monorepo)))


def read_by_plans(files: Tree) -> Tree:
    """The files of a stack that a plan may read."""
    return {path: content for path, content in files.items() if path.name != ANSWERS_FILE}


def lost(
    family: str,
    place: str,
    renders: Sequence[PlanResult],
    before: PlanResult,
    after: PlanResult,
    fix: str,
) -> Iterator[Finding]:
    """The edits and rules that a stack loses, as far as it and both ``renders`` of it could be planned."""
    if renders and all(plan.ok for plan in (*renders, before, after)):
        old, new = renders
        for loss in losses(old, new, before, after):
            code = f"{family}.{loss.wrong.name.lower()}"
            yield Finding(place, None, None, code, loss.text, fix=fix)


def _unverified(results: Mapping[str, Sequence[PlanResult]]) -> Iterator[Unverified]:
    for stack, plans in results.items():
        if bad := next(
            (finding for plan in plans if plan is not plans[1] for finding in plan.findings), None
        ):
            yield Unverified(
                f"what {stack} gains and loses", f"it cannot be planned as it was: {bad.message}"
            )


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
    fix = "Revert the edit, make the change, and repeat the edit."
    if found := list(lost("change", sides.directory, renders, older, verified.plan, fix)):
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

"""What an update changes in running workloads, from the plans of each stack, and what it would lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from scaffold.changes.change import Content
from scaffold.checks.consequences import Consequence, seen
from scaffold.checks.house import house_of
from scaffold.checks.verify import Unverified
from scaffold.commands.plan import STANDING, Plans, StackPlan, compared, plan_sides
from scaffold.errors import Finding, MissingError
from scaffold.indexes.entry import ServiceEntry
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.monorepo.stack import read_stack
from scaffold.templates.render import ANSWERS_FILE
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import find_tool
from scaffold.updates.merge import Tree
from scaffold.updates.oracle import losses

NOT_PLANNED = "the plans, and so what happens to data and hosts that are not written out"


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


@dataclass(frozen=True, slots=True)
class Found:
    """The plans of all stacks, what is wrong with each update, and what could not be determined."""

    plans: Plans | None = None
    findings: Mapping[str, Sequence[Finding]] = field(default_factory=dict)
    unverified: tuple[Unverified, ...] = ()


def planned(
    monorepo: Monorepo, merged: Sequence[tuple[Sides, Tree]], *, demanded: bool, workers: int
) -> Found:
    """Plan each stack before and after and, if it was edited by hand, as the template renders it.

    Of a stack in which nothing changes that is planned there is no plan. Raises ``MissingError`` if a plan is
    ``demanded`` and there is no Terraform.
    """
    try:
        tool = find_tool()
    except MissingError as error:
        if demanded:
            raise
        return Found(unverified=(Unverified(NOT_PLANNED, error.message),))
    changing = [(side, after) for side, after in merged if read_by_plans(side.ours) != read_by_plans(after)]
    edits = {side.stack: (side.wanted(after), *side.renders) for side, after in changing}
    results = plan_sides(monorepo, edits, workers, tool=tool)
    stacks = tuple(compared(monorepo, ((s, before, after) for s, (before, after, *_) in results.items())))
    version = next(
        (result.tool for found in results.values() for result in found if result.tool.version), tool
    )
    same = tuple(side.stack for side, _ in merged if side.stack not in results)
    return Found(
        Plans(version, stacks, STANDING, same),
        {stack.stack: tuple(_findings(monorepo, stack, *results[stack.stack][2:])) for stack in stacks},
        tuple(_unverified(results)),
    )


def written_out(monorepo: Monorepo, sides: Sides, after: Tree) -> tuple[Consequence, ...]:
    """What these files do to running workloads, as far as that shows without a plan."""
    before, now = (read_stack(sides.sources(files), monorepo.shared) for files in (sides.ours, after))
    return seen(before, now, house_of(monorepo, facts(monorepo)))


def read_by_plans(files: Tree) -> Tree:
    """The files of a stack that a plan may read."""
    return {path: content for path, content in files.items() if path.name != ANSWERS_FILE}


def _findings(
    monorepo: Monorepo, stack: StackPlan, old: PlanResult | None = None, new: PlanResult | None = None
) -> Iterator[Finding]:
    """What is wrong with an update: it breaks the stack, or loses an edit or a rule."""
    before, after = stack.older, stack.result
    if after is None or before is None:
        return
    if before.ok:
        yield from after.findings
    if old is not None and new is not None and all(result.ok for result in (old, new, before, after)):
        for loss in losses(old, new, before, after):
            code = f"update.{loss.wrong.name.lower()}"
            fix = "Make the change of the templates by hand, or revert the edit that it conflicts with."
            yield Finding(monorepo.place(stack.stack), None, None, code, loss.text, fix=fix)


def _unverified(results: Mapping[str, Sequence[PlanResult]]) -> Iterator[Unverified]:
    for stack, plans in results.items():
        if bad := next(
            (finding for plan in plans if plan is not plans[1] for finding in plan.findings), None
        ):
            yield Unverified(
                f"what {stack} gains and loses", f"it cannot be planned as it was: {bad.message}"
            )

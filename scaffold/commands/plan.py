"""``scaffold plan``: what Terraform would create for stacks, and how that differs from another revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath

from scaffold.changes.change import Content
from scaffold.changes.git import unmerged
from scaffold.checks.consequences import Consequence, consequences
from scaffold.checks.house import HouseNames, house_of
from scaffold.errors import Finding, MissingError, RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.terraform.diff import Difference, difference
from scaffold.terraform.result import PlanResult, Tool
from scaffold.terraform.runner import Job, find_tool, plan_jobs, touched
from scaffold.terraform.schemas import Schemas
from scaffold.terraform.tree import DiskTree, Kind, OverlayTree, Tree, git_tree

STANDING = "what is there"
"""The older side, if a change is compared that is not written yet."""


@dataclass(frozen=True, slots=True)
class StackPlan:
    """One stack: its plan, and with ``--against`` the plan of the older revision and the difference.

    Either plan is None if the stack does not exist on that side. ``consequences`` are what the difference
    does to what runs.
    """

    stack: str
    result: PlanResult | None
    older: PlanResult | None = None
    difference: Difference | None = None
    consequences: tuple[Consequence, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why the stack cannot be planned; a revision that cannot be planned is not the stack's fault."""
        return self.result.findings if self.result is not None else ()


@dataclass(frozen=True, slots=True)
class Plans:
    """The outcome for all stacks that were planned; ``against`` is the older revision, if one was named.

    ``untouched`` were not planned: nothing that their plans read differs from the older revision.
    """

    tool: Tool
    stacks: tuple[StackPlan, ...]
    against: str | None = None
    untouched: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every stack could be planned."""
        return not any(stack.findings for stack in self.stacks)

    @property
    def differs(self) -> bool:
        """Whether a stack differs from the other revision, or may: what cannot be planned is not the same."""
        return any(one.difference or (one.older is not None and not one.older.ok) for one in self.stacks)


def plan(
    monorepo: Monorepo,
    stacks: Sequence[str],
    *,
    against: str | None = None,
    workers: int = 1,
    tool: Tool | None = None,
    known: Schemas | None = None,
) -> Plans:
    """Plan stacks of a monorepo, and with ``against`` compare them with a Git revision.

    A stack may be named by its directory too, ``stacks/x/``, and is planned once. Compared are only the
    stacks that something differs for; the others are named as such. Raises ``MissingError`` if there is no
    Terraform, none that can plan any of them, no such stack or no such revision.
    """
    tool = tool or find_tool()
    stacks = tuple(dict.fromkeys(_name(monorepo, stack) for stack in stacks))
    refuse_unmerged(monorepo)
    with ExitStack() as stack_of_trees:
        now: Tree = DiskTree(monorepo.root)
        then = stack_of_trees.enter_context(git_tree(monorepo.root, against)) if against else None
        for stack in stacks:
            if not any(tree is not None and _has(tree, stack) for tree in (now, then)):
                raise monorepo.no_stack(stack)
        untouched: tuple[str, ...] = ()
        if then is not None:
            both = [stack for stack in stacks if _has(now, stack) and _has(then, stack)]
            differing = set(touched(now, then, both))
            untouched = tuple(stack for stack in both if stack not in differing)
        stacks = [stack for stack in stacks if stack not in untouched]
        new = [Job(now, stack) for stack in stacks if _has(now, stack)]
        old = [Job(then, stack) for stack in stacks if then is not None and _has(then, stack)]
        results = plan_jobs([*new, *old], workers, tool=tool, known=known)
    if results and all(result.unable for result in results):
        first = results[0].findings[0]
        findings = [finding for result in results for finding in result.findings]
        raise MissingError(first.message, first.fix or "", findings)
    current = {result.stack: result for result in results[: len(new)]}
    older = {result.stack: result for result in results[len(new) :]}
    version = next((result.tool for result in results if result.tool.version), tool)
    house = house_of(monorepo, facts(monorepo)) if against else HouseNames()
    return Plans(
        tool=version,
        stacks=tuple(stack_plan(s, current.get(s), older.get(s), house, against) for s in stacks),
        against=against,
        untouched=untouched,
    )


def plan_sides(
    monorepo: Monorepo,
    edits: Mapping[str, Sequence[Mapping[PurePosixPath, Content | None]]],
    workers: int = 1,
    *,
    tool: Tool | None = None,
) -> Mapping[str, Sequence[PlanResult]]:
    """The plan of each stack as it is, and with each of its edits, which nobody has written.

    Raises ``MissingError`` if there is no Terraform.
    """
    disk = DiskTree(monorepo.root)
    jobs: list[Job] = []
    for stack, of in edits.items():
        laid = ({str(path): content for path, content in files.items()} for files in of)
        jobs += [Job(disk, stack), *(Job(OverlayTree(disk, files), stack) for files in laid)]
    results = iter(plan_jobs(jobs, min(workers, len(jobs)), tool=tool) if jobs else ())
    return {stack: [next(results) for _ in range(1 + len(of))] for stack, of in edits.items()}


def compared(monorepo: Monorepo, sides: Iterable[tuple[str, PlanResult, PlanResult]]) -> Iterator[StackPlan]:
    """Stacks as they are and as they are about to be, each with its difference."""
    house = house_of(monorepo, facts(monorepo))
    return (stack_plan(stack, after, before, house, STANDING) for stack, before, after in sides)


def refuse_unmerged(monorepo: Monorepo) -> None:
    """Raises :class:`RefusedError` if stacks contain an unresolved merge."""
    if paths := unmerged(monorepo.root, monorepo.stacks_home):
        findings = [
            Finding(path, None, None, "conflict", "This path has a merge conflict.") for path in paths
        ]
        raise RefusedError("A merge has conflicts.", "Resolve them, and `git add` the paths.", findings)


def _name(monorepo: Monorepo, stack: str) -> str:
    path = PurePosixPath(stack)
    return path.name if path.parent in (PurePosixPath(monorepo.stacks_home), PurePosixPath()) else stack


def _has(tree: Tree, stack: str) -> bool:
    is_name = stack not in ("", ".", "..") and "/" not in stack
    return is_name and tree.kind(Job(tree, stack).directory) is Kind.DIRECTORY


def stack_plan(
    stack: str, new: PlanResult | None, old: PlanResult | None, house: HouseNames, against: str | None
) -> StackPlan:
    """The plans of a stack with their difference, if both sides could be planned or do not exist.

    ``against`` names the older side, None if there is none to compare with.
    """
    if against is None or any(result is not None and not result.ok for result in (new, old)):
        return StackPlan(stack, new, old)
    before, after = (result.resources if result is not None else () for result in (old, new))
    found = difference(before, after, *([new.moves] if new is not None else []))
    return StackPlan(stack, new, old, found, consequences(found, before, after, house) if found else ())

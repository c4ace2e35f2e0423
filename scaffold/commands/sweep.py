"""``scaffold sweep``: a rule change in many stacks, checked against its contract before it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeAlias

from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.commit import demand_clean, within, write_stacks
from scaffold.checks.contract import Contract, outside
from scaffold.checks.rule import Kind, Rule
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.checks.verify import Level, Unverified, verify_edits
from scaffold.commands.changed import demand_stacks_clean
from scaffold.commands.check import stack_of
from scaffold.commands.plan import STANDING, Plans, StackPlan, compared, plan_sides, refuse_unmerged
from scaffold.commands.sweep_edits import Edited, edits_of, shared_units, unit_of
from scaffold.commands.update import made_by_scaffold, merge_stacks, prepare
from scaffold.errors import Finding, MissingError, UsageError
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import place, stack_in
from scaffold.sweeps.worklist import Answers, Open
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.runner import touched
from scaffold.terraform.tool import Tool, find_tool
from scaffold.terraform.tree import DiskTree, OverlayTree

_TIER = "tier"
UNKNOWN = "sweep.unknown"
"""The code of a stack that cannot be planned as it is."""
Files: TypeAlias = Mapping[PurePosixPath, Content | None]


@dataclass(frozen=True, slots=True)
class Way:
    """What may be written to a stack: files, and the version of the templates that renders them, if any."""

    files: Files
    version: str = ""


@dataclass(frozen=True, slots=True)
class Swept:
    """What becomes of one stack; ``outside`` keeps it as it is, ``by_hand`` are sites that no edit can fix.

    ``version`` is that of the templates which render the edit, where the stack is brought to it.
    """

    stack: str
    sites: int
    plan: StackPlan
    outside: tuple[Finding, ...] = ()
    by_hand: tuple[Finding, ...] = ()
    version: str = ""

    @property
    def written(self) -> bool:
        """Whether something in it may be written."""
        return bool(self.sites) and not self.outside

    @property
    def applies(self) -> bool:
        """Whether there is something to apply: ``lifecycle`` alone changes nothing that runs.

        Of an accepted stack that is not known here.
        """
        found = self.plan.difference
        if found is None:
            return self.written
        return self.written and bool(
            any(one.changes for one in found.changed) or found.added or found.removed
        )

    @property
    def tier(self) -> str:
        """The Namespace tier: of several the first, which is the most critical; empty if there is none."""
        planned = self.plan.result.resources if self.plan.result else ()
        spaces = (resource for resource in planned if k8s.kind(resource) == "namespace")
        labels = (k8s.mapping(space.get("metadata", 0, "labels")).get(_TIER) for space in spaces)
        return min((label for label in labels if label and isinstance(label, str)), default="")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A rule change, not yet written: ``change`` has everything that keeps the contract."""

    rule: Rule
    contract: Contract
    stacks: tuple[Swept, ...]
    change: ChangeSet
    plans: Plans
    open: tuple[Open, ...] = ()
    unverified: tuple[Unverified, ...] = ()
    modules: tuple[str, ...] = ()
    """The shared modules that are edited, in place of stacks; ``stacks`` are then those that call them."""

    @property
    def left(self) -> tuple[Swept, ...]:
        """The stacks in which something is left to a person."""
        return tuple(stack for stack in self.stacks if stack.outside or stack.by_hand)

    @property
    def sites(self) -> int:
        """How many blocks are edited."""
        written = [stack.sites for stack in self.stacks if stack.written]
        return max(written, default=0) if self.modules else sum(written)

    def waves(self, *, by_tier: bool) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The stacks to apply; by tier in waves, the least critical first, without a known tier last."""
        applying = [stack for stack in self.stacks if stack.applies]
        tiers = sorted({s.tier for s in applying}, reverse=True) if by_tier else [""]
        waves = ((tier, tuple(s.stack for s in applying if not by_tier or s.tier == tier)) for tier in tiers)
        return tuple(wave for wave in waves if wave[1])

    def write(self, *, commits: str | None = None) -> tuple[str, ...]:
        """Write it, into stacks without other changes: :func:`~scaffold.changes.commit.write_stacks`."""
        title = self.rule.title
        message = f"{title} ({self.rule.code})"
        if self.modules:
            demand_clean(self.change)
            return write_stacks([(self.change, message)], commits, message)
        demand_stacks_clean(self.change)
        each = (
            (within(self.change, PurePosixPath(place(self.change.root, s.stack))), f"{s.stack}: {message}")
            for s in self.stacks
        )
        return write_stacks(each, commits, message)


def sweep(
    monorepo: Monorepo,
    rule: Rule,
    stacks: Sequence[str],
    answers: Answers,
    *,
    modules: bool = False,
    accepted: Collection[str] = (),
    workers: int = 1,
) -> Sweep:
    """Find what breaks a rule, edit it in memory, plan both sides, and check that the contract is kept.

    A stack of which anything falls outside is left as it is; nothing is written. With ``modules`` the shared
    modules are edited instead, once for all of the ``stacks`` that call them, and all of it is left where one
    of those falls outside, or cannot be planned and is not among the ``accepted``. Raises
    :class:`~scaffold.errors.MissingError` if there is no Terraform: without plans nothing holds;
    :class:`~scaffold.errors.AnswersError` for answers that are none,
    :class:`~scaffold.errors.UsageError` for a stack of which nothing has to be accepted, and
    :class:`~scaffold.errors.VerificationError` for an edit that a second reader reads differently.
    """
    refuse_unmerged(monorepo)
    tool = find_tool()
    contract = rule.contract(said(monorepo.root))
    edited = edits_of(monorepo, rule, stacks, answers, shared_units(monorepo) if modules else None)
    if modules:
        callers = _callers(monorepo, stacks, edited)
        return _of_modules(monorepo, rule, contract, edited, callers, accepted, tool, workers)
    own: dict[str, dict[PurePosixPath, Content | None]] = {}
    for path, content in edited.files.items():
        own.setdefault(stack_in(path, monorepo.stacks_home), {})[path] = content
    updates = _updates(monorepo, rule, sorted(own))
    # What the templates render is written rather than the edit, where it holds too.
    ways = {name: [*updates.get(name, ()), Way(own[name])] for name in sorted(own)}
    held = dict(_held(monorepo, contract, ways, tool, workers))
    home, swept = monorepo.stacks_home, []
    for name in sorted({*own, *(stack_of(finding, home) for finding in edited.by_hand)}):
        by_hand = tuple(finding for finding in edited.by_hand if stack_of(finding, home) == name)
        sites = sum(stack_of(finding, home) == name for finding in edited.done)
        way, plan, beyond = held.get(name, (Way({}), StackPlan(name, None), ()))
        swept.append(Swept(name, sites, plan, beyond, by_hand, way.version))
    wanted = [way.files for way, _, beyond in held.values() if not beyond]
    change = ChangeSet.plan(monorepo.files, {path: c for files in wanted for path, c in files.items()})
    gaps = verify_edits(change, "Edit the file by hand, and sweep the other stacks.")
    plans = Plans(tool, tuple(plan for _, plan, _ in held.values()), STANDING)
    return Sweep(rule, contract, tuple(swept), change, plans, edited.open, gaps)


def _callers(monorepo: Monorepo, stacks: Sequence[str], edited: Edited) -> list[str]:
    """The stacks whose plans read what is edited."""
    disk = DiskTree(monorepo.root)
    after = OverlayTree(disk, {str(path): content for path, content in edited.files.items()})
    return list(touched(disk, after, stacks)) if edited.files else []


def _of_modules(
    monorepo: Monorepo,
    rule: Rule,
    contract: Contract,
    edited: Edited,
    callers: Sequence[str],
    accepted: Collection[str],
    tool: Tool,
    workers: int,
) -> Sweep:
    """The sweep of shared modules: it keeps the contract as a whole, or nothing is written.

    What it does in a stack that cannot be planned, nobody can say here: a person may accept that by its name.
    """
    held = dict(_held(monorepo, contract, {name: [Way(edited.files)] for name in callers}, tool, workers))
    unknown = [name for name, (_, _, beyond) in held.items() if UNKNOWN in (f.code for f in beyond)]
    needless = [name for name in accepted if name not in unknown]
    if needless and edited.files:
        may = f"; what may be accepted is {', '.join(unknown)}" if unknown else ""
        raise UsageError(
            f"Nothing has to be accepted of {', '.join(needless)}, as none of the edited modules is called "
            "there, or the plan shows what they change.",
            f"Leave out {' '.join(f'--accept {name}' for name in needless)}{may}.",
        )
    left = {name: () if name in accepted else held[name][2] for name in held}
    for name in (name for name in unknown if left[name]):
        fix = (
            f"Make sure that it can be planned as it is (`scaffold plan {name}`); or, if you will read its "
            f"own plan before it is applied, repeat this with `--accept {name}`."
        )
        left[name] = tuple(replace(finding, fix=fix) for finding in left[name])
    holds = not any(left.values())
    sites = len(edited.done) if holds else 0
    swept = [Swept(name, sites, plan, left[name]) for name, (_, plan, _) in held.items()]
    by_hand: dict[str, list[Finding]] = {}
    for finding in edited.by_hand:
        by_hand.setdefault(unit_of(monorepo, finding), []).append(finding)
    swept += [Swept(name, 0, StackPlan(name, None), (), tuple(found)) for name, found in by_hand.items()]
    change = ChangeSet.plan(monorepo.files, edited.files if holds else {})
    gaps = (
        *verify_edits(change, "Edit the file by hand."),
        *(Unverified(f"what this changes in {n}", "it cannot be planned") for n in unknown if not left[n]),
    )
    plans = Plans(tool, tuple(plan for _, plan, _ in held.values()), STANDING)
    names = tuple(dict.fromkeys(unit_of(monorepo, finding) for finding in edited.done))
    return Sweep(rule, contract, tuple(swept), change, plans, edited.open, gaps, names)


_Held: TypeAlias = tuple[Way, StackPlan, tuple[Finding, ...]]
"""What may be written of a stack, its plans, and what of them falls outside the contract."""


def _held(
    monorepo: Monorepo, contract: Contract, ways: Mapping[str, Sequence[Way]], tool: Tool, workers: int
) -> Iterator[tuple[str, _Held]]:
    """For each stack, the first way that keeps the contract; the last one if none does."""
    edits = {name: [way.files for way in of] for name, of in ways.items()}
    results = plan_sides(monorepo, edits, workers, tool=tool)
    plans = compared(monorepo, ((n, before, one) for n, (before, *after) in results.items() for one in after))
    for name, of in ways.items():
        # Each way takes its own plan of them.
        tried = [(way, p, tuple(_outside(monorepo, p, contract))) for way, p in zip(of, plans, strict=False)]
        yield name, next((one for one in tried if not one[2]), tried[-1])


def _outside(monorepo: Monorepo, plan: StackPlan, contract: Contract) -> list[Finding]:
    """What keeps a stack as it is: a side without a plan, or a difference outside the contract."""
    if plan.difference is not None:
        return list(outside(plan.difference, contract))
    older = plan.older.findings if plan.older else ()
    fix = "Make sure that the stack can be planned as it is (`scaffold plan`), or edit it by hand."
    if older:
        text = f"It cannot be planned as it is, so nobody knows what the edit changes: {older[0].message}"
        return [Finding(monorepo.place(plan.stack), None, None, UNKNOWN, text, fix=fix)]
    return list(plan.findings)


def _updates(monorepo: Monorepo, rule: Rule, stacks: Sequence[str]) -> Mapping[str, tuple[Way, ...]]:
    """The updates of those stacks for which the installed templates render what a syntax rule asks for.

    Such a stack records the version in the same step, so that its next update merges what is the same. A
    stack that an update has to leave, or with which a list outside changes, is not among them, and none is
    where old templates are not to be had.
    """
    made = sorted({*made_by_scaffold(monorepo)} & {*stacks}) if rule.kind is Kind.STACK else []
    if not made:
        return {}
    try:
        updates = prepare(merge_stacks(monorepo, made, level=Level.STATIC))
    except MissingError:
        return {}
    files = {one.stack: {file.path: file.after for file in one.change.changes} for one in updates.written}
    return {
        name: (Way(its, updates.origin.version),)
        for name, its in files.items()
        if all(path.is_relative_to(monorepo.place(name)) for path in its)
        and not _breaks(monorepo, rule, name, its)
    }


def _breaks(monorepo: Monorepo, rule: Rule, stack: str, files: Files) -> bool:
    """Whether a stack breaks a rule with these files in place of its own."""
    changed = {str(path): content for path, content in files.items()}
    sources = {path: c for path, c in {**monorepo.sources(stack), **changed}.items() if isinstance(c, bytes)}
    parsed = parse_stack(monorepo.place(stack), sources)
    return isinstance(parsed, list) or bool(run(parsed, CheckContext.of(Monorepo(monorepo.root)), [rule]))

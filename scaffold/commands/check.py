"""``scaffold check``: the house rules over stacks, whether made by scaffold or by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from scaffold.checks import baseline
from scaffold.checks.definitions import Syntax
from scaffold.checks.exceptions import Exceptions
from scaffold.checks.fleet import Fleet
from scaffold.checks.house import HouseNames, house_of
from scaffold.checks.rule import Kind, Rule, Severity, rules
from scaffold.checks.stack import place
from scaffold.checks.static import look
from scaffold.checks.verify import Unverified
from scaffold.commands.stored import with_answers
from scaffold.errors import Finding, MissingError, UsageError, nearest
from scaffold.monorepo.features import features
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS, stack_in
from scaffold.monorepo.sensing import facts
from scaffold.terraform.result import PlanResult, Reason, without_caller

_PACKAGES = dict.fromkeys(Kind, "scaffold.checks") | {Kind.PIPELINE: "scaffold.pipelines"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen rules: those whose code begins with one of ``select``, without those of ``ignore``."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __contains__(self, code: object) -> bool:
        return str(code).startswith(self.select or "") and not (
            self.ignore and str(code).startswith(self.ignore)
        )

    def of(self, kind: Kind) -> tuple[Rule, ...]:
        """The chosen rules of a kind."""
        return tuple(rule for rule in rules(_PACKAGES[kind], kind) if rule.code in self)

    def check(self) -> None:
        """Raises :class:`UsageError` for a code that begins no rule's."""
        for wanted in (*self.select, *self.ignore):
            if not any(code.startswith(wanted) for code in by_code()):
                hint = nearest(wanted, by_code()) or "`scaffold rule --list` shows all."
                raise UsageError(f"{wanted} is neither a rule nor a family of rules.", hint)


EVERY_RULE = Selection()


@dataclass(frozen=True, slots=True)
class Off:
    """A rule that is off because it is about a feature that the house lacks."""

    code: str
    feature: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what was found."""

    stacks: tuple[str, ...]
    findings: tuple[Finding, ...]
    ignored: frozenset[Finding]
    """Findings that the stacks' own files make an exception for."""
    known: int = 0
    """Findings that the baseline knows."""
    gone: int = 0
    """Findings that the baseline knows and that are no longer there."""
    unverified: tuple[Unverified, ...] = ()
    off: tuple[Off, ...] = ()
    """The rules that are off in this house; only if somebody asks for them."""
    home: str = STACKS
    """Where the stacks are."""
    what: str = "stack"
    """What ``stacks`` are: the word for one of them, where others are looked at."""
    plans: tuple[PlanResult, ...] = ()
    """What was planned of the stacks that were looked at, or of every stack where that was wanted."""


def rules_off(monorepo: Monorepo, selection: Selection = EVERY_RULE) -> tuple[Off, ...]:
    """The chosen rules that are off in this house, each with the missing feature."""
    missing = {feature.name: feature.what for feature in features(monorepo) if not feature.found}
    return tuple(
        Off(rule.code, missing[rule.needs])
        for rule in all_rules()
        if rule.needs in missing and rule.code in selection
    )


@cache
def by_code() -> Mapping[str, Rule]:
    """Every rule there is, by its code, in the order of the codes."""
    found = [rule for kind, package in _PACKAGES.items() for rule in rules(package, kind)]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, in the order of the codes."""
    return tuple(by_code().values())


def severity(finding: Finding) -> Severity:
    """How bad a finding is, by its rule; a finding of no rule means that a stack cannot be judged."""
    rule = by_code().get(finding.code)
    return rule.severity if rule else Severity.ERROR


def stack_of(finding: Finding, home: str) -> str:
    """The stack below ``home`` that a finding is about; the file, where it is in none."""
    return stack_in(finding.path, home) or finding.path


def stacks_at(monorepo: Monorepo, named: Sequence[str]) -> tuple[str, ...]:
    """The stacks with these names, in these directories, or with these files in them, each once.

    A file in a directory that is not a stack to apply, such as a draft, names none. Raises
    :class:`MissingError` for anything that is neither a stack nor a file below the stacks.
    """
    return tuple(dict.fromkeys(stack for name in named for stack in _stacks_at(monorepo, name)))


def _stacks_at(monorepo: Monorepo, name: str) -> Iterator[str]:
    if name.rstrip("/") in monorepo.stacks:
        yield name.rstrip("/")
        return
    below = (monorepo.root / monorepo.stacks_home).resolve()
    paths = [path.resolve() for path in (Path(name), monorepo.root / name)]
    inside = [path for path in paths if path.is_relative_to(below) and path.exists()]
    found = [stack for path in inside for stack in path.relative_to(below).parts[:1]]
    if found and found[0] in monorepo.stacks:
        yield found[0]
    elif not any(path.is_file() for path in inside):
        raise monorepo.no_stack(name)


def check(
    monorepo: Monorepo,
    stacks: Sequence[str],
    selection: Selection = EVERY_RULE,
    *,
    static: bool = False,
    baseline_file: Path | None = None,
    every_plan: bool = False,
) -> Checked:
    """Check stacks against the rules: their syntax and, unless ``static``, what would exist.

    Where another stack may make what one refers to, all others are planned too. Without Terraform only the
    syntax is looked at, and the result says so. The lists outside the stacks are compared as well; with
    ``static``, which is to be quick, only where their rules are selected by name. With ``every_plan`` the
    result has the plans of all stacks.
    """
    selection.check()
    asked = selection.of(Kind.STACK)
    looked = look(monorepo, stacks, {rule.code for rule in asked})
    plan_rules = () if static else selection.of(Kind.PLAN)
    plans: tuple[PlanResult, ...] = ()
    unverified: tuple[Unverified, ...] = (Unverified("the plans", "left out by --static"),) if static else ()
    planned: Mapping[str, _Planned] = {}
    if plan_rules:
        judged = _planned(monorepo, stacks, plan_rules, every=every_plan)
        if isinstance(judged, Unverified):
            plan_rules, unverified = (), (judged,)
        else:
            planned, plans, unverified = judged
    # A rule that is off finds nothing, and no exception from it is unused.
    off = {rule.code for rule in rules_off(monorepo)}
    ran = {rule.code for rule in (*asked, *plan_rules)} - off
    told: dict[Finding, None] = {}
    ignored: set[Finding] = set()
    for name, of_stack in zip(stacks, looked, strict=True):
        of_plan = planned.get(name, _Planned())
        found = dict.fromkeys((*of_stack.findings, *of_plan.findings))
        made = Exceptions(of_stack.exceptions)
        left = made.left_of(found)
        ignored |= found.keys() - set(left)
        # Unless everything is known, it is not known whether an exception is needed.
        sure = ran if of_plan.settled else {rule.code for rule in asked} - off
        told |= dict.fromkeys((*left, *made.findings(sure, by_code().keys())))
    if indexes := selection.of(Kind.INDEX) if selection.select or not static else ():
        from scaffold.indexes.drift import drift

        services = {"", *stacks} if set(stacks) == set(monorepo.stacks) else set(stacks)
        lists = [found.finding for found in drift(monorepo) if found.service in services]
        told |= dict.fromkeys(finding for rule in indexes for finding in rule.check_index(lists))
    left = sorted((f for f in once(told) if f.code in selection or _is_no_stack(f)), key=place)
    looked_at = tuple(f"{monorepo.place(name)}/" for name in stacks)
    fresh, known, gone = unknown(left, baseline_file, looked_at, {code for code in ran if code in selection})
    home = monorepo.stacks_home
    return Checked(tuple(stacks), fresh, frozenset(ignored), known, gone, unverified, home=home, plans=plans)


def once(found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; a fault in a shared module once, with the first caller and the number of the others."""
    faults: dict[Finding, list[Finding]] = {}
    for finding in found:
        faults.setdefault(without_caller(finding), []).append(finding)
    for first, *others in faults.values():
        yield replace(first, fix=f"{first.fix} and {len(others)} more") if others else first


def unknown(
    found: Sequence[Finding], baseline_file: Path | None, below: tuple[str, ...], codes: Collection[str]
) -> tuple[tuple[Finding, ...], int, int]:
    """The findings that a baseline does not know, how many it knows, and how many of those no longer occur.

    ``below`` and ``codes`` say what was looked at, by which rules: nothing else can be gone.
    """
    if baseline_file is None:
        return tuple(found), 0, 0
    fresh, gone = baseline.new(found, baseline.known(baseline_file, below, codes))
    return tuple(fresh), len(found) - len(fresh), gone


def _is_no_stack(finding: Finding) -> bool:
    """Whether a finding keeps a stack from being read or planned: such a finding is always reported."""
    return finding.code in (Syntax.code, *(reason.value for reason in Reason))


@dataclass(frozen=True, slots=True)
class _Planned:
    """What rules find in the plan of a stack; ``settled`` says whether all is known that they asked for."""

    findings: Sequence[Finding] = ()
    settled: bool = True


def _planned(
    monorepo: Monorepo, stacks: Sequence[str], asked: Sequence[Rule], *, every: bool
) -> tuple[Mapping[str, _Planned], tuple[PlanResult, ...], tuple[Unverified, ...]] | Unverified:
    """What the rules find in plans, by stack, the plans, and what is unknown because others were not planned.

    The other stacks are planned once a rule asks for them, or at once where ``every`` plan is wanted.
    """
    from scaffold.checks.planned import Plan, apply_rules
    from scaffold.terraform.runner import at_once, find_tool, plan_stacks

    try:
        tool = find_tool()
    except MissingError as error:
        return Unverified("the plans", error.message)
    workers = at_once()
    results = plan_stacks(monorepo.root, stacks, workers=workers, tool=tool)
    house = house_of(monorepo, facts(monorepo))

    @cache
    def all_results() -> Sequence[PlanResult]:
        known = {result.stack: result for result in results}
        others = [name for name in monorepo.stacks if name not in known]
        planned = plan_stacks(monorepo.root, others, workers=workers, tool=tool)
        known |= {result.stack: result for result in planned}
        return [known[name] for name in monorepo.stacks]

    @cache
    def all_stacks() -> Fleet:
        return fleet_of(monorepo, all_results(), house)

    if results and all(r.unable for r in results) and all(r.unable for r in all_results()):
        return Unverified("the plans", results[0].findings[0].message)
    found, judged = {}, list[Plan]()
    for result in results:
        plan = Plan(result.resources, with_answers(house, monorepo, result.stack), all_stacks)
        judged.append(plan)
        findings = result.findings or apply_rules(plan, asked)
        found[result.stack] = _Planned(findings, result.ok and plan.settled)
    asked_all = every or any(plan.asked_others for plan in judged)
    failed = ", ".join(plan.stack for plan in (all_results() if asked_all else ()) if not plan.ok)
    missing = f"what is missing in namespaces that {failed} may use"
    gaps = (Unverified(missing, "stacks that cannot be planned"),) if failed else ()
    return found, tuple(all_results() if every else results), gaps


def fleet_of(monorepo: Monorepo, plans: Sequence[PlanResult], house: HouseNames) -> Fleet:
    """The planned objects of all stacks."""
    failed = (monorepo.sources(plan.stack) for plan in plans if not plan.ok)
    return Fleet(
        tuple(resource for plan in plans for resource in plan.resources),
        tuple(b"\n".join(sources.values()) for sources in failed),
        house.inert_kinds,
    )


def update_baseline(path: Path, found: Checked) -> None:
    """Write the findings into a baseline file, so that only new ones are reported from now on."""
    path.write_text(baseline.text(found.findings), "utf-8")

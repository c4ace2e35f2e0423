"""``scaffold check``: the house's rules over stacks, made by scaffold or by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scaffold.checks import baseline
from scaffold.checks.exceptions import Exceptions
from scaffold.checks.fleet import Fleet, joined
from scaffold.checks.rule import Kind, Rule, Severity, rules
from scaffold.checks.stack import place
from scaffold.checks.static import look
from scaffold.checks.syntax import Syntax
from scaffold.checks.verify import Unverified, house_of
from scaffold.commands.stored import given_claims
from scaffold.errors import Finding, MissingError, UsageError, nearest
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.terraform.result import PlanResult, Reason

if TYPE_CHECKING:
    from scaffold.checks.planned import HouseNames

_PACKAGES = dict.fromkeys(Kind, "scaffold.checks") | {Kind.PIPELINE: "scaffold.pipelines"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that are asked: those whose code begins like one of ``select``, but for ``ignore``."""

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
        codes = [rule.code for rule in all_rules()]
        for wanted in (*self.select, *self.ignore):
            if not any(code.startswith(wanted) for code in codes):
                hint = nearest(wanted, codes) or "`scaffold rule --list` shows all."
                raise UsageError(f"{wanted} is no rule, and no family of rules.", hint)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what was found."""

    stacks: tuple[str, ...]
    findings: tuple[Finding, ...]
    ignored: int
    """Findings that the stacks' own files make an exception for."""
    known: int = 0
    """Findings that the baseline knows."""
    gone: int = 0
    """Findings that the baseline knows and that are no longer there."""
    unverified: tuple[Unverified, ...] = ()
    plans: tuple[PlanResult, ...] = ()
    """What was planned, of every stack of the monorepo."""


def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, by code."""
    found = [rule for kind, package in _PACKAGES.items() for rule in rules(package, kind)]
    return tuple(sorted(found, key=lambda rule: rule.code))


def severity(finding: Finding, rules: Mapping[str, Rule]) -> Severity:
    """How bad a finding is, by the rules' codes; what is found by none keeps a stack from being judged."""
    rule = rules.get(finding.code)
    return rule.severity if rule else Severity.ERROR


def stack_of(finding: Finding) -> str:
    """The stack that a finding is about; the file, where it is in none."""
    parts = PurePosixPath(finding.path).parts
    return parts[1] if parts[:1] == (STACKS,) and len(parts) > 1 else finding.path


def stacks_at(monorepo: Monorepo, named: Sequence[str]) -> tuple[str, ...]:
    """The stacks with these names, at these directories, or with these files in them, each once.

    A file of a directory that is no stack to apply, such as a draft, names none. Raises
    :class:`MissingError` for what is no stack, and no file below the stacks.
    """
    return tuple(dict.fromkeys(stack for name in named for stack in _stacks_at(monorepo, name)))


def _stacks_at(monorepo: Monorepo, name: str) -> Iterator[str]:
    if name.rstrip("/") in monorepo.stacks:
        yield name.rstrip("/")
        return
    below = (monorepo.root / STACKS).resolve()
    paths = [path.resolve() for path in (Path(name), monorepo.root / name)]
    inside = [path for path in paths if path.is_relative_to(below) and path.exists()]
    found = [stack for path in inside for stack in path.relative_to(below).parts[:1]]
    if found and found[0] in monorepo.stacks:
        yield found[0]
    elif not any(path.is_file() for path in inside):
        hint = nearest(name, monorepo.stacks) or f"Name a directory below {STACKS}/, or a file in one."
        raise MissingError(f"There is no stack {name}.", hint)


def check(
    monorepo: Monorepo,
    stacks: Sequence[str],
    selection: Selection = Selection(),
    *,
    static: bool = False,
    baseline_file: Path | None = None,
) -> Checked:
    """Hold stacks against the rules: over their syntax and, unless ``static``, over what would exist.

    Where another stack may make what one refers to, all stacks are planned. Without Terraform only the
    syntax is looked at, and the result says so.
    """
    selection.check()
    asked = selection.of(Kind.STACK)
    looked = look(monorepo, stacks, {rule.code for rule in asked})
    found = [finding for of_stack in looked for finding in of_stack.findings]
    plan_rules = () if static else selection.of(Kind.PLAN)
    plans: tuple[PlanResult, ...] = ()
    unverified: tuple[Unverified, ...] = (Unverified("the plans", "left out by --static"),) if static else ()
    if plan_rules:
        planned = _planned(monorepo, stacks, plan_rules)
        if isinstance(planned, Unverified):
            plan_rules, unverified = (), (planned,)
        else:
            found += planned[0]
            plans = planned[1]
            # Where a stack cannot be planned, nobody knows whether an exception is needed.
            plan_rules = plan_rules if all(plan.ok for plan in plans) else ()
    made = Exceptions(ignore for of_stack in looked for ignore in of_stack.exceptions)
    left = made.left_of(dict.fromkeys(found))
    ignored = len(dict.fromkeys(found)) - len(left)
    ran = {rule.code for rule in (*asked, *plan_rules)}
    left += made.findings(ran, {rule.code for rule in all_rules()})
    left = sorted((f for f in left if f.code in selection or _is_no_stack(f)), key=place)
    fresh, gone = (left, 0)
    if baseline_file is not None:
        looked_at = tuple(f"{STACKS}/{name}/" for name in stacks)
        known = baseline.known(baseline_file, looked_at, ran & {code for code in ran if code in selection})
        fresh, gone = baseline.new(left, known)
    return Checked(tuple(stacks), tuple(fresh), ignored, len(left) - len(fresh), gone, unverified, plans)


def _is_no_stack(finding: Finding) -> bool:
    """Whether it keeps a stack from being read or planned: that is always told."""
    return finding.code in (Syntax.code, *(reason.value for reason in Reason))


def _planned(
    monorepo: Monorepo, stacks: Sequence[str], asked: Sequence[Rule]
) -> tuple[list[Finding], tuple[PlanResult, ...]] | Unverified:
    """What the rules find in plans, and the plans of all stacks."""
    from scaffold.checks.planned import check as check_plan
    from scaffold.terraform.runner import find_tool, plan_stacks

    try:
        tool = find_tool()
    except MissingError as error:
        return Unverified("the plans", error.message)
    results = plan_stacks(monorepo.root, monorepo.stacks, workers=os.cpu_count() or 1, tool=tool)
    if results and all(result.unable for result in results):
        return Unverified("the plans", results[0].findings[0].message)
    house = house_of(monorepo, facts(monorepo))
    fleet = fleet_of(results, house)
    found: list[Finding] = []
    for result in results:
        if result.stack in stacks:
            its = replace(house, given_claims=given_claims(monorepo, result.stack))
            found += result.findings or check_plan(result.resources, its, asked, fleet)
    return found, tuple(results)


def fleet_of(plans: Sequence[PlanResult], house: HouseNames) -> Fleet:
    """The planned objects of all stacks."""
    return Fleet(
        joined(plan.resources for plan in plans),
        whole=all(plan.ok for plan in plans),
        inert=house.inert_kinds,
    )


def update_baseline(path: Path, found: Checked) -> None:
    """Write the findings into a baseline file, so that only new ones are told from now on."""
    path.write_text(baseline.text(found.findings), "utf-8")

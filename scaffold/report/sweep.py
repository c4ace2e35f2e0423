"""What ``sweep`` does to stacks: as text, as a table for a pull request, as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace

from scaffold.commands.sweep import UNKNOWN, Sweep, Swept
from scaffold.errors import number_of
from scaffold.monorepo.facts import said
from scaffold.monorepo.root import place
from scaffold.report.changes import committed_text, files_json, files_text, gaps_text
from scaffold.report.check import markdown_text
from scaffold.report.difference import difference_text
from scaffold.report.findings import finding_json, finding_text
from scaffold.templates.questions import Value


def sweep_text(sweep: Sweep, *, written: bool, by_tier: bool, commits: Iterable[str] = ()) -> Iterator[str]:
    """The files, what changes in running workloads, what is left to a person, and what to apply."""
    yield f"{sweep.rule.code}: {sweep.rule.title}"
    yield f"It may change: {sweep.contract}."
    held = {one.stack for one in sweep.stacks if one.written}
    plans = replace(sweep.plans, stacks=tuple(one for one in sweep.plans.stacks if one.stack in held))
    parts = (
        _edited(sweep),
        difference_text(plans) if plans.differs else (),
        *_left(sweep),
        _together(sweep),
        _questions(sweep),
        _to_apply(sweep, by_tier=by_tier),
        (*gaps_text(sweep.unverified), _sum(sweep, written=written)),
    )
    for lines in filter(None, map(list, parts)):
        yield from ("", *lines)
    yield from committed_text(*commits)


def _edited(sweep: Sweep) -> Iterator[str]:
    yield from files_text(sweep.change)
    for one in sweep.stacks:
        if one.version:
            yield f"{one.stack} is brought to {one.version} of the templates, which render it."


def _left(sweep: Sweep) -> Iterator[list[str]]:
    """What is left to a person, stacks that are left for the same reason as one."""
    same: dict[tuple[str, ...], list[str]] = {}
    for one in sweep.left:
        # The contract stands above.
        found = (replace(f, allowed=None) if f in one.outside else f for f in (*one.outside, *one.by_hand))
        lines = [line for finding in found for line in finding_text(finding).split("\n")]
        fixes = {line for line in lines if line.startswith("  fix:")}
        if len(fixes) == 1:
            lines = [*(line for line in lines if line not in fixes), *fixes]
        own = f"{place(sweep.change.root, one.stack)}: "
        told = (_outcome(sweep, one), *(f"  {line.removeprefix(own)}" for line in lines))
        same.setdefault(told, []).append(one.stack)
    for (outcome, *rest), stacks in same.items():
        yield [f"{', '.join(stacks)}: {outcome}", *rest]


def _together(sweep: Sweep) -> Iterator[str]:
    if sweep.modules and any(one.outside for one in sweep.stacks):
        yield "An edit in a module reaches all of its callers at once: none is written while one is left."


def _questions(sweep: Sweep) -> Iterator[str]:
    if sweep.open:
        yield "Only a person can decide:"
    for one in sweep.open:
        proposals = f" ({', '.join(one.question.proposals)})" if one.question.proposals else ""
        yield f"  {one.site[0]}:{one.line}: {one.site[1]}: {one.question.text}{proposals}"


def _to_apply(sweep: Sweep, *, by_tier: bool) -> Iterator[str]:
    if sweep.waves(by_tier=by_tier):
        yield "To apply, once it is committed and pushed:"
    for number, (tier, commands) in enumerate(_commands(sweep, by_tier=by_tier), 1):
        if by_tier:
            yield f"  # wave {number}: {f'tier {tier}' if tier else 'no tier is known'}"
        yield from (f"  {command}" for command in commands)


def _commands(sweep: Sweep, *, by_tier: bool) -> Iterator[tuple[str, list[str]]]:
    """The command that applies each stack, wave by wave."""
    apply = said(sweep.change.root)["commands"]["apply"]
    for tier, stacks in sweep.waves(by_tier=by_tier):
        yield tier, [f"(cd {shlex.quote(place(sweep.change.root, stack))} && {apply})" for stack in stacks]


def _sum(sweep: Sweep, *, written: bool) -> str:
    if not (sweep.stacks or sweep.open or sweep.change.changes):
        return "Nothing to do."
    edits = number_of(sweep.sites, "edit")
    state = "written" if written else "would be written"
    where = number_of(sum(stack.written for stack in sweep.stacks), "stack")
    if sweep.modules:
        where = f"{', '.join(sweep.modules)}, for {where}"
    told = [f"{edits} in {where} {state}"]
    if sweep.left:
        told.append(f"{number_of(len(sweep.left), 'stack')} left to a person")
    if sweep.open:
        told.append(f"{number_of(len(sweep.open), 'question')} open")
    return f"{', '.join(told)}."


def _outcome(sweep: Sweep, one: Swept) -> str:
    if one.outside and all(finding.code == UNKNOWN for finding in one.outside):
        return "left as it is: it cannot be planned"
    if one.outside and one.plan.difference is None:
        return "left as it is: the edit cannot be planned"
    if one.outside:
        return "left as it is: something falls outside the contract"
    if any(finding.code != sweep.rule.code for finding in one.by_hand):
        return "cannot be read or planned, so the rule cannot judge it"
    if one.by_hand:
        return "to edit by hand"
    return "within the contract" if one.plan.difference is not None else "accepted: it cannot be planned here"


def sweep_markdown(sweep: Sweep, *, by_tier: bool) -> Iterator[str]:
    """The same as a table for a pull request, with what is left below it."""
    yield f"**{markdown_text(f'{sweep.rule.code}: {sweep.rule.title}')}**"
    yield ""
    yield f"It may change: {markdown_text(str(sweep.contract))}."
    yield ""
    yield "| stack | edits | changed resources | tier | outcome |"
    yield "|---|---|---|---|---|"
    for one in sweep.stacks:
        found = one.plan.difference
        changed = len((*found.changed, *found.added, *found.removed)) if found else 0
        version = f", templates {one.version}" if one.version else ""
        cells = (one.stack, one.sites, changed, one.tier or "–", f"{_outcome(sweep, one)}{version}")
        yield f"| {' | '.join(markdown_text(str(cell)) for cell in cells)} |"
    findings = [finding for one in sweep.left for finding in (*one.outside, *one.by_hand)]
    if findings or sweep.open:
        yield ""
        yield from (f"- `{f.location}` {markdown_text(f.message)}" for f in findings)
        yield from (f"- `{o.site[0]}:{o.line}` {markdown_text(o.question.text)}" for o in sweep.open)
    if gaps := list(gaps_text(sweep.unverified)):
        yield from ("", *(markdown_text(gap) for gap in gaps))
    for tier, commands in _commands(sweep, by_tier=by_tier):
        yield from ("", f"To apply{f', tier {tier}' if tier else ''}:", "", "```sh", *commands, "```")


def sweep_json(
    sweep: Sweep, *, written: bool, by_tier: bool, commits: Iterable[str] = (), worklist: str = ""
) -> dict[str, Value]:
    """The same as JSON."""
    return {
        "code": sweep.rule.code,
        "title": sweep.rule.title,
        "contract": str(sweep.contract),
        "written": written,
        "commits": list(commits),
        "stacks": [_stack_json(one) for one in sweep.stacks],
        "modules": list(sweep.modules),
        "changes": files_json(sweep.change, with_diff=not written),
        "questions": [one.row for one in sweep.open],
        "worklist": worklist or None,
        "apply": [
            {"tier": tier or None, "commands": commands}
            for tier, commands in _commands(sweep, by_tier=by_tier)
        ],
        "not_verified": sweep.unverified,
    }


def _stack_json(one: Swept) -> dict[str, Value]:
    return {
        "stack": one.stack,
        "sites": one.sites,
        "held": one.written,
        "version": one.version or None,
        "tier": one.tier or None,
        "difference": one.plan.difference.to_json() if one.plan.difference is not None else None,
        "outside": [finding_json(finding) for finding in one.outside],
        "by_hand": [finding_json(finding) for finding in one.by_hand],
    }

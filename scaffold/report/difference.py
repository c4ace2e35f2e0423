"""How the difference between two plans of many stacks looks: danger first, equal changes once."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from html import escape
from textwrap import indent

from scaffold.checks.consequences import Consequence, Effect
from scaffold.commands.plan import Plans, StackPlan
from scaffold.errors import Finding, number_of
from scaffold.report.findings import finding_text
from scaffold.terraform import summary
from scaffold.terraform.diff import Change, Changed, Difference
from scaffold.terraform.planned import Leaf
from scaffold.terraform.result import without_caller

_LONGEST = 60
"""Characters of a value that are shown in one line."""
_AROUND = 12
"""Characters that are shown before the first one that differs."""
_NAMED = 8
"""Stacks of a group that are named."""
_LOUD = (
    Effect.DATA_LOST,
    Effect.OPENED,
    Effect.BACKUP_LOST,
    Effect.REPLACED,
    Effect.DESTROYED,
    Effect.CLOSED,
)


class Sort(Enum):
    """What kind of change it is; the value is printed after it."""

    APPLIED = ""
    IGNORED = " (not applied: ignored)"
    META = " "


@dataclass(frozen=True, slots=True)
class Same:
    """One change that several stacks have: ``places`` are stack and address of each."""

    type: str
    sort: Sort
    change: Change
    places: tuple[tuple[str, str], ...]

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks that have it."""
        return tuple(dict.fromkeys(stack for stack, _ in self.places))


@dataclass(frozen=True, slots=True)
class Overview:
    """The differences of all stacks: what many have in common, and what is left of each."""

    plans: Plans
    same: tuple[Same, ...]
    errors: tuple[tuple[Finding, tuple[str, ...]], ...]

    @property
    def differing(self) -> tuple[StackPlan, ...]:
        """The stacks that differ."""
        return tuple(stack for stack in self.plans.stacks if stack.difference)

    @property
    def loud(self) -> tuple[tuple[str, Consequence], ...]:
        """What a person has to look at, worst first."""
        found = [(s.stack, one) for s in self.differing for one in s.consequences if one.effect in _LOUD]
        return tuple(sorted(found, key=lambda pair: _LOUD.index(pair[1].effect)))

    def alone(self, stack: str, changed: Changed) -> Iterator[tuple[Sort, Change]]:
        """The changes of a resource that are not among those that several stacks have in common."""
        grouped = {(place, same.sort, same.change) for same in self.same for place in same.places}
        for sort, change in _changes(changed):
            if ((stack, changed.address), sort, change) not in grouped:
                yield sort, change


def overview(plans: Plans) -> Overview:
    """The differences, with equal ones of several stacks and equal errors brought together."""
    places: dict[tuple[str, Sort, Change], list[tuple[str, str]]] = defaultdict(list)
    for stack in plans.stacks:
        for changed in stack.difference.changed if stack.difference else ():
            for sort, change in _changes(changed):
                places[changed.after.type, sort, change].append((stack.stack, changed.address))
    same = (Same(type_, sort, change, tuple(where)) for (type_, sort, change), where in places.items())
    errors: dict[Finding, list[str]] = defaultdict(list)
    for stack in plans.stacks:
        older = stack.older.findings if stack.older is not None else ()
        # Who calls a module is said by the stacks in front.
        for finding in dict.fromkeys(without_caller(finding) for finding in (*stack.findings, *older)):
            errors[finding].append(stack.stack)
    return Overview(
        plans,
        tuple(sorted((one for one in same if len(one.stacks) > 1), key=lambda one: -len(one.places))),
        tuple((finding, tuple(stacks)) for finding, stacks in errors.items()),
    )


def _changes(changed: Changed) -> Iterator[tuple[Sort, Change]]:
    yield from ((Sort.APPLIED, change) for change in changed.changes)
    yield from ((Sort.IGNORED, change) for change in changed.ignored)
    yield from ((Sort.META, change) for change in changed.meta)


# for people


def difference_text(plans: Plans) -> Iterator[str]:
    """All differences: dangers, what many stacks have in common, stack by stack, and a total."""
    seen = overview(plans)
    if seen.loud:
        yield "Look at this"
        yield from (f"  {one.effect.value:11}  {stack}: {consequence_text(one)}" for stack, one in seen.loud)
        yield ""
    for one in seen.same:
        yield f"{len(one.places)} × {one.type} in {number_of(len(one.stacks), 'stack')}"
        yield from (f"    {line}" for line in _change_lines(one.sort, one.change))
        yield f"  {_names(one.stacks)}"
        yield ""
    for stack in seen.differing:
        lines = list(stack_lines(seen, stack))
        if lines:
            yield f"{stack.stack}:{_absent(stack)}"
            yield from (f"  {line}" for line in lines)
            yield ""
    for finding, stacks in seen.errors:
        yield f"{_names(stacks)}: cannot be compared"
        yield indent(finding_text(finding), "    ")
        yield ""
    yield from _sums(seen)


def consequence_text(one: Consequence) -> str:
    """What happens to which object, or at which host."""
    return one.text if one.effect in _REACH else f"{one.address} {one.text}"


_REACH = (Effect.OPENED, Effect.CLOSED)


def _absent(stack: StackPlan) -> str:
    if stack.result is None:
        return " gone"
    return " new" if stack.older is None else ""


def stack_lines(seen: Overview, stack: StackPlan) -> Iterator[str]:
    """A stack's resources that are added, removed and changed, without what several stacks have in common."""
    found = stack.difference or Difference()
    effects: dict[str, list[str]] = defaultdict(list)
    for one in stack.consequences:
        if one.effect is not Effect.NOT_APPLIED:
            effects[one.address].append(one.effect.value)
    for sign, resources in (("+", found.added), ("-", found.removed), ("·", found.forgotten)):
        for resource in resources:
            yield f"{sign} {resource.address}{_effects(effects[resource.address])}"
    for changed in found.changed:
        alone = list(seen.alone(stack.stack, changed))
        if alone or changed.moved:
            moved = f" (was {changed.before.address})" if changed.moved else ""
            yield f"~ {changed.address}{moved}{_effects(effects[changed.address])}"
            for sort, change in alone:
                yield from (f"    {line}" for line in _change_lines(sort, change))


def _effects(names: Sequence[str]) -> str:
    told = [name for name in dict.fromkeys(names) if name != Effect.DESTROYED.value]
    return f" [{', '.join(told)}]" if told else ""


def _change_lines(sort: Sort, change: Change) -> Iterator[str]:
    """A change on one line; long lists of words and texts of several lines by what is added and removed."""
    before, after = change.before, change.after
    if sort is Sort.META:
        yield from (f"{change.path}: {sign} {item}" for sign, item in (("-", before), ("+", after)) if item)
        return
    parts = _parts(before, after)
    if parts is None:
        yield f"{change.path}: {' → '.join(_values(before, after))}{sort.value}"
        return
    yield f"{change.path}:{sort.value}"
    yield from (f"  {line}" for line in difflib.ndiff(*parts) if line.startswith(("+ ", "- ")))


def _parts(before: Leaf, after: Leaf) -> tuple[list[str], list[str]] | None:
    """Two texts in the parts in which they are compared, if that shows them better."""
    if not isinstance(before, str) or not isinstance(after, str):
        return None
    if "\n" in before + after:
        return before.splitlines(), after.splitlines()
    if "," in before and "," in after and max(len(before), len(after)) > _LONGEST:
        return [p.strip() for p in before.split(",")], [p.strip() for p in after.split(",")]
    return None


def _values(before: Leaf, after: Leaf) -> tuple[str, str]:
    """Both values; of long texts, the part that begins a little before the first difference."""
    texts = [" ".join(summary.text(leaf).split()) for leaf in (before, after)]
    if all(len(text) <= _LONGEST for text in texts):
        return texts[0], texts[1]
    pairs = zip(*texts, strict=False)
    equal = next((i for i, (one, other) in enumerate(pairs) if one != other), min(map(len, texts)))
    start = max(0, equal - _AROUND) if all(len(text) > _LONGEST for text in texts) else 0
    return _cut(texts[0], start), _cut(texts[1], start)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + _LONGEST]
    return ("…" if start else "") + shown + ("…" if start + _LONGEST < len(text) else "")


def _names(stacks: Sequence[str]) -> str:
    more = len(stacks) - _NAMED
    return ", ".join(stacks[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _sums(seen: Overview) -> Iterator[str]:
    plans = seen.plans
    failed = len({stack for _, stacks in seen.errors for stack in stacks})
    equal = len(plans.stacks) - failed - len(seen.differing)
    asked, differing = len(plans.stacks) + len(plans.untouched), len(seen.differing)
    parts = [
        f"{differing} of {number_of(asked, 'stack')} {'differs' if differing == 1 else 'differ'} "
        f"from {plans.against}",
        f"{failed} cannot be compared" if failed else "",
        f"{equal} planned without a difference" if equal else "",
        f"{len(plans.untouched)} not planned, since nothing that they read differs"
        if plans.untouched
        else "",
    ]
    yield "; ".join(filter(None, parts)) + "."
    found = [stack.difference for stack in plans.stacks if stack.difference]
    counts = Counter(one.effect for stack in plans.stacks for one in stack.consequences)
    numbers: tuple[tuple[int, str], ...] = (
        (sum(len(one.added) for one in found), "created"),
        (sum(len(one.changed) for one in found), "changed"),
        (sum(len(one.forgotten) for one in found), "forgotten"),
        *((counts[effect], effect.value) for effect in Effect),
    )
    if found:
        yield ", ".join(f"{number} {what}" for number, what in numbers if number) + "."


# for a pull request


def difference_markdown(plans: Plans) -> Iterator[str]:
    """All differences for a pull request: totals and dangers first, the rest folded."""
    seen = overview(plans)
    yield from (f"**{line}**" if n == 0 else line for n, line in enumerate(_sums(seen)))
    if seen.loud:
        yield ""
        yield "| | stack | |"
        yield "|---|---|---|"
        for stack, one in seen.loud:
            what = one.text if one.effect in _REACH else f"`{one.address}` {one.text}"
            yield f"| **{one.effect.value}** | {stack} | {what.replace('|', chr(92) + '|')} |"
    for same in seen.same:
        title = (
            f"{len(same.places)} × <code>{escape(same.type)}</code> in {number_of(len(same.stacks), 'stack')}"
        )
        yield from _folded(title, [*_change_lines(same.sort, same.change), ", ".join(same.stacks)])
    for stack_plan in seen.differing:
        if lines := list(stack_lines(seen, stack_plan)):
            yield from _folded(f"{escape(stack_plan.stack)}{_absent(stack_plan)}", lines)
    for finding, stacks in seen.errors:
        yield from _folded(f"{escape(_names(stacks))}: cannot be compared", [finding_text(finding)])


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{title}</summary>"
    yield ""
    shown = "\n".join(lines)
    fence = _fence(shown)
    yield f"{fence}diff" if fence == "```" else fence
    yield shown
    yield fence
    yield ""
    yield "</details>"


def _fence(text: str) -> str:
    """A fence that does not occur in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence

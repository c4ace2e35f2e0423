"""Contracts: what a rule's edit may change in the plan and in ``lifecycle``, and what exceeds that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TypeAlias

from scaffold.errors import Finding
from scaffold.terraform.diff import Change, Difference
from scaffold.terraform.planned import Leaf, Mark, PlannedResource

IGNORES = "lifecycle.ignore_changes"
"""The attribute whose items are the paths that a resource ignores changes of."""


class Anything(Enum):
    """The type of ``ANYTHING``."""

    ANYTHING = "anything"


ANYTHING = Anything.ANYTHING
Wanted: TypeAlias = str | Anything | None
"""A pattern of a value as text; None stands for not set."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One kind of change that an edit may make.

    ``resource`` is a pattern of addresses or types, ``attribute`` one of paths, as the difference of two
    plans has them (``spec[0].replicas``, ``lifecycle.ignore_changes``); ``before`` and ``after`` are patterns
    of its value, or of the item that goes and comes. In patterns ``*`` stands for any text. Without an
    ``attribute`` it is the resource itself that ``comes`` or goes.
    """

    resource: str
    attribute: str = ""
    before: Wanted = ANYTHING
    after: Wanted = ANYTHING
    comes: bool = True

    def __str__(self) -> str:
        if not self.attribute:
            return f"{self.resource} {'comes' if self.comes else 'goes'}"
        ends = (
            (word, end) for word, end in (("from", self.before), ("to", self.after)) if end is not ANYTHING
        )
        told = "".join(f" {word} {_end(end)}" for word, end in ends)
        return f"{self.resource}: {self.attribute}{told}"


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything that an edit may change in the plan and in ``lifecycle``; without rows, nothing."""

    rows: tuple[Allowed, ...] = ()

    def __str__(self) -> str:
        told: dict[tuple[str, str, Wanted, bool], str] = {}
        anything: set[tuple[str, str, Wanted, bool]] = set()
        for row in self.rows:
            key = (row.resource, row.attribute, row.before, row.comes)
            if row.after is ANYTHING:
                anything.add(key)
                told[key] = str(row)
            elif key not in anything:
                told[key] = f"{told[key]}, {_end(row.after)}" if key in told else str(row)
        return "; ".join(told.values()) or "nothing"


NOTHING = Contract()
_NOT_SET = "(not set)"


def _end(wanted: Wanted) -> str:
    return _NOT_SET if wanted is None else "anything" if isinstance(wanted, Anything) else wanted


def outside(found: Difference, contract: Contract) -> Iterator[Finding]:
    """Everything in the difference of two plans that a contract does not allow, with its place, in words.

    What an address becomes, and an object that is only forgotten, is never allowed.
    """
    for resources, comes in ((found.added, True), (found.removed, False)):
        for resource in resources:
            rows = (row for row in contract.rows if not row.attribute and row.comes is comes)
            if not any(_is_about(row, resource) for row in rows):
                yield _finding(resource, "would be new" if comes else "would be destroyed", contract)
    for resource in found.forgotten:
        yield _finding(resource, "would be forgotten", contract)
    for changed in found.changed:
        if changed.moved:
            yield _finding(changed.after, f"would move from {changed.before.address}", contract)
        allowed = [row for row in contract.rows if row.attribute and _is_about(row, changed.after)]
        for change in (*changed.changes, *changed.ignored, *changed.meta):
            if not any(_allows(row, change) for row in allowed):
                what = f"{change.path} would change from {_text(change.before)} to {_text(change.after)}"
                yield _finding(changed.after, what, contract)


def _finding(resource: PlannedResource, what: str, contract: Contract) -> Finding:
    fix = "Make this change by hand, or let the contract allow it."
    place = (resource.site.path, resource.site.line)
    return Finding(
        *place, None, "sweep.outside", f"{resource.address}: {what}.", allowed=str(contract), fix=fix
    )


def _is_about(row: Allowed, resource: PlannedResource) -> bool:
    return is_like(row.resource, resource.address) or is_like(row.resource, resource.type)


def _allows(row: Allowed, change: Change) -> bool:
    ends = ((row.before, change.before), (row.after, change.after))
    return is_like(row.attribute, change.path) and all(_fits(wanted, leaf) for wanted, leaf in ends)


def _fits(wanted: Wanted, leaf: Leaf) -> bool:
    if isinstance(wanted, Anything):
        return True
    return leaf is None if wanted is None else leaf is not None and is_like(wanted, _text(leaf))


def _text(leaf: Leaf) -> str:
    if leaf is None:
        return _NOT_SET
    if isinstance(leaf, Mark):
        return leaf.value
    return str(leaf).lower() if isinstance(leaf, bool) else str(leaf)


def is_like(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern: ``*`` stands for any text, everything else for itself."""
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Not fnmatch: brackets are parts of paths.
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)

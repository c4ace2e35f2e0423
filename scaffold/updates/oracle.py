"""Whether an update kept every edit and brought every rule, according to what Terraform plans.

What the templates change is known: the plan of their new rendering minus that of the old one. What happens to
the stack is known too. Whatever happens unexpectedly is an edit that got lost; whatever was expected and does
not hold in the end is a rule that did not arrive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from scaffold.terraform.planned import Leaf, Tree
from scaffold.terraform.result import Moves, PlanResult

Fact: TypeAlias = tuple[str, str, str, int]
"""An address, a path without positions, one part of its value, and its index among equal ones."""
_MOVED = "moved"


class Wrong(Enum):
    """What is wrong with an update; the value is what is reported."""

    EDIT = "An edit by hand is lost"
    RULE = "A change of the templates did not arrive"


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that an update would do, or fail to do, although nobody wants that."""

    wrong: Wrong
    address: str
    path: str
    value: str

    @property
    def text(self) -> str:
        """All of it on one line."""
        return f"{self.wrong.value}: {' '.join(filter(None, (self.address, self.path, self.value)))}."


def losses(old: PlanResult, new: PlanResult, before: PlanResult, after: PlanResult) -> tuple[Loss, ...]:
    """What is wrong with bringing ``before`` to ``after`` if the templates go from ``old`` to ``new``.

    A resource that a person has taken out misses nothing.
    """
    was, rendered, stood, stands = (
        _facts(old, new.moves),
        _facts(new),
        _facts(before, after.moves),
        _facts(after),
    )
    gone, come = was - rendered, rendered - was
    edits = ((stood - stands) - gone) | ((stands - stood) - come)
    taken_out = {fact[0] for fact in was} - {fact[0] for fact in stood}
    rules = {fact for fact in (come - stands) | (gone & stands) if fact[0] not in taken_out}
    return (
        *(Loss(Wrong.EDIT, *fact[:3]) for fact in sorted(edits)),
        *(Loss(Wrong.RULE, *fact[:3]) for fact in sorted(rules)),
    )


def _facts(plan: PlanResult, moves: Moves | None = None) -> set[Fact]:
    """All that a plan says, in parts; ``moves`` are those of the plan that it is compared with."""
    seen: Counter[tuple[str, str, str]] = Counter()
    facts = set()
    for part in _parts(plan, moves):
        facts.add((*part, seen[part]))
        seen[part] += 1
    return facts


def _parts(plan: PlanResult, moves: Moves | None) -> Iterator[tuple[str, str, str]]:
    for resource in plan.resources:
        address = moves.now(resource.address) if moves is not None else resource.address
        yield address, "", ""
        for path, leaf in _leaves(resource.values, ""):
            yield from ((address, path, part) for part in _pieces(leaf))
        for name, items in resource.site.meta.items():
            yield from ((address, name, item) for item in items)
    for source, target in plan.moves.moved:
        yield _MOVED, source, target


def _leaves(tree: Tree, path: str) -> Iterator[tuple[str, Leaf]]:
    """Every value with its path: elements of a list by their names, those without names by no position."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, tuple):
        for item in tree:
            name = item.get("name") if isinstance(item, Mapping) else None
            yield from _leaves(item, f"{path}[{name if isinstance(name, str) else ''}]")
    elif tree is not None:
        yield path, tree


def _pieces(leaf: Leaf) -> list[str]:
    """A text in the parts in which people edit it: lines, or what is between commas."""
    if not isinstance(leaf, str):
        return [str(leaf.value if isinstance(leaf, Enum) else leaf)]
    return leaf.split("\n") if "\n" in leaf else [part.strip() for part in leaf.split(",")]

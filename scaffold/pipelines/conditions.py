"""When a Woodpecker step runs: the conditions of its workflow and its own, taken together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaffold.reading import listed

EVENTS = ("push", "manual", "deployment", "tag", "cron", "pull_request", "release")


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the ways in which a step may run."""

    events: frozenset[str]
    any_branch: bool
    """Whether it asks for no branch."""
    evaluates: bool
    """Whether it evaluates an expression, such as one about a variable that only some runs are given."""


def both(workflow: Any, step: Any) -> tuple[Condition, ...]:
    """The ways in which a step runs: each ``when`` is a list of alternatives; without one, it always runs."""
    pairs = [(one, other) for one in conditions(workflow) or ({},) for other in conditions(step) or ({},)]
    found = (
        Condition(
            frozenset(events(one)) & frozenset(events(other)),
            "branch" not in one and "branch" not in other,
            "evaluate" in one or "evaluate" in other,
        )
        for one, other in pairs
    )
    return tuple(condition for condition in found if condition.events)


def conditions(when: Any) -> tuple[Mapping[str, Any], ...]:
    """The alternatives of a ``when``."""
    return tuple(item for item in listed(when) if isinstance(item, Mapping))


def events(condition: Mapping[str, Any]) -> tuple[str, ...]:
    """The events that a condition names; every one where it names none."""
    return EVENTS if condition.get("event") is None else _named(condition, "event")


def branches(condition: Mapping[str, Any]) -> tuple[str, ...]:
    """The branches that a condition names."""
    return _named(condition, "branch")


def _named(condition: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """What a condition includes, written out or under ``include``."""
    named = condition.get(key)
    return tuple(map(str, listed(named.get("include") or [] if isinstance(named, Mapping) else named)))

"""What a change asks for that Kubernetes cannot do to existing objects, and the steps to take instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffold.answers.sources import Answers
from scaffold.errors import RefusedError
from scaffold.templates import decisions
from scaffold.templates.questions import Value, asked


@dataclass(frozen=True, slots=True)
class Kept:
    """One value that stays although the answers ask for another: its place in ``recorded``, and both."""

    place: tuple[str, ...]
    kept: Value
    wanted: Value
    answers: tuple[str, ...]
    """The questions whose new answers ask for it."""


def demand_possible(
    before: Mapping[str, Value], wanted: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]
) -> None:
    """Raise :class:`RefusedError`, with the steps to take, for answers that cannot change in place.

    ``before`` are the combined values of the answers that hold, and ``recorded`` is what exists. What is kept
    is never recorded as if it were another.
    """
    found = list(kept_in_place(before, wanted.values, sensed, recorded))
    context = {
        **before,
        "wanted": decisions.defaults({**wanted.values, "sensed": sensed}),
        "kept": [
            {"place": list(one.place), "kept": one.kept, "wanted": one.wanted, "answers": one.answers}
            for one in found
        ],
    }
    findings = []
    for row in decisions.evaluate("templates/decisions/in_place.jinja", context):
        place, steps = (row["answer"],), _numbered(row["steps"])
        findings.append(
            wanted.finding(place, "change.in-place", row["message"], value=row["kept"], fix=steps)
        )
    if findings:
        raise RefusedError(
            "This cannot be changed in place; nothing was written or recorded.",
            "Follow these steps instead, or leave it as it is.",
            findings,
        )


def kept_in_place(
    before: Mapping[str, Value],
    wanted: Mapping[str, Value],
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value],
) -> Iterator[Kept]:
    """What would be different for a new Service with the new answers, and was not with the old ones.

    ``before`` are the combined values of the answers that hold, and ``recorded`` is what exists.
    """
    given = {name: before[name] for name in asked() if name in before}
    old, new = _recorded(given, sensed), _recorded(wanted, sensed)
    held, after = dict(_leaves(recorded)), _recorded(wanted, sensed, recorded)
    differing = [p for p in held if p in old and p in new and old[p] != new[p] != held[p] == after[p]]
    if not differing:
        return
    answers = {**given, **decisions.defaults({**wanted, "sensed": sensed})}
    changed = [name for name in asked() if given.get(name) != answers.get(name)]
    alone = {name: _recorded({**given, name: answers[name]}, sensed) for name in changed}
    for place in differing:
        names = tuple(name for name in changed if alone[name].get(place) != old[place]) or tuple(changed)
        yield Kept(place, held[place], new[place], names)


def _recorded(
    answers: Mapping[str, Value], sensed: Mapping[str, Value], before: Mapping[str, Value] | None = None
) -> dict[tuple[str, ...], Value]:
    """What would be recorded for a new Service, or for one that recorded something ``before``."""
    values = decisions.combine({**answers, "sensed": sensed, "recorded": before or {}})
    return dict(_leaves(values["recorded_now"]))


def _leaves(value: Value, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Value]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    else:
        yield place, value


def _numbered(steps: Value) -> str:
    lines: list[str] = []
    for number, step in enumerate(steps, 1):
        lines.append(f"{number}. {step['text']}")
        lines += (f"   {line}" for line in step["command"].splitlines())
    return "\n".join(lines)

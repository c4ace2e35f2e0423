"""What is inferred about a stack: answers, each with its origin and its certainty."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scaffold.errors import Finding
from scaffold.reading import walked
from scaffold.templates.questions import Value
from scaffold.terraform.planned import PlannedResource

RECORDED = "recorded"
"""Takes the place of a question for an existing name that is kept."""


STOOD = "It was there before the stack was adopted."
"""The reason given where one is needed and nothing shows it: an answer that has it is assumed."""


class Certainty(Enum):
    """How certain an answer is."""

    CERTAIN = "certain"
    """The plan shows it."""
    LIKELY = "likely"
    """It is the usual interpretation of what the plan shows."""
    ASSUMED = "assumed"
    """Nothing shows it, and the template needs it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from: the attribute of a planned resource, and the place of its block."""

    address: str
    attribute: str
    path: str
    line: int | None

    def __str__(self) -> str:
        at = f"{self.path}:{self.line}" if self.line else self.path
        return f"{self.address} {self.attribute} ({at})".replace("  ", " ")


@dataclass(frozen=True, slots=True)
class Inferred:
    """One answer, or a part of one: the items of a list are joined, and the entries of a mapping too."""

    question: str
    value: Value
    origin: Origin
    certainty: Certainty = Certainty.CERTAIN

    @property
    def line(self) -> str:
        """The line with which a person accepts the answer, if it is assumed."""
        return f"{self.question} {self.origin.address} {self.origin.attribute}"

    @property
    def to_settle(self) -> Finding:
        """The finding that a person has to settle the answer before the stack is adopted."""
        value = json.dumps(self.value, ensure_ascii=False)
        fix = f"Give it with --set or --answers, or accept it: `--accept {shlex.quote(self.line)}`"
        return Finding(
            self.origin.path,
            self.origin.line,
            None,
            "adopt.assumed",
            "Nothing in the stack says this, or the reason in it; it is assumed.",
            value,
            fix=fix,
            answer=self.question,
        )


def found(
    question: str,
    value: Value,
    resource: PlannedResource,
    attribute: str = "",
    certainty: Certainty = Certainty.CERTAIN,
) -> Inferred:
    """An answer that an attribute of a resource shows; it is assumed if it contains a stock reason."""
    at = Origin(resource.address, attribute, resource.site.path, resource.site.line)
    return Inferred(question, value, at, Certainty.ASSUMED if has_stock_reason(value) else certainty)


def renamed(
    resource: PlannedResource, name: str, usual: str, *keys: str, attribute: str = "metadata[0].name"
) -> Iterator[Inferred]:
    """The name of what exists, to be recorded at some keys below ``names``, unless it is the usual one."""
    if name and name != usual:
        value: Value = name
        for key in reversed(("names", *keys)):
            value = {key: value}
        yield found(RECORDED, value, resource, attribute)


def has_stock_reason(value: Value) -> bool:
    """Whether any part of an answer is the stock reason, which says nothing."""
    return any(part == STOOD for _, part in walked(value))


def holding(inferred: Sequence[Inferred]) -> tuple[Inferred, ...]:
    """The answers that apply: the last one of a question with a single value, all parts of any other."""
    last = {one.question: one for one in inferred}
    return tuple(
        one for one in inferred if last[one.question] is one or isinstance(one.value, list | Mapping)
    )


def gathered(inferred: Iterable[Inferred]) -> tuple[dict[str, Value], dict[str, Value]]:
    """All answers together, and the names of existing objects to record."""
    values: dict[str, Value] = {}
    for one in inferred:
        values[one.question] = _joined(values.get(one.question), one.value)
    return values, values.pop(RECORDED, {})


def _joined(before: Value, value: Value) -> Value:
    if isinstance(before, list) and isinstance(value, list):
        return before + [item for item in value if item not in before]
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**before, **{key: _joined(before.get(key), part) for key, part in value.items()}}
    return value

"""What follows from the image that answers name, unless they say otherwise.

The same for the wizard, for answer files and for what a docker-compose file gives. Which questions propose
something is declared (``x-suggests``); what they propose is a decision file's to say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from scaffold.answers.sources import Answers, Place
from scaffold.templates import decisions, questions, template
from scaffold.templates.questions import Value

SEEN = frozenset(("given_name", "database", "env", "usual_memory", "paths", "facts"))
"""What the file that suggests sees beside the answer that it follows from."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an image; ``of`` names it, and is empty if nothing is known."""

    of: str = ""
    alike: str = ""
    """A similar name, if that is all that is known."""
    path: str = ""
    """Where it keeps its data, according to its documentation."""
    servers: Sequence[str] = field(default_factory=list)
    """The paths of volumes where a database server keeps its data that the image runs by itself."""
    answers: Mapping[str, Value] = field(default_factory=dict)
    proposed: Mapping[str, Value] = field(default_factory=dict)
    """The initial answer when a person is asked; it never applies by itself."""
    items: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)
    """Of list questions, the keys of each item that hold where the item does not have them."""

    @property
    def origin(self) -> str:
        """Where its answers come from, in words."""
        return f"known of {self.of}"

    def completed(self, name: str, value: Value) -> Value:
        """The answer to a list question with what is known of its items."""
        more = self.items.get(name, ())
        if not isinstance(value, list) or len(more) != len(value):
            return value  # also one that is only proposed so far
        return [{**known, **item} if known else item for known, item in zip(more, value, strict=True)]


def known(values: Mapping[str, Value]) -> Known:
    """What follows from these answers, which need not be valid."""
    for question in questions.asked().values():
        text = values.get(question.name, "")
        if question.suggests and isinstance(text, str):
            volumes = values.get("volumes")
            seen = {
                question.name: text,
                "given_name": _of(str, values.get("name"), ""),
                "database": _of(str, values.get("database"), "none"),
                "env": _of(dict, values.get("env"), {}),
                "usual_memory": questions.asked()["memory"].default,
                "paths": [_path(volume) for volume in volumes] if isinstance(volumes, list) else [],
            }
            return _known(template.root(), question.suggests, json.dumps(seen, default=str))
    return Known()


def filled(given: Answers) -> Answers:
    """The answers, completed with what is known about the image where that applies and they say nothing."""
    found = known(given.values)
    asked = questions.asked()
    more = {n: v for n, v in found.answers.items() if questions.lacks(asked[n], given.values)}
    merged = given.over(Answers(more, {(name,): Place(found.origin) for name in more}))
    return replace(merged, values={n: found.completed(n, v) for n, v in merged.values.items()})


def _of(kind: type, value: Value, instead: Value) -> Value:
    return value if isinstance(value, kind) else instead


def _path(volume: Value) -> str:
    path = volume.get("path") if isinstance(volume, Mapping) else None
    return path if isinstance(path, str) else ""


@lru_cache(64)
def _known(_: Path, table: str, seen: str) -> Known:
    return Known(**decisions.evaluate(table, {**json.loads(seen), "facts": decisions.house()}))

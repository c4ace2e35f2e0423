"""``python3 dev snapshot``: a release's questions, with which later versions have to stay compatible.

Stacks have recorded answers to them, and every later version has to be able to read those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from scaffold.templates import questions, template
from scaffold.templates.questions import Value

DIRECTORY = Path("tests", "released")


def snapshot() -> dict[str, Value]:
    """What recorded answers depend on: whether each question is required, its choices, and its keys."""
    return {
        name: {
            "required": not question.has_default,
            "choices": [option.value for option in question.options],
            "keys": dict(_keys(questions.types().get(name, {}))),
        }
        for name, question in questions.asked().items()
    }


def _keys(schema: Mapping[str, Value], at: str = "") -> Iterator[tuple[str, bool]]:
    """The keys of a structure, at any depth, each with whether it is required."""
    for key, inner in schema.get("properties", {}).items():
        yield f"{at}.{key}", key in schema.get("required", ())
        yield from _keys(inner, f"{at}.{key}")
    for part, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(part), Mapping):
            yield from _keys(schema[part], f"{at}{mark}")


def write() -> None:
    """Save the questions of this version."""
    path = template.root() / DIRECTORY / f"{template.version()}.json"
    path.write_text("{\n" + ",\n".join(_lines(snapshot())) + "\n}\n", "utf-8")


def _lines(found: Mapping[str, Value]) -> Iterator[str]:
    return (f"  {json.dumps(name)}: {json.dumps(said)}" for name, said in found.items())


def broken(before: Mapping[str, Value]) -> Iterator[str]:
    """Why this version could not read the answers that an earlier one recorded, question by question."""
    now = questions.asked()
    renamed = {question.was for question in now.values() if question.was}
    for name in before.keys() - now.keys() - renamed:
        yield f"{name} is gone: give the question that takes its place `x-was: {name}`"
    for name, said in snapshot().items():
        if name in before:
            yield from _broken(name, before[name], said)
        if said["required"] and not before.get(now[name].was or name, {}).get("required"):
            yield f"{name} is required, and no earlier stack has an answer: give it a default"


def _broken(name: str, before: Mapping[str, Value], said: Mapping[str, Value]) -> Iterator[str]:
    for choice in before["choices"]:
        if said["choices"] and choice not in said["choices"]:
            yield f"{name} has no choice {choice} any more: stacks have recorded it"
    known, now = before["keys"], said["keys"]
    yield from (f"{name}{key} is gone: stacks have recorded it" for key in known if key not in now)
    for key, required in now.items() if known else ():
        around = key.rpartition(".")[0]
        is_old = key in known or not around.strip("[]*.") or around.removesuffix("[]") in known
        if required and is_old and not known.get(key):
            yield f"{name}{key} is required, and no earlier stack has it: give it a default"

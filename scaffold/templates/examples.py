"""Examples of answers, and the schemas of answers with these examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scaffold.templates import template

if TYPE_CHECKING:
    from scaffold.templates.questions import Value


@template.kept
def single() -> Mapping[str, Value]:
    """An example of an answer to each question without choices."""
    return dict(_beside("examples.yml"))


@template.kept
def together() -> tuple[Mapping[str, Value], ...]:
    """Answers that belong together: examples of each key of each structure, and of each choice."""
    return tuple(_beside("examples_more.yml"))


def _beside(file: str) -> Value:
    text = (template.root() / "templates" / "questions" / file).read_text("utf-8")
    return template.parsed(text)


def shown(schema: Mapping[str, Value], given: list[Value]) -> dict[str, Value]:
    """A schema with examples for itself and everything in it: one of each form among the ``given`` ones."""
    forms: dict[Value, Value] = {}
    for value in given:
        forms.setdefault(tuple(value) if isinstance(value, Mapping) else type(value), value)
    result = {**schema, **({"examples": list(forms.values())} if forms else {})}
    if isinstance(items := schema.get("items"), Mapping):
        result["items"] = shown(items, [item for value in given for item in value])
    mappings = [value for value in given if isinstance(value, Mapping)]
    inner = schema.get("properties", {})
    if inner:
        result["properties"] = {
            key: shown(part, [value[key] for value in mappings if key in value])
            for key, part in inner.items()
        }
    if isinstance(other := schema.get("additionalProperties"), Mapping):
        left = [item for value in mappings for key, item in value.items() if key not in inner]
        result["additionalProperties"] = shown(other, left)
    return result

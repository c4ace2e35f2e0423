"""The JSON Schema of an answer file, which follows from the questions, and what validates by a schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from scaffold.templates import decisions
from scaffold.templates.questions import Value, asked, condition, conditions_in, fits, properties

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS = {
    "string": "text",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
"""The words for the types of JSON Schema."""


def schema(*, together: bool = True) -> dict[str, Value]:
    """The JSON Schema (2020-12) of an answer file.

    Unknown keys are refused, descriptions tell the consequences of each choice, and a question that
    applies only under a condition is only allowed there. Without ``together`` it says nothing of unknown
    keys and of what is needed because of another answer, which the command tells with more words.
    """
    always: dict[str, Value] = {}
    conditional: list[Value] = []
    defaults = {question.name: question.default for question in asked().values()}
    for question in asked().values():
        own = properties()[question.name]
        if together:
            own = _with_needs(own)
        if applies := condition(question):
            then: dict[str, Value] = {"properties": {question.name: own}}
            if not question.has_default:
                then |= _given_or_known(question.name) if together else {"required": [question.name]}
            conditional.append({"if": _holds(applies, defaults), "then": then})
        else:
            always[question.name] = own
        if together and question.required:
            where = {**applies, **conditions_in(question.required)}
            conditional.append(
                {"if": _holds(where, defaults), "then": _needed(question.name, question.pattern)}
            )
    return {
        "$schema": DIALECT,
        "title": "Answers for a new Service",
        "type": "object",
        "properties": always,
        "required": [q.name for q in asked().values() if not q.has_default and not condition(q)],
        "allOf": conditional,
        **({"unevaluatedProperties": False} if together else {}),
    }


def _given_or_known(name: str) -> dict[str, Value]:
    """That a question is answered, or that the image is one for which the answer is known."""
    known = decisions.evaluate("templates/decisions/known_repositories.jinja", {"answer": name})
    given = {"required": [name]}
    if not known:
        return given
    pattern = f"^({'|'.join(known)})([:@].*)?$".replace(".", r"\.").replace(r"\.*", ".*")
    return {"anyOf": [given, {"required": ["image"], "properties": {"image": {"pattern": pattern}}}]}


def _holds(applies: Mapping[str, Value], defaults: Mapping[str, Value]) -> dict[str, Value]:
    """The schema of what meets a condition; an answer whose default meets it may be left out."""
    required = [other for other, wanted in applies.items() if not fits(defaults.get(other), wanted)]
    return {"properties": applies, **({"required": required} if required else {})}


def _needed(name: str, pattern: str) -> dict[str, Value]:
    text = {"minLength": 1, **({"pattern": pattern} if pattern else {})}
    return {"properties": {name: text}, "required": [name]}


def _with_needs(part: Mapping[str, Value]) -> dict[str, Value]:
    """A part of the schema, with what its keys demand of each other (``x-required``, ``x-pattern``)."""
    result = dict(part)
    for key in ("items", "additionalProperties"):
        if isinstance(part.get(key), Mapping):
            result[key] = _with_needs(part[key])
    if inner := part.get("properties"):
        result["properties"] = {name: _with_needs(own) for name, own in inner.items()}
        if needs := list(_needs(inner)):
            result["allOf"] = needs
    return result


def _needs(inner: Mapping[str, Mapping[str, Value]]) -> Iterator[dict[str, Value]]:
    defaults = {name: own.get("default") for name, own in inner.items()}
    for name, own in inner.items():
        if "x-required" in own:
            where = _holds(conditions_in(own["x-required"]), defaults)
            yield {"if": where, "then": _needed(name, own.get("x-pattern", ""))}
        elif "x-pattern" in own:
            yield {"properties": {name: {"pattern": own["x-pattern"]}}}


def validator(schema: Mapping[str, Value], **options: Value) -> Value:
    """jsonschema's validator for a schema; importing it costs more than all else that valid answers need."""
    return _of_the_template()(schema, **options)


@cache
def _of_the_template() -> Value:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Value, regex: str, value: Value, __: Value) -> Iterator[ValidationError]:
        # `$` would also match before a line break at the end.
        if isinstance(value, str) and not re.search(f"(?:{regex})(?!\n)", value):
            yield ValidationError("pattern")

    def integer(_: Value, value: Value) -> bool:
        # By JSON Schema 80.0 is a whole number too; Copier takes only 80.
        return isinstance(value, int) and not isinstance(value, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", integer)
    return extend(Draft202012Validator, {"pattern": pattern}, type_checker=types)  # type: ignore[no-untyped-call]

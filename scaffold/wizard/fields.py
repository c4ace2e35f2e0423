"""What one field of an answer may be, as its declaration says: its form, typed text, how it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import yaml

from scaffold.answers import Path
from scaffold.questions import Option, Question, Value, asked, types


class Form(Enum):
    """How a field is answered."""

    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    WORDS = "words"
    """A list of words on one line."""
    PAIRS = "pairs"
    """A mapping of names to text: ``NAME=value`` a line."""
    YAML = "yaml"
    """Anything else, as YAML on one line."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer, or an answer that is one field."""

    form: Form
    help: str
    has_default: bool
    default: Value
    ask: str | bool
    options: tuple[Option, ...] = ()
    allowed: str = ""
    mend: str = ""


def item_schema(question: Question) -> Mapping[str, Value]:
    """The schema of one item, for a question that takes a list of mappings; else nothing."""
    schema = types().get(question.value_type, {})
    items: Mapping[str, Value] = schema.get("items", {}) if schema.get("type") == "array" else {}
    return items if items.get("properties") else {}


def is_pairs(question: Question) -> bool:
    """Whether a question takes a mapping of names to text, asked pair by pair."""
    return _form(types().get(question.value_type, {})) is Form.PAIRS


def is_list(question: Question) -> bool:
    """Whether a question is asked item by item."""
    return is_pairs(question) or bool(item_schema(question))


def opening(question: Question) -> str:
    """The field whose answer begins an item of a list question: the first that is required."""
    schema = item_schema(question)
    required = schema.get("required") or list(schema["properties"])
    return str(required[0])


def item_fields(question: Question) -> tuple[str, ...]:
    """The fields of an item, in the order in which they are asked: the required ones first."""
    schema = item_schema(question)
    required = list(schema.get("required", ()))
    return (*required, *(name for name in schema["properties"] if name not in required))


def field_at(path: Path) -> Field:
    """The declaration of the field at ``path``: a question's own, or that of a key of its items."""
    question = asked()[str(path[0])]
    if len(path) == 1:
        return _of_question(question)
    schema = item_schema(question)
    name = str(path[-1])
    return _of_schema(name, schema["properties"][name], required=name in schema.get("required", ()))


def _of_question(question: Question) -> Field:
    schema = types().get(question.value_type, {})
    options = question.options
    if question.type == "bool":
        values = sorted((True, False), key=lambda value: value is not question.default)
        options = tuple(Option(value, str(question.consequences.get(value, ""))) for value in values)
    form = Form.CHOICE if options else _form(schema) if schema else _FORMS.get(question.type, Form.YAML)
    return Field(
        form, question.help, question.has_default, question.default, question.ask, options,
        schema.get("allowed", ""), schema.get("mend", ""),
    )  # fmt: skip


def _of_schema(name: str, schema: Mapping[str, Value], *, required: bool) -> Field:
    values: Sequence[Value] = schema.get("enum", ())
    whole = asked().get(name)
    if "boolean" in _kinds(schema):
        values = (None, False, True) if "null" in _kinds(schema) else (False, True)
    # A key of an item that is called like a question is that question, asked for the item alone.
    told = schema.get("x-consequences") or (whole.consequences if whole else {})
    options = tuple(Option(value, str(told.get(value, ""))) for value in values)
    return Field(
        Form.CHOICE if options else _form(schema),
        schema.get("description", ""),
        not required,
        schema.get("default"),
        schema.get("x-ask", required),
        options,
        schema.get("allowed", ""),
        schema.get("mend", ""),
    )


_FORMS = {"str": Form.TEXT, "int": Form.NUMBER}


def _kinds(schema: Mapping[str, Value]) -> Sequence[str]:
    kinds = schema.get("type", ())
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _form(schema: Mapping[str, Value]) -> Form:
    kinds = _kinds(schema)
    if "string" in kinds:
        return Form.TEXT
    if "integer" in kinds:
        return Form.NUMBER
    if "array" in kinds and schema.get("items", {}).get("type") == "string":
        return Form.WORDS
    extra = schema.get("additionalProperties")
    if "object" in kinds and isinstance(extra, Mapping) and "string" in _kinds(extra):
        return Form.PAIRS
    return Form.YAML


def typed(field: Field, text: str) -> Value:
    """The value that a text means. What it may not be is left to the validation."""
    text = text.strip()
    match field.form:
        case Form.NUMBER:
            return int(text) if re.fullmatch(r"-?\d{1,18}", text) else (text or None)
        case Form.WORDS:
            return [word for word in re.split(r"[,\s]+", text) if word]
        case Form.PAIRS | Form.YAML:
            try:
                return yaml.safe_load(text) if text else field.default
            except yaml.YAMLError:
                return text
        case _:
            return text


def editable(field: Field, value: Value) -> str:
    """The text that :func:`typed` turns into this value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if field.form is Form.WORDS and isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def shown(value: Value) -> str:
    """A value as people read it, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(map(shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(item)}" for key, item in value.items())
    return str(value)

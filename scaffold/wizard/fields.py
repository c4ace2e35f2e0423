"""What one field of an answer may be, according to its declaration, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scaffold.answers import notation
from scaffold.answers.sources import Path
from scaffold.templates.questions import JSON_TYPES, Option, Question, Value, asked, types
from scaffold.templates.template import kept


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer, or an answer that is one field: chosen from options, or typed on a line."""

    schema: Mapping[str, Value]
    help: str
    has_default: bool
    default: Value
    ask: str | bool
    options: tuple[Option, ...] = ()
    needs: Mapping[Value, str] = field(default_factory=dict)

    @property
    def allowed(self) -> str:
        """What is allowed, and how to fix anything else."""
        told = self.schema if "allowed" in self.schema else self.schema.get("items", {})
        return f"Allowed: {told['allowed']}. {told.get('fix', '')}".strip() if "allowed" in told else ""


def item_schema(question: Question) -> Mapping[str, Value]:
    """The schema of one item, for a question that takes a list of mappings; else nothing."""
    return _item_schemas().get(question.name, {})


@kept
def _item_schemas() -> Mapping[str, Mapping[str, Value]]:
    lists = {
        name: schema.get("items", {}) for name, schema in types().items() if schema.get("type") == "array"
    }
    return {name: items for name, items in lists.items() if items.get("properties")}


def is_list(question: Question) -> bool:
    """Whether a question takes a list of mappings, whose fields can be asked one by one."""
    return bool(item_schema(question))


def line_fields(question: Question) -> tuple[str, ...]:
    """The fields of an item that are typed with the list itself; the first tells one item from another."""
    schema = item_schema(question)
    return tuple(schema.get("x-line") or (schema.get("required") or list(schema["properties"]))[:1])


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
    kind = JSON_TYPES.get(question.type)
    schema = types().get(question.name) or ({"type": kind} if kind else {})
    options = question.options
    if question.type == "bool":
        values = sorted((True, False), key=lambda value: value is not question.default)
        options = tuple(Option(value, str(question.consequences.get(value, ""))) for value in values)
    ask = question.core or question.ask
    return Field(schema, question.help, question.has_default, question.default, ask, options, question.needs)


def _of_schema(name: str, schema: Mapping[str, Value], *, required: bool) -> Field:
    values: Sequence[Value] = schema.get("enum", ())
    whole = asked().get(name)
    if "boolean" in notation.kinds(schema):
        values = (None, False, True) if "null" in notation.kinds(schema) else (False, True)
    # A key of an item that is called like a question is that question, asked for the item alone.
    told = schema.get("x-consequences") or (whole.consequences if whole else {})
    return Field(
        schema,
        schema.get("description", ""),
        not required,
        schema.get("default"),
        schema.get("x-ask", required),
        tuple(Option(value, str(told.get(value, ""))) for value in values),
        schema.get("x-needs") or (whole.needs if whole else {}),
    )


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

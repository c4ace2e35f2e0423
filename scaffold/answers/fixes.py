"""What an invalid answer was meant to be, as YAML to put in its place.

All slips are handled in one way: a key is read as the known key that people mean by it, and a value in the
other notations that people use for it (words as in the wizard, quotes, units, mappings for lists and lists
for mappings). Whatever is valid then is proposed, never taken: stock Copier reads the same answers, and knows
one notation. The words are in ``templates/questions/slips.yml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import yaml
from jinja2 import TemplateError

from scaffold.answers import notation
from scaffold.errors import UsageError, alike
from scaffold.reading import walked
from scaffold.templates import decisions, questions, template
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Value
from scaffold.templates.schema import validator

Schema = Mapping[str, Value]
Meant = Mapping[Value, Value]
"""Keys with their values; empty if it is not clear what was meant."""

_ENV_NAME = re.compile("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


@template.kept
def _slips() -> Mapping[str, Mapping[str, Value]]:
    text = (template.root() / "templates" / "questions" / "slips.yml").read_text("utf-8")
    slips: Mapping[str, Mapping[str, Value]] = template.parsed(text)
    return slips


def right_key(key: Value, known: Collection[str]) -> str:
    """The known key that people mean by another one; empty if no key is similar."""
    return next(iter(_right_keys(str(key), known)), "")


def why_dropped(key: Value) -> str:
    """Why a key has no replacement, if that is known."""
    return str(_slips()["dropped"].get(str(key), ""))


def meant(key: Value, value: Value, known: Mapping[str, Schema], given: Collection[Value]) -> Meant:
    """What was meant by a key that is unknown here, or that cannot have this value.

    ``known`` are the keys of this place, each with its schema, and ``given`` those that are taken. A mapping
    under a key that says nothing here may hold the keys of this place: each is read by itself.
    """
    for name in _right_keys(str(key), known):
        if name not in given and (found := fixed(name, known[name], value)):
            return found
    if key in known or not isinstance(value, Mapping):
        return {}
    parts = [
        fixed(k, known[k], v) if k in known and k not in given else meant(k, v, known, given)
        for k, v in value.items()
    ]
    together = {name: v for part in parts for name, v in part.items()}
    return together if all(parts) and len(together) == sum(map(len, parts)) else {}


def fixed(key: Value, schema: Schema, value: Value, kind: str = "") -> Meant:
    """``key`` with the value that was meant by ``value``, valid by ``schema``.

    ``kind`` is the key's name among the slips, where it is another one: of an item, its list's and ``[]``.
    """
    judge = validator(schema)
    for reading in _readings(kind or str(key), schema, value):
        if judge.is_valid(reading):
            return {key: reading if reading is value else suggested(key, schema, reading)}
    return {}


def supposed(values: Mapping[str, Value], astray: Iterable[str]) -> dict[str, Value]:
    """The answers, with what was meant in place of those that are ``astray``."""
    result = dict(values)
    for name in astray:
        if found := meant(name, values[name], questions.properties(), values):
            del result[name]
            result.update(found)
    return result


def shown(path: Sequence[str | int], found: Meant, schema: Schema) -> dict[str, str]:
    """The YAML that fixes the value at a path, else an example of what its schema allows: for a finding."""
    if found and (text := piece(path[:-1], found)):
        return {"write": text}
    return {"example": piece((), {path[-1]: schema["examples"][0]})} if "examples" in schema else {}


def piece(path: Sequence[str | int], found: Meant) -> str:
    """The YAML of what was meant at ``path``, one line per key; an item of a list has a number as its key.

    Empty if it would show what looks like a literal secret, or is no usual name where one is needed.
    """
    around = tuple(map(str, path))
    # Items of a list are under the list's name.
    texts = [
        (around + tuple(str(key) for key in below if not isinstance(key, int)), str(value))
        for below, value in walked(found)
        if not isinstance(value, Mapping | list)
    ]
    named = [text for place, text in texts if "secrets" in place and place[-1] in ("env", "secrets")]
    secret = any(suspected([("".join(place[-1:]), text) for place, text in texts]))
    if secret or not all(map(_ENV_NAME.fullmatch, named)):
        return ""
    lines = []
    for key, value in found.items():
        text = in_line(value)
        lines.append(f"- {text}" if isinstance(key, int) else f"{key}: {text}")
    return "\n".join(lines)


def in_line(value: Value) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=2**30, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _right_keys(key: str, known: Collection[str]) -> list[str]:
    # Short names are all similar: they have to be closer than what is enough for difflib.
    alone = key in known or key in _slips()["dropped"]
    near = "" if alone else alike(key.lower().replace("-", "_"), known, 0.75)
    return [name for name in (*_slips()["keys"].get(key, ()), near) if name in known]


def suggested(key: Value, schema: Schema, item: Value) -> Value:
    """The value at ``key``; for an item of a list, with what the wizard proposes for its keys."""
    result = item
    for name, part in schema.get("properties", {}).items() if isinstance(item, Mapping) else ():
        if isinstance(key, int) and "x-suggest" in part and name not in item:
            text = decisions.compiled(part["x-suggest"]).render(item=item, index=key)
            result = {**result, **({name: text} if text else {})}
    return result


def _readings(name: str, schema: Schema, value: Value) -> Iterator[Value]:
    """What a value may mean, the likeliest first; some of it may be invalid."""
    kinds = notation.kinds(schema)
    yield value
    if isinstance(value, str | int | float):
        text = value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, float) and value.is_integer():
            yield int(value)
        yield _slips()["values"].get(name, {}).get(text.lower(), text)
        yield from _typed(name, schema, text)
    if template_ := _slips()["forms"].get(name):
        # It may be for values of another form.
        with suppress(TemplateError, ValueError, TypeError, LookupError, AttributeError):
            yield from _typed(name, schema, decisions.compiled(template_).render(value=value))
    if "array" in kinds:
        yield from _lists(name, schema.get("items", {}), value)
    elif "object" in kinds:
        yield from _mappings(schema, value)
    elif isinstance(value, list) and len(value) == 1:
        yield from _readings(name, schema, value[0])


def _typed(name: str, schema: Schema, text: str) -> Iterator[Value]:
    """What a text means if it is typed in the wizard, as a line or as a word of one."""
    try:
        value = notation.read(schema, text)
    except UsageError:
        value = None
    yield from _lists(name, schema.get("items", {}), value) if isinstance(value, list) else [value]
    if schema.get("properties"):
        try:
            yield from _mappings(schema, notation.item(schema, text))
        except UsageError:
            return


def _lists(name: str, items: Schema, value: Value) -> Iterator[Value]:
    if isinstance(value, list):
        each = [fixed(number, items, item, f"{name}[]") for number, item in enumerate(value)]
        if all(each):
            yield [item for part in each for item in part.values()]
        return
    if isinstance(value, Mapping):
        fields = ["name", *(items.get("x-line") or items.get("required", ()))]
        named = [_named(key, item, fields) for key, item in value.items()]
        yield from _lists(name, items, named)
    if not isinstance(value, str | None):
        yield from _lists(name, items, [value])


def _named(key: Value, item: Value, fields: Sequence[str]) -> Value:
    """An item that a mapping has under its name: a mapping, or the value of its second field."""
    if isinstance(item, Mapping):
        return {"name": key, **item}
    return dict(zip(fields[1:], (key, item), strict=False))


def _mappings(schema: Schema, value: Value) -> Iterator[Value]:
    """A mapping whose values are each read on their own; also as a list of ``NAME=value`` or of pairs."""
    if isinstance(value, list):
        pairs = [_pair(item) for item in value]
        if all(pairs):
            yield from _mappings(schema, {key: item for pair in pairs for key, item in pair.items()})
    if not isinstance(value, Mapping):
        return
    known, other = schema.get("properties", {}), schema.get("additionalProperties")
    parts: list[Meant] = []
    for key, item in value.items():
        if inner := known.get(key) or other:
            parts.append(fixed(key, inner, item))
        else:
            parts.append(meant(key, item, known, value))
    if all(parts):
        yield {key: item for part in parts for key, item in part.items()}


def _pair(item: Value) -> Meant:
    if isinstance(item, str) and "=" in item:
        key, _, text = item.partition("=")
        return {key: text}
    if isinstance(item, Mapping) and item.keys() == {"name", "value"}:
        return {item["name"]: item["value"]} if _is_plain(item["name"]) else {}
    return item if isinstance(item, Mapping) and len(item) == 1 else {}


def _is_plain(value: Value) -> bool:
    return isinstance(value, str | int | float)

"""Facts that a monorepo overrides in ``scaffold.yml``, in the form of the templates' own, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from scaffold.errors import Finding, MissingError, nearest
from scaffold.monorepo.root import OVERRIDES
from scaffold.reading import Text, YamlError, read
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.templates.schema import KINDS, validator

if TYPE_CHECKING:
    from jsonschema import ValidationError

_Path: TypeAlias = tuple[str | int, ...]
_Schema: TypeAlias = dict[str, Value]
_ANY = "*"
_PATTERN = ("^", "(")
"""How a fact begins that is a regular expression."""
_KEY = re.compile(r"[A-Za-z][\w-]*")
"""A key that the templates know. Any other is the name of a thing outside, such as a file's."""
_LINE = {
    "type": "string",
    "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*\Z",
    "allowed": "one line of text",
}
_WHAT = {
    "const": "is fixed: the templates are written for it",
    "enum": "is not one of the choices",
    "minLength": "is empty",
}


def overrides(root: Path) -> Mapping[str, Value]:
    """The facts in a monorepo's ``scaffold.yml``; none if there is no such file.

    Raises :class:`MissingError` with everything in it that is not as :func:`schema` says.
    """
    path = root / OVERRIDES
    return demand_usable(path.read_bytes()) if path.is_file() else {}


def demand_usable(content: bytes) -> Mapping[str, Value]:
    """The facts that a ``scaffold.yml`` with this content gives. Raises what :func:`overrides` raises."""
    try:
        text = read(content)
    except YamlError as error:
        at = f"{OVERRIDES}:{error.line}" if error.line else OVERRIDES
        raise MissingError(f"{at} {error.message}.", error.fix) from error
    facts: Value = {} if text.value is None else text.value
    if not isinstance(facts, dict):
        raise MissingError(f"{OVERRIDES} contains no facts.", "Write one `fact: value` per line.")
    if wrong := _wrong(text, merged(decisions.house(), facts)):
        raise MissingError(
            f"{OVERRIDES} has invalid facts.", "Remove them, or correct their names and values.", wrong
        )
    return facts


def said(root: Path) -> dict[str, Value]:
    """The facts of a monorepo without what is sensed: the template's own, with ``scaffold.yml`` over them.

    Raises what :func:`overrides` does.
    """
    return merged(decisions.house(), overrides(root))


def merged(lower: Mapping[str, Value], upper: Mapping[str, Value]) -> dict[str, Value]:
    """Two mappings merged at any depth: the values of the upper one count."""
    result = dict(lower)
    for key, value in upper.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


@cache
def schema() -> _Schema:
    """The JSON Schema of all facts, derived from their defaults.

    The keys, types and forms are those of the defaults; a list may be of any length, and names of things
    outside are free. What else the templates rely on stands in ``house_types.yml``.
    """
    return _derived(decisions.house(), ())


def is_of_templates(path: Sequence[str]) -> bool:
    """Whether the templates are written for what is at a path of the facts, or inside it."""
    return any(
        _fits(path, place.split(".")[: len(path)]) and more.keys() & {"x-const", "x-enum"}
        for place, more in template.facts("house_types").items()
    )


def stands_apart(path: Sequence[str]) -> bool:
    """Whether the values in a mapping of the facts do not belong together: what differs is one of them."""
    return any(
        _fits(path, place.split(".")) and "x-apart" in more
        for place, more in template.facts("house_types").items()
    )


def _derived(default: Value, path: tuple[str, ...]) -> _Schema:
    made = _of_form(default, path)
    for place, more in template.facts("house_types").items():
        if _fits(path, place.split(".")):
            made |= {key: _said(key, said, default) for key, said in more.items()}
    return {key.removeprefix("x-"): said for key, said in made.items()}


def _of_form(default: Value, path: tuple[str, ...]) -> _Schema:
    if isinstance(default, Mapping):
        return _of_mappings([default], path)
    if isinstance(default, list):
        are_mappings = bool(default) and isinstance(default[0], Mapping)
        below = (*path, _ANY)
        items = _of_mappings(default, below) if are_mappings else _derived((default or [""])[0], below)
        return {"type": "array", "items": items}
    if isinstance(default, bool):
        return {"type": "boolean"}
    if isinstance(default, int):
        return {"type": "integer", "minimum": min(default, 1), "allowed": f"at least {min(default, 1)}"}
    if default.startswith(_PATTERN):
        return {"type": "string", "format": "regex", "allowed": "a regular expression"}
    return {**_LINE, "minLength": min(len(default), 1)}


def _of_mappings(rows: Sequence[Mapping[str, Value]], path: tuple[str, ...]) -> _Schema:
    """Similar mappings: each may have what any of them has, and has what all of them have."""
    known: dict[str, Value] = {}
    for key, value in chain.from_iterable(row.items() for row in rows):
        if known.get(key, True):  # one that is empty shows that it may be
            known[key] = value
    if not all(map(_KEY.fullmatch, known)) or not known:
        item = next(iter(known.values()), "")
        return {
            "type": "object",
            "propertyNames": _LINE,
            "additionalProperties": _derived(item, (*path, _ANY)),
        }
    return {
        "type": "object",
        "properties": {key: _derived(value, (*path, key)) for key, value in known.items()},
        "required": [key for key in known if all(key in row for row in rows)],
        "additionalProperties": False,
    }


def _said(key: str, said: Value, default: Value) -> Value:
    """What ``house_types.yml`` says, with a word of its own too: the default alone, or what there is."""
    if key == "x-const":
        return default
    if key == "x-enum":
        return sorted(set(_values(decisions.house(), said.split("."))))
    return said


def _values(value: Value, path: Sequence[str]) -> Iterator[str]:
    """The texts at a path of the defaults; for a path that ends at a mapping, its keys."""
    if not path:
        yield from [value] if isinstance(value, str) else map(str, value)
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            if path[0] in (_ANY, key):
                yield from _values(item, path[1:])


def _fits(path: Sequence[str], place: Sequence[str]) -> bool:
    return len(path) == len(place) and all(part in (_ANY, key) for key, part in zip(path, place, strict=True))


def _wrong(text: Text, facts: Mapping[str, Value]) -> list[Finding]:
    """One finding for each place that is not as the schema says: of its type, before all else."""
    from jsonschema import FormatChecker

    errors = validator(schema(), format_checker=FormatChecker(["regex"])).iter_errors(facts)
    found: dict[_Path, Finding] = {}
    for error in sorted(errors, key=lambda error: error.validator != "type"):
        for told in _told(error):
            found.setdefault(told[0], _finding(text, *told))
    return sorted(found.values(), key=lambda finding: (finding.line or 0, finding.message))


def _told(error: ValidationError) -> Iterator[tuple[_Path, str, str, str, str, str | None]]:
    """The places that an error is about: code, what is wrong, what is allowed, the fix, and the value."""
    rule, part, value = str(error.validator), cast("_Schema", error.schema), cast("Value", error.instance)
    path: _Path = tuple(error.absolute_path)
    if rule == "additionalProperties":
        known = list(part["properties"])
        for key in value.keys() - set(known):
            fix = nearest(str(key), known) or "Remove it."
            yield (*path, str(key)), "unknown", "is not a fact", ", ".join(known), fix, None
    elif rule == "required":
        for key in set(part["required"]) - value.keys():
            allowed = KINDS[part["properties"][key]["type"]]
            yield (*path, str(key)), "missing", "is missing", allowed, "Write it.", None
    elif "propertyNames" in error.absolute_schema_path:
        what, fix = "has an invalid name", "Correct the name."
        yield (*path, str(value)), "name", what, _LINE["allowed"], fix, None
    else:
        choices = [_shown(choice) for choice in part.get("enum", [part["const"]] if "const" in part else [])]
        allowed = KINDS[part["type"]] if rule == "type" else ", ".join(choices) or part.get("allowed", "text")
        code = {"type": "kind", "format": "pattern"}.get(rule, rule)
        what = f"is {_kind(value)}" if rule == "type" else _WHAT.get(rule, f"is not {allowed}")
        fix = nearest(_shown(value), choices) or f"Write {allowed}, or remove it."
        yield path, code, what, allowed, fix, _shown(value)


def _finding(
    text: Text, path: _Path, code: str, what: str, allowed: str, fix: str, value: str | None
) -> Finding:
    """A finding about the fact at ``path``, at its place or the nearest around it."""
    places = {place.path: place for place in text.places}
    at = next(places[path[:end]] for end in range(len(path), -1, -1) if path[:end] in places)
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return Finding(OVERRIDES, at.line, at.column, f"facts.{code}", f"{name} {what}.", value, allowed, fix)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _kind(value: Value) -> str:
    types = (bool, "boolean"), (str, "string"), (list, "array"), (Mapping, "object")
    name = next((KINDS[name] for kind, name in types if isinstance(value, kind)), "")
    return name or (
        "empty" if value is None else "a number" if isinstance(value, int | float) else "of another kind"
    )

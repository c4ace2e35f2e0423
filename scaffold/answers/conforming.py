"""Whether a value certainly conforms to a JSON Schema, for the keywords that the types of answers use.

To say what is wrong is jsonschema's part; its import costs more than all else that a right answer needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from scaffold.templates.questions import Value

_KINDS = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object", type(None): "null"}
_NOTES = frozenset({"description", "default", "allowed", "fix"})
"""Keywords that demand nothing, besides those that begin with ``x-``."""


def conforms(value: Value, schema: Mapping[str, Value]) -> bool:
    """Whether ``value`` is certainly valid by ``schema``.

    False says nothing: the value may be wrong, or of a type or under a keyword that is not known here.
    """
    for keyword, wanted in schema.items():
        if keyword in _NOTES or keyword.startswith("x-"):
            continue
        about, rule = _RULES.get(keyword, (object, _unknown))
        if isinstance(value, about) and not rule(value, wanted, schema):
            return False
    return True


def matches(pattern: str, text: str) -> bool:
    """Whether ``pattern`` is found in ``text``; its ``$`` does not stand before a line break."""
    return re.search(f"(?:{pattern})(?!\n)", text) is not None


def _has_type(value: Value, types: str | list[str], _: Mapping[str, Value]) -> bool:
    return _KINDS.get(type(value)) in ([types] if isinstance(types, str) else types)


def _has_known_keys(value: Value, others: Value, schema: Mapping[str, Value]) -> bool:
    unknown = value.keys() - schema.get("properties", {}).keys()
    return not unknown if others is False else all(conforms(value[key], others) for key in unknown)


def _unknown(*_: Value) -> bool:
    return False


_RULES: Mapping[str, tuple[type, Callable[[Value, Value, Mapping[str, Value]], bool]]] = {
    "type": (object, _has_type),
    "enum": (object, lambda value, choices, _: any(type(value) is type(c) and value == c for c in choices)),
    "pattern": (str, lambda value, pattern, _: matches(pattern, value)),
    "minLength": (str, lambda value, least, _: len(value) >= least),
    "maxLength": (str, lambda value, most, _: len(value) <= most),
    "minimum": (int, lambda value, least, _: value >= least),
    "maximum": (int, lambda value, most, _: value <= most),
    "minItems": (list, lambda value, least, _: len(value) >= least),
    "items": (list, lambda value, schema, _: all(conforms(item, schema) for item in value)),
    "required": (dict, lambda value, keys, _: value.keys() >= set(keys)),
    "properties": (
        dict,
        lambda value, of, _: all(conforms(value[k], of[k]) for k in of.keys() & value.keys()),
    ),
    "propertyNames": (dict, lambda value, schema, _: all(conforms(key, schema) for key in value)),
    "additionalProperties": (dict, _has_known_keys),
}
"""What each keyword demands, and of which values: as in JSON Schema, it says nothing of the others."""

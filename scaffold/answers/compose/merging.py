"""One part of a compose file merged over another, as the specification says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scaffold.templates.questions import Value

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MAPPINGS = {"environment", "labels", "sysctls", "extra_hosts", "annotations", "networks", "depends_on"}
"""Keys of a service that are written as a list too."""
_REPLACED = {"command", "entrypoint", "test"}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with ``!reset`` or ``!override``: it replaces what it is laid over."""

    value: Value


def plain(value: Value) -> Value:
    """A value after its tags have been applied."""
    if isinstance(value, Tagged):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item != Tagged(None)}
    return [plain(item) for item in value] if isinstance(value, list) else value


def service(value: Value) -> dict[str, Value]:
    """A service's body, in which every key that may be a list or a mapping is a mapping."""
    body = value if isinstance(value, dict) else {}
    return {
        str(key): as_mapping(item, str(key)) if key in _MAPPINGS and isinstance(item, list) else item
        for key, item in body.items()
    }


def as_mapping(items: list[Value], of: str) -> dict[str, Value]:
    """``NAME=value`` and ``NAME`` as keys; an item without a valid name has its number as its key."""
    found: dict[str, Value] = {}
    for index, item in enumerate(items):
        text = str(item)
        name = re.split(r"[=:]" if re.match(r"[\w.-]+:", text) else "=", text, maxsplit=1)[0]
        rest = text[len(name) :]
        usual = r"[A-Za-z_]\w*" if of == "environment" and not rest else r"[\w./*-]+"
        if not re.fullmatch(usual, name):
            found[f"[{index}]"] = text
        else:
            found[name] = _like(item, rest[1:]) if rest else None
    return found


def _like(original: Value, text: str) -> str:
    """A part of a text, which keeps what is known about the whole."""
    if not hasattr(original, "names"):
        return text
    part: str = type(original)(text)
    part.names = original.names  # type: ignore[attr-defined]
    return part


def merged(below: Value, above: Value, key: str = "") -> Value:
    """``above`` merged over ``below``: mappings by key, lists concatenated, commands replaced.

    Tags stay until :func:`plain`, for what is laid under later.
    """
    below = plain(below) if isinstance(below, Tagged) else below
    if isinstance(below, dict) and isinstance(above, dict):
        laid = {name: merged(below[name], v, str(name)) if name in below else v for name, v in above.items()}
        return {**below, **laid}
    if isinstance(below, list) and isinstance(above, list) and key not in _REPLACED:
        same = _SAME.get(key, lambda item: item)
        taken = [same(item) for item in above]
        return [*(item for item in below if same(item) not in taken), *above]
    return above


def _target(item: Value) -> Value:
    if isinstance(item, Mapping):
        return item.get("target")
    parts = str(item).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


_SAME: Mapping[str, Callable[[Value], Value]] = {"volumes": _target, "devices": _target}

"""The Compose Specification's interpolation: ``$NAME``, ``${NAME}`` with all operators, nested, ``$$``."""

from __future__ import annotations

import re
from collections.abc import Mapping

UNKNOWN = "\ufffc"
"""Stands for the value of a variable that the files do not have."""
_BEGIN = re.compile(r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<operator>:?[-+?]|(?=\})))")


class Text(str):
    """An interpolated text. ``names`` are the variables that it was made from, secret or not."""

    names: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether all of its variables have a value."""
        return UNKNOWN not in self


def filled(text: str, variables: Mapping[str, str]) -> Text:
    """``text`` with its variables replaced, by the rules of the specification; never fails.

    What has neither value nor default becomes :data:`UNKNOWN`, as does one that is demanded (``?``) in vain.
    A dollar that begins no variable stays one.
    """
    names: list[str] = []
    result = Text(_filled(text, variables, names, 0, inside=False)[0])
    result.names = tuple(dict.fromkeys(names))
    return result


def _filled(
    text: str, variables: Mapping[str, str], names: list[str], at: int, *, inside: bool
) -> tuple[str, int]:
    """The text from ``at`` on, and where it ends: at the end, or ``inside`` braces at the closing one."""
    parts: list[str] = []
    while at < len(text) and not (inside and text[at] == "}"):
        begin = _BEGIN.match(text, at)
        if begin is None:
            parts.append(text[at])
            at += 1
        elif begin["name"]:
            found, end = _braced(text, variables, names, begin)
            parts.append(found)
            at = end
        else:
            parts.append(_value(begin["bare"], variables, names) if begin["bare"] else "$")
            at = begin.end()
    return "".join(parts), at


def _braced(
    text: str, variables: Mapping[str, str], names: list[str], begin: re.Match[str]
) -> tuple[str, int]:
    name, operator = begin["name"], begin["operator"]
    inner: list[str] = []
    word, end = _filled(text, variables, inner, begin.end(), inside=True)
    value = variables.get(name)
    there = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return (word if there else ""), end + 1
    names.append(name)
    if operator.endswith("-") and not there:
        names += inner
        return word, end + 1
    return (value if there and value is not None else UNKNOWN), end + 1


def _value(name: str, variables: Mapping[str, str], names: list[str]) -> str:
    names.append(name)
    return variables.get(name, UNKNOWN)

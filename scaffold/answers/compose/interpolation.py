"""The Compose Specification's interpolation (all operators, nested, ``$$``), and files of variables."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

from scaffold.reading import listed
from scaffold.templates.questions import Value

UNKNOWN = "\ufffc"
"""Stands for the value of a variable that the files do not have."""
_BEGIN = re.compile(r"\$(?:\$|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<operator>:?[-+?]|(?=\})))")


class Text(str):
    """An interpolated text. ``names`` are the variables that it was made from, secret or not."""

    names: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    """Those of them that no file has a value for."""

    @property
    def known(self) -> bool:
        """Whether all of its variables have a value."""
        return UNKNOWN not in self


def as_text(value: Value) -> Text | None:
    """A value of the file as a variable has it; nothing for one that it does not give."""
    if value is None or isinstance(value, Text):
        return value
    return Text(str(value).lower() if isinstance(value, bool) else value)


def filled(text: str, variables: Mapping[str, str]) -> Text:
    """``text`` with its variables replaced, by the rules of the specification; never fails.

    What has neither value nor default becomes :data:`UNKNOWN`, as does one that is demanded (``?``) in vain.
    A dollar that begins no variable stays one.
    """
    names: list[str] = []
    result = Text(_filled(text, variables, names, 0, inside=False)[0])
    result.names = tuple(dict.fromkeys(name.rstrip(UNKNOWN) for name in names))
    result.lacking = tuple(dict.fromkeys(name[:-1] for name in names if name.endswith(UNKNOWN)))
    return result


def _filled(
    text: str, variables: Mapping[str, str], names: list[str], at: int, *, inside: bool
) -> tuple[str, int]:
    """The text from ``at`` on, and where it ends: at the end, or ``inside`` braces at the closing one.

    Its variables are added to ``names``, with :data:`UNKNOWN` behind them where they have no value.
    """
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
    if operator.endswith("-") and not there:
        names += [name, *inner]
        return word, end + 1
    return _value(name, variables if there else {}, names), end + 1


def _value(name: str, variables: Mapping[str, str], names: list[str]) -> str:
    value = variables.get(name, UNKNOWN)
    names.append(f"{name}{UNKNOWN}" if value == UNKNOWN else name)
    return value


_SIZE = 1_000_000


def read_variables(path: Path, known: Mapping[str, str] | None = None) -> dict[str, Text] | None:
    """The variables of a file, each interpolated with those before it and with the ``known`` ones.

    Returns nothing if there is no such file, or it is not text. What stands in single quotes is taken as it
    is, and a variable without a value has the one that is known.
    """
    from dotenv.parser import parse_stream

    try:
        if not path.is_file() or path.stat().st_size > _SIZE:
            return None
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return None
    found: dict[str, Text] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is None or binding.error:
            continue
        literal = binding.original.string.partition("=")[2].lstrip().startswith("'")
        value = binding.value if binding.value is not None else f"${{{binding.key}}}"
        found[binding.key] = Text(value) if literal else filled(value, {**(known or {}), **found})
    return found


def lacking(said: Value, answer: str) -> tuple[str, str]:
    """What a command needs that the files do not have, and what to do."""
    texts = [item for item in listed(said) if isinstance(item, Text) and not item.known]
    names = dict.fromkeys(name for item in texts for name in item.lacking)
    fix = f"Write a value of each into .env beside the file and import it again, or give {answer}."
    return f"the files have no value for {', '.join(names) or 'its variables'}", fix

"""``--set KEY=VALUE`` and ``--unset KEY``: one answer, or a part of one, changed on top of all others.

A key names a question and leads into its answer: ``env.TZ``, ``volumes[0].size``. An item of a list is also
named by what it is called (``volumes[thumbs]``, see :func:`~scaffold.answers.notation.called`), and
``volumes[+]`` is one more. A value is text where text is taken, else YAML; a new item may be written short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from scaffold import reading
from scaffold.answers import fixes, notation
from scaffold.answers.notation import Schema
from scaffold.answers.sources import Answers, Loader, Path, Place, from_yaml, show
from scaffold.errors import Finding, UsageError, nearest
from scaffold.reading import YamlError
from scaffold.templates import questions
from scaffold.templates.questions import Value

_PART = re.compile(r"\[([^\[\]]+)\]|\.?([^.\[\]]+)")
_MORE = "+"
_GONE = object()


def read(files: Iterable[tuple[str, bytes]], settings: Iterable[str]) -> Answers:
    """The answers of files (name and content; later ones over earlier ones), and of ``--set`` over all."""
    merged = Answers()
    for source, data in files:
        merged = from_yaml(data, source).over(merged)
    return from_settings(settings, merged)


def from_settings(settings: Iterable[str], base: Answers) -> Answers:
    """``--set KEY=VALUE`` laid over ``base``.

    An item that is not there, or a value that cannot be read, becomes a problem of the result. Raises
    :class:`UsageError` for a setting without ``=``, and for a key that no answer could have.
    """
    result = base
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting} has no value.", "Write it as in --set memory=512Mi.")
        result = _changed(result, key, f"--set {key}", partial(_value, text=text))
    return result


def without(keys: Iterable[str], base: Answers) -> Answers:
    """``--unset KEY``: ``base`` without these answers, each of which then has its default.

    What no question or item is called becomes a problem of the result. Raises :class:`UsageError` for a key
    that no answer could have.
    """
    result = base
    for key in keys:
        result = _changed(result, key, f"--unset {key}", lambda _: _GONE)
    return result


def _changed(base: Answers, key: str, source: str, value: Callable[[Path], Value]) -> Answers:
    parts = _PART.findall(key)
    name = parts[0][1] if parts else ""
    if not name or "".join(f"[{item}]" if item else f".{part}" for item, part in parts)[1:] != key:
        raise UsageError(f"{key!r} is not an answer.", "Write it like memory, volumes[0].size or volumes[+].")
    try:
        path = _path(parts, base.values)
        changed = value(path)
        if changed is _GONE and name not in questions.asked():
            raise _AstrayError(
                f"{name} is not a question.", ", ".join(base.values), nearest(name, base.values)
            )
        whole = _put(base.values.get(name), path[1:], changed, path)
    except _AstrayError as error:
        found = Finding(
            source, None, None, "answers.setting", error.message,
            allowed=error.allowed, fix=error.fix, answer=name,
        )  # fmt: skip
        return Answers(base.values, base.places, (*base.problems, found))
    values = {n: v for n, v in base.values.items() if n != name or whole is not _GONE}
    if whole is not _GONE:
        values[name] = whole
    # Items after a removed one move up: for these, only the place of the list is known.
    around = path[:-1] if changed is _GONE else path
    places = {p: place for p, place in base.places.items() if not around or p[: len(around)] != around}
    return Answers(values, {**places, around or path: Place(source)}, base.problems)


class _AstrayError(Exception):
    """A key that leads nowhere, or a value that cannot be read."""

    def __init__(self, message: str, allowed: str | None, fix: str | None) -> None:
        super().__init__(message)
        self.message, self.allowed, self.fix = message, allowed, fix


def _path(parts: Sequence[tuple[str, str]], values: Value) -> Path:
    """The path that the parts of a key name in answers."""
    path: Path = ()
    schema: Schema = {"properties": questions.properties()}
    for item, name in parts:
        step = _item(item, values, schema, path) if item else name
        schema = notation.below(schema, step)
        there = range(len(values)) if isinstance(values, list) else values
        inside = isinstance(there, Mapping | range) and step in there
        path, values = (*path, step), values[step] if inside else None
    return path


def _item(text: str, items: Value, schema: Schema, path: Path) -> int:
    """The number of an item, which is given as a number, as ``+`` or as the item's name."""
    listed = items if isinstance(items, list) else []
    if text == _MORE or text.isdecimal():
        return len(listed) if text == _MORE else int(text)
    called = [notation.called(schema, item) for item in listed]
    if called.count(text) == 1:
        return called.index(text)
    problem = "several items called" if text in called else "no item called"
    names = [name for name in called if name]
    fix = nearest(text, names) or f"Write {show(path)}[{_MORE}] for one more, or the number of an item."
    raise _AstrayError(f"{show(path)} has {problem} {text}.", ", ".join(names) or None, fix)


def _put(target: Value, path: Path, value: Value, whole: Path) -> Value:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        items = [] if target is None else target
        if not isinstance(items, list) or head > len(items) - (value is _GONE):
            raise _AstrayError(f"{show(whole)} is not an item.", None, "Items count from 0, without gaps.")
        inner = _put(items[head] if head < len(items) else None, rest, value, whole)
        return [*items[:head], *([] if inner is _GONE else [inner]), *items[head + 1 :]]
    mapping = {} if target is None else target
    if not isinstance(mapping, dict):
        raise _AstrayError(
            f"{show(whole)} leads into a single value.", None, f"Change {whole[0]} as a whole."
        )
    if value is _GONE and head not in mapping:
        raise _AstrayError(
            f"{show(whole)} is not given.", ", ".join(map(str, mapping)), nearest(str(head), mapping)
        )
    inner = _put(mapping.get(head), rest, value, whole)
    return {k: v for k, v in {**mapping, head: inner}.items() if v is not _GONE}


def _value(path: Path, text: str) -> Value:
    schema: Schema = {"properties": questions.properties()}
    for part in path:
        schema = notation.below(schema, part)
    if "string" in notation.kinds(schema):
        return text
    try:
        if isinstance(path[-1], int) and "properties" in schema and not text.lstrip().startswith("{"):
            item = notation.item(schema, text.strip())
        else:
            item = reading.read(text, Loader).value
    except YamlError as error:
        raise _AstrayError(f"{show(path)} {error.message}.", None, "Put it in quotes.") from error
    except UsageError as error:
        raise _AstrayError(f"{show(path)}: {error.message}", None, error.hint) from error
    return fixes.suggested(path[-1], schema, item)

"""Answers: where they come from, and where each was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from scaffold import reading
from scaffold.errors import Finding, UsageError
from scaffold.reading import Located, YamlError
from scaffold.templates.questions import Value

Path: TypeAlias = tuple[str | int, ...]
"""Where an answer stands: ``("volumes", 0, "size")``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer was given; lines and columns count from 1."""

    source: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The given answers, each with its place. What was not given is not in it."""

    values: Mapping[str, Value] = field(default_factory=dict)
    places: Mapping[Path, Place] = field(default_factory=dict)
    problems: tuple[Finding, ...] = ()

    def place(self, path: Path) -> Place:
        """Where the answer at ``path`` was given, or else the nearest one around it."""
        for length in range(len(path), -1, -1):
            if (found := self.places.get(path[:length])) is not None:
                return found
        return Place("answers")

    def finding(self, path: Path, code: str, message: str, **more: str | None) -> Finding:
        """A finding about the answer at ``path``, where it was given."""
        at = self.place(path)
        return Finding(at.source, at.line, at.column, code, message, answer=show(path) or None, **more)

    def over(self, other: Answers) -> Answers:
        """These answers laid over ``other``: for each question, the upper one counts."""
        lower = {path: place for path, place in other.places.items() if path[:1] not in self.places}
        return Answers(
            {**other.values, **self.values}, {**lower, **self.places}, other.problems + self.problems
        )


def texts(value: Value) -> Iterator[tuple[Path, str]]:
    """Every text in answers, with its place."""
    return ((path, text) for path, text in reading.walked(value) if isinstance(text, str))


def show(path: Path) -> str:
    """An answer's path as people write it: ``volumes[0].size``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def parse(text: str) -> Path:
    """The path that :func:`show` writes. Raises :class:`UsageError` for anything else."""
    parts = re.findall(r"\[(\d+)\]|\.?([^.\[\]]+)", text)
    path: Path = tuple(int(index) if index else name for index, name in parts)
    if not path or show(path) != text:
        raise UsageError(f"{text!r} is not an answer.", "Write it like memory or volumes[0].size.")
    return path


def about(text: str) -> Path:
    """The path of the answer that a finding names; empty if it names none.

    Where a key is such that :func:`parse` cannot read the path, it is that of the question.
    """
    try:
        return parse(text) if text else ()
    except UsageError:
        return (re.split(r"[.\[]", text)[0],)


def within(text: str, values: Value) -> Path:
    """The path of the answer that ``text`` names in ``values``.

    A key may hold what separates parts (``labels.example.test/team``): the longest that is there is meant.
    What is not there is read as :func:`about` does.
    """
    if isinstance(values, Mapping):
        for key in sorted(map(str, values), key=len, reverse=True):
            rest = text.removeprefix(key)
            if text.startswith(key) and rest[:1] in ("", ".", "["):
                return (key, *within(rest.removeprefix("."), values[key]))
    if isinstance(values, list) and (item := re.match(r"\[(\d+)\]\.?", text)):
        index = int(item[1])
        return (index, *within(text[item.end() :], values[index] if index < len(values) else None))
    return about(text)


def from_yaml(data: bytes, source: str) -> Answers:
    """The answers in a YAML file.

    Whatever cannot be read (bytes that are not UTF-8, a syntax error, a repeated key) becomes a problem of
    the result, so that all errors are reported together.
    """
    try:
        text = reading.read(data, Loader)
    except YamlError as error:
        return _unreadable(source, error.line, error.column, error.message, error.fix)
    if not text.places:
        return Answers({}, {(): Place(source, 1, 1)})
    if not isinstance(text.value, dict):
        return _unreadable(source, 1, 1, "holds no answers", "Write one `question: answer` a line.")
    places = {at.path: Place(source, at.line, at.column) for at in text.places}
    twice = tuple(_given_twice(source, at) for at in text.places if at.twice)
    return Answers(text.value, places, twice)


class Loader(reading.Loader):
    """Reads as text what YAML 1.1 reads as an unexpected number: ``22:22`` and ``0644``."""

    def construct_number(self, node: yaml.ScalarNode) -> Value:
        """A number in the usual notation, else the text that stands there."""
        if ":" in node.value or re.fullmatch(r"[-+]?0[0-9_]+", node.value):
            return node.value
        is_int = node.tag.endswith(":int")
        return self.construct_yaml_int(node) if is_int else self.construct_yaml_float(node)


for _tag in ("int", "float"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", Loader.construct_number)


def _given_twice(source: str, at: Located) -> Finding:
    name, fix = show(at.path), "Keep one of the two."
    message = f"{name} is given twice."
    return Finding(source, at.line, at.column, "answers.twice", message, fix=fix, answer=name)


def _unreadable(source: str, line: int | None, column: int | None, message: str, hint: str) -> Answers:
    finding = Finding(source, line, column, "answers.yaml", f"{source} {message}.", fix=hint)
    return Answers({}, {(): Place(source)}, (finding,))

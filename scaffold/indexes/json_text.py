"""Members of an object in a JSON text, by their offsets, so that an edit keeps all formatting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_DECODER = json.JSONDecoder()

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Member:
    """``"key": value`` and its offsets in the text."""

    key: str
    value: Json
    start: int
    value_start: int
    end: int


@dataclass(frozen=True, slots=True)
class JsonObject:
    """One object of a JSON text; ``start`` and ``end`` are the offsets of its braces, ``end`` exclusive."""

    text: str
    start: int
    end: int
    members: tuple[Member, ...]

    @classmethod
    def read(cls, text: str, *path: str) -> JsonObject | None:
        """The object at a path of keys; ``None`` if there is none. Raises ``ValueError`` for bad JSON."""
        json.loads(text)
        start = _blank(text, 0)
        for key in (*path, None):
            if text[start : start + 1] != "{":
                return None
            members = tuple(_members(text, start))
            if key is None:
                end = _blank(text, members[-1].end if members else start + 1)
                return cls(text, start, end + 1, members)
            found = next((m for m in members if m.key == key), None)
            if found is None:
                return None
            start = found.value_start
        return None

    def insert(self, key: str, value: str, after: Member | None = None) -> str:
        """The text with one more member: after another one, or at the end. ``value`` is JSON."""
        if not self.members:
            indent = self._line_indent(self.start)
            member = f"{json.dumps(key)}: {value}"
            return f"{self.text[: self.start]}{{\n{indent}  {member}\n{indent}}}{self.text[self.end :]}"
        place = after or self.members[-1]
        new = self._separator + self._written(key, value)
        comma = self._comma_after(place)
        if comma is None:
            return f"{self.text[: place.end]},{new}{self.text[place.end :]}"
        return f"{self.text[: comma + 1]}{new},{self.text[comma + 1 :]}"

    def without(self, number: int) -> str:
        """The text without one member; an object that has no other becomes ``{}``."""
        member = self.members[number]
        if len(self.members) == 1:
            return f"{self.text[: self.start]}{{}}{self.text[self.end :]}"
        comma = self._comma_after(member)
        if number == 0:
            return self.text[: member.start] + self.text[self.members[1].start :]
        if comma is None:
            return self.text[: self.members[number - 1].end] + self.text[member.end :]
        before = self._comma_after(self.members[number - 1])
        assert before is not None
        return self.text[: before + 1] + self.text[comma + 1 :]

    @property
    def _separator(self) -> str:
        """The text between a comma and the next member."""
        if len(self.members) > 1:
            comma = self._comma_after(self.members[-2])
            assert comma is not None
            return self.text[comma + 1 : self.members[-1].start]
        gap = self.text[self.start + 1 : self.members[0].start]
        return gap if "\n" in gap else " "

    def _written(self, key: str, value: str) -> str:
        """The member, with its value in the column of the others if those are aligned."""
        name = f"{json.dumps(key)}:"
        gaps = [m.value_start - m.start - len(json.dumps(m.key)) - 1 for m in self.members]
        if max(gaps) <= 1:
            return f"{name}{' ' * max(gaps)}{value}"
        ((column, _),) = Counter(m.value_start - m.start for m in self.members).most_common(1)
        return f"{name.ljust(column - 1)} {value}"

    def _comma_after(self, member: Member) -> int | None:
        at = _blank(self.text, member.end)
        return at if self.text[at] == "," else None

    def _line_indent(self, offset: int) -> str:
        line = self.text[self.text.rfind("\n", 0, offset) + 1 :]
        return line[: len(line) - len(line.lstrip(" \t"))]


def _members(text: str, start: int) -> Iterator[Member]:
    at = _blank(text, start + 1)
    while text[at] == '"':
        key, after = _DECODER.raw_decode(text, at)
        value_start = _blank(text, _blank(text, after) + 1)
        value, end = _DECODER.raw_decode(text, value_start)
        yield Member(key, value, at, value_start, end)
        at = _blank(text, end)
        if text[at] == ",":
            at = _blank(text, at + 1)


def _blank(text: str, at: int) -> int:
    """The offset of the next character that is no white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def written(value: Json, *, spaced: bool) -> str:
    """A value on one line; an object with blanks inside its braces or without."""
    text = json.dumps(value, ensure_ascii=False)
    return f"{{ {text[1:-1]} }}" if spaced and isinstance(value, dict) else text

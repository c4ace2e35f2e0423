"""A list in running text: ``Active on: a, b (with a remark, even), c. See there.``

It ends with its sentence, and may be wrapped over several lines.
"""

from __future__ import annotations

from dataclasses import dataclass

_NONE = "none"
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}


@dataclass(frozen=True, slots=True)
class CommaList:
    """The items of a list, each where it stands in ``text``."""

    text: str
    items: tuple[slice, ...]

    @classmethod
    def read(cls, text: str, start: int, end: int, *, prose: bool = True) -> CommaList:
        """The list between two offsets; in prose it may end earlier, with its sentence."""
        items = []
        for left, right in _parts(text, start, end, prose=prose):
            stripped = text[left:right].strip()
            if stripped:
                begin = text.index(stripped, left)
                items.append(slice(begin, begin + len(stripped)))
        return cls(text, tuple(items))

    @property
    def values(self) -> tuple[str, ...]:
        """The items as they are written; nothing for a list that says ``none``."""
        values = tuple(self.text[item] for item in self.items)
        return () if values == (_NONE,) else values

    def append(self, value: str, width: int | None, newline: str) -> str:
        """The text with one more item at the end of the list, on a new line if ``width`` demands it.

        Prose that follows in the line is not counted: it would be torn from the list by a new line before
        it. The list must not be empty (one that says ``none`` is not).
        """
        last = self.items[-1]
        if not self.values:
            return self.text[: last.start] + value + self.text[last.stop :]
        line = self.text.rfind("\n", 0, last.stop) + 1
        current, rest = self.text[line : last.stop], self.text[last.stop :].split("\n", 1)[0].rstrip()
        separator = ", "
        if width is not None and len(current) + len(f", {value}") + len(rest.partition(" ")[0]) > width:
            separator = f",{newline}{current[: len(current) - len(current.lstrip())]}"
        return self.text[: last.stop] + separator + value + self.text[last.stop :]

    def without(self, number: int) -> str:
        """The text without one item. In prose, the only one is replaced by ``none``."""
        item = self.items[number]
        if len(self.items) == 1:
            return self.text[: item.start] + _NONE + self.text[item.stop :]
        if number:
            return self.text[: self.items[number - 1].stop] + self.text[item.stop :]
        return self.text[: item.start] + self.text[self.items[1].start :]


def _parts(text: str, start: int, end: int, *, prose: bool) -> list[tuple[int, int]]:
    """Where the parts between commas begin and end. Commas in brackets and in code do not count."""
    parts = []
    depth = 0
    code = False
    begin = start
    for at in range(start, end):
        character = text[at]
        if character == "`":
            code = not code
        elif not code:
            depth += _BRACKETS.get(character, 0)
        if code or depth > 0:
            continue
        if character == ",":
            parts.append((begin, at))
            begin = at + 1
        elif prose and _ends_sentence(text, at, begin):
            return [*parts, (begin, at)]
    return [*parts, (begin, end)]


def _ends_sentence(text: str, at: int, begin: int) -> bool:
    """A full stop, a dash, or the next label at the beginning of a line."""
    if text[at] == ".":
        return text[at + 1 : at + 2] in ("", " ", "\n", "\r")
    if text[at] == "\n":
        return text.startswith("**", at + 1) and bool(text[begin:at].strip())
    return text.startswith(" — ", at)

"""Lists that a bold label introduces: ``**Used by**:`` and bullets, or ``**Rotation**: … MySQL: a, b.``"""

from __future__ import annotations

from dataclasses import dataclass

from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.comma_list import CommaList
from scaffold.indexes.markdown import Block, Markdown, key_of

# A block with a line longer than this is not wrapped, and one with short lines only need not be.
_WRAPPED = range(60, 121)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Where a list is: after a bold label that begins with one of ``labels`` (the first that exists).

    ``marker`` is plain text after the label behind which the list begins; without one, the list begins
    behind the label's colon. ``section`` is the heading it is under; anywhere without one.
    """

    labels: tuple[str, ...]
    marker: str = ""
    section: str = ""

    def __str__(self) -> str:
        names = " or ".join(f'"**{label}"' for label in self.labels)
        where = f' under "{self.section}"' if self.section else ""
        return f"the list after {names}{f' and {self.marker!r}' if self.marker else ''}{where}"

    def __call__(self, text: str) -> LabelledList:
        """Open the list in a text."""
        if found := _find(Markdown(text), self):
            return found
        raise MissingAnchorError(str(self))


@dataclass(frozen=True, slots=True)
class LabelledList:
    """The list behind a label: its block, where the text after the label begins, the count in the label."""

    markdown: Markdown
    block: Block
    start: int
    count: tuple[int, int] | None

    @property
    def _end(self) -> int:
        return self.markdown.offset(self.block.end)

    @property
    def _bullets(self) -> Block | None:
        """The bullet list that follows directly; ``None`` if there is none (yet)."""
        after = (b for b in self.markdown.within("bullets") if b.start >= self.block.end)
        bullets = next(after, None)
        if bullets and not "".join(self.markdown.lines[self.block.end : bullets.start]).strip():
            return bullets
        return None

    @property
    def _width(self) -> int | None:
        """The width to which the block is wrapped, if it is."""
        widths = [len(line.rstrip()) for line in self.markdown.lines[self.block.start : self.block.end]]
        return max(widths) if len(widths) > 1 and max(widths) in _WRAPPED else None

    @property
    def _inline(self) -> CommaList:
        return CommaList.read(self.markdown.text, self.start, self._end)

    @property
    def _is_inline(self) -> bool:
        return bool(self.markdown.text[self.start : self._end].strip())

    @property
    def keys(self) -> tuple[str, ...]:
        """What the items are about, without their remarks."""
        return tuple(map(key_of, self.items))

    @property
    def items(self) -> tuple[str, ...]:
        """The items as they are written. A bullet that begins with a number sums up the others."""
        if self._is_inline:
            return self._inline.values
        return tuple(map(self._text, self._entries))

    @property
    def _entries(self) -> tuple[Block, ...]:
        """The bullets that name something."""
        items = self.markdown.items(self._bullets) if self._bullets else ()
        return tuple(item for item in items if not self._text(item)[:1].isdigit())

    def _text(self, item: Block) -> str:
        return self.markdown.lines[item.start].strip().lstrip("-*+").strip()

    def append(self, value: str) -> str:
        """The text with one more item. Raises ``MissingAnchorError`` for an empty list in running text."""
        if self._is_inline:
            if not self._inline.items:
                raise MissingAnchorError("an item in the list after the label")
            text = self._inline.append(value, self._width, self.markdown.newline)
        elif self._entries:
            last = self.markdown.lines[self._entries[-1].start]
            mark = last[: len(last) - len(last.lstrip()) + 1]
            text = self.markdown.insert_after(self._entries[-1].end - 1, f"{mark} {value}")
        else:
            text = self.markdown.insert_after(self.block.end - 1, f"- {value}")
        return self._counted(text, 1)

    def without(self, number: int) -> str:
        """The text without one item."""
        if self._is_inline:
            return self._counted(self._inline.without(number), -1)
        item = self._entries[number]
        return self._counted(self.markdown.without(item.start, item.end), -1)

    def _counted(self, text: str, change: int) -> str:
        if self.count is None:
            return text
        start, end = self.count
        return text[:start] + str(int(text[start:end]) + change) + text[end:]


def _find(markdown: Markdown, place: Labelled) -> LabelledList | None:
    section = markdown.section(place.section) if place.section else None
    if place.section and section is None:
        return None
    for label in place.labels:
        for block in markdown.within("paragraph", section):
            offset = markdown.offset(block.start)
            for line in markdown.lines[block.start : block.end]:
                mark = offset + len(line) - len(line.lstrip(" \t-*+")) - 2
                if line.lstrip(" \t-*+").casefold().startswith(label.casefold()) and (
                    markdown.text[max(mark, 0) : mark + 2] == "**"
                ):
                    found = _after_label(markdown, block, mark, place.marker)
                    if found:
                        return found
                offset += len(line)
    return None


def _after_label(markdown: Markdown, block: Block, mark: int, marker: str) -> LabelledList | None:
    """The list behind the label whose opening ``**`` is at ``mark``."""
    text, end = markdown.text, markdown.offset(block.end)
    close = text.find("**", mark + 2, end)
    if close < 0:
        return None
    if marker:
        return _after_marker(markdown, block, close, marker)
    at = close + 2
    while at < end and text[at] == " ":
        at += 1
    if text[at : at + 1] == "(":
        at = text.find(")", at, end) + 1
    if text[at : at + 1] == ":":
        at += 1
    elif text[close - 1] != ":":
        return None
    return LabelledList(markdown, block, at, _count(text, mark, at))


def _after_marker(markdown: Markdown, block: Block, start: int, marker: str) -> LabelledList | None:
    """The list behind ``marker:``, or ``marker`` with a number: ``Active on 7 stacks:``."""
    text, end = markdown.text, markdown.offset(block.end)
    while (start := text.find(marker, start, end)) >= 0:
        start += len(marker)
        colon = text.find(":", start, end)
        words = text[start:colon].split() if colon >= 0 else ["", "", ""]
        if not words:
            return LabelledList(markdown, block, colon + 1, None)
        if len(words) == 2 and words[0].isdigit():
            digits = text.index(words[0], start)
            return LabelledList(markdown, block, colon + 1, (digits, digits + len(words[0])))
    return None


def _count(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The number with which a bracket in the label begins: ``(8 projects)``; a date is none."""
    begin = text.find("(", start, end) + 1
    stop = begin
    while begin and text[stop].isdigit():
        stop += 1
    return (begin, stop) if stop > begin and text[stop] in " )" else None

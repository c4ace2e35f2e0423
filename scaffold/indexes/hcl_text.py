"""Lists, maps and families of blocks in HCL files: where they are, and splices that keep the rest.

All places come from the strict syntax tree. What is inserted goes onto lines of its own wherever the
list has lines of its own, so that `terraform fmt` finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import Block, Document, Expression, ExprKind, HclSyntaxError, parse
from scaffold.indexes.base import MissingAnchor


def document(text: str) -> Document | MissingAnchor:
    """The parsed text; what an index file lacks if it is no HCL is that."""
    try:
        return parse(text.encode())
    except HclSyntaxError as error:
        first = error.problems[0]
        return MissingAnchor(f"valid HCL (line {first.line}: {first.message})")


def local(name: str) -> Callable[[Document], Expression | None]:
    """A finder of the value of ``local.<name>``."""

    def find(doc: Document) -> Expression | None:
        values = (block.body.value(name) for block in doc.body.blocks_of("locals"))
        return next(filter(None, values), None)

    return find


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a list or map: its offsets and its key."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Collection:
    """The elements of one list or map expression."""

    doc: Document
    value: Expression
    parts: tuple[Part, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the elements."""
        return tuple(part.key for part in self.parts)

    def append(self, new: str, comment: str = "") -> str:
        """The text with one more element at the end.

        ``new`` may have several lines, indented relative to the element; ``comment`` goes onto a line
        above it, unless the whole collection is on one line.
        """
        source = self.doc.source
        comma = "," if self.value.kind is ExprKind.LIST else ""
        if self.value.line == self.value.end_line:
            if self.parts:
                return self._spliced(self.parts[-1].end, self.parts[-1].end, f", {new}")
            inside = new if True else f" {new} "
            return self._spliced(self.value.start + 1, self.value.start + 1, inside)
        if self.parts:
            last = self.parts[-1]
            indent = source.indent_of(source.line_of(last.start)).decode()
            line = source.line_of(last.end)
            missing_comma = bool(comma) and self._comma(len(self.parts) - 1) is None
        else:
            indent = source.indent_of(self.value.end_line).decode() + "  "
            line = self.value.line
            missing_comma = False
        added = [f"# {comment}"] if comment else []
        added += [*new.split("\n")]
        added[-1] += "" if missing_comma else comma
        at = source.line_span(line)[1]
        text = "".join(source.newline.decode() + indent + part for part in added)
        if missing_comma:
            # In two splices: a comment may follow the last element on its line.
            return self._spliced(at, at, text, (self.parts[-1].end, ","))
        return self._spliced(at, at, text)

    def without(self, number: int) -> str:
        """The text without one element, its comma, and the comments directly above it."""
        source, part = self.doc.source, self.parts[number]
        end = self._comma(number) or part.end
        first, last = source.line_of(part.start), source.line_of(part.end)
        before = source.data[source.line_span(first)[0] : part.start].strip()
        after = source.data[end : source.line_span(last)[1]].strip()
        if not before and (not after or after.startswith((b"#", b"//"))):
            comments = self.doc.comments_above(first)
            start = source.line_span(comments[0].line if comments else first)[0]
            stop = source.line_starts[last]
            had_comma = self.value.kind is ExprKind.MAP or end > part.end
            if had_comma or number == 0:
                return self._spliced(start, stop, "")
            # The last one had no comma, so the one before it loses its own.
            previous = self._comma(number - 1)
            assert previous is not None
            return self._spliced(start, stop, "", (previous - 1, None))
        if len(self.parts) == 1 and first == self.value.line == self.value.end_line:
            return self._spliced(self.value.start + 1, self.value.end - 1, "")
        if number == 0:
            return self._spliced(part.start, self.parts[1].start if len(self.parts) > 1 else end, "")
        if end > part.end and (previous := self._comma(number - 1)):
            return self._spliced(previous, end, "")
        return self._spliced(self.parts[number - 1].end, part.end, "")

    def _comma(self, number: int) -> int | None:
        """The offset after the comma that follows an element; comments do not count."""
        limit = self.parts[number + 1].start if number + 1 < len(self.parts) else self.value.end - 1
        at = self.parts[number].end
        comments = [c for c in self.doc.comments if at <= c.start < limit]
        while (found := self.doc.source.data.find(b",", at, limit)) >= 0:
            inside = next((c for c in comments if c.start <= found < c.end), None)
            if inside is None:
                return found + 1
            at = inside.end
        return None

    def _spliced(self, start: int, end: int, new: str, earlier: tuple[int, str | None] | None = None) -> str:
        """Replace a range; ``earlier`` inserts a text before it, or drops the character there."""
        data = self.doc.source.data
        head = data[:start]
        if earlier:
            at, text = earlier
            head = data[:at] + (text.encode() if text else b"") + data[at + (text is None) : start]
        return (head + new.encode() + data[end:]).decode()


@dataclass(frozen=True, slots=True)
class ListAt:
    """Where a list of strings is. ``what`` names it for people."""

    what: str
    find: Callable[[Document], Expression | None]

    def __call__(self, text: str) -> StringList | MissingAnchor:
        """Open the list in a text."""
        doc = document(text)
        if isinstance(doc, MissingAnchor):
            return doc
        value = self.find(doc)
        if value is None or value.kind is not ExprKind.LIST:
            return MissingAnchor(self.what)
        parts = tuple(Part(e.start, e.end, e.string() or "") for e in value.elements)
        return StringList(Collection(doc, value, parts))


@dataclass(frozen=True, slots=True)
class StringList:
    """A list of strings; a value is the string and a comment."""

    collection: Collection

    @property
    def keys(self) -> Sequence[str]:
        """The strings."""
        return self.collection.keys

    def append(self, value: tuple[str, str]) -> str:
        """The text with one more string."""
        return self.collection.append(quote(value[0]), value[1])

    def without(self, number: int) -> str:
        """The text without one string."""
        return self.collection.without(number)


@dataclass(frozen=True, slots=True)
class BlockFamily:
    """Blocks of a file that are alike but for their names, with a key each.

    A new one is a copy of a sibling, with ``names`` exchanged: nothing that this house writes into its
    blocks has to be known here.
    """

    doc: Document
    blocks: tuple[Block, ...]
    keys: tuple[str, ...]

    def append(self, new: str, comment: str = "") -> str:
        """The text with one more block after the last one."""
        source, last = self.doc.source, self.blocks[-1]
        newline = source.newline.decode()
        at = source.line_span(last.end_line)[1]
        text = newline.join(["", "", *([f"# {comment}"] if comment else []), new])
        return (source.data[:at] + text.encode() + source.data[at:]).decode()

    def without(self, number: int) -> str:
        """The text without one block, the comments directly above it, and the blank lines before."""
        source, block = self.doc.source, self.blocks[number]
        comments = self.doc.comments_above(block.line)
        first = comments[0].line if comments else block.line
        start, end = source.line_span(first)[0], source.line_span(block.end_line)[1]
        head = source.data[:start].rstrip()
        if not head:
            return source.data[end:].lstrip().decode()
        return (head + source.data[end:]).decode()


def copied(block: Block, spans: Iterator[tuple[int, int, str]]) -> str:
    """The text of a block with some ranges of the file replaced."""
    data, pieces, at = block.source.data, [], block.start
    for start, end, text in sorted(spans):
        pieces += [data[at:start], text.encode()]
        at = end
    return b"".join([*pieces, data[at : block.end]]).decode()


def exchanged(text: str, words: dict[str, str]) -> str:
    """The text with whole words replaced; letters, digits, ``_`` and ``-`` make words."""
    result, word = [], ""
    for character in [*text, ""]:
        if character and (character.isalnum() or character in "_-"):
            word += character
        else:
            result += [words.get(word, word), character]
            word = ""
    return "".join(result)

"""Replacing byte ranges of a file: mapping the result back, and proving what an edit changed."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from tree_sitter import Node

from scaffold.errors import RefusedError
from scaffold.hcl import grammar as g
from scaffold.hcl.layout import out_of_line
from scaffold.hcl.syntax import Document, HclSyntaxError, Source, parse


class EditError(RefusedError):
    """An edit that cannot be made without touching more than it is meant to."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes that stand in place of the range from ``start`` to ``end``; an insertion has an empty range.

    ``origin`` is the byte that they come from, if that is not ``start``.
    """

    start: int
    end: int
    text: bytes = b""
    origin: int | None = None


def insertion(at: int, text: bytes) -> Splice:
    """A splice that only adds."""
    return Splice(at, at, text)


def blank(source: bytes, start: int, end: int) -> Splice:
    """A splice that leaves nothing of a range but its line ends, so that no line moves."""
    return Splice(start, end, b"".join(b"\n" if byte == 10 else b" " for byte in source[start:end]))


@dataclass(frozen=True, slots=True)
class Spliced:
    """The result, and where each of its bytes comes from."""

    data: bytes
    _pieces: tuple[tuple[int, int, bool], ...]
    """Where each begins, the byte it comes from, and whether it was copied."""

    def origin(self, offset: int) -> int:
        """The byte of the source that a byte of the result comes from.

        A byte that was spliced in comes from the place where it was.
        """
        at, origin, copied = self._pieces[bisect_right(self._pieces, offset, key=itemgetter(0)) - 1]
        return origin + (offset - at if copied else 0)


def apply(source: bytes, splices: Iterable[Splice]) -> Spliced:
    """The source after all splices.

    Splices at one place keep their order; one that lies within another that replaces more is dropped, because
    what it would have changed is gone. Raises ``ValueError`` if two overlap in part.
    """
    data, done = bytearray(), 0
    pieces = [(0, 0, True)]
    for splice in _outermost(splices):
        if splice.start < done:
            raise ValueError(f"two splices overlap at byte {splice.start}")
        data += source[done : splice.start]
        pieces.append((len(data), splice.start if splice.origin is None else splice.origin, False))
        data += splice.text
        done = splice.end
        pieces.append((len(data), done, True))
    return Spliced(bytes(data + source[done:]), tuple(pieces))


def _outermost(splices: Iterable[Splice]) -> list[Splice]:
    kept: list[Splice] = []
    for splice in sorted(splices, key=lambda s: (s.start, s.end != s.start, -s.end)):
        last = kept[-1] if kept else splice
        if not (kept and last.start <= splice.start < last.end and splice.end <= last.end):
            kept.append(splice)
    return kept


# edits that a person will read


def edited(
    document: Document,
    splices: Sequence[Splice],
    *,
    added: Sequence[bytes] = (),
    removed: Splice | None = None,
) -> bytes:
    """The bytes after the splices, aligned, and proven to be what was intended.

    ``added`` are the tokens that the last splice brings; ``removed`` is the range whose tokens go. Raises
    ``EditError`` where the result is anything else.
    """
    name = document.path or "the file"
    changed = _lined_up(document, splices)
    try:
        after = parse(changed, document.path)
    except HclSyntaxError as error:
        raise EditError(f"the edit would break {name}: {error.message}") from error
    first, last = _definitions(document, splices)
    tail = len(document.source.data) - last
    words = [
        (at, word)
        for at, word in _tokens(document, first, last)
        if removed is None or not removed.start <= at < removed.end
    ]
    position = sum(1 for at, _ in words if at < splices[-1].start)
    wanted = [word for _, word in words]
    wanted[position:position] = added
    outside = changed[:first] + changed[len(changed) - tail :]
    if (
        wanted != [word for _, word in _tokens(after, first, len(changed) - tail)]
        or outside != document.source.data[:first] + document.source.data[last:]
    ):
        raise EditError(f"the edit of {name} would change more than it is meant to")
    return changed


def below(source: Source, indent: bytes, lines: Sequence[str]) -> bytes:
    """The bytes of lines below another one; those of a heredoc keep their indentation, which is content."""
    result, end = b"", None
    for line in lines:
        result += source.newline + (indent if end is None and line.strip() else b"") + line.encode()
        if end is None:
            _, opened, mark = line.rpartition("<<")
            end = mark.lstrip("-").strip() if opened and mark.lstrip("-").strip().isidentifier() else None
        elif line.strip() == end:
            end = None
    return result


def whole_lines(document: Document, start: int, stop: int) -> Splice:
    """The lines of a part and the comments right above it."""
    source = document.source
    first = source.line_of(start)
    comments = document.comments_above(first)
    first = comments[0].line if comments else first
    last = source.line_of(stop - 1)
    end = source.line_starts[last] if last < len(source.line_starts) else len(source.data)
    return Splice(source.line_starts[first - 1], end)


def tokens_in(text: str) -> list[bytes]:
    """The tokens of a piece of HCL that is to be inserted. Raises ``EditError`` if it is none."""
    try:
        document = parse(text.encode())
    except HclSyntaxError as error:
        raise EditError(f"what is to be inserted is not HCL: {error.problems[0].message}") from error
    return [word for _, word in _tokens(document, 0, len(document.source.data))]


def _definitions(document: Document, splices: Sequence[Splice]) -> tuple[int, int]:
    """The bytes of the top-level definitions in and beside which the splices are, and of those lined up."""
    source = document.source
    end = max(splice.end for splice in splices)
    above, under = source.paragraph(source.line_of(splices[0].start), source.line_of(end))
    first = source.line_starts[above - 1]
    last = source.line_starts[under] if under < len(source.line_starts) else len(source.data)
    for node in _top(document):
        if node.start_byte < first < node.end_byte:
            first = node.start_byte
        if node.start_byte < last < node.end_byte:
            last = node.end_byte
    return first, last


def _top(document: Document) -> Iterator[Node]:
    for node in document.tree.root_node.children:
        yield from node.children if node.kind_id == g.BODY else (node,)


def _tokens(document: Document, first: int, last: int) -> list[tuple[int, bytes]]:
    """Place and text of each token in a range; white space and commas may come and go with an edit."""
    found = []
    stack = [node for node in _top(document) if node.end_byte > first and node.start_byte < last]
    while stack:
        node = stack.pop()
        if node.child_count:
            stack += node.children
        elif node.end_byte > node.start_byte and node.kind_id != g.COMMA:
            text = document.source.data[node.start_byte : node.end_byte].replace(b"\r\n", b"\n")
            found.append((node.start_byte, text.rstrip() if node.kind_id == g.COMMENT else text))
    return sorted(found)


def _lined_up(document: Document, splices: Sequence[Splice]) -> bytes:
    """The file after the splices, with those lines laid out that they have put out of line."""
    before, data = document.source, apply(document.source.data, splices).data
    grown = len(data) - len(before.data)
    start, end = splices[0].start, max(splice.end for splice in splices)
    after = Document(Source(data, document.path), g.parse_tree(data))
    known = Counter(
        before.line_text(line) for line in out_of_line(document, before.line_of(start), before.line_of(end))
    )
    repairs = []
    source = after.source
    for line, expected in out_of_line(after, source.line_of(start), source.line_of(end + grown)).items():
        text = source.line_text(line)
        if known[text]:
            known[text] -= 1
        else:
            repairs.append(Splice(*source.line_span(line), expected.encode()))
    return apply(data, repairs).data

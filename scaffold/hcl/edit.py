"""Small edits of HCL files in place: one element, entry or block more or less, and nothing else.

An edit is spliced in at the ends of syntax nodes, in the style of what stands around it: lines of its own
or the same line, with or without a comma at the end, the file's line ends. Lines that the edit would leave
out of line are lined up as ``terraform fmt`` does; lines that were out of line before stay so. The result is
parsed again, and its tokens have to be those of the old file and the intended ones, or it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaffold.hcl import grammar as g
from scaffold.hcl.splice import EditError, Splice, below, edited, tokens_in, whole_lines
from scaffold.hcl.syntax import Attribute, Block, Document, Expression, ExprKind, Source

# elements and entries


def insert_element(document: Document, target: Expression, text: str, comment: str = "") -> bytes:
    """The file with one more element at the end of a list expression.

    ``text`` is the element as HCL. ``comment`` goes into the line above it where the elements have lines of
    their own, and is left out elsewhere. Raises ``EditError``.
    """
    _demand(target, ExprKind.LIST)
    return _inserted(document, target, text, comment, ("x = [\n", "\n]"))


def insert_entry(document: Document, target: Expression, key: str, value: str, comment: str = "") -> bytes:
    """The file with one more entry at the end of a map expression.

    ``key`` and ``value`` are HCL (a key that is no word has to be quoted). ``comment`` as for elements.
    Raises ``EditError``, also if the key is there already.
    """
    _demand(target, ExprKind.MAP)
    if any(entry.key.text == key or entry.name == key.strip('"') for entry in target.entries):
        raise EditError(f"the map on line {target.line} already has the key {key}")
    return _inserted(document, target, f"{key} = {value}", comment, ("x = {\n", "\n}"))


def remove_entry(document: Document, target: Expression, name: str) -> bytes:
    """The file without the entry of a map expression that has this literal key.

    The comments right above it go too. Raises ``EditError``, also if there is no such key.
    """
    _demand(target, ExprKind.MAP)
    names = [entry.name for entry in target.entries]
    if name not in names:
        raise EditError(f"the map on line {target.line} has no key {name}")
    return remove_part(document, target, names.index(name))


def _demand(target: Expression, kind: ExprKind) -> None:
    if target.kind is not kind:
        raise EditError(f"line {target.line} does not hold a {kind.value} expression")


@dataclass(frozen=True, slots=True)
class _Part:
    """An element or entry; ``comma`` is the byte after the comma that follows it."""

    start: int
    end: int
    comma: int | None
    heredoc: bool

    @property
    def stop(self) -> int:
        """The byte after the part and its comma."""
        return self.end if self.comma is None else self.comma


def _parts(target: Expression) -> list[_Part]:
    """The parts of a list or map expression."""
    children = target.nodes[0].children[0].children
    commas = [n.end_byte for n in children if n.kind_id == g.COMMA]
    values = target.elements or [entry.value for entry in target.entries]
    spans = [(n.start_byte, n.end_byte) for n in children if n.kind_id in (g.EXPRESSION, g.OBJECT_ELEM)]
    limits = [*(start for start, _ in spans[1:]), target.end][: len(spans)]
    return [
        _Part(
            start,
            end,
            next((comma for comma in commas if end < comma <= limit), None),
            value.kind is ExprKind.HEREDOC,
        )
        for (start, end), limit, value in zip(spans, limits, values, strict=True)
    ]


def _has_own_lines(source: Source, part: _Part) -> bool:
    """Whether a part shares its lines with nothing but a comment behind it."""
    line_start = source.line_starts[source.line_of(part.start) - 1]
    line_end = source.line_span(source.line_of(part.stop - 1))[1]
    rest = source.data[part.stop : line_end].strip()
    begins_line = not source.data[line_start : part.start].strip()
    return begins_line and (not rest or rest.startswith((b"#", b"//")))


def _inserted(
    document: Document, target: Expression, text: str, comment: str, frame: tuple[str, str]
) -> bytes:
    added = tokens_in(frame[0] + text + frame[1])[3:-1]
    parts = _parts(target)
    last = parts[-1] if parts else None
    if last is None and target.line != target.end_line:
        splices = _first_line(target, _lines(comment, text))
    elif last is not None and _has_own_lines(target.source, last):
        splices = _line_below(target, parts, _lines(comment, text))
    else:
        comment = ""
        splices = [_beside(target, last, text)]
    if comment:
        added = [f"# {comment}".encode(), *added]
    return edited(document, splices, added=added)


def _lines(comment: str, text: str) -> list[str]:
    return ([f"# {comment}"] if comment else []) + text.split("\n")


def _beside(target: Expression, last: _Part | None, text: str) -> Splice:
    """A part on the line of the last one, or between empty brackets."""
    text = text.replace("\n", target.source.newline.decode())
    if last is None:
        inside = text if target.kind is ExprKind.LIST else f" {text} "
        return Splice(target.start + 1, target.end - 1, inside.encode())
    if last.heredoc and last.comma is None:
        raise EditError(f"nothing can follow the heredoc on line {target.source.line_of(last.start)}")
    after = f" {text}," if last.comma is not None else f", {text}"
    return Splice(last.stop, last.stop, after.encode())


def _first_line(target: Expression, lines: Sequence[str]) -> list[Splice]:
    """The first part of a list or map whose brackets are on different lines."""
    source = target.source
    at = source.line_span(target.end_line - 1)[1]
    indent = source.indent_of(target.end_line) + b"  "
    whole = _with_comma(lines) if target.kind is ExprKind.LIST else lines
    return [Splice(at, at, below(source, indent, whole))]


def _line_below(target: Expression, parts: Sequence[_Part], lines: Sequence[str]) -> list[Splice]:
    """A part on lines of its own, below the last one."""
    source, last = target.source, parts[-1]
    indent = source.indent_of(source.line_of(last.start))
    at = source.line_span(source.line_of(last.stop - 1))[1]
    if last.comma is not None:
        return [Splice(at, at, below(source, indent, _with_comma(lines)))]
    raw = below(source, indent, lines)
    if target.kind is ExprKind.MAP and all(part.comma is None for part in parts):
        return [Splice(at, at, raw)]
    if last.heredoc:
        return [Splice(at, at, below(source, indent, [","]) + raw)]
    return [Splice(last.end, last.end, b","), Splice(at, at, raw)]


def _with_comma(lines: Sequence[str]) -> list[str]:
    """The lines of a part with a comma behind it; the end mark of a heredoc stands alone in its line."""
    *first, last = lines
    ends_heredoc = any(line.rstrip().endswith(("<<" + last.strip(), "<<-" + last.strip())) for line in first)
    return [*first, last, ","] if ends_heredoc else [*first, f"{last},"]


def remove_part(document: Document, target: Expression, position: int) -> bytes:
    """The file without one element or entry of a list or map expression.

    The comments right above it go too. Raises ``EditError``, also if there is none at the position.
    """
    parts = _parts(target) if target.kind in (ExprKind.LIST, ExprKind.MAP) else ()
    if not 0 <= position < len(parts):
        raise EditError(f"the expression on line {target.line} has no part {position}")
    part = parts[position]
    before = parts[position - 1] if position else None
    is_last = position == len(parts) - 1
    gone = Splice(part.start, part.end)
    if _has_own_lines(target.source, part):
        gone = whole_lines(document, part.start, part.stop)
        splices = [gone]
        if before is not None and before.comma is not None and is_last and part.comma is None:
            splices.insert(0, _comma(target.source, before))
    elif len(parts) == 1:
        splices = [Splice(target.start + 1, target.end - 1)]
    elif not is_last:
        splices = [Splice(part.start, parts[position + 1].start)]
    elif before is not None and part.comma is not None:
        splices = [Splice(before.stop, part.comma)]
    else:
        splices = [Splice(before.end if before is not None else part.start, part.end)]
    return edited(document, splices, removed=gone)


def _comma(source: Source, part: _Part) -> Splice:
    """The comma after a part, with its line where it stands alone."""
    start, end = source.line_span(source.line_of(part.stop - 1))
    if source.data[start:end].strip() == b",":
        return Splice(source.line_span(source.line_of(part.end - 1))[1], end)
    return Splice(part.end, part.stop)


# blocks


def insert_block(document: Document, text: str, after: Block | Attribute | None = None) -> bytes:
    """The file with one more block, in the body of ``after`` and below it, or at the end of the file.

    ``text`` is the block as HCL, with the comments that belong above it. Between blocks of a file there is a
    blank line; inside a block there is one where the blocks before have one. Raises ``EditError``.
    """
    added = tokens_in(text)
    source, lines = document.source, text.strip("\n").split("\n")
    if after is None:
        content = source.data.rstrip(b"\r\n")
        raw = below(source, b"", lines)
        raw = source.newline + raw if content else raw.removeprefix(source.newline)
        end = source.newline if content == source.data else b""
        return edited(document, [Splice(len(content), len(content), raw + end)], added=added)
    at = source.line_span(after.end_line)[1]
    between = source.newline if _apart(document, after) else b""
    raw = between + below(source, source.indent_of(after.line), lines)
    return edited(document, [Splice(at, at, raw)], added=added)


def _apart(document: Document, after: Block | Attribute) -> bool:
    """Whether a blank line belongs below a definition: as above it, or as between the first two of a file."""
    if not document.source.indent_of(after.line):
        return True
    comments = document.comments_above(after.line)
    above = (comments[0].line if comments else after.line) - 1
    return not document.source.line_text(above).strip()


def remove_block(document: Document, block: Block) -> bytes:
    """The file without a block, the comments right above it, and the blank lines before them.

    Raises ``EditError``.
    """
    source = document.source
    lines = whole_lines(document, block.start, block.end)
    head = source.data[: lines.start]
    kept = head.rstrip()
    if kept:
        start = len(kept) + len(head[len(kept) :].partition(b"\n")[0]) + 1
        splice = Splice(min(start, lines.start), lines.end)
    else:
        tail = source.data[lines.end :].lstrip(b"\r\n")
        splice = Splice(lines.start, len(source.data) - len(tail))
    return edited(document, [splice], removed=lines)

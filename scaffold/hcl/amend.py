"""Small edits of HCL files in place, within one block: a definition at its top, a value, a comment.

As those of :mod:`scaffold.hcl.edit`: every other byte is kept, and the result is proven to be what was meant.
"""

from __future__ import annotations

from scaffold.hcl.splice import EditError, Splice, below, edited, tokens_in
from scaffold.hcl.syntax import Block, Document, Expression

_COMMENT = (b"#", b"//")


def insert_first(document: Document, block: Block, text: str) -> bytes:
    """The file with ``text``, one definition or more, at the top of a block's body.

    Raises ``EditError``, also where the block stands in one line.
    """
    source = document.source
    end = source.line_span(source.line_of(block.brace))[1]
    rest = source.data[block.brace + 1 : end].strip()
    if rest and not rest.startswith(_COMMENT):
        raise EditError(f"the block in line {block.line} stands in one line")
    raw = below(source, source.indent_of(block.line) + b"  ", text.split("\n"))
    return edited(document, [Splice(end, end, raw)], added=tokens_in(text))


def replace(document: Document, value: Expression, text: str) -> bytes:
    """The file with another value; further lines of ``text`` are moved to where the old one stands.

    Raises ``EditError``.
    """
    source = document.source
    first, *rest = text.split("\n")
    raw = first.encode() + below(source, source.indent_of(value.line), rest)
    splice = Splice(value.start, value.end, raw)
    return edited(document, [splice], added=tokens_in(f"x = {text}")[2:], removed=splice)


def insert_comment(document: Document, line: int, text: str) -> bytes:
    """The file with a comment about a line: one word at its end, where no other comment is; else above it.

    Raises ``EditError``.
    """
    source, comment = document.source, f"# {text}".encode()
    start, end = source.line_span(line)
    if any(c.line <= line <= c.end_line for c in document.comments) or " " in text:
        splice = Splice(start, start, source.indent_of(line) + comment + source.newline)
    else:
        splice = Splice(end, end, b" " + comment)
    return edited(document, [splice], added=[comment])

"""Small in-place edits of HCL files within one block: a definition at its top, a value, a comment.

As in :mod:`scaffold.hcl.edit`, every other byte stays, and the result is proven to be what was meant.
"""

from __future__ import annotations

from scaffold.hcl.place import block_at
from scaffold.hcl.splice import EditError, Splice, below, edited, tokens_in, whole_lines
from scaffold.hcl.syntax import Attribute, Block, Document, Expression, parse

_COMMENT = (b"#", b"//")


def insert_first(document: Document, block: Block, text: str) -> bytes:
    """The file with ``text``, one or more definitions, at the top of a block's body.

    Raises ``EditError``, also if the block is on one line.
    """
    source = document.source
    end = source.line_span(source.line_of(block.brace))[1]
    rest = source.data[block.brace + 1 : end].strip()
    if rest and not rest.startswith(_COMMENT):
        raise EditError(f"the block on line {block.line} is on one line")
    raw = below(source, source.indent_of(block.line) + b"  ", text.split("\n"))
    return edited(document, [Splice(end, end, raw)], added=tokens_in(text))


def replace(document: Document, value: Expression, text: str) -> bytes:
    """The file with another value; the further lines of ``text`` are indented to match the old one.

    Raises ``EditError``.
    """
    source = document.source
    first, *rest = text.split("\n")
    raw = first.encode() + below(source, source.indent_of(value.line), rest)
    splice = Splice(value.start, value.end, raw)
    return edited(document, [splice], added=tokens_in(f"x = {text}")[2:], removed=splice)


def insert_comment(document: Document, line: int, text: str) -> bytes:
    """The file with a comment about a line: a single word at its end unless it has a comment, else above it.

    Raises ``EditError``.
    """
    source, comment = document.source, f"# {text}".encode()
    start, end = source.line_span(line)
    if any(c.line <= line <= c.end_line for c in document.comments) or " " in text:
        splice = Splice(start, start, source.indent_of(line) + comment + source.newline)
    else:
        splice = Splice(end, end, b" " + comment)
    return edited(document, [splice], added=[comment])


def insert_argument(document: Document, block: Block, text: str, after: str = "") -> bytes:
    """The file with one more argument in a block: below those that it has or at its top.

    If it has the argument ``after``, the new one is below that.
    Comments that belong to it stand above it in ``text``. A block in one line gets lines of its own.
    Raises ``EditError``.
    """
    if block.line == block.end_line:
        document = parse(_in_lines(document, block), document.path)
        now = block_at(document.body, block.line)
        if now is None:
            raise EditError(f"the block on line {block.line} shares its line with others")
        block = now
    arguments = list(block.body.attributes.values())
    if not arguments:
        return insert_first(document, block, text)
    source, above = document.source, block.body.attributes.get(after, arguments[-1])
    at = source.line_span(above.end_line)[1]
    raw = below(source, source.indent_of(above.line), text.split("\n"))
    return edited(document, [Splice(at, at, raw)], added=tokens_in(text))


def remove_argument(document: Document, block: Block, name: str) -> bytes:
    """The file without an argument of a block, and without the comments right above it.

    Raises ``EditError``, also if it does not have its lines to itself.
    """
    argument = block.body.attributes.get(name)
    if argument is None:
        raise EditError(f"the block on line {block.line} has no {name}")
    if block.line in (argument.line, argument.end_line) or block.end_line == argument.end_line:
        raise EditError(f"{name} on line {argument.line} shares its line with others")
    gone = whole_lines(document, argument.start, argument.end)
    return edited(document, [gone], removed=gone)


def rename_argument(document: Document, argument: Attribute, name: str, text: str) -> bytes:
    """The file in which an argument has another name, and the value ``text``. Raises ``EditError``."""
    splice = Splice(argument.start, argument.end, f"{name} = {text}".encode())
    return edited(document, [splice], added=tokens_in(f"{name} = {text}"), removed=splice)


def _in_lines(document: Document, block: Block) -> bytes:
    """The file in which the contents of a one-line block have lines of their own."""
    source, items = document.source, block.body.items
    outer = source.newline + source.indent_of(block.line)
    inside = source.data[block.brace + 1 : block.end - 1].strip()
    if not items and inside:
        raise EditError(f"the block on line {block.line} has a comment on its one line")
    text = outer + b"  " + inside + outer if items else outer
    return edited(document, [Splice(block.brace + 1, block.end - 1, text)])

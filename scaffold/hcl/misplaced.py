"""Bytes, white space and words that the tree-sitter grammar accepts anywhere, and HCL only in some places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.masked import DIGITS_AS_ZERO
from scaffold.hcl.source import Source
from scaffold.hcl.unparsed import Problem


def misplaced(root: Node, source: Source) -> Iterator[Problem]:
    """Bytes, white space and words that the grammar accepts and HCL allows only in some places."""
    for at in _undecodable(source.data):
        node = root.descendant_for_byte_range(at, at + 1)
        if node is None or node.kind_id != g.COMMENT:
            yield at, "this is not valid UTF-8"
    if (at := source.data.find(b"\0")) != -1:
        yield at, "a NUL byte"
    data = source.data.replace(b"\r\n", b"\n\n")
    for at, mark in _places(data, _ODD_ASCII if data.isascii() else _ODD_WHITE_SPACE):
        node = root.descendant_for_byte_range(at, at + len(mark))
        allowed = _COMMENT if mark == b"\r" else _TEXT
        if (at or mark != _BYTE_ORDER_MARK) and (node is None or node.kind_id not in allowed):
            yield at, f"{mark.decode()!r} is not white space in HCL"
    for at, mark in _places(data.translate(DIGITS_AS_ZERO), _WORDS):
        node = root.descendant_for_byte_range(at, at + len(mark))
        if node is not None and (message := _misread(node, source)):
            yield node.start_byte, message


_WORDS = (b"::", b"0x", b".0", b"0e", b"0E")


def _misread(node: Node, source: Source) -> str | None:
    """What is wrong with a word that the grammar accepts as one and HCL reads otherwise."""
    text = source.text(node.start_byte, node.end_byte)
    if node.kind_id == g.NUMERIC_LIT and text.startswith("0x"):
        return "HCL has no hexadecimal numbers"
    if node.kind_id == g.NUMERIC_LIT and text.lower().count("e") > 1:
        return "a number has one exponent"
    if node.kind_id == g.IDENTIFIER and "::" in text:
        called = node.parent is not None and node.parent.kind_id == g.FUNCTION_CALL
        words = all(f"{part[:1]}{part[1:].replace('-', '_')}".isidentifier() for part in text.split("::"))
        return None if called and words else "only the name of a function can contain '::'"
    if node.kind_id == g.LEGACY_INDEX and not text[1:].isdecimal():
        return "an index after a dot consists of digits only"
    if node.kind_id == g.LEGACY_INDEX and _is_number(node.parent.prev_sibling if node.parent else None, node):
        return "two numbers in a row: write these indexes as [0][1]"
    return None


def _is_number(before: Node | None, step: Node) -> bool:
    """Whether HCL reads what is directly before a step, and the step, as one number."""
    while before is not None and before.end_byte == step.start_byte and before.child_count:
        before = before.children[0]
        if before.kind_id in (g.LEGACY_INDEX, g.NUMERIC_LIT):
            return True
    return False


def _undecodable(data: bytes) -> Iterator[int]:
    done = 0
    while True:
        try:
            data[done:].decode("utf-8")
        except UnicodeDecodeError as error:
            yield done + error.start
            done += error.end
        else:
            return


def _places(data: bytes, marks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for mark in marks:
        at = data.find(mark)
        while at != -1:
            yield at, mark
            at = data.find(mark, at + 1)


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ODD_WHITE_SPACE = tuple(
    character.encode()
    for character in (
        *"\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff",
        *map(chr, range(0x2000, 0x200B)),
    )
)
_ODD_ASCII = tuple(mark for mark in _ODD_WHITE_SPACE if mark.isascii())
_COMMENT = frozenset((g.COMMENT,))
_TEXT = frozenset(
    (
        g.COMMENT,
        g.STRING_LIT,
        g.QUOTED_TEMPLATE,
        g.HEREDOC_TEMPLATE,
        g.TEMPLATE_LITERAL,
        g.TEMPLATE_DIRECTIVE,
        g.TEMPLATE_FOR,
        g.TEMPLATE_IF,
    )
)

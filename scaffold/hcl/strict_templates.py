"""What HCL refuses in strings and templates, and the tree-sitter grammar lets pass.

Source: "Template Expressions" of the HCL native syntax specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source
from scaffold.hcl.strings import bad_escapes
from scaffold.hcl.unparsed import STRING_OVER_LINES, Problem

_OPENING = frozenset((g.INTERPOLATION_START, g.DIRECTIVE_START))
_CLOSING = frozenset((g.INTERPOLATION_END, g.DIRECTIVE_END))
_BRACES_AND_COMMENTS = _OPENING | _CLOSING | {g.STRIP_MARKER, g.COMMENT}


def quoted(node: Node, source: Source) -> Iterator[Problem]:
    """A quoted string: one line, known escapes."""
    data = source.data
    done = node.start_byte + 1
    for code in (*_code(node), None):
        end = code.start_byte if code is not None else node.end_byte - 1
        if (line_end := data.find(b"\n", done, end)) != -1:
            yield line_end, STRING_OVER_LINES
        if data.find(b"\\", done, end) != -1:
            raw = source.text(done, end)
            for at in bad_escapes(raw):
                yield done + len(raw[:at].encode()), f"unknown escape sequence {raw[at : at + 2]}"
        done = code.end_byte if code is not None else end


def _code(template: Node) -> Iterator[Node]:
    """The parts of a template that are code: interpolations, and the marks of directives."""
    for child in template.children:
        if child.kind_id in (g.TEMPLATE_DIRECTIVE, g.TEMPLATE_FOR, g.TEMPLATE_IF):
            yield from _code(child)
        elif child.kind_id not in (g.TEMPLATE_LITERAL, g.QUOTE_START, g.QUOTE_END):
            yield child


def heredoc(node: Node, source: Source) -> Iterator[Problem]:
    """A heredoc: its marker is one word and ends its line."""
    marker, name = node.children[:2]
    after = source.data[name.end_byte : name.end_byte + 2]
    if (
        marker.end_byte != name.start_byte
        or source.data[name.start_byte : name.end_byte][:1].isdigit()
        or not after.startswith((b"\n", b"\r\n"))
    ):
        yield marker.start_byte, "the marker of a heredoc is one word, and its line ends after it"


def template_code(node: Node, source: Source) -> Iterator[Problem]:
    """An interpolation or the mark of a directive: something in it, `~` right beside its braces."""
    if all(child.kind_id in _BRACES_AND_COMMENTS for child in node.children):
        yield node.start_byte, "an interpolation holds an expression"
    for left, right in pairwise(node.children):
        opens = right.kind_id == g.STRIP_MARKER and left.kind_id in _OPENING
        closes = left.kind_id == g.STRIP_MARKER and right.kind_id in _CLOSING
        if (opens or closes) and left.end_byte != right.start_byte:
            yield left.start_byte, "'~' stands right beside the brace"

"""What HCL refuses in strings and templates, and the tree-sitter grammar accepts.

Source: "Template Expressions" of the HCL native syntax specification.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source
from scaffold.hcl.strings import bad_escapes, has_template
from scaffold.hcl.unparsed import STRING_OVER_LINES, Problem

_OPENING = frozenset((g.INTERPOLATION_START, g.DIRECTIVE_START))
_CLOSING = frozenset((g.INTERPOLATION_END, g.DIRECTIVE_END))
_DIRECTIVES = frozenset((g.TEMPLATE_DIRECTIVE, g.TEMPLATE_FOR, g.TEMPLATE_IF))
_TEXT = _DIRECTIVES | {g.TEMPLATE_LITERAL}
_LONGEST_MARKER = 100
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
        if b'"' in data[done:end].replace(b"\\\\", b"").replace(b'\\"', b""):
            yield done, "the string ends inside a directive"
        done = code.end_byte if code is not None else end


def _code(template: Node) -> Iterator[Node]:
    """The parts of a template that are code: interpolations, and the marks of directives."""
    for child in template.children:
        if child.kind_id in _DIRECTIVES:
            yield from _code(child)
        elif child.kind_id not in (g.TEMPLATE_LITERAL, g.QUOTE_START, g.QUOTE_END):
            yield child


def heredoc(node: Node, source: Source) -> Iterator[Problem]:
    """A heredoc: its marker is one word and ends its line; it ends with the first line that is the marker.

    The grammar's scanner forgets a marker that is long or not ASCII, and then ends the text elsewhere.
    """
    data = source.data
    marker, name = node.children[:2]
    word = data[name.start_byte : name.end_byte]
    after = data[name.end_byte : name.end_byte + 2]
    if marker.end_byte != name.start_byte or word[:1].isdigit() or not after.startswith((b"\n", b"\r\n")):
        yield marker.start_byte, "the marker of a heredoc is one word, and its line ends after it"
    if not word.isascii() or len(word) > _LONGEST_MARKER:
        yield marker.start_byte, "the marker of a heredoc is a short word of plain letters"
    yield from _passed_over(node, source)
    last = source.line_of(node.children[-1].start_byte)
    for line in range(source.line_of(name.start_byte) + 1, last + 1):
        start, end = source.line_span(line)
        found = node.descendant_for_byte_range(start, start)
        ends = data[start:end].decode("utf-8", "replace").strip().encode() == word
        if ends != (line == last) and (line == last or _is_text_of(node, found)):
            yield start, "a heredoc ends with the first line that holds its marker and nothing else"


def _is_text_of(heredoc: Node, found: Node | None) -> bool:
    while found is not None and found.kind_id in _TEXT and found != heredoc:
        found = found.parent
    return found == heredoc


def _passed_over(template: Node, source: Source) -> Iterator[Problem]:
    """Interpolations and directives that the grammar's scanner read as text."""
    for child in template.children:
        if child.kind_id in _DIRECTIVES:
            yield from _passed_over(child, source)
        elif child.kind_id == g.TEMPLATE_LITERAL and has_template(
            source.text(child.start_byte, child.end_byte)
        ):
            yield child.start_byte, "this text begins with its own end marker and holds a template"


def keywords(node: Node, source: Source) -> Iterator[Problem]:
    """The words of a ``for`` or a directive: each is a word of its own."""
    for child in node.children:
        if child.end_byte - child.start_byte > 1 and not child.is_named:
            behind = source.data[child.end_byte : child.end_byte + 1]
            if behind.isalnum() or behind in (b"_", b"-"):
                yield child.start_byte, "a space is missing after this word"


def template_code(node: Node, source: Source) -> Iterator[Problem]:
    """An interpolation or the mark of a directive: something in it, `~` right beside its braces."""
    if all(child.kind_id in _BRACES_AND_COMMENTS for child in node.children):
        yield node.start_byte, "an interpolation holds an expression"
    yield from keywords(node, source)
    inside = (node.children[0].end_byte, node.children[-1].start_byte)
    for child in node.children:
        if child.kind_id == g.STRIP_MARKER and inside[0] != child.start_byte and inside[1] != child.end_byte:
            yield child.start_byte, "'~' has to be right beside the brace"

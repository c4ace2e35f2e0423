"""The tokens of an HCL file, as HCL's own scanner sees them: what the layout rules are defined on."""

from __future__ import annotations

from enum import IntEnum, auto

from tree_sitter import Node

from scaffold.hcl import grammar as g


class Kind(IntEnum):
    """The kinds of tokens that the layout tells apart."""

    WORD = auto()
    NUMBER = auto()
    STRING = auto()
    """A whole quoted string without templates in it: no space can stand inside."""
    OPERATOR = auto()
    OPEN_BRACE = auto()
    CLOSE_BRACE = auto()
    OPEN_BRACKET = auto()
    CLOSE_BRACKET = auto()
    OPEN_PAREN = auto()
    CLOSE_PAREN = auto()
    OPEN_TEMPLATE = auto()
    """``${`` and ``%{``."""
    CLOSE_TEMPLATE = auto()
    OPEN_QUOTE = auto()
    CLOSE_QUOTE = auto()
    OPEN_HEREDOC = auto()
    CLOSE_HEREDOC = auto()
    TEXT = auto()
    """What a string or heredoc says."""
    DOT = auto()
    COMMA = auto()
    ELLIPSIS = auto()
    EQUAL = auto()
    BANG = auto()
    MINUS = auto()
    COMMENT = auto()
    NEWLINE = auto()
    END = auto()
    """The end of the file, with the white space that a last line without a line end has."""


class Token:
    """A token; ``spaces`` is what stands before it in its line, ``start`` the byte at which it starts."""

    __slots__ = ("kind", "spaces", "start", "text")

    def __init__(self, kind: Kind, text: str, spaces: int, start: int) -> None:
        self.kind = kind
        self.text = text
        self.spaces = spaces
        self.start = start

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.text!r}>"


_BY_TEXT = {
    "{": Kind.OPEN_BRACE,
    "}": Kind.CLOSE_BRACE,
    "[": Kind.OPEN_BRACKET,
    "]": Kind.CLOSE_BRACKET,
    "(": Kind.OPEN_PAREN,
    ")": Kind.CLOSE_PAREN,
    ".": Kind.DOT,
    ",": Kind.COMMA,
    "...": Kind.ELLIPSIS,
    "=": Kind.EQUAL,
    "!": Kind.BANG,
    "-": Kind.MINUS,
    **dict.fromkeys(("for", "in", "if", "else", "endif", "endfor", "true", "false", "null"), Kind.WORD),
}
_BY_NODE = {
    g.IDENTIFIER: Kind.WORD,
    g.NUMERIC_LIT: Kind.NUMBER,
    g.STRING_LIT: Kind.STRING,
    g.NULL_LIT: Kind.WORD,
}
_SPLIT = {"[*]": ("[", "*", "]"), ".*": (".", "*")}
_OPENING = frozenset((g.INTERPOLATION_START, g.DIRECTIVE_START))
_CLOSING = frozenset((g.INTERPOLATION_END, g.DIRECTIVE_END))
_TEMPLATE_PARTS = frozenset((g.TEMPLATE_DIRECTIVE, g.TEMPLATE_FOR, g.TEMPLATE_IF))


def tokens_of(root: Node, data: bytes) -> list[Token]:
    """The tokens below the root of a well-formed file, in their order, line ends and the end included."""
    scanner = _Scanner(data)
    scanner.walk(root)
    scanner.add(Kind.END, len(data), len(data))
    return scanner.tokens


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.tokens: list[Token] = []
        self.done = 0
        self.spaces = 0

    def walk(self, node: Node) -> None:
        """Add the tokens of a node."""
        while node.child_count == 1 and node.kind_id != g.LEGACY_INDEX:
            node = node.children[0]
        kind = node.kind_id
        simple = _BY_NODE.get(kind)
        if simple is not None:
            self.add(simple, node.start_byte, node.end_byte)
        elif kind == g.COMMENT:
            self.comment(node.start_byte, node.end_byte)
        elif kind == g.QUOTED_TEMPLATE:
            self.add(Kind.OPEN_QUOTE, node.start_byte, node.start_byte + 1)
            self.text(node)
            self.literal(node.end_byte - 1)
            self.add(Kind.CLOSE_QUOTE, node.end_byte - 1, node.end_byte)
        elif kind == g.HEREDOC_TEMPLATE:
            self.heredoc(node)
        elif kind == g.LEGACY_INDEX:
            self.add(Kind.DOT, node.start_byte, node.start_byte + 1)
            self.add(Kind.NUMBER, node.start_byte + 1, node.end_byte)
        elif node.child_count:
            for child in node.children:
                self.walk(child)
        elif node.end_byte > node.start_byte:
            self.mark(node, kind)

    def mark(self, node: Node, kind: int) -> None:
        """Add a bracket, an operator, a keyword or the brace of a template."""
        start, end = node.start_byte, node.end_byte
        if kind == g.STRIP_MARKER:
            return  # a part of the brace beside it
        if kind in _OPENING:
            strips = self.data[end : end + 1] == b"~"
            self.add(Kind.OPEN_TEMPLATE, start, end + strips)
        elif kind in _CLOSING:
            strips = self.data[start - 1 : start] == b"~"
            self.add(Kind.CLOSE_TEMPLATE, start - strips, end)
        else:
            text = self.data[start:end].decode()
            for part in _SPLIT.get(text, (text,)):
                self.add(_BY_TEXT.get(part, Kind.OPERATOR), start, start + len(part))
                start += len(part)

    def add(self, kind: Kind, start: int, end: int) -> None:
        """Add a token, and before it the line ends since the last one."""
        if start > self.done:
            if b"\n" in self.data[self.done : start]:
                self.gap(start)
            else:
                self.spaces += start - self.done
        self.tokens.append(
            Token(kind, self.data[start:end].decode("utf-8", "surrogateescape"), self.spaces, start)
        )
        self.done, self.spaces = end, 0

    def gap(self, end: int) -> None:
        """Take over the white space up to a byte."""
        *lines, last = self.data[self.done : end].split(b"\n")
        at = self.done
        for line in lines:
            bare = line.removesuffix(b"\r")
            at += len(line) + 1
            text = "\n" if bare == line else "\r\n"
            self.tokens.append(Token(Kind.NEWLINE, text, self.spaces + len(bare), at - len(text)))
            self.spaces = 0
        self.spaces += len(last)
        self.done = end

    def comment(self, start: int, end: int) -> None:
        """Add a comment; one to the end of the line takes the line end with it."""
        if not self.data.startswith(b"/*", start) and self.data[end : end + 1] == b"\n":
            end += 1
        self.add(Kind.COMMENT, start, end)

    def literal(self, end: int) -> None:
        """Add the text of a template up to a byte, white space included."""
        if end > self.done:
            start, self.done = self.done, end
            self.tokens.append(
                Token(Kind.TEXT, self.data[start:end].decode("utf-8", "surrogateescape"), 0, start)
            )

    def text(self, template: Node) -> None:
        """Add what stands between the marks of a template."""
        for child in template.children:
            if child.kind_id in _TEMPLATE_PARTS:
                self.text(child)
            elif child.kind_id not in _NO_CODE:
                self.literal(child.start_byte)
                self.walk(child)

    def heredoc(self, node: Node) -> None:
        """Add a heredoc: the line end after its marker belongs to the marker."""
        marker, *inner, last = node.children
        line_end = self.data.index(b"\n", marker.end_byte) + 1
        self.add(Kind.OPEN_HEREDOC, marker.start_byte, line_end)
        for child in inner:
            if child.kind_id in _TEMPLATE_PARTS:
                self.text(child)
            elif child.kind_id not in _NO_CODE:
                self.literal(child.start_byte)
                self.walk(child)
        self.literal(last.start_byte)
        self.add(Kind.CLOSE_HEREDOC, last.start_byte, last.end_byte)


_NO_CODE = frozenset((g.TEMPLATE_LITERAL, g.QUOTE_START, g.QUOTE_END, g.HEREDOC_IDENTIFIER))

"""How ``terraform fmt`` lays out a file: indentation, spaces, columns of ``=`` and of trailing comments.

The rules are those of HashiCorp's formatter: every line is indented by two spaces for each line before it
that left a bracket open; ``=`` stands in one column in consecutive lines that hold a whole definition; a
comment at the end of consecutive lines stands in one column; between the tokens of a line there is one space
or none. Blank lines stay as they are. The same code tells what is wrong and what would be right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from scaffold.hcl.rewrites import rewritten
from scaffold.hcl.syntax import Document
from scaffold.hcl.tokens import Kind, Token, tokens_of


@dataclass(frozen=True, slots=True, order=True)
class LayoutProblem:
    """A line that ``terraform fmt`` would write otherwise; ``expected`` is how."""

    line: int
    message: str
    expected: str


@dataclass(slots=True)
class _Line:
    """The tokens of a line, in the three cells that are lined up with other lines."""

    lead: list[Token]
    assign: list[Token] = field(default_factory=list)
    comment: list[Token] = field(default_factory=list)


def formatted(document: Document) -> bytes:
    """The file as ``terraform fmt`` would lay it out."""
    *tokens, end = tokens_of(document.tree.root_node, document.source.data)
    lines = _lines(rewritten(tokens, document.body))
    _indent(lines)
    for line in lines:
        _space(line.lead)
        _space(line.assign)
    _line_up(lines, lambda line: line.assign, lambda line: _columns(line.lead))
    _line_up(lines, lambda line: line.comment, lambda line: _columns(line.lead) + _columns(line.assign))
    laid_out = (token for line in lines for cell in (line.lead, line.assign, line.comment) for token in cell)
    return ("".join(" " * token.spaces + token.text for token in laid_out) + " " * end.spaces).encode(
        "utf-8", "surrogateescape"
    )


def misaligned(document: Document) -> tuple[LayoutProblem, ...]:
    """Every line that ``terraform fmt`` would lay out otherwise."""
    wanted = formatted(document)
    if wanted == document.source.data:
        return ()
    have, want = (data.decode("utf-8", "replace").split("\n") for data in (document.source.data, wanted))
    if len(have) == len(want):
        pairs = enumerate(zip(have, want, strict=True), start=1)
        return tuple(LayoutProblem(n, _difference(a, b), b.rstrip("\r")) for n, (a, b) in pairs if a != b)
    # An interpolation over several lines was unwrapped: lines are no longer the same in number.
    changes = SequenceMatcher(None, have, want, autojunk=False).get_opcodes()
    return tuple(
        LayoutProblem(i1 + 1, "terraform fmt writes this otherwise", "\n".join(want[j1:j2]))
        for tag, i1, _, j1, j2 in changes
        if tag != "equal"
    )


def _difference(have: str, want: str) -> str:
    if have.rstrip() == want.rstrip():
        return "white space at the end of the line"
    if have.lstrip() == want.lstrip():
        return f"indented by {_indentation(have)} instead of {_indentation(want)}"
    if have.split() == want.split():
        return "spaces or columns are not as terraform fmt lays them out"
    return "terraform fmt writes this otherwise"


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


# lines and cells


def _lines(tokens: list[Token]) -> list[_Line]:
    lines: list[_Line] = []
    start = 0
    for position, token in enumerate(tokens, start=1):
        if token.kind is Kind.NEWLINE or (token.kind is Kind.COMMENT and token.text.endswith("\n")):
            lines.append(_cells(tokens[start:position]))
            start = position
    if start < len(tokens):
        lines.append(_cells(tokens[start:]))
    return lines


def _cells(tokens: list[Token]) -> _Line:
    line = _Line(tokens)
    if len(tokens) > 1 and tokens[-1].kind is Kind.COMMENT:
        line.lead, line.comment = tokens[:-1], tokens[-1:]
    equal = next((i for i, token in enumerate(line.lead) if i and token.kind is Kind.EQUAL), None)
    # With a bracket left open the value goes on in the next lines, and is not lined up.
    if equal is not None and not sum(_OPENS.get(token.kind, 0) for token in line.lead[equal:]):
        line.lead, line.assign = line.lead[:equal], line.lead[equal:]
    return line


_OPENS = {
    Kind.OPEN_BRACE: 1,
    Kind.OPEN_BRACKET: 1,
    Kind.OPEN_PAREN: 1,
    Kind.OPEN_TEMPLATE: 1,
    Kind.CLOSE_BRACE: -1,
    Kind.CLOSE_BRACKET: -1,
    Kind.CLOSE_PAREN: -1,
    Kind.CLOSE_TEMPLATE: -1,
}


# indentation


def _indent(lines: list[_Line]) -> None:
    levels: list[int] = []
    for line in lines:
        first = line.lead[0]
        if first.kind is Kind.NEWLINE:
            first.spaces = 0
            continue
        opened = _opened(line.lead) + _opened(line.assign)
        if opened < 0:
            _close(levels, -opened)
        first.spaces = 2 * len(levels)
        if opened > 0:
            levels.append(opened)


def _opened(tokens: list[Token]) -> int:
    """How many brackets the tokens leave open; what a heredoc holds does not count."""
    opened = 0
    for token in tokens:
        if token.kind is Kind.OPEN_HEREDOC:
            break
        opened += _OPENS.get(token.kind, 0)
    return opened


def _close(levels: list[int], closed: int) -> None:
    """Take closed brackets from the levels: a level ends with the last bracket of its line."""
    while closed > 0 and levels:
        taken = min(closed, levels[-1])
        levels[-1] -= taken
        closed -= taken
        if not levels[-1]:
            levels.pop()


# spaces between tokens


def _space(tokens: list[Token]) -> None:
    before: Token | None = None
    for position in range(len(tokens) - 1):
        token, after = tokens[position], tokens[position + 1]
        after.spaces = 1 if _spaced(before, token, after) else 0
        before = token


def _spaced(before: Token | None, token: Token, after: Token) -> bool:
    """Whether a space stands between two tokens; the first rule that applies decides."""
    kind, next_kind = token.kind, after.kind
    if next_kind in _NEVER_AFTER_SPACE or kind is Kind.DOT:
        return False
    if kind is Kind.WORD and next_kind is Kind.OPEN_PAREN:
        return False
    if kind is Kind.COMMA:
        return True
    if kind in _TEXT_BEFORE or next_kind in _TEXT_AFTER:
        return False
    if kind is Kind.WORD and token.text == "in" and before is not None and before.kind is Kind.WORD:
        return True
    if next_kind is Kind.OPEN_BRACKET and (kind in (Kind.WORD, Kind.NUMBER) or _OPENS.get(kind, 0) < 0):
        return False
    if kind is Kind.BANG:
        return False
    if kind is Kind.MINUS:
        return before is not None and not _calls_for_operand(before)
    if kind is Kind.OPEN_BRACE or next_kind is Kind.CLOSE_BRACE:
        return not (kind is Kind.OPEN_BRACE and next_kind is Kind.CLOSE_BRACE)
    if kind is Kind.OPEN_TEMPLATE and next_kind is Kind.OPEN_BRACE:
        return True
    if kind is Kind.CLOSE_BRACE and next_kind is Kind.CLOSE_TEMPLATE:
        return True
    if kind is Kind.CLOSE_TEMPLATE and next_kind is Kind.OPEN_TEMPLATE:
        return False
    return _OPENS.get(kind, 0) <= 0 and _OPENS.get(next_kind, 0) >= 0


_NEVER_AFTER_SPACE = frozenset((Kind.NEWLINE, Kind.DOT, Kind.COMMA, Kind.ELLIPSIS))
_TEXT_BEFORE = frozenset((Kind.TEXT, Kind.OPEN_QUOTE, Kind.OPEN_HEREDOC))
_TEXT_AFTER = frozenset((Kind.TEXT, Kind.CLOSE_QUOTE, Kind.CLOSE_HEREDOC))


def _calls_for_operand(token: Token) -> bool:
    """Whether a minus after this token is a sign, and not a subtraction."""
    return token.kind in _BEFORE_SIGN or (token.kind is Kind.OPERATOR and token.text in _OPERATORS)


_BEFORE_SIGN = frozenset(
    (Kind.OPEN_PAREN, Kind.OPEN_BRACE, Kind.OPEN_BRACKET, Kind.EQUAL, Kind.COMMA, Kind.MINUS, Kind.BANG)
)
_OPERATORS = frozenset((":", "?", "+", "*", "/", "%", "==", "!=", ">", ">=", "<", "<=", "&&", "||"))


# columns


def _line_up(lines: list[_Line], cell: Callable[[_Line], list[Token]], width: Callable[[_Line], int]) -> None:
    """Put a cell of consecutive lines that have it in one column."""
    for chain in _chains(lines, cell):
        widths = [width(line) for line in chain]
        for line, columns in zip(chain, widths, strict=True):
            cell(line)[0].spaces = max(widths) - columns + 1


def _chains(lines: list[_Line], cell: Callable[[_Line], list[Token]]) -> Iterator[list[_Line]]:
    chain: list[_Line] = []
    for line in lines:
        if cell(line):
            chain.append(line)
        elif chain:
            yield chain
            chain = []
    if chain:
        yield chain


def _columns(tokens: list[Token]) -> int:
    return sum(token.spaces + _width(token.text) for token in tokens)


def _width(text: str) -> int:
    """The number of characters that a reader sees: marks and joiners have no column of their own."""
    if text.isascii():
        return len(text)
    width, joined = 0, False
    for character in text:
        if character == "\u200d":
            joined = True
        elif unicodedata.category(character) not in ("Mn", "Me") and not joined:
            width += 1
        else:
            joined = False
    return width

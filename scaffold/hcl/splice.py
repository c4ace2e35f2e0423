"""Splices into an HCL file, and the proof that they changed what they were meant to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scaffold.errors import RefusedError
from scaffold.hcl.layout import misaligned
from scaffold.hcl.syntax import Document, HclSyntaxError, Source, parse
from scaffold.hcl.tokens import Kind, Token, tokens_of


class EditError(RefusedError):
    """An edit that cannot be made without touching more than it is meant to."""


Words = Sequence[tuple[Kind, str]]
"""Tokens by kind and content."""


@dataclass(frozen=True, slots=True)
class Splice:
    """The bytes from ``start`` to ``end`` are replaced by ``text``."""

    start: int
    end: int
    text: bytes = b""


def applied(
    document: Document, splices: Sequence[Splice], *, added: Words = (), removed: Sequence[Splice] = ()
) -> bytes:
    """The bytes after the splices, lined up, and proven to be the intended ones.

    ``added`` are the tokens that the last splice brings; ``removed`` are the ranges whose tokens go. Raises
    ``EditError`` where the result is anything else.
    """
    result = _spliced(document.source.data, splices)
    try:
        changed = _lined_up(document, parse(result, document.path))
    except HclSyntaxError as error:
        raise EditError(f"the edit would break {document.path or 'the file'}: {error.message}") from error
    old = _tokens(document)
    kept = [(at, word) for at, word in old if not any(r.start <= at < r.end for r in removed)]
    position = sum(1 for at, _ in kept if at < splices[-1].start)
    words = [word for _, word in kept]
    if [*words[:position], *added, *words[position:]] != [word for _, word in _tokens(changed)]:
        raise EditError(f"the edit of {document.path or 'the file'} would change more than it is meant to")
    return changed.source.data


def below(source: Source, indent: bytes, lines: Sequence[str]) -> bytes:
    """The bytes of lines below another one; those of a heredoc keep their indentation, which is content."""
    first, *others = (line.encode() for line in lines)
    if any("<<" in line for line in lines):
        indents = [b""] * len(others)
    else:
        indents = [indent if line.strip() else b"" for line in others]
    rest = (source.newline + i + line for i, line in zip(indents, others, strict=True))
    return b"".join((source.newline, indent, first, *rest))


def whole_lines(document: Document, start: int, stop: int) -> Splice:
    """The lines of a part and the comments right above it."""
    source = document.source
    first = source.line_of(start)
    comments = document.comments_above(first)
    first = comments[0].line if comments else first
    last = source.line_of(stop - 1)
    end = source.line_starts[last] if last < len(source.line_starts) else len(source.data)
    return Splice(source.line_starts[first - 1], end)


def _spliced(data: bytes, splices: Iterable[Splice]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for splice in splices:
        pieces += (data[done : splice.start], splice.text)
        done = splice.end
    return b"".join((*pieces, data[done:]))


def _tokens(document: Document) -> list[tuple[int, tuple[Kind, str]]]:
    """Place and content of each token; line ends and commas may come and go with an edit."""
    return [
        (token.start, (token.kind, _content(token)))
        for token in tokens_of(document.tree.root_node, document.source.data)
        if token.kind not in (Kind.NEWLINE, Kind.COMMA, Kind.END)
    ]


def _content(token: Token) -> str:
    text = token.text.replace("\r\n", "\n")
    return text.rstrip("\n") if token.kind is Kind.COMMENT else text


def tokens_in(text: str) -> list[tuple[Kind, str]]:
    """The tokens of a piece of HCL that is to be inserted. Raises ``EditError`` where it is none."""
    try:
        return [word for _, word in _tokens(parse(text.encode()))]
    except HclSyntaxError as error:
        raise EditError(f"what is to be inserted is no HCL: {error.problems[0].message}") from error


def _lined_up(before: Document, after: Document) -> Document:
    """The file with those lines laid out that the edit has put out of line."""
    known = Counter(before.source.line_text(problem.line) for problem in misaligned(before))
    splices: list[Splice] = []
    for problem in misaligned(after):
        line = after.source.line_text(problem.line)
        if known[line]:
            known[line] -= 1
        elif "".join(line.split()) == "".join(problem.expected.split()):
            splices.append(Splice(*after.source.line_span(problem.line), problem.expected.encode()))
    return parse(_spliced(after.source.data, splices), after.path) if splices else after

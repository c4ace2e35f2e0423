"""What ``terraform fmt`` rewrites before it lays a file out.

Bare block labels get quotes, an argument that is one interpolation and nothing else (``"${x}"``) loses its
wrapping, and type words of Terraform 0.11 in variables become types.
"""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize

from scaffold.hcl import grammar as g
from scaffold.hcl.expressions import Expression, ExprKind
from scaffold.hcl.strings import quote, unquote
from scaffold.hcl.syntax import Attribute, Block, Body
from scaffold.hcl.tokens import Kind, Token

_BARE_TYPES = frozenset(("list", "map", "set"))
_QUOTED_TYPES = {"string": "string", "list": "list(string)", "map": "map(string)"}

Replacement = tuple[int, int, list[Token]]
"""From which byte to which, and the tokens that stand there instead."""


def rewritten(tokens: list[Token], body: Body) -> list[Token]:
    """The tokens after everything that ``terraform fmt`` rewrites in a file."""
    replacements = sorted(_replacements(tokens, body, ()), key=lambda replacement: replacement[0])
    if not replacements:
        return tokens
    result: list[Token] = []
    position = 0
    for start, end, instead in replacements:
        while position < len(tokens) and tokens[position].start < start:
            result.append(tokens[position])
            position += 1
        while position < len(tokens) and tokens[position].start < end:
            position += 1
        result += instead
    return result + tokens[position:]


def _replacements(tokens: list[Token], body: Body, within: tuple[str, ...]) -> Iterator[Replacement]:
    for item in body.items:
        if isinstance(item, Block):
            yield from _labels(item)
            yield from _replacements(tokens, item.body, (*within, item.type))
        elif within == ("variable",) and item.name == "type":
            yield from _type(item)
        elif _is_wrapped(item.value):
            yield from _unwrapped(tokens, item)


def _labels(block: Block) -> Iterator[Replacement]:
    header = [n for n in block.node.children if n.kind_id not in (g.BLOCK_START, g.BODY, g.BLOCK_END)]
    while header[-1].kind_id == g.COMMENT:  # only comments between the labels are lost
        header.pop()
    for node in header[1:]:
        text = block.source.text(node.start_byte, node.end_byte)
        if node.kind_id == g.COMMENT:
            yield node.start_byte, node.end_byte, []
        elif (label := quote(normalize("NFC", unquote(text.strip('"'))))) != text:
            yield node.start_byte, node.end_byte, [Token(Kind.STRING, label, 1, node.start_byte)]


def _type(attribute: Attribute) -> Iterator[Replacement]:
    value = attribute.value
    text = value.string() if value.kind is ExprKind.STRING else None
    instead = f"{value.text}(any)" if value.text in _BARE_TYPES else _QUOTED_TYPES.get(text or "")
    if instead is not None:
        yield value.start, value.end, [Token(Kind.WORD, instead, 1, value.start)]


def _is_wrapped(value: Expression) -> bool:
    if value.kind is not ExprKind.TEMPLATE:
        return False
    template = value.nodes[0].children[0]
    inner = [n for n in template.children if n.kind_id not in (g.QUOTE_START, g.QUOTE_END)]
    return (
        len(inner) == 1
        and inner[0].kind_id == g.TEMPLATE_INTERPOLATION
        and (inner[0].start_byte, inner[0].end_byte) == (value.start + 1, value.end - 1)
    )


def _unwrapped(tokens: list[Token], attribute: Attribute) -> Iterator[Replacement]:
    start, end = attribute.value.start, attribute.value.end
    inner = [token for token in tokens if start <= token.start < end][2:-2]
    if _holds_template(inner):
        return
    while inner and inner[0].kind is Kind.NEWLINE:
        inner = inner[1:]
    while inner and inner[-1].kind is Kind.NEWLINE:
        inner = inner[:-1]
    parenthesised = inner[0].kind is Kind.OPEN_PAREN and inner[-1].kind is Kind.CLOSE_PAREN
    if any(token.kind is Kind.NEWLINE for token in inner) and not parenthesised:
        inner = [Token(Kind.OPEN_PAREN, "(", 1, start), *inner, Token(Kind.CLOSE_PAREN, ")", 0, end - 1)]
    yield start, end, inner


def _holds_template(tokens: list[Token]) -> bool:
    """Whether the tokens hold a template of their own outside quotes."""
    quotes = 0
    for token in tokens:
        quotes += (token.kind is Kind.OPEN_QUOTE) - (token.kind is Kind.CLOSE_QUOTE)
        if not quotes and token.kind in (Kind.OPEN_TEMPLATE, Kind.CLOSE_TEMPLATE):
            return True
    return False

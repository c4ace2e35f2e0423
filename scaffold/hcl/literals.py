"""The values of HCL expressions that depend on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from scaffold.hcl import grammar as g
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.strings import heredoc_text, unquote

if TYPE_CHECKING:
    from scaffold.hcl.expressions import Expression


class NotLiteral(Enum):
    """The type of ``NOT_LITERAL``."""

    NOT_LITERAL = auto()

    def __repr__(self) -> str:
        return "NOT_LITERAL"


NOT_LITERAL: Final = NotLiteral.NOT_LITERAL
"""What ``Expression.literal`` answers where the value depends on something else (``None`` is ``null``)."""
HOLES = frozenset((g.TEMPLATE_INTERPOLATION, g.TEMPLATE_DIRECTIVE))
"""The parts of a template that are not text."""


def literal(expression: Expression) -> object:
    """The Python value of a pure literal; see :meth:`~scaffold.hcl.expressions.Expression.literal`."""
    reader = _READERS.get(expression.kind)
    return reader(expression) if reader is not None else NOT_LITERAL


def key_name(key: Expression) -> str | None:
    """The key of a map as a text; None where it depends on something else."""
    if key.kind is ExprKind.TRAVERSAL:
        return key.text if len(key.nodes) == 1 else None
    value = key.literal()
    if isinstance(value, bool) or value is None:
        return key.text
    return str(value) if isinstance(value, str | int | float) else None


def _number(expression: Expression) -> object:
    text = expression.text
    return int(text) if text.isdigit() else float(text)


def _text(expression: Expression) -> object:
    template = expression.nodes[0].children[0]
    if any(node.kind_id in HOLES for node in template.children):
        return NOT_LITERAL
    return decoded(expression.kind, expression.text)


def decoded(kind: ExprKind, raw: str) -> str:
    """What the raw text of a string or heredoc, including its markers, stands for."""
    if kind is not ExprKind.HEREDOC:
        return unquote(raw[1:-1])
    opening, *lines, _ = raw.split("\n")
    return heredoc_text([f"{line}\n" for line in lines], flush=opening.startswith("<<-"))


def _list(expression: Expression) -> object:
    values = [element.literal() for element in expression.elements]
    return NOT_LITERAL if any(value is NOT_LITERAL for value in values) else values


def _map(expression: Expression) -> object:
    result: dict[str, object] = {}
    for entry in expression.entries:
        value = entry.value.literal()
        if entry.name is None or value is NOT_LITERAL:
            return NOT_LITERAL
        result[entry.name] = value
    return result


def _negative(expression: Expression) -> object:
    value = expression.operands[0].literal() if len(expression.operands) == 1 else NOT_LITERAL
    if expression.operator == "-" and isinstance(value, int | float) and not isinstance(value, bool):
        return -value
    return NOT_LITERAL


_READERS: dict[ExprKind, Callable[[Expression], object]] = {
    ExprKind.NUMBER: _number,
    ExprKind.BOOL: lambda expression: expression.text == "true",
    ExprKind.NULL: lambda expression: None,
    ExprKind.STRING: _text,
    ExprKind.TEMPLATE: _text,
    ExprKind.HEREDOC: _text,
    ExprKind.LIST: _list,
    ExprKind.MAP: _map,
    ExprKind.OPERATION: _negative,
    ExprKind.PARENTHESES: lambda expression: expression.bare.literal(),
}

"""What can be known of an HCL expression without evaluating a configuration: literal strings, file paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scaffold.hcl import grammar as g
from scaffold.hcl.strings import unescape_markers, unquote
from scaffold.hcl.syntax import Body, Expression, ExprKind


@dataclass(frozen=True)
class Scope:
    """What names stand for: references by their text (``path.module``), functions without arguments."""

    names: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)


def text(expression: Expression, scope: Scope) -> str | None:
    """The string that the expression evaluates to, or None where that depends on anything else."""
    parts = list(pieces(expression, scope))
    return "".join(part for part in parts if part is not None) if None not in parts else None


def pieces(expression: Expression, scope: Scope) -> Iterator[str | None]:
    """The string piece by piece, in order; None for a piece that is not known."""
    bare = expression.bare
    literal = bare.literal()
    if isinstance(literal, str):
        yield literal
    elif bare.kind is ExprKind.TEMPLATE or bare.kind is ExprKind.HEREDOC:
        yield from _template(bare, scope)
    elif bare.traversal is not None:
        yield scope.names.get(str(bare.traversal))
    elif bare.call is not None and not bare.call.arguments:
        yield scope.functions.get(bare.call.function)
    else:
        yield None


def _template(expression: Expression, scope: Scope) -> Iterator[str | None]:
    for node in expression.nodes[0].children[0].children:
        if node.kind_id == g.TEMPLATE_LITERAL:
            raw = expression.source.text(node.start_byte, node.end_byte)
            yield unquote(raw) if expression.kind is ExprKind.TEMPLATE else unescape_markers(raw)
        elif node.kind_id == g.TEMPLATE_INTERPOLATION:
            inner = next((n for n in node.children if n.kind_id == g.EXPRESSION), None)
            if inner is None or any(n.type == "strip_marker" for n in node.children):
                # A marker takes white space from the pieces beside it.
                yield None
            else:
                yield from pieces(Expression.of(expression.source, inner), scope)
        elif node.kind_id in (g.TEMPLATE_DIRECTIVE, g.TEMPLATE_FOR, g.TEMPLATE_IF):
            yield None


def calls(body: Body) -> Iterator[Expression]:
    """All function calls in a body, templates included; an outer call comes before those in its arguments."""
    return _below(body, g.FUNCTION_CALL)


def operations(body: Body) -> Iterator[Expression]:
    """All operations (``a && b``, ``-x``) in a body, an outer one before its operands."""
    return _below(body, g.OPERATION)


def _below(body: Body, kind: int) -> Iterator[Expression]:
    stack = [body.node] if body.node is not None else []
    while stack:
        node = stack.pop()
        if node.kind_id == kind:
            yield Expression(body.source, (node,))
        stack.extend(reversed(node.children))

"""What an HCL expression is at its outermost."""

from __future__ import annotations

from enum import Enum

from scaffold.hcl import grammar as g


class ExprKind(Enum):
    """What an expression is at its outermost."""

    NUMBER = "number"
    BOOL = "bool"
    NULL = "null"
    STRING = "string"
    TEMPLATE = "template"
    HEREDOC = "heredoc"
    LIST = "list"
    MAP = "map"
    FOR = "for"
    TRAVERSAL = "traversal"
    CALL = "call"
    CONDITIONAL = "conditional"
    OPERATION = "operation"
    PARENTHESES = "parentheses"
    ACCESS = "access"
    """Steps into the value of something that is not a name: ``f(x).y``, ``[1][0]``."""


# The grammar's nodes for an expression, and for the value below one that is none of these.
KINDS = {
    g.CONDITIONAL: ExprKind.CONDITIONAL,
    g.FOR_EXPR: ExprKind.FOR,
    g.FUNCTION_CALL: ExprKind.CALL,
    g.OPERATION: ExprKind.OPERATION,
}
KINDS_BELOW = {
    g.NUMERIC_LIT: ExprKind.NUMBER,
    g.BOOL_LIT: ExprKind.BOOL,
    g.NULL_LIT: ExprKind.NULL,
    g.STRING_LIT: ExprKind.STRING,
    g.QUOTED_TEMPLATE: ExprKind.TEMPLATE,
    g.HEREDOC_TEMPLATE: ExprKind.HEREDOC,
    g.TUPLE: ExprKind.LIST,
    g.OBJECT: ExprKind.MAP,
}

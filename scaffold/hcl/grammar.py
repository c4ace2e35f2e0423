"""The tree-sitter grammar of HCL: one language object, kinds of nodes as integers.

Node kinds are compared by their number: `Node.type` builds a string at every access, and a whole
monorepo has half a million nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser, Query, Tree

from scaffold.hcl.masked import masked

LANGUAGE = Language(tree_sitter_hcl.language())


def _named(kind: str) -> int:
    return _known(kind, LANGUAGE.id_for_node_kind(kind, True))


def _token(kind: str) -> int:
    return _known(kind, LANGUAGE.id_for_node_kind(kind, False))


def _known(kind: str, number: int | None) -> int:
    if not number:
        raise ImportError(f"this version of tree-sitter-hcl has no node kind {kind!r}")
    return number


COMMENT = _named("comment")
CONFIG_FILE = _named("config_file")
BODY = _named("body")
ATTRIBUTE = _named("attribute")
BLOCK = _named("block")
BLOCK_START = _named("block_start")
IDENTIFIER = _named("identifier")

EXPRESSION = _named("expression")
LITERAL_VALUE = _named("literal_value")
NUMERIC_LIT = _named("numeric_lit")
BOOL_LIT = _named("bool_lit")
NULL_LIT = _named("null_lit")
STRING_LIT = _named("string_lit")
TUPLE = _named("tuple")
TUPLE_START = _named("tuple_start")
OBJECT = _named("object")
OBJECT_START = _named("object_start")
OBJECT_ELEM = _named("object_elem")
VARIABLE_EXPR = _named("variable_expr")
GET_ATTR = _named("get_attr")
INDEX = _named("index")
NEW_INDEX = _named("new_index")
LEGACY_INDEX = _named("legacy_index")
SPLAT = _named("splat")
FUNCTION_CALL = _named("function_call")
FUNCTION_ARGUMENTS = _named("function_arguments")
ELLIPSIS = _named("ellipsis")
CONDITIONAL = _named("conditional")
OPERATION = _named("operation")
FOR_EXPR = _named("for_expr")
FOR_TUPLE_EXPR = _named("for_tuple_expr")
FOR_OBJECT_EXPR = _named("for_object_expr")
FOR_INTRO = _named("for_intro")
FOR_COND = _named("for_cond")

TEMPLATE_EXPR = _named("template_expr")
QUOTED_TEMPLATE = _named("quoted_template")
HEREDOC_TEMPLATE = _named("heredoc_template")
HEREDOC_IDENTIFIER = _named("heredoc_identifier")
TEMPLATE_LITERAL = _named("template_literal")
TEMPLATE_INTERPOLATION = _named("template_interpolation")
TEMPLATE_DIRECTIVE = _named("template_directive")
TEMPLATE_FOR = _named("template_for")
TEMPLATE_FOR_START = _named("template_for_start")
TEMPLATE_FOR_END = _named("template_for_end")
TEMPLATE_IF = _named("template_if")
TEMPLATE_IF_INTRO = _named("template_if_intro")
TEMPLATE_ELSE_INTRO = _named("template_else_intro")
TEMPLATE_IF_END = _named("template_if_end")
INTERPOLATION_START = _named("template_interpolation_start")
INTERPOLATION_END = _named("template_interpolation_end")
DIRECTIVE_START = _named("template_directive_start")
DIRECTIVE_END = _named("template_directive_end")
STRIP_MARKER = _named("strip_marker")
ATTR_SPLAT = _named("attr_splat")
QUOTE_START = _named("quoted_template_start")
QUOTE_END = _named("quoted_template_end")

PAREN_OPEN = _token("(")
PAREN_CLOSE = _token(")")
COMMA = _token(",")


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
    CONDITIONAL: ExprKind.CONDITIONAL,
    FOR_EXPR: ExprKind.FOR,
    FUNCTION_CALL: ExprKind.CALL,
    OPERATION: ExprKind.OPERATION,
}
KINDS_BELOW = {
    NUMERIC_LIT: ExprKind.NUMBER,
    BOOL_LIT: ExprKind.BOOL,
    NULL_LIT: ExprKind.NULL,
    STRING_LIT: ExprKind.STRING,
    QUOTED_TEMPLATE: ExprKind.TEMPLATE,
    HEREDOC_TEMPLATE: ExprKind.HEREDOC,
    TUPLE: ExprKind.LIST,
    OBJECT: ExprKind.MAP,
}

COMMENTS = Query(LANGUAGE, "(comment) @comment")
DEFINITIONS = Query(LANGUAGE, "[(attribute) (object_elem) (comment)] @definition")
HEREDOCS = Query(LANGUAGE, "(heredoc_template) @heredoc")


def parse_tree(source: bytes) -> Tree:
    """The concrete syntax tree of the source; its root has errors if the grammar does not match.

    Only places in it are those of the source: the grammar does not see every text as it is.
    """
    return Parser(LANGUAGE).parse(masked(source))


def significant(node: Node) -> list[Node]:
    """The children of a node without its comments."""
    return without_comments(node.children)


def without_comments(nodes: Iterable[Node]) -> list[Node]:
    """Nodes without the comments among them."""
    return [node for node in nodes if node.kind_id != COMMENT]

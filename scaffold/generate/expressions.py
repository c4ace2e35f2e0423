"""Jinja expressions in the rows of a table, checked when they are compiled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser

from scaffold.errors import alike
from scaffold.templates import decisions
from scaffold.templates.questions import Value

_LAZY = {"map", "select", "reject", "selectattr", "rejectattr"}


class RowsError(Exception):
    """A mistake in a table: the message names the file, the table, the row and the nearest correct word."""


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown name: the known one that it resembles, if there is one."""
    near = alike(name, known)
    return f"; did you mean {near}?" if near else ""


def expression(place: str, text: Value) -> str:
    """An expression in brackets. Raises :class:`RowsError` if it is not valid, or names an unknown fact."""
    _parsed(place, text)
    return f"({text})"


def condition(place: str, text: Value) -> str:
    """An expression that is true or false.

    Raises :class:`RowsError` for a generator or a macro's text, which would always be true.
    """
    for node in _operands(_parsed(place, text)):
        if isinstance(node, nodes.Filter) and node.name in _LAZY:
            raise RowsError(f"{place}: what {node.name} gives is always true; write … | list")
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            raise RowsError(f"{place}: what the macro {node.node.name} gives is text; compare it")
    return f"({text})"


def said(place: str, value: Value) -> str:
    """A row's text: literal text, in which ``{{ … }}`` is replaced by the value of an expression."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return repr(value)
    parts: list[str] = []
    inside: list[str] | None = None
    for _, kind, token in decisions.environment().lex(value):
        if kind == "variable_begin":
            inside = []
        elif kind == "variable_end":
            parts.append(expression(place, "".join(inside or ()).strip()))
            inside = None
        elif inside is not None:
            inside.append(token)
        else:
            parts.append(quoted(token))
    return " ~ ".join(parts) or "''"


def quoted(text: str) -> str:
    """A text as Jinja writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _operands(node: nodes.Expr) -> Iterator[nodes.Expr]:
    if isinstance(node, nodes.And | nodes.Or):
        yield from _operands(node.left)
        yield from _operands(node.right)
    elif isinstance(node, nodes.Not):
        yield from _operands(node.node)
    else:
        yield node


def _parsed(place: str, text: Value) -> nodes.Expr:
    environment = decisions.environment()
    try:
        parser = Parser(environment, str(text), state="variable")
        parsed = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"{parser.stream.current.value!r} is too much", 1)
    except TemplateSyntaxError as error:
        raise RowsError(f"{place}: {text} is no expression: {error.message}") from None
    for node in (parsed, *parsed.find_all(nodes.Expr)):
        if isinstance(node, nodes.Getattr):
            around = _fact(node.node)
            if isinstance(around, Mapping) and node.attr not in around and not hasattr(around, node.attr):
                raise RowsError(f"{place}: there is no fact {node.attr}{nearest(node.attr, around)}")
        if isinstance(node, nodes.Filter) and node.name not in environment.filters:
            raise RowsError(f"{place}: no filter {node.name}{nearest(node.name, environment.filters)}")
    return parsed


def _fact(node: nodes.Node) -> Value:
    """The value of ``facts.a.b``; nothing for any other expression."""
    if isinstance(node, nodes.Name):
        return decisions.house() if node.name == "facts" else None
    if isinstance(node, nodes.Getattr) and isinstance(around := _fact(node.node), Mapping):
        return around.get(node.attr)
    return None

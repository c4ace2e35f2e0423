"""The value of an expression, as far as it follows from literals and some given names.

Enough for the conditions of variable validations, names and paths: templates, comparisons, logic,
conditionals, and the handful of functions that validations use. Anything else makes the result ``UNKNOWN``.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from scaffold.hcl.expressions import Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.references import Reference


class Unknown(Enum):
    """The type of ``UNKNOWN``."""

    UNKNOWN = auto()


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that cannot be determined without Terraform."""

Names = Mapping[tuple[str, ...], object]
"""The known names: ``("var", "auth")`` and the value; ``("get_repo_root()",)`` is a function's."""


class _EvaluationError(Exception):
    """The expression is an error in Terraform, as ``can`` catches it."""


def evaluate(expression: Expression, names: Names) -> object:
    """The value of the expression, or ``UNKNOWN``.

    ``UNKNOWN`` also stands for what Terraform would refuse to evaluate.
    """
    try:
        return _value(expression, names)
    except _EvaluationError:
        return UNKNOWN


def text(expression: Expression, names: Names) -> str | None:
    """The text that the expression evaluates to, or None if that is not known or no text."""
    found = evaluate(expression, names)
    return found if isinstance(found, str) else None


def known_text(expression: Expression | None, names: Names) -> str:
    """The same; empty where there is no expression, or its text is not known."""
    return (text(expression, names) if expression is not None else None) or ""


def pieces(expression: Expression, names: Names) -> Iterator[str | None]:
    """The text of an expression piece by piece, in order; None for a piece that is not known."""
    bare = expression.bare
    if bare.kind not in (ExprKind.TEMPLATE, ExprKind.HEREDOC) or bare.literal() is not NOT_LITERAL:
        yield text(bare, names)
        return
    for piece in bare.template:
        if isinstance(piece, Expression):
            yield from pieces(piece, names)
        else:
            yield piece


def _value(expression: Expression, names: Names) -> object:
    literal = expression.literal()
    if literal is not NOT_LITERAL:
        return literal
    match expression.kind:
        case ExprKind.PARENTHESES:
            return _value(expression.bare, names)
        case ExprKind.TEMPLATE | ExprKind.HEREDOC:
            parts = list(pieces(expression, names))
            return UNKNOWN if None in parts else "".join(part for part in parts if part is not None)
        case ExprKind.LIST:
            values = [_value(element, names) for element in expression.elements]
            return UNKNOWN if UNKNOWN in values else values
        case ExprKind.TRAVERSAL if expression.traversal is not None:
            return _lookup(expression.traversal, names)
        case ExprKind.CONDITIONAL:
            condition, then, otherwise = expression.operands
            chosen = _value(condition, names)
            return _value(then if chosen else otherwise, names) if isinstance(chosen, bool) else UNKNOWN
        case ExprKind.OPERATION:
            return _operation(expression, names)
        case ExprKind.CALL:
            return _call(expression, names)
    return UNKNOWN


def _lookup(reference: Reference, names: Names) -> object:
    known = next((size for size in (2, 1) if reference.names[:size] in names), None)
    if known is None:
        return UNKNOWN
    value = names[reference.names[:known]]
    for step in reference.steps[known - 1 :]:
        key = step.key
        if value is None:
            raise _EvaluationError
        if isinstance(value, dict) and isinstance(key, str):
            # An attribute that an object leaves out is optional, thus null, if it exists at all.
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int):
            if key >= len(value):
                raise _EvaluationError
            value = value[key]
        else:
            return UNKNOWN
    return value


def _operation(expression: Expression, names: Names) -> object:
    sign = expression.operator or ""
    if sign in _LOGIC:
        return _logic(expression.operands, names, decides=_LOGIC[sign])
    values = [_value(operand, names) for operand in expression.operands]
    if UNKNOWN in values:
        return UNKNOWN
    if sign == "!":
        return not values[0] if isinstance(values[0], bool) else UNKNOWN
    if sign in ("==", "!="):
        left, right = values
        # True == 1 in Python.
        same = left == right and (type(left) is type(right) or not isinstance(left, bool))
        return same == (sign == "==")
    if sign in _OF_NUMBERS and len(values) == 2:
        return _OF_NUMBERS[sign](*map(_number, values))
    return UNKNOWN


_LOGIC = {"&&": False, "||": True}
_OF_NUMBERS: dict[str, Callable[[float, float], object]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
}


def _logic(operands: Sequence[Expression], names: Names, *, decides: bool) -> object:
    """``&&`` and ``||``: one operand with the deciding value is enough."""
    unknown = False
    for operand in operands:
        value = _value(operand, names)
        if value is decides:
            return decides
        unknown = unknown or not isinstance(value, bool)
    return UNKNOWN if unknown else not decides


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _EvaluationError
    try:
        return float(value)
    except ValueError as error:
        raise _EvaluationError from error


# functions


def _call(expression: Expression, names: Names) -> object:
    call = expression.call
    if call is None or call.expanded:
        return UNKNOWN
    if not call.arguments:
        return names.get((f"{call.function}()",), UNKNOWN)
    if call.function == "can":
        try:
            return True if _value(call.arguments[0], names) is not UNKNOWN else UNKNOWN
        except _EvaluationError:
            return False
    function = _FUNCTIONS.get(call.function)
    if function is None:
        return UNKNOWN
    values = [_value(argument, names) for argument in call.arguments]
    return UNKNOWN if UNKNOWN in values else function(values)


def _contains(values: list[object]) -> object:
    if len(values) != 2 or not isinstance(values[0], list):
        raise _EvaluationError
    return any(_text(item) == _text(values[1]) for item in values[0])


def _text(value: object) -> object:
    """Terraform brings the elements of a list to one type: numbers beside strings are strings."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _regex(values: list[object]) -> object:
    pattern, text = (_text(value) for value in values)
    if not isinstance(pattern, str) or not isinstance(text, str):
        raise _EvaluationError
    if any(mark in pattern for mark in _NOT_IN_RE2):
        return UNKNOWN
    try:
        # The end of a text is the end of its last line in Python's `$`, not in RE2's.
        found = re.compile(pattern).search(text) if "\n" not in text else UNKNOWN
    except re.error:
        return UNKNOWN
    if found is None:
        raise _EvaluationError
    return UNKNOWN if found is UNKNOWN else found.group()


_NOT_IN_RE2 = ("(?=", "(?!", "(?<", "(?>", "(?(")
"""Groups that Python's expressions know and Terraform's do not."""


def _length(values: list[object]) -> object:
    if not isinstance(values[0], str | list | dict):
        raise _EvaluationError
    return len(values[0])


def _range(values: list[object]) -> object:
    """The numbers that Terraform's ``range`` gives, in steps of one; UNKNOWN for any other step."""
    start, end = [0.0, *map(_number, values)][-2:]
    if len(values) > 2 or start != int(start) or end - start > _LONGEST_RANGE:
        return UNKNOWN
    return list(range(int(start), math.ceil(end)))


_LONGEST_RANGE = 1024
"""Terraform refuses to create a longer one."""


def _coalesce(values: list[object]) -> object:
    for value in values:
        if value is not None and value != "":
            return value
    raise _EvaluationError


def _affix(test: Callable[[str, str], bool]) -> Callable[[list[object]], object]:
    def function(values: list[object]) -> object:
        text, affix = values
        if not isinstance(text, str) or not isinstance(affix, str):
            raise _EvaluationError
        return test(text, affix)

    return function


_FUNCTIONS: dict[str, Callable[[list[object]], object]] = {
    "contains": _contains,
    "regex": _regex,
    "length": _length,
    "coalesce": _coalesce,
    "range": _range,
    "startswith": _affix(str.startswith),
    "endswith": _affix(str.endswith),
}

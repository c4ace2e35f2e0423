"""Type constraints: both spellings, and what fits them."""

from __future__ import annotations

import pytest

from scaffold.hcl import types
from scaffold.hcl.syntax import Expression, parse


def expression(text: str) -> Expression:
    return parse(f"type = {text}\n".encode()).body.attributes["type"].value


OBJECT = "object({a = string, b = optional(list(number))})"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("string", "string"),
        ('"string"', "string"),
        ("list", "list(any)"),
        ('"map"', "map(any)"),
        ("list(map( string ))", "list(map(string))"),
        ("tuple([string,number])", "tuple([string, number])"),
        ("object({ a = string\n b = optional(list(number), [1]) })", OBJECT),
        ("any", "any"),
    ],
)
def test_a_type_expression_is_normalised(written: str, normal: str) -> None:
    assert str(types.of_expression(expression(written))) == normal


def test_no_type_is_any() -> None:
    assert types.of_expression(None) == types.ANY


@pytest.mark.parametrize(
    ("spec", "normal"),
    [
        ("bool", "bool"),
        ("dynamic", "any"),
        (["set", ["map", "string"]], "set(map(string))"),
        (["object", {"a": "string", "b": ["list", "number"]}, ["b"]], OBJECT),
        (["tuple", ["string", "dynamic"]], "tuple([string, any])"),
    ],
)
def test_the_json_of_schemas_names_the_same_types(spec: object, normal: str) -> None:
    assert str(types.of_json(spec)) == normal


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        ("string", '"a"', True),
        ("string", "1", True),
        ("string", "true", True),
        ("string", "null", True),
        ("string", "[]", False),
        ("string", "[a]", False),
        ("string", "{ a = b }", False),
        ("number", "-1", True),
        ("number", '"1.5"', True),
        ("number", '"a"', False),
        ("number", '" 1"', False),
        ("number", "true", False),
        ("bool", '"false"', True),
        ("bool", '"no"', False),
        ("bool", "1", False),
        ("list(number)", "[1, a, null]", True),
        ("list(number)", '[1, "b"]', False),
        ("list(number)", '[a, "b"]', False),
        ("list(string)", '"a"', False),
        ("set(string)", "{}", False),
        ("map(number)", "{ a = 1, (b) = c }", True),
        ("map(number)", '{ a = b, c = "d" }', False),
        ("map(number)", "[]", False),
        (OBJECT, '{ a = "x", z = 1 }', True),
        (OBJECT, '{ a = "x", b = ["y"] }', False),
        (OBJECT, "{ b = [c] }", False),
        (OBJECT, "{ (a) = b }", True),
        (OBJECT, "{ b = [1] }", False),
        ("tuple([string, number])", '["a", 1]', True),
        ("tuple([string, number])", '["a"]', False),
        ("tuple([string, number])", '[a, "b"]', False),
        ("any", "[{ a = b }]", True),
        ("bool", "var.x", True),
        ("list(string)", '"${var.x}"', True),
        ("list(string)", "([1])", True),
        ("string", "([1])", False),
    ],
)
def test_what_fits_a_type(type_: str, value: str, fits: bool) -> None:
    assert types.of_expression(expression(type_)).fits(expression(value)) is fits

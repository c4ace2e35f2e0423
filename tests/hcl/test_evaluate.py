"""The value of expressions, as far as it can be determined without Terraform."""

from __future__ import annotations

import pytest

from scaffold.hcl.evaluate import UNKNOWN, Names, evaluate
from scaffold.hcl.syntax import parse

NAMES: Names = {
    ("var", "a"): "x",
    ("var", "n"): 2,
    ("var", "none"): None,
    ("var", "yes"): True,
    ("var", "o"): {"k": ["v"], "deep": {"n": 1}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('var.a == "x"', True),
        ("var.a != var.a", False),
        ("var.n == true", False),
        ("var.yes == true", True),
        ("var.yes == false", False),
        ("var.yes == 1", False),
        ("var.none == null", True),
        ('contains(["x", "y"], var.a)', True),
        ('contains(["x", "y"], "z")', False),
        ('contains(["1", "2"], var.n)', True),
        ('can(regex("^[a-z]$", var.a))', True),
        ('can(regex("^[0-9]$", var.a))', False),
        ('can(regex("^x$", var.none))', False),
        ('can(regex("(?!y)", var.a))', UNKNOWN),
        ('can(regex("[", var.a))', UNKNOWN),
        ('regex("[a-z]", "1a")', "a"),
        ("var.n >= 1 && var.n <= 2", True),
        ("var.n < 2 || var.n > 3", False),
        ('var.n > "1"', True),
        ("!(var.n == 2)", False),
        ("var.none == null ? 1 : var.none.b", 1),
        ("var.none == null || var.none.b", True),
        ("var.none != null && var.none.b", False),
        ("var.other == 1 || var.n == 2", True),
        ("var.other == 1 && var.n == 3", False),
        ("var.other == 1 && var.n == 2", UNKNOWN),
        ("var.o.k[0]", "v"),
        ('var.o["deep"].n', 1),
        ("var.o.left_out", None),
        ("can(var.o.k[7])", False),
        ("can(var.none.b)", False),
        ("can(var.other)", UNKNOWN),
        ("length(var.a)", 1),
        ("length(var.o.k) > 0", True),
        ('coalesce(var.none, "", "d")', "d"),
        ('startswith("abc", "ab") && endswith("abc", "bc")', True),
        ('[var.a, "y"]', ["x", "y"]),
        ("[var.other]", UNKNOWN),
        ("var.none.b", UNKNOWN),
        ("upper(var.a)", UNKNOWN),
        ("length(var.n)", UNKNOWN),
        ("var.n + 1", 3.0),
        ("[for x in var.o.k : x]", UNKNOWN),
        ("length(var.o.k...)", UNKNOWN),
        ("true > 0", UNKNOWN),
    ],
)
def test_value(text: str, value: object) -> None:
    expression = parse(f"value = {text}\n".encode()).body.attributes["value"].value
    found = evaluate(expression, NAMES)
    assert found == value
    assert type(found) is type(value)

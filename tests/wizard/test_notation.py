"""One line for every value: what is written is read back as the same value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import of_type
from support import examples

from scaffold.answers import notation
from scaffold.errors import UsageError
from scaffold.templates import questions

TYPES = questions.types()
NAME = {"type": "string", "pattern": "^[a-z]+$"}


@examples(80)
@given(st.sampled_from(sorted(TYPES)), st.data())
def test_every_valid_value_comes_back(name: str, data: Any) -> None:
    value = data.draw(of_type(name))
    line = notation.write(TYPES[name], value)
    assert "\n" not in line
    assert notation.read(TYPES[name], line) == value


@pytest.mark.parametrize(
    ("schema", "line", "value"),
    [
        ("title", "  It's  a \\ plain line ", "It's  a \\ plain line"),
        ("title", '"Quoted"', "Quoted"),
        ("title", '"open', '"open'),
        ("port", "8080", 8080),
        ("port", "http", "http"),
        ("uid", "", None),
        ("secrets", "A, B,C D=x#y", [{"env": "A"}, {"env": "B"}, {"env": "C"}, {"env": "D", "vault": "x#y"}]),
        ("secrets", "[{env: A, vault: x#y}]", [{"env": "A", "vault": "x#y"}]),
        ("volumes", "/data=2Gi /a,b", [{"path": "/data", "size": "2Gi"}, {"path": "/a,b"}]),
        ("rbac", "pods,services=get,list", [{"resources": ["pods", "services"], "verbs": ["get", "list"]}]),
        ("env", "A=1 B='x y' C=", {"A": "1", "B": "x y", "C": ""}),
        ("env", "A='{host: redis}'", {"A": {"host": "redis"}}),
        ("env", """A='{"host": "of nobody", "x": 1}'""", {"A": '{"host": "of nobody", "x": 1}'}),
        ("args", r"sh -c 'echo \n a'", ["sh", "-c", r"echo \n a"]),
        ("args", r'["a\nb"]', ["a\nb"]),
        ("database_env", "dsn=DATABASE_URL env_from=yes", {"dsn": "DATABASE_URL", "env_from": True}),
        ("ingress_options", "rate_limit='average=10 burst=50'", {"rate_limit": {"average": 10, "burst": 50}}),
        ("env", "", {}),
        ("wait_for", "", []),
    ],
)
def test_what_a_line_means(schema: str, line: str, value: Any) -> None:
    assert notation.read(TYPES[schema], line) == value


@pytest.mark.parametrize(
    ("schema", "line"),
    [("env", "A"), ("env", "A='1"), ("env", "{A: 1"), ("wait_for", "['a"), ("wait_for", "'a")],
)
def test_what_cannot_be_read_says_how_it_is_written(schema: str, line: str) -> None:
    with pytest.raises(UsageError) as error:
        notation.read(TYPES[schema], line)
    assert error.value.hint


def test_the_short_form_is_preferred() -> None:
    assert notation.write(TYPES["secrets"], [{"env": "A"}, {"env": "B", "vault": "x#y"}]) == "A B=x#y"
    assert notation.write(TYPES["env"], {"A": "1", "B": "x y"}) == "A=1 'B=x y'"
    assert notation.write(TYPES["args"], ["a", "b c"]) == "a 'b c'"
    assert notation.write({"type": "array", "items": NAME}, ["a", "b"]) == "a b"
    assert notation.write(TYPES["files"], [{"path": "/a", "content": "x\ny"}]).startswith("[{")

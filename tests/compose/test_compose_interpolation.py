"""Variables in a compose file: every operator, nesting, and dollars that begin no variable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.answers.compose.interpolation import UNKNOWN, filled

VARIABLES = {"SET": "here", "EMPTY": ""}


@pytest.mark.parametrize(
    "text,expected",
    [
        ("$SET ${SET}", "here here"),
        ("$$SET $${SET} $$", "$SET ${SET} $"),
        ("${SET:-other} ${SET-other}", "here here"),
        ("${EMPTY:-other}|${EMPTY-other}", "other|"),
        ("${GONE:-other} ${GONE-other}", "other other"),
        ("${GONE-}", ""),
        ("${SET:+there}|${EMPTY:+there}|${GONE:+there}", "there||"),
        ("${SET+there}|${EMPTY+there}|${GONE+there}", "there|there|"),
        ("${SET:?say}|${EMPTY?say}", "here|"),
        ("${EMPTY:?say}", UNKNOWN),
        ("${GONE}", UNKNOWN),
        ("a-$GONE-b", f"a-{UNKNOWN}-b"),
        ("${A:-${B:-${C:-deep}}}", "deep"),
        ("${A:-${SET}/x}/y", "here/x/y"),
        ("${A:-$$5}", "$5"),
        ("costs 5$", "costs 5$"),
        ("^/api$ $1 ${", "^/api$ $1 ${"),
        ("${GONE:-http://x}", "http://x"),
    ],
)
def test_a_variable_is_filled_in_as_the_specification_says(text: str, expected: str) -> None:
    assert filled(text, VARIABLES) == expected


def test_the_names_that_a_text_is_made_of_are_kept() -> None:
    assert filled("${ADMIN_PASSWORD:-${FALLBACK_TOKEN:-x}}", {}).names == ("ADMIN_PASSWORD", "FALLBACK_TOKEN")
    assert filled("${SET:-${FALLBACK_TOKEN}}", VARIABLES).names == ("SET",)
    found = filled("${GONE} ${A:-x} ${A:-${LOST}} $SET ${EMPTY:?say}", VARIABLES)
    assert found.lacking == ("GONE", "LOST", "EMPTY") and found.names == ("GONE", "A", "LOST", "SET", "EMPTY")
    assert not filled("${GONE}", {}).known and filled("${GONE-}", {}).known


@given(st.text(alphabet="${}:-+?AB ", max_size=30))
def test_it_never_fails(text: str) -> None:
    assert isinstance(filled(text, {"A": "a"}), str)

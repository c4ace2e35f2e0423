"""Splices, and mapping a place in the result back to the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.hcl.splice import Splice, apply, blank, insertion


@st.composite
def sources(draw: st.DrawFn) -> tuple[bytes, list[Splice]]:
    """A source, and splices of it that do not overlap."""
    data = draw(st.binary(max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8, unique=True)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return data, [Splice(start, end, draw(st.binary(max_size=6))) for start, end in pairs]


@given(sources())
def test_every_byte_that_was_not_replaced_is_there_and_found_again(case: tuple[bytes, list[Splice]]) -> None:
    data, splices = case
    result = apply(data, splices)
    replaced = {at for s in splices for at in range(s.start, s.end)}
    kept = [at for at in range(len(data)) if at not in replaced]
    spliced_in = sum(len(s.text) for s in splices)
    assert len(result.data) == len(kept) + spliced_in
    found = [result.origin(at) for at in range(len(result.data))]
    assert found == sorted(found)
    for at in kept:
        assert any(result.data[new] == data[at] for new, old in enumerate(found) if old == at)


@given(st.binary(max_size=40))
def test_without_splices_nothing_changes(data: bytes) -> None:
    result = apply(data, [])
    assert result.data == data
    assert [result.origin(at) for at in range(len(data) + 1)] == list(range(len(data) + 1))


def test_insertions_at_one_place_keep_their_order() -> None:
    assert apply(b"ab", [insertion(1, b"("), insertion(1, b"["), Splice(1, 2, b"x")]).data == b"a([x"


def test_what_lies_within_a_replaced_range_is_dropped() -> None:
    splices = [Splice(2, 4, b"inner"), Splice(0, 6, b"outer"), insertion(3, b"!")]
    assert apply(b"abcdefg", splices).data == b"outerg"


def test_an_insertion_after_a_replaced_range_stays() -> None:
    assert apply(b"abcd", [Splice(0, 2, b"X"), insertion(2, b"Y")]).data == b"XYcd"


def test_overlapping_splices_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap at byte 2"):
        apply(b"abcdef", [Splice(0, 3, b"x"), Splice(2, 5, b"y")])


@given(st.binary(max_size=30).filter(lambda data: len(data) > 0))
def test_blank_keeps_the_lines(data: bytes) -> None:
    splice = blank(data, 0, len(data))
    assert len(splice.text) == len(data)
    assert splice.text.count(b"\n") == data.count(b"\n")
    assert splice.text.strip(b" \n") == b""

"""Everybody judges a change with the same examples, whatever else has run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def drawn() -> list[object]:
    found: list[object] = []

    @settings(max_examples=200)
    @given(st.tuples(st.text(), st.integers()))
    def draw(value: object) -> None:
        found.append(value)

    draw()
    return found


@pytest.mark.skipif("config.getoption('fuzz')", reason="new examples are asked for")
def test_what_is_drawn_does_not_hang_on_the_modules_that_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = drawn()
    constants = [f"a constant {number}" for number in range(50)]
    (tmp_path / "loaded_late.py").write_text(
        f"CONSTANTS = {constants}\nNUMBERS = {list(range(4000, 4050))}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "loaded_late", raising=False)
    __import__("loaded_late")
    assert drawn() == before

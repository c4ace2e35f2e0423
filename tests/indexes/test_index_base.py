"""What all indexes have in common: insert once, verify the edit, name what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.entry import ServiceEntry

ENTRY = ServiceEntry("new", "new")


@dataclass(frozen=True)
class Words:
    """A list of words; ``broken`` says in which way its edits go wrong."""

    text: str
    broken: str = ""

    @property
    def keys(self) -> list[str]:
        return self.text.split()

    def append(self, value: str) -> str:
        return {"": f"{self.text} {value}", "lost": value, "twice": f"{self.text} {value} {value}"}[
            self.broken
        ]

    def without(self, number: int) -> str:
        words = self.keys
        del words[number]
        return " ".join(words[1:] if self.broken else words)


def items(entry: ServiceEntry) -> Iterator[Item[str]]:
    yield Item(entry.name, entry.name)


def index(broken: str = "") -> Index[str]:
    return Index("words", {"": lambda text: Words(text, broken)}, items, place=PurePosixPath("words"))


def no_list(text: str) -> Words:
    raise MissingAnchorError("a list there")


def test_in_order() -> None:
    assert index().insert(b"a b", ENTRY) == b"a b new"
    assert index().insert(b"a new b", ENTRY) == b"a new b"
    assert index().remove(b"a new b", ENTRY) == b"a b"


@pytest.mark.parametrize("broken", ["lost", "twice"])
def test_an_edit_that_goes_wrong_is_a_defect(broken: str) -> None:
    with pytest.raises(AssertionError, match="the edit of words for the index words went wrong"):
        index(broken).insert(b"a b", ENTRY)
    with pytest.raises(AssertionError, match="went wrong"):
        index(broken).remove(b"a new b", ENTRY)


def test_missing_only_if_no_group_is_there() -> None:
    groups = Index(
        "words",
        {"here": Words, "there": no_list},
        lambda entry: [Item(entry.name, entry.name, "there")],
    )
    assert groups.entries(b"a") == frozenset(["here:a"])
    assert groups.keys(ENTRY) == {"there:new"}
    with pytest.raises(MissingAnchorError, match="a list there"):
        groups.insert(b"a", ENTRY)
    assert groups.remove(b"a", ENTRY) == b"a"

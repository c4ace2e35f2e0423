"""Our frozen dataclasses behave as those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest

import scaffold
from scaffold import frozen

PACKAGE = Path(scaffold.__file__).parent


def outcome(act: Callable[[], object]) -> object:
    """What comes of it: the value, or the error and its words."""
    try:
        return act()
    except Exception as error:
        return type(error), str(error).replace("Usual.", "").replace("Ours.", "")


def members(made: Callable[[type], type], decorated: str) -> type:
    """The same class, made by one or the other."""

    class Whole:
        """Some fields of every kind that there is."""

        kind: ClassVar[str] = "none"
        name: str
        lines: list[int] = field(default_factory=list, hash=False)
        note: str = field(default="-", repr=False, compare=False)
        size: int | None = None
        fixed: int = field(default=7, init=False)

        def twice(self) -> str:
            return self.name * 2

    Whole.__qualname__ = Whole.__name__ = decorated
    return made(Whole)


@pytest.fixture(params=[True, False], ids=["slots", "plain"])
def pair(request: pytest.FixtureRequest) -> tuple[type, type]:
    slots = request.param
    usual = members(dataclass(frozen=True, slots=slots), "Usual")
    ours = members(frozen.dataclass(frozen=True, slots=slots), "Ours")
    return usual, ours


@pytest.mark.parametrize(
    "act",
    [
        lambda cls: repr(cls("a", [1], "n", size=3)).replace(cls.__qualname__, ""),
        lambda cls: cls(),
        lambda cls: cls("a", other=1),
        lambda cls: cls("a", fixed=1),
        lambda cls: cls("a") == cls("a", note="b"),
        lambda cls: cls("a") == cls("b"),
        lambda cls: cls("a") == "a",
        lambda cls: cls("a").lines is cls("a").lines,
        lambda cls: hash(cls("a", [1])) == hash(cls("a", [2], "c")) == hash(("a", None, 7)),
        lambda cls: cls("a").twice(),
        lambda cls: setattr(cls("a"), "name", "b"),
        lambda cls: delattr(cls("a"), "name"),
        lambda cls: dataclasses.asdict(dataclasses.replace(cls("a"), size=2)),
        lambda cls: [(f.name, f.type, f.init) for f in dataclasses.fields(cls)],
        lambda cls: dataclasses.asdict(copy.deepcopy(cls("a", [3]))),
        lambda cls: cls.__match_args__,
        lambda cls: getattr(cls, "__slots__", None),
        lambda cls: hasattr(cls("a"), "__dict__"),
    ],
)
def test_each_member_does_the_same(pair: tuple[type, type], act: Callable[[type], object]) -> None:
    usual, ours = (outcome(lambda cls=cls: act(cls)) for cls in pair)  # type: ignore[misc]
    assert ours == usual


@frozen.dataclass(frozen=True, slots=True)
class Kept:
    name: str
    inner: Kept | None = None


@frozen.dataclass(frozen=True)
class Lasting:  # noqa: PLW1641 (it gets one)
    name: str

    @cached_property
    def long(self) -> str:
        return self.name * 3

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lasting)


@frozen.dataclass(frozen=True, slots=True)
class Empty:
    pass


@frozen.dataclass(frozen=True, slots=True)
class More(Kept):
    size: int = 0


def test_they_are_pickled_and_inherited() -> None:
    made = More("a", Kept("b"), 4)
    assert pickle.loads(pickle.dumps(made)) == made
    assert made != Kept("a", Kept("b"))
    assert repr(made) == "More(name='a', inner=Kept(name='b', inner=None), size=4)"
    assert hash(Kept("a")) == hash(("a", None))


def test_what_a_class_says_itself_stays() -> None:
    assert Lasting("a") == Lasting("b")
    assert hash(Lasting("a")) == hash(("a",))
    assert Lasting("a").long == "aaa"
    assert Empty() == Empty()
    assert repr(Empty()) == "Empty()"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        Empty().other = 1  # type: ignore[attr-defined]


def test_what_is_not_frozen_or_does_more_is_left_to_the_standard_library() -> None:
    @frozen.dataclass(slots=True)
    class Open:
        size: int

    @frozen.dataclass
    class Bare:
        size: int

    @frozen.dataclass(frozen=True, order=True)
    class Ordered:
        size: int

    @frozen.dataclass(frozen=True)
    class Checked:
        size: int

        def __post_init__(self) -> None:
            assert self.size > 1

    opened: Any = Open(1)
    opened.size = 2
    assert opened == Open(2)
    assert Bare(1) == Bare(1)
    assert Ordered(1) < Ordered(2)
    with pytest.raises(AssertionError):
        Checked(1)


def test_frozen_classes_are_made_by_ours() -> None:
    usual = "from dataclasses import dataclass"
    files = [path for path in PACKAGE.rglob("*.py") if path != Path(frozen.__file__)]
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in files}
    assert [p for p, text in texts.items() if "@dataclass(frozen=True" in text and usual in text] == []

"""What an index is: a list outside the stack that every Service, or every Service of a kind, belongs in.

An index knows its file, opens the list in it, and knows a Service's entries. Everything else is the same for
all of them and is here: insert once, remove exactly that, compare. A number in prose is not a list: nothing
tells whether a Service is counted in it, so only a number in a list's own label is kept right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePosixPath
from typing import Generic, Protocol, TypeVar

from scaffold.indexes.entry import ServiceEntry, slug
from scaffold.indexes.places import usual

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class MissingAnchorError(Exception):
    """``what`` an index file should have and does not, as a noun: ``a table under "Optional"``.

    ``problem`` tells it as a clause, with the place if there is one.
    """

    def __init__(self, what: str, problem: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.problem = problem or f"{what} is missing"


class HandEditedError(Exception):
    """An entry that has to change is not as it was written: a person has to look at it."""


def as_text(content: bytes) -> str | None:
    """The text of a file; None if it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _demand_text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        problem = f"line {line} is not UTF-8 text: it holds the byte 0x{byte:02x}"
        raise MissingAnchorError("UTF-8 text", problem) from error


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A Service's entry in a list: its key there, and what is written.

    ``group`` says in which of the lists, where a file has several of a kind.
    """

    key: str
    value: T
    group: str = ""

    @property
    def name(self) -> str:
        """Group and key; unique in the index."""
        return qualified(self.group, self.key)


class OpenList(Protocol[T_contra]):
    """A list as it is in a text. It is immutable: edits return the new text.

    Opening it, and adding to it, raises ``MissingAnchorError`` if there is no place for that.
    """

    @property
    def keys(self) -> Sequence[str]:
        """The keys of its entries, in the order of the text."""

    def append(self, value: T_contra) -> str:
        """The text with one more entry, where and how the list itself would have it."""

    def without(self, number: int) -> str:
        """The text without one entry; the inverse of ``append`` for the entry that was appended."""


@dataclass(frozen=True)
class Index(Generic[T]):
    """One list of one file, or several of a kind.

    ``lists`` opens the list of each group in a text; ``items`` tells what a Service has in them, and
    ``also`` what else of a text goes with it: what its stack does not tell. ``required`` says that a
    Service may not be added where the list has lost its place, since the system, and not only a person,
    reads it. ``name`` is what ``--no-index`` calls it; ``place`` is its file where a house has it elsewhere.
    """

    name: str
    lists: Mapping[str, Callable[[str], OpenList[T]]]
    items: Callable[[ServiceEntry], Iterable[Item[T]]]
    required: bool = False
    also: Callable[[str, ServiceEntry], Iterable[str]] = lambda _text, _entry: ()
    place: PurePosixPath | None = None

    @property
    def path(self) -> PurePosixPath:
        """Its file."""
        return self.place or usual(self.name)

    def keys(self, entry: ServiceEntry) -> frozenset[str]:
        """The names under which this Service has to be in the list; empty if it does not belong there."""
        return frozenset(item.name for item in self.items(entry))

    def held(self, text: str, entry: ServiceEntry) -> frozenset[str]:
        """The names of everything that the list would lose with this Service."""
        return self.keys(entry) | frozenset(self.also(text, entry))

    def entries(self, text: bytes) -> frozenset[str]:
        """The names of everything in the list; ``MissingAnchorError`` only if no group has its list."""
        decoded = _demand_text(text)
        found: set[str] = set()
        missing = []
        for group, opened in self.lists.items():
            try:
                found |= {qualified(group, key) for key in opened(decoded).keys}
            except MissingAnchorError as error:
                missing.append(error.what)
        if len(missing) == len(self.lists):
            raise MissingAnchorError(", ".join(missing))
        return frozenset(found)

    def insert(self, text: bytes, entry: ServiceEntry) -> bytes:
        """The file with the Service in the list, once; existing entries stay as they are.

        Raises ``MissingAnchorError`` if the list has lost its place.
        """
        result = _demand_text(text)
        for item in self.items(entry):
            result = self._with(result, item)
        return result.encode()

    def remove(self, text: bytes, entry: ServiceEntry) -> bytes:
        """The file without what it holds for this Service; undoes ``insert`` byte for byte."""
        result = as_text(text)
        return text if result is None else self._without(result, self.held(result, entry)).encode()

    def differing(self, before: ServiceEntry, after: ServiceEntry) -> frozenset[str]:
        """The names of entries that are added, removed or changed when a Service changes."""
        old, new = self._by_name(before), self._by_name(after)
        return frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))

    def follow(
        self, text: bytes, before: ServiceEntry, after: ServiceEntry, shared: Collection[str] = ()
    ) -> bytes:
        """The file after a change of a Service: its new entries are added, the former ones are removed.

        What others have too (``shared``) stays, and what a person took out is not put back. Raises
        ``MissingAnchorError`` where the list has lost its place, and ``HandEditedError`` where an entry
        that has to read otherwise is not as it was written.
        """
        old, new = self._by_name(before), self._by_name(after)
        gone = {name: item for name, item in old.items() if name not in new and name not in shared}
        renamed = self._renamed(gone, {name: item for name, item in new.items() if name not in old})
        result = self._without(_demand_text(text), gone.keys() - {item.name for item in renamed.values()})
        earlier = {**old, **renamed}
        for name, item in new.items():
            if name not in earlier:
                result = self._with(result, item)
            elif item != earlier[name]:
                result = self._instead(result, earlier[name], item)
        return result.encode()

    @staticmethod
    def _renamed(gone: Mapping[str, Item[T]], come: Mapping[str, Item[T]]) -> Mapping[str, Item[T]]:
        """The former entry of each new one, if a list loses one entry and gains one."""
        groups = {item.group for item in come.values()}
        of = {g: [[i for i in side.values() if i.group == g] for side in (gone, come)] for g in groups}
        return {to[0].name: was[0] for was, to in of.values() if len(was) == len(to) == 1}

    def _by_name(self, entry: ServiceEntry) -> dict[str, Item[T]]:
        return {item.name: item for item in self.items(entry)}

    def _with(self, text: str, item: Item[T]) -> str:
        found = self.lists[item.group](text)
        if item.key in found.keys:
            return text
        result = found.append(item.value)
        self._verify(result, item.group, [*found.keys, item.key])
        return result

    def _without(self, text: str, names: Collection[str]) -> str:
        for group, opened in self.lists.items():
            try:
                keys = list(opened(text).keys)
            except MissingAnchorError:
                continue
            for number in reversed([n for n, key in enumerate(keys) if qualified(group, key) in names]):
                text = opened(text).without(number)
                del keys[number]
                self._verify(text, group, keys)
        return text

    def _instead(self, text: str, old: Item[T], new: Item[T]) -> str:
        """One entry with a new text, in its place, or where its list would have it now.

        One that a person took out is not put back, but under another name it is new.
        """
        rest = self._without(text, {old.name})
        if rest == text:
            return text if old.name == new.name else self._with(text, new)
        again, changed = self._with(rest, old), self._with(rest, new)
        if sorted(again.splitlines()) != sorted(text.splitlines()):
            again, changed = _with_edits(text, again, changed)
        result = _in_place(text, again, changed)
        self._verify(result, new.group, [*{*self.lists[new.group](rest).keys, new.key}])
        return result

    def _verify(self, text: str, group: str, keys: list[str]) -> None:
        """Read the edited text again: it must have exactly these entries, and no edit may break the file."""
        with suppress(MissingAnchorError):
            if sorted(self.lists[group](text).keys) == sorted(keys):
                return
        raise AssertionError(f"the edit of {self.path} for the index {self.name} went wrong: {text}")


def _with_edits(text: str, again: str, changed: str) -> tuple[str, str]:
    """``again`` and ``changed`` with the cells of a row that a person edited, as ``text`` has them.

    Raises ``HandEditedError`` if that is not one row with the cells that were written, or where a cell that
    was edited has to read otherwise.
    """
    mine, was, new = (_only(*pair) for pair in ((text, again), (again, text), (changed, again)))
    if was != _only(again, changed):
        raise HandEditedError
    rows = [_cells(line) for line in (mine, was, new)]
    if len({len(cells) for cells in rows}) != 1:
        raise HandEditedError
    merged = "|".join(_cell(*cell) for cell in zip(*rows, strict=True))
    return again.replace(was, mine), changed.replace(new, merged)


def _only(text: str, other: str) -> str:
    """The one line that only ``text`` has."""
    lines = Counter(text.splitlines()) - Counter(other.splitlines())
    if lines.total() != 1 or text.count(line := next(iter(lines))) != 1:
        raise HandEditedError
    return line


def _cells(line: str) -> list[str]:
    """The cells of a table's row, with their padding."""
    if not line.startswith("|"):
        raise HandEditedError
    return re.split(r"(?<!\\)\|", line)


def _cell(mine: str, was: str, new: str) -> str:
    """A cell that only one side changed."""
    if mine.strip() == was.strip():
        return new if new == was else new.ljust(len(mine))
    if new.strip() != was.strip():
        raise HandEditedError
    return mine


def _in_place(text: str, again: str, changed: str) -> str:
    """``text`` in which the lines of ``again`` are replaced by those of ``changed``, where they are.

    Where the two have them at different places, or it is not clear where they stand, ``changed`` itself.
    """
    old, new = again.splitlines(keepends=True), changed.splitlines(keepends=True)
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    match [edit for edit in found if edit[0] != "equal"]:
        case [("replace", start, end, new_start, new_end)] if (
            text.count(lines := "".join(old[start:end])) == 1
        ):
            return text.replace(lines, "".join(new[new_start:new_end]))
    return changed


def by_name(*groups: str) -> Callable[[str, ServiceEntry], Iterable[str]]:
    """Whatever is listed under the Service's own name, in one of some groups."""
    return lambda _text, entry: (qualified(group, slug(entry.name)) for group in groups or ("",))


def qualified(group: str, key: str) -> str:
    """The name of an entry in an index with several groups."""
    return f"{group}:{key}" if group else key

"""Three versions of a stack's files merged into one, in memory.

``base`` is what was rendered, ``ours`` what stands there now, ``theirs`` what is rendered again. What both
changed in the same way is no conflict. A file that the template renames takes its edits along, and a file
that a person renamed is found by its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import TypeAlias

from scaffold.changes.change import Content
from scaffold.updates.text import merged_text

Tree: TypeAlias = Mapping[PurePosixPath, Content]
"""Files by their path."""
_SIMILAR = 0.5
"""The share of lines from which on a file counts as another one renamed, as Git has it."""


class State(Enum):
    """The outcome of a merge for one file; the value is what is reported."""

    KEPT = "kept"
    """As it stands: nothing new came, or the same as by hand."""
    UPDATED = "updated"
    """Only the new version changed it."""
    MERGED = "merged"
    """Both changed it, in different places."""
    CONFLICT = "conflict"
    """Both changed the same place in different ways: a person has to settle it."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome: ``files`` are all that should be there, with conflict markers in case of a conflict.

    ``states`` has each of those files and each that shall be gone; ``conflicts`` say why a file is one.
    """

    files: Tree
    states: Mapping[PurePosixPath, State]
    conflicts: Mapping[PurePosixPath, str]

    @property
    def state(self) -> State:
        """The state of the whole: that of the file that needs most attention."""
        order = list(State)
        return max(self.states.values(), key=order.index, default=State.KEPT)


def merged(base: Tree, ours: Tree, theirs: Tree) -> Merged:
    """Merge what changed from ``base`` to ``theirs`` into ``ours``."""
    by_hand = dict(_renamed(base, ours))
    moved = {o: n for o, n in _renamed(base, theirs) if n not in ours or by_hand.get(o) == n}
    base, ours, left = _moved(base, moved), _moved(ours, moved), set(ours)
    taken = {old: new for old, new in _renamed(base, ours) if new not in theirs}
    base, theirs = _moved(base, taken), _moved(theirs, taken)
    files: dict[PurePosixPath, Content] = {}
    states: dict[PurePosixPath, State] = {}
    conflicts: dict[PurePosixPath, str] = {}
    for path in sorted({*base, *ours, *theirs, *left}):
        one = _file(path, base.get(path), ours.get(path), theirs.get(path))
        if path in moved and one.state is State.KEPT:
            one = _File(State.UPDATED, None)
        if one.content is not None:
            files[path] = one.content
        if one.content is not None or path in left:
            states[path] = one.state
        if one.state is State.CONFLICT:
            states[path], conflicts[path] = one.state, one.why
    return Merged(files, states, conflicts)


@dataclass(frozen=True, slots=True)
class _File:
    state: State
    content: Content | None
    why: str = ""


def _file(path: PurePosixPath, base: Content | None, ours: Content | None, theirs: Content | None) -> _File:
    if theirs in (base, ours):
        return _File(State.KEPT, ours)
    if ours == base:
        return _File(State.UPDATED, theirs)
    if theirs is None or ours is None:
        here, there = ("changed", "is gone") if theirs is None else ("deleted", "differs")
        return _File(State.CONFLICT, ours, f"it was {here} here and {there} in the new version")
    if not (isinstance(ours, bytes) and isinstance(theirs, bytes)):
        return _File(State.CONFLICT, ours, "a link on one side is a file on the other, or leads elsewhere")
    text, clean = merged_text(path, base if isinstance(base, bytes) else b"", ours, theirs)
    if clean:
        return _File(State.KEPT if text == ours else State.MERGED, text)
    return _File(State.CONFLICT, text, "the same place was changed here and in the new version")


def _moved(tree: Tree, names: Mapping[PurePosixPath, PurePosixPath]) -> Tree:
    return {names.get(path, path): content for path, content in tree.items()}


def _renamed(old: Tree, new: Tree) -> Iterator[tuple[PurePosixPath, PurePosixPath]]:
    """The files that are gone in ``new``, each with the most similar new file, if there is one."""
    gone = {path: lines for path in old if path not in new and (lines := _lines(old[path]))}
    come = {path: lines for path in new if path not in old and (lines := _lines(new[path]))}
    likeness = {
        (before, after): (was & now).total() / max(was.total(), now.total())
        for before, was in gone.items()
        for after, now in come.items()
    }
    for before, after in sorted(likeness, key=lambda pair: (-likeness[pair], pair)):
        if before in gone and after in come and likeness[before, after] >= _SIMILAR:
            del gone[before], come[after]
            yield before, after


def _lines(content: Content) -> Counter[bytes]:
    return Counter(filter(None, map(bytes.strip, content.split(b"\n") if isinstance(content, bytes) else ())))

"""Where the indexes and the stacks of a monorepo disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from scaffold.changes.change import is_ciphertext
from scaffold.errors import Finding
from scaffold.indexes import all_indexes
from scaffold.indexes.base import Index, MissingAnchorError
from scaffold.indexes.comparisons import COMPARISONS, Comparison, View, name_in
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo

_NO_PLACE = (
    "Restore the place of the list; if the house gave it up, `scaffold check --update-baseline` accepts that."
)


class State(Enum):
    """How an index and the stacks disagree."""

    MISSING = "missing"
    STALE = "stale"
    NO_ANCHOR = "no-anchor"

    @property
    def code(self) -> str:
        """The rule that reports it."""
        return {State.MISSING: "IDX001", State.STALE: "IDX002", State.NO_ANCHOR: "IDX003"}[self]


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement. ``entry`` is what can be inserted to fix it, where that is certain."""

    index: Index[Any]
    state: State
    service: str
    key: str
    what: str
    fix: str
    entry: ServiceEntry | None = None

    @property
    def finding(self) -> Finding:
        """The disagreement as a finding about the index file."""
        which = f"{self.index.name} of {self.service}" if self.service else self.index.name
        message = f"{which}: {self.what}"
        path = str(self.index.path)
        return Finding(path, None, None, self.state.code, message, value=self.key or None, fix=self.fix)


def drift(monorepo: Monorepo) -> tuple[Drift, ...]:
    """Every disagreement, by index. Files that are missing or encrypted are not judged."""
    reader = StackReader(monorepo)
    here = {index.name: index for index in all_indexes(monorepo.root)}
    kept = (replace(c, index=here[c.index.name]) for c in COMPARISONS if c.index.name in here)
    return tuple(found for comparison in kept for found in _compare(reader, comparison))


def _compare(reader: StackReader, comparison: Comparison) -> Iterator[Drift]:
    index = comparison.index
    content = reader.monorepo.files.read(index.path)[0]
    if not isinstance(content, bytes) or is_ciphertext(content):
        return
    try:
        entries = index.entries(content)
    except MissingAnchorError as error:
        what = f"{index.path} lacks {error.what}."
        yield Drift(index, State.NO_ANCHOR, "", "", what, _NO_PLACE)
        return
    view = View(reader, content.decode(), entries)
    groups: dict[str, str] = {}
    for entry in comparison.expected(reader):
        groups |= {name_in(key): key.rpartition(":")[0] for key in index.keys(entry)}
        certain = comparison.certain(entry)
        fix = "`scaffold index --fix` adds it." if certain else comparison.advice
        for key in sorted(index.keys(entry)):
            if not comparison.present(view, entry, key):
                what = f"{_told(key)} is missing."
                yield Drift(index, State.MISSING, entry.name, key, what, fix, entry if certain else None)
    for key, reason in sorted(comparison.stale(view).items()):
        what = f"{_told(key)} is listed, but {reason}."
        group = groups.get(name_in(key))
        fix = f"Remove it here: it belongs under {group}." if group else "Remove it, if it is really gone."
        yield Drift(index, State.STALE, "", key, what, fix)


def _told(key: str) -> str:
    """The name of an entry for people, with its group at the end."""
    group, _, name = key.rpartition(":")
    return f"{name} ({group})" if group else name

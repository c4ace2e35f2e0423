"""What became of every key of a compose file; each of them is in exactly one list."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from scaffold.answers.compose import facts
from scaffold.answers.sources import Path, show
from scaffold.templates.questions import Value


class Fate(Enum):
    """What became of a key."""

    TAKEN = "taken"
    DECIDED = "decided"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a key and everything below it. It contains no part of a value."""

    path: Path
    fate: Fate
    why: str
    answer: str = ""
    """The answer that it was taken to."""

    def is_taken_to(self, answers: Collection[str]) -> bool:
        """Whether it was taken to one of these answers, or to a part of one."""
        return self.fate is Fate.TAKEN and re.split(r"[.\[]", self.answer)[0] in answers

    @property
    def key(self) -> str:
        """The key as people write it: ``services.app.ports[0]``."""
        return show(self.path)


@dataclass(frozen=True, slots=True)
class Became:
    """What a service of the file became, and why."""

    name: str
    role: str
    why: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """What no file shows of an image, and what to do if it is so."""

    service: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Report:
    """The import of a file: what its services became, the app first, and every key of it."""

    source: str
    services: tuple[Became, ...]
    entries: tuple[Entry, ...]
    unseen: tuple[Unseen, ...] = ()

    def without(self, answers: Collection[str], why: str) -> Report:
        """The same report, without what was taken to one of these answers."""
        entries = (Entry(e.path, Fate.LEFT, why) if e.is_taken_to(answers) else e for e in self.entries)
        return replace(self, entries=tuple(entries))

    def of(self, fate: Fate) -> tuple[Entry, ...]:
        """The entries of one list."""
        return tuple(entry for entry in self.entries if entry.fate is fate)


@dataclass(slots=True)
class Ledger:
    """Takes down once what becomes of each key; the first entry for a key counts."""

    entries: dict[Path, Entry] = field(default_factory=dict)

    def taken(self, path: Path, answer: str, why: str = "") -> None:
        """The key became an answer."""
        self._add(Entry(path, Fate.TAKEN, why, answer))

    def decided(self, path: Path, why: str = "") -> None:
        """The house decides otherwise; without a reason, the usual one for that key is given."""
        self._add(Entry(path, Fate.DECIDED, why) if why else _usual(path))

    def left(self, path: Path, why: str = "", fix: str = "") -> None:
        """The key is left out; without a reason, the usual one for that key is given."""
        self._add(Entry(path, Fate.LEFT, f"{why}. {fix}" if fix else why) if why else _usual(path))

    def instead(self, path: Path, why: str, fix: str) -> None:
        """The key is left out, whatever was taken down for it before."""
        self.entries[path] = Entry(path, Fate.LEFT, f"{why}. {fix}")

    def noted(self, path: Path, why: str) -> None:
        """A note on a key, besides what became of it."""
        entry = self.entries[path]
        self.entries[path] = replace(entry, why="; ".join(filter(None, (entry.why, why))))

    def withdraw(self, answers: Collection[str], why: str, fix: str) -> None:
        """What was taken to one of these answers is left out after all."""
        for path, entry in self.entries.items():
            if entry.is_taken_to(answers):
                self.entries[path] = Entry(path, Fate.LEFT, f"{why}. {fix}")

    def _add(self, entry: Entry) -> None:
        self.entries.setdefault(entry.path, entry)

    def whole(self, tree: Mapping[str, Value]) -> tuple[Entry, ...]:
        """The entries for every key of ``tree``; keys without an entry get the usual one."""
        above = {path[:length] for path in self.entries for length in range(len(path))}
        return tuple(self._completed(tree, (), above))

    def _completed(self, value: Value, path: Path, above: set[Path]) -> Iterator[Entry]:
        holds_services = bool(path) and len(path) <= 2 and path[0] in ("services", "jobs") and bool(value)
        opened = path in above or (holds_services and path not in self.entries and isinstance(value, Mapping))
        if path and not opened:
            empty = len(path) > 2 and value in (None, [], {}, "")
            yield self.entries.get(path) or (
                Entry(path, Fate.DECIDED, "it is empty") if empty else _usual(path)
            )
            return
        listed = enumerate(value) if isinstance(value, list) else ()
        below, level = dict(value.items() if isinstance(value, Mapping) else listed), len(path)
        named = [at[level] for at in (*self.entries, *above) if at[:level] == path != at]
        for key in dict.fromkeys([*below, *named]):
            yield from self._completed(below.get(key), (*path, key), above)


def _usual(path: Path) -> Entry:
    """The usual fate of a key of a service, or of the whole file, from the facts."""
    names = [part for part in path if isinstance(part, str)]
    if any(name.startswith("x-") for name in names):
        return Entry(path, Fate.DECIDED, "compose itself ignores it; what it is an anchor for is read there")
    for name in reversed(names[2:] if names[0] in ("services", "jobs") and len(names) > 2 else names[:1]):
        if name in facts()["decided"]:
            return Entry(path, Fate.DECIDED, facts()["decided"][name])
        if row := facts()["left"].get(name):
            return Entry(path, Fate.LEFT, f"{row['why']}. {row['fix']}")
    return Entry(path, Fate.LEFT, "the specification has no such key. Say what it stands for in answers.")

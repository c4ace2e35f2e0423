"""``scaffold index``: what the indexes hold, where they disagree with the stacks, and mending that."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from scaffold.changes.change import ChangeSet, Content, is_ciphertext
from scaffold.checks.verify import Unverified, verify_edits
from scaffold.indexes import all_indexes
from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.drift import Drift, drift
from scaffold.monorepo.repository import Monorepo


@dataclass(frozen=True, slots=True)
class IndexState:
    """One index as it stands: how many entries it has, or what keeps it from being read."""

    name: str
    path: PurePosixPath
    required: bool
    entries: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Mended:
    """What ``--fix`` changes, not yet written, and what it leaves to a person."""

    change: ChangeSet
    fixed: tuple[Drift, ...]
    rest: tuple[Drift, ...]
    unverified: tuple[Unverified, ...] = ()


def show(monorepo: Monorepo) -> tuple[IndexState, ...]:
    """All indexes of the monorepo."""
    states = []
    for index in all_indexes():
        content = monorepo.files.read(index.path)[0]
        entries, problem = None, ""
        if content is None:
            problem = "the file does not exist"
        elif not isinstance(content, bytes):
            problem = "the file is a symbolic link"
        elif is_ciphertext(content):
            problem = "the file is encrypted"
        else:
            try:
                entries = len(index.entries(content))
            except MissingAnchorError as error:
                problem = error.problem
        states.append(IndexState(index.name, index.path, index.required, entries, problem))
    return tuple(states)


def check(monorepo: Monorepo) -> tuple[Drift, ...]:
    """Everything that the indexes and the stacks do not agree on."""
    return drift(monorepo)


def fix(monorepo: Monorepo) -> Mended:
    """Plan what is certain: entries that are missing and follow from a stack. Nothing stale is taken out.

    Raises ``RefusedError`` for an index file that may not be written, and ``VerificationError`` for an edit
    that a second reader reads differently.
    """
    texts: dict[PurePosixPath, Content | None] = {}
    fixed, rest = [], []
    for found in drift(monorepo):
        path = found.index.path
        text = texts.get(path) or monorepo.files.read(path)[0]
        after = None
        with suppress(MissingAnchorError):
            after = found.index.insert(text, found.entry) if found.entry and isinstance(text, bytes) else None
        if after is None:
            rest.append(found)
        else:
            texts[path] = after
            fixed.append(found)
    change = ChangeSet.plan(monorepo.files, texts)
    return Mended(change, tuple(fixed), tuple(rest), verify_edits(change))

"""``scaffold index``: what the indexes contain, where they and the stacks disagree, and fixing that."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.changes.change import ChangeSet, Content, is_ciphertext
from scaffold.checks.rule import Kind
from scaffold.checks.verify import Unverified, verify_edits
from scaffold.commands.check import EVERY_RULE, Checked, Selection, stacks_at, unknown
from scaffold.errors import UsageError, nearest
from scaffold.indexes import all_indexes
from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.drift import Drift, drift
from scaffold.monorepo.repository import Monorepo


@dataclass(frozen=True, slots=True)
class IndexState:
    """One index, and what is in it, or why it cannot be read."""

    name: str
    path: PurePosixPath
    required: bool
    keys: frozenset[str] | None
    problem: str = ""

    @property
    def entries(self) -> int | None:
        """How many entries it has, if it can be read."""
        return None if self.keys is None else len(self.keys)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What ``--fix`` changes, not yet written, and what it leaves to a person."""

    change: ChangeSet
    fixed: tuple[Drift, ...]
    rest: tuple[Drift, ...]
    unverified: tuple[Unverified, ...] = ()


def show(monorepo: Monorepo) -> tuple[IndexState, ...]:
    """All indexes of the monorepo."""
    states = []
    for index in all_indexes(monorepo.root):
        content = monorepo.files.read(index.path)[0]
        keys, problem = None, ""
        if content is None:
            problem = "the file does not exist"
        elif not isinstance(content, bytes):
            problem = "the file is a symbolic link"
        elif is_ciphertext(content):
            problem = "the file is encrypted"
        else:
            try:
                keys = index.entries(content)
            except MissingAnchorError as error:
                problem = error.problem
        states.append(IndexState(index.name, index.path, index.required, keys, problem))
    return tuple(states)


def check(
    monorepo: Monorepo,
    selection: Selection = EVERY_RULE,
    *,
    lists: Collection[str] = (),
    stacks: Collection[str] = (),
    baseline_file: Path | None = None,
) -> Checked:
    """Where the indexes and the stacks disagree: for some lists and some stacks, or for all.

    Raises :class:`UsageError` for a list that there is not, and :class:`MissingError` for a stack.
    """
    selection.check()
    names = [index.name for index in all_indexes(monorepo.root)]
    for name in lists:
        if name not in names:
            raise UsageError(
                f"There is no list {name}.", nearest(name, names) or "`scaffold index` shows all."
            )
    services = stacks_at(monorepo, tuple(stacks))
    chosen = [index for index in all_indexes(monorepo.root) if not lists or index.name in lists]
    found = [
        disagreement.finding
        for disagreement in drift(monorepo)
        if disagreement.index in chosen and (not stacks or disagreement.service in services)
    ]
    asked = selection.of(Kind.INDEX)
    left = [finding for rule in asked for finding in rule.check_index(found)]
    paths = tuple(f"{index.path}:" for index in chosen)
    fresh, known, gone = unknown(left, baseline_file, paths, {rule.code for rule in asked})
    # Of some lists of a file, or some stacks, nobody knows what else of the baseline is gone.
    partly = bool(lists or stacks)
    return Checked(
        tuple(index.name for index in chosen), fresh, frozenset(), known, 0 if partly else gone, what="list"
    )


def checked(monorepo: Monorepo, disagreements: Iterable[Drift]) -> Checked:
    """Disagreements in the form of a check of all the monorepo's lists."""
    names = tuple(index.name for index in all_indexes(monorepo.root))
    return Checked(names, tuple(found.finding for found in disagreements), frozenset(), what="list")


def fix(monorepo: Monorepo) -> Fixed:
    """Plan what is certain: missing entries that follow from a stack. Nothing stale is removed.

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
    return Fixed(change, tuple(fixed), tuple(rest), verify_edits(change))

"""What a change of a Service does, not yet written, and what somebody has to accept first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from scaffold.answers.difference import Changed
from scaffold.changes.change import ChangeSet
from scaffold.changes.commit import demand_clean
from scaffold.changes.step import Step
from scaffold.checks.consequences import Consequence, Effect, to_accept
from scaffold.commands.in_place import Kept
from scaffold.commands.plan import Plans
from scaffold.commands.prepared import Commits, Prepared
from scaffold.commands.remove_service import Mention
from scaffold.errors import RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import place, stacks_home
from scaffold.templates.render import ANSWERS_FILE

NOT_COMPARED = "not-compared"
"""The code that accepts a change whose effect on running workloads is unknown."""


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """A change of a Service, not yet written.

    ``plans`` compare the stack as it is with the stack to be written; None if that is not known. ``edited``
    are the files in which the change meets manual edits.
    """

    prepared: Prepared
    answers: tuple[Changed, ...]
    plans: Plans | None
    edited: tuple[PurePosixPath, ...] = ()
    left: tuple[Step, ...] = ()
    """What is left to a person once it is applied."""
    consequences: tuple[Consequence, ...] = ()
    """What it does to running workloads, worst first; without plans, as far as that is written out."""
    was: str = ""
    """The former name of a Service that is renamed."""
    kept: tuple[Kept, ...] = ()
    """Its existing objects that would have another name if they were new."""
    mentions: tuple[Mention, ...] = ()
    """Where else that name occurs."""

    def next_steps(self, monorepo: Monorepo, commits: Commits) -> tuple[Step, ...]:
        """What remains to be done until the Service runs like this, without what is done already."""
        if not self.renders:
            return ()
        return (*self.prepared.next_steps(monorepo, commits), *self.left)

    @property
    def renders(self) -> bool:
        """Whether anything but the answers file changes."""
        return bool(self._rendered)

    @property
    def _rendered(self) -> tuple[PurePosixPath, ...]:
        """The files that change, without the answers file."""
        files = self.prepared.stack.change.changes if self.prepared.stack else ()
        return tuple(file.path for file in files if file.path.name != ANSWERS_FILE)

    @property
    def _place(self) -> str:
        """The directory of the stack, whether or not it changes."""
        return place(self.prepared.changes[0].root, self.prepared.service)

    @property
    def to_accept(self) -> tuple[str, ...]:
        """The codes that somebody has to accept before it is written."""
        own = PurePosixPath(self._place)
        unknown = self.plans is None and any(path.is_relative_to(own) for path in self._rendered)
        # A new name is no reason to destroy anything.
        also = (Effect.DESTROYED, Effect.REPLACED) if self.was else ()
        codes = dict.fromkeys(one.effect.value for one in to_accept(self.consequences, also=also))
        return (*codes, *((NOT_COMPARED,) if unknown else ()))

    def demand_accepted(self, codes: Collection[str]) -> None:
        """Raise :class:`RefusedError` if a code has to be accepted that is not among ``codes``."""
        left = [code for code in self.to_accept if code not in codes]
        if not left:
            return
        findings = [one.finding(self._place) for one in self.consequences if one.effect.value in left]
        harm = "loses data or a backup, destroys something" if self.was else "loses data or a backup,"
        known = f"This {harm} or opens a host to the internet"
        what = "What this does to running workloads is not known" if NOT_COMPARED in left else known
        again = " ".join(f"--accept {code}" for code in left)
        raise RefusedError(f"{what}; nothing was written.", f"If that is meant: `{again}`", findings)


def demand_stacks_clean(change: ChangeSet) -> None:
    """Raise :class:`RefusedError` if a stack that the change edits has changes that no commit has."""
    below = stacks_home(change.root)
    inside = tuple(file for file in change.changes if file.path.is_relative_to(below))
    demand_clean(ChangeSet(change.root, inside), len(PurePosixPath(below).parts) + 1)

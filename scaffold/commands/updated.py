"""What an update does to stacks, not yet written, and what somebody has to accept first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from scaffold.changes.change import ChangeSet
from scaffold.changes.commit import write_stacks
from scaffold.changes.step import Step
from scaffold.checks.consequences import Consequence
from scaffold.checks.verify import Unverified
from scaffold.commands.changed import demand_stacks_clean
from scaffold.commands.plan import Plans
from scaffold.commands.sides import Sides
from scaffold.errors import Finding, number_of
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import template
from scaffold.updates.merge import Merged, State


@dataclass(frozen=True, slots=True)
class Updated:
    """What becomes of one stack.

    ``findings`` keep it as it is, and so does what is ``to_accept`` and is not accepted yet. ``change`` is
    what is written, the lists outside among it, once the stacks before it are; ``unread`` is what of those
    lists could not be read twice, and ``steps`` are for a person.
    """

    side: Sides
    merged: Merged
    change: ChangeSet
    findings: tuple[Finding, ...] = ()
    to_accept: tuple[Consequence, ...] = ()
    steps: tuple[Step, ...] = ()
    unread: tuple[Unverified, ...] = ()

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.side.stack

    @property
    def why_left(self) -> tuple[Finding, ...]:
        """Why a person has to look at it."""
        codes = [one.effect.value for one in self.to_accept]
        fix = f"If that is meant: `{' '.join(f'--accept {code}' for code in dict.fromkeys(codes))}`"
        effects = (one.finding(self.side.directory, "update.", fix) for one in self.to_accept)
        return (*self.findings, *effects)

    @property
    def state(self) -> State:
        """The state of the whole stack."""
        return State.CONFLICT if self.findings or self.to_accept else self.merged.state

    @property
    def word(self) -> str:
        """The word for its state; a refusal is not called a conflict."""
        is_refused = self.state is State.CONFLICT and not self.merged.conflicts
        return "refused" if is_refused else self.state.value


@dataclass(frozen=True, slots=True)
class Updates:
    """What becomes of stacks, not yet written, each after those before it.

    ``unplanned`` is what is not known because it could not be planned.
    """

    monorepo: Monorepo
    origin: template.Origin
    stacks: tuple[Updated, ...]
    plans: Plans | None
    unplanned: tuple[Unverified, ...]

    @property
    def unverified(self) -> tuple[Unverified, ...]:
        """All that is not known."""
        sides = (gap for one in self.stacks for gap in one.side.unverified)
        return (*sides, *self.unplanned, *(gap for one in self.stacks for gap in one.unread))

    @property
    def left(self) -> tuple[Updated, ...]:
        """The stacks that a person has to look at."""
        return tuple(stack for stack in self.stacks if stack.state is State.CONFLICT)

    @property
    def written(self) -> tuple[Updated, ...]:
        """The stacks in which something is written."""
        return tuple(stack for stack in self.stacks if stack.change.changes)

    @property
    def change(self) -> ChangeSet:
        """All that is written."""
        nothing = ChangeSet(self.monorepo.root, ())
        return reduce(ChangeSet.then, (stack.change for stack in self.written), nothing)

    def write(self, *, commits: str | None = None) -> tuple[str, ...]:
        """Write it, into stacks without other changes: :func:`~scaffold.changes.commit.write_stacks`."""
        to = f"to {self.origin.version}"
        message = f"Update {number_of(len(self.written), 'stack')} {to} of the templates"
        demand_stacks_clean(self.change)
        each = ((one.change, f"{one.stack}: update from {one.side.version} {to}") for one in self.written)
        return write_stacks(each, commits, message)

"""What a run is about to write: a Service's stack, the pipeline of its app, or both."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from scaffold.changes.change import Action, ChangeSet
from scaffold.changes.commit import demand_committed, demand_merged, demand_own, write
from scaffold.changes.step import Step, When
from scaffold.checks.verify import Verified
from scaffold.commands.steps import stack_steps, steps_of
from scaffold.errors import Finding, RefusedError, ScaffoldError, UncommittedError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, template
from scaffold.templates.decisions import Decision
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.pipelines.clone.reading import Proposal
    from scaffold.pipelines.verify import VerifiedPipeline

V_co = TypeVar("V_co", covariant=True)
Commits: TypeAlias = tuple[str | None, str | None]
"""The commits of the stack and of the pipeline, where they were made."""


@dataclass(frozen=True, slots=True)
class Part(Generic[V_co]):
    """What is written to one repository, rendered from combined ``values`` and verified.

    ``message`` is that of its commit; ``place`` is where all of it, or its record, stands once it is written.
    """

    change: ChangeSet
    values: Mapping[str, Value]
    verified: V_co
    message: str
    place: PurePosixPath
    beside: tuple[PurePosixPath, ...] = ()
    """The files elsewhere that have entries of it, where all of it is there."""

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to write because everything is there."""
        return not self.change.changes

    @property
    def replaced(self) -> ChangeSet:
        """The part of the change that replaces existing files."""
        changes = tuple(file for file in self.change.changes if file.action is Action.MODIFY)
        return ChangeSet(self.change.root, changes)

    def write(self, *, commit: bool) -> str | None:
        """Write it, and commit exactly its files if asked to. Returns the commit, if one was made.

        Raises :class:`RefusedError` if the files changed meanwhile, or where the commit would take in changes
        that are there already; then nothing is written. Raises :class:`UncommittedError` if Git refuses the
        commit of what is written, now or by an earlier run.
        """
        if self.unchanged:
            if commit:
                demand_committed(self.change.root, self.place, self.message, self.beside)
            return None
        demand_merged(self.change.root)
        return write(self.change, self.message, committed=commit)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A stack, a pipeline or both, not yet written; both are verified before either is applied."""

    service: str
    origin: template.Origin
    stack: Part[Verified] | None = None
    pipeline: Part[VerifiedPipeline] | None = None
    manual: tuple[Step, ...] = ()
    """What the stack needs elsewhere in the monorepo and a person has to do."""
    before: Mapping[str, Value] | None = None
    """The combined values of a Service that is changed."""
    taken: tuple[Proposal, ...] = ()
    """What the clone of the app's repository proposed, and no answer said."""
    told: tuple[Finding, ...] = ()
    """The answers that the clone contradicts, and what it lacks."""
    own_files: tuple[str, ...] = ()
    """The files that it takes along beside the rendered ones, by path from the root."""
    finish: tuple[str, ...] = ()
    """The command that makes the pipeline alone, with the options of this run."""

    @property
    def changes(self) -> tuple[ChangeSet, ...]:
        """What is written, one change set for each repository."""
        return tuple(part.change for part in (self.stack, self.pipeline) if part is not None)

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to write: everything exists, made from these answers."""
        return not any(change.changes for change in self.changes)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions with their reasons; for a pipeline alone, only those about it."""
        if self.stack is not None:
            return decisions.table(self.stack.values)
        made = decisions.table(self.pipeline.values) if self.pipeline is not None else ()
        return tuple(decision for decision in made if decision.name.startswith("pipeline."))

    def apply(self, *, commit: bool) -> Commits:
        """Write the stack, then the pipeline, and commit each if ``commit``. Returns the commits.

        Before either is written, both are checked for whether they may be committed. Raises what
        :meth:`Part.write` raises; if only the pipeline fails, the stack is written, and the error names the
        command that finishes it.
        """
        stack, pipeline = self.stack, self.pipeline
        if pipeline is None:
            return stack.write(commit=commit) if stack else None, None
        if stack is None:
            return None, pipeline.write(commit=commit)
        finish = shlex.join([*self.finish, *(["--commit"] if commit else [])])
        if commit:
            demand_own(pipeline.change)  # the stack's is judged before it is written
        try:
            first = stack.write(commit=commit)
        except UncommittedError as error:
            hint = f"{error.hint}\nThen make the pipeline: `{finish}`"
            raise UncommittedError(error.message, hint) from error
        try:
            return first, pipeline.write(commit=commit)
        except UncommittedError:
            raise
        except ScaffoldError as error:
            raise RefusedError(
                f"{stack.place} is written, the pipeline is not: {error.message}",
                f"{error.hint} Then finish with: `{finish}`".strip(),
                error.findings,
            ) from error

    def next_steps(self, monorepo: Monorepo, commits: Commits) -> tuple[Step, ...]:
        """What remains to be done, according to the templates' tables.

        Of both: push first, then apply, then run the pipeline again.
        """
        of_stack, of_pipeline = (commit is not None for commit in commits)
        own: tuple[Step, ...] = ()
        if self.stack is not None:
            own = stack_steps(
                monorepo,
                self.stack.values,
                paths=[str(file.path) for file in self.stack.change.changes],
                manual=self.manual,
                committed=of_stack,
                piped=self.pipeline is not None,
                message=self.stack.message,
                before=self.before,
            )
        added = self._pipeline_steps(committed=of_pipeline)
        if not own or not added:
            return own + added
        *before, apply_it = [step for step in own if step.when is When.NEXT]
        ready = [step for step in added if step.when is When.NEXT]
        return (*before, *ready, apply_it, *(s for s in (*added, *own) if s.when is When.AFTER_APPLY))

    def _pipeline_steps(self, *, committed: bool) -> tuple[Step, ...]:
        if self.pipeline is None:
            return ()
        change, dockerfile = self.pipeline.change, self.pipeline.values["dockerfile"]
        has_dockerfile = (change.root / dockerfile).exists() or any(
            str(file.path) == dockerfile for file in change.changes
        )
        context = {
            **self.pipeline.values,
            "app_repo": shlex.quote(str(change.root)),
            "has_dockerfile": has_dockerfile,
            "committed": committed,
        }
        return steps_of("pipeline_steps", context)

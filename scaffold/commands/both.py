"""A new Service and the pipeline of its app: two repositories, one run."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from scaffold.answers.sources import Answers
from scaffold.changes.change import ChangeSet
from scaffold.checks.verify import Level, Verified
from scaffold.commands.new_service import NextStep, Prepared, apply, prepare
from scaffold.commands.pipeline import PreparedPipeline, apply_pipeline, prepare_pipeline
from scaffold.errors import RefusedError, ScaffoldError, UncommittedError
from scaffold.monorepo.repository import STACKS, Monorepo


@dataclass(frozen=True, slots=True)
class Both:
    """A new Service and its pipeline: two change sets, both verified before either is applied."""

    service: Prepared
    pipeline: PreparedPipeline
    finish: tuple[str, ...]
    """The command that makes the pipeline alone, with the options of this run."""

    @property
    def changes(self) -> tuple[ChangeSet, ...]:
        """What is written, one change set for each repository."""
        return self.service.change, self.pipeline.change

    @property
    def verified(self) -> Verified:
        """What was verified of the stack."""
        return self.service.verified

    def apply(self, *, commit: bool) -> tuple[str | None, str | None]:
        """Write the stack, then the pipeline. Returns the two commits, if they were made.

        Whether both may be committed is asked before either is written. Where the second one fails all the
        same, the stack is written, and the error tells the command that finishes it.
        """
        from scaffold.changes.commit import demand_own

        finish = shlex.join([*self.finish, *(["--commit"] if commit else [])])
        if commit:
            demand_own(self.pipeline.change)  # the stack's is judged before it is written
        try:
            first = apply(self.service, commit=commit)
        except UncommittedError as error:
            hint = f"{error.hint}\nThen make the pipeline: {finish}"
            raise UncommittedError(error.message, hint) from error
        try:
            return first, apply_pipeline(self.pipeline, commit=commit)
        except UncommittedError:
            raise
        except ScaffoldError as error:
            raise RefusedError(
                f"{STACKS}/{self.service.service} is written, the pipeline is not: {error.message}",
                f"{error.hint} Then finish it: {finish}".strip(),
                error.findings,
            ) from error

    def next_steps(self, monorepo: Monorepo, commits: tuple[str | None, str | None]) -> tuple[NextStep, ...]:
        """What is left to do in both: push first, then apply, then run the pipeline again.

        ``commits`` are those of stack and pipeline, where they were made.
        """
        stack, pipeline = (commit is not None for commit in commits)
        own = self.service.next_steps(monorepo, committed=stack, piped=True)
        steps = self.pipeline.next_steps(committed=pipeline)
        added = [NextStep(s.text, s.command, s.after_apply) for s in steps]
        *before, apply_it = [step for step in own if not step.after_apply]
        ready = [step for step in added if not step.after_apply]
        return (*before, *ready, apply_it, *(step for step in (*added, *own) if step.after_apply))


def prepare_with_pipeline(
    monorepo: Monorepo,
    given: Answers,
    app_repository: Path | None,
    *,
    overwrite: bool,
    level: Level | None = None,
    template_source: str | None = None,
    without_indexes: Collection[str] = (),
) -> Prepared | Both:
    """A Service as :func:`prepare` makes it, and with ``app_repository`` its pipeline.

    The pipeline is verified against the stack that is about to be written.
    """
    prepared = prepare(
        monorepo,
        given,
        level=level,
        template_source=template_source,
        without_indexes=without_indexes,
        own_image=app_repository is not None,
    )
    if app_repository is None:
        return prepared
    own = f"{STACKS}/{prepared.service}/"
    files = {str(file.path): file.after for file in prepared.change.changes}
    stack = {p: c for p, c in files.items() if p.startswith(own) and isinstance(c, bytes)} or None
    pipeline = prepare_pipeline(
        monorepo, given, app_repository, overwrite=overwrite, template_source=template_source, stack=stack
    )
    finish = ["scaffold", "pipeline", "--service", prepared.service, "--app-repo", str(pipeline.change.root)]
    finish += ["--monorepo", str(monorepo.root), *(["--overwrite"] if overwrite else [])]
    finish += ["--template-source", template_source] if template_source else []
    return Both(prepared, pipeline, tuple(finish))

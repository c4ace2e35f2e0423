"""``scaffold new-service``: from answers to a stack in the monorepo, all or nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.git import git
from scaffold.checks.verify import Level, Verified, verify
from scaffold.commands.pipeline import with_own_build
from scaffold.commands.service_entry import service_entry
from scaffold.commands.stored import stored_answers
from scaffold.commands.taken import has_rendered_stack, refuse_taken, with_taken
from scaffold.errors import Finding, RefusedError
from scaffold.indexes.edits import Edits, ManualStep, insertions
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions, template
from scaffold.templates.decisions import Decision
from scaffold.templates.questions import Value, asked
from scaffold.templates.render import render


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something that a person has to do, with its command."""

    text: str
    command: str
    after_apply: bool = False
    """Whether the stack has to be applied before."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A new Service, rendered and verified, not yet written."""

    service: str
    change: ChangeSet
    values: Mapping[str, Value]
    decisions: tuple[Decision, ...]
    verified: Verified
    origin: template.Origin
    manual: tuple[ManualStep, ...] = ()

    @property
    def changes(self) -> tuple[ChangeSet, ...]:
        """What is written, one change set for each repository."""
        return (self.change,)

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to write: the stack exists with these answers."""
        return not self.change.changes

    def next_steps(self, monorepo: Monorepo, *, committed: bool, piped: bool = False) -> tuple[NextStep, ...]:
        """What is left to do, as the template's table of next steps tells it.

        ``piped``: the app's repository has its pipeline, which builds the first image.
        """
        rows = decisions.evaluate(
            "templates/decisions/next_steps.jinja",
            {
                **self.values,
                "operations": _operations(monorepo),
                "committed": committed,
                "paths": [str(file.path) for file in self.change.changes],
                "manual": [{"text": step.text, "path": str(step.path)} for step in self.manual],
                "piped": piped,
            },
        )
        return tuple(NextStep(row["text"], row["command"], row.get("after_apply", False)) for row in rows)


def prepare(
    monorepo: Monorepo,
    given: Answers,
    *,
    level: Level | None = None,
    template_source: str | None = None,
    without_indexes: Collection[str] = (),
    own_image: bool = False,
) -> Prepared:
    """Check answers, decide, render and verify as far as ``level`` says; nothing is written.

    Raises :class:`AnswersError` with every problem of the answers, :class:`RefusedError` for a stack
    or a name that is taken, and :class:`~scaffold.errors.VerificationError` for a stack that would not
    work in this monorepo. ``without_indexes`` are indexes that are left to a person.
    ``own_image``: where no answer says how the image is built, it is as most own ones of the monorepo.
    """
    origin = template.origin(template_source)
    sensed = sense(monorepo)
    given = with_own_build(given, sensed) if own_image else given
    found = validation.problems(given, sensed, {})
    exists = has_rendered_stack(monorepo, given.values.get("name"))
    if found:
        raise validation.refused(found if exists else with_taken(monorepo, given, sensed, found))
    if exists:
        return _existing(monorepo, given, sensed, origin)
    name = str(given.values["name"])
    rendered = render(given.values, sensed, {}, origin)
    refuse_taken(monorepo, given, rendered.values)
    verified = verify(monorepo, name, rendered.files, rendered.values, level)
    outside = _indexed(monorepo, rendered.values, without_indexes)
    wanted: dict[PurePosixPath, Content | None] = {
        PurePosixPath(STACKS, name, path): content for path, content in rendered.files.items()
    }
    wanted.update((edit.path, edit.after) for edit in outside.edits)
    change = ChangeSet.plan(monorepo.root, wanted)
    made = decisions.table(rendered.values)
    return Prepared(name, change, rendered.values, made, verified, origin, outside.steps)


def _indexed(monorepo: Monorepo, values: Mapping[str, Value], without: Collection[str]) -> Edits:
    """What the Service changes outside its stack.

    Raises :class:`RefusedError` for a list that the system reads and that has lost its place.
    """
    found = insertions(monorepo.root, service_entry(values), without)
    if found.refused:
        raise RefusedError(
            "Lists that a new Service has to be in have lost their place; nothing was written.",
            "Mend them, or leave one out with --no-index NAME and see to it by hand.",
            [
                Finding(
                    str(step.path),
                    None,
                    None,
                    f"index.{step.index}",
                    step.text,
                    fix=f"--no-index {step.index}",
                )
                for step in found.refused
            ],
        )
    return found


def _existing(
    monorepo: Monorepo, given: Answers, sensed: Mapping[str, Value], origin: template.Origin
) -> Prepared:
    """The stack exists: nothing to do for the same answers and version, else refused."""
    values = decisions.combine({**given.values, "sensed": sensed})
    name = str(values["name"])
    recorded = stored_answers(monorepo, name)
    differing = [q for q in asked() if q in values and recorded.get(q, values[q]) != values[q]]
    where = f"(cd {STACKS}/{name} && copier update --defaults"
    if differing:
        settings = " ".join(f"-d {shlex.quote(f'{q}={_text(values[q])}')}" for q in differing)
        raise RefusedError(
            f"{STACKS}/{name} exists with other answers: {', '.join(differing)}.",
            f"Change it in place: {where} --vcs-ref=:current: {settings})",
        )
    if recorded.get("_commit") != origin.version:
        raise RefusedError(
            f"{STACKS}/{name} exists, rendered by version {recorded.get('_commit')} of the templates.",
            f"Update it: {where})",
        )
    return Prepared(
        name, ChangeSet(monorepo.root, ()), values, decisions.table(values), Verified(Level.STATIC), origin
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _operations(monorepo: Monorepo) -> Mapping[str, Value]:
    facts = template.facts("operations")
    server = monorepo.variable("nfs_server")
    return {**facts, "nfs_host": server} if server else facts


def apply(prepared: Prepared, *, commit: bool) -> str | None:
    """Write a prepared Service, and commit exactly its files where asked.

    Returns the commit, if one was made. Raises :class:`RefusedError` where the files changed meanwhile,
    or where the commit would take in changes that are there already; then nothing is written. Raises
    :class:`UncommittedError` where Git refuses the commit of what is written, now or by an earlier run.
    """
    from scaffold.changes.apply import apply as write
    from scaffold.changes.commit import commit as record
    from scaffold.changes.commit import demand_committed, demand_own

    message = f"{prepared.service}: new Service"
    if commit and prepared.unchanged:
        demand_committed(prepared.change.root, PurePosixPath(STACKS, prepared.service), message)
    if prepared.unchanged:
        return None
    unmerged = git(prepared.change.root, "diff", "--name-only", "--diff-filter=U", "-z").split("\0")
    if unmerged != [""]:
        names = ", ".join(sorted(set(unmerged) - {""}))
        raise RefusedError(f"There are unmerged paths: {names}.", "Resolve them, then run it again.")
    if commit:
        demand_own(prepared.change)
    write(prepared.change)
    return record(prepared.change, message) if commit else None

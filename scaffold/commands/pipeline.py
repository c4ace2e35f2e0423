"""``scaffold pipeline``: from answers to the pipeline files of the app's own repository."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.changes.change import ChangeSet, Files
from scaffold.checks.verify import beside
from scaffold.commands.prepared import Part, Prepared
from scaffold.commands.stored import record_of, stored_answers, stored_facts
from scaffold.errors import Finding, MissingError, RefusedError, UsageError
from scaffold.monorepo.facts import merged
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.templates.render import ANSWERS_FILE, render

if TYPE_CHECKING:
    from scaffold.pipelines.clone.reading import Clone, Proposal
    from scaffold.pipelines.verify import VerifiedPipeline


@dataclass(frozen=True, slots=True)
class Cloned:
    """The clone of an app's repository, and the answers with what it proposes."""

    root: Path
    answers: Answers
    taken: tuple[Proposal, ...]
    clone: Clone


def cloned(monorepo: Monorepo, given: Answers, app_repository: Path, *, proposes: bool = True) -> Cloned:
    """Answers with what the clone proposes for the others; nothing if a person has seen the proposals.

    A stack that exists has its answers: what it records holds in place of what the clone proposes.
    """
    from scaffold.pipelines.clone import reading

    root, sensed = app_root(app_repository), sense(monorepo)
    facts = merged(decisions.house(), sensed)
    clone = reading.read(root, given.values, facts)
    taken = clone.taken(given.values) if proposes else ()
    name = given.values.get("name", next((one.value for one in taken if one.answer == "name"), None))
    if isinstance(name, str) and name in monorepo.stacks and stored_answers(monorepo, name):
        return Cloned(root, given.over(record_of(monorepo, name).given), (), clone)
    return Cloned(root, given.over(reading.answers(taken)), taken, clone)


def pipeline_of(
    monorepo: Monorepo,
    read: Cloned,
    *,
    overwrite: bool = False,
    template_source: str | None = None,
    stack: Mapping[str, bytes] | None = None,
) -> Prepared:
    """Render and verify a Service's pipeline for a clone that has been read; nothing is written.

    ``stack`` are the files of a stack that is about to be written. Raises :class:`AnswersError` for answers
    that are not valid, :class:`UsageError` for an image that others build, :class:`RefusedError` where files
    of a person would be replaced without ``overwrite``, and :class:`~scaffold.errors.VerificationError` for a
    pipeline that would not work.
    """
    root, given = read.root, read.answers
    sensed = sense(monorepo)
    origin = template.origin(template_source or sensed.get("template"))
    name = given.values.get("name")
    stored = stored_answers(monorepo, name) if isinstance(name, str) and name in monorepo.stacks else {}
    recorded = stored_facts(stored)["recorded"]
    validation.check(given, sensed, recorded)
    rendered = render(given.values, sensed, recorded, origin, "service")
    service = str(rendered.values["name"])
    if not rendered.values["pipeline"]["files"]:
        raise UsageError(
            f"{service} runs an upstream image, so there is no pipeline.",
            "Choose another build with --set build=…, or leave the app's repository out.",
        )
    files = {str(path): content for path, content in rendered.files.items() if isinstance(content, bytes)}
    sources = beside(monorepo, service, {}) if stack is None else stack
    from scaffold.pipelines.verify import verify_pipeline  # all rules over pipelines

    verified = verify_pipeline(root, files, rendered.values, sources)
    change = ChangeSet.plan(Files(root), {PurePosixPath(path): content for path, content in files.items()})
    message = f"{service}: pipeline"
    part = Part(change, rendered.values, verified, message, PurePosixPath(ANSWERS_FILE))
    if not overwrite:
        _refuse_replacing(service, part)
    told = (*read.clone.contradicted(rendered.values), *read.clone.notes)
    return Prepared(service, origin, pipeline=part, taken=read.taken, told=told)


def usual_build(sensed: Mapping[str, Value]) -> str:
    """How most of the monorepo's own images are built, from the sensed facts."""
    return str(sensed.get("own_build", decisions.house()["own_build"]))


def app_root(directory: Path) -> Path:
    """The root of the app's repository. Raises :class:`MissingError` if it is not a repository."""
    root = directory.resolve()
    if not (root / ".git").exists():
        raise MissingError(
            f"{directory} is not the root of a Git repository.",
            f"Clone the app's repository, or create one: git init {shlex.quote(str(directory))}",
        )
    return root


def _refuse_replacing(service: str, part: Part[VerifiedPipeline]) -> None:
    """Refuse to replace what a person wrote, or answers that another template recorded."""
    root, replaced = part.change.root, part.replaced.changes
    if not replaced:
        return
    findings = [
        Finding(
            str(file.path), None, None, "pipeline-file-exists", "This file exists with other content.",
            value=f"+{file.lines.added} -{file.lines.removed} lines",
        )
        for file in replaced
    ]  # fmt: skip
    recorded, hint = root / ANSWERS_FILE, ""
    if recorded.is_file() and f"name: {service}\n" in recorded.read_text("utf-8", errors="replace"):
        # If scaffold is installed as a separate tool, only `scaffold` is on PATH, and Copier is not.
        copier = f"{shlex.quote(sys.executable)} -m copier"
        update = f"(cd {shlex.quote(str(root))} && {copier} update --defaults)"
        hint = f"Rendered before? `{update}` keeps hand edits."
    raise RefusedError(
        "The pipeline would replace files of the app's repository; nothing was written.",
        f"Review the difference with --dry-run, then use --overwrite. {hint}".strip(),
        findings,
    )

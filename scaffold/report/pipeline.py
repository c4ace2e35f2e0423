"""What ``pipeline`` made, and what ``check --pipelines`` found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.report.changes import files_json
from scaffold.report.decisions import decision_json
from scaffold.report.findings import finding_json, finding_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.commands.check_pipelines import PipelineReport
    from scaffold.commands.new_service import NextStep
    from scaffold.commands.pipeline import PipelineStep, PreparedPipeline


def pipeline_json(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> dict[str, Value]:
    """The result of ``pipeline`` as JSON."""
    steps = prepared.next_steps(committed=commit is not None)
    return {
        "service": prepared.service,
        "repository": str(prepared.change.root),
        "written": written,
        "commit": commit,
        "files": files_json(prepared.change, with_diff=not written),
        "decisions": [decision_json(d) for d in prepared.decisions if d.name.startswith("pipeline.")],
        "verified": {
            "checked": list(prepared.verified.checked),
            "not_verified": [{"what": what, "why": why} for what, why in prepared.verified.not_verified],
        },
        "next_steps": [{"text": step.text, "command": step.command} for step in steps],
    }


def pipeline_text(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> Iterator[str]:
    """The result of ``pipeline`` for people, line by line."""
    if prepared.unchanged:
        yield f"The pipeline of {prepared.service} is there already. Nothing to do."
        return
    yield from pipeline_files_text(prepared, written=written, commit=commit)
    yield from steps_text(prepared.next_steps(committed=commit is not None))


def steps_text(steps: Iterable[NextStep | PipelineStep]) -> Iterator[str]:
    """What is left to do, each step with its command."""
    yield "Next steps:"
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.text}"
        yield from (f"     {line}" for line in step.command.split("\n"))


def pipeline_files_text(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> Iterator[str]:
    """The files of a pipeline with their line counts, and what was verified."""
    done = "written" if written else "would be written"
    yield f"The pipeline of {prepared.service}: {done} to {prepared.change.root}"
    for file in prepared.change.changes:
        yield f"  {file.action.value} {file.path} (+{file.lines.added} -{file.lines.removed})"
    yield f"Verified: {', '.join(prepared.verified.checked)}."
    for what, why in prepared.verified.not_verified:
        yield f"Not verified: {what} ({why})."
    if commit:
        yield f"Committed as {commit[:12]}."


def pipeline_report_json(found: PipelineReport) -> dict[str, Value]:
    """The result of ``check --pipelines`` as JSON."""
    return {
        "files": list(found.files),
        "findings": [finding_json(finding) for finding in found.findings],
        "actionlint": not found.unlinted,
    }


def pipeline_report_text(found: PipelineReport) -> Iterator[str]:
    """The result of ``check --pipelines`` for people."""
    for finding in found.findings:
        yield finding_text(finding)
    if not found.files:
        yield "There is no pipeline and no Dockerfile."
        return
    count = len(found.findings)
    files = "1 file" if len(found.files) == 1 else f"{len(found.files)} files"
    yield f"{files}, {count or 'no'} finding{'s' if count != 1 else ''}."
    if found.unlinted and any(name.startswith(".github/") for name in found.files):
        yield f"Not verified: actionlint ({found.unlinted})."

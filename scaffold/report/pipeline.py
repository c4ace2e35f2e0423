"""What ``check --pipelines`` found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scaffold.report.findings import finding_json, finding_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.commands.check_pipelines import PipelineReport


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

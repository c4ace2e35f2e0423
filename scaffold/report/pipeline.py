"""What ``check --pipelines`` found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from scaffold.report.check import counted, findings_json, findings_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.checks.rule import Rule
    from scaffold.commands.check_pipelines import PipelineReport


def pipeline_report_json(found: PipelineReport, rules: Mapping[str, Rule]) -> dict[str, Value]:
    """The result of ``check --pipelines`` as JSON."""
    return {
        "files": list(found.files),
        "findings": findings_json(found.findings, rules),
        "actionlint": not found.unlinted,
    }


def pipeline_report_text(found: PipelineReport, rules: Mapping[str, Rule]) -> Iterator[str]:
    """The result of ``check --pipelines`` for people."""
    yield from findings_text(found.findings, rules)
    if not found.files:
        yield "There is no pipeline and no Dockerfile."
        return
    files = "1 file" if len(found.files) == 1 else f"{len(found.files)} files"
    yield f"{files}, {counted(found.findings, rules)}."
    if found.unlinted and any(name.startswith(".github/") for name in found.files):
        yield f"Not verified: actionlint ({found.unlinted})."

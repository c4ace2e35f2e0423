"""How results look: for people as text, for programs as JSON. The only prose below ``cli``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from scaffold.decisions import Decision
from scaffold.errors import Finding, ScaffoldError
from scaffold.questions import Value

if TYPE_CHECKING:
    from scaffold.change import ChangeSet
    from scaffold.commands.check_pipelines import PipelineReport
    from scaffold.commands.doctor import Diagnosis
    from scaffold.commands.new_service import Both, NextStep, Prepared
    from scaffold.commands.pipeline import PreparedPipeline
    from scaffold.monorepo import Monorepo
    from scaffold.verify import Verified


def finding_text(finding: Finding) -> str:
    """One finding in a few lines: where, what, what stood there, what is allowed, how to mend it."""
    lines = [f"{finding.location}: {finding.message} [{finding.code}]"]
    if finding.answer and finding.answer not in finding.message:
        lines.append(f"  answer:  {finding.answer}")
    if finding.value is not None:
        lines.append(f"  value:   {finding.value}")
    if finding.allowed:
        lines.append(f"  allowed: {finding.allowed}")
    if finding.hint:
        lines.append(f"  mend:    {finding.hint}")
    return "\n".join(lines)


def error_text(error: ScaffoldError) -> str:
    """A failure with all its findings."""
    parts = [finding_text(finding) for finding in error.findings]
    parts.append(f"error: {error.message}" + (f"\n{error.hint}" if error.hint else ""))
    return "\n".join(parts)


def finding_json(finding: Finding) -> dict[str, Value]:
    """A finding as JSON; what is not known is left out."""
    fields = {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "code": finding.code,
        "message": finding.message,
        "value": finding.value,
        "allowed": finding.allowed,
        "hint": finding.hint,
        "answer": finding.answer,
    }
    return {key: value for key, value in fields.items() if value is not None}


def error_json(error: ScaffoldError) -> dict[str, Value]:
    """A failure as JSON."""
    return {
        "error": {
            "kind": error.kind.value,
            "message": error.message,
            "hint": error.hint,
            "findings": [finding_json(finding) for finding in error.findings],
        }
    }


def decision_json(decision: Decision) -> dict[str, Value]:
    """A decision as JSON."""
    return {"name": decision.name, "value": decision.value, "reason": decision.reason, "rule": decision.rule}


def decisions_text(decisions: Sequence[Decision], width: int) -> str:
    """Decisions as a table, ``width`` columns wide."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("decision", "value", "reason", "rule"):
        table.add_column(heading, overflow="fold")
    for decision in decisions:
        table.add_row(decision.name, _shown(decision.value), decision.reason, decision.rule)
    console = Console(width=width, highlight=False, markup=False, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "–"


def decision_line(decision: Decision) -> str:
    """A decision with its reason on one line."""
    return f"{decision.name} = {_shown(decision.value)}: {decision.reason}"


def files_text(change: ChangeSet) -> Iterator[str]:
    """The files of a change set with their line counts."""
    for file in change.changes:
        yield f"{file.action.value} {file.path} (+{file.lines.added} -{file.lines.removed})"


def files_json(change: ChangeSet, *, with_diff: bool) -> list[dict[str, Value]]:
    """The files of a change set as JSON."""
    from scaffold.change import ChangeSet, diff

    result = []
    for file in change.changes:
        entry: dict[str, Value] = {
            "path": str(file.path),
            "action": file.action.value,
            "lines": {"added": file.lines.added, "removed": file.lines.removed},
        }
        if with_diff:
            entry["diff"] = diff(ChangeSet(change.root, (file,)))
        result.append(entry)
    return result


def verified_json(verified: Verified) -> dict[str, Value]:
    """What was verified, and what was not and why, as JSON."""
    return {
        "level": verified.level.value,
        "resources": len(verified.plan.resources) if verified.plan else None,
        "tool": f"{verified.plan.tool.name} {verified.plan.tool.version}" if verified.plan else None,
        "not_verified": [{"what": gap.what, "why": gap.why} for gap in verified.unverified],
    }


def service_json(
    prepared: Prepared, steps: Iterable[NextStep], *, written: bool, commit: str | None
) -> dict[str, Value]:
    """The result of ``new-service`` as JSON."""
    return {
        "service": prepared.service,
        "written": written,
        "commit": commit,
        "files": files_json(prepared.change, with_diff=not written),
        "decisions": [decision_json(decision) for decision in prepared.decisions],
        "verified": verified_json(prepared.verified),
        "next_steps": [{"text": step.text, "command": step.command} for step in steps],
    }


def service_text(
    prepared: Prepared,
    steps: Iterable[NextStep],
    *,
    written: bool,
    commit: str | None,
    steps_follow: bool = False,
) -> Iterator[str]:
    """The result of ``new-service`` for people, line by line; ``steps_follow``: its next steps come later."""
    if prepared.unchanged:
        yield f"{prepared.service} exists with these answers. Nothing to do."
        return
    yield f"{prepared.service}: {'written' if written else 'would be written'}"
    yield from (f"  {line}" for line in files_text(prepared.change))
    yield from verified_text(prepared.verified)
    if not prepared.origin.updatable:
        yield (
            "The templates come from a checkout with uncommitted changes: `copier update` will not work "
            "on this stack."
        )
    if commit:
        yield f"Committed as {commit[:12]}."
    if steps_follow:
        return
    yield "Next steps:"
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.text}"
        yield f"     {step.command}"


def verified_text(verified: Verified) -> Iterator[str]:
    """What was verified, for people."""
    yield "Verified: syntax, layout, module contracts, provider schemas, references, names."
    if (plan := verified.plan) is not None:
        from scaffold.terraform.summary import summarize

        yield (
            f"Planned offline by {plan.tool.name} {plan.tool.version}, and held against the house's rules: "
            f"{len(plan.resources)} resources."
        )
        for section in summarize(plan.resources):
            yield f"  {section.title}"
            yield from (f"    {line}" for line in section.lines)
    for gap in verified.unverified:
        yield f"Not verified: {gap.what} ({gap.why})."


def pipeline_json(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> dict[str, Value]:
    """The result of ``pipeline`` as JSON."""
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
        "next_steps": [{"text": step.text, "command": step.command} for step in prepared.next_steps()],
    }


def pipeline_text(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> Iterator[str]:
    """The result of ``pipeline`` for people, line by line."""
    if prepared.unchanged:
        yield f"The pipeline of {prepared.service} is there already. Nothing to do."
        return
    yield from _pipeline_files(prepared, written=written, commit=commit)
    yield "Next steps:"
    for number, step in enumerate(prepared.next_steps(), 1):
        yield f"  {number}. {step.text}"
        yield f"     {step.command}"


def _pipeline_files(prepared: PreparedPipeline, *, written: bool, commit: str | None) -> Iterator[str]:
    done = "written" if written else "would be written"
    yield f"The pipeline of {prepared.service}: {done} to {prepared.change.root}"
    for file in prepared.change.changes:
        yield f"  {file.action.value} {file.path} (+{file.lines.added} -{file.lines.removed})"
    yield f"Verified: {', '.join(prepared.verified.checked)}."
    for what, why in prepared.verified.not_verified:
        yield f"Not verified: {what} ({why})."
    if commit:
        yield f"Committed as {commit[:12]}."


def both(
    made: Both,
    monorepo: Monorepo,
    *,
    written: bool,
    commits: tuple[str | None, str | None] | None,
    as_json: bool,
) -> Iterator[str]:
    """The result of ``new-service`` with the app's repository, as one JSON object or for people."""
    import json

    from scaffold.change import diff

    first, second = commits or (None, None)
    steps = made.next_steps(monorepo, committed=first is not None)
    if as_json:
        result = service_json(made.service, steps, written=written, commit=first)
        pipeline = pipeline_json(made.pipeline, written=written, commit=second)
        result["app_repository"] = {
            key: value for key, value in pipeline.items() if key not in ("service", "next_steps", "decisions")
        }
        yield json.dumps(result, indent=2, ensure_ascii=False)
        return
    if not written:
        shown = diff(made.service.change) + diff(made.pipeline.change)
        yield from [shown.rstrip("\n")] if shown else []
    yield from service_text(made.service, (), written=written, commit=first, steps_follow=True)
    yield from _pipeline_files(made.pipeline, written=written, commit=second)
    yield "Next steps:"
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.text}"
        yield f"     {step.command}"


def pipeline_report_json(found: PipelineReport) -> dict[str, Value]:
    """The result of ``check --pipelines`` as JSON."""
    return {
        "files": list(found.files),
        "findings": [finding_json(finding) for finding in found.findings],
        "actionlint": found.actionlint,
    }


def pipeline_report_text(found: PipelineReport) -> Iterator[str]:
    """The result of ``check --pipelines`` for people."""
    for finding in found.findings:
        yield finding_text(finding)
    if not found.files:
        yield "There is no pipeline and no Dockerfile."
        return
    count = len(found.findings)
    yield f"{len(found.files)} files, {count or 'no'} finding{'s' if count != 1 else ''}."
    if not found.actionlint and any(name.startswith(".github/") for name in found.files):
        yield "Not verified: actionlint (it is not on PATH)."


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Value]:
    """What ``doctor`` found, as JSON."""
    return {
        "version": diagnosis.version,
        "templates": {"source": diagnosis.source, "updatable": diagnosis.updatable},
        "terraform": diagnosis.terraform or None,
        "monorepo": str(diagnosis.monorepo) if diagnosis.monorepo else None,
        "providers": [
            {"name": provider.name, "version": provider.version, "refreshed": provider.refreshed}
            for provider in diagnosis.providers
        ],
        "differences": [
            {"provider": d.provider, "in_use": d.in_use, "locked": d.locked, "lock": str(d.lock)}
            for d in diagnosis.differences
        ],
        "missing": list(diagnosis.missing),
    }


def diagnosis_text(diagnosis: Diagnosis) -> Iterator[str]:
    """What ``doctor`` found, for people."""
    yield f"scaffold   {diagnosis.version}"
    yield f"templates  {diagnosis.source}"
    yield f"terraform  {diagnosis.terraform or '–'}"
    yield f"monorepo   {diagnosis.monorepo or '–'}"
    yield "provider schemas:"
    for provider in diagnosis.providers:
        yield f"  {provider.name} {provider.version or '(version unknown)'}" + (
            ", refreshed" if provider.refreshed else ""
        )
    for difference in diagnosis.differences:
        yield (
            f"{difference.provider} is locked at {difference.locked} in {difference.lock}, but its schema "
            f"here is {difference.in_use}. Refresh it in that stack: terraform providers schema -json "
            "> schemas.json, then scaffold doctor --schemas schemas.json."
        )
    for gap in diagnosis.missing:
        yield f"note: {gap}."

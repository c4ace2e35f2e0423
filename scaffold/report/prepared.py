"""What ``new-service`` and ``pipeline`` prepared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.changes.change import diff
from scaffold.changes.step import Step
from scaffold.checks.verify import Verified
from scaffold.commands.prepared import Commits, Part, Prepared
from scaffold.commands.steps import restore_steps
from scaffold.errors import number_of
from scaffold.report.changes import (
    committed_text,
    files_json,
    files_text,
    gaps_text,
    origin_json,
    origin_text,
)
from scaffold.report.findings import finding_json, finding_text, seen
from scaffold.report.steps import brief_text, steps_json, steps_text
from scaffold.templates.questions import Value
from scaffold.terraform.summary import summarize

if TYPE_CHECKING:
    from scaffold.pipelines.clone.reading import Proposal
    from scaffold.pipelines.verify import VerifiedPipeline


def prepared_json(
    prepared: Prepared, steps: Iterable[Step], *, written: bool, commits: Commits
) -> dict[str, Value]:
    """A stack or a pipeline as JSON; if there are both, the pipeline is below the stack."""
    stack, pipeline = (
        part
        and {"written": written, "commit": commit, "files": files_json(part.change, with_diff=not written)}
        for part, commit in zip((prepared.stack, prepared.pipeline), commits, strict=True)
    )
    result: dict[str, Value] = {"service": prepared.service, "template": origin_json(prepared.origin)}
    if stack and prepared.stack:
        result |= {
            **stack,
            "verified": verified_json(prepared.stack.verified),
            "planned": planned_json(prepared.stack, new=prepared.before is None),
            "own_files": prepared.own_files,
        }
    if pipeline and prepared.pipeline:
        of = prepared.pipeline.verified
        made = {
            "repository": prepared.pipeline.change.root,
            **pipeline,
            "verified": {"checked": of.checked, "not_verified": of.unverified},
        }
        result |= {"app_repository": made} if stack else made
        result["clone"] = clone_json(prepared)
    result |= {"decisions": prepared.decisions, "next_steps": steps_json(steps)}
    if prepared.stack:
        result["restore"] = steps_json(restore_steps(prepared.stack.values))
    return result


def prepared_text(
    prepared: Prepared, steps: Iterable[Step], *, written: bool, commits: Commits
) -> Iterator[str]:
    """A stack, a pipeline or both for people, line by line; what is not written is first shown as a diff."""
    if not written and (shown := "".join(map(diff, prepared.changes))):
        yield shown.rstrip("\n")
    if (stack := prepared.stack) is not None and stack.unchanged:
        yield f"{prepared.service} exists with these answers. Nothing to do."
    elif stack is not None:
        yield f"{prepared.service}: {'written' if written else 'would be written'}"
        yield from (f"  {line}" for line in files_text(stack.change))
        if prepared.own_files:
            yield f"Your own, which updates leave alone: {', '.join(prepared.own_files)}."
        yield from verified_text(stack.verified)
        yield from committed_text(commits[0])
    yield from clone_text(prepared)
    if prepared.pipeline is not None:
        yield from pipeline_text(prepared.service, prepared.pipeline, written=written)
        yield from committed_text(commits[1])
    if not prepared.unchanged:
        yield from origin_text(prepared.origin)
        more = f"scaffold next {prepared.service}"
        yield from brief_text(tuple(steps), more) if written and stack is not None else steps_text(steps)


def clone_text(prepared: Prepared) -> Iterator[str]:
    """What was taken from the clone of the app's repository, and what it contradicts."""
    if prepared.taken:
        yield "Taken from the clone:"
        yield from (seen(f"  {one.answer}: {one.shown} ({_at(one)})") for one in prepared.taken)
    yield from (f"warning: {finding_text(finding)}" for finding in prepared.told)


def clone_json(prepared: Prepared) -> dict[str, Value]:
    """The same as JSON."""
    taken = [{"answer": one.answer, "value": one.value, "source": _at(one)} for one in prepared.taken]
    return {"taken": taken, "warnings": [finding_json(finding) for finding in prepared.told]}


def _at(one: Proposal) -> str:
    return f"{one.source}:{one.line}" if one.line else one.source


def pipeline_text(service: str, part: Part[VerifiedPipeline], *, written: bool) -> Iterator[str]:
    """The files of a pipeline with their line counts, and what was verified."""
    if part.unchanged:
        yield f"The pipeline of {service} is already there. Nothing to do."
        return
    done = "written" if written else "would be written"
    yield f"The pipeline of {service}: {done} to {part.change.root}"
    yield from (f"  {line}" for line in files_text(part.change))
    yield f"Verified: {', '.join(part.verified.checked)}."
    yield from gaps_text(part.verified.unverified)


def exists_text(verified: Verified) -> Iterator[str]:
    """What will exist, one line per kind, and what to watch out for."""
    if (plan := verified.plan) is not None:
        told = f"planned offline by {plan.tool.name} {plan.tool.version}"
        yield f"What will exist: {number_of(len(plan.resources), 'resource')}, {told}"
        for section in summarize(plan.resources):
            yield f"  {section.title}: {'; '.join(section.lines)}"
    yield from (f"warning: {finding_text(finding)}" for finding in verified.warnings)


def verified_json(verified: Verified) -> dict[str, Value]:
    """What was verified, and what was not and why, as JSON."""
    return {
        "level": verified.level.value,
        "resources": len(verified.plan.resources) if verified.plan else None,
        "tool": f"{verified.plan.tool.name} {verified.plan.tool.version}" if verified.plan else None,
        "not_verified": verified.unverified,
        "warnings": [finding_json(finding) for finding in verified.warnings],
    }


def planned_json(part: Part[Verified], *, new: bool) -> dict[str, Value] | None:
    """What will exist, like the text; for a ``new`` stack, also what is created and what is imported."""
    if (plan := part.verified.plan) is None:
        return None
    summary = {section.title.lower(): section.lines for section in summarize(plan.resources)}
    if not new:
        return {"summary": summary}
    imports = {address for address, _ in part.values["imports"]}
    actions: dict[str, list[str]] = {"create": [], "import": []}
    for resource in plan.resources:
        actions["import" if resource.address in imports else "create"].append(resource.address)
    return {"counts": {action: len(made) for action, made in actions.items()}, **actions, "summary": summary}


def verified_text(verified: Verified) -> Iterator[str]:
    """What was verified, for people."""
    yield "Verified: syntax, module contracts, provider schemas, references, names."
    if (plan := verified.plan) is not None:
        yield (
            f"Planned offline by {plan.tool.name} {plan.tool.version}, and checked against the house rules: "
            f"{number_of(len(plan.resources), 'resource')}."
        )
        for section in summarize(plan.resources):
            yield f"  {section.title}"
            yield from (f"    {line}" for line in section.lines)
    yield from (f"warning: {finding_text(finding)}" for finding in verified.warnings)
    yield from gaps_text(verified.unverified)

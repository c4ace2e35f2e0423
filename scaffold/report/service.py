"""What ``new-service`` made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.report.changes import files_json, files_text
from scaffold.report.decisions import decision_json
from scaffold.report.pipeline import pipeline_files_text, pipeline_json, steps_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.checks.verify import Verified
    from scaffold.commands.both import Both
    from scaffold.commands.new_service import NextStep, Prepared


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
    yield from steps_text(steps)


def both_json(
    made: Both, steps: Iterable[NextStep], *, written: bool, commits: tuple[str | None, str | None] | None
) -> dict[str, Value]:
    """The result of ``new-service`` with the app's repository as JSON."""
    first, second = commits or (None, None)
    result = service_json(made.service, steps, written=written, commit=first)
    pipeline = pipeline_json(made.pipeline, written=written, commit=second)
    result["app_repository"] = {
        key: value for key, value in pipeline.items() if key not in ("service", "next_steps", "decisions")
    }
    return result


def both_text(
    made: Both, steps: Iterable[NextStep], *, written: bool, commits: tuple[str | None, str | None] | None
) -> Iterator[str]:
    """The result of ``new-service`` with the app's repository for people, line by line."""
    from scaffold.changes.change import diff

    first, second = commits or (None, None)
    if not written:
        shown = diff(made.service.change) + diff(made.pipeline.change)
        yield from [shown.rstrip("\n")] if shown else []
    yield from service_text(made.service, (), written=written, commit=first, steps_follow=True)
    yield from pipeline_files_text(made.pipeline, written=written, commit=second)
    yield from steps_text(steps)


def verified_json(verified: Verified) -> dict[str, Value]:
    """What was verified, and what was not and why, as JSON."""
    return {
        "level": verified.level.value,
        "resources": len(verified.plan.resources) if verified.plan else None,
        "tool": f"{verified.plan.tool.name} {verified.plan.tool.version}" if verified.plan else None,
        "not_verified": [{"what": gap.what, "why": gap.why} for gap in verified.unverified],
    }


def verified_text(verified: Verified) -> Iterator[str]:
    """What was verified, for people."""
    yield "Verified: syntax, module contracts, provider schemas, references, names."
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

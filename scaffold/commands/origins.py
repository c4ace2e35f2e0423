"""Which answers led to what a verification finds in the stack that was rendered from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from scaffold.answers.sources import Answers, Path, show, texts
from scaffold.answers.validation import refused
from scaffold.checks.planned_pods import Secrets
from scaffold.errors import AnswersError, Finding, VerificationError
from scaffold.templates.questions import Value, asked

Judge = Callable[[Mapping[str, Value]], Collection[Finding] | None]
"""The findings about the stack of some answers; None where those are not valid."""
_NOBODYS = "answers.nobodys"
_REFERENCES = ("secret", "config_map")


def traced(error: VerificationError, given: Answers, judge: Judge) -> VerificationError | AnswersError:
    """The error, whose findings name the answer that led to them, if that is known.

    It is known if ``judge`` has the finding with all answers, and no longer with exactly one of them left
    out, or if an answer names a Secret or ConfigMap that nothing in the stack creates: if nothing else is
    found, the answers are at fault. Any other finding names none.
    """
    found = list(dict.fromkeys(told for finding in error.findings for told in _of_names(finding, given)))
    if all(finding.code == _NOBODYS for finding in found):
        return refused(found)
    if whole := judge(given.values):
        optional = [name for name in given.values if asked()[name].has_default]
        rests = {name: judge({n: v for n, v in given.values.items() if n != name}) for name in optional}
        found = [replace(f, answer=f.answer or _origin(f, whole, rests)) for f in found]
    return VerificationError(error.message, error.hint, found)


def _origin(
    finding: Finding, whole: Collection[Finding], rests: Mapping[str, Collection[Finding] | None]
) -> str | None:
    """The one answer without which a finding disappears: the finding itself, not only its wording."""

    def count(findings: Collection[Finding]) -> int:
        return sum(other.code == finding.code for other in findings)

    without = [
        name
        for name, rest in rests.items()
        if rest is not None
        and count(rest) < count(whole)
        and finding.message not in {other.message for other in rest}
    ]
    return without[0] if finding in whole and len(without) == 1 else None


def _of_names(finding: Finding, given: Answers) -> Iterator[Finding]:
    """A finding about a Secret or ConfigMap, once for each answer that names it; any other one as it is."""
    reference = finding.code == Secrets.code
    names = [path for path, name in texts(given.values) if path[-1] in _REFERENCES and name == finding.value]
    named = names if reference else []
    for path in named:
        message, fix = f"{show(path)} names something that nothing creates: {finding.message}.", _fix(path)
        yield given.finding(path, _NOBODYS, message, value=finding.value, fix=fix)
    if not named:
        yield finding


def _fix(path: Path) -> str:
    beside = (
        "keep beside the stack what creates it, a .tf file or (with sealed_secrets: true) a sealed-*.yaml"
    )
    return (
        f"Set optional: true, or {beside}." if {"env", "env_from"} & set(path) else f"{beside.capitalize()}."
    )

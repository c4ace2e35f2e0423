"""Which answers led to what a verification finds in the stack that was rendered from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from scaffold.answers.sources import Answers, Path, show
from scaffold.answers.validation import refused
from scaffold.errors import AnswersError, Finding, VerificationError
from scaffold.templates.questions import Value, asked

CODE = "planned-secret"
Judge = Callable[[Mapping[str, Value]], Collection[Finding] | None]
"""The findings about the stack of some answers; None where those are not valid."""


def traced(error: VerificationError, given: Mapping[str, Value], judge: Judge) -> VerificationError:
    """The error, whose findings name the answer that led to them, where that is known.

    It is known where ``judge`` has the finding with all answers, and no longer with exactly one of them left
    out; a finding that ``judge`` does not have names none.
    """
    whole = judge(given) or ()
    if whole:
        optional = [name for name in given if asked()[name].has_default]
        rests = {left_out: judge({n: v for n, v in given.items() if n != left_out}) for left_out in optional}
        found = [replace(f, answer=f.answer or _origin(f, whole, rests)) for f in error.findings]
        return VerificationError(error.message, error.hint, found)
    return error


def _origin(
    finding: Finding, whole: Collection[Finding], rests: Mapping[str, Collection[Finding] | None]
) -> str | None:
    """The one answer without which a finding goes: it, and not only its words, which may hold a value."""

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


def nobodys(error: VerificationError, given: Answers) -> AnswersError | None:
    """The error about answers that name a Secret or ConfigMap which nothing in the stack makes.

    Returns nothing where no finding is about one that an answer names; other findings stay among the rest.
    """
    found: dict[Finding, None] = {}
    for finding in error.findings:
        named = [
            path for path, name in _references(given.values) if (CODE, name) == (finding.code, finding.value)
        ]
        for path in named:
            message, fix = f"{show(path)} names what nobody makes: {finding.message}.", _fix(path)
            found[given.finding(path, "answers.nobodys", message, value=finding.value, fix=fix)] = None
        if not named:
            found[finding] = None
    return refused(list(found)) if any(finding.code == "answers.nobodys" for finding in found) else None


def _references(value: Value, at: Path = ()) -> Iterator[tuple[Path, str]]:
    """The Secrets and ConfigMaps that answers name, each with its place."""
    if isinstance(value, Mapping | list):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            if key in ("secret", "config_map") and isinstance(inner, str):
                yield (*at, key), inner
            else:
                yield from _references(inner, (*at, key))


def _fix(path: Path) -> str:
    beside = "keep beside the stack what makes it, a .tf file or (with sealed_secrets: true) a sealed-*.yaml"
    return (
        f"Say optional: true, or {beside}." if {"env", "env_from"} & set(path) else f"{beside.capitalize()}."
    )

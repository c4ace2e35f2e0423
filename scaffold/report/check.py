"""What ``check`` found and fixed: for people, programs, annotations of a forge, pull requests, and SARIF."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import attrgetter
from textwrap import indent
from typing import TypeVar
from urllib.parse import quote

from scaffold.changes.change import diff
from scaffold.checks.rule import Severity
from scaffold.commands.check import Checked, by_code, severity, stack_of
from scaffold.commands.fix import Fixed
from scaffold.errors import Finding, number_of
from scaffold.report.changes import files_json, gaps_text
from scaffold.report.findings import finding_json, finding_text, seen
from scaffold.templates.questions import Value

T = TypeVar("T")
V = TypeVar("V")
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_code = attrgetter("code")
_COMMENT = 65_536
"""The characters that a comment on GitHub may have."""


def told(found: Checked, form: str, *, by: str = "stack", statistics: bool = False) -> Iterable[str]:
    """The result in one of its forms except JSON, as lines."""
    if form == "sarif":
        return [json.dumps(as_sarif(found), indent=2, ensure_ascii=False)]
    if form == "github":
        gaps = (
            f"::notice title=Not verified::{_escaped(gap.what)} ({_escaped(gap.why)})"
            for gap in found.unverified
        )
        return chain(map(_annotation, found.findings), gaps)
    if form == "markdown":
        return as_markdown(found)
    return as_statistics(found) if statistics else as_text(found, by)


def as_text(found: Checked, by: str = "stack") -> Iterator[str]:
    """The findings ``by`` stack or by rule, and a summary line."""
    yield from findings_text(found.findings, by, found.home)
    yield _sum(found)
    yield from gaps_text(found.unverified)


def findings_text(findings: Iterable[Finding], by: str, home: str) -> Iterator[str]:
    """Findings in groups, by stack below ``home`` or file, or by rule; a fix of several is given once."""
    key = _code if by == "rule" else partial(stack_of, home=home)
    for group, of_group in _grouped(findings, key).items():
        title = f"{group} {_title(group)}" if by == "rule" else seen(group)
        yield f"{title}: {counted(of_group)}"
        for fix, alike in _grouped(of_group, lambda finding: finding.fix).items():
            for finding in alike:
                yield indent(finding_text(replace(finding, fix=None), severity(finding).value), "  ")
            if fix:
                yield f"    fix: {seen(fix)}"
        yield ""


def as_statistics(found: Checked) -> Iterator[str]:
    """How many findings each rule has, most first, and a summary line."""
    by_number = sorted(_grouped(found.findings, _code).items(), key=lambda item: (-len(item[1]), item[0]))
    for code, findings in by_number:
        yield f"{len(findings):5}  {severity(findings[0]).value:7}  {code}  {_title(code)}"
    yield _sum(found)
    yield from gaps_text(found.unverified)
    for feature, off in _grouped(found.off, lambda one: one.feature).items():
        yield f"Off, because this monorepo does not have {feature}: {', '.join(one.code for one in off)}."


def _grouped(findings: Iterable[V], key: Callable[[V], T]) -> dict[T, list[V]]:
    """Equal findings together, in the order of the first of each."""
    groups: dict[T, list[V]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return groups


def counted(findings: Iterable[Finding]) -> str:
    """How many findings there are of each severity."""
    counts = Counter(map(severity, findings))
    return ", ".join(number_of(counts[bad], bad.value) for bad in Severity if counts[bad]) or "no findings"


def _sum(found: Checked) -> str:
    looked_at = number_of(len(found.stacks), found.what)
    more = [
        f"{len(found.ignored)} with an exception" if found.ignored else "",
        f"{found.known} known" if found.known else "",
        f"{found.gone} of the baseline gone" if found.gone else "",
    ]
    besides = ", ".join(filter(None, more))
    return f"{looked_at}, {counted(found.findings)}{f' ({besides})' if besides else ''}."


def _title(code: str) -> str:
    rule = by_code().get(code)
    return rule.title if rule else "the stack can be planned"


def as_json(found: Checked) -> dict[str, Value]:
    """The result as one object."""
    counts = Counter(map(severity, found.findings))
    return {
        f"{found.what}s": list(found.stacks),
        "findings": [{**finding_json(f), "severity": severity(f).value} for f in found.findings],
        "errors": counts[Severity.ERROR],
        "warnings": counts[Severity.WARNING],
        "ignored": len(found.ignored),
        "known": found.known,
        "gone": found.gone,
        "off": [{"rule": one.code, "feature": one.feature} for one in found.off],
        "not_verified": found.unverified,
    }


def _annotation(finding: Finding) -> str:
    """A workflow command of GitHub Actions, which shows the finding beside the line."""
    place = {"file": finding.path, "line": finding.line, "col": finding.column, "title": finding.code}
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in place.items() if value)
    message = finding.message + (f" ({finding.fix})" if finding.fix else "")
    return f"::{severity(finding).value} {properties}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def as_markdown(found: Checked) -> Iterator[str]:
    """The findings for a pull request: by rule, errors first, folded.

    What would not fit into a comment is left out, the last of the list first, and counted.
    """
    head = [f"**{markdown_text(_sum(found))}**", *map(markdown_text, gaps_text(found.unverified))]
    by_rule = sorted(
        _grouped(found.findings, _code).items(), key=lambda item: (severity(item[1][0]).value, item[0])
    )
    frames = [_frame(code, findings) for code, findings in by_rule]
    rests = [(_rest(code, len(findings)),) for code, findings in by_rule]
    left = _COMMENT - sum(len(line) + 1 for lines in (head, *frames, *rests) for line in lines)
    yield from head
    for (code, findings), (*opening, closing) in zip(by_rule, frames, strict=True):
        yield from opening
        for number, line in enumerate(map(_item, findings)):
            left -= len(line) + 1
            if left < 0:
                yield _rest(code, len(findings) - number)
                break
            yield line
        yield from ("", closing)


def _frame(code: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    title = f"{html.escape(_title(code))} ({counted(findings)})"
    return ("", f"<details><summary><code>{code}</code> {title}</summary>", "", "</details>")


def _rest(code: str, number: int) -> str:
    return f"- and {number} more: `scaffold check --all --select {code}`"


def _item(finding: Finding) -> str:
    place = replace(finding, column=None).location.replace("`", "'")
    return f"- `{seen(place)}` {markdown_text(seen(finding.message))}"


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split()))


def fixed_text(fixed: Fixed, *, shown: bool) -> Iterator[str]:
    """How much is fixed; if it is only ``shown``, below a diff."""
    if shown:
        yield from diff(fixed.change).split("\n")[:-1]
    number, files = len(fixed.findings), len(fixed.change.changes)
    fixable = f"{number_of(number, 'finding')} in {number_of(files, 'file')}"
    yield f"Would fix {fixable}." if shown else f"Fixed {fixable}."


def fixed_json(fixed: Fixed, *, shown: bool) -> dict[str, Value]:
    """The findings that are fixed, and the files that change; with a diff if they are only shown."""
    return {
        "fixed": [finding_json(finding) for finding in fixed.findings],
        "files": files_json(fixed.change, with_diff=shown),
    }


def as_sarif(found: Checked) -> dict[str, Value]:
    """The findings as SARIF 2.1.0, with the rules that they break."""
    codes = sorted({finding.code for finding in found.findings})
    described = [_described(code) for code in codes]
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": severity(finding).value,
            "message": {"text": finding.message + (f" Fix: {finding.fix}" if finding.fix else "")},
            "locations": [{"physicalLocation": _location(finding)}],
        }
        for finding in found.findings
    ]
    driver = {"name": "scaffold", "rules": described}
    notes = [{"level": "note", "message": {"text": text}} for text in gaps_text(found.unverified)]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notes}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _described(code: str) -> dict[str, Value]:
    rule = by_code().get(code)
    if rule is None:
        return {"id": code}
    return {"id": code, "shortDescription": {"text": rule.title}, "fullDescription": {"text": rule.why}}


def _location(finding: Finding) -> dict[str, Value]:
    place: dict[str, Value] = {"artifactLocation": {"uri": quote(finding.path), "uriBaseId": "%SRCROOT%"}}
    region = {"startLine": finding.line, "startColumn": finding.column}
    known = {key: value for key, value in region.items() if value}
    return {**place, "region": known} if "startLine" in known else place

"""What ``check`` found: for people, programs, annotations of a forge, and pull requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, groupby
from typing import TYPE_CHECKING

from scaffold.report.changes import gaps_text
from scaffold.report.findings import finding_json, finding_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.checks.rule import Rule
    from scaffold.commands.check import Checked
    from scaffold.errors import Finding

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def told(found: Checked, form: str, rules: Mapping[str, Rule], statistics: bool) -> Iterable[str]:
    """The result in one of its forms, as lines; ``rules`` are all rules by their code."""
    if form == "json":
        return [json.dumps(as_json(found), indent=2, ensure_ascii=False)]
    if form == "sarif":
        return [json.dumps(as_sarif(found, rules), indent=2, ensure_ascii=False)]
    if form == "github":
        gaps = (
            f"::notice title=Not verified::{_escaped(gap.what)} ({_escaped(gap.why)})"
            for gap in found.unverified
        )
        return chain((_annotation(finding, rules) for finding in found.findings), gaps)
    if form == "markdown":
        return as_markdown(found, rules)
    return as_text(found, rules, statistics)


def as_text(found: Checked, rules: Mapping[str, Rule], statistics: bool) -> Iterator[str]:
    """The findings stack by stack, or how many each rule has, and a line that sums up."""
    if statistics:
        counts = Counter(finding.code for finding in found.findings)
        for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            yield f"{number:5}  {code}  {_title(code, rules)}"
    else:
        yield from map(finding_text, found.findings)
    yield _sum(found)
    yield from gaps_text(found.unverified)


def _sum(found: Checked) -> str:
    stacks = "1 stack" if len(found.stacks) == 1 else f"{len(found.stacks)} stacks"
    number = len(found.findings)
    more = [
        f"{found.ignored} with an exception" if found.ignored else "",
        f"{found.known} known" if found.known else "",
        f"{found.gone} of the baseline gone" if found.gone else "",
    ]
    besides = ", ".join(filter(None, more))
    plural = "" if number == 1 else "s"
    return f"{stacks}, {number or 'no'} finding{plural}{f' ({besides})' if besides else ''}."


def _title(code: str, rules: Mapping[str, Rule]) -> str:
    return rules[code].title if code in rules else "the stack can be planned"


def as_json(found: Checked) -> dict[str, Value]:
    """The result as one object."""
    return {
        "stacks": list(found.stacks),
        "findings": [finding_json(finding) for finding in found.findings],
        "ignored": found.ignored,
        "known": found.known,
        "gone": found.gone,
        "not_verified": [{"what": left.what, "why": left.why} for left in found.unverified],
    }


def _annotation(finding: Finding, rules: Mapping[str, Rule]) -> str:
    """A workflow command of GitHub Actions, which shows the finding beside the line."""
    level = rules[finding.code].severity.value if finding.code in rules else "error"
    place = {"file": finding.path, "line": finding.line, "col": finding.column, "title": finding.code}
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in place.items() if value)
    message = finding.message + (f" ({finding.fix})" if finding.fix else "")
    return f"::{level} {properties}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def as_sarif(found: Checked, rules: Mapping[str, Rule]) -> dict[str, Value]:
    """The findings as SARIF 2.1.0, with the rules that they break."""
    codes = sorted({finding.code for finding in found.findings})
    described = [_described(code, rules) for code in codes]
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": rules[finding.code].severity.value if finding.code in rules else "error",
            "message": {"text": finding.message + (f" Fix: {finding.fix}" if finding.fix else "")},
            "locations": [{"physicalLocation": _location(finding)}],
        }
        for finding in found.findings
    ]
    driver = {"name": "scaffold", "rules": described}
    notes = [{"level": "note", "message": {"text": text}} for text in gaps_text(found.unverified)]
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": notes}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [run]}


def _described(code: str, rules: Mapping[str, Rule]) -> dict[str, Value]:
    if code not in rules:
        return {"id": code}
    rule = rules[code]
    return {"id": code, "shortDescription": {"text": rule.title}, "fullDescription": {"text": rule.why}}


def _location(finding: Finding) -> dict[str, Value]:
    place: dict[str, Value] = {"artifactLocation": {"uri": finding.path, "uriBaseId": "%SRCROOT%"}}
    region = {"startLine": finding.line, "startColumn": finding.column}
    known = {key: value for key, value in region.items() if value}
    return {**place, "region": known} if "startLine" in known else place


def as_markdown(found: Checked, rules: Mapping[str, Rule]) -> Iterator[str]:
    """The findings for a pull request: by rule, folded."""
    yield f"**{_sum(found)}**"
    yield from gaps_text(found.unverified)
    by_rule = sorted(found.findings, key=lambda finding: finding.code)
    for code, findings in groupby(by_rule, key=lambda finding: finding.code):
        listed = list(findings)
        yield ""
        yield f"<details><summary><code>{code}</code> {_title(code, rules)} ({len(listed)})</summary>"
        yield ""
        for finding in listed:
            yield f"- `{replace(finding, column=None).location}` {finding.message}"
        yield ""
        yield "</details>"

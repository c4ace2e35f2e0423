"""What ``check`` found as SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

from urllib.parse import quote

from scaffold.commands.check import Checked, severity
from scaffold.commands.rule import by_code
from scaffold.errors import Finding
from scaffold.report.changes import gaps_text
from scaffold.templates.questions import Value

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


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

"""Findings and failures."""

from __future__ import annotations

from dataclasses import asdict

from scaffold.errors import Finding, ScaffoldError
from scaffold.templates.questions import Value


def finding_text(finding: Finding, severity: str = "") -> str:
    """One finding in a few lines: place, severity, message, value, what is allowed, and its fix."""
    bad = f"{severity}: " if severity else ""
    lines = [f"{finding.location}: {bad}{finding.message} [{finding.code}]"]
    if finding.answer and finding.answer not in finding.message:
        lines.append(f"  answer:  {finding.answer}")
    if finding.value is not None:
        lines.append(f"  value:   {finding.value}")
    if finding.allowed:
        lines.append(f"  allowed: {finding.allowed}")
    if finding.fix:
        lines.append("  fix:     " + finding.fix.replace("\n", "\n           "))
    for label, text in (("write:  ", finding.write), ("example:", finding.example)):
        if text:
            lines.append(f"  {label} " + text.rstrip().replace("\n", "\n           "))
    return seen("\n".join(lines))


def error_text(error: ScaffoldError) -> str:
    """A failure with all its findings."""
    parts = [finding_text(finding) for finding in error.findings]
    parts.append(seen(f"error: {error.message}" + (f"\n{error.hint}" if error.hint else "")))
    return "\n".join(parts)


def seen(text: str) -> str:
    """A text that is safe in a terminal: nothing that others wrote moves the cursor or breaks a line."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def finding_json(finding: Finding) -> dict[str, Value]:
    """A finding as JSON; what is not known is left out."""
    return {key: value for key, value in asdict(finding).items() if value is not None}


def error_json(error: ScaffoldError) -> dict[str, Value]:
    """A failure as JSON."""
    return {
        "error": {
            "kind": error.kind.value,
            "message": error.message,
            "hint": error.hint,
            "findings": [finding_json(finding) for finding in error.findings],
        },
        **error.beside,
    }

"""Findings and failures."""

from __future__ import annotations

import re
from dataclasses import asdict
from textwrap import wrap

from scaffold.errors import Finding, ScaffoldError
from scaffold.templates.questions import Value

_STAYS = "\N{NO-BREAK SPACE}"
_PROSE = re.compile(r"  (?:fix|allowed|answer): +|\S")
"""How a line begins that may be wrapped; others hold commands, values and YAML."""


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """A text in lines. A command in it stays on one line, so that it can be copied."""
    whole = re.sub(r"`[^`]+`", lambda command: command.group().replace(" ", _STAYS), text)
    lines = wrap(
        whole, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace(_STAYS, " ") for line in lines]


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


def error_text(error: ScaffoldError, width: int = 0) -> str:
    """A failure with all its findings; with a ``width``, what is longer is wrapped between words."""
    parts = [finding_text(finding) for finding in error.findings]
    parts.append(seen(f"error: {error.message}" + (f"\n{error.hint}" if error.hint else "")))
    lines = "\n".join(parts).split("\n")
    return "\n".join(part for line in lines for part in (_fitting(line, width) if width else [line]))


def _fitting(line: str, width: int) -> list[str]:
    label = _PROSE.match(line)
    fits = label is None or len(line) <= width
    return (
        [line] if fits or label is None else wrapped(line, width, " " * (label.end() if label[0][1:] else 0))
    )


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

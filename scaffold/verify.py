"""What is checked of a rendered stack before a byte of it is written, in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import PurePosixPath

from scaffold import template
from scaffold.change import Content
from scaffold.checks.base import ALL_RULES, CheckContext, parse_stack, run
from scaffold.errors import Finding, VerificationError
from scaffold.monorepo import STACKS, Monorepo
from scaffold.questions import Value, asked


class Level(Enum):
    """How far a stack was verified."""

    STATIC = "static"
    """Syntax tree, module contracts, provider schemas, references, house rules."""
    PLAN = "plan"
    """All of that, and planned by Terraform."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """Something that was not verified, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of a verification without findings."""

    level: Level
    resources: int | None = None
    unverified: tuple[Unverified, ...] = ()


def verify(
    monorepo: Monorepo, stack: str, files: Mapping[PurePosixPath, Content], answers: Mapping[str, Value]
) -> Verified:
    """Verify the files of a stack against the monorepo that it is for.

    ``files`` are by path below the stack, ``answers`` what they were rendered from, to tell which one
    led to a line. Raises :class:`VerificationError` with every finding.
    """
    sources = {
        f"{STACKS}/{stack}/{path}": content
        for path, content in files.items()
        if path.suffix in (".tf", ".hcl") and isinstance(content, bytes)
    }
    found = static_findings(monorepo, stack, sources)
    if found:
        lines = {path: content.decode().splitlines() for path, content in sources.items()}
        raise VerificationError(
            f"What was rendered for {stack} failed its verification; nothing was written.",
            "If no answer explains it, the monorepo has moved away from this version of the templates.",
            [replace(f, answer=_led_by(f, lines.get(f.path, []), answers)) for f in found],
        )
    return Verified(Level.STATIC, None, (Unverified("the plan", "only static checks were made"),))


def static_findings(monorepo: Monorepo, stack: str, sources: Mapping[str, bytes]) -> list[Finding]:
    """Everything that the checks on the syntax tree find in a stack's files (paths below the root)."""
    parsed = parse_stack(stack, sources)
    if isinstance(parsed, list):
        return parsed
    return run(parsed, CheckContext.of(monorepo.root), ALL_RULES)


def _led_by(finding: Finding, lines: Sequence[str], answers: Mapping[str, Value]) -> str | None:
    """The answer behind a line: by the argument that it sets, else by an answer's value in it."""
    if finding.answer or finding.line is None or finding.line > len(lines):
        return finding.answer
    line = lines[finding.line - 1]
    argument = line.split("=", maxsplit=1)[0].strip()
    origins = template.facts("origins")
    if argument in origins:
        return str(origins[argument])
    texts = {json.dumps(value): name for name, value in answers.items() if name in asked() and value}
    return next(
        (name for text, name in sorted(texts.items(), key=lambda i: -len(i[0])) if text in line), None
    )

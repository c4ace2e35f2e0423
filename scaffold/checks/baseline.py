"""Known findings, one per line, without lines and columns, so that they may move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from scaffold.errors import Finding, UsageError

_HEAD = "# Known findings of `scaffold check`; `--update-baseline` rewrites this file.\n"


def _line(finding: Finding) -> str:
    return f"{finding.path}: {finding.code}: {' '.join(finding.message.split())}"


def text(findings: Iterable[Finding]) -> str:
    """The content of a baseline file with these findings, sorted."""
    return _HEAD + "".join(f"{line}\n" for line in sorted(map(_line, findings)))


def known(path: Path, below: tuple[str, ...], codes: Collection[str]) -> Counter[str]:
    """What a baseline file knows of files ``below`` some directories and by some rules, and how often.

    Raises :class:`UsageError` if it cannot be read.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {why}.", "--update-baseline writes it.") from error
    told = (line for line in lines if line.startswith(below) and not line.startswith("#"))
    return Counter(line for line in told if line.split(": ")[1:2] and line.split(": ")[1] in codes)


def new(findings: Iterable[Finding], known: Counter[str]) -> tuple[list[Finding], int]:
    """The findings that are not known yet, and how many known ones no longer occur."""
    left, fresh = Counter(known), []
    for finding in findings:
        line = _line(finding)
        if left[line]:
            left[line] -= 1
        else:
            fresh.append(finding)
    return fresh, left.total()

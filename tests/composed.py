"""Reading small compose files in tests."""

from __future__ import annotations

from pathlib import Path

from scaffold.answers.compose.report import Fate
from scaffold.answers.compose.translation import Draft, translate


def draft(at: Path, text: str, service: str | None = None) -> Draft:
    """What the text of a compose file says, written into the directory ``at``."""
    path = at / "compose.yml"
    path.write_text(text)
    return translate(path, service)


def roles(found: Draft) -> dict[str, str]:
    """What each service became."""
    return {service.name: service.role for service in found.report.services}


def entry(found: Draft, key: str, fate: Fate = Fate.TAKEN) -> str:
    """Why a key became what it became."""
    (why,) = [entry.why for entry in found.report.of(fate) if entry.key == key]
    return why


def keys(found: Draft, fate: Fate) -> dict[str, str]:
    """The keys of one list, each with its answer or the reason."""
    return {entry.key: entry.answer or entry.why for entry in found.report.of(fate)}

"""What ``doctor`` found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from scaffold.commands.doctor import Diagnosis
from scaffold.templates.questions import Value

_REFRESH = "terraform providers schema -json > schemas.json, then scaffold doctor --schemas schemas.json"


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Value]:
    """What ``doctor`` found, as JSON."""
    return {
        "version": diagnosis.version,
        "templates": {"source": diagnosis.source, "updatable": diagnosis.updatable},
        "terraform": diagnosis.terraform or None,
        "monorepo": diagnosis.monorepo,
        "providers": diagnosis.providers,
        "differences": diagnosis.differences,
        "floors": diagnosis.floors,
        "features": [{**asdict(one), "found": one.found or None} for one in diagnosis.features],
        "lists": [
            {"name": one.name, "path": str(one.path), "entries": one.entries, "problem": one.problem or None}
            for one in diagnosis.lists
        ],
        "cache": {"directory": diagnosis.cache, "bytes": diagnosis.cache_bytes},
        "missing": diagnosis.missing,
    }


def diagnosis_text(diagnosis: Diagnosis) -> Iterator[str]:
    """What ``doctor`` found, for people."""
    yield f"scaffold   {diagnosis.version}"
    yield f"templates  {diagnosis.source}"
    yield f"terraform  {diagnosis.terraform or '–'}"
    yield f"monorepo   {diagnosis.monorepo or '–'}"
    size = f"{diagnosis.cache_bytes / 1e6:.1f} MB"
    yield f"cache      {diagnosis.cache} ({size}; it may be removed at any time)"
    if diagnosis.features:
        yield "what this monorepo has:"
        width = max(len(one.what) for one in diagnosis.features)
    for one in diagnosis.features:
        told = one.found or f"– (looked for {one.sought}): {one.without}"
        yield f"  {one.what:{width}}  {told}"
    if diagnosis.lists:
        there = [one.name for one in diagnosis.lists if not one.problem]
        told = ", ".join(there) or "none of those that a Service may belong in"
        yield f"  {'lists of Services':{width}}  {told}"
    yield "provider schemas:"
    for provider in diagnosis.providers:
        yield f"  {provider.name} {provider.version or '(version unknown)'}" + (
            ", refreshed" if provider.refreshed else ""
        )
    for difference in diagnosis.differences:
        yield (
            f"{difference.provider} is locked at {difference.locked} in {difference.lock}, but its schema "
            f"here is {difference.in_use or 'of an unknown version'}. Refresh it in that stack: {_REFRESH}."
        )
    for floor in diagnosis.floors:
        yield (
            f"{floor.path} wants {floor.provider} {floor.wanted}, but its schema here is {floor.in_use}: "
            f"plans use an older one. Refresh it in a stack: {_REFRESH}."
        )
    for gap in diagnosis.missing:
        yield f"note: {gap}."

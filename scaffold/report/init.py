"""What ``init`` found in a monorepo, and the ``scaffold.yml`` that follows."""

from __future__ import annotations

import json
from collections.abc import Iterator

from scaffold.changes.change import diff
from scaffold.commands.init import Initial
from scaffold.monorepo.initial import NOWHERE
from scaffold.monorepo.root import OVERRIDES
from scaffold.report.changes import files_json
from scaffold.report.findings import seen
from scaffold.templates.questions import Value


def initial_json(found: Initial, *, written: bool) -> dict[str, Value]:
    """The proposal as one object."""
    added = {one.fact for one in found.facts}
    return {
        "shown": [
            {"fact": one.fact, "value": one.value, "where": one.where, "added": one.fact in added}
            for one in found.shown
        ],
        "kept": list(found.kept),
        "files": files_json(found.change, with_diff=not written),
        "written": written,
    }


def initial_text(found: Initial, *, written: bool) -> Iterator[str]:
    """The proposal for people."""
    width = max(len(one.fact) for one in found.shown)
    added = {one.fact for one in found.facts}
    for one in found.shown:
        if one.value == "" and one.where == NOWHERE and one.fact not in found.kept:
            yield f"{one.fact:{width}}  not found: add it to {OVERRIDES} before the first Service"
            continue
        stays = f"; {OVERRIDES} has it already" if one.fact in found.kept else "; as the templates have it"
        why = "" if one.fact in added else stays
        yield seen(f"{one.fact:{width}}  {_shown(one.value)} ({one.where}{why})")
    yield ""
    if not found.change.changes:
        yield f"{OVERRIDES}: nothing to add."
    elif written:
        yield f"{OVERRIDES} is written. What works here: scaffold doctor"
    else:
        yield from diff(found.change).splitlines()
        yield "Nothing was written."


def _shown(value: Value) -> str:
    return value or '""' if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

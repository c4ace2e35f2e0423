"""What ``check --fix`` mends, and what it leaves to a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from scaffold.changes.change import diff
from scaffold.report.changes import files_json
from scaffold.report.check import as_json, as_text
from scaffold.report.findings import finding_json

if TYPE_CHECKING:
    from scaffold.commands.check import Checked
    from scaffold.commands.fix import Fixed


def told_fixed(fixed: Fixed, found: Checked, form: str, *, show: bool) -> Iterable[str]:
    """The edits and what is left, as text or as JSON; those that are only shown are shown as a diff.

    ``found`` are the findings that stand in the files as they are now.
    """
    left = replace(found, findings=tuple(f for f in found.findings if f not in fixed.mended or not show))
    if form != "json":
        return _text(fixed, left, show)
    result = as_json(left)
    result["fixed"] = [finding_json(finding) for finding in fixed.mended]
    result["files"] = files_json(fixed.change, with_diff=show)
    return [json.dumps(result, indent=2, ensure_ascii=False)]


def _text(fixed: Fixed, left: Checked, show: bool) -> Iterator[str]:
    if show:
        yield from diff(fixed.change).split("\n")[:-1]
    yield from as_text(left, {}, False)
    number, files = len(fixed.mended), len(fixed.change.changes)
    mended = f"{number} finding{'' if number == 1 else 's'} in {files} file{'' if files == 1 else 's'}"
    yield f"--fix would mend {mended}." if show else f"Mended: {mended}."

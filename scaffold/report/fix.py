"""What ``check --fix`` fixes, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.changes.change import diff
from scaffold.commands.fix import Fixed
from scaffold.errors import number_of
from scaffold.report.changes import files_json
from scaffold.report.findings import finding_json
from scaffold.templates.questions import Value


def fixed_text(fixed: Fixed, *, shown: bool) -> Iterator[str]:
    """How much is fixed; if it is only ``shown``, below a diff."""
    if shown:
        yield from diff(fixed.change).split("\n")[:-1]
    number, files = len(fixed.findings), len(fixed.change.changes)
    fixable = f"{number_of(number, 'finding')} in {number_of(files, 'file')}"
    yield f"Would fix {fixable}." if shown else f"Fixed {fixable}."


def fixed_json(fixed: Fixed, *, shown: bool) -> dict[str, Value]:
    """The findings that are fixed, and the files that change; with a diff if they are only shown."""
    return {
        "fixed": [finding_json(finding) for finding in fixed.findings],
        "files": files_json(fixed.change, with_diff=shown),
    }

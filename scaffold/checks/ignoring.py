"""What a resource's ``ignore_changes`` says, and edits that add to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from scaffold.hcl.amend import insert_first, replace
from scaffold.hcl.edit import insert_block, insert_element
from scaffold.hcl.syntax import Block, Document
from scaffold.terraform.meta import ignored, ignoring
from scaffold.terraform.planned import Path, path_text

_ONE_LINE = 1
"""How many paths a list in one line may have."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A path that has to be ignored, and the comment beside it; its ``marker`` has to be there."""

    path: str
    marker: str = ""
    comment: str = ""


def unignored(block: Block, wanted: list[Ignored]) -> list[Ignored]:
    """Those of which neither the path nor one above it is ignored by a resource."""
    paths = list(ignored(block))
    return [row for row in wanted if not any(_covers(path, row.path) for path in paths)]


def _covers(above: Path, path: str) -> bool:
    start = path_text(above)
    return not above or path == start or path.startswith((f"{start}.", f"{start}["))


def is_marked(document: Document, block: Block, row: Ignored) -> bool:
    """Whether the marker is in a comment in the ``lifecycle`` block, or directly above it."""
    lifecycle = block.body.block("lifecycle")
    if lifecycle is None or not row.marker:
        return True
    around = chain(document.comments_in(lifecycle), document.comments_above(lifecycle.line))
    return any(row.marker in comment.text for comment in around)


def line_of(block: Block, row: Ignored) -> int:
    """The line in which a resource ignores a path, or the resource's own line if it does not."""
    return next((said.line for path, said in ignoring(block) if _covers(path, row.path)), block.line)


def with_ignored(document: Document, block: Block, missing: list[Ignored]) -> bytes:
    """The file after a resource ignores one more path, or all of them if that is a single edit."""
    lifecycle = block.body.block("lifecycle")
    value = lifecycle.body.value("ignore_changes") if lifecycle else None
    argument = _argument(missing)
    if lifecycle is None:
        whole = "\n".join(["lifecycle {", *(f"  {line}" for line in argument), "}"])
        return insert_block(document, whole, after=block.body.items[-1])
    if value is None:
        items = lifecycle.body.items
        whole = "\n".join(argument)
        return insert_block(document, whole, items[-1]) if items else insert_first(document, lifecycle, whole)
    paths = [*(element.text for element in value.elements), *(row.path for row in missing)]
    if len(missing) > _ONE_LINE and value.line == value.end_line:
        return replace(document, value, "\n".join(["[", *(f"  {path}," for path in paths), "]"]))
    return insert_element(document, value, missing[0].path)


def _argument(rows: list[Ignored]) -> list[str]:
    """The lines of ``ignore_changes``: a one-word comment goes after its path, a sentence above it."""
    if len(rows) > _ONE_LINE:
        return ["ignore_changes = [", *(f"  {_remarked(row.path + ',', row)}" for row in rows), "]"]
    (row,) = rows
    line = f"ignore_changes = [{row.path}]"
    return [f"# {row.comment}", line] if " " in row.comment else [_remarked(line, row)]


def _remarked(line: str, row: Ignored) -> str:
    return f"{line} # {row.comment}" if row.comment else line

"""What a resource's ``ignore_changes`` says, and edits that add to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from scaffold.hcl.amend import insert_comment, insert_first, replace
from scaffold.hcl.edit import insert_block, insert_element
from scaffold.hcl.place import block_at
from scaffold.hcl.syntax import Block, Document, parse
from scaffold.terraform.meta import ignoring
from scaffold.terraform.planned import Path, is_within, path_text

_ONE_LINE = 1
"""How many paths a list in one line may have."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A path that has to be ignored, and the comment beside it; its ``marker`` has to be there.

    ``alone`` is the comment of a path that is added to others, and does not stand among those it belongs to.
    """

    path: str
    marker: str = ""
    comment: str = ""
    alone: str = ""


def unignored(block: Block, wanted: list[Ignored]) -> list[Ignored]:
    """Those of which neither the path nor one above it is ignored by a resource."""
    paths = [path for path, _ in ignoring(block)]
    return [row for row in wanted if not any(_covers(path, row.path) for path in paths)]


def _covers(above: Path, path: str) -> bool:
    return not above or is_within(path, path_text(above))


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
    value = block.body.inside("lifecycle").value("ignore_changes")
    argument = _argument(missing)
    if lifecycle is None:
        whole = "\n".join(["lifecycle {", *(f"  {line}" for line in argument), "}"])
        return insert_block(document, whole, after=block.body.items[-1])
    if value is None:
        items = lifecycle.body.items
        whole = "\n".join(argument)
        return insert_block(document, whole, items[-1]) if items else insert_first(document, lifecycle, whole)
    is_one_line = value.line == value.end_line
    if len(missing) > _ONE_LINE and is_one_line:
        lines = [*(f"{element.text}," for element in value.elements), *_lines(missing)]
        return replace(document, value, "\n".join(["[", *(f"  {line}" for line in lines), "]"]))
    first, comment = missing[0], _comment(missing[0], missing)
    data = insert_element(document, value, first.path)
    if is_one_line or not comment or " " in comment:
        return data
    document = parse(data, document.path)
    now = block_at(document.body, block.line)
    return insert_comment(document, line_of(now, first), comment) if now else data


def _argument(rows: list[Ignored]) -> list[str]:
    """The lines of ``ignore_changes``: a one-word comment goes after its path, a sentence above it."""
    if len(rows) > _ONE_LINE:
        return ["ignore_changes = [", *(f"  {line}" for line in _lines(rows)), "]"]
    (row,) = rows
    line = f"ignore_changes = [{row.path}]"
    return [f"# {row.comment}", line] if " " in row.comment else [_remarked(line, row.comment)]


def _lines(rows: list[Ignored]) -> list[str]:
    """Paths in lines of their own, each with its comment."""
    return [_remarked(f"{row.path},", _comment(row, rows)) for row in rows]


def _comment(row: Ignored, rows: list[Ignored]) -> str:
    """The comment beside a path that is added with others, one of which may say it for both."""
    return row.comment or ("" if any(other.comment == row.alone for other in rows) else row.alone)


def _remarked(line: str, comment: str) -> str:
    return f"{line} # {comment}" if comment else line

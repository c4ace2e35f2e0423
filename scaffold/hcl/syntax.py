"""Reading HCL: a strict parse into typed, immutable views with places, comments and values.

The views are cheap: they hold on to the syntax tree and compute what they are asked for. Rules, module
contracts, the reference check and in-place edits all read files through this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from tree_sitter import Node, QueryCursor, Tree

from scaffold.errors import Finding, RefusedError
from scaffold.hcl import grammar as g
from scaffold.hcl.blocks import Attribute, Block, Body, Comment
from scaffold.hcl.conflicts import SETTLE, conflict
from scaffold.hcl.expressions import Entry, Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.references import Attr, Index, Reference, Step
from scaffold.hcl.source import Source, View
from scaffold.hcl.strict import SyntaxProblem, find_problems

__all__ = [
    "NOT_LITERAL",
    "Attr",
    "Attribute",
    "Block",
    "Body",
    "Document",
    "Entry",
    "ExprKind",
    "Expression",
    "HclSyntaxError",
    "Index",
    "Reference",
    "Source",
    "Step",
    "parse",
    "parse_template",
    "problems",
    "read",
]


class HclSyntaxError(RefusedError):
    """A file that is not HCL; ``problems`` has every place."""

    def __init__(self, path: str, found: tuple[SyntaxProblem, ...]) -> None:
        first = found[0]
        super().__init__(
            f"{path or 'the file'} is not valid HCL: line {first.line}: {first.message}",
            findings=tuple(Finding(path, p.line, p.column, "HCL001", p.message) for p in found),
        )
        self.path = path
        self.problems = found


def problems(source: bytes) -> tuple[SyntaxProblem, ...]:
    """Everything that HCL itself would refuse in this source; empty for a good file."""
    return _judged(source)[1]


@lru_cache(maxsize=64)
def _judged(source: bytes) -> tuple[Tree, tuple[SyntaxProblem, ...]]:
    """The tree of a source, wherever it stands, and everything that HCL would refuse in it."""
    tree = g.parse_tree(source)
    return tree, find_problems(tree, Source(source))


@lru_cache(maxsize=64)
def parse(source: bytes, path: str = "") -> Document:
    """The document that the source holds; the last ones are kept, since stacks share modules.

    ``path`` names the file in errors and findings. Raises ``HclSyntaxError`` with all problems.
    """
    if (line := conflict(source)) is not None:
        # Not all of them are errors: in a heredoc the marks are text like any other.
        raise HclSyntaxError(path, (SyntaxProblem(line, 1, f"A merge left a conflict here. {SETTLE}"),))
    tree, found = _judged(source)
    if found:
        raise HclSyntaxError(path, found)
    return Document(Source(source, path), tree)


def parse_template(content: bytes, path: str = "") -> tuple[Document, int]:
    """The document of one argument whose value is the template of a file, and the byte at which that begins.

    Raises :class:`HclSyntaxError`.
    """
    mark = b"TEMPLATE"
    while mark in content:
        mark += b"_"
    opening = b"template = <<" + mark + b"\n"
    return parse(opening + content + b"\n" + mark + b"\n", path), len(opening)


def read(source: bytes, path: str = "") -> Document | None:
    """The document in the source, or None if the grammar does not match.

    For sources that others are responsible for: nothing is judged, which saves two thirds of the work of
    ``parse``.
    """
    tree = g.parse_tree(source)
    return None if tree.root_node.has_error else Document(Source(source, path), tree)


@dataclass(frozen=True, eq=False)
class Document:
    """One HCL file."""

    source: Source
    tree: Tree

    @property
    def path(self) -> str:
        """The file's name, as it was given to ``parse``."""
        return self.source.path

    @cached_property
    def body(self) -> Body:
        """The definitions of the file."""
        root = self.tree.root_node
        return Body(self.source, next((n for n in root.children if n.kind_id == g.BODY), None))

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """All comments, in the order of the file."""
        return self._comments_of(self.tree.root_node)

    def comments_in(self, view: View) -> tuple[Comment, ...]:
        """The comments in a part of the file, and the one after it."""
        behind = self.comment_behind(view.end_line)
        inside = (comment for node in view.nodes for comment in self._comments_of(node))
        return (*inside, *([behind] if behind and behind.start >= view.end else ()))

    def comments_above(self, line: int) -> tuple[Comment, ...]:
        """The comments that directly precede a line: own-line ones, with no line between."""
        block: list[Comment] = []
        while (comment := self._comment_ending(line - 1)) is not None and comment.own_line:
            block.append(comment)
            line = comment.line
        return tuple(reversed(block))

    def comment_behind(self, line: int) -> Comment | None:
        """The comment after the code of a line."""
        comment = self._comment_ending(line)
        return None if comment is None or comment.own_line else comment

    def _comments_of(self, node: Node) -> tuple[Comment, ...]:
        found = QueryCursor(g.COMMENTS).captures(node).get("comment", [])
        return tuple(Comment(self.source, (n,)) for n in sorted(found, key=lambda n: n.start_byte))

    def _comment_ending(self, line: int) -> Comment | None:
        """The comment with which a line ends."""
        if line < 1:
            return None
        start, end = self.source.line_span(line)
        last = start + len(self.source.data[start:end].rstrip()) - 1
        node = self.tree.root_node.descendant_for_byte_range(last, last)
        is_one = node is not None and node.kind_id == g.COMMENT and node.end_point.row == line - 1
        return Comment(self.source, (node,)) if node is not None and is_one else None

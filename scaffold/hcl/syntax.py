"""Reading HCL: a strict parse into typed, immutable views with places, comments and values.

The views are cheap: they hold on to the syntax tree and compute what they are asked for. Rules, module
contracts, the reference check and in-place edits all read files through this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType

from tree_sitter import Node, QueryCursor, Tree

from scaffold.errors import Finding, RefusedError
from scaffold.hcl import grammar as g
from scaffold.hcl.comments import Comment
from scaffold.hcl.conflicts import SETTLE, conflict
from scaffold.hcl.expressions import NOT_LITERAL, Call, Entry, Expression, ExprKind, NotLiteral
from scaffold.hcl.references import Attr, Index, Reference, Splat, Step
from scaffold.hcl.source import Source, View
from scaffold.hcl.strict import SyntaxProblem, find_problems
from scaffold.hcl.strings import unquote

__all__ = [
    "NOT_LITERAL",
    "Attr",
    "Attribute",
    "Block",
    "Body",
    "Call",
    "Comment",
    "Document",
    "Entry",
    "ExprKind",
    "Expression",
    "HclSyntaxError",
    "Index",
    "NotLiteral",
    "Reference",
    "Source",
    "Splat",
    "Step",
    "SyntaxProblem",
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


class Attribute(View):
    """``name = value`` in a body."""

    @cached_property
    def name(self) -> str:
        """What is set."""
        name = self.nodes[0].children[0]
        return self.source.text(name.start_byte, name.end_byte)

    @cached_property
    def value(self) -> Expression:
        """What it is set to."""
        return Expression.of(self.source, self.nodes[0].children[-1])

    def __repr__(self) -> str:
        return f"<attribute {self.name} line {self.line}>"


class Block(View):
    """``type "label" … { body }``."""

    @cached_property
    def type(self) -> str:
        """The word that begins the block."""
        word = self.nodes[0].children[0]
        return self.source.text(word.start_byte, word.end_byte)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels, without their quotes."""
        labels = [n for n in self.nodes[0].children[1:] if n.kind_id in (g.STRING_LIT, g.IDENTIFIER)]
        return tuple(
            self.source.text(n.start_byte, n.end_byte)
            if n.kind_id == g.IDENTIFIER
            else unquote(self.source.text(n.start_byte + 1, n.end_byte - 1))
            for n in labels
        )

    @cached_property
    def body(self) -> Body:
        """What stands between the braces."""
        body = next((n for n in self.nodes[0].children if n.kind_id == g.BODY), None)
        return Body(self.source, body)

    @property
    def brace(self) -> int:
        """The byte of the opening brace."""
        return next(n for n in self.nodes[0].children if n.kind_id == g.BLOCK_START).start_byte

    @property
    def address(self) -> str:
        """Type and labels as Terraform joins them: ``kubernetes_namespace.app``, ``data.http.page``."""
        return ".".join(self.labels if self.type == "resource" else (self.type, *self.labels))

    def __repr__(self) -> str:
        return f"<block {self.address} line {self.line}>"


@dataclass(frozen=True, eq=False)
class Body:
    """The definitions of a file or a block, in their order."""

    source: Source
    node: Node | None

    @cached_property
    def items(self) -> tuple[Attribute | Block, ...]:
        """Arguments and blocks, in the order of the file."""
        views: list[Attribute | Block] = []
        for node in self.node.children if self.node is not None else ():
            if node.kind_id == g.ATTRIBUTE:
                views.append(Attribute(self.source, (node,)))
            elif node.kind_id == g.BLOCK:
                views.append(Block(self.source, (node,)))
        return tuple(views)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The arguments by name."""
        return MappingProxyType({item.name: item for item in self.items if isinstance(item, Attribute)})

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks directly in this body."""
        return tuple(item for item in self.items if isinstance(item, Block))

    def blocks_of(self, type: str, *labels: str) -> tuple[Block, ...]:
        """The blocks of a type whose first labels are these."""
        return tuple(b for b in self.blocks if b.type == type and b.labels[: len(labels)] == labels)

    def calls(self) -> Iterator[Expression]:
        """All function calls, templates included; an outer call comes before those in its arguments."""
        return self._below(g.FUNCTION_CALL)

    def operations(self) -> Iterator[Expression]:
        """All operations (``a && b``, ``-x``), an outer one before its operands."""
        return self._below(g.OPERATION)

    def texts(self, without: str = "") -> Iterator[tuple[str, Expression]]:
        """Every text that is written, at any depth, with the argument or key that it belongs to.

        Of the argument ``without`` there is none.
        """
        for item in self.items:
            if isinstance(item, Block):
                yield from item.body.texts(without)
            elif item.name != without:
                yield from _texts(item.name, item.value)

    def _below(self, kind: int) -> Iterator[Expression]:
        stack = [self.node] if self.node is not None else []
        while stack:
            node = stack.pop()
            if node.kind_id == kind:
                yield Expression(self.source, (node,))
            stack.extend(reversed(node.children))

    def walk(self) -> Iterator[Block]:
        """The blocks in this body at any depth, an outer one before those inside."""
        for block in self.blocks:
            yield block
            yield from block.body.walk()

    def block(self, type: str, *labels: str) -> Block | None:
        """The first block of a type whose first labels are these."""
        return next(iter(self.blocks_of(type, *labels)), None)

    def inside(self, *types: str) -> Body:
        """The body of the first block of a type, in it that of the next type; empty if there is none."""
        body = self
        for type in types:
            block = body.block(type)
            body = block.body if block else Body(self.source, None)
        return body

    def value(self, name: str) -> Expression | None:
        """The value of an argument, or None if it is not set."""
        attribute = self.attributes.get(name)
        return attribute.value if attribute is not None else None

    def literal(self, name: str) -> object:
        """The literal value of an argument; ``NOT_LITERAL`` if it is none or not set."""
        value = self.value(name)
        return value.literal() if value is not None else NOT_LITERAL


def _texts(name: str, value: Expression) -> Iterator[tuple[str, Expression]]:
    bare = value.bare
    if bare.template:
        yield name, bare
    call = bare.call
    inner = (*bare.elements, *bare.operands, *(call.arguments if call else ()), *bare.template)
    for part in inner:
        if isinstance(part, Expression):
            yield from _texts(name, part)
    for entry in bare.entries:
        yield from _texts(entry.name or name, entry.value)


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

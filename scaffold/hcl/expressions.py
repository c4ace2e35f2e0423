"""Typed views of HCL expressions over the concrete syntax tree: immutable, computed on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.grammar import KINDS, KINDS_BELOW, ExprKind
from scaffold.hcl.literals import HOLES, decoded, key_name, literal
from scaffold.hcl.references import Reference, reference_at, references_in
from scaffold.hcl.source import Source, View


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``key = value`` of a map expression; ``name`` is the key where it is a literal."""

    key: Expression
    value: Expression
    name: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``expanded`` marks ``f(list...)``."""

    function: str
    arguments: tuple[Expression, ...]
    expanded: bool


class Expression(View):
    """One expression: a run of sibling nodes (an operand of an operation has no node of its own)."""

    @classmethod
    def of(cls, source: Source, node: Node) -> Expression:
        """The view of an ``expression`` node."""
        return cls(source, tuple(g.significant(node)))

    def __repr__(self) -> str:
        return f"<{self.kind.value} {self.text[:60]!r} line {self.line}>"

    @cached_property
    def kind(self) -> ExprKind:
        """What the expression is at its outermost."""
        first = self.nodes[0]
        if first.kind_id == g.PAREN_OPEN:
            return ExprKind.PARENTHESES if len(self.nodes) == 3 else ExprKind.ACCESS
        if first.kind_id == g.VARIABLE_EXPR:
            return ExprKind.TRAVERSAL
        if len(self.nodes) > 1:
            return ExprKind.ACCESS
        simple = KINDS.get(first.kind_id)
        return simple if simple is not None else KINDS_BELOW[first.children[0].kind_id]

    @property
    def bare(self) -> Expression:
        """The expression without the parentheses around it."""
        bare = self
        while bare.kind is ExprKind.PARENTHESES:
            bare = Expression.of(self.source, bare.nodes[1])
        return bare

    # values

    def literal(self) -> object:
        """The Python value of a pure literal (lists and maps included), else ``NOT_LITERAL``.

        ``str``, ``int``, ``float``, ``bool``, ``None``, ``list`` or ``dict`` (its keys are strings).
        """
        return literal(self)

    def string(self) -> str | None:
        """The text of a string or heredoc without interpolation, else None."""
        value = self.literal()
        return value if isinstance(value, str) else None

    # parts

    @cached_property
    def elements(self) -> tuple[Expression, ...]:
        """The elements of a list expression; empty for everything else."""
        if self.kind is not ExprKind.LIST:
            return ()
        return tuple(Expression.of(self.source, n) for n in self._inner.children if n.kind_id == g.EXPRESSION)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of a map expression; empty for everything else."""
        if self.kind is not ExprKind.MAP:
            return ()
        return tuple(self._entry(n) for n in self._inner.children if n.kind_id == g.OBJECT_ELEM)

    def entry(self, name: str) -> Entry | None:
        """The entry of a map expression with this literal key (the last one, which Terraform uses)."""
        return next((e for e in reversed(self.entries) if e.name == name), None)

    def at(self, *keys: str) -> Expression | None:
        """The value under a key of a map expression, and in it under the next; None if there is none."""
        value = self
        for key in keys:
            if (entry := value.entry(key)) is None:
                return None
            value = entry.value
        return value

    @cached_property
    def call(self) -> Call | None:
        """The function call that the expression is, if it is one."""
        if self.kind is not ExprKind.CALL:
            return None
        children = g.significant(self.nodes[0])
        arguments = [n for child in children if child.kind_id == g.FUNCTION_ARGUMENTS for n in child.children]
        return Call(
            function=self.source.text(children[0].start_byte, children[0].end_byte),
            arguments=tuple(Expression.of(self.source, n) for n in arguments if n.kind_id == g.EXPRESSION),
            expanded=any(n.kind_id == g.ELLIPSIS for n in arguments),
        )

    @cached_property
    def operator(self) -> str | None:
        """``==``, ``&&``, ``!`` … of an operation, else None."""
        return next((op for _, op in self._operation if op), None)

    @cached_property
    def operands(self) -> tuple[Expression, ...]:
        """The operands of an operation, or the three parts of a conditional."""
        if self.kind is ExprKind.CONDITIONAL:
            parts = g.significant(self.nodes[0])
            return tuple(Expression.of(self.source, n) for n in parts if n.kind_id == g.EXPRESSION)
        return tuple(expression for expression, _ in self._operation if expression is not None)

    @cached_property
    def made(self) -> tuple[Expression, ...]:
        """What a ``for`` expression makes of each item: of a map, the key and the value."""
        nodes = self._inner.children if self.kind is ExprKind.FOR else ()
        return tuple(Expression.of(self.source, n) for n in nodes if n.kind_id == g.EXPRESSION)

    @cached_property
    def traversal(self) -> Reference | None:
        """The reference that the expression is as a whole, if it is one."""
        if self.kind is not ExprKind.TRAVERSAL:
            return None
        return reference_at(self.source, self.nodes, 0, frozenset())

    def references(self) -> tuple[Reference, ...]:
        """All references in it, templates and heredocs included, in their order in the file.

        Names of ``for`` expressions come marked as bound. Bare keys of maps are no references.
        """
        return tuple(references_in(self.source, self.nodes, frozenset()))

    @cached_property
    def template(self) -> tuple[str | Expression | None, ...]:
        """The pieces of a string, template or heredoc in their order; empty for everything else.

        Text as it will be (escapes, indentation of heredocs), an expression for each interpolation, None
        for what only Terraform can tell: directives, and interpolations that strip the text beside them.
        """
        if self.kind not in (ExprKind.STRING, ExprKind.TEMPLATE, ExprKind.HEREDOC):
            return ()
        holes = [n for n in self._inner.children if n.kind_id in HOLES]
        done, raw = self.start, ""
        for hole in holes:
            # Half a surrogate pair is no text in HCL: it can stand for the hole while what is around is read.
            raw += self.source.text(done, hole.start_byte) + "\ud800"
            done = hole.end_byte
        texts = decoded(self.kind, raw + self.source.text(done, self.end)).split("\ud800")
        pieces = [
            texts[0],
            *(piece for pair in zip(map(self._hole, holes), texts[1:], strict=True) for piece in pair),
        ]
        return tuple(piece for piece in pieces if piece != "")

    # inside

    def _hole(self, node: Node) -> Expression | None:
        inner = [n for n in g.significant(node) if n.kind_id == g.EXPRESSION]
        strips = any(n.kind_id == g.STRIP_MARKER for n in node.children)
        plain = node.kind_id == g.TEMPLATE_INTERPOLATION and inner and not strips
        return Expression.of(self.source, inner[0]) if plain else None

    @property
    def _inner(self) -> Node:
        """The node below a supertype wrapper: the tuple of a collection value, and so on."""
        return self.nodes[0].children[0]

    @property
    def _operation(self) -> Iterator[tuple[Expression | None, str]]:
        if self.kind is not ExprKind.OPERATION:
            return
        run: list[Node] = []
        for node in g.significant(self._inner):
            if node.is_named or node.kind_id in (g.PAREN_OPEN, g.PAREN_CLOSE):
                run.append(node)
                continue
            if run:
                yield Expression(self.source, tuple(run)), ""
            run = []
            yield None, node.type
        yield Expression(self.source, tuple(run)), ""

    def _entry(self, node: Node) -> Entry:
        key, value = (Expression.of(self.source, n) for n in node.children if n.kind_id == g.EXPRESSION)
        return Entry(key, value, key_name(key))

"""References in expressions: names, the steps taken from them, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source
from scaffold.hcl.strings import unquote


@dataclass(frozen=True, slots=True)
class Attr:
    """The step ``.name``."""

    name: str

    @property
    def key(self) -> str:
        """The name, as of any other step."""
        return self.name

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True, slots=True)
class Index:
    """The step ``[key]`` or ``.0``; ``key`` is None if it is computed."""

    key: str | int | None

    def __str__(self) -> str:
        if isinstance(self.key, str):
            return f'["{self.key}"]'
        return "[…]" if self.key is None else f"[{self.key}]"


@dataclass(frozen=True, slots=True)
class Splat:
    """The step ``[*]`` or ``.*``."""

    key: ClassVar[None] = None

    def __str__(self) -> str:
        return "[*]"


Step = Attr | Index | Splat


@dataclass(frozen=True, slots=True)
class Reference:
    """A name and the steps taken from it (``var.x``, ``kubernetes_service.a.metadata[0].name``).

    ``bound`` says that the name belongs to an enclosing ``for`` and not to the module.
    """

    root: str
    steps: tuple[Step, ...]
    start: int
    end: int
    bound: bool = False
    source: Source = field(default=Source(b""), repr=False, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The root and the attribute names that directly follow it: ``("var", "x")``."""
        names = [self.root]
        for step in self.steps:
            if not isinstance(step, Attr):
                break
            names.append(step.name)
        return tuple(names)

    def __str__(self) -> str:
        return self.root + "".join(map(str, self.steps))


_LEAVES = frozenset((g.IDENTIFIER, g.LITERAL_VALUE, g.TEMPLATE_LITERAL, g.COMMENT, g.HEREDOC_IDENTIFIER))
_STEPS = frozenset((g.GET_ATTR, g.INDEX, g.SPLAT))
_FOR_INTROS = frozenset((g.FOR_INTRO, g.TEMPLATE_FOR_START))


def references_in(source: Source, nodes: Sequence[Node], bound: frozenset[str]) -> Iterator[Reference]:
    """The references below a run of sibling nodes."""
    for position, node in enumerate(nodes):
        kind = node.kind_id
        if kind in _LEAVES:
            continue
        if kind == g.VARIABLE_EXPR:
            yield reference_at(source, nodes, position, bound)
        elif kind == g.OBJECT_ELEM:
            yield from _in_entry(source, node, bound)
        elif kind in (g.FOR_TUPLE_EXPR, g.FOR_OBJECT_EXPR, g.TEMPLATE_FOR):
            yield from _in_for(source, node, bound)
        elif node.child_count:
            yield from references_in(source, node.children, bound)


def reference_at(source: Source, nodes: Sequence[Node], position: int, bound: frozenset[str]) -> Reference:
    """The reference whose name is the node at a position: the sibling nodes behind it are its steps."""
    start = last = nodes[position]
    steps: list[Step] = []
    for node in g.without_comments(nodes[position + 1 :]):
        if node.kind_id not in _STEPS:
            break
        steps += _steps(source, node)
        last = node
    root = source.text(start.start_byte, start.end_byte)
    return Reference(root, tuple(steps), start.start_byte, last.end_byte, root in bound, source)


def _steps(source: Source, node: Node) -> Iterator[Step]:
    if node.kind_id == g.GET_ATTR:
        yield Attr(source.text(node.children[-1].start_byte, node.end_byte))
    elif node.kind_id == g.SPLAT:
        yield Splat()
        for child in node.children[0].children:
            if child.kind_id in _STEPS:
                yield from _steps(source, child)
    else:
        yield Index(_index_key(source, node.children[0]))


def _index_key(source: Source, node: Node) -> str | int | None:
    if node.kind_id == g.LEGACY_INDEX:
        return int(source.text(node.start_byte + 1, node.end_byte))
    key = next((n for n in node.children if n.kind_id == g.EXPRESSION), None)
    literal = key.children[0] if key is not None and key.child_count == 1 else None
    if literal is None or literal.kind_id != g.LITERAL_VALUE:
        return None
    text = source.text(literal.start_byte, literal.end_byte)
    if literal.children[0].kind_id == g.STRING_LIT:
        return unquote(text[1:-1])
    return int(text) if text.isdigit() else None


def _in_entry(source: Source, node: Node, bound: frozenset[str]) -> Iterator[Reference]:
    key, value = (n for n in node.children if n.kind_id == g.EXPRESSION)
    parts = g.significant(key)
    if not (len(parts) == 1 and parts[0].kind_id == g.VARIABLE_EXPR):
        yield from references_in(source, parts, bound)
    yield from references_in(source, value.children, bound)


def _in_for(source: Source, node: Node, bound: frozenset[str]) -> Iterator[Reference]:
    # What is iterated over is outside the scope of the names.
    intro = next(n for n in node.children if n.kind_id in _FOR_INTROS)
    names = (source.text(n.start_byte, n.end_byte) for n in intro.children if n.kind_id == g.IDENTIFIER)
    yield from references_in(source, intro.children, bound)
    yield from references_in(source, [n for n in node.children if n != intro], bound.union(names))

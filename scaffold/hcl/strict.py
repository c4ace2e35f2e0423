"""What HCL refuses and the tree-sitter grammar accepts.

tree-sitter's grammar treats every line end as white space. HCL does not: a definition ends with its line, and
an expression continues on the next one only inside brackets ("Structural Elements" and "Operations" of the
HCL native syntax specification). The walk below knows for each node whether line ends count in it, and judges
the gaps between its children.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tree_sitter import Node, Tree

from scaffold.hcl import grammar as g
from scaffold.hcl import strict_templates as templates
from scaffold.hcl.misplaced import misplaced
from scaffold.hcl.source import Source
from scaffold.hcl.strings import has_template
from scaffold.hcl.unparsed import Problem, unparsed


@dataclass(frozen=True, slots=True, order=True)
class SyntaxProblem:
    """One thing that is not HCL, with its place."""

    line: int
    column: int
    message: str


def find_problems(tree: Tree, source: Source) -> tuple[SyntaxProblem, ...]:
    """Everything in the tree that HCL itself would refuse, in the order of the file."""
    root = tree.root_node
    found = [*misplaced(root, source), *(unparsed(root, source) if root.has_error else ())]
    # Where the grammar does not fit the tree is a guess: anything else said about it would be noise.
    found = found or [*_walk(root, source)]
    return tuple(SyntaxProblem(*source.position(at), message) for at, message in sorted(set(found)))


# the walk

_FREE_INSIDE = frozenset(
    (
        g.TUPLE,
        g.FOR_TUPLE_EXPR,
        g.FOR_OBJECT_EXPR,
        g.FUNCTION_ARGUMENTS,
        g.NEW_INDEX,
        g.TEMPLATE_INTERPOLATION,
        g.TEMPLATE_DIRECTIVE,
        g.HEREDOC_TEMPLATE,
        g.QUOTED_TEMPLATE,
        g.STRING_LIT,
    )
)


_DEEPEST = 500
"""How deep a tree may be: what reads it afterwards goes down in Python calls."""
_OWN_LINES = frozenset((g.CONFIG_FILE, g.BODY, g.BLOCK, g.OBJECT))


def _walk(root: Node, source: Source) -> Iterator[Problem]:
    data = source.data
    stack = [(root, True, 0)]
    while stack:
        node, counts, depth = stack.pop()
        if depth > _DEEPEST:
            yield node.start_byte, "this is nested too deeply"
            return
        kind = node.kind_id
        judge = _JUDGES.get(kind)
        if judge is not None:
            yield from judge(node, source)
        children = node.children
        joins = counts and kind not in _OWN_LINES and kind not in _FREE_INSIDE
        if joins and data.find(b"\n", node.start_byte, node.end_byte) != -1:
            yield from _joined(children, data)
        if kind in _FREE_INSIDE:
            counts = False
        elif kind == g.OBJECT:
            counts = True
        in_parentheses = False
        for child in children:
            if child.child_count:
                if child.kind_id != g.ATTRIBUTE or not _is_plain(child, data):
                    stack.append((child, counts and not in_parentheses, depth + 1))
            elif child.kind_id == g.PAREN_OPEN:
                in_parentheses = True
            elif child.kind_id == g.PAREN_CLOSE:
                in_parentheses = False


def _is_plain(attribute: Node, data: bytes) -> bool:
    """Whether a definition contains nothing that the walk could object to; most of them do not."""
    raw = data[attribute.start_byte : attribute.end_byte]
    return not (b"\n" in raw or b"{" in raw or b"\\" in raw or b"*" in raw or b"for " in raw)


def _joined(children: list[Node], data: bytes) -> Iterator[Problem]:
    """Parts of one expression or definition: nothing outside parentheses may begin a line."""
    in_parentheses = False
    for left, right in pairwise(children):
        in_parentheses = left.kind_id == g.PAREN_OPEN or (in_parentheses and left.kind_id != g.PAREN_CLOSE)
        if not in_parentheses and b"\n" in data[left.end_byte : right.start_byte]:
            yield right.start_byte, "an expression continues on the next line only inside brackets"


def _file(node: Node, source: Source) -> Iterator[Problem]:
    for child in node.children:
        if child.kind_id == g.OBJECT:
            yield child.start_byte, "a file holds arguments and blocks, not a value"


def _body(node: Node, source: Source) -> Iterator[Problem]:
    """The definitions of a body: each begins its own line, no argument is set twice."""
    lines: dict[bytes, int] = {}
    data, separated, done = source.data, True, node.start_byte
    for child in node.children:
        separated = separated or b"\n" in data[done : child.start_byte]
        done = child.end_byte
        if child.kind_id == g.COMMENT:
            continue
        if not separated:
            yield child.start_byte, "two definitions on one line: start a new line here"
        separated = False
        if child.kind_id == g.ATTRIBUTE:
            name = data[child.start_byte : child.children[0].end_byte]
            if name in lines:
                line = source.line_of(lines[name])
                yield child.start_byte, f"the argument {name.decode()!r} was already set on line {line}"
            lines.setdefault(name, child.start_byte)


def _block(node: Node, source: Source) -> Iterator[Problem]:
    """A block: its brace ends the header's line, its body has lines of its own or is one argument."""
    data = source.data
    opening = next(i for i, child in enumerate(node.children) if child.kind_id == g.BLOCK_START)
    for left, right in pairwise(node.children[: opening + 1]):
        if b"\n" in data[left.end_byte : right.start_byte]:
            yield right.start_byte, "the labels and the opening brace of a block are on its first line"
    for label in node.children[1:opening]:
        if has_template(source.text(label.start_byte, label.end_byte)):
            yield label.start_byte, "a label cannot contain a template"
    brace, closing = node.children[opening], node.children[-1]
    last_line = data.rfind(b"\n", brace.end_byte, closing.start_byte)
    if data.startswith(b"\n", brace.end_byte) and not data[last_line : closing.start_byte].strip():
        return  # both braces are beside no definition, as those of most blocks
    parts = [
        part
        for child in node.children[opening:]
        for part in (child.children if child.kind_id == g.BODY else (child,))
    ]
    definitions = [part for part in parts if part.kind_id in (g.ATTRIBUTE, g.BLOCK)]
    if not definitions:
        return
    after_brace = _line_end_between(parts, parts[0], definitions[0], data)
    before_brace = _line_end_between(parts, definitions[-1], parts[-1], data)
    if not after_brace and (len(definitions) > 1 or definitions[0].kind_id == g.BLOCK):
        yield definitions[0].start_byte, "a block on one line holds one argument and no block"
    elif after_brace and not before_brace:
        yield parts[-1].start_byte, "the closing brace of this block needs a line of its own"
    elif before_brace and not after_brace:
        yield parts[-1].start_byte, "a block whose content starts on its first line ends there too"


def _line_end_between(parts: list[Node], left: Node, right: Node, data: bytes) -> bool:
    """Whether a line ends between two parts, outside block comments."""
    between = parts[parts.index(left) : parts.index(right) + 1]
    return any(b"\n" in data[a.end_byte : b.start_byte] for a, b in pairwise(between))


def _object(node: Node, source: Source) -> Iterator[Problem]:
    """A map: its entries are separated by a comma or a line end."""
    entry_before = line_end = comma = False
    done = node.start_byte
    for child in node.children:
        line_end = line_end or b"\n" in source.data[done : child.start_byte]
        done = child.end_byte
        if child.kind_id == g.COMMA:
            if line_end:
                yield child.start_byte, "a comma is on the same line as its entry"
            comma = True
        elif child.kind_id == g.OBJECT_ELEM:
            if entry_before and not (line_end or comma):
                yield child.start_byte, "entries of a map are separated by a comma or a new line"
            entry_before, line_end, comma = True, False, False


def _legacy_index(node: Node, source: Source) -> Iterator[Problem]:
    digits = source.data[node.start_byte + 1 : node.end_byte]
    if b"\n" in digits or not digits.strip().isdigit():
        yield node.start_byte, "an index after a dot consists of digits only, on the line of its dot"


def _splat(node: Node, source: Source) -> Iterator[Problem]:
    steps, after = node.children[0], node.next_sibling
    # A step in brackets ends the row of attributes.
    brackets = any(
        child.kind_id == g.INDEX and child.children[0].kind_id == g.NEW_INDEX for child in steps.children
    )
    again = after is not None and after.kind_id == g.SPLAT and after.children[0].kind_id == g.ATTR_SPLAT
    if after is not None and again and steps.kind_id == g.ATTR_SPLAT and not brackets:
        yield after.start_byte, "'.*' can be used only once in a row: write [*]"


_JUDGES: dict[int, Callable[[Node, Source], Iterator[Problem]]] = {
    g.CONFIG_FILE: _file,
    g.BODY: _body,
    g.BLOCK: _block,
    g.OBJECT: _object,
    g.STRING_LIT: templates.quoted,
    g.QUOTED_TEMPLATE: templates.quoted,
    g.HEREDOC_TEMPLATE: templates.heredoc,
    g.TEMPLATE_INTERPOLATION: templates.template_code,
    g.TEMPLATE_FOR_START: templates.template_code,
    g.TEMPLATE_FOR_END: templates.template_code,
    g.TEMPLATE_IF_INTRO: templates.template_code,
    g.TEMPLATE_ELSE_INTRO: templates.template_code,
    g.TEMPLATE_IF_END: templates.template_code,
    g.SPLAT: _splat,
    g.LEGACY_INDEX: _legacy_index,
    g.FOR_INTRO: templates.keywords,
    g.FOR_COND: templates.keywords,
}

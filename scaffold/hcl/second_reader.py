"""A second reader of HCL that is not ours: python-hcl2 reads a file too, and has to read the same.

It replaces nothing, since it accepts what Terraform refuses, and fails on some files that Terraform accepts
(an escaped ``$${`` that is never closed); what it does read must not differ from what ours reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from scaffold.errors import Finding
from scaffold.hcl.expressions import Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.source import View
from scaffold.hcl.splice import apply, blank
from scaffold.hcl.strings import unescape_markers
from scaffold.hcl.syntax import Block, Body, parse

_COMPARED = frozenset(
    (ExprKind.NUMBER, ExprKind.BOOL, ExprKind.NULL, ExprKind.STRING, ExprKind.TEMPLATE, ExprKind.HEREDOC)
)


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What the second reader said: where it disagrees, and the files that it could not read, with why."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


def read_again(sources: Mapping[str, bytes]) -> SecondReading:
    """Read files (by path) with python-hcl2, and compare every block, argument and literal with our reading.

    Raises :class:`~scaffold.hcl.syntax.HclSyntaxError` for a file that is not HCL to begin with.
    """
    findings: list[Finding] = []
    unread = []
    for path, source in sources.items():
        differ, stumbled = _again(path, source)
        findings += differ
        unread += [(path, stumbled)] if stumbled else []
    return SecondReading(tuple(findings), tuple(unread))


@lru_cache(64)
def _again(path: str, source: bytes) -> tuple[tuple[Finding, ...], str]:
    """Where the readings of a file differ, or why the second reader fails on it; cached, as it is slow."""
    import hcl2

    # Escapes are undone by it, so that they are compared too; a heredoc is its text.
    options = hcl2.SerializationOptions(
        with_comments=False, explicit_blocks=False, preserve_heredocs=False, strip_string_quotes=True
    )
    document = parse(source, path)
    try:
        other = hcl2.loads(source.decode(), serialization_options=options)
    except Exception as error:  # anything that its grammar or its transformer fails on
        return (), f"python-hcl2: {str(error).strip().partition(chr(10))[0]}"
    return tuple(_finding(path, view, what) for view, what in _body(document.body, other)), ""


def read_edited(edits: Mapping[str, tuple[bytes, bytes]]) -> SecondReading:
    """Read again the definitions that edits of files (by path: before and after) have changed.

    All others are as they were, and python-hcl2 takes seconds for a long file. Where it disagreed before the
    edit, it may do so after it. Raises as :func:`read_again`.
    """
    read = read_again({path: _changed(path, before, after) for path, (before, after) in edits.items()})
    if not read.findings:
        return read
    earlier = read_again({path: before for path, (before, _) in edits.items()})
    known = {(finding.path, finding.message) for finding in earlier.findings}
    new = (finding for finding in read.findings if (finding.path, finding.message) not in known)
    return SecondReading(tuple(new), read.unread)


def _changed(path: str, before: bytes, after: bytes) -> bytes:
    """The text after an edit, without the lines of definitions that were there before."""
    known = {item.text for item in parse(before, path).body.items}
    same = [item for item in parse(after, path).body.items if item.text in known]
    return apply(after, [blank(after, item.start, item.end) for item in same]).data


def _finding(path: str, view: View, what: str) -> Finding:
    message = f"python-hcl2, a second reader, reads {what} differently"
    return Finding(path, view.line, view.column, "second-reader", message)


_Differences = Iterator[tuple[View, str]]


def _body(body: Body, other: Mapping[str, object]) -> _Differences:
    blocks: dict[str, list[Block]] = defaultdict(list)
    for item in body.items:
        if isinstance(item, Block):
            blocks[item.type].append(item)
        elif item.name not in other:
            yield item, item.name
        else:
            yield from _value(item.value, other[item.name], item.name)
    for type_, of_type in blocks.items():
        read = other.get(type_)
        if not isinstance(read, list) or len(read) != len(of_type):
            yield of_type[0], f"the {type_} blocks"
            continue
        for block, inner in zip(of_type, read, strict=True):
            yield from _block(block, inner)
    for name in other.keys() - blocks.keys() - body.attributes.keys():
        yield body.items[0], name


def _block(block: Block, other: object) -> _Differences:
    for label in block.labels:
        other = other.get(label) if isinstance(other, dict) and len(other) == 1 else None
    if isinstance(other, dict):
        yield from _body(block.body, other)
    else:
        yield block, f"the block {block.address}"


def _value(value: Expression, other: object, what: str) -> _Differences:
    if value.kind is ExprKind.LIST:
        if not isinstance(other, list) or len(other) != len(value.elements):
            yield value, what
            return
        for ours, theirs in zip(value.elements, other, strict=True):
            yield from _value(ours, theirs, what)
    elif value.kind is ExprKind.MAP:
        named = {entry.name: entry.value for entry in value.entries if entry.name is not None}
        computed = len({entry.key.text for entry in value.entries if entry.name is None})
        if not isinstance(other, dict) or len(other) != len(named) + computed or named.keys() - other.keys():
            yield value, what
            return
        for name, ours in named.items():
            yield from _value(ours, other[name], f"{what}.{name}")
    elif value.kind in _COMPARED:
        literal = value.literal()
        if literal is not NOT_LITERAL and not _same(value, literal, other):
            yield value, what


def _same(value: Expression, literal: object, other: object) -> bool:
    if not isinstance(literal, str) or not isinstance(other, str):
        return type(literal) is type(other) and literal == other
    read = unescape_markers(other)  # it leaves them as they stand
    return literal == read if value.kind is not ExprKind.HEREDOC else _heredoc(value, literal) == _lines(read)


def _heredoc(value: Expression, text: str) -> list[str]:
    """The lines of a heredoc as python-hcl2 gives them: without the last line end, and those of the indented
    form with escapes before quotes and backslashes, which is its defect and no difference of reading.
    """
    lines = _lines(text.removesuffix("\n"))
    if not value.text.startswith("<<-"):
        return lines
    return [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]


def _lines(text: str) -> list[str]:
    return [line if line.strip() else "" for line in text.split("\n")]

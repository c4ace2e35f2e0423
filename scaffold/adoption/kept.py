"""What stays of a stack as it was written: blocks without a rendered counterpart, and settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.adoption.likeness import Pair, block_of
from scaffold.hcl.edit import insert_block, insert_entry, remove_entry
from scaffold.hcl.references import Reference
from scaffold.hcl.syntax import Attribute, Block, Document, ExprKind, parse

_ALWAYS = ("output", "moved", "removed", "import", "provider", "terraform", "check")
"""Blocks that are about the stack as a whole."""
_ON_DEMAND = ("variable", "locals", "data")
_HEAD = "# What this stack has besides what its answers render, as it was written before it was adopted.\n"
_MOVES = (
    "# What had another name before the stack was adopted. Once this is applied, the file can be deleted.\n"
)


@dataclass(frozen=True)
class Kept:
    """The blocks that stay, in their order; ``renamed`` are the blocks that others take the place of.

    ``taken`` are the names of those that stay and that a rendered block has too.
    """

    blocks: tuple[tuple[Document, Block], ...]
    renamed: Mapping[str, str]
    taken: tuple[str, ...]

    @property
    def text(self) -> bytes:
        """The file that holds them, comments and all; nothing if there are none."""
        written = [self._block(document, block) for document, block in self.blocks]
        return b"\n".join([_HEAD.encode(), *(one + b"\n" for one in written)]) if written else b""

    def _block(self, document: Document, block: Block) -> bytes:
        start = _start(document, block)
        data, result, at = document.source.data, b"", start
        moved = block.type in ("moved", "removed")
        for reference in sorted(() if moved else references(block), key=lambda one: one.start):
            old = ".".join(reference.names[:2])
            if old in self.renamed and data[reference.start :].startswith(old.encode()):
                result += data[at : reference.start] + self.renamed[old].encode()
                at = reference.start + len(old.encode())
        return result + data[at : block.end]


def references(block: Block) -> Iterator[Reference]:
    """Everything that a block refers to, at any depth."""
    for inner in (block, *block.body.walk()):
        for attribute in inner.body.attributes.values():
            yield from (one for one in attribute.value.references() if not one.bound)


def kept(
    documents: Sequence[Document],
    found: Collection[Pair],
    rendered: Collection[Document],
    standing: Collection[str],
) -> Kept:
    """The blocks of a stack's files that no rendered block replaces.

    One that has the name of a rendered block gives way to it, unless objects of it are ``standing``.
    """
    renamed = {block_of(pair.before.address): block_of(pair.after.address) for pair in found}
    there = {
        block.address for document in rendered for block in document.body.blocks if block.type != "locals"
    }
    places = [(document, block) for document in documents for block in document.body.blocks]
    staying = {
        id(block)
        for _, block in places
        if block.type in _ALWAYS
        or (
            block.type in ("resource", "module")
            and block.address not in renamed
            and (block.address not in there or block.address in standing)
        )
    }
    waiting = [block for _, block in places if id(block) in staying]
    known = _by_name(
        [block for _, block in places if block.type in _ON_DEMAND and block.address not in there]
    )
    while waiting:
        for reference in references(waiting.pop()):
            block = known.get(reference.names[:3]) or known.get(reference.names[:2])
            if block is not None and id(block) not in staying:
                staying.add(id(block))
                waiting.append(block)
    blocks = tuple(place for place in places if id(place[1]) in staying)
    own = (block.address for _, block in blocks if block.type in ("resource", "module"))
    return Kept(blocks, renamed, tuple(address for address in own if address in there))


def _by_name(blocks: Sequence[Block]) -> Mapping[tuple[str, ...], Block]:
    """Variables, locals and data sources, by the names that expressions use."""
    named: dict[tuple[str, ...], Block] = {}
    for block in blocks:
        if block.type == "locals":
            named |= {("local", name): block for name in block.body.attributes}
        else:
            named["var" if block.type == "variable" else "data", *block.labels] = block
    return named


def moves(found: Collection[Pair]) -> bytes:
    """The file with ``moved`` blocks for everything that has a new address; empty if nothing has."""
    moved = sorted((p.before.address, p.after.address) for p in found if p.moved and p.movable)
    written = [f"moved {{\n  from = {before}\n  to   = {after}\n}}\n" for before, after in moved]
    return "\n".join([_MOVES, *written]).encode() if written else b""


def left_out(before: Iterable[Document], after: Iterable[Document]) -> Iterator[str]:
    """The places of the comments that no file has any longer, lines that follow each other as one."""
    written = [line for document in after for one in document.comments for line in one.lines]
    there = {text for line in written for text in _said(line)}
    for document in before:
        lines = sorted(
            {
                one.line + number
                for one in document.comments
                for number, line in enumerate(one.lines)
                if any(map(str.isalnum, line)) and line.rstrip(".") not in there
            }
        )
        starts = [line for line in lines if line - 1 not in lines]
        ends = [line for line in lines if line + 1 not in lines]
        for first, last in zip(starts, ends, strict=True):
            yield f"{document.path}:{first}" if first == last else f"{document.path}:{first}-{last}"


def _said(line: str) -> Iterator[str]:
    """A comment's line without its full stop, and what follows each colon in it, as reasons do."""
    parts = line.rstrip(".").split(": ")
    return (": ".join(parts[number:]) for number in range(len(parts)))


_INPUTS = "inputs"


def joined(rendered: bytes, standing: bytes) -> bytes:
    """The rendered settings, with the blocks and arguments, and their comments, that only the old ones have.

    Of ``inputs`` the standing text stays, since it says which versions run and why; what is rendered beside
    it is added.
    """
    old = parse(standing)
    for block in old.body.blocks:
        new = parse(rendered)
        if (block.type, block.labels) not in {(one.type, one.labels) for one in new.body.blocks}:
            rendered = insert_block(new, _text(old, block))
    for name, attribute in old.body.attributes.items():
        new = parse(rendered)
        own = new.body.attributes.get(name)
        if own is None:
            rendered = insert_block(new, _text(old, attribute))
        elif name == _INPUTS:
            start = _start(new, own)
            text = _text(old, attribute).encode()
            rendered = _with_entries(rendered[:start] + text + rendered[own.end :], new)
    return rendered


def _with_entries(settings: bytes, rendered: Document) -> bytes:
    """The settings, with the rendered inputs that nobody has written there yet."""
    for entry in rendered.body.attributes[_INPUTS].value.entries:
        document = parse(settings)
        target = document.body.attributes[_INPUTS].value
        if target.kind is ExprKind.MAP and entry.name not in [one.name for one in target.entries]:
            settings = insert_entry(document, target, entry.key.text, entry.value.text)
    return settings


def without(settings: bytes, gone: Collection[str]) -> bytes:
    """The settings without the inputs for variables that no longer exist."""
    for name in gone:
        document = parse(settings)
        inputs = document.body.value(_INPUTS)
        if inputs is not None and name in [entry.name for entry in inputs.entries]:
            settings = remove_entry(document, inputs, name)
    return settings


def _text(document: Document, part: Block | Attribute) -> str:
    return document.source.data[_start(document, part) : part.end].decode()


def _start(document: Document, part: Block | Attribute) -> int:
    comments = document.comments_above(part.line)
    return comments[0].start if comments else part.start

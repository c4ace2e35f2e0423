"""A stack's Terragrunt settings: the rendered ones, with whatever only the existing ones have."""

from __future__ import annotations

from collections.abc import Collection

from scaffold.hcl.edit import insert_block, insert_entry, remove_entry
from scaffold.hcl.syntax import Attribute, Block, Document, ExprKind, parse

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

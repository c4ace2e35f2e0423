"""A stack's text, for what no plan shows: reasons, and the expressions behind unknown values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scaffold.hcl.expressions import NOT_LITERAL
from scaffold.hcl.references import Index, Reference
from scaffold.hcl.syntax import Block, Body, Document, Expression
from scaffold.terraform.planned import Site

_MODE = re.compile(r'^auth\s*=\s*"?\w+"?\s*:?\s*')
"""What a comment above an auth argument repeats from it."""
_SECRETS = (("kubernetes_secret",), ("vault_kv_secret_v2",))
"""What a stack reads secrets from at plan time."""


@dataclass(frozen=True)
class Written:
    """The files of one stack."""

    documents: tuple[Document, ...]

    @cached_property
    def _blocks(self) -> dict[tuple[str, int], tuple[Document, Block]]:
        return {(d.path, b.line): (d, b) for d in self.documents for b in d.body.blocks}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks of its files."""
        return tuple(block for _, block in self._blocks.values())

    def block(self, site: Site) -> Block | None:
        """The block at a site."""
        found = self._blocks.get((site.path, site.line or 0))
        return found[1] if found else None

    def module(self, site: Site) -> str:
        """The name of the module that the block at a site calls; empty for a resource."""
        block = self.block(site)
        source = block.body.literal("source") if block is not None else None
        return source.rstrip("/").rpartition("/")[2] if isinstance(source, str) else ""

    def reason(self, site: Site, argument: str) -> str:
        """The comment above an argument of the block at a site, or at the end of its line, on one line."""
        document, block = self._blocks.get((site.path, site.line or 0), (None, None))
        attribute = block.body.attributes.get(argument) if block is not None else None
        if document is None or attribute is None:
            return ""
        behind = [c for c in document.comments if c.line == attribute.line and not c.own_line]
        said = (document.comments_above(attribute.line), behind)
        return next((text for comments in said if (text := _words(c.text for c in comments))), "")

    def inner_reason(self, site: Site, name: str) -> str:
        """The comment above an argument, or a block, anywhere in the block at a site, on one line."""
        document, block = self._blocks.get((site.path, site.line or 0), (None, None))
        if document is None or block is None:
            return ""
        inner = tuple(block.body.walk())
        lines = [one.line for one in inner if one.type == name]
        lines += [one.body.attributes[name].line for one in (block, *inner) if name in one.body.attributes]
        said = (_words(c.text for c in document.comments_above(line)) for line in lines)
        return next((text for text in said if text), "")

    def above(self, site: Site) -> tuple[str, ...]:
        """The lines of the comment above the block at a site."""
        document, _ = self._blocks.get((site.path, site.line or 0), (None, None))
        comments = document.comments_above(site.line or 0) if document is not None else ()
        return tuple(line for comment in comments for line in comment.lines)

    def secret_at(self, site: Site, argument: str, *keys: str) -> str | None:
        """The key of the Secret that a value inside an argument is read from at plan time."""
        block = self.block(site)
        value = block.body.value(argument) if block is not None else None
        for key in keys:
            entry = value.entry(key) if value is not None else None
            value = entry.value if entry is not None else None
        return _secret_key(value) if value is not None else None

    def variable_key(self, site: Site, name: str) -> str | None:
        """The key of the Secret that an environment variable is read from at plan time."""
        block = self.block(site)
        for inner in block.body.walk() if block is not None else ():
            value = inner.body.value("value")
            if inner.type == "env" and value is not None and inner.body.literal("name") == name:
                return _secret_key(value)
        return None

    def computed(self, name: str) -> str:
        """The expression behind an environment variable of the stack's own files, on one line.

        Empty where it stands in no file, in several forms, or refers to what is only there where it stands.
        """
        top = min((d.path.count("/") for d in self.documents), default=0)
        own = [d.body for d in self.documents if d.path.count("/") == top]
        found = {v.text: v for body in own for v in _variables(body, name) if v.literal() is NOT_LITERAL}
        only = next(iter(found.values())) if len(found) == 1 else None
        if only is None or "\n" in only.text or any(map(_is_local, only.references())):
            return ""
        return only.text

    @cached_property
    def described(self) -> str:
        """The comment at the top of the file, if it is a single line as in a rendered stack."""
        texts = (c.text for d in self.documents for c in d.comments if c.own_line and c.line == 1)
        return next((text.partition(": ")[2] for text in texts if ": " in text), "")


def _is_local(reference: Reference) -> bool:
    known = reference.root in ("var", "local", "data") or "_" in reference.root
    return reference.bound or not known


def _variables(body: Body, name: str) -> Iterator[Expression]:
    """The values of an environment variable: of ``env`` blocks, and of lists that such blocks are made of."""
    for block in body.walk():
        value = block.body.value("value")
        if block.type == "env" and value is not None and block.body.literal("name") == name:
            yield value
        for attribute in block.body.attributes.values():
            for row in _objects(attribute.value):
                said, value_ = row.entry("name"), row.entry("value")
                if said is not None and value_ is not None and said.value.string() == name:
                    yield value_.value


def _objects(value: Expression) -> Iterator[Expression]:
    """The map expressions in an expression, at any depth."""
    if value.entries:
        yield value
    call = value.call
    parts = (*value.elements, *(entry.value for entry in value.entries), *(call.arguments if call else ()))
    for part in parts:
        yield from _objects(part)


def _words(texts: Iterable[str]) -> str:
    return _MODE.sub("", " ".join(" ".join(texts).split())).strip()


def _secret_key(value: Expression) -> str | None:
    reference = value.traversal
    if reference is None or reference.names[:1] != ("data",) or reference.names[1:2] not in _SECRETS:
        return None
    last = reference.steps[-1]
    return last.key if isinstance(last, Index) and isinstance(last.key, str) else None

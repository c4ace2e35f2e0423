"""A stack's text, for what no plan shows: reasons, and the expressions behind unknown values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.references import Index, Reference
from scaffold.hcl.syntax import Block, Body, Document, Expression, parse
from scaffold.terraform.planned import Site

_MODE = re.compile(r'^auth\s*=\s*"?\w+"?\s*:?\s*')
"""What a comment above an auth argument repeats of it."""
_VAULT = "vault_kv_secret_v2"
_SECRETS = (("kubernetes_secret",), (_VAULT,))
"""What a stack reads secrets from while it is planned."""
_EMPTY = parse(b"")


@dataclass(frozen=True)
class SecretKey:
    """A key that is read while a stack is planned, and its path in Vault where the block says that."""

    path: str
    key: str


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

    def _at(self, site: Site) -> tuple[Document, Body]:
        """The file of the block at a site, and its body; both empty if there is none."""
        document, block = self._blocks.get((site.path, site.line or 0), (_EMPTY, None))
        return document, block.body if block is not None else _EMPTY.body

    def body(self, site: Site) -> Body:
        """What is in the block at a site; empty if there is none."""
        return self._at(site)[1]

    def module(self, site: Site) -> str:
        """The name of the module that the block at a site calls; empty for a resource."""
        source = self.body(site).literal("source")
        return source.rstrip("/").rpartition("/")[2] if isinstance(source, str) else ""

    def reason(self, site: Site, argument: str) -> str:
        """The comment above an argument of the block at a site, or at the end of its line, on one line."""
        document, body = self._at(site)
        if (attribute := body.attributes.get(argument)) is None:
            return ""
        behind = [c for c in document.comments if c.line == attribute.line and not c.own_line]
        said = (document.comments_above(attribute.line), behind)
        return next((text for comments in said if (text := _words(c.text for c in comments))), "")

    def inner_reason(self, site: Site, name: str) -> str:
        """The comment above an argument, or a block, anywhere in the block at a site, on one line."""
        document, body = self._at(site)
        inner = tuple(body.walk())
        lines = [block.line for block in inner if block.type == name]
        bodies = (body, *(block.body for block in inner))
        lines += [one.attributes[name].line for one in bodies if name in one.attributes]
        said = (_words(c.text for c in document.comments_above(line)) for line in lines)
        return next((text for text in said if text), "")

    def above(self, site: Site) -> tuple[str, ...]:
        """The lines of the comment above the block at a site."""
        document, _ = self._at(site)
        comments = document.comments_above(site.line or 0) if document is not _EMPTY else ()
        return tuple(line for comment in comments for line in comment.lines)

    def secret_at(self, site: Site, argument: str, *keys: str) -> SecretKey | None:
        """The key that a value inside an argument is taken from while it is planned."""
        value = self.body(site).value(argument)
        return self._secret_key(value.at(*keys) if value is not None else None)

    def variable_key(self, site: Site, name: str) -> SecretKey | None:
        """The key that an environment variable takes its value from while it is planned."""
        return self._secret_key(self._environment(site, name))

    def settings_in(self, site: Site, name: str) -> tuple[str, str] | None:
        """The variable that an environment variable has its value from, and the text around it.

        In the text ``{variable}`` stands for its value; it is that alone where there is nothing around it.
        A variable with a default is the stack's own business."""
        value = self._environment(site, name)
        if value is None:
            return None
        pieces = value.template or (value,)
        spliced = [piece for piece in pieces if not isinstance(piece, str)]
        reference = spliced[0].traversal if len(spliced) == 1 and spliced[0] is not None else None
        if reference is None or reference.names[:1] != ("var",) or len(reference.steps) != 1:
            return None
        called = reference.names[1]
        if all("default" in b.body.attributes for b in self.blocks if b.labels == (called,)):
            return None
        return called, "".join(piece if isinstance(piece, str) else "{variable}" for piece in pieces)

    def _environment(self, site: Site, name: str) -> Expression | None:
        rows = (inner.body for inner in self.body(site).walk() if inner.type == "env")
        return next((row.value("value") for row in rows if row.literal("name") == name), None)

    def _secret_key(self, value: Expression | None) -> SecretKey | None:
        reference = value.traversal if value is not None else None
        if reference is None or reference.names[:1] != ("data",) or reference.names[1:2] not in _SECRETS:
            return None
        last = reference.steps[-1]
        if not isinstance(last, Index) or not isinstance(last.key, str):
            return None
        read = (
            block for block in self.blocks if block.type == "data" and block.labels == reference.names[1:3]
        )
        path = next((block.body.literal("name") for block in read if block.labels[0] == _VAULT), None)
        return SecretKey(path if isinstance(path, str) else "", last.key)

    @cached_property
    def read_while_planned(self) -> frozenset[str]:
        """The keys that are read from Secrets while the stack is planned."""
        read = (r for d in self.documents for r in d.body.references() if r.names[:1] == ("data",))
        last = (r.steps[-1] for r in read if r.names[1:2] in _SECRETS and r.steps)
        return frozenset(step.key for step in last if isinstance(step, Index) and isinstance(step.key, str))

    def copied(self, site: Site, kind: str) -> str:
        """The object of another namespace that the one at a site is copied from; empty for none."""
        value = self.body(site).value("data")
        sources = {one.names[:3] for one in (value.references() if value is not None else ())}
        if len(sources) != 1 or (source := sources.pop())[:2] != ("data", f"kubernetes_{kind}"):
            return ""
        read = (one.body for one in self.blocks if one.type == "data" and one.labels == source[1:])
        told = next((place for body in read for place in body.blocks_of("metadata")), None)
        parts = [told.body.literal(key) for key in ("namespace", "name")] if told is not None else []
        return "/".join(part for part in parts if isinstance(part, str)) if len(parts) == 2 else ""

    def computed(self, name: str) -> str:
        """The expression behind an environment variable of the stack's own files, on one line.

        Empty if it stands in no file, in several forms, or refers to what is only there where it stands.
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

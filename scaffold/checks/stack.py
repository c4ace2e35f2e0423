"""A stack as the rules see it, and what they may ask about its surroundings."""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar, cast

from scaffold.checks.rule import Kind, Rule, rules
from scaffold.errors import Finding, ScaffoldError
from scaffold.hcl.modules import ModuleContract, read_module
from scaffold.hcl.syntax import Document, HclSyntaxError, parse
from scaffold.monorepo import features
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.uses import enrolled, known_names
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.terraform import refresh, terragrunt
from scaffold.terraform.schemas import Schemas

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ParsedStack:
    """The HCL files of one stack, by their path from the monorepo's root.

    ``directory`` is the one that Terraform runs in.
    """

    directory: str
    documents: Mapping[str, Document]
    _known: dict[object, object] = field(default_factory=dict, repr=False)

    @cached_property
    def modules(self) -> Mapping[str, tuple[Document, ...]]:
        """The Terraform files of the stack's own modules, by directory; the stack itself is one."""
        found: dict[str, list[Document]] = {}
        for path in sorted(self.documents):
            if path.endswith(".tf"):
                found.setdefault(posixpath.dirname(path), []).append(self.documents[path])
        return {directory: tuple(documents) for directory, documents in found.items()}

    @property
    def terragrunt(self) -> Document | None:
        """The stack's ``terragrunt.hcl``."""
        return self.documents.get(f"{self.directory}/terragrunt.hcl")

    def once(self, compute: Callable[[ParsedStack, CheckContext], T], context: CheckContext) -> T:
        """What a function says about this stack; computed once for all rules that ask."""
        key = (compute, id(context))
        if key not in self._known:
            self._known[key] = compute(self, context)
        return cast("T", self._known[key])


def parse_stack(directory: str, files: Mapping[str, bytes]) -> ParsedStack | list[Finding]:
    """The stack that these files make up in a directory, or findings for everything that is not HCL.

    ``files`` are by path from the monorepo's root; only ``.tf`` and ``.hcl`` files are read.
    """
    documents: dict[str, Document] = {}
    broken: list[Finding] = []
    for path, content in files.items():
        if not path.endswith((".tf", ".hcl")):
            continue
        try:
            documents[path] = parse(content, path)
        except HclSyntaxError as error:
            broken += error.findings
    return sorted(broken, key=place) if broken else ParsedStack(directory, documents)


def run(stack: ParsedStack, context: CheckContext, chosen: Iterable[Rule] | None = None) -> list[Finding]:
    """What the rules over syntax find in the stack, sorted by place."""
    asked = rules(__package__, Kind.STACK) if chosen is None else chosen
    told = (rule for rule in asked if not context.lacks(rule.needs))
    return sorted((finding for rule in told for finding in rule.check_stack(stack, context)), key=place)


def place(finding: Finding) -> tuple[str, int, int, str, str]:
    """The key by which findings are sorted: by place, then by code."""
    return finding.path, finding.line or 0, finding.column or 0, finding.code, finding.message


@dataclass(frozen=True, eq=False)
class CheckContext:
    """What a rule may ask of a stack's surroundings.

    ``variables`` are the names that every stack gets from outside; None if they cannot be read. ``generated``
    are the files that terragrunt writes into every stack, by name; ``facts`` are the house's. Whatever is
    added here that differs from monorepo to monorepo belongs in ``state`` as well.
    """

    schemas: Schemas
    module: Callable[[str], ModuleContract | None]
    """The contract of the module in a directory (a path from the root), or None."""
    list_modules: Callable[[str], tuple[str, ...]]
    variables: frozenset[str] | None = None
    generated: Mapping[str, Document] = field(default_factory=dict)
    facts: Mapping[str, Value] = field(default_factory=decisions.house, repr=False)
    enrols: Callable[[str], bool] = lambda _: False
    """Whether a stack enrols the namespace of this name in Keel."""
    written: Callable[[str], bool] = lambda _: False
    """Whether a text stands in a Terraform file of any stack."""
    exists: Callable[[str], bool] = lambda _: False
    """Whether there is something at a path from the root, if only a link."""
    lacks: Callable[[str], bool] = lambda _: False
    """Whether the house lacks a feature, by its name."""

    @classmethod
    def of(cls, monorepo: Monorepo) -> CheckContext:
        """The surroundings of every stack in a monorepo."""
        root, settings, given = monorepo.root, monorepo.settings, monorepo.variables
        passed = terragrunt.passed(settings.body) if settings is not None else ()
        return cls(
            schemas=refresh.in_use(),
            module=cache(lambda directory: _read(root / directory)),
            list_modules=lambda place: tuple(sorted({f.parent.name for f in (root / place).glob("*/*.tf")})),
            variables=None if given is None else given.union(passed),
            generated=generated_by(settings),
            facts=said(root),
            enrols=_enrolling(monorepo),
            written=cache(lambda text: next(monorepo.terraform_files(text), None) is not None),
            exists=lambda path: os.path.lexists(root / path),
            lacks=cache(lambda feature: bool(feature) and not features.find(monorepo, feature)),
        )

    @cached_property
    def state(self) -> str:
        """Everything that is the same for all stacks, except the schemas: findings may depend on it."""
        given = ",".join(sorted(self.variables)) if self.variables is not None else "unread"
        written = (f"{name}\0{self.generated[name].source.text()}" for name in sorted(self.generated))
        return "\0".join((given, *written, json.dumps(self.facts, sort_keys=True)))


def generated_by(settings: Document | None) -> Mapping[str, Document]:
    """The files that the ``generate`` blocks of a ``terragrunt.hcl`` write, where their text is literal."""
    found: dict[str, Document] = {}
    for file in terragrunt.generated(settings.body) if settings is not None else ():
        # The stack is not responsible for what terragrunt generates.
        with contextlib.suppress(HclSyntaxError):
            if not file.guessed:
                found[file.name] = parse(file.content, f"{file.origin} ({file.name})")
    return found


def _read(directory: Path) -> ModuleContract | None:
    try:
        return read_module(directory)
    except ScaffoldError:
        return None


def _enrolling(monorepo: Monorepo) -> Callable[[str], bool]:
    """The function that tells whether a stack enrols a namespace: it reads only files that may, and once."""
    label = template.facts("operations")["keel"]["enrolled"]
    files = cache(lambda: tuple(monorepo.terraform_files(label)))

    def enrols(namespace: str) -> bool:
        named = ((path, content) for path, content in files() if f'"{namespace}"'.encode() in content)
        documents = (document for path, content in named if (document := monorepo.document(path, content)))
        blocks = (document.body.blocks for document in documents)
        return any(namespace in enrolled(found, known_names(found)) for found in blocks)

    return cache(enrols)

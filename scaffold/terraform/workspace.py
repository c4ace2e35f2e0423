"""The working copy of a stack: all that Terraform needs to plan it, in a private directory.

The copy mirrors the monorepo, so that relative paths mean what they mean there. It holds the stack, the modules
it calls and the files they read: never a link, never an executable, never the contents of a secret.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from scaffold.errors import Finding
from scaffold.hcl.syntax import Block, Document, Expression, HclSyntaxError, Source, parse
from scaffold.terraform import rewrite, static, terragrunt, variables
from scaffold.terraform.planned import HELPER, STAND_IN
from scaffold.terraform.result import Reason, StandIn, StandInKind
from scaffold.terraform.rewrite import Changes, FileAccess, Mends, Rewriter
from scaffold.terraform.splices import Splice, Spliced, apply
from scaffold.terraform.tree import CIPHERTEXT, Kind, OutsideError, Tree, normal, resolve

_HELPER_FILE = "scaffold_stand_in.tf"
_HELPER = f'resource "terraform_data" "{HELPER}" {{}}\n'.encode()
_NOT_COPIED = frozenset((".git", ".terraform", ".terragrunt-cache", "terraform.d", ".terraform.lock.hcl"))
_UNREADABLE = (".tf.json", ".tofu", ".tofu.json")
_HERE = "\0"
"""Begins a path from the monorepo's root, where a stack says ``path.module`` or ``path.root``."""
_TEMPLATE_MARK = b"SCAFFOLD_TEMPLATE"
_TEMPLATE_OPEN = b"template = <<" + _TEMPLATE_MARK + b"\n"


@dataclass(frozen=True)
class Placed:
    """An HCL file of the working copy: where it comes from, and the way back from its bytes."""

    source: Source
    spliced: Spliced
    unknown: tuple[tuple[int, int], ...] = ()
    """The ranges of the source in whose place an unknown value stands."""

    def origin(self, offset: int) -> int:
        """The byte of the source that a byte of the working copy comes from."""
        return min(self.spliced.origin(offset), len(self.source.data))


@dataclass(frozen=True)
class Module:
    """One module of the working copy; ``path`` is its directory from the monorepo's root."""

    path: str
    documents: Mapping[str, Document]
    """Its files by their path in the working copy. The path of the document is where it comes from."""
    calls: Mapping[str, tuple[str, Block]]
    """The directory that each ``module`` block calls, and the block."""

    def blocks(self, type_: str) -> Iterator[Block]:
        """The module's blocks of a type."""
        for document in self.documents.values():
            yield from document.body.blocks_of(type_)


@dataclass
class Workspace:
    """The working copy of one stack, and what is known about it. Paths are from the monorepo's root."""

    tree: Tree
    root: Path
    stack: str
    modules: dict[str, Module] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)
    variables: variables.Variables = field(default_factory=variables.Variables)
    var_files: list[str] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _guessed: list[StandIn] = field(default_factory=list)
    _copied: set[str] = field(default_factory=set)
    _templates: set[str] = field(default_factory=set)

    @property
    def directory(self) -> Path:
        """Where Terraform runs."""
        return self.root / self.stack

    # composing

    def compose(self) -> None:
        """Read the stack and its modules, and copy what they need; ``write`` then writes the HCL files.

        What cannot be planned is said in ``findings``; nothing is raised for it.
        """
        try:
            generated = terragrunt.read(self.tree, self.stack)
        except HclSyntaxError as error:
            self._refuse_syntax(error)
            generated = terragrunt.Generated()
        self._load_modules(generated)
        self._find_variables(generated)
        for module in list(self.modules.values()):
            self._copy_directory(module.path)
        for path in self.var_files:
            self._copy_file(path, path)

    def write(self, mends: Mends) -> None:
        """Write the HCL files, with everything that stands in, and with the mends of earlier attempts.

        Fills ``stand_ins``, and ``findings`` with what reaches out of the monorepo.
        """
        self.stand_ins = list(self._guessed)
        for module in self.modules.values():
            self._write_module(module, mends)
        self._write_templates()
        root = self.modules[self.stack]
        self.stand_ins += [
            StandIn(StandInKind.VARIABLE, f"var.{name}", f"{block.source.path}:{block.line}")
            for name, block in self.variables.placeholders.items()
        ]
        self._put(
            posixpath.join(self.stack, variables.OVERRIDE),
            self.variables.override(root.documents.values(), marked=not mends.unmarked),
        )

    # reading modules

    def _load_modules(self, generated: terragrunt.Generated) -> None:
        if generated.source is not None:
            self._find(
                Reason.REMOTE_MODULE, generated.source, "the stack is made from a module that lies elsewhere"
            )
        files = {file.name: file for file in generated.files}
        waiting = [self.stack]
        while waiting:
            path = waiting.pop()
            if path in self.modules:
                continue
            documents = dict(self._documents(path, files if path == self.stack else {}))
            calls = dict(self._calls(path, documents.values()))
            self.modules[path] = Module(path, documents, calls)
            waiting += [called for called, _ in calls.values()]

    def _documents(
        self, path: str, generated: Mapping[str, terragrunt.GeneratedFile]
    ) -> Iterator[tuple[str, Document]]:
        names = self.tree.names(path) if self.tree.kind(path) is Kind.DIRECTORY else frozenset[str]()
        for file in generated.values():
            if file.name.endswith(".tf") and (file.overwrites or file.name not in names):
                # Empty lines in front, so that its lines have the numbers they have where it is written.
                content = b"\n" * (file.line - 1) + file.content
                yield from self._document(posixpath.join(path, file.name), file.origin, content)
                if file.guessed:
                    self._guessed.append(
                        StandIn(StandInKind.GENERATED, file.name, f"{file.origin}:{file.line}")
                    )
        for name in sorted(names):
            here = posixpath.join(path, name)
            if name.endswith(_UNREADABLE) and self._is_file(here):
                message = "only native HCL files are read, and a plan without this one would be another plan"
                self.findings.append(Finding(here, None, None, Reason.SYNTAX.value, message))
            elif name.endswith(".tf") and self._is_file(here):
                replaced = generated.get(name)
                if replaced is None or not replaced.overwrites:
                    yield from self._document(here, here, self.tree.read(resolve(self.tree, here)))

    def _document(self, here: str, origin: str, content: bytes) -> Iterator[tuple[str, Document]]:
        if content.startswith(CIPHERTEXT):
            message = "the file is ciphertext: unlock the repository to plan this stack"
            self.findings.append(Finding(origin, None, None, Reason.CIPHERTEXT.value, message))
            return
        try:
            yield here, parse(content, origin)
        except HclSyntaxError as error:
            self._refuse_syntax(error)

    def _calls(self, path: str, documents: Iterable[Document]) -> Iterator[tuple[str, tuple[str, Block]]]:
        for document in documents:
            for block in document.body.blocks_of("module"):
                source = block.body.value("source")
                text = source.string() if source is not None else None
                if source is None or not block.labels:
                    continue
                if text is None or not text.startswith(("./", "../", "/")):
                    message = f"module {block.labels[0]} would have to be downloaded: {source.text}"
                    self._find(Reason.REMOTE_MODULE, source, message)
                    continue
                try:
                    called = normal(text if text.startswith("/") else posixpath.join(path, text))
                    if self.tree.kind(resolve(self.tree, called)) is Kind.DIRECTORY:
                        yield block.labels[0], (called, block)
                except OutsideError:
                    self._find(
                        Reason.OUTSIDE, source, f"module {block.labels[0]} lies outside of the monorepo"
                    )

    def _find_variables(self, generated: terragrunt.Generated) -> None:
        known: set[str] = set()
        automatic = [
            posixpath.join(self.stack, name)
            for name in (self.tree.names(self.stack) if self.tree.kind(self.stack) is Kind.DIRECTORY else ())
            if name.endswith((".auto.tfvars", ".auto.tfvars.json"))
            or name in ("terraform.tfvars", "terraform.tfvars.json")
        ]
        for path in (*automatic, *generated.var_files):
            if not self._is_file(path) or (content := self._read(path)).startswith(CIPHERTEXT):
                continue
            try:
                known |= _names_in(path, content)
            except HclSyntaxError as error:
                self._refuse_syntax(error)
            if path not in automatic:
                self.var_files.append(path)
        root = self.modules[self.stack]
        self.variables = variables.find(root.documents.values(), generated.inputs, frozenset(known))

    # writing HCL

    def _write_module(self, module: Module, mends: Mends) -> None:
        rewriter = Rewriter(
            root=str(self.root),
            placeholders=frozenset(self.variables.placeholders) if module.path == self.stack else frozenset(),
            mends=mends,
            access=partial(self._access, _scope(module, self.stack)),
            is_secret=self.is_secret,
        )
        helper = False
        for path, document in module.documents.items():
            changes = rewriter.changes(document)
            helper = helper or changes.needs_helper
            self._note(changes)
            spliced = apply(document.source.data, changes.splices)
            self.placed[path] = Placed(document.source, spliced, tuple(changes.unknown))
            self._put(path, spliced.data)
        if helper:
            self._put(posixpath.join(module.path, _HELPER_FILE), _HELPER)

    def _note(self, changes: Changes) -> None:
        self.stand_ins += changes.stand_ins
        self.findings += [found for found in changes.findings if found not in self.findings]

    def _access(self, scope: static.Scope, expression: Expression, template: bool) -> FileAccess:
        """What path a call reads from; copies what stands there. Raises ``OutsideError``."""
        pieces = list(static.pieces(expression, scope))
        known = pieces[: pieces.index(None)] if None in pieces else pieces
        text = "".join(piece for piece in known if piece is not None)
        if None in pieces:
            prefix = self._location(posixpath.dirname(text)) if "/" in text or text else None
            if prefix and self.tree.kind(prefix) is Kind.DIRECTORY:
                self._copy_directory(prefix)
            if template:
                self._templates |= self._copied
            return FileAccess(expression, None, prefix, template)
        path = self._location(text)
        target = resolve(self.tree, path)
        if self.tree.kind(target) is Kind.DIRECTORY:
            self._copy_directory(path)
        elif self.tree.kind(target) is Kind.FILE:
            self._copy_file(path, target)
            if template:
                self._templates.add(path)
        return FileAccess(expression, target, None, template)

    def _location(self, text: str) -> str:
        """The path from the monorepo's root that Terraform reads from; raises ``OutsideError``."""
        if text.startswith(_HERE):
            return normal(text.removeprefix(_HERE))
        if text.startswith(("/", "~")):
            raise OutsideError(text)
        return normal(posixpath.join(self.stack, text))

    def _write_templates(self) -> None:
        """Templates can call functions too: what they read is guarded like what the stack reads."""
        rewriter = Rewriter(
            root=str(self.root),
            placeholders=frozenset(),
            mends=Mends(),
            access=partial(self._access, static.Scope()),
            is_secret=self.is_secret,
        )
        for path in sorted(self._templates):
            content = self._read(path)
            if self.is_secret(path) or not rewrite.may_read(content):
                continue
            try:
                document = parse(_TEMPLATE_OPEN + content + b"\n" + _TEMPLATE_MARK + b"\n", path)
            except HclSyntaxError:
                message = (
                    "the template may read files, and cannot be looked at: it is not plain template syntax"
                )
                self.findings.append(Finding(path, None, None, Reason.OUTSIDE.value, message))
                continue
            changes = Changes()
            for call in static.calls(document.body):
                rewriter.read(call, changes, in_template=True)
            self._note(changes)
            moved = [
                Splice(s.start - len(_TEMPLATE_OPEN), s.end - len(_TEMPLATE_OPEN), s.text)
                for s in changes.splices
            ]
            self._put(path, apply(content, moved).data)

    # questions

    def stands_in(self, expression: Expression) -> bool:
        """Whether a part of the expression was replaced by an unknown value."""
        return any(
            expression.start <= start and end <= expression.end
            for placed in self.placed.values()
            if placed.source is expression.source
            for start, end in placed.unknown
        )

    def module_of(self, path: str) -> Module:
        """The module that a file of the working copy belongs to."""
        return self.modules[posixpath.dirname(path)]

    def position(self, origin: str, offset: int) -> tuple[int, int]:
        """Line and column of a byte of a file that a person wrote."""
        source = next(placed.source for placed in self.placed.values() if placed.source.path == origin)
        return source.position(offset)

    # files

    def is_secret(self, path: str) -> bool:
        """Whether a file's contents may not be read, or cannot be: keys, certificates, ciphertext."""
        parts = path.split("/")
        if "secrets" in parts[:-1] or ".git" in parts:
            return True
        target = resolve(self.tree, path)
        return self.tree.kind(target) is Kind.FILE and self.tree.read(target).startswith(CIPHERTEXT)

    def _is_file(self, path: str) -> bool:
        try:
            return self.tree.kind(resolve(self.tree, path)) is Kind.FILE
        except OutsideError:
            return False

    def _read(self, path: str) -> bytes:
        return self.tree.read(resolve(self.tree, path))

    def _copy_directory(
        self, path: str, target: str | None = None, above: frozenset[str] = frozenset()
    ) -> None:
        """Copy a directory and all below it, links followed; ``target`` is where it really is."""
        target = resolve(self.tree, path) if target is None else target
        if target in above or self.tree.kind(target) is not Kind.DIRECTORY:
            return
        for name in sorted(self.tree.names(target) - _NOT_COPIED):
            here = posixpath.join(path, name)
            try:
                there = resolve(self.tree, posixpath.join(target, name))
            except OutsideError:
                message = "the link leads out of the monorepo"
                self.findings.append(Finding(here, None, None, Reason.OUTSIDE.value, message))
                continue
            if self.tree.kind(there) is Kind.DIRECTORY:
                self._copy_directory(here, there, above | {target})
            elif self.tree.kind(there) is Kind.FILE:
                self._copy_file(here, there)

    def _copy_file(self, path: str, target: str) -> None:
        if path in self._copied or any(path in module.documents for module in self.modules.values()):
            return
        self._copied.add(path)
        if self.is_secret(target) or self.is_secret(path):
            if not path.endswith((".tfvars", ".tfvars.json")):
                self._put(path, f"{STAND_IN}.file.{path}\n".encode())
        else:
            self._put(path, self.tree.read(target))

    def _put(self, path: str, content: bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Without a mode that lets anything be started: Terraform looks for plugins in its directory.
        with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(content)

    # findings

    def _find(self, reason: Reason, place: Expression, message: str) -> None:
        self.findings.append(Finding(place.source.path, place.line, place.column, reason.value, message))

    def _refuse_syntax(self, error: HclSyntaxError) -> None:
        self.findings += [
            Finding(error.path, problem.line, problem.column, Reason.SYNTAX.value, problem.message)
            for problem in error.problems
        ]


def _scope(module: Module, stack: str) -> static.Scope:
    """The names of a module that stand for known text."""
    names = {
        "path.module": _HERE + module.path,
        "path.root": _HERE + stack,
        "path.cwd": _HERE + stack,
        "terraform.workspace": "default",
    }
    scope = static.Scope(names)
    for block in module.blocks("locals"):
        for name, attribute in block.body.attributes.items():
            if (text := static.text(attribute.value, scope)) is not None:
                names[f"local.{name}"] = text
    return scope


def _names_in(path: str, content: bytes) -> set[str]:
    """The variables that a file of values sets."""
    if path.endswith(".json"):
        try:
            decoded = json.loads(content)
        except ValueError:
            return set()
        return set(decoded) if isinstance(decoded, dict) else set()
    return set(parse(content, path).body.attributes)

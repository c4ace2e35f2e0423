"""The modules that a stack is made of: its own files, with what terragrunt adds, and the modules it calls."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scaffold.changes.change import is_ciphertext
from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Attribute, Block, Document, Expression, HclSyntaxError, parse
from scaffold.terraform import terragrunt
from scaffold.terraform.result import Reason, StandIn, StandInKind
from scaffold.terraform.terragrunt import Generated, GeneratedFile
from scaffold.terraform.tree import Kind, OutsideError, Tree, is_file, names_in, normal, resolve

_UNREADABLE = (".tf.json", ".tofu", ".tofu.json")


def overrides(path: str) -> bool:
    """Whether Terraform merges a file into the blocks of the others, argument by argument."""
    name = posixpath.basename(path).removesuffix(".tf")
    return name == "override" or name.endswith("_override")


@dataclass(frozen=True)
class Module:
    """One module; ``path`` is its directory. All paths are from the monorepo's root.

    ``documents`` are its files by the path at which Terraform will see them; the path of the document itself
    is where its text is written. ``calls`` has the directory that each ``module`` block calls, and the block.
    """

    path: str
    documents: Mapping[str, Document]
    calls: Mapping[str, tuple[str, Block]]

    def blocks(self, type_: str) -> Iterator[Block]:
        """The module's blocks of a type."""
        for document in self.documents.values():
            yield from document.body.blocks_of(type_)

    def definition(self, address: str) -> Block | Attribute | None:
        """What an address names, as far as it is written here: for an address inside a module, the call."""
        kind, _, rest = address.partition(".")
        names = tuple(rest.split("."))
        match kind:
            case "local":
                values = (block.body.attributes.get(rest) for block in self.blocks("locals"))
                return next((value for value in values if value is not None), None)
            case "module":
                return self.calls[names[0]][1] if names[0] in self.calls else None
            case "data":
                labels = names[:2]
            case "var":
                kind, labels = "variable", names
            case "output":
                labels = names
            case _:
                kind, labels = "resource", (kind, *names[:1])
        return next((block for block in self.blocks(kind) if block.labels == labels), None)


@dataclass
class Loader:
    """Reads a stack with all modules that it calls; what cannot be read becomes a finding, never an error."""

    tree: Tree
    stack: str
    modules: dict[str, Module] = field(default_factory=dict)
    generated: Generated = field(default_factory=Generated)
    findings: list[Finding] = field(default_factory=list)
    guessed: list[StandIn] = field(default_factory=list)
    """Generated files of which only terragrunt could evaluate a part."""

    def load(self) -> None:
        """Read everything."""
        try:
            self.generated = terragrunt.read(self.tree, self.stack)
        except HclSyntaxError as error:
            self.refuse_syntax(error)
        if (source := self.generated.source) is not None:
            self._find(Reason.REMOTE_MODULE, source, "the stack is made from a module that lies elsewhere")
        files = {file.name: file for file in self.generated.files if file.name.endswith(".tf")}
        waiting = [self.stack]
        while waiting:
            path = waiting.pop()
            if path not in self.modules:
                found = self._documents(path, files if path == self.stack else {})
                # What overrides comes last, by name: then the last definition is the one that holds.
                order = sorted(found, key=lambda item: item[0] if overrides(item[0]) else "")
                documents = dict(order)
                calls = dict(self._calls(path, documents.values()))
                self.modules[path] = Module(path, documents, calls)
                waiting += [called for called, _ in calls.values()]

    def refuse_syntax(self, error: HclSyntaxError) -> None:
        """Note a file that is not HCL."""
        self.findings += [
            Finding(error.path, problem.line, problem.column, Reason.SYNTAX.value, problem.message)
            for problem in error.problems
        ]

    def _documents(self, path: str, generated: Mapping[str, GeneratedFile]) -> Iterator[tuple[str, Document]]:
        names = names_in(self.tree, path)
        for file in generated.values():
            if file.overwrites or file.name not in names:
                # Empty lines in front, so that its lines have the numbers they have where it is written.
                content = b"\n" * (file.line - 1) + file.content
                yield from self._document(posixpath.join(path, file.name), file.origin, content)
                if file.guessed:
                    where = f"{file.origin}:{file.line}"
                    self.guessed.append(StandIn(StandInKind.GENERATED, file.name, where))
        for name in sorted(names):
            here = posixpath.join(path, name)
            replaced = name in generated and generated[name].overwrites
            read = name.endswith((".tf", *_UNREADABLE)) and not name.startswith(".")
            if not read or replaced or not is_file(self.tree, here):
                continue
            if name.endswith(_UNREADABLE):
                message = "only native HCL files are read, and the plan would differ without this one"
                self.findings.append(Finding(here, None, None, Reason.SYNTAX.value, message))
            else:
                yield from self._document(here, here, self.tree.read(resolve(self.tree, here)))

    def _document(self, here: str, origin: str, content: bytes) -> Iterator[tuple[str, Document]]:
        if is_ciphertext(content):
            message = "the file is ciphertext: unlock the repository to plan this stack"
            self.findings.append(Finding(origin, None, None, Reason.CIPHERTEXT.value, message))
            return
        try:
            yield here, parse(content, origin)
        except HclSyntaxError as error:
            self.refuse_syntax(error)

    def _calls(self, path: str, documents: Iterable[Document]) -> Iterator[tuple[str, tuple[str, Block]]]:
        for document in documents:
            for block in document.body.blocks_of("module"):
                source = block.body.value("source")
                called = self._called(path, block, source) if source is not None and block.labels else None
                if called is not None:
                    yield block.labels[0], (called, block)

    def _called(self, path: str, block: Block, source: Expression) -> str | None:
        """The directory that a ``module`` block calls; None if there is none in the monorepo."""
        text = source.string()
        if text is None or not text.startswith(("./", "../", "/")):
            self._find(Reason.REMOTE_MODULE, source, f"the module would have to be downloaded: {source.text}")
            return None
        try:
            called = normal(text if text.startswith("/") else posixpath.join(path, text))
            if self.tree.kind(resolve(self.tree, called)) is Kind.DIRECTORY:
                return called
        except OutsideError:
            self._find(Reason.OUTSIDE, source, f"module {block.labels[0]} lies outside the monorepo")
        else:
            self._find(Reason.MISSING_FILE, source, f"there is no directory {called}")
        return None

    def _find(self, reason: Reason, place: Expression, message: str) -> None:
        self.findings.append(at(place, reason.value, message))

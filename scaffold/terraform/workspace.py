"""The working copy of a stack: everything that Terraform needs to plan it, in a private directory.

The copy mirrors the monorepo, so that relative paths mean what they mean there. It holds the stack, the
modules it calls and the files they read: never a link, never an executable, never the contents of a secret.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from scaffold.changes.change import is_ciphertext
from scaffold.errors import Finding
from scaffold.hcl.evaluate import Names, pieces, text
from scaffold.hcl.splice import Splice, apply, insertion
from scaffold.hcl.syntax import Block, Expression, HclSyntaxError, parse_template
from scaffold.terraform import rewrite, variables
from scaffold.terraform.file_changes import Changes, Placed
from scaffold.terraform.files import Files, no_template
from scaffold.terraform.modules import Loader, Module, overrides
from scaffold.terraform.result import Reason, StandIn, StandInKind
from scaffold.terraform.rewrite import Mends, Rewriter
from scaffold.terraform.tree import Kind, OutsideError, Tree, is_file, normal, resolve

_INSTALLED = ".terraform/modules/modules.json"
TESTS = ".terraform/tests"
"""Where the test is that plans the stack; a stack has its own ones elsewhere."""
_TEST = """\
run "plan" {
  command = plan
  plan_options {
    refresh = false
  }
}
"""
_OF_TESTS = (".tftest.hcl", ".tftest.json")
_HERE = "\ud800"
"""Begins a path from the monorepo's root, where a stack says ``path.module`` or ``path.root``."""


@dataclass
class Workspace:
    """The working copy of one stack, and what is known about it. Paths are from the monorepo's root.

    ``helper`` is the name of what is added to it, which no stack can foresee, and thus not define either.
    """

    tree: Tree
    root: Path
    stack: str
    helper: str
    modules: dict[str, Module] = field(default_factory=dict)
    placed: dict[str, Placed] = field(default_factory=dict)
    variables: variables.Variables = field(default_factory=variables.Variables)
    var_files: list[str] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _guessed: list[StandIn] = field(default_factory=list)
    _templates: set[str] = field(default_factory=set)
    _any_template: bool = False
    _changed: dict[str, bytes] = field(default_factory=dict)
    """What a person wrote, by file, where the working copy says something else."""
    _reads_as_is: bool = False

    @cached_property
    def files(self) -> Files:
        """The files that are not HCL; what could not be copied is in this copy's findings."""
        hcl = {path for module in self.modules.values() for path in module.documents}
        return Files(self.tree, self.root, hcl, findings=self.findings)

    @property
    def as_written(self) -> Path:
        """Where the files that the working copy changes are as a person wrote them; nothing lists it."""
        return self.root.parent / "as-written"

    def compose(self) -> None:
        """Read the stack and its modules, and copy what they need; ``write`` then writes the HCL files.

        What cannot be planned is said in ``findings``; nothing is raised for it.
        """
        loader = Loader(self.tree, self.stack)
        loader.load()
        self._find_variables(loader)
        self.modules = loader.modules
        self.findings += loader.findings
        self._guessed = loader.guessed
        for path in self.modules:
            self.files.copy_directory(path)
        for path in self.var_files:
            self.files.copy_file(path, resolve(self.tree, path))

    def write(self, mends: Mends) -> None:
        """Write the HCL files, with all stand-ins, and with the mends of earlier attempts.

        Fills ``stand_ins``, and ``findings`` with what reaches out of the monorepo.
        """
        self.stand_ins = list(self._guessed)
        for module in self.modules.values():
            self._write_module(module, mends)
        self._write_templates()
        if self._reads_as_is:
            originals = Files(self.tree, self.as_written)
            for path, content in self._changed.items():
                originals.put(path, content)
        self.stand_ins += [
            StandIn(StandInKind.VARIABLE, f"var.{name}", f"{block.source.path}:{block.line}")
            for name, block in self.variables.placeholders.items()
        ]
        own = self.modules[self.stack].documents
        name = variables.override_name(posixpath.basename(path) for path in own if overrides(path))
        override = self.variables.override(own.values())
        self.files.put(posixpath.join(self.stack, name), no_template(override))

    def install(self) -> None:
        """Write the list of installed modules as ``init`` would: all of them are in the working copy."""
        listed = [
            {"Key": key, "Source": source, "Dir": path} for key, source, path in self._calls("", self.stack)
        ]
        content = json.dumps({"Modules": [{"Key": "", "Source": "", "Dir": "."}, *listed]})
        self.files.put(posixpath.join(self.stack, _INSTALLED), no_template(content))

    def install_test(self) -> bool:
        """Write the test that plans the stack, unless it has some beside its files: they would run too."""
        if any(
            path.endswith(_OF_TESTS) and posixpath.dirname(path) == self.stack for path in self.files.copied
        ):
            return False
        self.files.put(posixpath.join(self.stack, TESTS, "scaffold.tftest.hcl"), _TEST.encode())
        return True

    def _calls(self, above: str, path: str) -> Iterator[tuple[str, str, str]]:
        """Key, source and directory of every module call below a module; a module cannot call itself."""
        if above.count(".") > len(self.modules):
            return
        for name, (called, block) in self.modules[path].calls.items():
            source = block.body.value("source")
            text = posixpath.normpath((source.string() if source is not None else None) or "")
            text = text if text.startswith("../") else f"./{text}"
            yield f"{above}{name}", text, posixpath.relpath(called, self.stack)
            yield from self._calls(f"{above}{name}.", called)

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

    def calls_of(self, path: str) -> Iterator[tuple[Module, Block]]:
        """The calls of the module in a directory, each with the module that makes it."""
        for caller in self.modules.values():
            yield from ((caller, call) for called, call in caller.calls.values() if called == path)

    def position(self, origin: str, offset: int) -> tuple[int, int]:
        """Line and column of a byte of a file that a person wrote."""
        source = next(placed.source for placed in self.placed.values() if placed.source.path == origin)
        return source.position(offset)

    # variables

    def _find_variables(self, loader: Loader) -> None:
        known: set[str] = set()
        automatic = list(variables.automatic(self.tree, self.stack))
        for path in (*automatic, *loader.generated.var_files):
            if not is_file(self.tree, path):
                continue
            content = self.tree.read(resolve(self.tree, path))
            if is_ciphertext(content):
                continue
            try:
                known |= variables.names_set(path, content)
            except HclSyntaxError as error:
                loader.refuse_syntax(error)
            if path not in automatic:
                self.var_files.append(path)
        own = loader.modules[self.stack].documents.values()
        self.variables = variables.find(own, loader.generated.inputs, frozenset(known))

    # writing HCL

    def _write_module(self, module: Module, mends: Mends) -> None:
        own = module.path == self.stack
        placeholders = frozenset(self.variables.placeholders) if own else frozenset[str]()
        access = partial(self._access, _names(module, self.stack))
        secret = self.files.is_secret
        rewriter = Rewriter(self.root, self.as_written, self.helper, access, secret, mends, placeholders)
        changed = {
            path: rewriter.changes(document, overrides=overrides(path))
            for path, document in module.documents.items()
        }
        if any(changes.needs_helper for changes in changed.values()):
            # Not a separate file, which the stack would find when it lists its directory.
            first = next(iter(changed))
            resource = f'\nresource "terraform_data" "{self.helper}" {{}}\n'.encode()
            changed[first].splices.append(insertion(len(module.documents[first].source.data), resource))
        for path, changes in changed.items():
            source = module.documents[path].source
            self._note(changes)
            spliced = apply(source.data, changes.splices)
            self.placed[path] = Placed(source, spliced, tuple(changes.unknown))
            self._put(path, source.data, spliced.data)

    def _put(self, path: str, written: bytes, content: bytes) -> None:
        """Write a file of the working copy, which differs from what a person wrote."""
        if content != written:
            self._changed[path] = written
        self.files.put(path, content)

    def _note(self, changes: Changes) -> None:
        self._reads_as_is = self._reads_as_is or changes.reads_as_is
        self.stand_ins += changes.stand_ins
        self.findings += [found for found in changes.findings if found not in self.findings]

    def _access(self, names: Names, expression: Expression, template: bool) -> str | None:
        """The path that a call reads from, if that is known, and is copied. Raises ``OutsideError``."""
        parts = list(pieces(expression, names))
        known = parts[: parts.index(None)] if None in parts else parts
        named = "".join(piece for piece in known if piece is not None)
        if None in parts:
            directory = self._location(posixpath.dirname(named)) if named else ""
            # The directories above the stack hold the whole monorepo: of those nothing is copied.
            if directory and not f"{self.stack}/".startswith(f"{directory}/"):
                self.files.copy_directory(directory)
            self._any_template = self._any_template or template
            return None
        path = self._location(named)
        target = resolve(self.tree, path)
        if self.tree.kind(target) is Kind.DIRECTORY:
            self.files.copy_directory(path)
        elif self.tree.kind(target) is Kind.FILE:
            self.files.copy_file(path, target)
            if template:
                self._templates.add(path)
        return target

    def _location(self, text: str) -> str:
        """The path from the monorepo's root that Terraform reads from; raises ``OutsideError``."""
        if text.startswith(_HERE):
            return normal(text.removeprefix(_HERE))
        if text.startswith(("/", "~")):
            raise OutsideError(text)
        return normal(posixpath.join(self.stack, text))

    def _write_templates(self) -> None:
        """Templates can call functions too: what they read is guarded like what the stack reads."""
        access, secret = partial(self._access, {}), self.files.is_secret
        rewriter = Rewriter(self.root, self.as_written, self.helper, access, secret, Mends())
        done: set[str] = set()
        # A template can name another one; where it is not known which, it can be every file.
        while waiting := (self.files.copied if self._any_template else self._templates) - done:
            for path in sorted(waiting):
                content = self.tree.read(resolve(self.tree, path))
                if not self.files.is_secret(path) and rewrite.may_read(content):
                    self._put(path, content, self._guarded(path, content, rewriter))
            done |= waiting

    def _guarded(self, path: str, content: bytes, rewriter: Rewriter) -> bytes:
        """A template whose calls read from the working copy only."""
        changes = Changes()
        try:
            document, opened = parse_template(content, path)
        except HclSyntaxError:
            message = "the template may read files, and its syntax cannot be looked at"
            changes.findings.append(Finding(path, None, None, Reason.OUTSIDE.value, message))
            self._note(changes)
            return content
        for call in document.body.calls():
            rewriter.read(call, changes, in_template=True)
        # The line that was put in front is no line of the template.
        changes.findings = [replace(f, line=f.line - 1) if f.line else f for f in changes.findings]
        self._note(changes)
        moved = [Splice(s.start - opened, s.end - opened, s.text) for s in changes.splices]
        return apply(content, moved).data


def _names(module: Module, stack: str) -> Names:
    """The names of a module that stand for known text."""
    names: dict[tuple[str, ...], object] = {
        ("path", "module"): _HERE + module.path,
        ("path", "root"): _HERE + stack,
        ("path", "cwd"): _HERE + stack,
        ("terraform", "workspace"): "default",
    }
    for block in module.blocks("locals"):
        for name, attribute in block.body.attributes.items():
            if (known := text(attribute.value, names)) is not None:
                names["local", name] = known
    return names

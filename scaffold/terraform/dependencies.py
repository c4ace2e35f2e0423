"""What the value of an expression depends on, followed through locals, variables, modules and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from scaffold.hcl.syntax import Attr, Block, Expression, Reference
from scaffold.terraform.modules import Module
from scaffold.terraform.workspace import Workspace


class Source(Enum):
    """Where a value comes from in the end."""

    DATA = "data"
    """A data source: unknown here, known where there is a cluster."""
    FILE = "file"
    """A file whose contents stand in."""
    PLACEHOLDER = "placeholder"
    """A variable without a value."""
    RESOURCE = "resource"
    """A resource that is still to be created: unknown everywhere."""
    LATER = "later"
    """Data that depends on such a resource: unknown at the first apply, known afterwards."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Where a value comes from, and those of the variables behind it whose values are placeholders."""

    sources: frozenset[Source]
    placeholders: frozenset[str]


_IN_MODULE = frozenset(("path", "terraform", "self", "count"))


class Dependencies:
    """Answers for one working copy."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: set[tuple[str, str]] = set()
        self._placeholders: set[str] = set()

    def of(self, module: Module, expression: Expression, block: Block | None = None) -> Origins:
        """What an expression of a module depends on; ``block`` is the one it stands in (for ``each``)."""
        self._seen.clear()
        self._placeholders.clear()
        sources = frozenset(self._expression(module, expression, block))
        return Origins(sources, frozenset(self._placeholders))

    def _expression(self, module: Module, expression: Expression, block: Block | None) -> Iterator[Source]:
        if self._workspace.stands_in(expression):
            yield Source.FILE
        for reference in expression.references():
            if not reference.bound:
                yield from self._reference(module, reference, block)

    def _reference(self, module: Module, reference: Reference, block: Block | None) -> Iterator[Source]:
        names = reference.names
        if reference.root == "each":
            if block is not None and (each := block.body.value("for_each")) is not None:
                yield from self._expression(module, each, None)
            return
        if reference.root in _IN_MODULE or len(names) < 2 or (module.path, str(reference)) in self._seen:
            return
        self._seen.add((module.path, str(reference)))
        match names[0]:
            case "local":
                for locals_ in module.blocks("locals"):
                    if (attribute := locals_.body.attributes.get(names[1])) is not None:
                        yield from self._expression(module, attribute.value, None)
            case "var":
                yield from self._variable(module, names[1])
            case "data":
                yield Source.DATA
                yield from self._data(module, names)
            case "module":
                yield from self._output(module, reference)
            case _:
                yield Source.RESOURCE

    def _variable(self, module: Module, name: str) -> Iterator[Source]:
        if module.path == self._workspace.stack and name in self._workspace.variables.placeholders:
            self._placeholders.add(name)
            yield Source.PLACEHOLDER
        for caller, block in self._workspace.calls_of(module.path):
            if (value := block.body.value(name)) is not None:
                yield from self._expression(caller, value, block)

    def _data(self, module: Module, names: tuple[str, ...]) -> Iterator[Source]:
        """A data source that depends on a resource is read after apply, with a cluster too."""
        for block in module.blocks("data"):
            if block.labels == names[1:3]:
                for attribute in block.body.arguments():
                    for source in self._expression(module, attribute.value, block):
                        yield Source.LATER if source is Source.RESOURCE else source

    def _output(self, module: Module, reference: Reference) -> Iterator[Source]:
        called = module.calls.get(reference.names[1])
        target = self._workspace.modules.get(called[0]) if called is not None else None
        wanted = [step.name for step in reference.steps if isinstance(step, Attr)][1:2]
        for block in target.blocks("output") if target is not None else ():
            value = block.body.value("value")
            if value is not None and (not wanted or list(block.labels[:1]) == wanted):
                assert target is not None
                yield from self._expression(target, value, None)

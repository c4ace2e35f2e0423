"""Resolving references against what is defined: in the module, in the modules it calls, in the schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.checks.contracts import module_calls
from scaffold.checks.scope import Name, Scope, Use, UseKind, first_key, scopes
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding, nearest
from scaffold.hcl.modules import ModuleContract
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Attr, Attribute, Block, ExprKind, Index, Step
from scaffold.terraform.schemas import BlockSchema, Nesting, Schemas

_BUILT_IN = frozenset(("path", "terraform", "each", "count", "self"))
_ROOTS = {"var": 1, "local": 1, "module": 1, "data": 2, "ephemeral": 2}
"""How many names follow a root to make up a definition's name; other roots are resource types."""


def findings(stack: ParsedStack, context: CheckContext) -> list[Finding]:
    """Everything that references in a stack and in its own modules name and that does not exist."""
    contracts = {
        (call.block.source.path, call.name): call.contract for call in stack.once(module_calls, context)
    }
    found: list[Finding] = []
    for scope in stack.once(scopes, context):
        where = "this stack" if scope.directory == stack.directory else scope.directory
        judge = _Judge(scope, where, context.schemas, contracts)
        for use in scope.uses():
            found += judge.judge(use)
    return found


@dataclass(frozen=True, slots=True)
class _Judge:
    """Holds the references of one module against what is defined there."""

    scope: Scope
    where: str
    schemas: Schemas
    contracts: Mapping[tuple[str, str], ModuleContract | None]

    def judge(self, use: Use) -> Iterator[Finding]:
        """What is wrong with one reference."""
        reference = use.reference
        if use.kind is UseKind.IGNORED_CHANGE:
            yield from self._ignored(use)
            return
        if reference.root in _BUILT_IN:
            return
        size = _ROOTS.get(reference.root, 1) + 1
        name = reference.names[:size]
        if len(name) < size:
            yield self._unusable(use)
            return
        definition = self.scope.defined(name)
        if definition is None:
            yield self._undefined(use, name)
        elif use.kind is UseKind.ADDRESS:
            return
        elif isinstance(definition.item, Attribute):
            yield from self._key(use, definition.item)
        elif definition.item.type == "module":
            yield from self._output(use, definition.item)
        elif definition.item.type in ("resource", "data"):
            yield from self._attribute(use, definition.item, reference.steps[size - 1 :])

    def _unusable(self, use: Use) -> Finding:
        reference = use.reference
        return at(
            reference,
            "HCL004",
            f"{reference} refers to nothing",
            value=str(reference),
            fix=f'write "{reference}" if it is meant to be text' if not reference.steps else None,
        )

    def _undefined(self, use: Use, name: Name) -> Finding:
        what = {"var": "variable", "local": "local value", "module": "module", "data": "data source"}
        kind = what.get(name[0], "resource")
        known = self.scope.names(*name[:-1])
        return at(
            use.reference,
            "HCL004",
            f"{self.where} has no {kind} {'.'.join(name)}",
            value=".".join(name),
            fix=nearest(name[-1], known),
        )

    def _key(self, use: Use, local: Attribute) -> Iterator[Finding]:
        """A key of a local map: ``local.tiers.aux``."""
        value, position = local.value, 1
        while value.kind is ExprKind.MAP:
            names = [entry.name for entry in value.entries]
            key = first_key(use.reference, position)
            if key is None or None in names:
                return
            entry = value.entry(key)
            if entry is None:
                known = [name for name in names if name is not None]
                message = f"local.{local.name} has no key {key}"
                fix = nearest(key, known)
                yield at(use.reference, "HCL006", message, value=key, allowed=known, fix=fix)
                return
            value, position = entry.value, position + 1

    def _output(self, use: Use, module: Block) -> Iterator[Finding]:
        contract = self.contracts.get((module.source.path, module.labels[0]))
        steps = use.reference.steps[1:]
        if contract is None or not steps:
            return
        first = steps[0] if not _repeated(module) else steps[1] if len(steps) > 1 else None
        if isinstance(first, Attr) and first.name not in contract.outputs:
            yield at(
                use.reference,
                "HCL007",
                f"the module {module.labels[0]} has no output {first.name}",
                value=first.name,
                allowed=contract.outputs,
                fix=nearest(first.name, contract.outputs),
            )

    def _attribute(self, use: Use, block: Block, steps: Sequence[Step]) -> Iterator[Finding]:
        address = ".".join(use.reference.names[: 3 if block.type == "data" else 2])
        repeated = _repeated(block)
        first = steps[0] if steps else None
        if repeated and isinstance(first, Attr):
            yield self._no_attribute(
                use, f"{address} has {repeated}, so there may be several", "add the index of one"
            )
            return
        if not repeated and isinstance(first, Index):
            yield self._no_attribute(
                use, f"{address} has neither count nor for_each, so there is only one", "drop the index"
            )
            return
        of = self.schemas.data_source if block.type == "data" else self.schemas.resource
        schema = of(block.labels[0])
        if schema is not None:
            yield from self._path(use, address, steps if isinstance(first, Attr) else steps[1:], schema)

    def _ignored(self, use: Use) -> Iterator[Finding]:
        type_ = use.block.labels[0] if use.block.type == "resource" and use.block.labels else ""
        schema = self.schemas.resource(type_)
        if schema is not None:
            yield from self._path(use, type_, (Attr(use.reference.root), *use.reference.steps), schema)

    def _path(self, use: Use, address: str, steps: Sequence[Step], schema: BlockSchema) -> Iterator[Finding]:
        problem = _path_problem(address, steps, schema)
        if problem is not None:
            yield self._no_attribute(use, *problem)

    def _no_attribute(self, use: Use, message: str, fix: str | None) -> Finding:
        return at(use.reference, "HCL005", message, value=str(use.reference), fix=fix)


def _repeated(block: Block) -> str | None:
    return next((name for name in ("count", "for_each") if name in block.body.attributes), None)


def _path_problem(address: str, steps: Sequence[Step], schema: BlockSchema) -> tuple[str, str | None] | None:
    """What is wrong with the steps from a resource into its schema, and a fix."""
    left = list(steps)
    while left:
        step = left.pop(0)
        name = step.name if isinstance(step, Attr) else getattr(step, "key", None)
        if not isinstance(name, str) or name in schema.attributes:
            return None
        nested = schema.blocks.get(name)
        if nested is None:
            return f"{address} has no attribute {name}", nearest(name, (*schema.attributes, *schema.blocks))
        address, schema = f"{address}.{name}", nested.block
        if not left or nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
            continue
        if nested.nesting is Nesting.LIST and isinstance(left[0], Attr):
            return f"{address} is a list", f"write {name}[0].{left[0].name}"
        left.pop(0)
    return None

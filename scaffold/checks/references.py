"""References, resolved against what is defined: in the module, in the modules it calls, in the schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.checks.contracts import module_calls
from scaffold.checks.rule import FamilyRule
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


def _findings(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    """Everything that references in a stack and in its own modules name and that does not exist."""
    contracts = {
        (call.block.source.path, call.name): call.contract for call in stack.once(module_calls, context)
    }
    for scope in stack.once(scopes, context):
        where = "this stack" if scope.directory == stack.directory else scope.directory
        judge = _Judge(scope, where, context.schemas, contracts)
        for use in scope.uses():
            yield from judge.judge(use)


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
            text = str(reference)
            fix = f'write "{text}" if it is meant to be text' if not reference.steps else None
            yield at(reference, "HCL004", f"{text} refers to nothing", value=text, fix=fix)
            return
        definition = next(iter(self.scope.definitions.get(name, ())), None)
        if definition is None:
            yield self._undefined(use, name)
        elif use.kind is UseKind.ADDRESS:
            return
        elif isinstance(definition, Attribute):
            yield from self._key(use, definition)
        elif definition.type == "module":
            yield from self._output(use, definition)
        elif definition.type in ("resource", "data"):
            yield from self._attribute(use, definition, reference.steps[size - 1 :])

    def _undefined(self, use: Use, name: Name) -> Finding:
        what = {"var": "variable", "local": "local value", "module": "module", "data": "data source"}
        kind, written = what.get(name[0], "resource"), ".".join(name)
        fix = nearest(name[-1], self.scope.names(*name[:-1]))
        return at(use.reference, "HCL004", f"{self.where} has no {kind} {written}", value=written, fix=fix)

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
        first = steps[0] if not module.repeated else steps[1] if len(steps) > 1 else None
        if isinstance(first, Attr) and first.name not in contract.outputs:
            what, known = f"the module {module.labels[0]} has no output {first.name}", contract.outputs
            fix = nearest(first.name, known)
            yield at(use.reference, "HCL007", what, value=first.name, allowed=known, fix=fix)

    def _attribute(self, use: Use, block: Block, steps: Sequence[Step]) -> Iterator[Finding]:
        address = ".".join(use.reference.names[: 3 if block.type == "data" else 2])
        repeated = block.repeated
        first = steps[0] if steps else None
        if repeated and isinstance(first, Attr):
            what = f"{address} has {repeated.name}, so there may be several"
            yield self._no_attribute(use, what, "add the index of one")
            return
        if not repeated and isinstance(first, Index):
            what = f"{address} has neither count nor for_each, so there is only one"
            yield self._no_attribute(use, what, "drop the index")
            return
        schema = self.schemas.block(block.type, block.labels[0])
        if schema is not None:
            yield from self._path(use, address, steps if isinstance(first, Attr) else steps[1:], schema)

    def _ignored(self, use: Use) -> Iterator[Finding]:
        type_ = use.block.labels[0] if use.block.type == "resource" and use.block.labels else ""
        schema = self.schemas.block("resource", type_)
        if schema is not None:
            yield from self._path(use, type_, (Attr(use.reference.root), *use.reference.steps), schema)

    def _path(self, use: Use, address: str, steps: Sequence[Step], schema: BlockSchema) -> Iterator[Finding]:
        problem = _path_problem(address, steps, schema)
        if problem is not None:
            yield self._no_attribute(use, *problem)

    def _no_attribute(self, use: Use, message: str, fix: str | None) -> Finding:
        return at(use.reference, "HCL005", message, value=str(use.reference), fix=fix)


def _path_problem(address: str, steps: Sequence[Step], schema: BlockSchema) -> tuple[str, str | None] | None:
    """What is wrong with the steps from a resource into its schema, and a fix."""
    left = list(steps)
    while left:
        name = left.pop(0).key
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


_ACCOUNT = """\
resource "kubernetes_namespace" "journal" {
  metadata {
    name   = "journal"
    labels = { tier = local.tiers.aux }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service_account" "journal" {
  metadata {
    name      = "journal"
    namespace = kubernetes_namespace.journal.metadata[0].name
  }
}
"""
_VOLUME = """\
module "media" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "journal-media-host"
  namespace  = "journal"
  nfs_server = "nfs.internal"
  nfs_path   = "/srv/media"
}

output "claim" {
  value = module.media.claim_name
}
"""


class ReferenceRule(FamilyRule, family=_findings):
    """A reference points at something that exists."""

    code = "HCL004"
    why = "Terraform refuses to plan a stack that refers to an undeclared resource, variable or local value."
    bad = _ACCOUNT.replace("kubernetes_namespace.journal", "kubernetes_namespace.diary")
    good = _ACCOUNT


class ReferenceAttribute(FamilyRule, family=_findings):
    """A reference names an attribute that the resource has."""

    code = "HCL005"
    why = "The provider's schema says which attributes a resource has; anything else stops the plan."
    bad = _ACCOUNT.replace("metadata[0].name", "metadata.name")
    good = _ACCOUNT


class LocalKey(FamilyRule, family=_findings):
    """A key of a local map exists."""

    code = "HCL006"
    why = "Namespace tiers are looked up by key: a key that is not in the map stops the plan."
    bad = _ACCOUNT.replace("tiers.aux", "tiers.apps")
    good = _ACCOUNT


class ModuleOutput(FamilyRule, family=_findings):
    """Every output used is one that the module declares."""

    code = "HCL007"
    why = "Terraform refuses to plan a reference to an output that the module does not declare."
    bad = _VOLUME.replace("claim_name", "claim")
    good = _VOLUME

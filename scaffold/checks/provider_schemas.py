"""Resources and data sources, checked against the schemas of their providers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scaffold.checks.rule import FamilyRule
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding, nearest
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Attribute, Block, Body
from scaffold.terraform.schemas import BlockSchema, ProviderSchema

_META_ARGUMENTS = frozenset(("count", "for_each", "depends_on", "provider"))
_META_BLOCKS = frozenset(("lifecycle", "connection", "provisioner"))
_KINDS = {"resource": "resource", "data": "data source"}


def _findings(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    for document in (d for documents in stack.modules.values() for d in documents):
        for block in document.body.blocks:
            if block.type in _KINDS and len(block.labels) == 2:
                provider = context.schemas.provider_of(block.labels[0])
                if provider is not None:
                    yield from _block(block, provider)


def _block(block: Block, provider: ProviderSchema) -> Iterator[Finding]:
    type_, other = block.labels[0], "resource" if block.type == "data" else "data"
    schema = provider.block(block.type, type_)
    if schema is not None:
        yield from _Walk(top_level=True, where=type_).body(block, block.body, schema)
        return
    fix = nearest(type_, provider.types(block.type))
    if type_ in provider.types(other):
        fix = f"{type_} is a {_KINDS[other]}"
    named = " ".join(filter(None, (provider.name, provider.version)))
    message = f"the provider {named} has no {_KINDS[block.type]} {type_}"
    yield at(block, "RES001", message, value=type_, fix=fix)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One level of a resource: ``where`` is its path, for messages (``kubernetes_service.spec``)."""

    where: str
    top_level: bool = False

    def body(self, block: Block, body: Body, schema: BlockSchema) -> Iterator[Finding]:
        """What is wrong in the body of a block (``block`` says where to report what is missing)."""
        seen: dict[str, int] = {}
        dynamic: set[str] = set()
        for item in body.items:
            if isinstance(item, Attribute):
                yield from self._attribute(item, schema)
            elif self.top_level and item.type in _META_BLOCKS:
                continue
            elif item.type == "dynamic" and item.labels:
                dynamic.add(item.labels[0])
                content = item.body.block("content")
                if content is not None:
                    yield from self._nested(item, item.labels[0], content.body, schema)
            else:
                seen[item.type] = seen.get(item.type, 0) + 1
                yield from self._nested(item, item.type, item.body, schema)
        yield from self._missing(block, body, schema, seen, dynamic)

    def _attribute(self, attribute: Attribute, schema: BlockSchema) -> Iterator[Finding]:
        name = attribute.name
        known = schema.attributes.get(name)
        if known is None:
            if self.top_level and name in _META_ARGUMENTS:
                return
            fix = nearest(name, (*schema.attributes, *schema.blocks))
            if name in schema.blocks:
                fix = f"{name} is a block: write {name} {{ … }} without the equals sign"
            message = f"{self.where} has no argument {name}"
            yield at(attribute, "RES002", message, value=name, fix=fix)
        elif not known.settable:
            message = f"{self.where}.{name} is computed by the provider and cannot be set"
            yield at(attribute, "RES006", message, value=name)
        elif not known.type.fits(attribute.value):
            message = f"{self.where}.{name} is a {known.type}"
            text, allowed = attribute.value.text, [known.type]
            yield at(attribute.value, "RES005", message, value=text, allowed=allowed)

    def _nested(self, block: Block, name: str, body: Body, schema: BlockSchema) -> Iterator[Finding]:
        nested = schema.blocks.get(name)
        if nested is not None:
            yield from _Walk(f"{self.where}.{name}").body(block, body, nested.block)
            return
        attribute = schema.attributes.get(name)
        if attribute is not None and attribute.takes_blocks:
            return
        fix = nearest(name, (*schema.blocks, *schema.attributes))
        if attribute is not None:
            fix = f"{name} is an argument: write {name} = {{ … }}"
        message = f"{self.where} has no block {name}"
        yield at(block, "RES002", message, value=name, fix=fix)

    def _missing(
        self, block: Block, body: Body, schema: BlockSchema, seen: dict[str, int], dynamic: set[str]
    ) -> Iterator[Finding]:
        for name in schema.required:
            if name not in body.attributes and name not in seen and name not in dynamic:
                message = f"{self.where} needs the argument {name}"
                yield at(block, "RES003", message, fix=f"set {name}")
        for name, nested in schema.limited:
            count, most = seen.get(name, 0), nested.most
            if count < nested.min_items and name not in dynamic:
                message = f"{self.where} needs {nested.min_items} {name} block(s) and has {count}"
                yield at(block, "RES004", message, fix=f"add {name} {{ … }}")
            elif most and count > most:
                message = f"{self.where} takes {most} {name} block(s) and has {count}"
                second = body.blocks_of(name)[most]
                yield at(second, "RES004", message)


_CLAIM = """\
resource "kubernetes_persistent_volume_claim" "data" {
  wait_until_bound = false
  metadata {
    name = "journal-data-proxmox"
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources {
      requests = { storage = "1Gi" }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].resources[0].requests]
  }
}
"""
_SETTINGS = """\
resource "kubernetes_config_map" "settings" {
  metadata {
    name = "settings"
  }
  data = { LOG_LEVEL = "info" }
}
"""


class ResourceType(FamilyRule, family=_findings):
    """The provider has this resource."""

    code = "RES001"
    why = "A type that the provider's schema does not know cannot be planned."
    bad = _SETTINGS.replace("config_map", "configmap")
    good = _SETTINGS


class ResourceArgument(FamilyRule, family=_findings):
    """A resource has only arguments and blocks of its schema."""

    code = "RES002"
    why = "A wrong name, or one in the wrong block, stops the plan: wait_until_bound is not part of spec."
    bad = _CLAIM.replace("  wait_until_bound = false\n", "").replace(
        "  spec {\n", "  spec {\n    wait_until_bound   = false\n"
    )
    good = _CLAIM


class ResourceRequired(FamilyRule, family=_findings):
    """A resource has the arguments that it needs."""

    code = "RES003"
    why = "Terraform refuses a block without its required arguments."
    bad = _CLAIM.replace('    access_modes       = ["ReadWriteOnce"]\n', "")
    good = _CLAIM


class ResourceBlocks(FamilyRule, family=_findings):
    """A nested block appears as often as its schema says."""

    code = "RES004"
    why = "Terraform refuses a resource with too few or too many blocks of a type."
    bad = _SETTINGS.replace('  metadata {\n    name = "settings"\n  }\n', "")
    good = _SETTINGS


class ResourceValue(FamilyRule, family=_findings):
    """A literal has the type of the argument."""

    code = "RES005"
    why = "Terraform refuses a value that it cannot convert to the type of the schema."
    bad = _SETTINGS.replace('{ LOG_LEVEL = "info" }', '["LOG_LEVEL=info"]')
    good = _SETTINGS


class ResourceComputed(FamilyRule, family=_findings):
    """Nothing is set that the provider computes."""

    code = "RES006"
    why = "Terraform refuses a value for an attribute that belongs to the provider."
    bad = _SETTINGS.replace('name = "settings"\n', 'name = "settings"\n    uid  = "7d3c1b8e"\n')
    good = _SETTINGS

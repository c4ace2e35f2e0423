"""What controllers write to objects: unless Terraform ignores it, every apply takes it back.

A plan does not show what is ignored, so these rules check the syntax.
"""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from scaffold.checks.contract import IGNORES, Allowed, Contract
from scaffold.checks.ignoring import Ignored, is_marked, line_of, unignored, with_ignored
from scaffold.checks.rule import Rule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.amend import insert_comment
from scaffold.hcl.expressions import Expression
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Block, Document
from scaffold.monorepo.uses import entries, local_values, metadata, resource_type
from scaffold.templates import template
from scaffold.templates.questions import Value


class LifecycleRule(Rule, ABC):
    """A rule about what blocks have to ignore."""

    severity = Severity.WARNING
    resources: ClassVar[str]
    """The pattern of the types of those resources."""
    ignored: ClassVar[str] = ""
    """The fact below ``ignored`` that says what they have to ignore, where it is the same for all."""
    several: ClassVar[str] = ""
    """What the paths are, where there are several: a finding stays the same one when a path comes or goes."""

    @abstractmethod
    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterable[Block]:
        """The resources that the rule is about."""

    def wanted(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """What such a resource in a file has to ignore."""
        yield Ignored(**facts["ignored"][self.ignored])

    def paths(self, facts: Mapping[str, Value]) -> Iterator[str]:
        """Patterns of all the paths that such resources may have to ignore."""
        yield facts["ignored"][self.ignored]["path"]

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """Paths are added to those that are ignored; none is removed, and nothing planned changes."""
        return Contract(tuple(Allowed(self.resources, IGNORES, None, path) for path in self.paths(facts)))

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Resources that do not ignore what they have to, or lack the marker that says why."""
        for block in self.concerned(stack, context):
            document = stack.documents[block.source.path]
            wanted = list(self.wanted(document, block, context.facts))
            if missing := unignored(block, wanted):
                paths = ", ".join(row.path for row in missing)
                what = (
                    f"{block.address} does not ignore {f'all of {self.several}' if self.several else paths}"
                )
                yield at(block, self.code, what, fix=f"add to ignore_changes in its lifecycle: {paths}")
            elif unmarked := [row for row in wanted if not is_marked(document, block, row)]:
                lacks = "marker" if self.several else unmarked[0].marker
                what = f"{block.address} has no {lacks} beside what it ignores"
                fix = "write " + ", ".join(f"# {row.marker} beside {row.path}" for row in unmarked)
                yield at(block, self.code, what, fix=fix)

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after one more path is ignored, or all of them, or the path has its comment."""
        wanted = list(self.wanted(document, block, facts))
        if missing := unignored(block, wanted):
            return with_ignored(document, block, missing)
        row = next((row for row in wanted if not is_marked(document, block, row)), None)
        return insert_comment(document, line_of(block, row), row.comment) if row else None


def resources(stack: ParsedStack) -> Iterator[Block]:
    """The resources of a stack and of its own modules."""
    for documents in stack.modules.values():
        for document in documents:
            yield from (block for block in document.body.blocks_of("resource") if len(block.labels) == 2)


def locals_in(stack: ParsedStack, block: Block) -> Mapping[str, Expression]:
    """The locals of the module that a block is in."""
    documents = stack.modules[posixpath.dirname(block.source.path)]
    return local_values(inner for document in documents for inner in document.body.blocks)


def kind(block: Block) -> str:
    """The kind of a resource as the provider names it: ``job`` of ``kubernetes_job_v1``."""
    return resource_type(block).removeprefix("kubernetes_")


_NAMESPACE = """\
resource "kubernetes_namespace" "journal" {
  metadata {
    name = "journal"
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
}
"""


class NamespaceLabel(LifecycleRule):
    """A namespace ignores the label that a policy stamps on it."""

    code = "LIF001"
    needs = "namespace_label"
    why = "The policy writes it again after every apply, so the stack's plan is never empty."
    rule = "Namespaces"
    resources = "kubernetes_namespace*"
    ignored = "namespace"
    bad = _NAMESPACE[: _NAMESPACE.index("  lifecycle")] + "}\n"
    good = _NAMESPACE

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The namespaces."""
        return (block for block in resources(stack) if kind(block) == "namespace")


_CLAIM = """\
resource "kubernetes_persistent_volume_claim" "data" {
  wait_until_bound = false
  metadata {
    name = "journal-data-proxmox"
    annotations = {
      "resize.topolvm.io/threshold" = "10%"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources {
      requests = {
        storage = "1Gi"
      }
    }
  }
  lifecycle {
    # The autoresizer grows it, and a claim cannot shrink to the size written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}
"""


class GrownClaim(LifecycleRule):
    """A claim that grows by itself ignores its size."""

    code = "LIF004"
    needs = "resizing"
    why = "Once it has grown, every apply fails: Kubernetes does not let a claim shrink."
    rule = "Storage"
    resources = "kubernetes_persistent_volume_claim*"
    ignored = "claim"
    severity = Severity.ERROR
    bad = _CLAIM[: _CLAIM.index("  lifecycle")] + "}\n"
    good = _CLAIM

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The claims with an annotation of the autoresizer: no other one grows."""
        grown = template.facts("operations")["resizing"].keys()
        for block in (block for block in resources(stack) if kind(block) == "persistent_volume_claim"):
            annotations = metadata(block).value("annotations")
            if {entry.name for entry in entries(annotations, locals_in(stack, block))} & grown:
                yield block


_SERVICES = """\
resource "kubernetes_service" "journal" {
  metadata {
    name = "journal"
  }
  spec {
    type = "LoadBalancer"
    port {
      port = 80
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].annotations["metallb.io/ip-allocated-from-pool"]] # METALLB_LIFECYCLE_V1
  }
}

resource "kubernetes_service" "mail" {
  metadata {
    name = "mail"
  }
  spec {
    type = "LoadBalancer"
    port {
      port = 25
    }
  }
"""
_LIFECYCLE = """\
  lifecycle {
    ignore_changes = [metadata[0].annotations["metallb.io/ip-allocated-from-pool"]] # METALLB_LIFECYCLE_V1
  }
"""


class Balanced(LifecycleRule):
    """A Service of the load balancer ignores what the controller writes to it."""

    code = "LIF005"
    why = "The controller writes it again after every apply, so the stack's plan is never empty."
    rule = "MetalLB"
    resources = "kubernetes_service*"
    bad = _SERVICES + "}\n"
    good = _SERVICES + _LIFECYCLE + "}\n"

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The Services with an address of their own, if the house marks any of them."""
        marker = context.facts["load_balancer"]["marker"]
        for block in (block for block in resources(stack) if kind(block) == "service"):
            if block.body.inside("spec").literal("type") == "LoadBalancer":
                own = any(marker.encode() in d.source.data for d in stack.documents.values())
                if own or context.facts["load_balancer"]["marked"] or context.written(marker):
                    yield block

    def wanted(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The annotation with the pool that the address is from."""
        marker = facts["load_balancer"]["marker"]
        yield from (Ignored(path, marker, marker) for path in self.paths(facts))

    def paths(self, facts: Mapping[str, Value]) -> Iterator[str]:
        """The annotation."""
        yield f'metadata[0].annotations["{facts["load_balancer"]["pool_annotation"]}"]'

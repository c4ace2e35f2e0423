"""What the load balancer's controller writes to the Services that it gives an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.checks.ignoring import Ignored
from scaffold.checks.lifecycle import LifecycleRule, kind, resources
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.hcl.syntax import Block, Document
from scaffold.templates.questions import Value

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

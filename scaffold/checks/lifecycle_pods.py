"""What a policy writes into every pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.checks.ignoring import Ignored
from scaffold.checks.lifecycle import LifecycleRule, kind, resources
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.hcl.syntax import Block, Body, Document
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import path_text

_CRON_JOB = """\
resource "kubernetes_cron_job_v1" "journal" {
  metadata {
    name = "journal"
  }
  spec {
    schedule = "0 3 * * *"
    job_template {
      metadata {}
      spec {
        template {
          metadata {}
          spec {
            container {
              name = "journal"
            }
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].job_template[0].spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}
"""


class PodDns(LifecycleRule):
    """What owns pods ignores the DNS settings that a policy writes into them."""

    code = "LIF003"
    needs = "policies"
    why = (
        "Every plan would remove them again; a Job would be replaced, and run once more. Pods that set the"
        " option themselves are left alone by the policy, and by this rule."
    )
    rule = "Kyverno"
    resources = "kubernetes_*"
    bad = _CRON_JOB.replace(" # KYVERNO_LIFECYCLE_V1", "")
    good = _CRON_JOB

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """Every resource with pods."""
        owners = (block for block in resources(stack) if block.labels[0].startswith("kubernetes_"))
        return (block for block in owners if k8s.pod_path(kind(block)) is not None)

    def wanted(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The DNS settings of the pods, if they are the policy's."""
        return of_pod(block, facts)

    def paths(self, facts: Mapping[str, Value]) -> Iterator[str]:
        """The DNS settings, wherever the pods are."""
        yield f"*.{facts['ignored']['pod']['path']}"


def of_pod(block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
    """What a policy writes into the pods of a resource, unless they set the option themselves."""
    row = facts["ignored"]["pod"]
    pod = pod_of(block)
    options = pod.inside(row["path"]).blocks_of("option") if pod else ()
    if all(own.body.literal("name") != row["option"] for own in options):
        path = path_text((*(k8s.pod_path(kind(block)) or ()), "spec", 0, row["path"]))
        yield Ignored(path, row["marker"], row["comment"])


def pod_of(block: Block) -> Body | None:
    """The specification of the pods that a resource makes."""
    body: Body | None = block.body
    for step in (*(k8s.pod_path(kind(block)) or ()), "spec"):
        inner = body.block(step) if body is not None and isinstance(step, str) else None
        body = inner.body if inner else body if isinstance(step, int) else None
    return body

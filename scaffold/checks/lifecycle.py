"""What controllers write to objects: Terraform ignores it, or every apply takes it back.

A plan does not show what is ignored, so these rules are held against the syntax.
"""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from scaffold.checks.rule import Rule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.amend import insert_comment, insert_first, replace
from scaffold.hcl.edit import insert_block, insert_element
from scaffold.hcl.expressions import Expression
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Block, Document
from scaffold.monorepo.uses import entries, local_values, metadata, resource_type
from scaffold.templates import template
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.meta import ignored, ignoring
from scaffold.terraform.planned import Path, path_text

_ONE_LINE = 1
"""How many paths a list in one line may have."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A path that has to be ignored, and the comment beside it; its ``marker`` has to be there."""

    path: str
    marker: str = ""
    comment: str = ""


class LifecycleRule(Rule, ABC):
    """A rule about what blocks have to ignore."""

    severity = Severity.WARNING

    @abstractmethod
    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterable[Block]:
        """The resources that the rule is about."""

    @abstractmethod
    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterable[Ignored]:
        """What such a resource has to ignore."""

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Resources that do not ignore what they have to, or without the marker that tells so."""
        for block in self.concerned(stack, context):
            document, wanted = stack.documents[block.source.path], list(self.wanted(block, context.facts))
            if missing := _unignored(block, wanted):
                paths = ", ".join(row.path for row in missing)
                fix = f"add to ignore_changes in its lifecycle: {paths}"
                yield at(block, self.code, f"{block.address} does not ignore {paths}", fix=fix)
            elif markers := sorted({row.marker for row in wanted if not _is_marked(document, block, row)}):
                what = f"{block.address} has no {' and no '.join(markers)} beside what it ignores"
                yield at(block, self.code, what, fix=f"write # {markers[0]} beside the path")

    def mend(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file in which one more path is ignored, or all of them, or has its comment."""
        wanted = list(self.wanted(block, facts))
        if missing := _unignored(block, wanted):
            return _with(document, block, missing)
        row = next((row for row in wanted if not _is_marked(document, block, row)), None)
        return insert_comment(document, _line(block, row), row.comment) if row else None


def _unignored(block: Block, wanted: list[Ignored]) -> list[Ignored]:
    """Those of which neither the path nor one above it is among those that a resource ignores."""
    paths = list(ignored(block))
    return [row for row in wanted if not any(_covers(path, row.path) for path in paths)]


def _covers(above: Path, path: str) -> bool:
    start = path_text(above)
    return not above or path == start or path.startswith((f"{start}.", f"{start}["))


def _is_marked(document: Document, block: Block, row: Ignored) -> bool:
    """Whether the marker stands in a comment in the ``lifecycle`` block, or right above it."""
    lifecycle = block.body.block("lifecycle")
    if lifecycle is None or not row.marker:
        return True
    around = chain(document.comments_in(lifecycle), document.comments_above(lifecycle.line))
    return any(row.marker in comment.text for comment in around)


def _line(block: Block, row: Ignored) -> int:
    """The line in which a resource ignores a path, or its own where it does not."""
    return next((said.line for path, said in ignoring(block) if _covers(path, row.path)), block.line)


def _with(document: Document, block: Block, missing: list[Ignored]) -> bytes:
    """The file in which a resource ignores one more path, or all of them where that is one edit."""
    lifecycle = block.body.block("lifecycle")
    value = lifecycle.body.value("ignore_changes") if lifecycle else None
    argument = _argument(missing)
    if lifecycle is None:
        whole = "\n".join(["lifecycle {", *(f"  {line}" for line in argument), "}"])
        return insert_block(document, whole, after=block.body.items[-1])
    if value is None:
        items = lifecycle.body.items
        whole = "\n".join(argument)
        return insert_block(document, whole, items[-1]) if items else insert_first(document, lifecycle, whole)
    paths = [*(element.text for element in value.elements), *(row.path for row in missing)]
    if len(missing) > _ONE_LINE and value.line == value.end_line:
        return replace(document, value, "\n".join(["[", *(f"  {path}," for path in paths), "]"]))
    return insert_element(document, value, missing[0].path)


def _argument(rows: list[Ignored]) -> list[str]:
    """The lines of ``ignore_changes``: a word of comment behind what it is about, a sentence above."""
    if len(rows) > _ONE_LINE:
        return ["ignore_changes = [", *(f"  {_remarked(row.path + ',', row)}" for row in rows), "]"]
    (row,) = rows
    line = f"ignore_changes = [{row.path}]"
    return [f"# {row.comment}", line] if " " in row.comment else [_remarked(line, row)]


def _remarked(line: str, row: Ignored) -> str:
    return f"{line} # {row.comment}" if row.comment else line


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
    # A Kyverno policy stamps this label on every namespace. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}
"""


class NamespaceLabel(LifecycleRule):
    """A namespace whose label a policy writes, and every apply takes off."""

    code = "LIF001"
    title = "A namespace ignores the label that a policy stamps on it"
    why = "The policy writes it again after every apply: no plan of the stack is ever empty."
    rule = "Namespaces"
    bad = _NAMESPACE[: _NAMESPACE.index("  lifecycle")] + "}\n"
    good = _NAMESPACE

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The namespaces."""
        return (block for block in resources(stack) if kind(block) == "namespace")

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The label."""
        yield Ignored(**facts["ignored"]["namespace"])


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
    """What owns pods, and does not ignore what a policy writes into them."""

    code = "LIF003"
    title = "What owns pods ignores the DNS settings that a policy writes into them"
    why = "Every plan would take them out again; a Job would be replaced, and run once more."
    rule = "Kyverno"
    bad = _CRON_JOB.replace(" # KYVERNO_LIFECYCLE_V1", "")
    good = _CRON_JOB

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """Whatever owns pods."""
        return (block for block in resources(stack) if _owns_pods(block))

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The DNS settings of the pods."""
        return of_pod(block, facts)


def _owns_pods(block: Block) -> bool:
    return block.labels[0].startswith("kubernetes_") and k8s.pod_path(kind(block)) is not None


def of_pod(block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
    """What a policy writes into the pods of a resource."""
    row = Ignored(**facts["ignored"]["pod"])
    path = path_text((*(k8s.pod_path(kind(block)) or ()), "spec", 0, row.path))
    yield Ignored(path, row.marker, row.comment)


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
    # The autoresizer grows it, and a claim cannot shrink back to what is written here.
    ignore_changes = [spec[0].resources[0].requests]
  }
}
"""


class GrownClaim(LifecycleRule):
    """A claim that the autoresizer grows, and that an apply would shrink."""

    code = "LIF004"
    title = "A claim that grows by itself ignores its size"
    why = "Once it has grown, every apply fails: Kubernetes does not let a claim shrink."
    rule = "Storage"
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

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The size that is asked for."""
        yield Ignored(**facts["ignored"]["claim"])

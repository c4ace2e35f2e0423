"""What controllers write to objects: Terraform ignores it, or every apply takes it back.

A plan does not show what is ignored, so these rules are held against the syntax.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from scaffold.checks.contracts import module_calls
from scaffold.checks.rule import Rule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.amend import insert_comment, insert_first, replace
from scaffold.hcl.edit import insert_block, insert_element
from scaffold.hcl.evaluate import Names, text
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Block, Body, Document, Entry, Expression, ExprKind
from scaffold.monorepo.uses import known_names, metadata, resource_type
from scaffold.templates import template
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import path_text

_ONE_LINE = 1
"""How many paths a list in one line may have."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A path that has to be ignored, and the comment beside it; its ``marker`` has to be there."""

    path: str
    marker: str = ""
    comment: str = ""


class LifecycleRule(Rule):
    """A rule about what blocks have to ignore."""

    severity = Severity.WARNING

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterable[Block]:
        """The resources that the rule is about."""
        raise NotImplementedError

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterable[Ignored]:
        """What such a resource has to ignore."""
        raise NotImplementedError

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Resources that do not ignore what they have to, or without the marker that tells so."""
        for block in self.concerned(stack, context):
            document = stack.documents[block.source.path]
            wanted = list(self.wanted(block, context.facts))
            if missing := [row.path for row in wanted if not _is_ignored(block, row)]:
                paths = ", ".join(missing)
                fix = f"add to ignore_changes in its lifecycle: {paths}"
                yield at(block, self.code, f"{block.address} does not ignore {paths}", fix=fix)
            elif markers := sorted({row.marker for row in wanted if not _is_marked(document, block, row)}):
                what = f"{block.address} ignores it without {' and '.join(markers)}"
                yield at(block, self.code, what, fix=f"write # {markers[0]} beside the path")

    def mend(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file in which one more path is ignored, or all of them, or has its comment."""
        wanted = list(self.wanted(block, facts))
        if missing := [row for row in wanted if not _is_ignored(block, row)]:
            return _with(document, block, missing)
        row = next((row for row in wanted if not _is_marked(document, block, row)), None)
        return insert_comment(document, _line(block, row), row.comment) if row else None


def _ignored(block: Block) -> Expression | None:
    lifecycle = block.body.block("lifecycle")
    return lifecycle.body.value("ignore_changes") if lifecycle else None


def _is_ignored(block: Block, row: Ignored) -> bool:
    """Whether a path, or one above it, is among those that a resource ignores."""
    value = _ignored(block)
    if value is None or value.kind is not ExprKind.LIST:
        return value is not None and value.text == "all"
    return any(_covers(element, row.path) for element in value.elements)


def _covers(element: Expression, path: str) -> bool:
    ignored = str(element.traversal)
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))


def _is_marked(document: Document, block: Block, row: Ignored) -> bool:
    """Whether the marker stands in a comment in the ``lifecycle`` block, or right above it."""
    lifecycle = block.body.block("lifecycle")
    if lifecycle is None or not row.marker:
        return True
    inside = (c for c in document.comments if lifecycle.line <= c.line <= lifecycle.end_line)
    return any(row.marker in c.text for c in chain(inside, document.comments_above(lifecycle.line)))


def _line(block: Block, row: Ignored) -> int:
    """The line of a path that is ignored, or of the list where it is in one line."""
    value = _ignored(block)
    elements = value.elements if value is not None else ()
    return next((e.line for e in elements if _covers(e, row.path)), value.line if value else block.line)


def _with(document: Document, block: Block, missing: list[Ignored]) -> bytes:
    """The file in which a resource ignores one more path, or all of them where that is one edit."""
    lifecycle, value = block.body.block("lifecycle"), _ignored(block)
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


def _resources(stack: ParsedStack) -> Iterator[Block]:
    for documents in stack.modules.values():
        for document in documents:
            yield from (block for block in document.body.blocks_of("resource") if len(block.labels) == 2)


def _kind(block: Block) -> str:
    return resource_type(block).removeprefix("kubernetes_")


def _pod(block: Block) -> Body | None:
    """The specification of the pods that a resource makes."""
    body: Body | None = block.body
    for step in (*(k8s.pod_path(_kind(block)) or ()), "spec"):
        inner = body.block(step) if body is not None and isinstance(step, str) else None
        body = inner.body if inner else body if isinstance(step, int) else None
    return body


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
        return (block for block in _resources(stack) if _kind(block) == "namespace")

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The label."""
        yield Ignored(**facts["ignored"]["namespace"])


_ENROLLED = """\
resource "kubernetes_namespace" "journal" {
  metadata {
    name = "journal"
    labels = {
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    # A Kyverno policy stamps this label on every namespace. KYVERNO_LIFECYCLE_V1
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]]
  }
}

resource "kubernetes_deployment" "journal" {
  metadata {
    name      = "journal"
    namespace = kubernetes_namespace.journal.metadata[0].name
  }
  spec {
    template {
      metadata {}
      spec {
        container {
          name  = "journal"
          image = "docker.io/example/journal:1.2.3"
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [
      spec[0].template[0].spec[0].dns_config, # KYVERNO_LIFECYCLE_V1
      metadata[0].annotations["keel.sh/policy"],
      metadata[0].annotations["keel.sh/trigger"],
      metadata[0].annotations["keel.sh/pollSchedule"], # KYVERNO_LIFECYCLE_V2
      metadata[0].annotations["keel.sh/match-tag"],
      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE
      metadata[0].annotations["kubernetes.io/change-cause"],
      metadata[0].annotations["deployment.kubernetes.io/revision"],
      spec[0].template[0].metadata[0].annotations["keel.sh/update-time"], # KEEL_LIFECYCLE_V1
    ]
  }
}
"""


class KeelBlock(LifecycleRule):
    """A workload that Keel moves, and that an apply would move back."""

    code = "LIF002"
    title = "A workload in an enrolled namespace ignores what Keel writes"
    why = "An apply takes the images back to what is written here, and Keel moves them again."
    rule = "Keel"
    bad = _ENROLLED.replace("      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE\n", "")
    good = _ENROLLED

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The workloads in enrolled namespaces that Keel does not leave alone."""
        names = stack.once(_known, context)
        enrolled = set()
        for block in _resources(stack):
            if _kind(block) == "namespace" and _said(metadata(block), "labels", "keel.sh/enrolled") == "true":
                enrolled.add(_text(block, "name", names))
        servers = (block for block in _resources(stack) if _kind(block) in k8s.SERVERS)
        there = (block for block in servers if _text(block, "namespace", names) in enrolled - {None})
        return (block for block in there if not _is_left_alone(block))

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """What the policy and Keel write, and the image of every container that Keel moves."""
        known = facts["ignored"]
        yield from _of_pod(block, facts)
        own = {entry.name for entry in _entries(metadata(block), "annotations")}
        rows = [Ignored(**row) for row in known["enrolled"]]
        # What the stack sets itself is its own.
        yield from (row for row in rows if not any(f'["{name}"]' in row.path for name in own))
        pods = path_text(k8s.pod_path(_kind(block)) or ())
        for slot in _moved(block):
            yield Ignored(f"{pods}.spec[0].{slot}.image", comment=known["image"]["comment"])
        yield from (Ignored(**row) for row in known["moved"])


def _moved(block: Block) -> Iterator[str]:
    """The containers that Keel moves: all, and of those that run before them what has the image of one."""
    pod = _pod(block)
    if pod is None or pod.block("dynamic", "container"):
        return
    images = set()
    for number, container in enumerate(pod.blocks_of("container")):
        image = container.body.value("image")
        images.add(image.text if image else "")
        yield f"container[{number}]"
    for number, container in enumerate(pod.blocks_of("init_container")):
        image = container.body.value("image")
        if image is not None and image.text in images:
            yield f"init_container[{number}]"


def _is_left_alone(block: Block) -> bool:
    said = (_said(metadata(block), where, "keel.sh/policy") for where in ("annotations", "labels"))
    return "never" in said


def _entries(body: Body, name: str) -> Iterator[Entry]:
    value = body.value(name)
    return iter(value.entries if value is not None else ())


def _said(body: Body, name: str, key: str) -> object:
    """The literal that a map of a body has for a key."""
    return next((entry.value.literal() for entry in _entries(body, name) if entry.name == key), None)


def _text(block: Block, name: str, known: Mapping[str, Names]) -> str | None:
    """A text of a resource's ``metadata``, as far as the names in its module are known."""
    value = metadata(block).value(name)
    return text(value, known[posixpath.dirname(block.source.path)]) if value is not None else None


def _known(stack: ParsedStack, context: CheckContext) -> Mapping[str, Names]:
    """What the names in each module of a stack are known to be; variables where all calls give the same."""
    known: dict[str, Names] = {}
    calls = stack.once(module_calls, context)
    for directory in sorted(stack.modules):  # a module inside the stack comes after the stack
        given: dict[tuple[str, ...], object] = {}
        for call in (call for call in calls if call.directory == directory):
            around = known.get(posixpath.dirname(call.block.source.path), {})
            for name, attribute in call.block.body.attributes.items():
                value = text(attribute.value, around)
                given[("var", name)] = value if given.get(("var", name), value) == value else None
        blocks = chain.from_iterable(document.body.blocks for document in stack.modules[directory])
        known[directory] = known_names(blocks, {name: v for name, v in given.items() if v is not None})
    return known


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
        return (block for block in _resources(stack) if _kind_of_owner(block))

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The DNS settings of the pods."""
        return _of_pod(block, facts)


def _kind_of_owner(block: Block) -> bool:
    return block.labels[0].startswith("kubernetes_") and k8s.pod_path(_kind(block)) is not None


def _of_pod(block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
    row = Ignored(**facts["ignored"]["pod"])
    path = path_text((*(k8s.pod_path(_kind(block)) or ()), "spec", 0, row.path))
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
        """The claims of block volumes, and those with an annotation of the autoresizer."""
        classes = (context.facts["storage_plain"], context.facts["storage_encrypted"])
        grown = template.facts("operations")["resizing"].keys()
        for block in (block for block in _resources(stack) if _kind(block) == "persistent_volume_claim"):
            spec = block.body.block("spec")
            class_ = spec.body.literal("storage_class_name") if spec else None
            annotated = {entry.name for entry in _entries(metadata(block), "annotations")}
            if class_ in classes or annotated & grown:
                yield block

    def wanted(self, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """The size that is asked for."""
        yield Ignored(**facts["ignored"]["claim"])

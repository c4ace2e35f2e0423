"""What policies and Keel write to workloads and their pods."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from scaffold.checks.contracts import module_calls
from scaffold.checks.ignoring import Ignored
from scaffold.checks.lifecycle import LifecycleRule, kind, locals_in, resources
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.hcl.evaluate import Names, text
from scaffold.hcl.expressions import Expression
from scaffold.hcl.syntax import Block, Body, Document
from scaffold.monorepo.uses import enrolled, entries, known_names, metadata
from scaffold.templates import template
from scaffold.templates.image import ImageReference
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
        return _of_pod(block, facts)

    def paths(self, facts: Mapping[str, Value]) -> Iterator[str]:
        """The DNS settings, wherever the pods are."""
        yield f"*.{facts['ignored']['pod']['path']}"


_ENROLLED = """\
resource "kubernetes_namespace" "journal" {
  metadata {
    name = "journal"
    labels = {
      "keel.sh/enrolled" = "true"
    }
  }
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
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
    """A workload in an enrolled namespace ignores what Keel writes."""

    code = "LIF002"
    needs = "keel"
    why = "An apply reverts the images to what is written here, and Keel moves them again."
    rule = "Keel"
    resources = "kubernetes_*"
    several = "what Keel and its policy write"
    bad = _ENROLLED.replace("      spec[0].template[0].spec[0].container[0].image, # KEEL_IGNORE_IMAGE\n", "")
    good = _ENROLLED

    def concerned(self, stack: ParsedStack, context: CheckContext) -> Iterator[Block]:
        """The workloads in enrolled namespaces that are not exempt from Keel."""
        names, own = stack.once(_known, context), list(resources(stack))
        made = {_text(block, "name", names) for block in own if kind(block) == "namespace"}
        its = {
            space
            for directory, documents in stack.modules.items()
            for space in enrolled((b for d in documents for b in d.body.blocks), names[directory])
        }
        for block in (block for block in own if kind(block) in k8s.SERVERS):
            place = _text(block, "namespace", names)
            is_in = place in its or (place is not None and place not in made and context.enrols(place))
            if is_in and not _is_left_alone(stack, block):
                yield block

    def wanted(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
        """What the policy and Keel write, and the image of every container that Keel updates."""
        known = facts["ignored"]
        yield from _of_pod(block, facts)
        own = {entry.name for entry in entries(metadata(block).value("annotations"), {})}
        rows = [_row(row, known["enrolled"]) for row in known["enrolled"]]
        # What the stack sets itself is its own.
        yield from (row for row in rows if not any(f'["{name}"]' in row.path for name in own))
        pods = path_text(k8s.pod_path(kind(block)) or ())
        # With a policy of its own, Keel may move more than releases.
        asks = template.facts("operations")["keel"]["policy"] in own
        for slot in _moved(block, lambda image: asks or _is_movable(document, image, facts)):
            yield Ignored(f"{pods}.spec[0].{slot}.image", comment=known["image"]["comment"])
        moved = (row for row in known["moved"] if row["of"] in ("", kind(block)))
        yield from (_row(row, known["moved"]) for row in moved)

    def paths(self, facts: Mapping[str, Value]) -> Iterator[str]:
        """The same of any workload, with the images of all its containers."""
        known = facts["ignored"]
        yield f"*.{known['pod']['path']}"
        yield "*container[*].image"
        yield from (row["path"] for row in (*known["enrolled"], *known["moved"]))


def _of_pod(block: Block, facts: Mapping[str, Value]) -> Iterator[Ignored]:
    """What a policy writes into the pods of a resource, unless they set the option themselves."""
    row = facts["ignored"]["pod"]
    pod = _pod_of(block)
    options = pod.inside(row["path"]).blocks_of("option") if pod else ()
    if all(own.body.literal("name") != row["option"] for own in options):
        path = path_text((*(k8s.pod_path(kind(block)) or ()), "spec", 0, row["path"]))
        yield Ignored(path, row["marker"], row["comment"])


def _pod_of(block: Block) -> Body | None:
    """The specification of the pods that a resource makes."""
    body: Body | None = block.body
    for step in (*(k8s.pod_path(kind(block)) or ()), "spec"):
        inner = body.block(step) if body is not None and isinstance(step, str) else None
        body = inner.body if inner else body if isinstance(step, int) else None
    return body


def _row(row: Value, group: Value) -> Ignored:
    """A path; written by itself, it has the marker of who writes it where it has none of its own."""
    markers = (other["comment"] for other in group if other["comment"])
    return Ignored(row["path"], row["marker"], row["comment"], row["comment"] or next(markers, ""))


def _moved(block: Block, is_movable: Callable[[Expression | None], bool]) -> Iterator[str]:
    """The containers whose images are updated, and those init containers that have the image of one."""
    pod = _pod_of(block)
    if pod is None or pod.block("dynamic", "container"):
        return
    images = set()
    for number, container in enumerate(pod.blocks_of("container")):
        image = container.body.value("image")
        if is_movable(image):
            images.add(image.text if image else "")
            yield f"container[{number}]"
    for number, container in enumerate(pod.blocks_of("init_container")):
        image = container.body.value("image")
        if image is not None and image.text in images:
            yield f"init_container[{number}]"


def _is_movable(document: Document, image: Expression | None, facts: Mapping[str, Value]) -> bool:
    """Whether Keel can order an image's tag, or CI updates the image; an unknown tag may be updated."""
    if image is None:
        return True
    known = text(image, {}) or text(image, known_names(document.body.blocks))
    parts = ImageReference.parse(known or "")
    own = (row["registry"] for row in facts["builds"].values() if row["owned"])
    if known is None or f"{parts.host}/{parts.repository}".startswith(tuple(f"{name}/" for name in own)):
        return True
    return not parts.digest and re.search(facts["keel_orders"], parts.tag) is not None


def _is_left_alone(stack: ParsedStack, block: Block) -> bool:
    policy, known = template.facts("operations")["keel"]["policy"], locals_in(stack, block)
    maps = (metadata(block).value(where) for where in ("annotations", "labels"))
    said = (next((e.value.literal() for e in entries(m, known) if e.name == policy), None) for m in maps)
    return "never" in said


def _text(block: Block, name: str, known: Mapping[str, Names]) -> str | None:
    """A text of a resource's ``metadata``, as far as the names in its module are known."""
    value = metadata(block).value(name)
    return text(value, known[posixpath.dirname(block.source.path)]) if value is not None else None


def _known(stack: ParsedStack, context: CheckContext) -> Mapping[str, Names]:
    """The known values of names in each module of a stack; variables only if all calls agree."""
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

"""What runs: the image, its ports and resources, and how it is rolled out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.adoption.inferred import STOOD, Certainty, Inferred, found
from scaffold.adoption.reading import first, known, labels, number, text, texts, words
from scaffold.adoption.standing import Standing, is_balancer
from scaffold.templates import decisions, template
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Placeholder, PlannedResource, Tree, get

_SPEC = "spec[0].template[0].spec[0]"
_CONTAINER = f"{_SPEC}.container[0]"
_GPU = "nvidia.com/gpu"
_DISK = "ephemeral-storage"
_LIBRARY = "library/"


def image_of(tree: Tree) -> str:
    """An image with its registry written out; for Docker Hub, the name may omit it."""
    written = tree.text if isinstance(tree, Placeholder) else text(tree)
    if not written:
        return ""
    image = ImageReference.parse(written)
    inside = (
        image.repository if "/" in image.repository or image.registry else f"{_LIBRARY}{image.repository}"
    )
    return str(ImageReference(image.host, inside, image.tag, image.digest))


def image(stack: Standing) -> Iterator[Inferred]:
    """The app's image; for one of the house's own, how it is built, from its registry and pull secret."""
    if stack.runs is None:
        return
    owner = stack.runs.owner
    written = image_of(get(stack.container, "image"))
    pulled = {text(s, "name") for s in k8s.items(stack.runs.spec, "image_pull_secrets")}
    package = ImageReference.parse(written)
    theirs = _of_owner(stack, package, pulled)
    build = built_as(written, pulled, stack.facts) or theirs
    at = f"{_CONTAINER}.image"
    if not build:
        yield found("image", written, owner, at)
        yield from _pulled(stack, pulled)
        return
    row = stack.facts["builds"][build]
    yield found("build", build, owner, at, Certainty.LIKELY)
    if build == theirs and package.home != row["registry"]:
        yield found("repository", package.repository, owner, at, Certainty.LIKELY)
    elif package.name != f"{row['registry']}/{stack.name}":
        yield found("image", package.name, owner, at)
    if row["pull_secret"] and row["pull_secret"] not in pulled and row["forge"] != "own":
        yield found("public_package", True, owner, f"{_SPEC}.image_pull_secrets", Certainty.LIKELY)
    yield from _pulled(stack, pulled - {row["pull_secret"]})


def _pulled(stack: Standing, pulled: set[str]) -> Iterator[Inferred]:
    """The Secrets that its pods pull images with, besides those for the house's own images."""
    assert stack.runs is not None
    images = [image_of(get(c, "image")) for pods in k8s.pod_templates(stack.own) for c in pods.containers()]
    builds = {built_as(image, pulled, stack.facts) for image in images} - {""}
    usual = {stack.facts["builds"][build]["pull_secret"] for build in builds}
    if names := sorted(filter(None, pulled - usual)):
        yield found("pull_secrets", names, stack.runs.owner, f"{_SPEC}.image_pull_secrets")


def built_as(image: str, pulled: set[str], facts: Mapping[str, Value]) -> str:
    """How one of the house's own images is built: the first mode with its registry; empty for others."""
    # During a move between registries images are at the usual one too.
    usual_rows = decisions.house()["builds"]
    ways = [
        (mode, row)
        for mode, row in facts["builds"].items()
        if row["owned"] and image.startswith((f"{row['registry']}/", f"{usual_rows[mode]['registry']}/"))
    ]
    usual = [way for way in ways if way[0] == facts["own_build"]]
    fitting = [way for way in usual + ways if way[1]["pull_secret"] in pulled or not way[1]["pull_secret"]]
    return next((mode for mode, _ in fitting or usual or ways), "")


def _of_owner(stack: Standing, image: ImageReference, pulled: set[str]) -> str:
    """How an image with the stack's name is built that is pulled as the house's own, of another owner."""
    rows = stack.facts["builds"].items() if image.repository.split("/")[1:] == [stack.name] else ()
    there = ((mode, row) for mode, row in rows if row.get("of_owner") and row["pull_secret"] in pulled)
    return next((mode for mode, row in there if row["registry"].partition("/")[0] == image.registry), "")


def command(stack: Standing) -> Iterator[Inferred]:
    """What the container runs instead of its image's entrypoint."""
    for part in ("command", "args"):
        if stack.app and (said := words(stack.container, part)):
            yield found(part, said, stack.app.owner, f"{_CONTAINER}.{part}")


def ports(stack: Standing) -> Iterator[Inferred]:
    """The port that receives requests, that of the Service in front of it, and additional ones."""
    if stack.app is None:
        return
    service, owner = stack.service, stack.app.owner
    main = number(stack.port, "container_port")
    fronts = k8s.items(service.get("spec", 0, "port")) if service is not None else ()
    front = next(
        (p for p in fronts if _leads_to(p, main, text(stack.port, "name") or "http")),
        fronts[0] if fronts else None,
    )
    if main is None:
        main = number(front, "target_port") or number(front, "port")
    if main is not None:
        yield found("port", main, owner, f"{_CONTAINER}.port")
    if stack.port is not None and (called := port_called(stack, stack.port)) != "http":
        yield found("object_names", {"port": called}, owner, f"{_CONTAINER}.port")
    if service is not None and (outside := number(front, "port")) not in (None, 80):
        yield found("service_port", outside, service, "spec[0].port")
    balanced = [p for s in filter(is_balancer, stack.services) for p in k8s.items(s.get("spec", 0, "port"))]
    more: list[tuple[int, dict[str, Value], str]] = []
    for port in k8s.items(stack.container, "port"):
        if port is not stack.port and (inside := number(port, "container_port")):
            name = text(port, "name")
            there = next((p for p in fronts if p is not front and _leads_to(p, inside, name)), None)
            outside_ = number(
                there or next((p for p in balanced if _leads_to(p, inside, name)), None), "port"
            )
            item = {
                "name": port_called(stack, port),
                "port": inside,
                "protocol": "UDP" if get(port, "protocol") == "UDP" else "",
                "service_port": outside_ if outside_ != inside else None,
            }
            hidden = {"in_service": False} if service is not None and there is None else {}
            place = fronts.index(there) if there is not None else more[-1][0] if more else -1
            more.append((place, known(item) | hidden, f"{_CONTAINER}.port"))
    for name, protocol, first_, last in ranges(stack):
        item = {"name": name, "port": first_, "to": last, "protocol": protocol if protocol == "UDP" else ""}
        place = next((place for place, p in enumerate(fronts) if _leads_to(p, first_)), len(fronts))
        hidden = {} if place < len(fronts) else {"in_service": False}
        more.append((place, known(item) | hidden, "spec[0].port"))
    # A Service has them in the order of the answers.
    for _, item, at in sorted(more, key=lambda one: one[0]):
        yield found("ports", [item], owner, at)


def ranges(stack: Standing) -> Iterator[tuple[str, str, int, int]]:
    """Ports of Services in a row, each named after its number: name, protocol, first and last."""
    numbered: dict[tuple[str, str], set[int]] = {}
    for port in (p for s in stack.services for p in k8s.items(s.get("spec", 0, "port"))):
        name, inside = text(port, "name"), number(port, "target_port")
        if inside is not None and inside == number(port, "port") and name.endswith(f"-{inside}"):
            kind = name.removesuffix(f"-{inside}"), text(port, "protocol") or "TCP"
            numbered.setdefault(kind, set()).add(inside)
    for (name, protocol), all_ in numbered.items():
        if name and len(all_) > 1 and len(all_) == max(all_) - min(all_) + 1:
            yield name, protocol, min(all_), max(all_)


def port_called(stack: Standing, port: Tree) -> str:
    """What a port of the app's container is called: there, or at a Service in front of it, or as is usual."""
    inside, protocol = number(port, "container_port"), text(port, "protocol") or "TCP"
    fronts = (p for s in stack.services for p in k8s.items(s.get("spec", 0, "port")))
    usual = "http" if port is stack.port else ""
    its = (p for p in fronts if _leads_to(p, inside, usual) and (text(p, "protocol") or "TCP") == protocol)
    named = next((name for p in its if (name := text(p, "name"))), "")
    return text(port, "name") or named or ("http" if port is stack.port else port_name(port))


def port_name(port: Tree) -> str:
    """The default name of a port."""
    return f"{'udp' if get(port, 'protocol') == 'UDP' else 'port'}-{number(port, 'container_port')}"


def _leads_to(port: Tree, inside: int | None, name: str = "") -> bool:
    """Whether a port of a Service leads to a container's, by its number or name."""
    target = str(get(port, "target_port") or get(port, "port"))
    return inside is not None and target in (str(inside), name)


def resources(stack: Standing) -> Iterator[Inferred]:
    """Memory, CPU and slices of the GPU."""
    if stack.app is None:
        return
    for question, value in amounts(stack, stack.container).items():
        yield found(question, value, stack.app.owner, f"{_CONTAINER}.resources")
    if slices := number(stack.container, "resources", 0, "limits", _GPU):
        yield found("gpu", slices, stack.app.owner, f"{_CONTAINER}.resources")


def amounts(stack: Standing, container: Tree) -> dict[str, Value]:
    """What a container requests and its limits, in the form of answers."""
    asked, most = (get(container, "resources", 0, kind) for kind in ("requests", "limits"))
    limit, request = (_whole(text(kind, "memory")) for kind in (most, asked))
    lower = request if limit and (request != limit or stack.states_requests) else ""
    return known({"memory": limit or request, "memory_request": lower, "cpu": text(asked, "cpu")})


def _whole(memory: str) -> str:
    """An amount of memory in the form of answers, without a fraction: 1.5Gi becomes 1536Mi."""
    amount = k8s.quantity(memory) if "." in memory else None
    mebibytes = amount / 2**20 if amount else 0.5
    return f"{int(mebibytes)}Mi" if mebibytes.is_integer() else memory


def extended(stack: Standing) -> Iterator[Inferred]:
    """Its share of resources that a device plugin provides, and of its node's disk."""
    usual = ("memory", "cpu", _GPU)
    limits_ = k8s.mapping(stack.container, "resources", 0, "limits") if stack.app else {}
    value = {name: amount for name, said in limits_.items() if name not in usual and (amount := number(said))}
    if stack.app and value:
        yield found("extended_resources", value, stack.app.owner, f"{_CONTAINER}.resources")
    asked, most = (get(stack.container, "resources", 0, kind, _DISK) for kind in ("requests", "limits"))
    if stack.app and (disk := known({"request": text(asked), "limit": text(most)})):
        yield found("ephemeral_storage", disk, stack.app.owner, f"{_CONTAINER}.resources")


def confinement(container: Tree) -> dict[str, Value]:
    """How a container is confined, in the form of answers."""
    context = first(container, "security_context")
    root = get(context, "run_as_non_root")
    said = {
        "run_as_non_root": {True: True, "true": True}.get(root) if isinstance(root, str | bool) else None,
        "read_only_root": get(context, "read_only_root_filesystem") is True or None,
        "privilege_escalation": False if get(context, "allow_privilege_escalation") is False else None,
        "drop_capabilities": "ALL" in texts(context, "capabilities", 0, "drop") or None,
    }
    stated = {name: value for name, value in said.items() if value is not None}
    return {"security": stated} if stated else {}


def confined(stack: Standing) -> Iterator[Inferred]:
    """How the app's container is confined."""
    for question, value in confinement(stack.container).items() if stack.app else ():
        assert stack.app is not None
        yield found(question, value, stack.app.owner, f"{_CONTAINER}.security_context")


def rollout(stack: Standing) -> Iterator[Inferred]:
    """How many pods run, how a new version replaces the old one, and whether an apply waits for it."""
    if stack.app is None:
        return
    owner = stack.app.owner
    replicas = number(owner.get("spec", 0, "replicas"))
    asleep = k8s.mapping(owner.get("metadata", 0, "labels")).get(template.facts("operations")["resting"])
    if replicas not in (None, 1) and asleep != "true":  # else something else scales it
        yield found("replicas", replicas, owner, "spec[0].replicas")
    strategy = text(owner.get("spec", 0, "strategy", 0, "type")) or "RollingUpdate"
    yield found("strategy", strategy, owner, "spec[0].strategy")
    if owner.get("wait_for_rollout") is False:
        yield found("wait_for_rollout", False, owner, "wait_for_rollout")
    given = number(stack.runs.spec, "termination_grace_period_seconds") if stack.runs else None
    if given not in (None, 30):
        yield found("shutdown_seconds", given, owner, "termination_grace_period_seconds")


def user(stack: Standing) -> Iterator[Inferred]:
    """The user that its process runs as."""
    context = first(stack.runs.spec, "security_context") if stack.runs else None
    user, group = number(context, "run_as_user"), number(context, "fs_group")
    if stack.runs and user:
        yield found("uid", user, stack.runs.owner, f"{_SPEC}.security_context")
    if stack.runs and group and group != user:
        yield found("fs_group", group, stack.runs.owner, f"{_SPEC}.security_context")


def pod(stack: Standing) -> Iterator[Inferred]:
    """Where its pods may run, and what else they may do."""
    if stack.app is None:
        return
    owner, spec = stack.app.owner, stack.app.spec
    gpu = get(stack.container, "resources", 0, "limits", _GPU) is not None
    if nodes := labels(get(spec, "node_selector"), [f"{_GPU}.present"] if gpu else []):
        yield found("node_selector", nodes, owner, f"{_SPEC}.node_selector")
    known_taints = [known(_taint(taint)) for taint in k8s.items(spec, "toleration")]
    if taints := [taint for taint in known_taints if not gpu or taint.get("key") != _GPU]:
        yield found("tolerations", taints, owner, f"{_SPEC}.toleration")
    if priority := text(spec, "priority_class_name"):
        yield found("priority_class", priority, owner, f"{_SPEC}.priority_class_name")
        if re.search(stack.facts["system_priority_classes"], priority):
            yield _reason(stack, "priority_class_reason", owner, "priority_class_name")
    if more := texts(stack.container, "security_context", 0, "capabilities", 0, "add"):
        yield found("capabilities", more, owner, f"{_CONTAINER}.security_context")
        if set(more).difference(stack.facts["baseline_capabilities"]):
            yield _reason(stack, "capabilities_reason", owner, "capabilities")


def _taint(taint: Tree) -> dict[str, Value]:
    effect = text(taint, "effect")
    said = {name: text(taint, name) for name in ("key", "value")}
    return {**said, "effect": effect if effect != "NoSchedule" else ""}


def _reason(stack: Standing, question: str, owner: PlannedResource, inside: str) -> Inferred:
    """The reason for something, from the comment above it."""
    said = stack.written.inner_reason(owner.site, inside) or STOOD
    return found(question, said, owner, f"comment above {inside}", Certainty.LIKELY)

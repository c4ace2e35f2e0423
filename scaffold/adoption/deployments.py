"""Deployments beside the app's, each as an item of the answer ``workloads``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.adoption import beside, marks, placement, probes, workload
from scaffold.adoption.inferred import RECORDED, Inferred, found, gathered, holding
from scaffold.adoption.reading import known, labels, name_of, number, text
from scaffold.adoption.standing import Standing
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s

_AS_THE_APP = (
    workload.ports,
    workload.extended,
    probes.probes,
    workload.rollout,
    workload.user,
    workload.pod,
    placement.availability,
    marks.marks,
    marks.service,
)
_TAKEN = (
    "port", "service_port", "ports", "health_path", "probes", "replicas", "strategy", "extended_resources",
    "uid", "wait_for", "wait_for_rollout", "shutdown_seconds", "metrics",
    "availability", "node_selector", "tolerations",
)  # fmt: skip
_GPU = "nvidia.com/gpu"


def workloads(stack: Standing) -> Iterator[Inferred]:
    """What runs in pods of its own beside the app, inferred as the app is."""
    for other in stack.others:
        view = stack.of(other)
        if view.app is None:
            continue
        said, _ = gathered(holding([one for subject in _AS_THE_APP for one in subject(view)]))
        called = name_of(other)
        name = called.removeprefix(f"{stack.called}-")[:40].strip("-")
        item = {
            **beside.described(stack, view.app, view.container, whole=False),
            **{key: said[key] for key in _TAKEN if key in said},
            "port_name": _named(said),
            "gpu": number(view.container, "resources", 0, "limits", _GPU),
            "reloader": _reloader(stack, view, said),
            "keel": "never" if said.get("keel") == "never" else "",
        }
        container = item.pop("name")
        item.pop("service_account", None)
        item = known(item)
        item |= _without_service(view, item)
        item |= _as_user(view, item)
        item = {"name": name, **item}
        if f"{stack.called}-{name}" != called:
            item["object_name"] = called
        if container != name:
            item["container"] = container
        yield found("workloads", [item], other, "spec[0].template[0].spec[0]")
        matched = labels(other.get("spec", 0, "selector", 0, "match_labels"))
        if matched != {"app": called}:
            kept = {"names": {"workloads": {called: dict(matched)}}}
            yield found(RECORDED, kept, other, "spec[0].selector")


def _named(said: dict[str, Value]) -> str:
    names = said.get("object_names")
    return text(names.get("port")) if isinstance(names, dict) else ""


def _reloader(stack: Standing, view: Standing, said: dict[str, Value]) -> Value:
    """What a Deployment tells Reloader: with the app's image, the same unless it says otherwise."""
    asked = said.get("reloader", "")
    app = {one.question: one.value for one in marks.marks(stack)}
    if asked not in ("", "never") or (view.app is not None and any(k8s.secrets(view.app))):
        return asked
    return "never" if app.get("reloader", "never") != "never" else ""


def _without_service(view: Standing, item: dict[str, Value]) -> dict[str, Value]:
    """Ports of a container that no Service leads to: all of them are the pod's alone."""
    if view.service is not None or "port" not in item:
        return {}
    for key in ("port", "port_name", "service_port"):
        item.pop(key, None)
    ports = map(beside.port, k8s.items(view.container, "port"))
    return {"ports": [{**port, "in_service": False} for port in ports]}


def _as_user(view: Standing, item: dict[str, Value]) -> dict[str, Value]:
    """The user of a LinuxServer.io image, which has it from two variables."""
    env = item.get("env")
    fits = re.search(view.facts["linuxserver_images"], text(item.get("image")))
    if not (fits and isinstance(env, dict)) or "uid" in item or env.get("PUID") != env.get("PGID"):
        return {}
    user = number(env.get("PUID"))
    rest = {name: env[name] for name in env if name not in ("PUID", "PGID")}
    return {"uid": user, "env": rest} if user is not None else {}


def inexpressible(stack: Standing) -> Iterator[str]:
    """What no answer says of Deployments beside the app's, each in words."""
    for other in stack.others:
        called, view = name_of(other), stack.of(other)
        if text(k8s.namespace(other)) != stack.namespace:
            yield f"{called} is in another namespace"
        elif view.app is None or len(k8s.items(view.app.spec, "container")) != 1:
            yield f"the pods of {called} have several containers"
        elif k8s.items(view.app.spec, "init_container"):
            yield f"the pods of {called} have init containers"

"""Containers other than the app's own: sidecars, init containers, and those of jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.adoption import computed
from scaffold.adoption.environment import reference, value_of
from scaffold.adoption.files import own_directories
from scaffold.adoption.inferred import STOOD, Inferred, found, renamed
from scaffold.adoption.probes import probe_row
from scaffold.adoption.reading import first, known, labels, name_of, number, text, texts, words
from scaffold.adoption.standing import Standing
from scaffold.adoption.storage import OWNS, mounts_of
from scaffold.adoption.volume_book import saves
from scaffold.adoption.ways import ways
from scaffold.adoption.workload import amounts, confinement, image_of, port_name
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_POD = "spec[0].template[0].spec[0]"
_COPIES = "copy-files"


def sidecars(stack: Standing) -> Iterator[Inferred]:
    """The containers that run beside the app in its pod, as items of ``sidecars``."""
    for container in stack.beside:
        assert stack.app is not None
        ports = [port(one) for one in k8s.items(container, "port")]
        item = {
            **described(stack, stack.app, container, whole=True),
            "ports": [p for p in ports if p],
            "probes": dict(_probes(container)),
        }
        at = f'{_POD}.container["{item["name"]}"]'
        yield found("sidecars", [known(item)], stack.app.owner, at)


def _probes(container: Tree) -> Iterator[tuple[str, dict[str, Value]]]:
    """How a sidecar is checked."""
    open_ = [p for p in k8s.items(container, "port") if get(p, "protocol") != "UDP"]
    usual = number(open_[0], "container_port") if open_ else None
    for kind in ("readiness", "liveness", "startup"):
        if (probe := first(container, f"{kind}_probe")) is not None:
            yield kind, probe_row(probe, text(probe, "http_get", 0, "path"), usual)


def init_containers(stack: Standing) -> Iterator[Inferred]:
    """The containers that run before the app, without those that answers on volumes and files bring."""
    for container in k8s.items(stack.app.spec, "init_container") if stack.app else ():
        name = text(container, "name")
        if name != _COPIES and not name.startswith(OWNS):
            assert stack.app is not None
            item = described(stack, stack.app, container, whole=True)
            yield found("init_containers", [item], stack.app.owner, f'{_POD}.init_container["{name}"]')


def port(tree: Tree) -> dict[str, Value]:
    """A port of a container, as an item of an answer."""
    inside = number(tree, "container_port")
    protocol = "UDP" if get(tree, "protocol") == "UDP" else ""
    return known({"name": text(tree, "name") or port_name(tree), "port": inside, "protocol": protocol})


def described(stack: Standing, pods: k8s.PodTemplate, container: Tree, *, whole: bool) -> dict[str, Value]:
    """A container as an item of an answer.

    ``whole`` is of the app's own pod, where one that inherits has the app's volumes too.
    """
    same = _is_apps(stack, get(container, "image"))
    inherits = same and _inherits(stack, pods, container, whole=whole)
    env = _environment(stack, container, inherits=inherits)
    mounts = mounts_of(stack, pods, container)
    if inherits and whole:
        mounts = [] if mounts == mounts_of(stack, stack.app, stack.container) else mounts
    elif inherits:
        mounts = [mount for mount in mounts if mount["volume"] not in own_directories(stack)]
    more = texts(container, "security_context", 0, "capabilities", 0, "add")
    item = {
        "name": text(container, "name"),
        "image": "" if same else image_of(get(container, "image")),
        "command": words(container, "command"),
        "args": words(container, "args"),
        "inherits": False if same and not inherits else None,
        **confinement(container),
        "uid": number(container, "security_context", 0, "run_as_user"),
        "capabilities": more,
        "capabilities_reason": STOOD if set(more).difference(stack.facts["baseline_capabilities"]) else "",
        "service_account": _account(stack, pods) if not whole else None,
        "env": env,
        "mounts": mounts,
        **amounts(stack, container),
    }
    return known(item)


def _account(stack: Standing, pods: k8s.PodTemplate) -> bool | None:
    """Whether a job runs as the Service's ServiceAccount, if that has to be said."""
    its, apps = (text(one.spec, "service_account_name") for one in (pods, stack.app or pods))
    return None if bool(its) == bool(apps) else bool(its)


def _is_apps(stack: Standing, image: Tree) -> bool:
    """Whether an image is the app's, whatever tag CI gives the one of a job."""
    ours, theirs = image_of(get(stack.container, "image")), image_of(image)
    owned = any(
        row["owned"] and ours.startswith(f"{row['registry']}/") for row in stack.facts["builds"].values()
    )
    if owned:
        return ImageReference.parse(ours).name == ImageReference.parse(theirs).name
    return bool(ours) and ours == theirs


def _inherits(stack: Standing, pods: k8s.PodTemplate, container: Tree, *, whole: bool) -> bool:
    """Whether a container has everything that the app's container has."""
    theirs = {text(row, "name") for row in k8s.items(container, "env")}
    apps = {text(row, "name") for row in k8s.items(stack.container, "env")}
    ours, its = (k8s.items(c, "env_from") for c in (stack.container, container))
    shared = [source for source in its if source in ours]
    bare = (
        whole and bool(mounts_of(stack, stack.app, stack.container)) and not mounts_of(stack, pods, container)
    )
    # A container that reads the app's Secrets whole is meant to have what the app has.
    return (bool(shared) or (apps <= theirs and not ours)) and not bare


def _environment(stack: Standing, container: Tree, *, inherits: bool) -> dict[str, Value]:
    """A container's variables, without those that it inherits from the app."""
    apps = {text(row, "name"): row for row in k8s.items(stack.container, "env")} if inherits else {}
    found_: dict[str, Value] = {}
    for row in k8s.items(container, "env"):
        name = text(row, "name")
        same = name in apps and (get(apps[name], "value"), reference(apps[name])) == (
            get(row, "value"),
            reference(row),
        )
        value = None if same else value_of(row, stack.shared)
        if not same and value is None:
            value = computed.answer(stack, row)
        if value is not None:
            found_[name] = value
    return found_


# jobs


_LIMITS = ("starting_deadline_seconds", "successful_jobs_history_limit", "failed_jobs_history_limit")
_USUAL_LABELS = ("app", "component", "tier")


def cron_jobs(stack: Standing) -> Iterator[Inferred]:
    """What runs on a schedule, without the jobs that back up volumes."""
    for pods in k8s.pod_templates(k8s.of_kind(stack.own, "cron_job")):
        if not saves(pods):
            spec = pods.owner.get("spec", 0)
            job = get(spec, "job_template", 0, "spec", 0)
            times = {
                "schedule": text(spec, "schedule"),
                "timezone": text(spec, "timezone"),
                "suspended": get(spec, "suspend") is True or None,
                **{name: number(spec, name) for name in _LIMITS},
                "ttl_seconds_after_finished": number(job, "ttl_seconds_after_finished"),
            }
            yield from _job(stack, pods, "cron_jobs", job, times)


def jobs(stack: Standing) -> Iterator[Inferred]:
    """What runs once, as items of ``jobs``."""
    for pods in k8s.pod_templates(k8s.of_kind(stack.own, "job")):
        yield from _job(stack, pods, "jobs", pods.owner.get("spec", 0), {})


def _job(
    stack: Standing, pods: k8s.PodTemplate, question: str, job: Tree, times: Mapping[str, Value]
) -> Iterator[Inferred]:
    """A job as an item of an answer, and the name of its container if that is not the job's."""
    called = name_of(pods.owner)
    first = [described(stack, pods, one, whole=False) for one in k8s.items(pods.spec, "init_container")]
    for container in k8s.items(pods.spec, "container")[:1]:
        item = {
            **described(stack, pods, container, whole=False),
            "init_containers": [{k: v for k, v in one.items() if k != "service_account"} for one in first],
            "name": called,
            **times,
            "labels": labels(pods.owner.get("metadata", 0, "labels"), _USUAL_LABELS),
            "retries": number(job, "backoff_limit"),
            "restart": "OnFailure" if get(pods.spec, "restart_policy") == "OnFailure" else "",
            "active_deadline_seconds": number(job, "active_deadline_seconds"),
        }
        yield found(question, [known(item)], pods.owner, "spec[0]")
        name = text(container, "name")
        yield from renamed(pods.owner, name, called, "job_containers", called, attribute="container[0].name")


def shape(stack: Standing) -> Iterator[Inferred]:
    """The answer ``shape``: what the Service is, seen from outside."""
    resource = stack.app.owner if stack.app else _first(stack)
    if resource is None:
        return
    if stack.app is None:
        external = stack.ingresses and not list(k8s.of_kind(stack.own, "cron_job", "job"))
        yield found("shape", "external" if external else "jobs", resource)
    elif not ways(stack):
        reached = stack.service is not None or stack.port is not None
        yield found("shape", "internal" if reached else "worker", resource)


def _first(stack: Standing) -> PlannedResource | None:
    return next(iter((*stack.ingresses, *k8s.of_kind(stack.own, "cron_job", "job"))), None)

"""What labels, annotations and Services tell the house's controllers about an app."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.adoption.inferred import STOOD, Certainty, Inferred, found, renamed
from scaffold.adoption.reading import known, labels, name_of, number, text
from scaffold.adoption.standing import Standing, is_balancer
from scaffold.adoption.workload import port_called, ranges
from scaffold.monorepo.annotations import RELOADER, SCRAPED, WATCHED, WATCHED_TAGS
from scaffold.templates import template
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import STAND_IN, Placeholder, PlannedResource, get


def marks(stack: Standing) -> Iterator[Inferred]:
    """Labels and annotations as answers, and the answers for those that a controller reads."""
    if stack.app is None:
        return
    owner = stack.app.owner
    keel = template.facts("operations")["keel"]
    resting = template.facts("operations")["resting"]
    told = labels(owner.get("metadata", 0, "annotations"))
    said = labels(owner.get("metadata", 0, "labels"))
    images = [text(container, "image") for container in stack.app.containers()]
    pinned = any(re.search(stack.facts["database_images"], image) for image in images)
    yield from _keel(told, said, keel, owner, pinned=pinned)
    if reloader := next((k for k in told if k.startswith(RELOADER) and told[k] == "true"), ""):
        yield found("reloader", reloader.removeprefix(RELOADER), owner, "metadata[0].annotations")
    elif stack.secrets.own and not stack.secrets.databases:
        # If a password rotates, the house wants a restart.
        yield found("reloader", "never", owner, "metadata[0].annotations", Certainty.LIKELY)
    left = {k: v for k, v in told.items() if not k.startswith((RELOADER, "keel.sh/"))}
    if left:
        yield found("annotations", {"deployment": left}, owner, "metadata[0].annotations")
    asleep = said.get(resting) == "true"
    own = {"app", "tier", keel["policy"], *([k for k in said if k.startswith("sablier.")] if asleep else [])}
    if further := {k: v for k, v in said.items() if k not in own and stack.app.labels.get(k) == v}:
        yield found("labels", further, owner, "metadata[0].labels")
    yield from _pod_marks(stack, owner)


def _keel(
    told: Mapping[str, str],
    said: Mapping[str, str],
    keel: Mapping[str, str],
    owner: PlannedResource,
    *,
    pinned: bool,
) -> Iterator[Inferred]:
    """What Keel is told; that a pod with a database server (``pinned``) stays as it is is a rule."""
    policy = told.get(keel["policy"], "") or said.get(keel["policy"], "")
    if policy == "never":
        if not pinned:
            yield found("keel", "never", owner, "metadata[0].annotations")
        return
    options = known(
        {
            "policy": policy,
            "schedule": told.get("keel.sh/pollSchedule", ""),
            "match_tag": told.get(keel["match_tag"]) == "true" or None,
        }
    )
    if options:
        yield found("keel_options", options, owner, "metadata[0].annotations")


def _pod_marks(stack: Standing, owner: PlannedResource) -> Iterator[Inferred]:
    at = "spec[0].template[0].metadata[0].annotations"
    pod = labels(get(stack.app.metadata, "annotations")) if stack.app else {}
    if tags := pod.pop(WATCHED_TAGS, ""):
        yield found("diun", tags, owner, at)
    pod.pop(WATCHED, None)  # without tags, it reports every push
    key = stack.facts["wait_annotation"]
    waits = get(stack.app.metadata, "annotations", key) if stack.app else None
    pod.pop(key, None)
    if isinstance(waits, str | Placeholder):
        written = waits if isinstance(waits, str) else waits.text
        ports = {host: row["port"] for host, row in stack.facts["databases"].items()}
        usual = {
            f"{address}:{ports.get(host, stack.facts['redis_port'])}": host
            for address, host in (stack.shared.items() if isinstance(waits, Placeholder) else ())
        }
        items = [usual.get(one.strip(), one.strip()) for one in written.split(",")]
        if not any(STAND_IN in one for one in items):
            yield found("wait_for", items, owner, at)
    scraped = stack.service is not None and pod.get(f"{SCRAPED}scrape") == "true"
    own = ("checksum/", *([SCRAPED] if scraped else []))
    if pod := {k: v for k, v in pod.items() if not k.startswith(own)}:
        yield found("annotations", {"pod": pod}, owner, at)


def service(stack: Standing) -> Iterator[Inferred]:
    """The answers that the Service in front of the app shows, and the load balancer beside it."""
    if stack.service is not None:
        notes = labels(stack.service.get("metadata", 0, "annotations"))
        pod = labels(get(stack.app.metadata, "annotations")) if stack.app else {}
        # Prometheus finds both; the house says it of the Service.
        said = next((one for one in (notes, pod) if one.get(f"{SCRAPED}scrape") == "true"), {})
        if said:
            port = number(said.get(f"{SCRAPED}port"))
            path = said.get(f"{SCRAPED}path", "/metrics")
            metrics = known(
                {"path": path, "port": port if port != number(stack.port, "container_port") else None}
            )
            yield found("metrics", metrics, stack.service, "metadata[0].annotations", Certainty.LIKELY)
            notes = {k: v for k, v in notes.items() if not k.startswith(SCRAPED)}
        if notes:
            yield found("annotations", {"service": notes}, stack.service, "metadata[0].annotations")
    yield from _balancer(stack)


def _balancer(stack: Standing) -> Iterator[Inferred]:
    row = stack.facts["load_balancer"]
    for service in filter(is_balancer, stack.services):
        address = text(service.get("metadata", 0, "annotations", row["address_annotation"]))
        targets = [get(p, "target_port") for p in k8s.items(service.get("spec", 0, "port"))]
        inside = {number(target) or text(target) for target in targets}
        names = [
            port_called(stack, port)
            for port in k8s.items(stack.container, "port")
            if number(port, "container_port") in inside or text(port, "name") in inside - {""}
        ]
        names += [name for name, _, first_, _ in ranges(stack) if first_ in inside]
        if not names:
            continue  # no answer says which ports it has: it stays as it is written
        said = stack.written.above(service.site)
        reason = next((line.partition(": ")[2] for line in said if ": " in line), "") or STOOD
        value = {
            "ports": names, "reason": reason, "address": address if address != row["address"] else "",
            "client_addresses": service.get("spec", 0, "external_traffic_policy") == "Local" or None,
        }  # fmt: skip
        yield found("load_balancer", known(value), service, "spec[0]", Certainty.LIKELY)
        yield from renamed(service, name_of(service), f"{stack.front}-lb", "balancer")
        return

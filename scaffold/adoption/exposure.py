"""How it is reached: its hosts and their gates, paths with gates of their own, and its tile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from scaffold.adoption.inferred import Certainty, Inferred, found, renamed
from scaffold.adoption.reading import known, name_of, number, text, unknown
from scaffold.adoption.standing import Standing
from scaffold.adoption.ways import Way, single, unusual, ways
from scaffold.monorepo.annotations import TILE
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, get

_WIDGET = f"{TILE}widget."
_TILE = {"title": "name", "description": "description", "icon": "icon"}


def ingress(stack: Standing) -> Iterator[Inferred]:
    """The host of the app itself: its name, its gate with the reason, its record and what is unusual."""
    if not (all_ := ways(stack)):
        return
    main = all_[0]
    resource = main.resource
    yield found("gate", main.gate, resource, "module argument auth")
    if main.gate != "required" and (reason := _reason(stack, main)):
        yield found("gate_reason", reason, resource, "comment above auth")
    label, full = _label(stack, main.host)
    if label != stack.name:
        yield found("host", label, resource, "spec[0].rule[0].host")
    if full:
        yield found("full_host", True, resource, "spec[0].rule[0].host")
    yield found("dns", _dns(main), resource, "module argument dns_type")
    if options := unusual(stack, main):
        yield found("ingress_options", options, resource, "module arguments")
    watched = {
        "enabled": main.settings.get("external_monitor"),
        "name": text(single(main.settings.get("external_monitor_name"))),
    }
    if watched := known(watched):
        yield found("external_monitor", watched, resource, "module argument external_monitor")
    yield from renamed(resource, name_of(resource), stack.front, "ingress")
    if stack.app is None and (port := number(main.backend, "port", 0, "number")) not in (None, 80):
        yield found("service_port", port, resource, "spec[0].rule[0].http")
    yield from _tile(stack, main)
    yield from _asleep(stack, main)


def _reason(stack: Standing, way: Way) -> str:
    return stack.written.reason(way.resource.site, stack.modules.argument("ingress", "auth"))


def _label(stack: Standing, host: str) -> tuple[str, bool]:
    domain = f".{stack.facts['domain']}"
    return (host.removesuffix(domain), False) if host.endswith(domain) else (host, True)


def _dns(way: Way) -> str:
    return text(single(way.settings.get("dns_type"))) or "none"


def _tile(stack: Standing, main: Way) -> Iterator[Inferred]:
    """The tile on the dashboard, whose description is the Service's."""
    resource, notes = main.resource, main.notes
    at = "metadata[0].annotations"
    if notes.get(f"{TILE}enabled") != "true":
        yield found("homepage", False, resource, at)
        return
    for key, question in (
        ("name", "title"),
        ("description", "description"),
        ("group", "homepage_group"),
        ("icon", "homepage_icon"),
    ):
        if said := notes.get(f"{TILE}{key}"):
            yield found(question, said, resource, f'{at}["{TILE}{key}"]')
    widget: dict[str, Value] = {k.removeprefix(_WIDGET): v for k, v in notes.items() if k.startswith(_WIDGET)}
    fetched = [key for secret in stack.secrets.own.values() for key in secret.entries]
    places: dict[str, int] = {}
    for key, value in k8s.mapping(resource.get("metadata", 0, "annotations")).items():
        hidden = key.startswith(_WIDGET) and unknown(value)
        argument = stack.modules.argument("ingress", "extra_annotations")
        if hidden and (read := stack.written.secret_at(resource.site, argument, key)):
            name = key.removeprefix(_WIDGET)
            widget[name] = {"vault": read.key}
            places[name] = fetched.index(read.key) if read.key in fetched else -1
    if widget:
        # What Vault has of it is in the order in which the stack fetches it.
        widget = {name: widget[name] for name in sorted(widget, key=lambda name: places.get(name, -1))}
        yield found("homepage_widget", widget, resource, at)


def _second_tile(way: Way) -> dict[str, Value]:
    """The tile of a further host, if it has one with a name and a description."""
    notes = way.notes
    said = {ours: notes.get(f"{TILE}{theirs}", "") for ours, theirs in _TILE.items()}
    shown = notes.get(f"{TILE}enabled") == "true" and said["title"] and said["description"]
    return {"tile": {key: value for key, value in said.items() if value}} if shown else {}


def _asleep(stack: Standing, main: Way) -> Iterator[Inferred]:
    """How it is woken, where the module's calls deviate from the module's defaults."""
    usual = stack.facts["wakes_usually"]
    said = {way.resource.address: way.settings.get("sablier") for way in ways(stack)}
    asleep = {
        address: {**usual, **{k: v for k, v in one.items() if v}}
        for address, one in said.items()
        if isinstance(one, Mapping)
    }
    if (own := asleep.get(main.resource.address)) is not None:
        how = {one["strategy"] for one in asleep.values()}
        value = known({"idle": own["session_duration"], "strategy": own["strategy"] if len(how) == 1 else ""})
        yield found("sablier", value, main.resource, "module argument sablier")


def further(stack: Standing) -> Iterator[Inferred]:
    """Further hosts, and paths with a gate of their own."""
    if not (all_ := ways(stack)):
        return
    main, *others = all_
    whole = {way.host for way in all_ if way.whole}
    for way in others:
        reason = _reason(stack, way) if way.gate != "required" else ""
        port = number(way.backend, "port", 0, "number")
        own_port = number(main.backend, "port", 0, "number") if main.gate != "anubis" else _front(stack)
        common = {"auth": way.gate, "reason": reason, **unusual(stack, way)}
        other = port if way.gate != "anubis" and port != own_port else None
        if behind := _elsewhere(stack, way):
            there = _outside(stack, behind)
            usual = there.port if there is not None and there.named else 80
            called = behind if there is None or behind != k8s.name(way.resource) else ""
            common |= {"service": called, "backend": there.place if there is not None else ""}
            other = port if port != usual else None
        if way.host == main.host and not way.whole:
            open_ = way.gate != "required" and not all(path.endswith("/") for path in way.paths)
            item = {
                "paths": list(way.paths),
                "name": _suffix(stack, way),
                "prefix": open_ or None,
                "port": other,
                "monitored": way.settings.get("external_monitor") is True or None,
                "monitor_name": text(single(way.settings.get("external_monitor_name"))),
                **common,
            }
            yield found("machine_clients", [known(item)], way.resource, "spec[0].rule[0].http")
            yield from _called(stack, way, item["name"])
        elif way.whole or way.host not in whole:
            whole.add(way.host)
            label, full = _label(stack, way.host)
            watched = way.settings.get("external_monitor")
            item = {
                "host": label, "full": full or None, "dns": _dns(way), "port": other,
                "monitor_name": text(single(way.settings.get("external_monitor_name"))), **common,
            }  # fmt: skip
            monitored = {"monitored": watched} if isinstance(watched, bool) else {}
            monitored |= _second_tile(way)
            yield found("hosts", [known(item) | monitored], way.resource, "spec[0].rule[0].host")
            yield from _called(stack, way, label.replace(".", "-"))


def _elsewhere(stack: Standing, way: Way) -> str:
    """The Service behind an Ingress, if it is not the app's own."""
    behind = text(way.backend, "name")
    return behind if way.gate != "anubis" and behind != stack.front else ""


def _called(stack: Standing, way: Way, suffix: str) -> Iterator[Inferred]:
    """The name of an Ingress, if it is not the Service's name with its suffix."""
    usual = f"{stack.front}-{suffix}"
    return renamed(way.resource, name_of(way.resource), usual, "ways", suffix)


def _front(stack: Standing) -> int | None:
    return number(stack.service.get("spec", 0, "port", 0, "port")) if stack.service is not None else None


def _suffix(stack: Standing, way: Way) -> str:
    """The part of an Ingress's name after the Service's."""
    name = name_of(way.resource)
    service = stack.front
    return re.sub(r"[^a-z0-9-]+", "-", name.removeprefix(f"{service}-").lower()).strip("-")[:40]


def challenges(stack: Standing) -> Iterator[Inferred]:
    """How Anubis keeps its challenges, and how many pods it has."""
    resource = next(k8s.of_kind(stack.made_by(stack.modules.anubis), "deployment"), None)
    if resource is None:
        return
    called = text(single(resource.settings.get("name")))
    yield from renamed(resource, called, stack.front, "anubis", attribute="module argument name")
    store = resource.settings.get("shared_store_url")
    replicas = number(single(resource.settings.get("replicas")))
    body = stack.written.body(resource.site)
    argument = partial(stack.modules.argument, "anubis")
    written = body.value(argument("shared_store_url"))
    said = store if isinstance(store, str) else written.text.strip('"') if written is not None else ""
    database = said.rpartition("/")[2]
    given = argument("replicas") in body.attributes
    policy = text(single(resource.settings.get("policy_yaml")))
    value = known({"replicas": replicas if given else None, "policy": policy})
    if database.isdigit():
        value["redis_database"] = int(database)
    if value:
        yield found("anubis", value, resource, "module arguments")


@dataclass(frozen=True)
class _Outside:
    """Where a Kubernetes Service without pods leads to: an address, or a host name."""

    address: str
    port: int
    named: bool
    resource: PlannedResource

    @property
    def place(self) -> str:
        return f"{self.address}:{self.port}"


def _outside(stack: Standing, called: str) -> _Outside | None:
    """Where the Service of this name leads to, if that is outside the cluster."""
    of_name = (one for one in k8s.of_kind(stack.own, "service", "endpoints") if k8s.name(one) == called)
    for resource in of_name:
        named = text(resource.get("spec", 0, "external_name"))
        subset = resource.get("subset", 0)
        address = named or text(subset, "address", 0, "ip")
        port = get(subset, "port", 0, "port") or resource.get("spec", 0, "port", 0, "target_port")
        if address and (number_ := number(port)) is not None:
            return _Outside(address, number_, bool(named), resource)
    return None


def outside(stack: Standing) -> Iterator[Inferred]:
    """The address of what runs outside the cluster, for ``shape: external``."""
    if stack.app is not None or not stack.ingresses or stack.service is None:
        return
    if (there := _outside(stack, name_of(stack.service))) is not None:
        yield found("backend", there.address, there.resource, "where it leads")
        yield found("port", there.port, there.resource, "where it leads")


def described(stack: Standing) -> Iterator[Inferred]:
    """The description: that of the tile, else the comment at the top of the file."""
    if stack.resources:
        said = stack.written.described
        certainty = Certainty.LIKELY if said else Certainty.ASSUMED
        yield found(
            "description", said or stack.name, stack.resources[0], "the comment at the top", certainty
        )

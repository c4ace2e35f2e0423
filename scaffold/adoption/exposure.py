"""How it is reached: its hosts and their gates, paths with gates of their own, and its tile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffold.adoption.inferred import RECORDED, Certainty, Inferred, found
from scaffold.adoption.reading import known, labels, number, text, unknown
from scaffold.adoption.standing import Standing
from scaffold.monorepo.shared import shared_modules
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_TILE = "gethomepage.dev/"
_WIDGET = f"{_TILE}widget."
_ROOT = ["/"]


@dataclass(frozen=True)
class Way:
    """One Ingress: the host and paths that it is for, and what gates them."""

    resource: PlannedResource
    host: str
    paths: tuple[str, ...]
    gate: str

    @property
    def settings(self) -> Mapping[str, object]:
        """The arguments of the shared module."""
        return self.resource.settings

    @property
    def whole(self) -> bool:
        """Whether it takes the whole host."""
        return list(self.paths) in ([], _ROOT)

    @property
    def notes(self) -> dict[str, str]:
        """Its annotations, as far as they are known."""
        return labels(self.resource.get("metadata", 0, "annotations"))

    @property
    def backend(self) -> Tree:
        """The Service behind it, and its port."""
        return self.resource.get("spec", 0, "rule", 0, "http", 0, "path", 0, "backend", 0, "service", 0)


def ways(stack: Standing) -> list[Way]:
    """Its Ingresses, the one of the app itself first: the whole host, with a DNS record and a tile."""
    found_ = [way for resource in stack.ingresses if (way := _way(stack, resource)) is not None]
    return sorted(found_, key=lambda way: (not way.whole, -_weight(stack, way)))


def _way(stack: Standing, resource: PlannedResource) -> Way | None:
    rules = k8s.items(resource.get("spec", 0, "rule"))
    host = text(get(rules[0], "host")) if rules else ""
    paths = (
        tuple(text(get(path, "path")) for path in k8s.items(get(rules[0], "http", 0, "path")))
        if rules
        else ()
    )
    way = Way(resource, host, paths, text(_tree(resource.settings.get("auth"))) or "required")
    if not host:
        return None
    behind = text(get(way.backend, "name")) in stack.anubis
    return Way(resource, host, paths, "anubis") if behind else way


def _weight(stack: Standing, way: Way) -> int:
    tile = way.notes.get(f"{_TILE}enabled") == "true"
    record = way.settings.get("dns_type") not in (None, "none")
    label = way.host.partition(".")[0]
    return 4 * tile + 2 * record + (label == stack.name) + (k8s.name(way.resource) == stack.name)


def ingress(stack: Standing) -> Iterator[Inferred]:
    """The host of the app itself: its name, its gate with the reason, its record and what is unusual."""
    if not (all_ := ways(stack)) or not all_[0].whole:
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
        "name": text(_tree(main.settings.get("external_monitor_name"))),
    }
    if watched := known(watched):
        yield found("external_monitor", watched, resource, "module argument external_monitor")
    if _service(stack) != text(k8s.name(resource)):
        yield found(RECORDED, {"names": {"ingress": text(k8s.name(resource))}}, resource, "metadata[0].name")
    if stack.app is None and (port := number(get(main.backend, "port", 0, "number"))) not in (None, 80):
        yield found("service_port", port, resource, "spec[0].rule[0].http")
    yield from _tile(stack, main)
    yield from _asleep(stack, main)


def _service(stack: Standing) -> str:
    return text(k8s.name(stack.service)) if stack.service is not None else stack.name


def _tree(value: object) -> Tree:
    return value if isinstance(value, str | int | bool | float) else None


def _reason(stack: Standing, way: Way) -> str:
    return stack.written.reason(way.resource.site, "auth")


def _label(stack: Standing, host: str) -> tuple[str, bool]:
    domain = f".{stack.facts['domain']}"
    return (host.removesuffix(domain), False) if host.endswith(domain) else (host, True)


def _dns(way: Way) -> str:
    return text(_tree(way.settings.get("dns_type"))) or "none"


def unusual(stack: Standing, way: Way) -> dict[str, Value]:
    """What one Ingress has that others have not, by the arguments of its module."""
    settings = way.settings
    middlewares = settings.get("extra_middlewares")
    own = dict(_own_middlewares(stack, way))
    further = [m for m in middlewares if m not in own] if isinstance(middlewares, list | tuple) else []
    protocol = text(_tree(settings.get("backend_protocol")))
    bots = settings.get("anti_ai_scraping")
    value: dict[str, Value] = {
        "max_body_size": text(_tree(settings.get("max_body_size"))),
        "content_security_policy": text(_tree(settings.get("custom_content_security_policy"))),
        "local_only": settings.get("allow_local_access_only") is True or None,
        "backend_protocol": protocol if protocol != "HTTP" else "",
        "extra_middlewares": further,
    }
    for part in own.values():
        value |= part
    said = known(value)
    if isinstance(bots, bool) and not (way.gate == "anubis" and not bots):
        said["anti_ai"] = bots
    return said


def _own_middlewares(stack: Standing, way: Way) -> Iterator[tuple[str, dict[str, Value]]]:
    """The Middlewares that are called as the template calls those of one Ingress, and what each does."""
    name = text(k8s.name(way.resource))
    for resource, manifest in k8s.manifests(stack.own, "Middleware"):
        called, spec = text(get(manifest, "metadata", "name")), get(manifest, "spec")
        kind = called.removeprefix(f"{name}-")
        if not called.startswith(f"{name}-") or (read := _MIDDLEWARES.get(kind)) is None:
            continue
        part = _guarded(stack, resource, kind, spec) or read(spec)
        if part:
            yield f"{stack.namespace}-{called}@kubernetescrd", part


def _guarded(stack: Standing, resource: PlannedResource, kind: str, spec: Tree) -> dict[str, Value]:
    """What a Middleware takes from Vault: logins, and headers whose values are read while it is planned."""
    if kind == "basic-auth" and (secret := stack.secrets.logins.get(text(get(spec, "basicAuth", "secret")))):
        place = secret.place("users")
        return {"basic_auth": {"vault": place[1]}} if place and place[0] == stack.name else {}
    headers = k8s.mapping(get(spec, "headers", "customRequestHeaders"))
    at = ("manifest", "spec", "headers", "customRequestHeaders")
    values = {
        name: value
        if isinstance(value, str)
        else {"vault": stack.written.secret_at(resource.site, *at, name)}
        for name, value in headers.items()
    }
    settled = all(isinstance(value, str) or value["vault"] for value in values.values())
    return {"request_headers": values} if values and settled else {}


def _rate_limit(spec: Tree) -> dict[str, Value]:
    limit = get(spec, "rateLimit")
    average, burst = number(get(limit, "average")), number(get(limit, "burst"))
    source = get(limit, "sourceCriterion")
    by = "host" if get(source, "requestHost") is True else text(get(source, "requestHeaderName"))
    entries = {"average": average, "burst": burst, "period": text(get(limit, "period")), "source": by}
    return {"rate_limit": known(entries)} if average and burst else {}


def _allowlist(spec: Tree) -> dict[str, Value]:
    return {"allowlist": [text(one) for one in k8s.items(get(spec, "ipAllowList", "sourceRange"))]}


def _redirect(spec: Tree) -> dict[str, Value]:
    rule = get(spec, "redirectRegex")
    entries = {
        "from": text(get(rule, "regex")),
        "to": text(get(rule, "replacement")),
        "permanent": get(rule, "permanent") is True or None,
    }
    return {"redirect": known(entries)}


def _of_vault(_: Tree) -> dict[str, Value]:
    return {}


_MIDDLEWARES = {
    "rate-limit": _rate_limit, "allowlist": _allowlist, "redirect": _redirect,
    "headers": _of_vault, "basic-auth": _of_vault,
}  # fmt: skip


def _tile(stack: Standing, main: Way) -> Iterator[Inferred]:
    """The tile on the dashboard, whose description is the Service's."""
    resource, notes = main.resource, main.notes
    at = "metadata[0].annotations"
    if notes.get(f"{_TILE}enabled") != "true":
        yield found("homepage", False, resource, at)
        return
    for key, question in (
        ("name", "title"),
        ("description", "description"),
        ("group", "homepage_group"),
        ("icon", "homepage_icon"),
    ):
        if said := notes.get(f"{_TILE}{key}"):
            yield found(question, said, resource, f'{at}["{_TILE}{key}"]')
    widget: dict[str, Value] = {k.removeprefix(_WIDGET): v for k, v in notes.items() if k.startswith(_WIDGET)}
    for key, value in k8s.mapping(resource.get("metadata", 0, "annotations")).items():
        hidden = key.startswith(_WIDGET) and unknown(value)
        if hidden and (place := stack.written.secret_at(resource.site, "extra_annotations", key)):
            widget[key.removeprefix(_WIDGET)] = {"vault": place}
    if widget:
        yield found("homepage_widget", widget, resource, at)


def _asleep(stack: Standing, main: Way) -> Iterator[Inferred]:
    """How it is woken, by the Middlewares that the module makes of its argument."""
    modules = {way.resource.module for way in ways(stack)}
    plugins = {
        resource.module: plugin
        for resource, manifest in k8s.manifests(stack.resources, "Middleware")
        if resource.module in modules and (plugin := get(manifest, "spec", "plugin", "sablier")) is not None
    }
    if (plugin := plugins.get(main.resource.module)) is not None:
        ways_to_wake = {"blocking" if get(p, "blocking") is not None else "dynamic" for p in plugins.values()}
        how = next(iter(ways_to_wake)) if len(ways_to_wake) == 1 else ""
        value = known({"idle": text(get(plugin, "sessionDuration")), "strategy": how})
        yield found("sablier", value, main.resource, "module argument sablier")


def further(stack: Standing) -> Iterator[Inferred]:
    """Further hosts, and paths with a gate of their own."""
    all_ = ways(stack)
    main = all_[0] if all_ and all_[0].whole else None
    for way in all_[1:] if main is not None else ():
        assert main is not None
        reason = _reason(stack, way) if way.gate != "required" else ""
        port = number(get(way.backend, "port", 0, "number"))
        own_port = number(get(main.backend, "port", 0, "number")) if main.gate != "anubis" else _front(stack)
        common = {"auth": way.gate, "reason": reason, **unusual(stack, way)}
        other = port if way.gate != "anubis" and port != own_port else None
        if way.host == main.host and not way.whole:
            open_ = way.gate != "required" and not all(path.endswith("/") for path in way.paths)
            item = {
                "paths": list(way.paths),
                "name": _suffix(stack, way),
                "prefix": open_ or None,
                "port": other,
                **common,
            }
            yield found("machine_clients", [known(item)], way.resource, "spec[0].rule[0].http")
            yield from _called(stack, way, item["name"])
        elif way.whole:
            label, full = _label(stack, way.host)
            watched = way.settings.get("external_monitor")
            item = {
                "host": label, "full": full or None, "dns": _dns(way), "port": other,
                "monitor_name": text(_tree(way.settings.get("external_monitor_name"))), **common,
            }  # fmt: skip
            monitored = {"monitored": watched} if isinstance(watched, bool) else {}
            yield found("hosts", [known(item) | monitored], way.resource, "spec[0].rule[0].host")
            yield from _called(stack, way, label.replace(".", "-"))


def _called(stack: Standing, way: Way, suffix: str) -> Iterator[Inferred]:
    """What an Ingress is called, where that is not the Service's name with its suffix."""
    name = text(k8s.name(way.resource))
    if name != f"{_service(stack)}-{suffix}":
        yield found(RECORDED, {"names": {"ways": {suffix: name}}}, way.resource, "metadata[0].name")


def _front(stack: Standing) -> int | None:
    return number(stack.service.get("spec", 0, "port", 0, "port")) if stack.service is not None else None


def _suffix(stack: Standing, way: Way) -> str:
    """What the name of an Ingress has behind the Service's."""
    name = text(k8s.name(way.resource))
    service = _service(stack)
    return re.sub(r"[^a-z0-9-]+", "-", name.removeprefix(f"{service}-").lower()).strip("-")[:40]


def challenges(stack: Standing) -> Iterator[Inferred]:
    """How Anubis keeps its challenges, and how many pods it has."""
    for resource in k8s.of_kind(stack.made_by(shared_modules().anubis), "deployment"):
        called = resource.settings.get("name")
        if isinstance(called, str) and called != _service(stack):
            yield found(RECORDED, {"names": {"anubis": called}}, resource, "module argument name")
        store = resource.settings.get("shared_store_url")
        replicas = number(_tree(resource.settings.get("replicas")))
        block = stack.written.block(resource.site)
        written = block.body.value("shared_store_url") if block is not None else None
        said = store if isinstance(store, str) else written.text.strip('"') if written is not None else ""
        database = said.rpartition("/")[2]
        given = block is not None and "replicas" in block.body.attributes
        value = known({"replicas": replicas if given else None})
        if database.isdigit():
            value["redis_database"] = int(database)
        if value:
            yield found("anubis", value, resource, "module arguments")
        return


def outside(stack: Standing) -> Iterator[Inferred]:
    """Where the thing is that does not run in the cluster."""
    if stack.app is not None or not stack.ingresses:
        return
    for service in k8s.of_kind(stack.own, "service"):
        if name := text(service.get("spec", 0, "external_name")):
            yield found("backend", name, service, "spec[0].external_name")
        if (port := number(service.get("spec", 0, "port", 0, "target_port"))) is not None:
            yield found("port", port, service, "spec[0].port")
    for endpoints in k8s.of_kind(stack.own, "endpoints"):
        subset = endpoints.get("subset", 0)
        if address := text(get(subset, "address", 0, "ip")):
            yield found("backend", address, endpoints, "subset[0].address")
        if (port := number(get(subset, "port", 0, "port"))) is not None:
            yield found("port", port, endpoints, "subset[0].port")


def described(stack: Standing) -> Iterator[Inferred]:
    """What it is in a few words: the tile says it, else the comment at the top of the file."""
    if stack.resources:
        said = stack.written.described
        certainty = Certainty.LIKELY if said else Certainty.ASSUMED
        yield found(
            "description", said or stack.name, stack.resources[0], "the comment at the top", certainty
        )

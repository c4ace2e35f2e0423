"""The Ingresses of a stack, and how each of them differs from the usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffold.adoption.reading import known, labels, name_of, number, text
from scaffold.adoption.standing import Standing
from scaffold.adoption.written import SecretKey
from scaffold.monorepo.annotations import TILE
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_ROOT = ["/"]


@dataclass(frozen=True)
class Way:
    """One Ingress: its host and paths, and what gates them."""

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
        """Whether it covers the whole host."""
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
    """The stack's Ingresses, the app's own first.

    That is the one with the stack's name, else that of the host with that name, else that with the tile, else
    that of a whole host, with a record. One of single paths is none if another has the rest of its host.
    """
    found_ = [way for resource in stack.ingresses if (way := _way(stack, resource)) is not None]
    whole = {way.host for way in found_ if way.whole}

    def order(way: Way) -> tuple[bool | int, ...]:
        may_be = way.whole or way.host not in whole
        named = may_be and name_of(way.resource) == stack.called
        return (
            not named,
            not (way.whole and _is_named(stack, way)),
            not (may_be and _has_tile(way)),
            not way.whole,
            -_weight(stack, way),
        )

    return sorted(found_, key=order)


def _way(stack: Standing, resource: PlannedResource) -> Way | None:
    rules = k8s.items(resource.get("spec", 0, "rule"))
    host = text(rules[0], "host") if rules else ""
    paths = tuple(text(path, "path") for path in k8s.items(rules[0], "http", 0, "path")) if rules else ()
    way = Way(resource, host, paths, text(single(resource.settings.get("auth"))) or "required")
    if not host:
        return None
    behind = text(way.backend, "name") in stack.anubis
    return Way(resource, host, paths, "anubis") if behind else way


def _has_tile(way: Way) -> bool:
    return way.notes.get(f"{TILE}enabled") == "true"


def _weight(stack: Standing, way: Way) -> int:
    record = way.settings.get("dns_type") not in (None, "none")
    return 2 * record + _is_named(stack, way) + (k8s.name(way.resource) == stack.called)


def _is_named(stack: Standing, way: Way) -> bool:
    return way.host.partition(".")[0] == stack.called


def single(value: object) -> Tree:
    """A module's argument if it is a single value, else None."""
    return value if isinstance(value, str | int | bool | float) else None


def unusual(stack: Standing, way: Way) -> dict[str, Value]:
    """How one Ingress differs from the usual, from the arguments of its module."""
    settings = way.settings
    middlewares = settings.get("extra_middlewares")
    own = dict(_own_middlewares(stack, way))
    further = [m for m in middlewares if m not in own] if isinstance(middlewares, list | tuple) else []
    protocol = text(single(settings.get("backend_protocol")))
    bots = settings.get("anti_ai_scraping")
    value: dict[str, Value] = {
        "paths": [] if way.whole else list(way.paths),
        "max_body_size": text(single(settings.get("max_body_size"))),
        "content_security_policy": text(single(settings.get("custom_content_security_policy"))),
        "https_only": False if settings.get("ssl_redirect") is False else None,
        "crowdsec": False if settings.get("exclude_crowdsec") is True else None,
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
    """The Middlewares that are named as the template names those of one Ingress, and what each does."""
    name = name_of(way.resource)
    for resource, manifest in k8s.manifests(stack.own, "Middleware"):
        called, spec = text(manifest, "metadata", "name"), get(manifest, "spec")
        kind = called.removeprefix(f"{name}-")
        if not called.startswith(f"{name}-") or (read := _MIDDLEWARES.get(kind)) is None:
            continue
        part = _guarded(stack, resource, kind, spec) or read(spec)
        if part:
            yield f"{stack.namespace}-{called}@kubernetescrd", part


def _guarded(stack: Standing, resource: PlannedResource, kind: str, spec: Tree) -> dict[str, Value]:
    """What a Middleware takes from Vault: logins, and headers whose values are read at plan time."""
    if kind == "basic-auth" and (secret := stack.secrets.logins.get(text(spec, "basicAuth", "secret"))):
        place = secret.place("users")
        return {"basic_auth": stack.vault(SecretKey(*place))} if place else {}
    headers = k8s.mapping(spec, "headers", "customRequestHeaders")
    at = ("manifest", "spec", "headers", "customRequestHeaders")
    values = {
        name: value
        if isinstance(value, str)
        else (stack.vault(read) if (read := stack.written.secret_at(resource.site, *at, name)) else None)
        for name, value in headers.items()
    }
    return {"request_headers": values} if values and None not in values.values() else {}


def _rate_limit(spec: Tree) -> dict[str, Value]:
    limit = get(spec, "rateLimit")
    average, burst = number(limit, "average"), number(limit, "burst")
    source = get(limit, "sourceCriterion")
    by = "host" if get(source, "requestHost") is True else text(source, "requestHeaderName")
    entries = {"average": average, "burst": burst, "period": text(limit, "period"), "source": by}
    return {"rate_limit": known(entries)} if average and burst else {}


def _allowlist(spec: Tree) -> dict[str, Value]:
    return {"allowlist": [text(one) for one in k8s.items(spec, "ipAllowList", "sourceRange")]}


def _redirect(spec: Tree) -> dict[str, Value]:
    rule = get(spec, "redirectRegex")
    entries = {
        "from": text(rule, "regex"),
        "to": text(rule, "replacement"),
        "permanent": get(rule, "permanent") is True or None,
    }
    return {"redirect": known(entries)}


def _of_vault(_: Tree) -> dict[str, Value]:
    return {}


_MIDDLEWARES = {
    "rate-limit": _rate_limit, "allowlist": _allowlist, "redirect": _redirect,
    "headers": _of_vault, "basic-auth": _of_vault,
}  # fmt: skip

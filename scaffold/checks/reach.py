"""Who reaches a host: every door of ingresses and routes, planned or written, its gate and DNS record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from scaffold.checks.house import HouseNames
from scaffold.monorepo.routes import KIND, middleware, places
from scaffold.monorepo.stack import Stack
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get
from scaffold.terraform.summary import text

_LOGIN = "required"
_PROXIED = "proxied"


@dataclass(frozen=True, slots=True)
class Door:
    """A host and a path at which an ingress, or a Traefik IngressRoute, lets requests in.

    ``gate`` is the mode whose middleware is on it, else what its module was told, else empty. ``record`` is
    the kind of DNS record with which the internet finds the host, empty if it does not. ``ingress`` is the
    address of what opens it, or its place where that is only read.
    """

    host: str
    path: str
    gate: str
    house_only: bool
    """Whether an allowlist lets in nobody but the house's own network."""
    record: str
    ingress: str

    @property
    def is_open(self) -> bool:
        """Whether the internet gets in without Authentik."""
        kept_out = is_kept_out(self.record, house_only=self.house_only)
        return bool(self.record) and not asks_who(self.gate) and not kept_out

    @property
    def through_proxy(self) -> bool:
        """Whether requests from the internet come through a proxy."""
        return self.record == _PROXIED


def asks_who(gate: str) -> bool:
    """Whether a gate asks who is coming: Anubis keeps out no person, and an app's own login is the app's."""
    return gate == _LOGIN


def is_kept_out(record: str, *, house_only: bool) -> bool:
    """Whether an allowlist keeps the internet out of a host with this record.

    What comes through a proxy arrives from inside the cluster, which every allowlist lets in.
    """
    return house_only and record != _PROXIED


def doors(resources: Sequence[PlannedResource], house: HouseNames) -> Iterator[Door]:
    """Every planned door; a host or path that is still unknown opens none that has a name."""
    ways = [
        _way(place, route.middlewares, house, route.resource.address)
        for route in routes(resources)
        if isinstance(route.rule, str)
        for place in places(route.rule)
    ]
    for ingress in k8s.of_kind(resources, "ingress"):
        record = k8s.ending(k8s.annotated(ingress), house.dns_annotation)
        named = k8s.annotated(ingress).get(house.gate_annotation)
        present, said = middlewares(str(named or "")), str(ingress.settings.get("auth") or "")
        ways += [
            _way(place, present, house, ingress.address, said, str(record or "none"))
            for place in _rules(ingress)
        ]
    return _found(ways, house)


def written_doors(stack: Stack, house: HouseNames) -> Iterator[Door]:
    """The doors of a stack, as far as hosts, gates and records are written out."""
    return _found(
        [
            *(
                way
                for route in stack.routes
                for place in route.places
                if (way := _way(place, route.middlewares, house, f"{route.path}:{route.line}")).gate
                or all(route.middlewares)
            ),
            *(
                Door(host, path, ingress.auth, False, ingress.dns_type, f"{ingress.path}:{ingress.line}")
                for ingress in stack.ingresses
                if (host := ingress.fqdn(house.domain))
                for path in ingress.paths or ("/",)
            ),
        ],
        house,
    )


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """One planned route of an IngressRoute, with the rule that says what it lets in, and its middlewares."""

    resource: PlannedResource
    rule: Tree
    middlewares: tuple[str, ...]


def routes(resources: Iterable[PlannedResource]) -> Iterator[PlannedRoute]:
    """The Traefik IngressRoutes; their middlewares are named as in an ingress."""
    for resource, manifest in k8s.manifests(resources, KIND):
        own = get(manifest, "metadata", "namespace")
        for route in k8s.items(get(manifest, "spec", "routes")):
            named = k8s.items(get(route, "middlewares"))
            through = [
                middleware(text(get(one, "name")), text(get(one, "namespace") or own)) for one in named
            ]
            yield PlannedRoute(resource, get(route, "match"), tuple(through))


def _way(
    place: tuple[str, str],
    middlewares: Iterable[str],
    house: HouseNames,
    ingress: str,
    said: str = "",
    record: str = "none",
) -> Door:
    """A door whose DNS record is not known yet; ``said`` is the gate if no middleware is one."""
    present = frozenset(middlewares)
    modes = [mode for mode, gate in house.gates.items() if gate in present]
    return Door(*place, modes[0] if modes else said, bool(present & house.allowlists), record, ingress)


def _found(ways: Iterable[Door], house: HouseNames) -> Iterator[Door]:
    """The doors with their DNS record, which any ingress of the same host may create."""
    ways = tuple(ways)
    records: dict[str, str] = {}
    for way in ways:
        if way.record in house.public_dns:
            records[way.host] = way.record
        elif way.record != "none":
            # A record of its own, whatever it is, stands before the wildcard.
            records.setdefault(way.host, "")
    wildcard = house.wildcard if house.wildcard in house.public_dns else ""
    for way in ways:
        below = way.host.endswith(f".{house.domain}" if house.domain else "")
        yield replace(way, record=records.get(way.host, wildcard if below else ""))


def middlewares(named: str) -> tuple[str, ...]:
    """The middlewares that an annotation names, in their order."""
    return tuple(filter(None, map(str.strip, named.split(","))))


def _rules(ingress: PlannedResource) -> Iterator[tuple[str, str]]:
    for rule in k8s.rules(ingress):
        host = get(rule, "host")
        if isinstance(host, Mark | Placeholder) or host is None:
            continue
        for path in k8s.items(get(rule, "http", 0, "path")):
            where = get(path, "path")
            if not isinstance(where, Mark | Placeholder):
                yield str(host), str(where or "/")

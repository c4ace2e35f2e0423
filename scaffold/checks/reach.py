"""Who reaches a host: every door that ingresses open, planned or only read, its gate and who finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from scaffold.checks.planned import HouseNames
from scaffold.monorepo.stack import Stack
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, get

_LOGIN = "required"
_PROXIED = "proxied"


@dataclass(frozen=True, slots=True)
class Door:
    """A host and a path at which an ingress lets requests in.

    ``gate`` is the mode whose middleware is on the ingress, else what its module was told, else empty.
    ``record`` is the kind of DNS record with which the internet finds the host, empty where it does not.
    ``ingress`` is the address of what opens it, or its place where that is only read.
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
        """Whether the internet comes in without Authentik."""
        kept_out = is_kept_out(self.record, house_only=self.house_only)
        return bool(self.record) and not asks_who(self.gate) and not kept_out

    @property
    def through_proxy(self) -> bool:
        """Whether a proxy delivers what comes from the internet."""
        return self.record == _PROXIED


def asks_who(gate: str) -> bool:
    """Whether a gate asks who comes: an app's own login is the app's, and Anubis keeps out no person."""
    return gate == _LOGIN


def is_kept_out(record: str, *, house_only: bool) -> bool:
    """Whether an allowlist keeps the internet out of a host with this record.

    What a proxy delivers comes from inside the cluster, which every allowlist lets in.
    """
    return house_only and record != _PROXIED


def doors(resources: Sequence[PlannedResource], house: HouseNames) -> Iterator[Door]:
    """Every door of planned ingresses; a host or a path that is not known yet opens none that has a name."""
    ways = []
    for ingress in k8s.of_kind(resources, "ingress"):
        record = k8s.ending(k8s.mapping(ingress.get("metadata", 0, "annotations")), house.dns_annotation)
        present = _middlewares(ingress, house)
        modes = [mode for mode, middleware in house.gates.items() if middleware in present]
        gate = modes[0] if modes else str(ingress.settings.get("auth") or "")
        house_only = bool(present & house.allowlists)
        ways += [
            Door(host, path, gate, house_only, str(record or "none"), ingress.address)
            for host, path in _rules(ingress)
        ]
    return _found(ways, house)


def written_doors(stack: Stack, house: HouseNames) -> Iterator[Door]:
    """The doors of a stack's ingresses, as far as hosts, gates and records are written out."""
    return _found(
        [
            Door(host, path, ingress.auth, False, ingress.dns_type, f"{ingress.path}:{ingress.line}")
            for ingress in stack.ingresses
            if (host := ingress.fqdn(house.domain))
            for path in ingress.paths or ("/",)
        ],
        house,
    )


def _found(ways: Iterable[Door], house: HouseNames) -> Iterator[Door]:
    """The doors with the record by which the internet finds each: any ingress of its host may make it."""
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


def _middlewares(ingress: PlannedResource, house: HouseNames) -> frozenset[str]:
    named = ingress.get("metadata", 0, "annotations", house.gate_annotation)
    return frozenset(part.strip() for part in str(named or "").split(","))


def _rules(ingress: PlannedResource) -> Iterator[tuple[str, str]]:
    for rule in k8s.items(ingress.get("spec", 0, "rule")):
        host = get(rule, "host")
        if isinstance(host, Mark | Placeholder) or host is None:
            continue
        for path in k8s.items(get(rule, "http", 0, "path")):
            where = get(path, "path")
            if not isinstance(where, Mark | Placeholder):
                yield str(host), str(where or "/")

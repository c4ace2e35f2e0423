"""Who reaches a host: every door that planned ingresses open, with its gate and who finds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffold.checks.planned import HouseNames
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, get

_LOGIN = "required"
_PROXIED = "proxied"


@dataclass(frozen=True, slots=True)
class Door:
    """A host and a path at which an ingress lets requests in.

    ``gate`` is the mode whose middleware is on the ingress, else what its module was told, else empty.
    ``record`` is the kind of DNS record with which the internet finds the host, empty where it does not.
    """

    host: str
    path: str
    gate: str
    house_only: bool
    """Whether an allowlist lets in nobody but the house's own network."""
    record: str
    ingress: PlannedResource

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
    ingresses = list(k8s.of_kind(resources, "ingress"))
    records: dict[object, str] = {}
    for ingress in ingresses:
        record = k8s.ending(k8s.mapping(ingress.get("metadata", 0, "annotations")), house.dns_annotation)
        for host in _hosts(ingress):
            if record in house.public_dns:
                records[host] = str(record)
            elif record not in (None, "none"):
                # A record of its own, whatever it is, stands before the wildcard.
                records.setdefault(host, "")
    wildcard = house.wildcard if house.wildcard in house.public_dns else ""
    for ingress in ingresses:
        present = _middlewares(ingress, house)
        modes = [mode for mode, middleware in house.gates.items() if middleware in present]
        gate = modes[0] if modes else str(ingress.settings.get("auth") or "")
        for host, path in _rules(ingress):
            below = host.endswith(f".{house.domain}" if house.domain else "")
            record = records.get(host, wildcard if below else "")
            yield Door(host, path, gate, bool(present & house.allowlists), record, ingress)


def _middlewares(ingress: PlannedResource, house: HouseNames) -> frozenset[str]:
    named = ingress.get("metadata", 0, "annotations", house.gate_annotation)
    return frozenset(part.strip() for part in str(named or "").split(","))


def _hosts(ingress: PlannedResource) -> Iterator[str]:
    return (host for host, _ in _rules(ingress))


def _rules(ingress: PlannedResource) -> Iterator[tuple[str, str]]:
    for rule in k8s.items(ingress.get("spec", 0, "rule")):
        host = get(rule, "host")
        if isinstance(host, Mark | Placeholder) or host is None:
            continue
        for path in k8s.items(get(rule, "http", 0, "path")):
            where = get(path, "path")
            if not isinstance(where, Mark | Placeholder):
                yield str(host), str(where or "/")

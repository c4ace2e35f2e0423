"""Names that a new Service would take from another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.stack import BALANCED, Stack, Use, address_port
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name that a new Service needs, and the answer that it comes from."""

    kind: str
    name: str
    answer: str


def wanted(values: Mapping[str, Value]) -> tuple[Wanted, ...]:
    """The names that a Service with these combined values takes."""
    names = values["names"]
    storage = values["storage"]
    result = [Wanted("namespace", names["namespace"]["value"], "name")]
    if values["stack"]["ingress"]:
        result.append(Wanted("host", values["ingress"]["fqdn"], "host"))
    for index, item in enumerate(values["ingress"]["hosts"]):
        result.append(Wanted("host", item["fqdn"], f"hosts[{index}].host"))
    for index, volume in enumerate(storage["volumes"]):
        if volume["exists"]:
            continue
        kind = "PersistentVolume" if volume["on_nfs"] else "claim"
        result.append(Wanted(kind, volume["claim"]["value"], f"volumes[{index}].purpose"))
    if storage["backup"]["volumes"]:
        result.append(Wanted("PersistentVolume", storage["backup"]["claim"], "name"))
    balanced = values["containers"]["load_balancer"]
    for port in balanced["ports"] if balanced else ():
        place = address_port(
            balanced["address"]["value"], port["protocol"], port["service_port"] or port["port"]
        )
        result.append(Wanted(BALANCED, place, "load_balancer.ports"))
    return tuple(result)


def taken(monorepo: Monorepo, needs: Iterable[Wanted], stack: str, domain: str) -> list[tuple[Wanted, Use]]:
    """The names that a stack needs and another one has, with who has them.

    PersistentVolumes are cluster-wide; a claim is taken only by a claim in the same namespace. Names
    that a stack computes (``for_each``, functions) cannot be seen; the plan is the check for those.
    """
    needs = list(needs)
    namespace = next((need.name for need in needs if need.kind == "namespace"), stack)
    return [
        (need, use)
        for owner, other in monorepo.fleet.items()
        if owner != stack
        for use in uses(other, domain)
        if use.kind != "claim" or use.namespace == namespace
        for need in needs
        if (need.kind, need.name) == (use.kind, use.name)
    ]


def uses(stack: Stack, domain: str) -> Iterator[Use]:
    """The names that a stack takes, its hosts among them."""
    yield from stack.uses
    for ingress in stack.ingresses:
        if host := ingress.fqdn(domain):
            yield Use("host", host, ingress.path, ingress.line)


def findings(clashes: Iterable[tuple[Wanted, Use]]) -> list[Finding]:
    """What to tell about names that are taken."""
    return [
        Finding(
            use.path, use.line, None, f"taken.{need.kind.lower().replace(' ', '-')}",
            f"The {need.kind} {need.name} belongs to {'/'.join(use.path.split('/')[:2])}.", value=need.name,
            fix=f"Choose another {need.answer}.", answer=need.answer,
        )
        for need, use in clashes
    ]  # fmt: skip

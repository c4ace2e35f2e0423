"""Names that a new Service would take from another one, or from the house itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from scaffold.errors import Finding
from scaffold.monorepo.addresses import containers
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.stack import Stack
from scaffold.monorepo.uses import (
    BALANCED,
    DATABASE,
    DATABASE_ROLE,
    DATABASE_USER,
    EXTERNAL_MONITOR,
    MONITOR,
    NFS,
    REDIS,
    VAULT_PATH,
    Use,
    address_port,
)
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name that a new Service needs, and the answer that it comes from.

    ``place`` is what the name is unique in, as with ``Use``; empty for the house. With a ``reason`` it is
    shared on purpose; ``shared_by`` is the answer that takes one.
    """

    kind: str
    name: str
    answer: str
    place: str = ""
    reason: str = ""
    shared_by: str = ""


def wanted(values: Mapping[str, Value]) -> tuple[Wanted, ...]:
    """The names that a Service with these combined values takes."""
    names = values["names"]
    called = "object_names.namespace" if values["object_names"].get("namespace") else "name"
    result = [Wanted("namespace", names["namespace"]["value"], called)]
    if values["credentials"]["extract"]:
        shared = (values["secrets_reason"], "secrets_reason")
        result.append(Wanted(VAULT_PATH, values["credentials"]["path"], "name", "", *shared))
    balanced = values["containers"]["load_balancer"]
    for port in balanced["ports"] if balanced else ():
        first = port["service_port"] or port["port"]
        for number in range(first, (port.get("to") or first) + 1):
            place = address_port(balanced["address"]["value"], port["protocol"], number)
            result.append(Wanted(BALANCED, place, "load_balancer.ports"))
    return (*result, *_hosts(values), *_volumes(values), *_database(values), *_redis(values))


def _hosts(values: Mapping[str, Value]) -> Iterator[Wanted]:
    ingress = values["ingress"]
    own = [("host", "external_monitor.name", ingress["fqdn"], ingress["monitor"], ingress["watch"]["name"])]
    further = [
        (f"{at}.host", f"{at}.monitor_name", item["fqdn"], item["monitor"], item["monitor_name"])
        for at, item in ((f"hosts[{index}]", item) for index, item in enumerate(ingress["hosts"]))
    ]
    for host, monitor, fqdn, monitored, called in (own if values["stack"]["ingress"] else []) + further:
        yield Wanted("host", fqdn, host)
        if monitored["value"]:
            yield Wanted(EXTERNAL_MONITOR, called or fqdn.split(".")[0], monitor if called else host)
    for index, item in enumerate(ingress["carve_outs"]):
        if item["monitored"]:
            yield Wanted(EXTERNAL_MONITOR, item["monitor_name"], f"machine_clients[{index}].monitor_name")


def _volumes(values: Mapping[str, Value]) -> Iterator[Wanted]:
    storage, namespace = values["storage"], values["names"]["namespace"]["value"]
    for index, volume in enumerate(storage["volumes"]):
        at, claim = f"volumes[{index}]", volume["claim"]["value"]
        if volume["exists"]:
            continue
        if not volume["on_nfs"]:
            yield Wanted("claim", claim, f"{at}.purpose", namespace)
            continue
        answer = f"{at}.nfs_path" if values["volumes"][index].get("nfs_path") else "name"
        shared = (volume["nfs_reason"], f"{at}.nfs_reason")
        yield Wanted("PersistentVolume", claim, f"{at}.purpose")
        yield Wanted(NFS, volume["nfs_path"], answer, volume["nfs_server"], *shared)
    if storage["backup"]["volumes"]:
        yield Wanted("PersistentVolume", storage["backup"]["claim"], "name")
        yield Wanted(NFS, storage["backup"]["nfs_path"], "name")


def _database(values: Mapping[str, Value]) -> Iterator[Wanted]:
    database = values["credentials"]["database"]
    shared = (values["database_reason"], "database_reason")
    for part, kind in (("role", DATABASE_ROLE), ("user", DATABASE_USER), ("database", DATABASE)):
        if database:
            yield Wanted(kind, database[part]["value"], "database_name", "", *shared)


def _redis(values: Mapping[str, Value]) -> Iterator[Wanted]:
    """The databases of the shared Redis that variables and Anubis name."""
    proof = values["ingress"]["proof"]
    if values["ingress"]["anubis"] and proof["redis_database"] is not None:
        number = str(proof["redis_database"])
        yield Wanted(REDIS, number, "anubis.redis_database", "", proof["reason"], "anubis.reason")
    for path, container in containers(values):
        at = "".join(f"[{part}]." if isinstance(part, int) else part for part in path)
        for variable, value in container.get("env", {}).items():
            if isinstance(value, Mapping) and value.get("host") == "redis":
                named = _redis_number(value.get("text", ""))
                if named is not None:
                    answer = f"{at}env.{variable}"
                    reason = value.get("reason", "")
                    yield Wanted(REDIS, named, f"{answer}.text", "", reason, f"{answer}.reason")


def _redis_number(text: str) -> str | None:
    """The database in the address of a Redis; None for any other text."""
    if not text.startswith(("redis://", "rediss://")):
        return None
    number = urlsplit(text.replace("{host}", "redis")).path.strip("/") or "0"
    return number if number.isdecimal() else None


def free_redis_database(
    monorepo: Monorepo, texts: Iterable[str], largest: int, facts: Mapping[str, Value]
) -> int | None:
    """The lowest database of the shared Redis that neither a stack nor these answers name.

    The first is passed over: whoever names none has that one.
    """
    uses = (use for _, use in _Houses.of(monorepo, facts).uses if use.kind == REDIS and not use.place)
    used = {*(use.name for use in uses), *map(_redis_number, texts)}
    return next((number for number in range(1, largest + 1) if str(number) not in used), None)


def taken(
    monorepo: Monorepo, needs: Iterable[Wanted], stack: str, facts: Mapping[str, Value]
) -> list[tuple[Wanted, Use]]:
    """The names that a stack needs and somebody else has, each with the first owner.

    PersistentVolumes are cluster-wide; a claim is taken only by a claim in the same namespace, and an NFS
    directory by what is in it or above it too. Names that a stack computes (``for_each``, functions) cannot
    be seen; the plan is the check for those.
    """
    houses = _Houses.of(monorepo, facts)
    found: dict[tuple[str, str], tuple[Wanted, Use]] = {}
    uses = [use for owner, use in houses.uses if owner != stack]
    shared = houses.directories(stack)
    for need in needs:
        use = next((use for use in uses if not need.reason and _clash(need, use, shared)), None)
        if use is not None:
            found.setdefault((need.answer, "" if need.kind in _TOGETHER else need.name), (need, use))
    return list(found.values())


_ONE = frozenset({BALANCED, EXTERNAL_MONITOR, MONITOR, REDIS, "PersistentVolume"})
"""Kinds of names that no two stacks have in common."""


def shared(monorepo: Monorepo, facts: Mapping[str, Value]) -> Mapping[str, list[tuple[Use, tuple[str, ...]]]]:
    """The names that a stack wrongly has in common with others, with those others, by stack."""
    uses = [(owner, use) for owner, use in _Houses.of(monorepo, facts).uses if use.kind in _ONE]
    owners: dict[tuple[str, str, str], set[str]] = {}
    for owner, use in uses:
        owners.setdefault((use.kind, use.place, use.name), set()).add(owner)
    found: dict[str, list[tuple[Use, tuple[str, ...]]]] = {}
    for owner, use in uses:
        others = owners[use.kind, use.place, use.name] - {owner}
        told = ((had.kind, had.name) for had, _ in found.get(owner, ()))
        if others and (use.kind, use.name) not in told:
            found.setdefault(owner, []).append((use, tuple(sorted(others))))
    return found


_TOGETHER = frozenset({DATABASE_ROLE, DATABASE_USER, DATABASE, "host", EXTERNAL_MONITOR})
"""Names that follow from one answer together: one is told, the others are free with it."""


def _clash(need: Wanted, use: Use, shared: frozenset[str]) -> bool:
    if (need.kind, need.place) != (use.kind, use.place):
        return False
    if need.kind != NFS:
        return need.name == use.name
    inner, outer = need.name.rstrip("/") + "/", use.name.rstrip("/") + "/"
    return outer.startswith(inner) or (inner.startswith(outer) and outer not in shared)


@dataclass(frozen=True, slots=True)
class _Houses:
    """Every name in use, with the stack that has it; names used by scripts belong to no stack."""

    uses: tuple[tuple[str, Use], ...]
    nfs_root: str

    @classmethod
    def of(cls, monorepo: Monorepo, facts: Mapping[str, Value]) -> _Houses:
        servers = {facts["nfs_host"], monorepo.variable(facts["nfs_variable"])}
        redis = _redis_hosts(monorepo, facts["hosts"]["redis"])
        # The stacks of Tier 0 keep roles and databases for others, who are told first.
        stacks = sorted(monorepo.fleet.items(), key=lambda item: item[0] in monorepo.tier0_stacks)
        return cls(
            (
                *((owner, _placed(use, servers, redis)) for owner, s in stacks for use in _of(s, facts)),
                *(("", use) for use in monorepo.scripts_roles),
            ),
            facts["nfs_root"],
        )

    def directories(self, stack: str) -> frozenset[str]:
        """The NFS directories below which several Services have theirs: they belong to nobody alone."""
        used = {(owner, use.name.rstrip("/") + "/") for owner, use in self.uses if use.kind == NFS}
        root = f"{self.nfs_root}/"
        return frozenset(
            outer
            for holder, outer in used
            if outer == root
            or any(
                inner != outer and inner.startswith(outer) and owner not in (holder, stack)
                for owner, inner in used
            )
        )


def _placed(use: Use, servers: set[str | None], redis: set[str]) -> Use:
    """A use of the house's own NFS server or Redis is placed like a new Service's."""
    own = (use.kind == NFS and use.place in servers) or (use.kind == REDIS and use.place in redis)
    return replace(use, place="") if own else use


def _redis_hosts(monorepo: Monorepo, variable: str) -> set[str]:
    """The names of the shared Redis: its variable, and that variable's value or else the commonest one."""
    value = monorepo.variable(variable)
    seen = (use.place for s in monorepo.fleet.values() for use in s.uses if use.kind == REDIS)
    counted = Counter(host for host in seen if ".svc" in host and not value)
    return {f"var.{variable}", value or "", *(host for host, _ in counted.most_common(1))}


def _of(stack: Stack, facts: Mapping[str, Value]) -> Iterator[Use]:
    """The names that a stack takes, its hosts and their monitors among them."""
    yield from stack.uses
    for ingress in stack.ingresses:
        if host := ingress.fqdn(facts["domain"]):
            yield Use("host", host, ingress.path, ingress.line)
            by_default = ingress.dns_type in facts["public_dns"]
            if by_default if ingress.monitored is None else ingress.monitored:
                called = ingress.monitor or host.split(".")[0]
                yield Use(EXTERNAL_MONITOR, called, ingress.path, ingress.line)


def findings(monorepo: Monorepo, clashes: Iterable[tuple[Wanted, Use]]) -> list[Finding]:
    """The findings about names that are taken."""
    return [
        Finding(
            use.path, use.line, None, f"taken.{need.kind.lower().replace(' ', '-')}",
            _message(monorepo, need, use), value=need.name, answer=need.answer, fix=_fix(need),
        )
        for need, use in clashes
    ]  # fmt: skip


def _fix(need: Wanted) -> str:
    shared = f", or give the reason for sharing it under {need.shared_by}" if need.shared_by else ""
    return f"Choose another {need.answer}{shared}."


def _message(monorepo: Monorepo, need: Wanted, use: Use) -> str:
    who = monorepo.place(monorepo.stack_of(monorepo.root / use.path))
    if need.name == use.name:
        return f"The {need.kind} {need.name} belongs to {who}."
    where = "in" if need.name.startswith(use.name.rstrip("/") + "/") else "above"
    return f"The {need.kind} {need.name} is {where} {use.name}, which belongs to {who}."

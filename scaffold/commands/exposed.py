"""Who can reach what through which gate, and where data is stored, according to plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scaffold.checks.house import HouseNames, house_of
from scaffold.checks.planned import Plan
from scaffold.checks.planned_backup import Saved, unsaved
from scaffold.checks.reach import PlannedRoute, asks_who, doors, is_kept_out, middlewares, routes
from scaffold.commands.check import Checked, fleet_of
from scaffold.indexes.entry import Database
from scaffold.monorepo.annotations import MIDDLEWARES, RECORD
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.routes import places
from scaffold.monorepo.sensing import facts
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get
from scaffold.terraform.summary import text

_OWN_GATE = "Anubis"


class Reach(Enum):
    """From where a host can be reached, according to its DNS record."""

    INTERNET = "internet"
    INSIDE = "no public record"
    HOUSE = "the house's network"
    LOAD_BALANCER = "an address of its own"


@dataclass(frozen=True, slots=True)
class Host:
    """One way to reach something: a host with the paths of one ingress, and the gate in front of it.

    ``record`` is the kind of DNS record, ``gate`` the mode of the gate, ``others`` the other middlewares.
    """

    host: str
    paths: tuple[str, ...]
    stack: str
    reach: Reach
    record: str
    gate: str
    others: tuple[str, ...]
    place: str

    @property
    def is_open(self) -> bool:
        """Whether anybody on the internet gets as far as the app."""
        return self.reach is Reach.INTERNET and not asks_who(self.gate)


class Encrypted(Enum):
    """Whether a volume is encrypted, by its class."""

    YES = "encrypted"
    NO = "not encrypted"
    UNKNOWN = "not known"


class Backup(Enum):
    """Whether something backs up a volume."""

    SAVED = "saved"
    NO = "nothing backs it up"
    EXCUSED = "said to need none"
    NONE_SEEN = "no job seen"
    """No planned CronJob does; whether anything else does is not known."""
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Store:
    """Where data is stored: a claim, or a database on a shared server. ``by`` are the jobs that read it."""

    name: str
    stack: str
    where: str
    size: str
    encrypted: Encrypted
    backup: Backup
    by: tuple[str, ...] = ()
    place: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether nothing backs it up."""
        return self.backup is Backup.NO

    @property
    def bytes(self) -> float:
        """The size as a number, for sorting."""
        number = self.size.rstrip("KMGTPEi")
        scale = 1024 ** " KMGTPE".find(self.size[len(number) :][:1] or " ")
        return float(number) * scale if number.replace(".", "", 1).isdigit() else 0.0


class Described:
    """The hosts and volumes among planned resources, by the names of the house."""

    def __init__(self, monorepo: Monorepo, checked: Checked) -> None:
        self.facts = facts(monorepo)
        self.house: HouseNames = house_of(monorepo, self.facts)
        self.fleet = fleet_of(monorepo, checked.plans, self.house)
        self.excused = {(finding.code, finding.location) for finding in checked.ignored}
        self.modes = {middleware: mode for mode, middleware in self.house.gates.items()}
        found = doors(self.fleet.resources, self.house)
        self.records = {door.host: door.record for door in found if door.record}
        self.anubis = {
            ingress.fqdn(monorepo.domain or "")
            for stack in monorepo.fleet.values()
            for ingress in stack.ingresses
            if ingress.behind_anubis
        }

    def hosts(self, plans: Mapping[str, Sequence[PlannedResource]]) -> Iterator[Host]:
        """Every host of these stacks, and every Service with an address of its own."""
        for stack, resources in plans.items():
            for ingress in k8s.of_kind(resources, "ingress"):
                yield from self._of_ingress(stack, ingress)
            for route in routes(resources):
                yield from self._of_route(stack, route)
            for service in k8s.of_kind(resources, "service"):
                if service.get("spec", 0, "type") == "LoadBalancer":
                    yield _load_balancer(stack, service)

    def _of_ingress(self, stack: str, ingress: PlannedResource) -> Iterator[Host]:
        through = middlewares(text(k8s.annotated(ingress).get(MIDDLEWARES) or ""))
        said = ingress.settings.get("auth")
        record = text(k8s.ending(k8s.annotated(ingress), RECORD) or "")
        for rule in k8s.rules(ingress):
            paths = tuple(text(get(path, "path") or "/") for path in k8s.items(get(rule, "http", 0, "path")))
            host = text(get(rule, "host") or "every host")
            yield self._host(stack, host, paths, record, through, said, place(ingress))

    def _of_route(self, stack: str, route: PlannedRoute) -> Iterator[Host]:
        let_in = places(text(route.rule))
        for host in dict.fromkeys(host for host, _ in let_in):
            paths = tuple(path for at, path in let_in if at == host)
            yield self._host(stack, host, paths, "", route.middlewares, None, place(route.resource))

    def _host(
        self,
        stack: str,
        host: str,
        paths: tuple[str, ...],
        record: str,
        middlewares: tuple[str, ...],
        said: object,
        place: str,
    ) -> Host:
        mode = next((self.modes[one] for one in middlewares if one in self.modes), None)
        gate = mode or (str(said) if said and str(said) not in self.house.gates else "nothing says")
        if mode is None and host in self.anubis:
            gate = _OWN_GATE
        found_by, house_only = self.records.get(host, ""), not self.house.allowlists.isdisjoint(middlewares)
        reach = Reach.INSIDE if not found_by else Reach.INTERNET
        if found_by and is_kept_out(found_by, house_only=house_only):
            reach = Reach.HOUSE
        others = tuple(one for one in middlewares if one not in self.modes)
        return Host(host, paths, stack, reach, record, gate, others, place)

    def stores(
        self, stack: str, resources: Sequence[PlannedResource], databases: Sequence[Database]
    ) -> Iterator[Store]:
        """The claims of a stack, and its databases on shared servers."""
        plan = Plan(resources, self.house, lambda: self.fleet)
        unsaved_ = {claim.address for claim in unsaved(plan)}
        for claim in plan.of_kind("persistent_volume_claim"):
            by = self._saved_by(claim)
            without = Backup.NO if claim.address in unsaved_ else Backup.NONE_SEEN
            excused = (Saved.code, place(claim)) in self.excused
            seen = Backup.SAVED if by else Backup.EXCUSED if excused else without
            yield self._claim(stack, text(k8s.name(claim)), claim.get("spec", 0), by, seen, place(claim))
        for owner in plan.of_kind("stateful_set"):
            for template in k8s.items(owner.get("spec", 0, "volume_claim_template")):
                name = f"{text(get(template, 'metadata', 0, 'name'))}-{text(k8s.name(owner))}-…"
                yield self._claim(stack, name, get(template, "spec", 0), (), Backup.NONE_SEEN, place(owner))
        for database in databases:
            where = f"shared {database.engine.value} server"
            yield Store(database.name, stack, where, "", Encrypted.UNKNOWN, Backup.NOT_JUDGED)

    def _saved_by(self, claim: PlannedResource) -> tuple[str, ...]:
        """The CronJobs that mount the claim and a share: anything else that reads it backs up nothing."""
        namespace = k8s.namespace(claim)
        shares = {
            k8s.name(other)
            for other in self.fleet.of_kind("persistent_volume_claim", namespace)
            if other.get("spec", 0, "storage_class_name") in self.house.shared_classes
        }
        jobs = {
            text(k8s.name(pods.owner)): {mounted for _, mounted in pods.claims()}
            for pods in self.fleet.pods(namespace)
            if k8s.kind(pods.owner) == "cron_job"
        }
        return tuple(job for job, mounted in jobs.items() if k8s.name(claim) in mounted and mounted & shares)

    def _claim(
        self, stack: str, name: str, spec: Tree, by: tuple[str, ...], seen: Backup, place: str
    ) -> Store:
        class_ = text(get(spec, "storage_class_name") or "the cluster's default class")
        size = get(spec, "resources", 0, "requests", "storage")
        known = {self.facts["storage_encrypted"]: Encrypted.YES, self.facts["storage_plain"]: Encrypted.NO}
        block = class_ in self.house.block_classes
        return Store(
            name,
            stack,
            class_,
            text(size) if size is not None else "",
            known.get(class_, Encrypted.UNKNOWN),
            seen if block else Backup.NOT_JUDGED,
            by if block else (),
            place,
        )


def _load_balancer(stack: str, service: PlannedResource) -> Host:
    ports = (
        f"{text(get(port, 'port'))}/{text(get(port, 'protocol') or 'TCP')}"
        for port in k8s.items(service.get("spec", 0, "port"))
    )
    host = f"{text(k8s.name(service))}.{text(k8s.namespace(service))}"
    return Host(host, tuple(ports), stack, Reach.LOAD_BALANCER, "", "no ingress", (), place(service))


def place(resource: PlannedResource) -> str:
    """Where a resource is written, as far as that is known."""
    site = resource.site
    return f"{site.path}:{site.line}" if site.line else site.path

"""House rules over planned resources: who reaches a host, who monitors it, and what the dashboard shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.checks.contract import Allowed, Contract
from scaffold.checks.fleet import Fleet
from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan, PlannedRule, shown, strings
from scaffold.checks.reach import doors, middlewares
from scaffold.checks.rule import Severity
from scaffold.errors import ONE_SLIP, Finding, nearest
from scaffold.hcl.amend import replace
from scaffold.hcl.edit import insert_block
from scaffold.hcl.syntax import Block, Document
from scaffold.monorepo.shared import SharedModules, calls
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get


class IngressGate(PlannedRule):
    """Every ingress has the gate that its auth says."""

    code = "ING003"
    needs = "ingress"
    why = "The gate is a middleware in an annotation: an ingress without it is open, whatever the stack says."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses without the middleware of their mode, and open ones that nobody declared open."""
        gates = plan.house.gates
        for ingress in plan.of_kind("ingress") if gates else ():
            annotated = ingress.get("metadata", 0, "annotations", plan.house.gate_annotation)
            if isinstance(annotated, Mark | Placeholder):
                continue
            present = frozenset(middlewares(str(annotated or "")))
            mode = ingress.settings.get("auth")
            wanted = gates.get(str(mode))
            if wanted is not None and wanted not in present:
                yield self.about(ingress, f"auth is {mode}, but it lacks the middleware {wanted}")
            elif mode is None and present.isdisjoint(gates.values()):
                fix = "make it with the ingress module, or say why: # scaffold: ignore ING003: what gates it"
                yield self.about(ingress, "it has no gate, and no auth that says why", fix)


class IngressAnnotations(PlannedRule):
    """Public hosts are monitored."""

    code = "ING004"
    needs = "monitors"
    why = "A host that nobody monitors fails unnoticed."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Public ingresses without a monitor."""
        house = plan.house
        for ingress in plan.of_kind("ingress"):
            annotations = k8s.annotated(ingress)
            if k8s.ending(annotations, house.dns_annotation) not in house.public_dns:
                continue
            unsaid = k8s.ending(annotations, house.monitor_annotation) is None
            if unsaid and k8s.hosts(ingress) - _own(ingress, house):
                yield self.about(ingress, "public, and no monitor is set", "set external_monitor")


class Tiles(PlannedRule):
    """A host has one tile on the dashboard."""

    code = "ING006"
    needs = "ingress"
    why = "Every ingress creates a tile by default: a second one for the same host is noise."
    rule = "Homepage"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses whose host has a tile already."""
        enabled = f"{plan.house.dashboard}enabled"
        seen: dict[Tree, str] = {}
        # What is at the root of the host keeps its tile.
        for ingress in sorted(plan.of_kind("ingress"), key=_depth):
            if ingress.get("metadata", 0, "annotations", enabled) != "true":
                continue
            for host in sorted(k8s.hosts(ingress)):
                if host in seen:
                    what = f"{host} has a tile already, by ingress {seen[host]}"
                    yield self.about(ingress, what, "set homepage_enabled = false")
                seen.setdefault(host, shown(k8s.name(ingress)))

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file in which the call of the ingress module asks for no tile."""
        shared = SharedModules.of(facts)
        argument = shared.argument("ingress", "homepage_enabled")
        if not calls(block, shared.ingress) or "homepage_enabled" in facts["ingress_lacks"]:
            return None
        value = block.body.value(argument)
        if value is None:
            return insert_block(document, f"{argument} = false", after=block.body.items[-1])
        return replace(document, value, "false") if value.literal() is True else None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """The annotations of the tile."""
        tile = f'metadata[0].annotations["{HouseNames().dashboard}*"]'
        return Contract((Allowed("kubernetes_ingress*", tile),))


class Unmonitored(PlannedRule):
    """A host without a public record has no monitor from outside."""

    code = "ING007"
    needs = "monitors"
    why = "Every ingress is monitored unless it says otherwise, and this monitor would never be green."
    rule = "Monitoring"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses of hosts without a public DNS record and without an opt-out."""
        house = plan.house
        for ingress in plan.of_kind("ingress") if house.public_dns else ():
            annotations, hosts = k8s.annotated(ingress), _own(ingress, house)
            # An ingress that is not made by the module may have its record elsewhere.
            if not ingress.module or not hosts:
                continue
            watched = k8s.ending(annotations, house.monitor_annotation) is None
            public = (_public(fleet, house.dns_annotation, house.public_dns) for fleet in plan.fleets())
            if watched and not any(hosts & found for found in public):
                hosts_ = ", ".join(sorted(hosts))
                what = f"{hosts_} has no public record, and is monitored"
                yield self.about(ingress, what, "set external_monitor = false")


class TileParts(PlannedRule):
    """A tile on the dashboard is complete."""

    code = "ING008"
    needs = "ingress"
    why = "A tile without a description means nothing to anybody who did not set up the app."
    rule = "Homepage"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Tiles with something missing."""
        dashboard = plan.house.dashboard
        for ingress in plan.of_kind("ingress"):
            annotations = k8s.annotated(ingress)
            if annotations.get(f"{dashboard}enabled") == "true":
                for part in ("name", "description", "group", "icon"):
                    if annotations.get(f"{dashboard}{part}") is None:
                        yield self.about(ingress, f"its tile has no {part}", f'set "{dashboard}{part}"')


class Allowlists(PlannedRule):
    """A host with an allowlist is not proxied."""

    code = "ING009"
    why = "Requests through Cloudflare arrive from inside the cluster, which the allowlist admits."
    rule = "Networking & Resilience"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses and routes with an allowlist on a host that a proxy delivers."""
        ingresses = {ingress.address: ingress for ingress in plan.of_kind("ingress", "manifest")}
        for door in doors(plan.resources, plan.house):
            if door.house_only and door.through_proxy:
                what = f"its allowlist does not keep the internet out: {door.host} is {door.record}"
                yield self.about(ingresses[door.ingress], what, "remove the record, or gate it")


class Groups(PlannedRule):
    """The groups that are let in exist."""

    code = "ING010"
    needs = "ingress"
    why = "A group that does not exist has no members: those who should get in cannot."
    rule = "Security Posture (Wave 1 — locked 2026-05-18)"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Groups that are one slip away from one that is defined; others may have been created by hand."""
        usual = plan.house.usual_groups
        for ingress in plan.of_kind("ingress"):
            groups = k8s.ending(k8s.annotated(ingress), plan.house.groups_annotation)
            for group in groups.split(",") if isinstance(groups, str) else ():
                known = _groups(plan.fleet) | usual if group not in usual else usual
                if group not in known and (fix := nearest(group, known, ONE_SLIP)):
                    yield self.about(ingress, f"there is no group {group}", fix)


def _groups(fleet: Fleet) -> set[str]:
    return set(strings(group.get("name") for group in fleet.resources if group.type == "authentik_group"))


def _public(fleet: Fleet, annotation: str, kinds: frozenset[str]) -> set[str]:
    """The hosts with a public DNS record."""
    ingresses = fleet.all_of_kind("ingress")
    public = (i for i in ingresses if k8s.ending(k8s.annotated(i), annotation) in kinds)
    return {host for ingress in public for host in k8s.hosts(ingress)}


def _own(ingress: PlannedResource, house: HouseNames) -> set[str]:
    """The hosts that the monitor covers: those below the house's domain."""
    return {host for host in k8s.hosts(ingress) if host.endswith(f".{house.domain}" if house.domain else "")}


def _depth(ingress: PlannedResource) -> int:
    """How far from the root of its host an ingress begins."""
    rules = k8s.rules(ingress)
    paths = (get(path, "path") for rule in rules for path in k8s.items(get(rule, "http", 0, "path")))
    return min((len(path) for path in paths if isinstance(path, str)), default=0)

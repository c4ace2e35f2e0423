"""Who can reach what and what is stored where, read from planned resources."""

from __future__ import annotations

import pytest

from scaffold.checks.house import house_of
from scaffold.commands.check import Checked
from scaffold.commands.exposed import Backup, Encrypted, Host, Reach
from scaffold.commands.house import House, house_at_a_glance
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.terraform.planned import PlannedResource, Site, Tree
from scaffold.terraform.result import PlanResult
from scaffold.terraform.tool import Tool

TOOL = Tool("terraform", "terraform")
STACK = "navidrome"


def resource(type_: str, name: str, auth: str = "", **values: Tree) -> PlannedResource:
    """A planned object in the namespace of the stack."""
    values = {
        "metadata": ({"name": name, "namespace": STACK, **as_map(values.pop("metadata", {}))},),
        **values,
    }
    settings = {"auth": auth} if auth else {}
    site = Site(f"stacks/{STACK}/main.tf", 5)
    return PlannedResource(f"{type_}.{name}", type_, name, "", None, values, settings, site)


def as_map(tree: Tree) -> dict[str, Tree]:
    assert isinstance(tree, dict)
    return tree


def ingress(
    name: str, host: str, path: str, auth: str, middleware: str = "", dns: str = ""
) -> PlannedResource:
    annotations: dict[str, Tree] = {"traefik.ingress.kubernetes.io/router.middlewares": f"a-b@c,{middleware}"}
    if dns:
        annotations["house.example.test/dns-type"] = dns
    rule: Tree = {"host": host, "http": ({"path": ({"path": path},)},)}
    return resource(
        "kubernetes_ingress_v1", name, auth, metadata={"annotations": annotations}, spec=({"rule": (rule,)},)
    )


def claim(name: str, class_: str, size: str = "1Gi") -> PlannedResource:
    spec: Tree = {"storage_class_name": class_, "resources": ({"requests": {"storage": size}},)}
    return resource("kubernetes_persistent_volume_claim", name, spec=(spec,))


def pods(type_: str, name: str, *claims: str) -> PlannedResource:
    volumes: tuple[Tree, ...] = tuple(
        {"name": one, "persistent_volume_claim": ({"claim_name": one},)} for one in claims
    )
    template: Tree = {"metadata": ({},), "spec": ({"volume": volumes},)}
    if type_ == "kubernetes_cron_job_v1":
        return resource(type_, name, spec=({"job_template": ({"spec": ({"template": (template,)},)},)},))
    return resource(type_, name, spec=({"template": (template,)},))


def seen(monorepo: Monorepo, *resources: PlannedResource, others: tuple[PlanResult, ...] = ()) -> House:
    plans = (PlanResult(STACK, TOOL, resources), *others)
    findings = tuple(finding for plan in plans for finding in plan.findings)
    return house_at_a_glance(
        monorepo, Checked(tuple(p.stack for p in plans), findings, frozenset(), plans=plans)
    )


def test_a_host_is_as_public_as_its_record_and_as_gated_as_its_middlewares(pristine: Monorepo) -> None:
    gates = house_of(pristine, facts(pristine)).gates
    house = seen(
        pristine,
        ingress("main", "lawn.example.test", "/", "required", gates["required"], "proxied"),
        ingress("api", "lawn.example.test", "/api", "none"),
        ingress("shed", "shed.example.test", "/", "app"),
        ingress("map", "lawn.example.test", "/map", "public", gates["public"]),
        ingress("lost", "lost.example.test", "/", "required"),
    )
    told = {(host.host, *host.paths): (host.reach, host.gate, host.is_open) for host in house.hosts}
    assert told == {
        ("lawn.example.test", "/"): (Reach.INTERNET, "required", False),
        ("lawn.example.test", "/api"): (Reach.INTERNET, "none", True),
        ("lawn.example.test", "/map"): (Reach.INTERNET, "public", True),
        ("shed.example.test", "/"): (Reach.INSIDE, "app", False),
        ("lost.example.test", "/"): (Reach.INSIDE, "nothing says", False),
    }
    assert {host.others for host in house.hosts} == {("a-b@c",)}


def test_an_allowlist_keeps_the_internet_out_but_of_what_a_proxy_delivers(pristine: Monorepo) -> None:
    (allowlist, *_) = house_of(pristine, facts(pristine)).allowlists
    house = seen(
        pristine,
        ingress("direct", "direct.example.test", "/", "none", allowlist, "non-proxied"),
        ingress("behind", "behind.example.test", "/", "none", allowlist, "proxied"),
    )
    assert {(host.host, host.reach, host.is_open) for host in house.hosts} == {
        ("direct.example.test", Reach.HOUSE, False),
        ("behind.example.test", Reach.INTERNET, True),
    }


def test_a_wildcard_record_leads_the_internet_to_every_host(monorepo: Monorepo) -> None:
    (monorepo.root / "scaffold.yml").write_text("wildcard_dns: non-proxied\n")
    house = seen(Monorepo(monorepo.root), ingress("shed", "shed.example.test", "/", "app"))
    assert [(host.reach, host.is_open) for host in house.hosts] == [(Reach.INTERNET, True)]


def test_routes_of_traefik_and_addresses_of_their_own_are_ways_in(pristine: Monorepo) -> None:
    gates = house_of(pristine, facts(pristine)).gates
    namespace, _, name = gates["required"].partition("@")[0].partition("-")
    route: Tree = {
        "match": "Host(`a.example.test`) && PathPrefix(`/x`)",
        "middlewares": ({"name": name, "namespace": namespace},),
    }
    manifest: Tree = {
        "kind": "IngressRoute", "metadata": {"name": "a", "namespace": STACK}, "spec": {"routes": (route,)},
    }  # fmt: skip
    balanced: Tree = {"type": "LoadBalancer", "port": ({"port": 53, "protocol": "UDP"},)}
    house = seen(
        pristine,
        resource("kubernetes_manifest", "a", manifest=manifest),
        resource("kubernetes_service", "dns", spec=(balanced,)),
    )
    told = {host.host: (host.paths, host.reach, host.gate) for host in house.hosts}
    assert told == {
        "a.example.test": (("/x",), Reach.INSIDE, "required"),
        f"dns.{STACK}": (("53/UDP",), Reach.LOAD_BALANCER, "no ingress"),
    }


@pytest.mark.parametrize(
    ("jobs", "backup", "by"),
    [
        (("data", "share"), Backup.SAVED, ("job",)),
        (("data",), Backup.NONE_SEEN, ()),
        (("share",), Backup.NO, ()),
    ],
)
def test_a_volume_is_saved_by_a_job_that_mounts_it_beside_a_share(
    pristine: Monorepo, jobs: tuple[str, ...], backup: Backup, by: tuple[str, ...]
) -> None:
    known = facts(pristine)
    (share,) = house_of(pristine, known).shared_classes
    house = seen(
        pristine,
        resource("kubernetes_namespace", STACK),
        claim("data", known["storage_encrypted"]),
        claim("plain", known["storage_plain"], "512Mi"),
        claim("share", share),
        pods("kubernetes_deployment", "app", "data"),
        pods("kubernetes_cron_job_v1", "job", *jobs),
    )
    stores = {store.name: store for store in house.stores if not store.where.startswith("shared")}
    assert (stores["data"].backup, stores["data"].by) == (backup, by)
    assert stores["share"].backup is Backup.NOT_JUDGED
    assert [store.encrypted for store in stores.values()] == [Encrypted.YES, Encrypted.NO, Encrypted.UNKNOWN]
    assert stores["data"].place == f"stacks/{STACK}/main.tf:5"


def test_a_volume_with_an_exception_is_said_to_need_no_backup(pristine: Monorepo) -> None:
    objects = (
        resource("kubernetes_namespace", STACK),
        claim("data", facts(pristine)["storage_encrypted"]),
        pods("kubernetes_deployment", "app", "data"),
    )
    excused = frozenset((Finding(f"stacks/{STACK}/main.tf", 5, None, "BAK002", "no CronJob reads it"),))
    for ignored, backup in (frozenset[Finding](), Backup.NO), (excused, Backup.EXCUSED):
        checked = Checked((STACK,), (), ignored, plans=(PlanResult(STACK, TOOL, objects),))
        house = house_at_a_glance(pristine, checked)
        assert [store.backup for store in house.stores if store.name == "data"] == [backup]


@pytest.mark.parametrize("gate", ["app", "public", "none", "Anubis", "nothing says", "required"])
def test_a_host_is_open_unless_authentik_asks_who_comes(gate: str) -> None:
    host = Host("a.example.test", ("/",), STACK, Reach.INTERNET, "proxied", gate, (), "")
    assert host.is_open == (gate != "required")


def test_what_keeps_a_stack_from_being_planned_is_told_on_its_page(pristine: Monorepo) -> None:
    wrong = Finding("modules/kubernetes/x/main.tf", 2, None, "plan-module", "no")
    house = seen(pristine, others=(PlanResult("rain-report", TOOL, findings=(wrong,)),))
    assert house.unplanned == ("rain-report",)
    assert [(line.name, line.counts) for line in house.matrix] == [("rain-report", (1,))]
    (page,) = (page for page in house.stacks if page.found)
    assert (page.name, page.found[0].finding) == ("rain-report", wrong)

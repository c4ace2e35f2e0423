"""What a difference does to running workloads: data that is lost, hosts that open, objects that are
recreated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from scaffold.checks.consequences import consequences, seen
from scaffold.checks.house import HouseNames
from scaffold.monorepo.stack import read_stack
from scaffold.terraform.diff import difference
from scaffold.terraform.planned import Mark, PlannedResource, Site, Tree

HOUSE = HouseNames(
    gates={"required": "login@k8s", "public": "guests@k8s"},
    public_dns=frozenset({"proxied", "non-proxied"}),
    allowlists=frozenset({"house@k8s"}),
)


def made(type_: str, name: str, values: Mapping[str, Tree], **settings: object) -> PlannedResource:
    return PlannedResource(f"{type_}.{name}", type_, name, "", None, values, settings, Site("main.tf", 1))


def named(name: str, **spec: Tree) -> dict[str, Tree]:
    return {"metadata": ({"name": name, "namespace": "app"},), "spec": (spec,)}


def claim(name: str = "data", **spec: Tree) -> PlannedResource:
    return made("kubernetes_persistent_volume_claim", "data", named(name, **spec))


def ingress(
    host: str, *middlewares: str, name: str = "app", path: str = "/", dns: str = "", auth: str = ""
) -> PlannedResource:
    annotations = {
        "traefik.ingress.kubernetes.io/router.middlewares": ",".join(middlewares),
        **({"cloudflare.example.org/dns-type": dns} if dns else {}),
    }
    rule: Tree = {"host": host, "http": ({"path": ({"path": path},)},)}
    values: dict[str, Tree] = {
        "metadata": ({"name": name, "namespace": "app", "annotations": annotations},),
        "spec": ({"rule": (rule,)},),
    }
    return made("kubernetes_ingress_v1", name, values, **({"auth": auth} if auth else {}))


def effects(
    before: list[PlannedResource], after: list[PlannedResource], house: HouseNames = HOUSE
) -> list[str]:
    found = consequences(difference(before, after), before, after, house)
    return [f"{one.effect.value} {one.address.rpartition('.')[2]}: {one.text}" for one in found]


def test_a_claim_that_goes_takes_its_data_along() -> None:
    assert effects([claim()], []) == [
        "data-lost data: the data of the volume goes with it",
        "destroyed data: is destroyed",
    ]
    assert effects([claim(volume_name="app-data-host")], []) == ["destroyed data: is destroyed"]
    assert effects([claim(storage_class_name="a")], [claim(storage_class_name="b")]) == [
        "data-lost data: the data of the volume goes with it",
        "replaced data: is destroyed and recreated: spec[0].storage_class_name cannot change in place",
    ]


def test_a_claim_that_grows_and_is_told_to_ignore_it_does_nothing() -> None:
    small, large = ({"requests": {"storage": size}} for size in ("2Gi", "5Gi"))
    before = claim(resources=(small,))
    assert effects([before], [claim(resources=(large,))]) == []
    ignoring = Site("main.tf", 1, ignored=(("spec", 0, "resources", 0, "requests"),))
    after = PlannedResource(
        before.address, before.type, "data", "", None, claim(resources=(large,)).values, {}, ignoring
    )
    assert effects([before], [after]) == [
        "not-applied data: changes of spec[0].resources[0].requests.storage are ignored"
    ]


@pytest.mark.parametrize(
    ("type_", "before", "after", "effect"),
    [
        ("kubernetes_deployment", named("a"), named("b"), ["replaced"]),
        ("kubernetes_deployment", named("a", selector="x"), named("a", selector="y"), ["replaced"]),
        ("kubernetes_deployment", named("a", template=({"x": 1},)), named("a", template=({"x": 2},)), ["restarted"]),
        ("kubernetes_deployment", named("a", replicas=1), named("a", replicas=2), []),
        ("kubernetes_job", named("a", template=({"x": 1},)), named("a", template=({"x": 2},)), ["replaced"]),
        ("kubernetes_manifest", {"manifest": {"kind": "A"}}, {"manifest": {"kind": "B"}}, ["replaced"]),
        ("kubernetes_manifest", {"manifest": {"spec": "A"}}, {"manifest": {"spec": "B"}}, []),
        ("null_resource", {"triggers": {"x": "1"}}, {"triggers": {"x": "2"}}, ["replaced"]),
        ("kubernetes_service", {"metadata": ({"names": "1"},)}, {"metadata": ({"names": "2"},)}, []),
    ],
)  # fmt: skip
def test_what_happens_to_an_object(
    type_: str, before: Mapping[str, Tree], after: Mapping[str, Tree], effect: list[str]
) -> None:
    found = effects([made(type_, "x", before)], [made(type_, "x", after)])
    assert [text.partition(" ")[0] for text in found] == effect


def test_a_namespace_that_goes_takes_everything_along() -> None:
    found = effects([made("kubernetes_namespace", "app", named("app"))], [])
    assert found[0] == "data-lost app: everything in it goes with it"


LOGIN, GUESTS, ONLY_HOUSE = "login@k8s", "guests@k8s", "house@k8s"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([ingress("a.x", LOGIN, dns="proxied", auth="required")], [ingress("a.x", dns="proxied", auth="none")],
         ["opened app: a.x is open to the internet (gate required → none)"]),
        ([ingress("a.x", dns="proxied", auth="none")], [ingress("a.x", LOGIN, dns="proxied", auth="required")],
         ["closed app: a.x is closed (gate none → required)"]),
        ([], [ingress("a.x", dns="proxied", auth="app")], ["opened app: a.x is open to the internet"]),
        ([], [ingress("a.x", GUESTS, dns="non-proxied")], ["opened app: a.x is open to the internet"]),
        ([], [ingress("a.x", LOGIN, dns="proxied")], []),
        ([], [ingress("a.x", auth="none")], []),
        ([], [ingress("a.x", ONLY_HOUSE, dns="non-proxied", auth="none")], []),
        ([], [ingress("a.x", ONLY_HOUSE, dns="proxied", auth="none")], ["opened app: a.x is open to the internet"]),
        ([ingress("a.x", auth="none")], [ingress("a.x", dns="proxied", auth="none")],
         ["opened app: a.x is open to the internet"]),
    ],
)  # fmt: skip
def test_hosts_that_open_and_close(
    before: list[PlannedResource], after: list[PlannedResource], told: list[str]
) -> None:
    assert effects(before, after) == told


def test_a_carve_out_opens_what_was_behind_the_login() -> None:
    """Its own ingress asks for no record: the host has one already."""
    host = ingress("a.x", LOGIN, dns="proxied", auth="required")
    hook = ingress("a.x", name="hook", path="/hook", auth="none")
    assert effects([host], [host, hook]) == ["opened hook: a.x/hook is open to the internet"]
    assert effects([host, hook], [host]) == ["destroyed hook: is destroyed", "closed hook: a.x/hook is gone"]
    everything = ingress("a.x", dns="proxied", auth="none")
    assert effects([everything], [everything, hook]) == []


def test_behind_a_wildcard_record_every_host_is_found() -> None:
    wild = HouseNames(gates=HOUSE.gates, public_dns=HOUSE.public_dns, wildcard="non-proxied")
    assert effects([], [ingress("a.x", auth="none")], wild) == ["opened app: a.x is open to the internet"]


def route(match: Tree, *middlewares: str) -> PlannedResource:
    """An IngressRoute; its middlewares are of the namespace ``app``, or of the provider that they name."""
    rule: Tree = {"match": match, "middlewares": tuple({"name": name} for name in middlewares)}
    manifest: Tree = {
        "kind": "IngressRoute", "metadata": {"name": "r", "namespace": "app"}, "spec": {"routes": (rule,)},
    }  # fmt: skip
    return made("kubernetes_manifest", "r", {"manifest": manifest})


BEHIND = ingress("a.x", LOGIN, dns="proxied", auth="required")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, route("Host(`a.x`) && PathPrefix(`/hook`)"), ["opened r: a.x/hook is open to the internet"]),
        (None, route("Host(`a.x`) && Path(`/hook`)", LOGIN), []),
        (None, route("Host(`a.x`)", "app-strip"),
         ["opened r: a.x is open to the internet (gate required → unknown)"]),
        (None, route("Host(`a.x`) && Header(`X`, `y`)"),
         ["opened r: a.x is open to the internet (gate required → unknown)"]),
        (None, route("Host(`b.x`)"), []),
        (None, route("!Host(`a.x`)"), []),
        (None, route(Mark.UNKNOWN), []),
        (route("Host(`a.x`) && Path(`/hook`)"), None,
         ["destroyed r: is destroyed", "closed r: a.x/hook is gone"]),
        (route("Host(`a.x`)"), None,
         ["destroyed r: is destroyed", "closed app: a.x is closed (gate unknown → required)"]),
        (route("Host(`a.x`) && Path(`/hook`)"), route("Host(`a.x`) && Path(`/hook`)", LOGIN),
         ["closed r: a.x/hook is closed (gate unknown → required)"]),
        (route("Host(`a.x`) && Path(`/hook`)", LOGIN), route("Host(`a.x`) && Path(`/hook`)"),
         ["opened r: a.x/hook is open to the internet (gate required → unknown)"]),
    ],
)  # fmt: skip
def test_a_route_of_traefik_is_a_door(
    before: PlannedResource | None, after: PlannedResource | None, told: list[str]
) -> None:
    """Its host has the record that the ingress made."""
    old, new = ([of, BEHIND] if of else [BEHIND] for of in (before, after))
    assert effects(old, new) == told


def test_a_route_through_a_middleware_of_its_own_namespace_is_behind_it() -> None:
    house = replace(HOUSE, gates={"required": "app-login@kubernetescrd"})
    host = ingress("a.x", "app-login@kubernetescrd", dns="proxied")
    assert effects([host], [host, route("Host(`a.x`) && Path(`/y`)", "login")], house) == []
    told = effects([host], [host, route("Host(`a.x`) && Path(`/y`)", "log")], house)
    assert told == ["opened r: a.x/y is open to the internet"]


def test_what_is_gated_below_an_open_host_opens_with_the_gate_gone() -> None:
    host, admin = ingress("a.x", dns="proxied", auth="app"), route("Host(`a.x`) && Path(`/admin`)", LOGIN)
    assert effects([host], [host, admin]) == ["closed r: a.x/admin is closed"]
    assert effects([host, admin], [host]) == [
        "opened r: a.x/admin is open to the internet", "destroyed r: is destroyed",
    ]  # fmt: skip


def test_the_worst_comes_first() -> None:
    found = effects(
        [claim(), made("kubernetes_service", "s", named("s"))], [ingress("a.x", dns="proxied", auth="app")]
    )
    assert [text.partition(" ")[0] for text in found] == ["data-lost", "opened", "destroyed", "destroyed"]


WRITTEN = """\
resource "kubernetes_namespace" "app" {
  metadata {
    name = "app"
  }
}
resource "kubernetes_persistent_volume_claim" "data" {
  metadata {
    name      = "app-data"
    namespace = kubernetes_namespace.app.metadata[0].name
  }
}
module "ingress" {
  source   = "../../modules/kubernetes/ingress_factory"
  name     = "app"
  auth     = "required"
  dns_type = "proxied"
}
module "ingress_api" {
  source       = "../../modules/kubernetes/ingress_factory"
  name         = "app-api"
  host         = "app"
  ingress_path = ["/api"]
  auth         = "required"
}
resource "kubernetes_manifest" "hook" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "IngressRoute"
    metadata = {
      name      = "hook"
      namespace = kubernetes_namespace.app.metadata[0].name
    }
    spec = {
      routes = [{
        match       = "Host(`${local.host}`) && PathPrefix(`/hook`)"
        middlewares = [{ name = "login@k8s" }]
      }]
    }
  }
}
locals {
  host = "app.example.org"
}
"""


@pytest.mark.parametrize(
    "old,new,told",
    [
        ("app-data", "app-other", ["data-lost s.tf:6 claim app-data: the data of the volume goes with it"]),
        ("kubernetes_namespace", "x", ["data-lost s.tf:1 namespace app: everything in it goes with it"]),
        (
            '  auth         = "required"',
            '  auth         = "none"',
            ["opened s.tf:18 app.example.org/api is open to the internet (gate required → none)"],
        ),
        (
            '  auth     = "required"',
            '  auth     = "app"',
            ["opened s.tf:12 app.example.org is open to the internet (gate required → app)"],
        ),
        (
            '[{ name = "login@k8s" }]',
            "[]",
            ["opened s.tf:34 app.example.org/hook is open to the internet (gate required → unknown)"],
        ),
        ('[{ name = "login@k8s" }]', "var.middlewares", ["closed s.tf:34 app.example.org/hook is gone"]),
        ('[{ name = "login@k8s" }]', '[{ name = "login@k8s" }, { name = var.more }]', []),
        ("`/hook`", "`/api/hook`", ["closed s.tf:34 app.example.org/hook is gone"]),
        ("proxied", "none", []),
        ("app-data", "app-data", []),
    ],
    ids=[
        "claim",
        "namespace",
        "path",
        "gate",
        "route",
        "unknown",
        "one unknown",
        "moved",
        "record",
        "nothing",
    ],
)
def test_what_shows_without_a_plan(old: str, new: str, told: list[str]) -> None:
    before, after = (read_stack({"s.tf": text.encode()}) for text in (WRITTEN, WRITTEN.replace(old, new)))
    house = replace(HOUSE, domain="example.org")
    assert [f"{one.effect.value} {one.address} {one.text}" for one in seen(before, after, house)] == told

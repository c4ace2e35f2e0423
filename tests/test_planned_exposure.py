"""What is planned can be reached from the internet only through the login of Authentik, unless answers say
why not.

Answers are drawn for two houses: one whose hosts without a record nobody finds, and one where a wildcard
record leads to them all. Many Services are planned in one tree, each as a module of a stack, by what the
shared modules make of their ingresses: middlewares, hosts, paths and DNS records.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed
from support import examples, needs
from tables import instead, named, without
from test_exposure import ALLOWLIST, DOMAIN, NO_LOGIN, REASON, SENSED, accepted_answers, may_be_open, whole

from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.templates import decisions
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get
from scaffold.terraform.runner import plan_stacks

pytestmark = needs("terraform")
GATES = frozenset(decisions.house()["gates"].values())
PARTS = ("variables", "namespace", "service", "ingress")
"""The parts of a stack that decide who reaches it."""
DIRECT = {"proxied": "cfargotunnel.com", "internal": "10.0.20.203"}
DEEPER = {"stacks": "stacks/drawn"}
"""Each Service is a module below its stack, one directory deeper than the house's own."""
TOGETHER = 40
"""How many Services are planned in one stack."""
INTERNAL = """
resource "cloudflare_record" "internal" {
  count   = var.dns_type == "internal" ? 1 : 0
  zone_id = var.cloudflare_zone_id
  name    = local.dns_name
  type    = "A"
  content = "10.0.20.203"
  proxied = false
}
"""


@dataclass(frozen=True)
class House:
    """A house: its facts, and what a host below its domain is that has no record."""

    sensed: Mapping[str, Any]
    recordless: str = ""


HOUSES = {
    "dark": House(SENSED),
    "wildcard": House(
        SENSED | {"dns_types": ["proxied", "non-proxied", "internal", "none"], "wildcard_dns": "proxied"},
        "proxied",
    ),
}


@dataclass(frozen=True)
class Service:
    """A Service with the answers that it was planned from, and what is planned of it."""

    house: House
    answers: Mapping[str, Any]
    values: Mapping[str, Any]
    resources: Sequence[PlannedResource]

    def found_by(self, host: str) -> str:
        """How the internet finds a host: ``proxied``, ``direct``, ``internal`` by the house's address, or not."""
        if not _is_own(host):
            return "direct"
        label = "@" if host == DOMAIN else host.removesuffix(f".{DOMAIN}")
        for record in self.resources:
            if record.type == "cloudflare_record" and record.get("name") == label:
                content = str(record.get("content"))
                return next((kind for kind, end in DIRECT.items() if content.endswith(end)), "direct")
        return self.house.recordless

    @cached_property
    def ingresses(self) -> list[PlannedResource]:
        """The planned ingresses."""
        return list(k8s.of_kind(self.resources, "ingress"))


def host(ingress: PlannedResource) -> str:
    return str(ingress.get("spec", 0, "rule", 0, "host"))


def paths(ingress: PlannedResource) -> list[str]:
    return [
        str(get(path, "path")) for path in k8s.items(ingress.get("spec", 0, "rule", 0, "http", 0, "path"))
    ]


def backend(ingress: PlannedResource) -> Tree:
    return ingress.get("spec", 0, "rule", 0, "http", 0, "path", 0, "backend")


def middlewares(ingress: PlannedResource) -> frozenset[str]:
    named = ingress.get("metadata", 0, "annotations", "traefik.ingress.kubernetes.io/router.middlewares")
    return frozenset(str(named).split(","))


def chosen(ingresses: Sequence[PlannedResource], at: str, path: str) -> list[PlannedResource]:
    """The ingresses that Traefik may choose for a request: the longest beginning wins."""
    matching = [
        (len(rule), ingress)
        for ingress in ingresses
        if host(ingress) == at
        for rule in paths(ingress)
        if (path or "/").startswith(rule)
    ]
    longest = max((length for length, _ in matching), default=0)
    return [ingress for length, ingress in matching if length == longest]


def counterexamples(service: Service) -> Iterator[str]:
    """What is reached without Authentik and without an answer that says so, and what is said of it wrongly."""
    yield from _reached(service)
    yield from _published(service)
    yield from _unasked(service)


def _reached(service: Service) -> Iterator[str]:
    meant = {service.values["ingress"]["fqdn"], *(h["fqdn"] for h in service.values["ingress"]["hosts"])}
    for ingress in service.ingresses:
        at = host(ingress)
        if at not in meant or at.count(DOMAIN) > 1:
            yield f"{at} is no host that anybody named"
        for path in _requests(service):
            for way in chosen(service.ingresses, at, path):
                if _is_open(service, way, at) and not _said_to_be_open(service, at, path):
                    yield f"{at}{path}"


def _requests(service: Service) -> Iterator[str]:
    rules = {path.rstrip("/") for ingress in service.ingresses for path in paths(ingress)}
    return (rule + end for rule in sorted({"", *rules}) for end in ("", "/", "/x", "-admin"))


def _is_open(service: Service, ingress: PlannedResource, at: str) -> bool:
    """Whether the internet comes through: what Cloudflare delivers has an address that allowlists let in."""
    found = service.found_by(at)
    if not found or (middlewares(ingress) & GATES and "public" not in str(middlewares(ingress) & GATES)):
        return False
    return ALLOWLIST not in middlewares(ingress) or found == "proxied"


def _said_to_be_open(service: Service, at: str, path: str) -> bool:
    """Whether answers open it with a reason, and none of them says that it is for the house alone."""
    return may_be_open(service.answers, at, path) and not any(
        item.get("local_only") or ALLOWLIST in item.get("extra_middlewares", [])
        or (_is_own(at) and dns in ("internal", "none"))
        for item, dns in _speaking(service.answers, at, path)
    )  # fmt: skip


def _speaking(answers: Mapping[str, Any], at: str, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The answers that speak of a request, the most exact ones, with what is said of its host's record."""
    dns = answers.get("dns", "decided")
    for item in answers.get("hosts", []):
        if at == (item["host"] if item.get("full") else whole(item["host"])):
            said = item.get("dns", "decided")
            yield item, dns if said == "decided" else said
            return
    found = [(0, answers.get("ingress_options", {}))]
    for client in answers.get("machine_clients", []):
        found += [
            (len(rule.rstrip("/")), client) for rule in client["paths"] if path.startswith(rule.rstrip("/"))
        ]
    longest = max(length for length, _ in found)
    yield from ((item, dns) for length, item in found if length == longest)


def _is_own(at: str) -> bool:
    return at == DOMAIN or at.endswith(f".{DOMAIN}")


def _published(service: Service) -> Iterator[str]:
    """Ports that are reached past the ingress, without a reason."""
    balancer = service.answers.get("load_balancer", {})
    for resource in k8s.of_kind(service.resources, "service"):
        if resource.get("spec", 0, "type") in ("LoadBalancer", "NodePort"):
            names = [str(get(port, "name")) for port in k8s.items(resource.get("spec", 0, "port"))]
            allowed = balancer.get("ports", []) if balancer.get("reason") else []
            for port in service.answers.get("ports", []):
                if port["name"] in allowed and port.get("to"):
                    allowed = [
                        *allowed,
                        *(f"{port['name']}-{n}" for n in range(port["port"], port["to"] + 1)),
                    ]
            yield from (f"port {name}" for name in names if name not in allowed)


def _unasked(service: Service) -> Iterator[str]:
    """Addresses that the probe should ask for and does not, or the other way round; ingresses for nothing."""
    probed = {way["url"] for way in service.values["ingress"]["public"]}
    public = {
        f"https://{host(ingress)}{paths(ingress)[0]}"
        for ingress in service.ingresses
        if ingress.settings.get("auth") == "none" and get(backend(ingress), 0, "service", 0, "name") == "kit"
        if _is_own(host(ingress)) and _has_public_record(service, host(ingress))
    }
    yield from (f"{url} is probed, and should not be" for url in probed - public)
    yield from (f"{url} should be probed" for url in public - probed)
    for ingress in service.ingresses:
        others = [other for other in service.ingresses if other is not ingress]
        instead_of_it = {
            _what_it_does(other) for path in paths(ingress) for other in chosen(others, host(ingress), path)
        }
        if instead_of_it == {_what_it_does(ingress)}:
            yield f"{host(ingress)}{paths(ingress)[0]} has an ingress that adds nothing"


def _what_it_does(ingress: PlannedResource) -> tuple[object, ...]:
    return ingress.settings.get("auth"), middlewares(ingress), str(backend(ingress))


def _has_public_record(service: Service, at: str) -> bool:
    label = "@" if at == DOMAIN else at.removesuffix(f".{DOMAIN}")
    records = [r for r in service.resources if r.type == "cloudflare_record" and r.get("name") == label]
    return any(str(record.get("content")) != DIRECT["internal"] for record in records)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, pristine: Monorepo) -> Path:
    """The sample monorepo, with an ingress module that knows internal records too."""
    there = tmp_path_factory.mktemp("planned") / "monorepo"
    shutil.copytree(pristine.root, there, symlinks=True)
    module = there / "modules/kubernetes/ingress_factory/main.tf"
    text = module.read_text()
    known = '["proxied", "non-proxied", "none"]'
    assert known in text
    module.write_text(text.replace(known, '["proxied", "non-proxied", "internal", "none"]') + INTERNAL)
    return there


def planned(root: Path, house: House, drawn: Sequence[Mapping[str, Any]]) -> list[Service]:
    """The Services, planned as modules of a few stacks: one stack of all takes Terraform longer."""
    values = [decisions.combine({**answers, "sensed": dict(house.sensed) | DEEPER}) for answers in drawn]
    stacks = {f"drawn-{n}": range(n, min(n + TOGETHER, len(drawn))) for n in range(0, len(drawn), TOGETHER)}
    files: dict[str, Any] = {}
    for stack, numbers in stacks.items():
        files |= _files(root, stack, {number: values[number] for number in numbers})
    found: dict[str, list[PlannedResource]] = {}
    for result in plan_stacks(root, list(stacks), files):
        assert result.findings == ()
        for resource in result.resources:
            found.setdefault(resource.module.split(".")[1], []).append(resource)
    return [
        Service(house, answers, values[number], found[f"s{number}"]) for number, answers in enumerate(drawn)
    ]


def _files(root: Path, stack: str, values: Mapping[int, Mapping[str, Any]]) -> Mapping[str, bytes]:
    text = "".join(f"{{% include 'templates/partials/stack/{part}.jinja' %}}\n" for part in PARTS)
    there = f"{STACKS}/{stack}"
    files = {f"{there}/terragrunt.hcl": (root / STACKS / "journal/terragrunt.hcl").read_bytes()}
    names = dict.fromkeys(v["value"] for each in values.values() for v in each["stack"]["variables"])
    calls = [f'variable "{name}" {{ type = string }}\n' for name in names]
    for number, each in values.items():
        given = "".join(f"  {v['value']} = var.{v['value']}\n" for v in each["stack"]["variables"])
        calls.append(f'module "s{number}" {{\n  source = "./s{number}"\n{given}}}\n')
        files[f"{there}/s{number}/main.tf"] = decisions.compiled(text).render(each).encode()
        files[f"{there}/s{number}/tiers.tf"] = b'locals {\n  tiers = { aux = "4-aux" }\n}\n'
    return files | {f"{there}/main.tf": "".join(calls).encode()}


def judged(services: Sequence[Service]) -> list[tuple[Mapping[str, Any], list[str]]]:
    """The answers that lead to a counterexample, with what it is."""
    found = ((service.answers, list(counterexamples(service))) for service in services)
    return [(answers, told) for answers, told in found if told]


def drawn_answers(house: House, number: int, part: int) -> list[dict[str, Any]]:
    """Answers that the house accepts, as many as that; of each part others."""
    drawn: list[dict[str, Any]] = []

    @seed(part)
    @examples(number)
    @given(answers=accepted_answers(house.sensed))
    def draw(answers: dict[str, Any]) -> None:
        drawn.append(answers)

    draw()
    return drawn


@pytest.mark.slow("plans 2,080 Services")
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("house", HOUSES)
def test_nothing_that_is_planned_is_open_without_a_reason(root: Path, house: str, part: int) -> None:
    drawn = drawn_answers(HOUSES[house], 130, part)
    assert judged(planned(root, HOUSES[house], drawn)) == []


PLAIN = {"name": "kit", "description": "A kit", "image": "docker.io/library/nginx:1.29.0", "port": 8080}
OPEN: dict[str, list[dict[str, Any]]] = {
    "must be explicit": [
        {**PLAIN, "machine_clients": [{"paths": ["/api"], "auth": "none", "reason": REASON}]}
    ]
}
"""What a row refuses and few drawn answers have: a path that opens what begins with it, too."""
LOGINS: dict[str, dict[str, Any]] = {
    "unlike_its_image": {"gate": "app", "gate_reason": REASON},
    "hosts_unlike_its_image": {"hosts": [{"host": "kit-two", "auth": "app", "reason": REASON}]},
}
"""Answers that say that an image has a login of its own, for the table that refuses them."""


@pytest.mark.slow("plans what some rows keep away")
@pytest.mark.parametrize(
    ("house", "row"),
    [
        ("dark", ("refusals_ingress/ways", "keep the internet out")),
        ("wildcard", ("refusals_ingress/ways", "keep the internet out")),
        ("wildcard", ("refusals_ingress/ways", "opens ")),
        ("dark", ("refusals_ingress/ways", "is already the gate there")),
        ("dark", ("refusals/service", "opens the Service")),
        ("dark", ("refusals_ingress/hosts", "opens the host")),
        ("dark", ("refusals/machine_clients", "opens the path")),
        ("dark", ("refusals/carved_paths", "must be explicit")),
        ("dark", ("refusals/carved_paths", "already has a gate")),
        ("dark", ("refusals_workload/load_balancer", "login")),
    ],
    ids=str,
)
def test_what_a_row_keeps_away_is_found_without_it(root: Path, house: str, row: tuple[str, str]) -> None:
    there = HOUSES[house]
    with instead(without(named(*row))):
        drawn = [*OPEN.get(row[1], ()), *drawn_answers(there, 120, 0)]
        # Behind a closed gate it shows what a path opens.
        closed = [{n: v for n, v in a.items() if n not in ("gate", "gate_reason")} for a in drawn]
        drawn += [a for a in closed if not validation.problems(Answers(a), there.sensed, {})]
    kept = [answers for answers in drawn if validation.problems(Answers(answers), there.sensed, {})]
    with instead(without(named(*row))):
        assert kept and judged(planned(root, there, kept[:TOGETHER])) != []


@pytest.mark.slow("plans what a row keeps away")
@pytest.mark.parametrize("table", ["unlike_its_image", "hosts_unlike_its_image"])
def test_a_login_that_the_image_lacks_is_found_without_its_row(root: Path, table: str) -> None:
    there = HOUSES["dark"]
    row = named(f"refusals_image/{table}", "own login")
    drawn = [{**PLAIN, **LOGINS[table]}, *drawn_answers(there, 120, 0)]
    drawn = [{**answers, "image": NO_LOGIN, "image_reason": ""} for answers in drawn]
    refused = [a for a in drawn if validation.problems(Answers(a), there.sensed, {})]
    with instead(without(row)):
        let_in = [a for a in refused if not validation.problems(Answers(a), there.sensed, {})]
        assert let_in and judged(planned(root, there, let_in[:TOGETHER])) != []


@pytest.mark.slow("plans what a row keeps away")
def test_the_domain_twice_is_found_without_its_row(root: Path) -> None:
    with instead(without(named("ingress/label", "it was removed here"))):
        drawn = drawn_answers(HOUSES["dark"], 60, 0)
        written_out = [answers for answers in drawn if str(answers.get("host")).endswith(DOMAIN)]
        assert written_out and judged(planned(root, HOUSES["dark"], written_out)) != []


@pytest.mark.slow("plans what the probe is told")
def test_a_probe_that_asks_for_other_addresses_is_found(root: Path) -> None:
    drawn = drawn_answers(HOUSES["dark"], 40, 0)
    for service in planned(root, HOUSES["dark"], drawn):
        ingress = service.values["ingress"]
        carved = [way for way in ingress["public"] if way["paths"]]
        other = replace(service, values={**service.values, "ingress": {**ingress, "public": carved}})
        if carved != ingress["public"]:
            assert list(counterexamples(other))
            return
    pytest.fail("no answers with a host that is for anyone were drawn")

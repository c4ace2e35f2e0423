"""What Terraform makes of the sample: every stack can be planned, and the modules do what they are asked to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support import needs

from scaffold.demo import sample, write
from scaffold.terraform.planned import PlannedResource, Tree
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import plan_stacks

pytestmark = needs("terraform")

STACKS = sorted(path.name for path in Path(str(sample()), "stacks").iterdir())
MODULES = "../../modules/kubernetes"
INGRESS = f"""
  source          = "{MODULES}/ingress_factory"
  name            = "seed-bank"
  namespace       = "garden"
  tls_secret_name = "tls"
"""
ANUBIS = f"""
  source     = "{MODULES}/anubis_instance"
  name       = "seed-bank"
  namespace  = "garden"
  target_url = "http://seed-bank.garden.svc.cluster.local"
"""


@pytest.fixture
def homelab(tmp_path: Path) -> Path:
    write(tmp_path / "homelab")
    return tmp_path / "homelab"


def call(homelab: Path, arguments: str) -> PlanResult:
    """Plan a stack that does nothing but call one module."""
    stack = homelab / "stacks/experiment"
    stack.mkdir()
    (stack / "main.tf").write_text(f'module "it" {{\n{arguments}\n}}\n', encoding="utf-8")
    (result,) = plan_stacks(homelab, ["experiment"])
    return result


def only(result: PlanResult, kind: str) -> PlannedResource:
    assert result.findings == ()
    (found,) = (resource for resource in result.resources if resource.type == kind)
    return found


def annotations_of(result: PlanResult) -> Mapping[str, Tree]:
    found = only(result, "kubernetes_ingress_v1").get("metadata", 0, "annotations")
    assert isinstance(found, Mapping)
    return found


def middlewares(result: PlanResult) -> list[str]:
    found = str(annotations_of(result)["traefik.ingress.kubernetes.io/router.middlewares"])
    return [name.removeprefix("traefik-").removesuffix("@kubernetescrd") for name in found.split(",")]


def records(result: PlanResult) -> set[tuple[Tree, Tree, Tree, Tree]]:
    return {
        (resource.get("name"), resource.get("type"), resource.get("content"), resource.get("proxied"))
        for resource in result.resources
        if resource.type == "cloudflare_record"
    }


def test_every_stack_can_be_planned(homelab: Path) -> None:
    results = plan_stacks(homelab, STACKS)
    assert [result.stack for result in results if result.resources] == STACKS
    assert {result.stack: result.findings for result in results if not result.ok} == {}


def test_an_ingress_as_it_is_by_default(homelab: Path) -> None:
    result = call(homelab, INGRESS)
    assert annotations_of(result) == {
        "gethomepage.dev/enabled": "true",
        "gethomepage.dev/group": "Apps",
        "gethomepage.dev/href": "https://seed-bank.example.test",
        "gethomepage.dev/icon": "seed-bank.png",
        "gethomepage.dev/name": "seed bank",
        "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
        "traefik.ingress.kubernetes.io/router.middlewares": (
            "traefik-retry@kubernetescrd,traefik-rate-limit@kubernetescrd,traefik-crowdsec@kubernetescrd,"
            "traefik-authentik-forward-auth@kubernetescrd,traefik-csp-headers@kubernetescrd"
        ),
    }
    assert [resource.type for resource in result.resources] == ["kubernetes_ingress_v1"]


@pytest.mark.parametrize(
    ("mode", "gate"),
    [
        ("public", ["authentik-forward-auth-public"]),
        ("app", ["ai-bot-block", "anti-ai-headers"]),
        ("none", ["ai-bot-block", "anti-ai-headers"]),
    ],
)
def test_what_gates_an_ingress(homelab: Path, mode: str, gate: list[str]) -> None:
    result = call(homelab, f'{INGRESS}  auth = "{mode}"')
    assert middlewares(result) == ["retry", "rate-limit", "crowdsec", *gate, "csp-headers"]


def test_a_proxied_ingress_is_monitored_under_the_name_it_is_given(homelab: Path) -> None:
    result = call(homelab, f'{INGRESS}  dns_type = "proxied"\n  external_monitor_name = "Seeds"')
    tunnel = "00000000-0000-4000-8000-000000000001.cfargotunnel.com"
    assert records(result) == {("seed-bank", "CNAME", tunnel, True)}
    assert annotations_of(result)["uptime.example.test/external-monitor"] == "true"
    assert annotations_of(result)["uptime.example.test/external-monitor-name"] == "Seeds"
    assert annotations_of(result)["cloudflare.example.test/dns-type"] == "proxied"


def test_an_ingress_with_everything(homelab: Path) -> None:
    result = call(
        homelab,
        f"""{INGRESS}
  full_host                      = "example.test"
  dns_type                       = "non-proxied"
  external_monitor               = false
  external_name                  = "nas.example.test"
  backend_protocol               = "HTTPS"
  port                           = 8443
  ssl_redirect                   = false
  allow_local_access_only        = true
  skip_default_rate_limit        = true
  exclude_crowdsec               = true
  anti_ai_scraping               = true
  custom_content_security_policy = "default-src 'self'"
  max_body_size                  = "5G"
  extra_middlewares              = ["garden-bees@kubernetescrd"]
  extra_annotations              = {{ "gethomepage.dev/icon" = "bee.png" }}
  homepage_enabled               = false
""",
    )
    assert middlewares(result) == [
        "retry",
        "local-only",
        "ai-bot-block",
        "anti-ai-headers",
        "authentik-forward-auth",
        "garden-seed-bank-csp",
        "garden-seed-bank-buffering",
        "garden-bees",
    ]
    found = annotations_of(result)
    assert found["uptime.example.test/external-monitor"] == "false"
    assert found["traefik.ingress.kubernetes.io/router.entrypoints"] == "web,websecure"
    assert {key for key in found if "gethomepage" in key} == {"gethomepage.dev/icon"}
    assert records(result) == {("@", "A", "192.0.2.80", False), ("@", "AAAA", "2001:db8::80", False)}
    service = only(result, "kubernetes_service")
    assert service.get("spec", 0, "external_name") == "nas.example.test"
    own = {
        resource.instance: resource.get("manifest", "spec")
        for resource in result.resources
        if resource.type == "kubernetes_manifest"
    }
    assert own == {
        "csp": {"headers": {"contentSecurityPolicy": "default-src 'self'"}},
        "buffering": {"buffering": {"maxRequestBodyBytes": 5 * 1024**3}},
    }


@pytest.mark.parametrize(("store", "replicas"), [("", 1), ("redis://redis.redis.svc:6379/3", 2)])
def test_anubis_has_a_second_pod_only_with_a_shared_store(homelab: Path, store: str, replicas: int) -> None:
    result = call(homelab, f'{ANUBIS}  shared_store_url = "{store}"' if store else ANUBIS)
    assert only(result, "kubernetes_deployment").get("spec", 0, "replicas") == str(replicas)
    policy = str(only(result, "kubernetes_config_map").get("data", "policy.yaml"))
    assert policy.startswith('"bots":')
    assert ("valkey" in policy) == bool(store)


@pytest.mark.parametrize(
    "arguments",
    [
        f'{INGRESS}  auth = "yes"',
        f'{INGRESS}  dns_type = "internal"',
        f'{INGRESS}  max_body_size = "5T"',
        f"{ANUBIS}  replicas = 3",
        f'{ANUBIS}  shared_store_url = "redis://redis.redis.svc:6379"',
    ],
    ids=["auth", "dns_type", "max_body_size", "replicas", "shared_store_url"],
)
def test_values_that_a_module_refuses(homelab: Path, arguments: str) -> None:
    result = call(homelab, arguments)
    assert [finding.message for finding in result.findings if "Invalid value for variable" in finding.message]

"""The sample's Terraform: it parses, is formatted, and its shared modules have the house's contracts."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
from support import needs

from scaffold.demo import sample

ROOT = Path(str(sample()))
REQUIRED = ...  # in place of a default: the variable has none

Contract = dict[str, tuple[str | None, object]]
"""Type and default of every variable; no type where it takes any."""

INGRESS_FACTORY: Contract = {
    "name": ("string", REQUIRED),
    "service_name": ("string", None),
    "host": ("string", None),
    "namespace": ("string", REQUIRED),
    "external_name": ("string", None),
    "port": (None, "80"),
    "tls_secret_name": (None, REQUIRED),
    "backend_protocol": (None, "HTTP"),
    "auth": ("string", "required"),
    "ingress_path": ("list(string)", ["/"]),
    "max_body_size": ("string", None),
    "extra_annotations": ("map(string)", {}),
    "ssl_redirect": ("bool", True),
    "allow_local_access_only": ("bool", False),
    "root_domain": ("string", "example.test"),
    "custom_content_security_policy": ("string", None),
    "exclude_crowdsec": ("bool", False),
    "full_host": ("string", None),
    "extra_middlewares": ("list(string)", []),
    "skip_default_rate_limit": ("bool", False),
    "anti_ai_scraping": ("bool", None),
    "dns_type": ("string", "none"),
    "external_monitor": ("bool", None),
    "external_monitor_name": ("string", None),
    "cloudflare_zone_id": ("string", "00000000000000000000000000000001"),
    "cloudflare_tunnel_id": ("string", "00000000-0000-4000-8000-000000000001"),
    "public_ip": ("string", "192.0.2.80"),
    "public_ipv6": ("string", "2001:db8::80"),
    "homepage_group": ("string", None),
    "homepage_enabled": ("bool", True),
    "sablier": ("object({group = string, session_duration = string, strategy = string})", None),
}
NFS_VOLUME: Contract = {
    "name": ("string", REQUIRED),
    "namespace": ("string", REQUIRED),
    "nfs_server": ("string", REQUIRED),
    "nfs_path": ("string", REQUIRED),
    "storage": ("string", "10Gi"),
    "access_modes": ("list(string)", ["ReadWriteMany"]),
}
ANUBIS_INSTANCE: Contract = {
    "name": ("string", REQUIRED),
    "namespace": ("string", REQUIRED),
    "target_url": ("string", REQUIRED),
    "cookie_domain": ("string", "example.test"),
    "difficulty": ("number", 2),
    "cookie_expiration_hours": ("number", 720),
    "image_tag": ("string", "v1.21.3"),
    "replicas": ("number", None),
    "shared_store_url": ("string", None),
    "memory": ("string", "128Mi"),
    "policy_yaml": ("string", None),
    "cpu_request": ("string", "20m"),
}
SETUP_TLS_SECRET: Contract = {
    "namespace": ("string", REQUIRED),
    "tls_secret_name": (None, REQUIRED),
    "tls_crt": (None, ""),
    "tls_key": (None, ""),
}


def parse(path: Path) -> dict[str, Any]:
    options = hcl2.SerializationOptions(strip_string_quotes=True, explicit_blocks=False, with_comments=False)
    parsed: dict[str, Any] = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=options)
    return parsed


def module(name: str) -> dict[str, Any]:
    return parse(ROOT / "modules/kubernetes" / name / "main.tf")


def variables(name: str) -> dict[str, dict[str, Any]]:
    return {label: body for block in module(name)["variable"] for label, body in block.items()}


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("ingress_factory", INGRESS_FACTORY),
        ("nfs_volume", NFS_VOLUME),
        ("anubis_instance", ANUBIS_INSTANCE),
        ("setup_tls_secret", SETUP_TLS_SECRET),
    ],
)
def test_contract_of_a_shared_module(name: str, contract: Contract) -> None:
    found = {
        label: (body["type"].removeprefix("${").removesuffix("}") if "type" in body else None,
                body.get("default", REQUIRED))
        for label, body in variables(name).items()
    }  # fmt: skip
    assert found == contract


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("ingress_factory", set()),
        ("nfs_volume", {"claim_name"}),
        ("anubis_instance", {"service_name", "service_port"}),
        ("setup_tls_secret", set()),
    ],
)
def test_outputs_of_a_shared_module(name: str, outputs: set[str]) -> None:
    assert {label for block in module(name).get("output", []) for label in block} == outputs


def test_values_that_the_modules_refuse() -> None:
    def validated(name: str) -> set[str]:
        return {label for label, body in variables(name).items() if "validation" in body}

    assert validated("ingress_factory") == {"auth", "dns_type", "max_body_size"}
    assert validated("anubis_instance") == {"replicas", "shared_store_url"}


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.rglob("*.tf"), *ROOT.rglob("*.hcl")]),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_every_file_parses(path: Path) -> None:
    assert parse(path)


@needs("terraform")
def test_every_file_is_formatted() -> None:
    check = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", str(ROOT)],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert (check.returncode, check.stdout) == (0, ""), check.stderr

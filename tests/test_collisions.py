"""Names that another stack, or a script, has already, and those that only look like it."""

from __future__ import annotations

import pytest

from scaffold.answers import validation
from scaffold.answers.sources import from_yaml
from scaffold.commands.taken import with_taken
from scaffold.monorepo.collisions import Wanted, taken
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.monorepo.uses import EXTERNAL_MONITOR
from scaffold.templates import decisions

BASE = """\
name: kit
description: d it
image: docker.io/library/nginx:1.29.0
port: 8080
"""
OTHER = """\
locals {
  first = 9000
}
data "vault_kv_secret_v2" "kit" {
  mount = "secret"
  name  = "kit"
}
resource "kubernetes_config_map" "bees" {
  data = {
    CACHE = "redis://${var.redis_host}:6379/7"
    QUEUE = "redis://:secret@queue.bees.svc:6379/9"
  }
}
resource "kubernetes_service" "bees" {
  metadata {
    annotations = {
      "metallb.io/loadBalancerIPs" = "10.0.20.77"
    }
  }
  spec {
    type = "LoadBalancer"
    dynamic "port" {
      for_each = range(local.first, local.first + 3)
      content {
        port = port.value
      }
    }
  }
}
"""
SCRIPT = "#!/bin/sh\nvault read database/static-creds/pg-terraform-state\n"
CACHE = 'env: {{CACHE: {{host: redis, text: "redis://{{host}}:6379/{0}"{1}}}}}'
BALANCED = (
    "ports: [{{name: sip, port: {0}, service_port: {0}}}]\n"
    "load_balancer: {{address: 10.0.20.77, ports: [sip], reason: the birds have no browser}}"
)


@pytest.fixture
def inhabited(monorepo: Monorepo) -> Monorepo:
    """The sample with a further stack and a script, which have names."""
    directory = monorepo.root / STACKS / "bees"
    directory.mkdir()
    (directory / "main.tf").write_text(OTHER)
    (monorepo.root / "scripts" / "migrate-state").write_text(SCRIPT)
    return Monorepo(monorepo.root)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (CACHE.format(7, ""), "taken.redis-database env.CACHE.text 7"),
        (CACHE.format(7, ", reason: The two are one app"), None),
        (CACHE.format(8, ""), None),
        (CACHE.format(9, ""), None),
        ("secrets_env_from: true", "taken.vault-path name kit"),
        ("secrets: [{env: KEY}]", "taken.vault-path name kit"),
        ("secrets: [{env: KEY}]\nsecrets_reason: The two are one account", None),
        ("host: notes.viktorbarzin.me", "taken.host host notes.viktorbarzin.me"),
        ("hosts: [{host: notes.viktorbarzin.me}]", "taken.host hosts[0].host notes.viktorbarzin.me"),
        ('secrets: [{env: KEY, vault: "others#key", reason: It is one account}]', None),
        (
            "database: postgresql\ndatabase_name: terraform_state",
            "taken.database-role database_name pg-terraform-state",
        ),
        ("database: postgresql\ndatabase_name: terraform_states", None),
        (BALANCED.format(9002), "taken.load-balancer-port load_balancer.ports 10.0.20.77 TCP 9002"),
        (BALANCED.format(9003), None),
    ],
)
def test_a_name_in_use_is_told_with_its_answer(inhabited: Monorepo, more: str, told: str | None) -> None:
    given = from_yaml(f"{BASE}{more}\n".encode(), "a.yml")
    assert validation.problems(given, {}, {}) == []
    found = with_taken(inhabited, given, {}, [])
    assert [f"{f.code} {f.answer} {f.value}" for f in found] == ([told] if told else [])


@pytest.mark.parametrize("name", ["kube-system", "kube-public", "default"])
def test_a_namespace_of_kubernetes_is_nobodys(name: str) -> None:
    for text, answer in (
        (BASE.replace("kit", name), "name"),
        (f"{BASE}object_names: {{namespace: {name}}}\n", "object_names.namespace"),
    ):
        found = validation.problems(from_yaml(text.encode(), "a.yml"), {}, {})
        assert [(f.code, f.answer) for f in found] == [("answers.name-reserved", answer)]


def test_which_records_are_public_is_the_monorepos_to_say(inhabited: Monorepo) -> None:
    monitor = Wanted(EXTERNAL_MONITOR, "notes", "host")
    usual = decisions.house()
    assert [use.name for _, use in taken(inhabited, [monitor], "kit", usual)] == ["notes"]
    assert taken(inhabited, [monitor], "kit", {**usual, "public_dns": []}) == []

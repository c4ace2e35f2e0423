"""Names that another stack, or a script, already has, and names that only look like it."""

from __future__ import annotations

import pytest

from scaffold.answers import validation
from scaffold.answers.sources import from_yaml
from scaffold.checks.house import HouseNames, house_of
from scaffold.commands.stored import with_answers
from scaffold.commands.taken import with_taken
from scaffold.monorepo.collisions import Wanted, shared, taken
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.sensing import facts
from scaffold.monorepo.uses import EXTERNAL_MONITOR
from scaffold.templates import decisions
from scaffold.templates.render import ANSWERS_FILE

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
resource "helm_release" "bees" {
  values = [yamlencode({ config = { HIVES = "redis://${var.redis_host}:6379/5" } })]
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
        (CACHE.format(5, ""), "taken.redis-database env.CACHE.text 5"),
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


def test_what_two_stacks_take_is_told_to_both_and_a_monitor_takes_nothing(inhabited: Monorepo) -> None:
    directory = inhabited.root / STACKS / "wasps"
    directory.mkdir()
    twice = (
        'locals {\n  a = "redis://${var.redis_host}:6379/7"\n  b = "redis://${var.redis_host}:6379/7"\n}\n'
    )
    watched = 'locals {\n  internal_monitors = [{ url = "redis://${var.redis_host}:6379/7" }]\n}\n'
    (directory / "main.tf").write_text(
        OTHER.split("resource", maxsplit=1)[0]
        + 'resource "kubernetes_config_map" "w" {\n  data = {\n    A = "redis://'
        '${var.redis_host}:6379/7"\n  }\n}\n' + twice + watched
    )
    found = shared(Monorepo(inhabited.root), {**decisions.house(), "domain": "example.test"})
    told = {
        stack: [(use.kind, use.name, others) for use, others in names]
        for stack, names in found.items()
        if stack in ("bees", "wasps")
    }
    assert told == {
        "bees": [("Redis database", "7", ("wasps",))],
        "wasps": [("Redis database", "7", ("bees",))],
    }
    (directory / "main.tf").write_text(watched)
    assert "wasps" not in shared(Monorepo(inhabited.root), {**decisions.house(), "domain": "example.test"})


def test_the_claims_that_answers_say_to_exist_are_known(inhabited: Monorepo) -> None:
    answers = inhabited.root / STACKS / "bees" / ANSWERS_FILE
    assert with_answers(HouseNames(), inhabited, "bees").given_claims == frozenset()
    answers.write_text(
        "volumes:\n- {purpose: data, claim: hive, path: /a}\n- {purpose: wax, path: /b, size: 1Gi}\n"
    )
    assert with_answers(HouseNames(), inhabited, "bees").given_claims == {"hive"}
    answers.write_text("<<<<<<< before\n")
    assert with_answers(HouseNames(), inhabited, "bees").given_claims == frozenset()


@pytest.mark.parametrize(
    "said",
    [
        "build: [woodpecker]",
        "build: {a: b}",
        "build: woodpecker\nimage: [a]",
        "build: woodpecker\nimage: ghcr.io/a/b:1\ndatabase: [x]",
        "build: woodpecker\nimage: ghcr.io/a/b:1\nvolumes: 3",
        "build: nowhere\nimage: ghcr.io/a/b:1",
        "build: [woodpecker]\nimage: ghcr.io/a/b:1",
        "build: woodpecker\nimage: 3",
        "build: woodpecker\nimage: ghcr.io/a/b:1\nsensed: {house: 3, builds: [1]}",
    ],
)
def test_answers_that_nothing_follows_from_add_no_registry(inhabited: Monorepo, said: str) -> None:
    answers = inhabited.root / STACKS / "bees" / ANSWERS_FILE
    for text in (f"name: bees\n{said}\n", f"name: bees\n{said}\ngiven: [name]\n"):
        answers.write_text(text)
        assert with_answers(HouseNames(), inhabited, "bees").own_registries == {}
        answers.write_text(f"{text}volumes: [{{claim: hive}}]\n" if "volumes" not in said else text)
        claims = with_answers(HouseNames(), inhabited, "bees").given_claims
        assert claims == ({"hive"} if "volumes" not in said else frozenset())


POLICY = """
locals {
  left_out = ["kube-system", "keys"]
}
resource "kubectl_manifest" "trusted" {
  yaml_body = yamlencode({
    kind = "ClusterPolicy"
    spec = {
      validationFailureAction = "Enforce"
      rules = [{
        exclude  = { any = [{ resources = { namespaces = local.left_out } }] }
        validate = { pattern = { spec = { containers = [{ image = "docker.io/* | quay.io/*" }] } } }
      }]
    }
  })
}
"""


def test_a_policy_of_images_is_read_with_the_namespaces_that_it_leaves_out(inhabited: Monorepo) -> None:
    (inhabited.root / STACKS / "bees" / "main.tf").write_text(POLICY)
    monorepo = Monorepo(inhabited.root)
    house = house_of(monorepo, facts(monorepo))
    assert {"docker.io/*", "quay.io/*"} <= set(house.trusted_images)
    assert {"kube-system", "keys"} <= house.unjudged_namespaces


PRIORITY = """
locals {
  left_out = ["kube-system", "keys"]
}
resource "kubectl_manifest" "priority" {
  yaml_body = yamlencode({
    kind = "ClusterPolicy"
    spec = {
      rules = [for tier in ["aux", "edge"] : {
        match   = { any = [{ resources = { namespaceSelector = { matchLabels = { tier = tier } } } }] }
        exclude = { any = [{ resources = { namespaces = local.left_out } }] }
        mutate  = { patchesJson6902 = yamlencode([{ op = "add", path = "/spec/priorityClassName", value = tier }]) }
      }]
    }
  })
}
"""


@pytest.mark.parametrize(
    ("old", "new", "left_out"),
    [
        ("", "", {"kube-system", "keys"}),
        ("tier = tier", "app = tier", set()),
        ("/spec/priorityClassName", "/spec/a", set()),
    ],
)
def test_the_policy_that_goes_by_tiers_is_read_with_the_namespaces_that_it_leaves_out(
    inhabited: Monorepo, old: str, new: str, left_out: set[str]
) -> None:
    (inhabited.root / STACKS / "bees" / "main.tf").write_text(PRIORITY.replace(old, new))
    monorepo = Monorepo(inhabited.root)
    assert house_of(monorepo, facts(monorepo)).untiered_namespaces == left_out

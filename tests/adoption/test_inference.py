"""What is inferred of a stack: each answer by what its plan shows, wherever it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from support import frozen, scaffold

from scaffold.adoption import computed
from scaffold.adoption.infer import infer
from scaffold.adoption.inferred import STOOD, Certainty, Inferred, gathered, holding
from scaffold.adoption.likeness import Missing, compare, share
from scaffold.adoption.rules import by_rule, unexplained
from scaffold.adoption.scope import not_ours, obstacles
from scaffold.adoption.standing import Standing
from scaffold.adoption.ways import ways
from scaffold.adoption.written import Written
from scaffold.answers import validation
from scaffold.answers.sources import Answers, Place
from scaffold.cli.options import over
from scaffold.commands.adoption import Adoption
from scaffold.hcl.syntax import parse
from scaffold.report.adoption import adoption_text
from scaffold.templates import decisions
from scaffold.terraform.planned import STAND_IN, Mark, Placeholder, PlannedResource, Site
from scaffold.terraform.result import PlanResult
from scaffold.terraform.tool import Tool

PATH = "stacks/kit/main.tf"
TOOL = Tool("terraform", "terraform")


def planned(kind: str, name: str, values: Mapping[str, Any], line: int | None = None) -> PlannedResource:
    return PlannedResource(
        f"kubernetes_{kind}.{name}", f"kubernetes_{kind}", name, "", None,
        {key: frozen(value) for key, value in values.items()}, {}, Site(PATH, line),
    )  # fmt: skip


def deployment(
    app: Mapping[str, Any], *beside: Mapping[str, Any], name: str = "kit", **spec: Any
) -> PlannedResource:
    """A Deployment with the app's container, those beside it, and more of its pods' specification."""
    whole = {"name": name, "image": "docker.io/library/nginx:1.29.0", **app}
    template = {"metadata": [{"labels": {"app": name}}], "spec": [{"container": [whole, *beside], **spec}]}
    selector = [{"match_labels": {"app": name}}]
    place = [{"name": name, "namespace": "kit", "labels": {"app": name}}]
    return planned(
        "deployment", name, {"metadata": place, "spec": [{"selector": selector, "template": [template]}]}
    )


def external_secret(name: str, store: str, spec: Mapping[str, Any]) -> PlannedResource:
    manifest = {
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "kit"},
        "spec": {"secretStoreRef": {"name": store}, **spec},
    }
    return planned("manifest", name.replace("-", "_"), {"manifest": manifest})


def standing(*resources: PlannedResource, source: str = "") -> Standing:
    shared = {f"{STAND_IN}.var.redis_host": "redis", f"{STAND_IN}.var.postgresql_host": "postgresql"}
    written = Written((parse(source.encode(), PATH),) if source else ())
    return Standing("kit", resources, decisions.house(), written, shared)


def answers(*resources: PlannedResource, source: str = "") -> dict[str, Any]:
    return gathered(infer(standing(*resources, source=source)))[0]


def recorded(*resources: PlannedResource, source: str = "") -> dict[str, Any]:
    return gathered(infer(standing(*resources, source=source)))[1]


def test_each_answer_says_where_it_came_from_and_how_sure_it_is() -> None:
    source = "# Kit: A tool box\n" + "\n" * 8 + 'resource "kubernetes_deployment" "kit" {}\n'
    found = {
        one.question: one
        for one in infer(standing(deployment({"port": [{"container_port": 8080}]}), source=source))
    }
    port = found["port"]
    assert (port.value, port.certainty) == (8080, Certainty.CERTAIN)
    assert (
        str(port.origin)
        == f"kubernetes_deployment.kit spec[0].template[0].spec[0].container[0].port ({PATH})"
    )
    assert (found["description"].value, found["description"].certainty) == ("A tool box", Certainty.LIKELY)
    assert answers(deployment({}))["description"] == "kit"


CAPABLE: dict[str, Any] = {"security_context": [{"capabilities": [{"add": ["SYS_ADMIN"]}]}]}
ELSEWHERE = external_secret("own", "vault-kv", {
    "target": {"name": "own"}, "data": [{"secretKey": "x", "remoteRef": {"key": "mail", "property": "password"}}],
})  # fmt: skip
BALANCER = planned("service", "lan", {
    "metadata": [{"name": "lan", "namespace": "kit"}],
    "spec": [{"type": "LoadBalancer", "selector": {"app": "kit"}, "port": [{"port": 80, "target_port": "80"}]}],
})  # fmt: skip


def bound(kind: str, namespace: str) -> tuple[PlannedResource, ...]:
    """A ServiceAccount that a role in a namespace is bound to."""
    place = [{"name": "kit", "namespace": namespace}]
    subject = {"kind": "ServiceAccount", "name": "kit", "namespace": "kit"}
    binding = {"metadata": place, "role_ref": [{"name": "kit"}], "subject": [subject]}
    rule = [{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}]
    return (
        planned("service_account", "kit", {"metadata": [{"name": "kit", "namespace": "kit"}]}),
        planned(kind, "kit", {"metadata": place, "rule": rule}),
        planned(f"{kind}_binding", "kit", binding),
    )


@pytest.mark.parametrize(
    ("resources", "question", "line"),
    [
        (
            (deployment(CAPABLE),),
            "capabilities_reason",
            "capabilities_reason kubernetes_deployment.kit comment above capabilities",
        ),
        (
            (deployment({}, {"name": "spy", "image": "docker.io/a/b:1", **CAPABLE}),),
            "sidecars",
            'sidecars kubernetes_deployment.kit spec[0].template[0].spec[0].container["spy"]',
        ),
        (
            (deployment({"env": [{"name": "X", "value_from": [{"secret_key_ref": [{"name": "own", "key": "x"}]}]}]}), ELSEWHERE),
            "secrets",
            'secrets kubernetes_deployment.kit spec[0].template[0].spec[0].container[0].env["X"].value_from',
        ),
        (
            (deployment({}, service_account_name="kit"), *bound("cluster_role", "")),
            "rbac",
            "rbac kubernetes_cluster_role.kit rule",
        ),
        (
            (deployment({"port": [{"name": "http", "container_port": 80}]}), BALANCER),
            "load_balancer",
            "load_balancer kubernetes_service.lan spec[0]",
        ),
    ],
)  # fmt: skip
def test_what_needs_a_reason_and_has_none_is_assumed(
    resources: tuple[PlannedResource, ...], question: str, line: str
) -> None:
    found = [one for one in infer(standing(*resources)) if one.question == question]
    assert [(one.certainty, one.line) for one in found] == [(Certainty.ASSUMED, line)]
    assert line in str(found[0].to_settle.fix)


def test_what_has_its_reason_is_not_assumed() -> None:
    source = """resource "kubernetes_deployment" "kit" {
  spec {
    security_context {
      # It mounts disks.
      capabilities {}
    }
  }
}
"""
    app = deployment(CAPABLE)
    at_line = PlannedResource(app.address, app.type, app.name, "", None, app.values, {}, Site(PATH, 1))
    found = {one.question: one for one in infer(standing(at_line, source=source))}
    reason = found["capabilities_reason"]
    assert (reason.value, reason.certainty) == ("It mounts disks.", Certainty.LIKELY)
    own = infer(standing(deployment({}, service_account_name="kit"), *bound("role", "kit")))
    assert [one.certainty for one in own if one.question == "rbac"] == [Certainty.LIKELY]


def test_what_is_given_in_part_stays_assumed_as_long_as_a_reason_is_missing() -> None:
    env = [
        {"name": name, "value_from": [{"secret_key_ref": [{"name": "own", "key": key}]}]}
        for name, key in (("X", "x"), ("Y", "y"))
    ]
    rows = [{"secretKey": key, "remoteRef": {"key": "mail", "property": key}} for key in ("x", "y")]
    secret = external_secret("own", "vault-kv", {"target": {"name": "own"}, "data": rows})
    inferred = infer(standing(deployment({"env": env}), secret))
    values, _ = gathered(inferred)

    def assumed(*settings: str) -> set[str]:
        answers = over((), settings)(Answers(values, {(): Place("stacks/kit")}))
        assert answers.problems == ()
        return {one.question for one in Adoption("kit", inferred=inferred, answers=answers).assumed}

    assert assumed() == {"description", "secrets"}
    assert assumed("description=A kit", "secrets[X].reason=It sends mail") == {"secrets"}
    reasons = ("secrets[X].reason=It sends mail", "secrets[Y].reason=It reads mail")
    assert assumed(*reasons) == {"description"}


def test_no_restart_is_the_likely_reading_where_nothing_rotates() -> None:
    kept = external_secret(
        "own", "vault-kv", {"target": {"name": "own"}, "dataFrom": [{"extract": {"key": "kit"}}]}
    )
    found = [one for one in infer(standing(deployment({}), kept)) if one.question == "reloader"]
    assert [(one.value, one.certainty) for one in found] == [("never", Certainty.LIKELY)]
    rotated = external_secret(
        "db", "vault-database",
        {"target": {"name": "db"}, "data": [{"secretKey": "p", "remoteRef": {"key": "static-creds/pg-kit", "property": "password"}}]},
    )  # fmt: skip
    assert "reloader" not in answers(deployment({}), kept, rotated)


@pytest.mark.parametrize(
    ("container", "spec", "expected"),
    [
        ({"image": "nginx"}, {}, {"image": "docker.io/library/nginx"}),
        ({"image": "a/b:1.2"}, {}, {"image": "docker.io/a/b:1.2"}),
        ({"image": "quay.io/a/b:1.2"}, {}, {"image": "quay.io/a/b:1.2"}),
        ({"image": "forgejo.viktorbarzin.me/viktor/kit:abcdef12"}, {"image_pull_secrets": [{"name": "registry-credentials"}]},
         {"build": "forgejo-woodpecker"}),
        ({"image": "forgejo.viktorbarzin.me/viktor/other:1"}, {}, {"image": "forgejo.viktorbarzin.me/viktor/other"}),
        ({"resources": [{"limits": {"memory": "1Gi"}, "requests": {"memory": "256Mi", "cpu": "10m"}}]}, {},
         {"memory": "1Gi", "memory_request": "256Mi", "cpu": "10m"}),
        ({"resources": [{"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}}]}, {}, {"memory": "1Gi"}),
        ({"command": ["sh", "-c", "x"]}, {}, {"command": ["sh", "-c", "x"]}),
        ({"env": [{"name": "A", "value": "1"}, {"name": "N", "value_from": [{"field_ref": [{"field_path": "status.podIP"}]}]}]},
         {}, {"env": {"A": "1", "N": {"field": "status.podIP"}}}),
        ({"env": [{"name": "R", "value": Placeholder(f"redis://{STAND_IN}.var.redis_host:6379/3")}]}, {},
         {"env": {"R": {"host": "redis", "text": "redis://{host}:6379/3"}}}),
        ({"env": [{"name": "X", "value": Mark.UNKNOWN}]}, {}, {}),
        ({}, {"security_context": [{"run_as_user": "1000", "fs_group": "1001"}]}, {"uid": 1000, "fs_group": 1001}),
        ({"readiness_probe": [{"http_get": [{"path": "/up"}], "period_seconds": 7}]}, {},
         {"health_path": "/up", "probes": {"readiness": {"period_seconds": 7}}}),
        ({"readiness_probe": [{"http_get": [{"path": "/up"}]}], "liveness_probe": [{"tcp_socket": [{"port": "80"}]}]}, {},
         {"busy": True}),
    ],
)  # fmt: skip
def test_a_pod_shows_its_answers(container: Any, spec: Any, expected: dict[str, Any]) -> None:
    found = answers(deployment(container, **spec))
    assert {key: found.get(key) for key in expected} == expected
    assert ("env" in found) == ("env" in expected)


def test_secrets_are_references_by_where_vault_has_them() -> None:
    def env(name: str, secret: str, key: str) -> dict[str, Any]:
        return {"name": name, "value_from": [{"secret_key_ref": [{"name": secret, "key": key}]}]}

    app = deployment(
        {"env": [env("TOKEN", "own", "token"), env("OTHER", "own", "x"), env("THEIRS", "alien", "k")]}
    )
    secret = external_secret("own", "vault-kv", {
        "target": {"name": "own"}, "dataFrom": [{"extract": {"key": "kit"}}],
        "data": [{"secretKey": "x", "remoteRef": {"key": "mail", "property": "password"}}],
    })  # fmt: skip
    found = answers(app, secret)
    assert [(one["env"], one.get("vault")) for one in found["secrets"]] == [
        ("TOKEN", None),
        ("OTHER", "mail#password"),
    ]
    assert found["secrets"][1]["reason"] and "secrets_form" not in found
    assert found["env"] == {"THEIRS": {"secret": "alien", "key": "k"}}
    kept = recorded(app, secret)["names"]
    assert kept["secrets"] == "own"
    assert kept["secret_keys"]["OTHER"] == "x"


def test_a_database_is_told_by_the_role_whose_password_rotates() -> None:
    dsn = f"postgresql+asyncpg://kit:{{{{ .password }}}}@{STAND_IN}.var.postgresql_host:5432/kit"
    env = {
        "name": "DATABASE_URL",
        "value_from": [{"secret_key_ref": [{"name": "kit-db", "key": "DATABASE_URL"}]}],
    }
    secret = external_secret("kit-db", "vault-database", {
        "target": {"name": "kit-db", "template": {"data": {"DATABASE_URL": Placeholder(dsn)}}},
        "data": [{"secretKey": "password", "remoteRef": {"key": "static-creds/pg-kit", "property": "password"}}],
    })  # fmt: skip
    found = answers(deployment({"env": [env]}), secret)
    assert found["database"] == "postgresql"
    assert found["database_env"] == {"dsn": "DATABASE_URL", "scheme": "postgresql+asyncpg"}
    assert recorded(deployment({"env": [env]}), secret)["names"]["database_secret"] == "kit-db"


def test_of_two_databases_the_one_with_its_name_is_its_own() -> None:
    def role(name: str, of: str) -> PlannedResource:
        row = {"secretKey": "password", "remoteRef": {"key": f"static-creds/pg-{of}", "property": "password"}}
        return external_secret(name, "vault-database", {"target": {"name": name}, "data": [row]})

    env = {"name": "THEIRS", "value_from": [{"secret_key_ref": [{"name": "their-db", "key": "password"}]}]}
    sources = [{"secret_ref": [{"name": name}]} for name in ("their-db", "kit-db")]
    app = deployment({"env": [env], "env_from": sources})
    found = answers(app, role("their-db", "other"), role("kit-db", "kit"))
    assert "database_name" not in found
    assert (
        recorded(app, role("their-db", "other"), role("kit-db", "kit"))["names"]["database_secret"]
        == "kit-db"
    )
    assert found["env"] == {"THEIRS": {"secret": "their-db", "key": "password"}}
    assert found["env_from"] == [{"secret": "their-db"}]


def test_what_exists_keeps_its_name_and_its_class() -> None:
    claim = planned("persistent_volume_claim", "data_proxmox", {
        "metadata": [{"name": "kit-data-proxmox", "namespace": "kit"}],
        "spec": [{"storage_class_name": "proxmox-lvm", "resources": [{"requests": {"storage": "2Gi"}}]}],
    })  # fmt: skip
    volume = {"name": "store", "persistent_volume_claim": [{"claim_name": "kit-data-proxmox"}]}
    app = deployment({"volume_mount": [{"name": "store", "mount_path": "/data"}]}, volume=[volume])
    assert answers(app, claim)["volumes"] == [
        {"purpose": "store", "path": "/data", "size": "2Gi", "sensitive": False}
    ]
    assert recorded(app, claim)["volumes"] == {
        "store": {"storage_class": "proxmox-lvm", "claim": "kit-data-proxmox"}
    }


def test_a_container_inherits_what_the_app_has() -> None:
    shared = [{"name": "A", "value": "1"}]
    beside = {
        "name": "worker",
        "image": "docker.io/library/nginx:1.29.0",
        "env": [*shared, {"name": "B", "value": "2"}],
    }
    both = deployment({"env": shared}, beside)
    assert answers(both)["sidecars"] == [{"name": "worker", "env": {"B": "2"}}]


def test_what_is_read_while_it_is_planned_is_a_reference_too() -> None:
    source = """resource "kubernetes_deployment" "kit" {
  spec {
    env {
      name  = "TOKEN"
      value = data.kubernetes_secret.kit.data["api_token"]
    }
  }
}
"""
    app = deployment({"env": [{"name": "TOKEN", "value": Mark.UNKNOWN}]})
    at_line = PlannedResource(app.address, app.type, app.name, "", None, app.values, {}, Site(PATH, 1))
    assert answers(at_line, source=source)["secrets"] == [{"env": "TOKEN", "vault": "kit#api_token"}]


COMPUTED = """locals {
  shared = [{ name = "SALT", value = random_id.salt.hex }]
}

resource "kubernetes_deployment" "kit" {
  spec {
    env {
      name  = "KEY"
      value = base64encode(random_password.key.result)
    }
    env {
      name  = "EACH"
      value = each.value
    }
  }
}
"""


def test_what_terraform_computes_is_read_from_a_secret_beside() -> None:
    env = [{"name": name, "value": Mark.UNKNOWN} for name in ("KEY", "SALT", "EACH", "OTHER")]
    app = deployment(
        {"env": env}, {"name": "worker", "image": "docker.io/library/redis:7.4.0", "env": env[:1]}
    )
    found = answers(app, source=COMPUTED)
    key = {"secret": "kit-computed", "key": "KEY"}
    # Nothing says here what EACH is, nor OTHER.
    assert found["env"] == {"KEY": key, "SALT": {"secret": "kit-computed", "key": "SALT"}}
    assert found["sidecars"][0]["env"] == {"KEY": key}
    again = COMPUTED.replace("random_password.key.result", "random_password.other.result")
    assert "env" not in answers(deployment({"env": env[:1]}), source=COMPUTED + again), "two forms"


def test_the_secret_has_what_answers_read_of_it() -> None:
    documents = [parse(COMPUTED.encode(), PATH)]
    space = parse(b'resource "kubernetes_namespace" "kit" {\n}\n')
    values: dict[str, Any] = {
        "env": {"KEY": {"secret": "kit-computed", "key": "KEY"}, "B": {"secret": "mine", "key": "C"}}
    }
    made = computed.block("kit", documents, values, [deployment({})], [space])
    assert made is not None
    text = made.source.text()
    assert "    KEY = base64encode(random_password.key.result)\n  }" in text
    assert "namespace = kubernetes_namespace.kit.metadata[0].name" in text
    assert computed.block("kit", documents, {"env": {"B": "2"}}, [deployment({})], [space]) is None


def test_what_goes_with_writing_is_refused_without_it() -> None:
    for option in (("--commit",), ("--accept", "description")):
        refused = scaffold("adopt", "kit", *option)
        assert refused.returncode == 2 and "--write" in refused.stderr


def test_what_no_answers_describe_is_told_with_the_reason() -> None:
    helper = {"name": "helper", "image": "docker.io/library/busybox:1.37.0"}
    several = standing(deployment({}), deployment({}, helper, name="other"))
    assert not_ours(several) == "it has 2 Deployments, and the pods of other have several containers"
    several = standing(deployment({}), deployment({}, name="other", init_container=[helper]))
    assert not_ours(several) == "it has 2 Deployments, and the pods of other have init containers"
    assert not_ours(standing(deployment({}), deployment({}, name="other"))) == ""
    assert not_ours(standing(planned("stateful_set", "db", {}))) == "it has a StatefulSet"
    chart = PlannedResource("helm_release.x", "helm_release", "x", "", None, {})
    assert not_ours(standing(deployment({}), chart)) == "it installs a Helm chart"
    assert "neither" in not_ours(standing(planned("namespace", "kit", {})))
    assert not_ours(standing(deployment({}))) == ""


def service(name: str, app: str, port: int, inside: int) -> PlannedResource:
    place = [{"name": name, "namespace": "kit"}]
    ports = [{"name": "voice", "port": port, "target_port": inside}]
    return planned("service", name, {"metadata": place, "spec": [{"selector": {"app": app}, "port": ports}]})


def test_a_second_deployment_is_a_workload() -> None:
    mine = {"image": "docker.io/acme/ears:1.0.0", "port": [{"container_port": 10300}], "args": ["--small"]}
    ears, worker = deployment(mine, name="ears"), deployment({"command": ["work"]}, name="kit-worker")
    given = answers(deployment({}), ears, service("ears", "ears", 9000, 10300), worker)
    assert given["workloads"] == [
        {
            "name": "ears", "image": "docker.io/acme/ears:1.0.0", "args": ["--small"], "port": 10300,
            "service_port": 9000, "strategy": "RollingUpdate", "port_name": "voice", "object_name": "ears",
        },
        {"name": "worker", "command": ["work"], "strategy": "RollingUpdate", "container": "kit-worker"},
    ]  # fmt: skip
    assert given["shape"] == "worker", "the Service is not the app's"


def test_two_pods_that_call_their_volumes_alike_have_two_purposes() -> None:
    def of(name: str, claim: str) -> PlannedResource:
        volume = [{"name": "data", "persistent_volume_claim": [{"claim_name": claim}]}]
        return deployment({"volume_mount": [{"name": "data", "mount_path": "/a"}]}, name=name, volume=volume)

    own, worker = of("kit", "kit-data-proxmox"), of("kit-worker", "kit-worker-data-encrypted")
    claims = [
        planned("persistent_volume_claim", claim.replace("-", "_"), {"metadata": [{"name": claim}]})
        for claim in ("kit-data-proxmox", "kit-worker-data-encrypted", "spool")
    ]
    assert list(recorded(own, worker, *claims)["volumes"]) == ["data", "worker-data"]
    assert list(recorded(own, of("kit-worker", "spool"), *claims)["volumes"]) == ["data", "data-2"]


def test_a_second_deployment_without_a_service_keeps_its_ports_to_its_pod() -> None:
    (item,) = answers(deployment({}), deployment({"port": [{"container_port": 9000}]}, name="other"))[
        "workloads"
    ]
    assert item["ports"] == [{"name": "port-9000", "port": 9000, "in_service": False}] and "port" not in item


def test_the_selector_of_a_second_deployment_stays() -> None:
    other = deployment({}, name="other")
    spec = other.get("spec", 0)
    assert isinstance(spec, Mapping)
    selected = frozen([{**dict(spec), "selector": [{"match_labels": {"run": "other"}}]}])
    run = PlannedResource(other.address, other.type, other.name, "", None, {**other.values, "spec": selected})
    assert recorded(deployment({}), run)["names"]["workloads"] == {"other": {"run": "other"}}
    assert "workloads" not in recorded(deployment({}), other)["names"]
    assert list(obstacles(standing(deployment({}), run))) == []


def test_of_several_deployments_the_one_of_the_stacks_name_is_the_app() -> None:
    assert standing(deployment({}, name="a"), deployment({})).app is not None
    stack = standing(deployment({}, name="a"), deployment({}))
    assert stack.deployment is not None and stack.deployment.name == "kit"
    assert [other.name for other in stack.others] == ["a"]


def test_a_selector_stays_and_one_that_is_not_known_stands_in_the_way() -> None:
    app = deployment({})
    spec = app.get("spec", 0)
    assert isinstance(spec, Mapping)

    def selected(labels: object) -> PlannedResource:
        other = frozen([{**dict(spec), "selector": [{"match_labels": labels}]}])
        return PlannedResource(app.address, app.type, app.name, "", None, {**app.values, "spec": other})

    assert recorded(selected({"run": "kit"}))["names"]["matched"] == {"run": "kit"}
    assert "matched" not in recorded(app)["names"]
    assert list(obstacles(standing(selected({"run": Mark.UNKNOWN})))) == ["its selector is not known"]
    assert list(obstacles(standing(app))) == list(obstacles(standing(selected({"run": "kit"})))) == []
    spaces = [planned("namespace", name, {"metadata": [{"name": name}]}) for name in ("kit", "other")]
    other = planned("deployment", "a", {"metadata": [{"name": "a"}]})
    assert list(obstacles(standing(selected({"run": Mark.UNKNOWN}), other, *spaces))) == [
        "its selector is not known", "it has 2 namespaces", "the selector of a is not known",
    ]  # fmt: skip


def test_lists_are_joined_and_mappings_too() -> None:
    origin = infer(standing(deployment({})))[0].origin
    parts = [
        Inferred("files", [1], origin), Inferred("files", [2], origin), Inferred("recorded", {"names": {"a": 1}}, origin),
        Inferred("recorded", {"names": {"b": 2}}, origin), Inferred("port", 1, origin), Inferred("port", 2, origin),
    ]  # fmt: skip
    assert gathered(parts) == ({"files": [1, 2], "port": 2}, {"names": {"a": 1, "b": 2}})
    assert [one.value for one in holding(parts)] == [[1], [2], {"names": {"a": 1}}, {"names": {"b": 2}}, 2]


def test_a_value_is_shown_with_the_spaces_that_it_has() -> None:
    origin = infer(standing(deployment({})))[0].origin
    _, _, line, *_ = adoption_text([Adoption("kit", inferred=(Inferred("title", "a  b", origin),))])
    assert line.startswith('  title: "a  b"  (')


def test_likeness_goes_by_names_and_not_by_addresses() -> None:
    before = [deployment({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})]
    after = [deployment({"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "other"}]})]
    (one,) = compare(before, after)
    assert one.missing == (Missing("spec[0].template[0].spec[0].container[0].env[A].value", "1", "other"),)
    assert share([one]) == 1 - 1 / one.total
    (alone,) = compare(before, [])
    assert len(alone.missing) == alone.total
    assert share([]) == 1.0


def test_a_rule_of_the_house_explains_what_becomes_another() -> None:
    (one,) = compare([deployment({"image": "nginx:1.29.0", "image_pull_policy": "Always"})], [deployment({})])
    assert [by_rule(one, missing) for missing in one.missing] == [
        "an image has its registry written out, and what moves its tag goes on doing so",
        "a policy decides when an image is pulled",
    ]
    assert unexplained(one) == ()
    (tag,) = compare([deployment({"image": "nginx:1.28.0"})], [deployment({})])
    assert [missing.value for missing in unexplained(tag)] == ["nginx:1.28.0"]
    image = ("spec", 0, "template", 0, "spec", 0, "container", 0, "image")
    moved = replace(deployment({}), site=Site(PATH, None, ignored=(image,)))
    (left_alone,) = compare([deployment({"image": "nginx:1.28.0"})], [moved])
    assert unexplained(left_alone) == ()
    unknown = deployment({"env": [{"name": "KEY", "value": Mark.UNKNOWN}]})
    source = [{"secret_key_ref": [{"name": "kit-computed", "key": "KEY"}]}]
    (read,) = compare([unknown], [deployment({"env": [{"name": "KEY", "value_from": source}]})])
    assert by_rule(read, read.missing[0]) == "what Terraform computes is read from a Secret"
    (gone,) = compare([unknown], [deployment({})])
    assert len(unexplained(gone)) == 2
    dsn = {"target": {"template": {"data": {"URL": "mysql://kit:{{ .db_password }}@there/kit"}}}}
    ours, theirs = (
        external_secret("kit", "vault-kv", {"target": {"template": {"data": {"URL": url}}}})
        for url in ("mysql://kit:{{ .password }}@there/kit", "mysql://kit:{{ .password }}@elsewhere/kit")
    )
    (called,) = compare([external_secret("kit", "vault-kv", dsn)], [ours])
    assert unexplained(called) == ()
    (led,) = compare([external_secret("kit", "vault-kv", dsn)], [theirs])
    assert len(unexplained(led)) == 1
    told = deployment({})
    metadata = frozen([{"labels": {"app": "kit"}, "annotations": {"diun.enable": "true"}}])
    spec = told.get("spec", 0)
    assert isinstance(spec, Mapping)
    template = (
        {
            **dict(spec),
            "template": ({"metadata": metadata, "spec": told.get("spec", 0, "template", 0, "spec")},),
        },
    )
    (diun,) = compare([replace(told, values={**told.values, "spec": template})], [told])
    assert [by_rule(diun, missing) for missing in diun.missing] == [
        "Diun without tags would tell of every push"
    ]
    (other,) = compare([deployment({"image": "redis:1"})], [deployment({})])
    assert [missing.value for missing in unexplained(other)] == ["redis:1"]


def test_what_is_not_known_is_given_back_where_the_expression_behind_it_is() -> None:
    def app(behind: str) -> PlannedResource:
        one = deployment({"env": [{"name": "TOKEN", "value": Mark.UNKNOWN}]})
        at = ("spec", 0, "template", 0, "spec", 0, "container", 0, "env", 0, "value")
        return replace(one, site=replace(one.site, behind={at: behind}))

    assert share(compare([app("data.x.y")], [app("data.x.y")])) == 1
    ((missing,),) = (one.missing for one in compare([app("data.x.y")], [app("data.x.z")]))
    assert missing.path.endswith("env[TOKEN].value")
    assert (missing.value, missing.instead) == (
        "(known after apply) data.x.y",
        "(known after apply) data.x.z",
    )
    hosts = [
        deployment({"env": [{"name": "H", "value": Placeholder(f"{STAND_IN}.var.{name}")}]}) for name in "ab"
    ]
    assert share(compare(hosts[:1], hosts[:1])) == 1 > share(compare(hosts[:1], hosts[1:]))


def test_names_of_access_are_kept_where_they_are_not_the_services_own() -> None:
    def account(kind: str, names: tuple[str, str, str], namespace: str = "kit") -> dict[str, Any]:
        its, role, binding = names
        place = [{"name": its, "namespace": "kit"}]
        subject = {"kind": "ServiceAccount", "name": its, "namespace": "kit"}
        rule = [{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}]
        kept: dict[str, Any] = recorded(
            deployment({}, service_account_name=its),
            planned("service_account", "a", {"metadata": place}),
            planned(kind, "r", {"metadata": [{"name": role, "namespace": namespace}], "rule": rule}),
            planned(f"{kind}_binding", "b", {
                "metadata": [{"name": binding, "namespace": namespace}], "role_ref": [{"name": role}], "subject": [subject],
            }),
        )["names"]  # fmt: skip
        return kept

    parts = ("account", "roles", "bindings")
    usual = account("role", ("kit", "kit", "kit"))
    assert not set(parts) & set(usual)
    kept = account("cluster_role", ("kit_agent", "watcher", "watches"))
    assert [kept[part] for part in parts] == ["kit_agent", {"*": "watcher"}, {"*": "watches"}]
    elsewhere = account("role", ("kit", "kit-mail", "binds"), "mail")
    assert elsewhere.get("roles") is None and elsewhere["bindings"] == {"mail": "binds"}
    names = decisions.combine({
        "name": "kit", "description": "x", "port": 80, "image": "docker.io/library/nginx:1.29.0", "recorded": {"names": kept},
    })["recorded_now"]["names"]  # fmt: skip
    assert [names[part] for part in parts] == [kept[part] for part in parts]


def test_an_external_secret_keeps_its_own_name_and_that_of_its_secret() -> None:
    made = external_secret("kit-from-vault", "vault-kv", {
        "target": {"name": "kit_secret"}, "dataFrom": [{"extract": {"key": "kit"}}],
    })  # fmt: skip
    names = recorded(deployment({}), made)["names"]
    assert (names["secrets"], names["external_secret"]) == ("kit_secret", "kit-from-vault")
    same = external_secret(
        "kit_secret",
        "vault-kv",
        {"target": {"name": "kit_secret"}, "dataFrom": [{"extract": {"key": "kit"}}]},
    )
    assert "external_secret" not in recorded(deployment({}), same)["names"]


def test_what_is_scraped_is_told_by_the_service_wherever_it_was_told() -> None:
    service = planned("service", "kit", {
        "metadata": [{"name": "kit", "namespace": "kit"}],
        "spec": [{"selector": {"app": "kit"}, "port": [{"port": 80, "target_port": 8080}]}],
    })  # fmt: skip
    app = deployment({"port": [{"container_port": 8080}]})
    notes = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9090",
        "prometheus.io/path": "/m",
        "other": "x",
    }
    values: Any = {**app.values, "spec": [{**app.values["spec"][0]}]}  # type: ignore[index,dict-item]
    template = {
        **values["spec"][0]["template"][0],
        "metadata": [{"labels": {"app": "kit"}, "annotations": notes}],
    }
    values["spec"][0]["template"] = [template]
    scraped = replace(app, values={key: frozen(value) for key, value in values.items()})
    found = answers(scraped, service)
    assert found["metrics"] == {"path": "/m", "port": 9090}
    assert found["annotations"] == {"pod": {"other": "x"}}
    (one, _) = compare([scraped, service], [app, service])
    told = {missing.path.rpartition(".annotations.")[2]: by_rule(one, missing) for missing in one.missing}
    assert bool(told["prometheus.io/port"]) and not told["other"]
    assert "metrics" not in answers(app, service)


def test_one_pod_needs_no_availability_and_what_sablier_scales_no_number() -> None:
    budget = planned("pod_disruption_budget_v1", "kit", {"spec": [{"min_available": "1"}]})

    def app(replicas: int, **labels: str) -> PlannedResource:
        one = deployment({})
        spec = {**one.values["spec"][0], "replicas": replicas}  # type: ignore[index,dict-item]
        place = {"name": "kit", "namespace": "kit", "labels": {"app": "kit", **labels}}
        return replace(one, values={**one.values, "spec": (frozen(spec),), "metadata": (frozen(place),)})

    assert answers(app(2), budget)["availability"] == {"min_available": 1}
    assert "availability" not in answers(app(1), budget)
    assert answers(app(0))["replicas"] == 0
    assert "replicas" not in answers(app(0, **{"sablier.enable": "true"}))
    ignores = [
        replace(one, site=replace(one.site, ignored=(("spec", 0, "replicas"),))) for one in (app(0), app(1))
    ]
    ((missing,),) = (one.missing for one in compare(ignores[:1], ignores[1:]))
    assert by_rule(compare(ignores[:1], ignores[1:])[0], missing)
    assert not by_rule(compare([app(0)], ignores[1:])[0], missing)


def test_a_directory_that_is_mounted_whole_is_told_by_its_name() -> None:
    config_map = planned(
        "config_map", "kit", {"metadata": [{"name": "kit-rules", "namespace": "kit"}], "data": {"a.yml": "x"}}
    )
    volumes = [
        {"name": "rules", "config_map": [{"name": "kit-rules", "default_mode": "0644"}]},
        {"name": "keys", "secret": [{"secret_name": "kit-keys", "default_mode": "0440"}]},
        {"name": "one", "secret": [{"secret_name": "single"}]},
    ]
    mounts = [
        {"name": "rules", "mount_path": "/etc/rules/"},
        {"name": "keys", "mount_path": "/etc/keys"},
        {"name": "one", "mount_path": "/etc/one", "sub_path": "one"},
    ]
    beside = {
        "name": "spy",
        "image": "docker.io/a/b:1",
        "volume_mount": [{"name": "keys", "mount_path": "/keys"}],
    }
    app = deployment({"volume_mount": mounts}, beside, volume=volumes)
    known_, elsewhere = answers(app, config_map), answers(app)
    assert known_["directories"] == [
        {"name": "keys", "path": "/etc/keys", "secret": "kit-keys", "mode": "0440"},
        {"name": "rules", "path": "/etc/rules/"},
    ]
    assert {"path": "/etc/rules/a.yml", "content": "x"} in known_["files"]
    assert elsewhere["directories"][0] == {"name": "rules", "path": "/etc/rules/", "config_map": "kit-rules"}
    assert known_["sidecars"][0]["mounts"] == [{"volume": "keys", "path": "/keys"}]


def test_a_directory_of_a_job_alone_is_not_the_apps() -> None:
    pods = {"container": [{"name": "run", "image": "docker.io/a/b:1", "volume_mount": [{"name": "script", "mount_path": "/s"}]}],
            "volume": [{"name": "script", "config_map": [{"name": "kit-script"}]}]}  # fmt: skip
    job = planned(
        "job",
        "run",
        {"metadata": [{"name": "run", "namespace": "kit"}], "spec": [{"template": [{"spec": [pods]}]}]},
    )
    found = answers(deployment({}), job)
    assert found["directories"] == [
        {"name": "script", "path": "/script", "config_map": "kit-script", "in_app": False}
    ]
    assert found["jobs"][0]["mounts"] == [{"volume": "script", "path": "/s"}]


def test_a_directory_of_a_sidecar_alone_is_not_the_apps() -> None:
    config_map = planned(
        "config_map", "kit", {"metadata": [{"name": "kit-rules", "namespace": "kit"}], "data": {"a": "x"}}
    )
    beside = {
        "name": "spy",
        "image": "docker.io/a/b:1",
        "volume_mount": [{"name": "rules", "mount_path": "/r"}],
    }
    found = answers(
        deployment({}, beside, volume=[{"name": "rules", "config_map": [{"name": "kit-rules"}]}]), config_map
    )
    assert found["directories"] == [
        {"name": "rules", "path": "/rules", "config_map": "kit-rules", "in_app": False}
    ]
    assert found["sidecars"][0]["mounts"] == [{"volume": "rules", "path": "/r"}]


def test_a_load_balancer_keeps_its_name_and_without_a_port_of_the_app_its_text() -> None:
    listening = deployment({"port": [{"name": "sip", "container_port": 80}]})
    assert answers(listening, BALANCER)["load_balancer"]["ports"] == ["sip"]
    kept = recorded(listening, BALANCER)
    assert kept["names"]["balancer"] == "lan"
    values = decisions.combine(
        {**answers(listening, BALANCER), "name": "kit", "sensed": {}, "recorded": kept}
    )
    assert values["names"]["balancer"] == values["recorded_now"]["names"]["balancer"] == "lan"
    silent = (deployment({"port": [{"container_port": 81}]}), BALANCER)
    assert "load_balancer" not in answers(*silent) and "balancer" not in recorded(*silent)["names"]


def test_a_load_balancer_leads_to_ports_by_their_names_too() -> None:
    ports = [
        {"name": "http", "container_port": 80},
        {"name": "mail", "container_port": 2525},
        {"container_port": 9},
    ]
    leads = [
        {"port": 25, "target_port": "mail"},
        {"port": 80, "target_port": "http"},
        {"port": 7, "target_port": "gone"},
    ]
    spec = [{"type": "LoadBalancer", "selector": {"app": "kit"}, "port": leads}]
    found = answers(
        deployment({"port": ports}), planned("service", "lan", {"metadata": [{"name": "lan"}], "spec": spec})
    )
    assert found["load_balancer"]["ports"] == ["http", "mail"]
    assert found["ports"] == [
        {"name": "mail", "port": 2525, "service_port": 25}, {"name": "port-9", "port": 9},
    ]  # fmt: skip


def test_further_pull_secrets_are_kept() -> None:
    app = deployment({}, image_pull_secrets=[{"name": "team"}, {"name": "other"}])
    assert answers(app)["pull_secrets"] == ["other", "team"]
    assert "pull_secrets" not in answers(deployment({}))


def test_a_path_in_vault_that_no_container_reads_stays_fetched() -> None:
    secret = external_secret("kit-secrets", "vault-kv", {
        "target": {"name": "kit-secrets"}, "dataFrom": [{"extract": {"key": "kit"}}],
    })  # fmt: skip
    found = answers(deployment({}), secret)
    assert (found["secrets_form"], found["unread_reason"]) == ("extract", STOOD)
    read = {"env": [{"name": "X", "value_from": [{"secret_key_ref": [{"name": "kit-secrets", "key": "x"}]}]}]}
    assert "secrets_form" not in answers(deployment(read), secret)
    beside = answers(deployment({}, {"name": "spy", "image": "docker.io/a/b:1", **read}), secret)
    assert (beside["secrets_form"], "unread_reason" in beside) == ("extract", False)


def test_containers_are_compared_by_name_whatever_their_order() -> None:
    image = {"image": "docker.io/a/b:1"}
    one = deployment({**image, "name": "app", "args": ["x"]}, {**image, "name": "spy"})
    other = deployment({**image, "name": "spy"}, {**image, "name": "app", "args": ["x"]})
    assert share(compare([one], [other])) == 1
    assert share(compare([one], [deployment({**image, "name": "spy"})])) < 1


def test_external_secrets_that_are_one_are_counted_once() -> None:
    field = {"field_manager": frozen([{"force_conflicts": True}])}
    two = [
        external_secret(
            name, "vault-kv", {"data": [{"secretKey": name, "remoteRef": {"key": "kit", "property": name}}]}
        )
        for name in "ab"
    ]
    both = external_secret(
        "a",
        "vault-kv",
        {"data": [{"secretKey": n, "remoteRef": {"key": "kit", "property": n}} for n in "ab"]},
    )
    two, both = (
        [replace(one, values={**one.values, **field}) for one in two],
        replace(both, values={**both.values, **field}),
    )
    assert share(compare(two, [both])) == 1


def test_what_nothing_replaces_is_counted_as_kept_and_not_as_given_back() -> None:
    own = planned(
        "config_map", "own", {"metadata": [{"name": "own", "namespace": "kit"}], "data": {"a": "x"}}
    )
    app = deployment({})
    before, after = PlanResult("kit", TOOL, (app, own)), PlanResult("kit", TOOL, (app,))
    found = Adoption(
        "kit", before=before, after=after, compared=tuple(compare(before.resources, after.resources))
    )
    assert found.share is not None and found.share < 1
    assert found.share_with_kept == 1
    lost = PlanResult("kit", TOOL, (deployment({"args": ["x"]}), own))
    found = Adoption(
        "kit", before=lost, after=after, compared=tuple(compare(lost.resources, after.resources))
    )
    assert found.share is not None and found.share_with_kept is not None
    assert found.share < found.share_with_kept < 1


def test_a_stack_with_an_underscore_is_made_as_kubernetes_calls_it() -> None:
    secret = external_secret("bird-box-secrets", "vault-kv", {
        "target": {"name": "bird-box-secrets"}, "dataFrom": [{"extract": {"key": "bird-box"}}],
    })  # fmt: skip
    read = {
        "env": [
            {"name": "KEY", "value_from": [{"secret_key_ref": [{"name": "bird-box-secrets", "key": "key"}]}]}
        ]
    }
    stack = replace(standing(deployment(read, name="bird-box"), secret), name="bird_box")
    values, kept = gathered(infer(stack))
    assert values["name"] == "bird_box"
    assert values["secrets"] == [{"env": "KEY"}]
    assert kept["names"]["made_as"] == "bird-box"
    assert "secrets" not in kept["names"]
    given = {**values, "port": 8080, "memory": "256Mi"}
    told = {f.answer for f in validation.problems(Answers(given, {(): Place("")}), {}, kept)}
    assert "name" not in told
    assert "name" in {f.answer for f in validation.problems(Answers(given, {(): Place("")}), {}, {})}


CALL = """module "ingress" {
  source = "../../modules/kubernetes/ingress_factory"
}
"""


def ingress(
    path: str, host: str = "kit.example.com", notes: Mapping[str, str] | None = None
) -> PlannedResource:
    place = {"host": host, "http": [{"path": [{"path": path}]}]}
    return PlannedResource(
        "module.ingress.kubernetes_ingress_v1.this", "kubernetes_ingress_v1", "this", "module.ingress", None,
        {"metadata": frozen([{"name": "kit", "annotations": notes or {}}]), "spec": frozen([{"rule": [place]}])},
        {}, Site(PATH, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("readiness", "expected"),
    [
        ({"tcp_socket": [{"port": "80"}]}, (None, {"readiness": {}, "liveness": {"path": "/live"}})),
        ({"http_get": [{"path": "/up"}]}, ("/live", {"readiness": {"path": "/up"}, "liveness": {}})),
    ],
)
def test_what_the_monitor_requests_makes_no_request_of_a_bare_port(
    readiness: Mapping[str, Any], expected: tuple[str | None, Any]
) -> None:
    probes = {"readiness_probe": [readiness], "liveness_probe": [{"http_get": [{"path": "/live"}]}]}
    watched = ingress("/", notes={"x.example.com/external-monitor-path": "/live"})
    found = answers(deployment({"port": [{"container_port": 80}], **probes}), watched, source=CALL)
    assert (found.get("health_path"), found["probes"]) == expected


def test_the_host_with_the_stacks_name_is_the_first_also_with_an_underscore() -> None:
    hosts = ("a.example.com", "bird-box.example.com")
    resources = [replace(ingress("/", host), address=f"module.ingress.{host}") for host in hosts]
    stack = replace(standing(*resources, source=CALL), name="bird_box")
    assert [way.host for way in ways(stack)] == list(reversed(hosts))


def test_an_ingress_for_some_paths_alone_serves_only_those_of_its_host() -> None:
    app = deployment({"port": [{"container_port": 80}]})
    for path, served in (("/hook", {"paths": ["/hook"]}), ("/", None)):
        found = answers(app, ingress(path), source=CALL)
        assert "shape" not in found and found.get("ingress_options") == served


def test_the_secret_of_its_own_path_in_vault_stays_as_it_is_called() -> None:
    secrets = [
        external_secret(name, "vault-kv", {"target": {"name": name}, "data": [
            {"secretKey": key, "remoteRef": {"key": path, "property": key}} for key in keys]})
        for name, path, keys in (("more", "other", ("a", "b")), ("its", "kit", ("c",)))
    ]  # fmt: skip
    env = [
        {"name": key.upper(), "value_from": [{"secret_key_ref": [{"name": name, "key": key}]}]}
        for name, key in (("more", "a"), ("more", "b"), ("its", "c"))
    ]
    assert recorded(deployment({"env": env}), *secrets)["names"]["secrets"] == "its"
    assert recorded(deployment({"env": env[:2]}), *secrets)["names"]["secrets"] == "more"


def test_dollars_are_answered_as_the_container_reads_them() -> None:
    script = "echo $$HOME $$$$ $$(HOST) $(HOST) $$"
    found = answers(deployment({"command": ["sh", "-c", script], "env": [{"name": "A", "value": "$$A"}]}))
    assert found["command"][2] == "echo $HOME $$ $$(HOST) $(HOST) $"
    assert found["env"] == {"A": "$A"}
    (one,) = compare([deployment({"args": ["$$A"]})], [deployment({"args": ["$A"]})])
    assert unexplained(one) == ()
    (other,) = compare([deployment({"args": ["$$A"]})], [deployment({"args": ["$B"]})])
    assert len(unexplained(other)) == 1


def test_a_further_port_that_is_the_same_inside_keeps_its_own_one_outside() -> None:
    app = deployment({"port": [{"name": name, "container_port": 8080} for name in ("http", "again")]})
    outside = [
        {"name": "http", "port": 80, "target_port": "8080"},
        {"name": "again", "port": 8080, "target_port": "8080"},
    ]
    place = {"metadata": [{"name": "kit"}], "spec": [{"selector": {"app": "kit"}, "port": outside}]}
    assert answers(app, planned("service", "kit", place))["ports"] == [{"name": "again", "port": 8080}]


HOUSE_WIDE = """variable "public_ip" { type = string }
variable "colour" { default = "blue" }
resource "kubernetes_deployment" "kit" {
  spec {
    env {
      name  = "HOME"
      value = var.public_ip
    }
    env {
      name  = "CAMERA"
      value = "rtsp://${var.public_ip}:8554/beds"
    }
    env {
      name  = "COLOUR"
      value = var.colour
    }
  }
}
"""


def test_a_variable_of_the_whole_house_stays_one() -> None:
    values = {"HOME": "203.0.113.7", "CAMERA": "rtsp://203.0.113.7:8554/beds", "COLOUR": "blue"}
    app = deployment({"env": [{"name": name, "value": value} for name, value in values.items()]})
    stack = standing(replace(app, site=Site(PATH, 3)), source=HOUSE_WIDE)
    given = gathered(infer(replace(stack, settings=frozenset({"public_ip", "colour"}))))[0]
    assert given["env"] == {
        "HOME": {"variable": "public_ip"},
        "CAMERA": {"variable": "public_ip", "text": "rtsp://{variable}:8554/beds"},
        "COLOUR": "blue",
    }
    assert gathered(infer(stack))[0]["env"] == values, "config.tfvars has no such variable"


def test_names_of_ports_and_probes_of_sidecars_come_back() -> None:
    probe = {"exec": [{"command": ["pgrep", "mail"]}], "period_seconds": 20}
    mailer = {"name": "mailer", "image": "docker.io/acme/mailer:1.0.0", "liveness_probe": [probe]}
    given = answers(deployment({"port": [{"container_port": 80}]}, mailer), service("kit", "kit", 80, 80))
    assert given["object_names"] == {"port": "voice"}
    assert given["sidecars"][0]["probes"] == {
        "liveness": {"command": ["pgrep", "mail"], "period_seconds": 20}
    }

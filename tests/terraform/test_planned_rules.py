"""The house rules over planned resources: one good plan, and everything that can be wrong with it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support import frozen

from scaffold.checks.fleet import Fleet
from scaffold.checks.house import HouseNames, Tier
from scaffold.checks.planned import Plan, apply_rules
from scaffold.checks.planned_backup import no_longer_saved
from scaffold.checks.rule import Kind, rules
from scaffold.errors import Finding
from scaffold.monorepo.annotations import MIDDLEWARES
from scaffold.monorepo.uses import Use
from scaffold.terraform.kubernetes import quantity
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Site, Tree


def check(
    resources: Sequence[PlannedResource], house: HouseNames, fleet: Fleet | None = None
) -> list[Finding]:
    return apply_rules(Plan(resources, house, (lambda: fleet) if fleet else None))


HOUSE = HouseNames(
    block_classes=frozenset({"block", "block-encrypted"}),
    shared_classes=frozenset({"nfs"}),
    gates={"required": "gate-all", "public": "gate-public"},
    public_dns=frozenset({"proxied", "non-proxied"}),
    given_secrets=frozenset({"pull-secret"}),
    inert_kinds=frozenset({"ExternalSecret", "SealedSecret"}),
    rotating_stores=frozenset({"databases"}),
    claim_suffixes={"block-encrypted": "-encrypted"},
    resizing={"grow/threshold": "10%", "grow/limit": ""},
    linuxserver_images=r"^lscr\.io/",
    database_images=r"/postgres:",
    copied_databases=r"/postgres:",
    dump_tools=frozenset({"pg_dump"}),
    server_paths=r"^/var/lib/mysql(/|$)",
    own_servers={"hub.test/forge/omnibus": "/srv/forge/database"},
    alerting_images=r"/alertmanager:",
    database_pin=r":[0-9]+\.[0-9]+",
    embedded_databases=r"^(/\S+\.db)$",
    rotated_names=r"^DB_PASSWORD$",
    own_registries={"forge.test/own": "pull-secret", "hub.test/own": "", "docker.io/us": ""},
    trusted_images=("*.test/*", "docker.io/*", "lscr.io/*", "nginx*"),
    unjudged_namespaces=frozenset({"elsewhere"}),
    allowlists=frozenset({"house-only", "house-only@file"}),
    domain="example.test",
    wildcard="proxied",
    tiers={"aux": Tier("1Gi", "2Gi")},
    quota_label="own/quota",
    limits_label="own/limits",
    external_secret_api="external-secrets.io/v1",
    usual_groups=frozenset({"House Admins"}),
    enrolled="keel.sh/enrolled",
    mover="keel.sh/policy",
    resting="own/rests",
)
NEEDS = [{"requests": {"memory": "64Mi", "cpu": "10m"}, "limits": {"memory": "64Mi"}}]
PROBE = [{"http_get": [{"path": "/"}]}]

GOOD: dict[str, tuple[str, dict[str, Any], dict[str, object]]] = {
    "deployment": (
        "kubernetes_deployment",
        {
            "metadata": [
                {"name": "app", "namespace": "app", "annotations": {"reloader.stakater.com/auto": "true"}}
            ],
            "spec": [
                {
                    "strategy": [{"type": "Recreate"}],
                    "selector": [{"match_labels": {"app": "app"}}],
                    "template": [
                        {
                            "metadata": [{"labels": {"app": "app", "more": "x"}}],
                            "spec": [
                                {
                                    "container": [
                                        {
                                            "name": "app",
                                            "port": [{"container_port": 8080, "name": "http"}],
                                            "resources": NEEDS,
                                            "readiness_probe": PROBE,
                                            "liveness_probe": PROBE,
                                            "env": [
                                                {
                                                    "name": "TOKEN",
                                                    "value_from": [
                                                        {
                                                            "secret_key_ref": [
                                                                {"name": "app-secrets", "key": "token"}
                                                            ]
                                                        }
                                                    ],
                                                },
                                                {
                                                    "name": "PASSWORD",
                                                    "value_from": [
                                                        {
                                                            "secret_key_ref": [
                                                                {"name": "app-db", "key": "password"}
                                                            ]
                                                        }
                                                    ],
                                                },
                                            ],
                                            "env_from": [{"config_map_ref": [{"name": "app-config"}]}],
                                            "volume_mount": [{"name": "data", "mount_path": "/data"}],
                                        }
                                    ],
                                    "init_container": [{"name": "init", "resources": NEEDS}],
                                    "image_pull_secrets": [{"name": "pull-secret"}],
                                    "volume": [
                                        {
                                            "name": "data",
                                            "persistent_volume_claim": [{"claim_name": "app-data"}],
                                        }
                                    ],
                                }
                            ],
                        }
                    ],
                }
            ],
        },
        {},
    ),
    "service": (
        "kubernetes_service",
        {
            "metadata": [{"name": "app", "namespace": "app"}],
            "spec": [
                {"selector": {"app": "app"}, "port": [{"port": 80, "target_port": "http", "name": "web"}]}
            ],
        },
        {},
    ),
    "ingress": (
        "kubernetes_ingress_v1",
        {
            "metadata": [
                {
                    "name": "app",
                    "namespace": "app",
                    "annotations": {
                        MIDDLEWARES: "retry,gate-all",
                        "x/dns-type": "proxied",
                        "y/external-monitor": "true",
                        "gethomepage.dev/enabled": "true",
                        **{
                            f"gethomepage.dev/{part}": "x"
                            for part in ("name", "description", "group", "icon", "href")
                        },
                    },
                }
            ],
            "spec": [
                {
                    "rule": [
                        {
                            "http": [
                                {
                                    "path": [
                                        {
                                            "backend": [
                                                {"service": [{"name": "app", "port": [{"number": 80}]}]}
                                            ]
                                        }
                                    ]
                                }
                            ]
                        }
                    ]
                }
            ],
        },
        {"auth": "required"},
    ),
    "claim": (
        "kubernetes_persistent_volume_claim",
        {
            "metadata": [
                {
                    "name": "app-data",
                    "namespace": "app",
                    "annotations": {"grow/threshold": "10%", "grow/limit": "9Gi"},
                }
            ],
            "wait_until_bound": False,
            "spec": [{"storage_class_name": "block", "access_modes": ["ReadWriteOnce"]}],
        },
        {},
    ),
    "backup claim": (
        "kubernetes_persistent_volume_claim",
        {
            "metadata": [{"name": "app-backup", "namespace": "app"}],
            "spec": [
                {"storage_class_name": "nfs", "access_modes": ["ReadWriteMany"], "volume_name": "app-backup"}
            ],
        },
        {},
    ),
    "volume": ("kubernetes_persistent_volume", {"metadata": [{"name": "app-backup"}]}, {}),
    "namespace": (
        "kubernetes_namespace",
        {"metadata": [{"name": "app", "labels": {"tier": "4-aux"}}]},
        {},
    ),
    "role": ("vault_database_secret_backend_static_role", {"name": "pg-app", "username": "app_user"}, {}),
    "group": ("authentik_group", {"name": "Garden Friends"}, {}),
    "sealed": (
        "kubernetes_manifest",
        {"manifest": {"kind": "SealedSecret", "metadata": {"name": "app-sealed", "namespace": "app"}}},
        {},
    ),
    "secrets": (
        "kubernetes_manifest",
        {
            "manifest": {
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "metadata": {"name": "app-secrets", "namespace": "app"},
                "spec": {"secretStoreRef": {"name": "keys"}, "dataFrom": [{"extract": {"key": "app"}}]},
            }
        },
        {},
    ),
    "database": (
        "kubernetes_manifest",
        {
            "manifest": {
                "kind": "ExternalSecret",
                "metadata": {"name": "db", "namespace": "app"},
                "spec": {
                    "secretStoreRef": {"name": "databases"},
                    "target": {"name": "app-db"},
                    "data": [{"secretKey": "password", "remoteRef": {"key": "static/pg"}}],
                },
            }
        },
        {},
    ),
    "config": (
        "kubernetes_config_map",
        {"metadata": [{"name": "app-config", "namespace": "app"}], "data": {"a": "1"}},
        {},
    ),
    "backup": (
        "kubernetes_cron_job_v1",
        {
            "metadata": [{"name": "app-backup", "namespace": "app"}],
            "spec": [
                {
                    "concurrency_policy": "Forbid",
                    "job_template": [
                        {
                            "spec": [
                                {
                                    "active_deadline_seconds": 3600,
                                    "template": [
                                        {
                                            "spec": [
                                                {
                                                    "affinity": [
                                                        {
                                                            "pod_affinity": [
                                                                {
                                                                    "required_during_scheduling_ignored_during_execution": [
                                                                        {
                                                                            "topology_key": "kubernetes.io/hostname",
                                                                            "label_selector": [
                                                                                {
                                                                                    "match_labels": {
                                                                                        "app": "app"
                                                                                    }
                                                                                }
                                                                            ],
                                                                        }
                                                                    ]
                                                                }
                                                            ]
                                                        }
                                                    ],
                                                    "container": [
                                                        {
                                                            "name": "backup",
                                                            "resources": NEEDS,
                                                            "volume_mount": [
                                                                {"name": "from", "read_only": True},
                                                                {"name": "to"},
                                                            ],
                                                        }
                                                    ],
                                                    "volume": [
                                                        {
                                                            "name": "from",
                                                            "persistent_volume_claim": [
                                                                {"claim_name": "app-data"}
                                                            ],
                                                        },
                                                        {
                                                            "name": "to",
                                                            "persistent_volume_claim": [
                                                                {"claim_name": "app-backup"}
                                                            ],
                                                        },
                                                    ],
                                                }
                                            ]
                                        }
                                    ],
                                }
                            ]
                        }
                    ],
                }
            ],
        },
        {},
    ),
}
POD = ("spec", 0, "template", 0, "spec", 0)
JOB = ("spec", 0, "job_template", 0, "spec", 0, "template", 0, "spec", 0)
CONTAINER = (*POD, "container", 0)
TEMPLATE = ("spec", 0, "template", 0, "metadata", 0)
ANNOTATIONS = ("metadata", 0, "annotations")
RULE = ("spec", 0, "rule", 0)
PATHS = ("spec", 0, "rule", 0, "http", 0, "path", 0, "backend", 0, "service", 0)


def plan(
    *changes: tuple[str, tuple[str | int, ...], Any], without: str = "", auth: object = "required"
) -> list[PlannedResource]:
    """The good plan, with values set (None removes them), and without one of its resources."""
    resources = copy.deepcopy(GOOD)
    for name, path, value in changes:
        here: Any = resources[name][1]
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value
    return [
        PlannedResource(
            f"{type_}.{name}",
            type_,
            name,
            "",
            None,
            {key: frozen(value) for key, value in values.items()},
            {**settings, **({"auth": auth} if "auth" in settings else {})},
            Site(f"stacks/app/{name}.tf", 7),
        )
        for name, (type_, values, settings) in resources.items()
        if name != without
    ]


DATA = {"name": "data", "persistent_volume_claim": [{"claim_name": "app-data"}]}
MOUNTS = [{"name": "data", "mount_path": "/data"}, {"name": "more", "mount_path": "/more"}]


def with_volume(source: dict[str, Any], **container: object) -> list[PlannedResource]:
    """The good plan, with a second volume from ``source``, and arguments of the container set."""
    changes = {"volume_mount": MOUNTS, **container}
    return plan(
        ("deployment", (*POD, "volume"), [DATA, {"name": "more", **source}]),
        *(("deployment", (*CONTAINER, name), value) for name, value in changes.items()),
    )


ON_NFS = {"persistent_volume_claim": [{"claim_name": "app-backup"}]}
ENROLLED = ("namespace", ("metadata", 0, "labels", "keel.sh/enrolled"), "true")


def mounted_at(path: str) -> tuple[str, tuple[str | int, ...], object]:
    """The app's volume at another path."""
    return "deployment", (*CONTAINER, "volume_mount", 0, "mount_path"), path


def image(reference: object) -> tuple[str, tuple[str | int, ...], object]:
    """The change to another image of the server."""
    return "deployment", (*CONTAINER, "image"), reference


def needs(request: str, limit: str) -> tuple[str, tuple[str | int, ...], object]:
    """The change to other memory of the server."""
    asked = {"requests": {"memory": request, "cpu": "10m"}, "limits": {"memory": limit}}
    return "deployment", (*CONTAINER, "resources"), [asked]


HOST = ("ingress", (*RULE, "host"), "app.example.test")
DATABASE = image("docker.io/library/postgres:17.5")


def copied(secret: str) -> list[tuple[str, tuple[str | int, ...], object]]:
    """The changes to a server that logs in as a rotated user with a password from a Secret."""
    reference = [{"secret_key_ref": [{"name": secret, "key": "password"}]}]
    password = {"name": "DB_PASSWORD", "value_from": reference}
    return [("deployment", (*CONTAINER, "env"), [{"name": "DB_USER", "value": "app_user"}, password])]


def route(host: str, middleware: str) -> PlannedResource:
    """A route of Traefik's own kind, behind a middleware of another provider."""
    rule = {"match": f"Host(`{host}`)", "middlewares": [{"name": middleware}]}
    manifest = {
        "kind": "IngressRoute",
        "metadata": {"name": "r", "namespace": "app"},
        "spec": {"routes": [rule]},
    }
    values = {"manifest": frozen(manifest)}
    at = Site("stacks/app/r.tf", 7)
    return PlannedResource("kubernetes_manifest.r", "kubernetes_manifest", "r", "", None, values, site=at)


def two_tiles() -> list[PlannedResource]:
    """The good plan, with a second ingress of the same host."""
    resources = plan(("ingress", ("spec", 0, "rule", 0, "host"), "app.example.test"))
    ingress = next(resource for resource in resources if resource.name == "ingress")
    return [*resources, replace(ingress, address="kubernetes_ingress_v1.second")]


def unreachable(host: str = "app.dark.example.test") -> list[PlannedResource]:
    """The good plan, with an ingress of the module whose host has no public record, and no word about it."""
    annotated = {"x/dns-type": None, "y/external-monitor": None}
    changes = (("ingress", (*ANNOTATIONS, name), value) for name, value in annotated.items())
    return [
        replace(r, module="module.ingress" if r.name == "ingress" else "")
        for r in plan(("ingress", (*RULE, "host"), host), *changes)
    ]


def test_a_good_plan() -> None:
    assert check(plan(), HOUSE) == []


def test_the_monitor_follows_the_hosts_of_the_house_and_no_others() -> None:
    unsaid = ("ingress", (*ANNOTATIONS, "y/external-monitor"), None)
    assert check(plan(unsaid, HOST), HOUSE) == []
    assert check(unreachable("app.example.lan"), HOUSE) == []


def test_the_tile_belongs_to_the_root_of_a_host() -> None:
    *others, root = two_tiles()
    rest = [resource for resource in others if resource.name != "ingress"]
    below = plan(
        HOST, ("ingress", (*PATHS[:-4], "path"), "/api"), ("ingress", ("metadata", 0, "name"), "api")
    )
    api = [resource for resource in below if resource.name == "ingress"]
    for order in ([*api, root], [root, *api]):
        (finding,) = (f for f in check([*rest, *order], HOUSE) if f.code == "ING006")
        assert finding.message.startswith("ingress api: app.example.test has a tile already")


@pytest.mark.parametrize(("resting", "codes"), [({}, ["BAK001"]), ({"own/rests": "true"}, [])])
def test_a_wish_to_be_beside_the_app_is_enough_where_the_app_rests(
    resting: dict[str, str], codes: list[str]
) -> None:
    term = {
        "topology_key": "kubernetes.io/hostname",
        "label_selector": [{"match_labels": {"app": "app"}}],
    }
    wish = [{"weight": 100, "pod_affinity_term": [term]}]
    preferred = [{"pod_affinity": [{"preferred_during_scheduling_ignored_during_execution": wish}]}]
    found = check(
        plan(
            ("backup", (*JOB, "affinity"), preferred),
            ("deployment", ("metadata", 0, "labels"), resting),
        ),
        HOUSE,
    )
    assert [finding.code for finding in found] == codes


BAD: list[tuple[str, str, Callable[[], list[PlannedResource]], str]] = [
    ("STO001", "claim", lambda: plan(("claim", ("spec", 0, "storage_class_name"), None)), "no storage class"),
    ("STO001", "claim", lambda: plan(("claim", ("spec", 0, "access_modes"), ["ReadWriteMany"])), "ReadWriteOnce"),
    ("STO001", "backup claim", lambda: plan(("backup claim", ("spec", 0, "volume_name"), None)), "provisions no volumes"),
    ("ING003", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), "retry")), "lacks the middleware gate-all"),
    ("ING003", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), None), auth="public"), "gate-public"),
    ("ING003", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), "retry"), auth=None), "no auth that says why"),
    ("ING004", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, "y/external-monitor"), None), ("ingress", (*RULE, "host"), "app.other.test")), "no monitor"),
    ("ING008", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, "gethomepage.dev/description"), None)), "no description"),
    ("ING008", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, "gethomepage.dev/icon"), None), ("ingress", (*ANNOTATIONS, "x/dns-type"), None)), "no icon"),
    ("ING009", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), "gate-all,house-only"), HOST), "its allowlist does not keep the internet out: app.example.test is proxied"),
    ("ING009", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), "gate-all,house-only"), ("ingress", (*ANNOTATIONS, "x/dns-type"), "none"), HOST), "app.example.test is proxied"),
    ("ING009", "r", lambda: [*plan(HOST), route("app.example.test", "house-only@file")], "manifest r: its allowlist does not keep the internet out: app.example.test is proxied"),
    ("ING010", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, "z/allowed-groups"), "House Admins,Garden Friend")), "there is no group Garden Friend"),
    ("ING010", "ingress", lambda: plan(("ingress", (*ANNOTATIONS, "z/allowed-groups"), "House Admin")), "there is no group House Admin"),
    ("ING005", "ingress", lambda: plan(("ingress", (*PATHS, "port", 0, "number"), 8080)), "no port 8080: it has 80"),
    ("ING005", "ingress", lambda: plan(("ingress", (*PATHS, "name"), "ap")), "no Service ap"),
    ("ING005", "ingress", lambda: [r for r in plan(("ingress", (*PATHS, "name"), "ap"), ("service", ("spec", 0, "selector"), None)) if r.name in ("namespace", "service", "ingress")], "no Service ap"),
    ("SVC001", "deployment", lambda: plan(("deployment", ("spec", 0, "selector", 0, "match_labels", "app"), "ap")), "misses its pods"),
    ("SVC001", "service", lambda: plan(("service", ("spec", 0, "selector", "app"), "ap")), "no pods have the labels app=ap"),
    ("SVC002", "service", lambda: plan(("service", ("spec", 0, "port", 0, "target_port"), "htpp")), "no container has a port called htpp: there are http"),
    ("POD003", "backup", lambda: plan(("backup", (*JOB, "volume", 1, "persistent_volume_claim", 0, "claim_name"), "app-bakup")), "no stack creates the claim app-bakup in app"),
    ("POD003", "deployment", lambda: plan(("deployment", (*CONTAINER, "volume_mount", 0, "name"), "dat")), "mounts dat"),
    ("POD003", "deployment", lambda: plan(("deployment", (*CONTAINER, "volume_mount"), [])), "no container mounts the volume data"),
    ("POD003", "backup claim", lambda: plan(("backup claim", ("spec", 0, "volume_name"), "app-bakup")), "no volume app-bakup"),
    ("SEC001", "deployment", lambda: plan(without="secrets"), "no Secret app-secrets"),
    ("SEC001", "deployment", lambda: plan(("database", ("manifest", "metadata", "namespace"), "other")), "no Secret app-db"),
    ("SEC001", "deployment", lambda: plan(("database", ("manifest", "spec", "data", 0, "secretKey"), "pw")), "app-db has no key password"),
    ("SEC001", "deployment", lambda: plan(without="config"), "no ConfigMap app-config"),
    ("SEC001", "deployment", lambda: plan(("deployment", (*POD, "image_pull_secrets", 0, "name"), "pul-secret")), "no Secret pul-secret"),
    ("POD001", "deployment", lambda: plan(("deployment", (*CONTAINER, "resources"), [])), "app has no memory request"),
    ("POD001", "deployment", lambda: plan(("deployment", (*POD, "init_container", 0, "resources"), [])), "init has no memory limit"),
    ("POD001", "backup", lambda: plan(("backup", (*JOB, "container", 0, "resources"), [])), "backup has no cpu request"),
    ("POD001", "deployment", lambda: plan(("deployment", (*CONTAINER, "resources"), [{**NEEDS[0], "limits": {"memory": "1Gi", "cpu": "1"}}])), "has a cpu limit"),
    ("JOB001", "backup", lambda: plan(("backup", ("spec", 0, "job_template", 0, "spec", 0, "active_deadline_seconds"), None)), "has no deadline"),
    ("SEC002", "sealed", lambda: plan(("sealed", ("manifest", "kind"), "Secret")), "it is not sealed"),
    ("SEC002", "sealed", lambda: plan(("sealed", ("manifest", "metadata", "namespace"), "other")), "sealed for the namespace other"),
    ("POD002", "deployment", lambda: plan(("deployment", (*CONTAINER, "readiness_probe"), [])), "no readiness probe"),
    ("POD002", "deployment", lambda: plan(("deployment", (*CONTAINER, "liveness_probe"), [])), "no liveness probe"),
    ("BAK001", "backup", lambda: plan(("backup", (*JOB, "affinity"), [])), "nothing keeps it on the node"),
    ("BAK001", "backup", lambda: plan(("backup", (*JOB, "container", 0, "volume_mount", 0, "read_only"), None)), "for writing"),
    ("BAK001", "backup", lambda: plan(("deployment", (*POD, "volume"), []), ("deployment", (*CONTAINER, "volume_mount"), [])), "nothing else uses app-data"),
    ("POD002", "deployment", lambda: plan(("deployment", (*CONTAINER, "liveness_probe"), [{"tcp_socket": [{"port": 8081}]}])), "the liveness probe asks port 8081, but the declared ports are 8080"),
    ("POD002", "deployment", lambda: plan(("deployment", (*CONTAINER, "startup_probe"), [{"http_get": [{"port": "web"}]}])), "the startup probe asks port web"),
    ("STO002", "deployment", lambda: plan(("deployment", ("spec", 0, "strategy"), [])), "it mounts app-data"),
    ("STO002", "deployment", lambda: plan(("deployment", ("spec", 0, "strategy", 0, "type"), "RollingUpdate")), "not Recreate"),
    ("POD007", "secrets", lambda: plan(("secrets", ("manifest", "kind"), "ExternalSecrt")), "there is no kind ExternalSecrt"),
    ("BAK002", "claim", lambda: plan(without="backup"), "no CronJob reads it"),
    ("BAK003", "claim", lambda: plan(mounted_at("/var/lib/mysql/"), image("docker.io/a/b:1")), "server that docker.io/a/b:1 runs"),
    ("BAK003", "claim", lambda: plan(mounted_at("/srv/forge"), image("hub.test/forge/omnibus:17.1.0")), "copies the files of a database server"),
    ("SEC003", "deployment", lambda: plan(("deployment", ("metadata", 0, "annotations"), {})), "it reads app-db, which is rotated"),
    ("SEC003", "deployment", lambda: plan(("deployment", ("metadata", 0, "annotations"), {"secret.reloader.stakater.com/reload": "app-secrets"})), "it reads app-db, which is rotated"),
    ("STO003", "claim", lambda: plan(("claim", ("wait_until_bound",), None)), "waits until it is bound"),
    ("STO004", "claim", lambda: plan(("claim", ("metadata", 0, "annotations", "grow/threshold"), "80%")), "grow/threshold is 80%"),
    ("STO004", "claim", lambda: plan(("claim", ("metadata", 0, "annotations", "grow/limit"), None)), "it has no grow/limit"),
    ("STO005", "claim", lambda: plan(("claim", ("spec", 0, "storage_class_name"), "block-encrypted")), "does not end in -encrypted"),
    ("STO006", "deployment", lambda: with_volume({"nfs": [{"server": "nas", "path": "/x"}]}), "volume more names an NFS server itself"),
    ("POD005", "deployment", lambda: plan(("deployment", (*CONTAINER, "image"), "nginx:1")), "nginx:1 of container app has no registry"),
    ("POD008", "deployment", lambda: plan(image("docker.io/a/b:latest")), "docker.io/a/b:latest of container app is not a release"),
    ("POD008", "backup", lambda: plan(("backup", (*JOB, "container", 0, "image"), "docker.io/a/b")), "docker.io/a/b of container backup is not a release"),
    ("POD009", "backup", lambda: plan(("backup", (*JOB, "container", 0, "image"), "forge.test/own/app:1")), "container backup is from forge.test/own"),
    ("POD009", "deployment", lambda: plan(image(Placeholder("forge.test/own/app:scaffold-stand-in.var.tag")), ("deployment", (*POD, "image_pull_secrets"), [])), "is from forge.test/own"),
    ("POD010", "deployment", lambda: plan(image("quay.io/a/b:1")), "the policy of trusted registries denies quay.io/a/b:1"),
    ("POD011", "deployment", lambda: plan(image("docker.io/library/postgres:17")), "the tag of docker.io/library/postgres:17 moves"),
    ("POD012", "deployment", lambda: plan(DATABASE, ("deployment", (*TEMPLATE, "annotations"), {"diun.enable": "true"})), "Diun watches it"),
    ("POD012", "deployment", lambda: plan(DATABASE, ENROLLED), "it is not exempt"),
    ("POD013", "deployment", lambda: plan(("deployment", (*TEMPLATE, "labels", "keel.sh/policy"), "never")), "is only on its pods"),
    ("POD013", "deployment", lambda: plan(("deployment", (*TEMPLATE, "annotations"), {"keel.sh/policy": "never"})), "is only on its pods"),
    ("NSP001", "namespace", lambda: plan(("namespace", ("metadata", 0, "labels"), {})), "it has no tier"),
    ("NSP002", "deployment", lambda: plan(needs("64Mi", "1.5Gi")), "may use 1.5Gi, and its tier allows 1Gi"),
    ("NSP002", "namespace", lambda: plan(("deployment", ("spec", 0, "replicas"), 3), needs("1000Mi", "1000Mi")), "its servers request 2.9Gi, and its tier allows 2Gi"),
    ("SEC004", "secrets", lambda: plan(("secrets", ("manifest", "apiVersion"), "external-secrets.io/v1beta1")), "its version is external-secrets.io/v1beta1"),
    ("SEC005", "deployment", lambda: plan(*copied("app-secrets")), "DB_PASSWORD of user app_user is a copy, in app-secrets"),
    ("STO008", "deployment", lambda: with_volume(ON_NFS, image="docker.io/prom/alertmanager:1"), "container app alerts, and app-backup is on NFS"),
    ("STO009", "deployment", lambda: with_volume(ON_NFS, env=[{"name": "DB", "value": "/more/x/app.db"}]), "DB names /more/x/app.db, and app-backup is on NFS"),
    ("POD006", "deployment", lambda: with_volume({"persistent_volume_claim": [{"claim_name": "app-backup"}]}, image="lscr.io/a/b:1"), "has no NO_CHOWN"),
    ("ING006", "ingress", two_tiles, "app.example.test has a tile already, by ingress app"),
    ("ING007", "ingress", unreachable, "app.dark.example.test has no public record"),
    ("POD004", "config", lambda: plan(("config", ("metadata", 0, "name"), "app-config "), ("deployment", (*CONTAINER, "env_from"), [])), "'app-config ' is not a name"),
    ("POD004", "backup", lambda: plan(("backup", ("metadata", 0, "name"), "backup-" + "x" * 46)), "more than 52"),
    ("POD004", "backup", lambda: plan(("backup", ("spec", 0, "schedule"), "0 30 2 * * *")), "it has 6 fields"),
    ("POD004", "backup", lambda: plan(("backup", ("spec", 0, "schedule"), "61 2 * * *")), "61 is not a valid minute"),
    ("POD004", "backup", lambda: plan(("backup", ("spec", 0, "schedule"), "0 2-24 * * *")), "2-24 is not a valid hour"),
    ("POD004", "backup", lambda: plan(("backup", ("spec", 0, "schedule"), "0 2 0 * *")), "0 is not a valid day"),
    ("POD004", "backup", lambda: plan(("backup", ("spec", 0, "schedule"), "0 2 * * 7")), "7 is not a valid weekday"),
    ("POD004", "deployment", lambda: plan(("deployment", (*CONTAINER, "volume_mount", 0, "mount_path"), "data")), "data is not absolute"),
    ("POD004", "deployment", lambda: plan(("deployment", (*CONTAINER, "resources"), [{**NEEDS[0], "limits": {"memory": "1GB"}}])), "container[0].resources[0].limits.memory is '1GB'"),
    ("POD004", "claim", lambda: plan(("claim", ("spec", 0, "resources"), [{"requests": {"storage": "2 Gi"}}])), "'2 Gi'"),
]  # fmt: skip


@pytest.mark.parametrize("code,where,bad,text", BAD, ids=[f"{n}-{case[0]}" for n, case in enumerate(BAD, 1)])
def test_one_thing_wrong(code: str, where: str, bad: Callable[[], list[PlannedResource]], text: str) -> None:
    found = check(bad(), HOUSE)
    assert {finding.code for finding in found} == {code}, found
    assert {(finding.path, finding.line) for finding in found} == {(f"stacks/app/{where}.tf", 7)}
    assert any(text in finding.message for finding in found), found


def test_every_rule_has_a_bad_example_and_says_why() -> None:
    planned = rules("scaffold.checks", Kind.PLAN)
    assert {rule.code for rule in planned} == {case[0] for case in BAD} | {"NAM001"}
    assert all(rule.title[0].isupper() and rule.why.endswith(".") for rule in planned)


UNKNOWN = [
    ("claim", ("spec", 0, "storage_class_name")),
    ("claim", ("metadata", 0, "name")),
    ("claim", ("metadata", 0, "namespace")),
    ("ingress", (*ANNOTATIONS, MIDDLEWARES)),
    ("ingress", (*PATHS, "name")),
    ("ingress", (*PATHS, "port", 0, "number")),
    ("service", ("spec", 0, "port", 0, "target_port")),
    ("service", ("spec", 0, "port", 0, "port")),
    ("service", ("spec", 0, "selector", "app")),
    ("deployment", ("metadata", 0, "namespace")),
    ("deployment", (*CONTAINER, "port", 0, "container_port")),
    ("deployment", (*POD, "volume", 0, "persistent_volume_claim", 0, "claim_name")),
    ("deployment", (*CONTAINER, "env", 0, "value_from", 0, "secret_key_ref", 0, "name")),
    ("deployment", (*CONTAINER, "resources", 0, "limits", "memory")),
    ("config", ("metadata", 0, "name")),
    ("database", ("manifest", "spec", "target", "name")),
]


@pytest.mark.parametrize("mark", [Mark.UNKNOWN, Placeholder("scaffold-stand-in.var.x")])
@pytest.mark.parametrize("name,path", UNKNOWN)
def test_what_is_not_known_is_not_judged(name: str, path: tuple[str | int, ...], mark: Tree) -> None:
    assert check(plan((name, path, mark)), HOUSE) == []


@pytest.mark.parametrize("watches", ["secret.reloader.stakater.com/auto", "reloader.stakater.com/search"])
def test_reloader_is_told_in_several_ways(watches: str) -> None:
    named = {"secret.reloader.stakater.com/reload": "app-secrets,app-db"}
    for said in (named, {watches: "true"}):
        assert check(plan(("deployment", ("metadata", 0, "annotations"), said)), HOUSE) == []


def test_what_a_helm_chart_may_make_is_not_missing() -> None:
    chart = PlannedResource("helm_release.x", "helm_release", "x", "", None, {"namespace": "app"})
    assert check([*plan(without="secrets"), chart], HOUSE) == []
    assert check([*plan(("service", ("spec", 0, "selector", "app"), "charted")), chart], HOUSE) == []


def test_without_names_nothing_of_a_house_is_checked() -> None:
    bare = HouseNames(given_secrets=frozenset({"pull-secret"}))
    assert check(plan(("ingress", (*ANNOTATIONS, MIDDLEWARES), None), auth=None), bare) == []


@pytest.mark.parametrize(("labelled", "where"), [(False, "annotate"), (True, "annotate and label")])
def test_keel_is_told_where_this_house_reads_it(labelled: bool, where: str) -> None:
    (found,) = check(plan(DATABASE, ENROLLED), replace(HOUSE, mover_label=labelled))
    assert found.fix == f'{where} its metadata with "keel.sh/policy" = "never"'


def test_a_tier_is_left_to_a_person() -> None:
    house = replace(HOUSE, tiers={"core": Tier("8Gi", "8Gi"), "aux": Tier("1Gi", "2Gi")})
    (found,) = check(plan(("namespace", ("metadata", 0, "labels"), {})), house)
    assert found.fix == "label it with the tier of its pods (core, aux)"


def test_an_optional_reference_may_be_missing() -> None:
    reference = {"name": "nowhere", "key": "x", "optional": True}
    changed = ("deployment", (*CONTAINER, "env", 0, "value_from", 0, "secret_key_ref", 0), reference)
    assert check(plan(changed), HOUSE) == []


@pytest.mark.parametrize(
    "schedule", ["0 2 * * *", "*/90 2,14 1-15 JAN-DEC mon", "30 3 ? * 0", "@daily", "@every 1h"]
)
def test_a_schedule(schedule: str) -> None:
    found = check(plan(("backup", ("spec", 0, "schedule"), schedule)), HOUSE)
    assert [finding.message for finding in found] == []


@pytest.mark.parametrize("quantity", ["256Mi", "1.5Gi", "10m", 1, "0", "1e3", "512M", "2Ti"])
def test_a_quantity(quantity: object) -> None:
    needs = [{"requests": {"memory": quantity, "cpu": quantity}, "limits": {"memory": quantity}}]
    unlimited = replace(HOUSE, tiers={})
    assert check(plan(("deployment", (*CONTAINER, "resources"), needs)), unlimited) == []


def test_what_another_stack_makes_is_not_missing() -> None:
    alone = plan(without="config")
    fleet = Fleet(tuple(plan()), inert=HOUSE.inert_kinds)
    assert [f.code for f in check(alone, HOUSE)] == ["SEC001"]
    assert check(alone, HOUSE, fleet=fleet) == []
    named = (b'namespace = "app"', b"<<-EOT\n  namespace: app\nEOT")
    others = (b'namespace = "elsewhere"', b'annotations = { "app.enable" = "true" }', b'host = "app.test"')
    for text, code in (*((text, []) for text in named), *((text, ["SEC001"]) for text in others)):
        unplanned = Fleet(tuple(alone), (text,), HOUSE.inert_kinds)
        assert [f.code for f in check(alone, HOUSE, fleet=unplanned)] == code


def test_where_a_chart_may_back_it_up_a_volume_is_not_known_to_be_lost() -> None:
    chart = PlannedResource("helm_release.x", "helm_release", "x", "", None, {"namespace": "app"})
    assert check([*plan(without="backup"), chart], HOUSE) == []


def test_where_a_controller_makes_objects_nothing_is_known_to_be_missing() -> None:
    cluster = {"kind": "Cluster", "metadata": {"name": "db", "namespace": "app"}}
    made = PlannedResource(
        "kubernetes_manifest.db", "kubernetes_manifest", "db", "", None, {"manifest": frozen(cluster)}
    )
    assert check([*plan(without="secrets"), made], HOUSE) == []
    assert check([*plan(("service", ("spec", 0, "selector"), {"cnpg.io/cluster": "db"}))], HOUSE) == []


def test_a_database_that_is_dumped_needs_no_job_on_its_volume() -> None:
    server = ("deployment", (*CONTAINER, "image"), "docker.io/library/postgres:17.5")
    dump = ("backup", (*JOB, "container", 0, "command"), ["sh", "-c", "pg_dump -h app > /to/dump"])
    target = {"name": "to", "persistent_volume_claim": [{"claim_name": "app-backup"}]}
    volume = ("backup", (*JOB, "volume"), [target])
    mounts = ("backup", (*JOB, "container", 0, "volume_mount"), [{"name": "to"}])
    assert check(plan(server, dump, mounts, volume), HOUSE) == []
    assert [f.code for f in check(plan(server, mounts, volume), HOUSE)] == ["BAK002"]
    assert [f.code for f in check(plan(dump, mounts, volume), HOUSE)] == ["BAK002"]


def test_a_backup_that_goes_while_its_data_stays_is_lost() -> None:
    def lost(before: list[PlannedResource], after: list[PlannedResource]) -> list[str]:
        return [claim.address for claim in no_longer_saved(Plan(before, HOUSE), Plan(after, HOUSE))]

    (claim,) = (one.address for one in plan() if one.name == "claim")
    assert lost(plan(), plan(without="backup")) == [claim]
    assert lost(plan(("deployment", ("spec", 0, "replicas"), 0)), plan(without="backup")) == [claim]
    other = ("backup", (*JOB, "volume", 0, "persistent_volume_claim", 0, "claim_name"), "app-other")
    assert lost(plan(), plan(other)) == [claim]
    assert lost(plan(), plan()) == lost(plan(without="backup"), plan()) == []
    assert lost(plan(), plan(without="claim")) == []
    # A job that writes there is at some other work.
    works = ("backup", (*JOB, "container", 0, "volume_mount", 0, "read_only"), None)
    assert lost(plan(works), plan(without="backup")) == []
    (cleanup,) = (replace(one, name="cleanup") for one in plan(works) if one.name == "backup")
    assert lost([*plan(), cleanup], [*plan(without="backup"), cleanup]) == [claim]


def test_the_dump_of_a_server_that_is_stopped_is_not_lost() -> None:
    server = ("deployment", (*CONTAINER, "image"), "docker.io/library/postgres:17.5")
    dump = ("backup", (*JOB, "container", 0, "command"), ["sh", "-c", "pg_dump -h app > /to/dump"])
    nothing: tuple[str, tuple[str | int, ...], Any] = ("backup", (*JOB, "volume"), [])
    stopped = ("deployment", ("spec", 0, "replicas"), 0)
    before, after = plan(server, dump, nothing), plan(server, dump, nothing, stopped)
    assert list(no_longer_saved(Plan(before, HOUSE), Plan(after, HOUSE))) == []
    assert list(no_longer_saved(Plan(before, HOUSE), Plan(plan(server, stopped, without="backup"), HOUSE)))


def test_a_namespace_that_the_policy_leaves_out_needs_no_tier() -> None:
    bare = plan(("namespace", ("metadata", 0, "labels"), {}))
    assert [f.code for f in check(bare, HOUSE)] == ["NSP001"]
    assert check(bare, replace(HOUSE, untiered_namespaces=frozenset({"app"}))) == []


def test_a_server_that_is_dumped_or_can_be_copied_needs_no_more() -> None:
    mysql = mounted_at("/var/lib/mysql")
    dump = ("backup", (*JOB, "container", 0, "command"), ["sh", "-c", "pg_dump -h app > /to/dump"])
    assert check(plan(mysql, image("docker.io/a/b:1"), dump), HOUSE) == []
    assert check(plan(mounted_at("/srv"), image("docker.io/a/b:1")), HOUSE) == []
    assert check(plan(DATABASE), HOUSE) == []
    assert [f.code for f in check(plan(DATABASE), replace(HOUSE, copied_databases=""))] == ["BAK003"]
    assert check(plan(mounted_at("/"), image("hub.test/forge/omnibus:1")), HOUSE) == []


def test_a_name_that_another_stack_has_is_told_where_it_is_taken() -> None:
    taken = Use("Redis database", "7", "stacks/app/redis.tf", 3)
    house = replace(HOUSE, shared={"app": [(taken, ("blog", "wiki"))], "blog": [(taken, ("app",))]})
    (found,) = check(plan(), house)
    assert (found.code, found.path, found.line) == ("NAM001", "stacks/app/redis.tf", 3)
    assert "7 is taken by another stack as well" in found.message and "blog, wiki" in str(found.fix)


GOOD_ENOUGH = {
    "the house's own image at latest": plan(image("hub.test/own/app:latest")),
    "an upstream image with a digest": plan(image(f"docker.io/a/b@sha256:{'0' * 64}")),
    "an own image that anybody may pull": plan(
        image("hub.test/own/app:1"), ("deployment", (*POD, "image_pull_secrets"), [])
    ),
    "an account that nobody here makes may have a pull secret": plan(
        image("forge.test/own/app:1"),
        ("deployment", (*POD, "image_pull_secrets"), []),
        ("deployment", (*POD, "service_account_name"), "app"),
    ),
    "a database's client": plan(("backup", (*JOB, "container", 0, "image"), "docker.io/library/postgres:17")),
    "a database that Keel leaves alone": plan(
        DATABASE, ENROLLED, ("deployment", ("metadata", 0, "labels"), {"keel.sh/policy": "never"})
    ),
    "a policy on the pods and on the workload": plan(
        ("deployment", (*TEMPLATE, "annotations"), {"keel.sh/policy": "never"}),
        ("deployment", ("metadata", 0, "annotations", "keel.sh/policy"), "never"),
    ),
    "a namespace with limits of its own": plan(
        ("namespace", ("metadata", 0, "labels", "own/limits"), "true"),
        needs("64Mi", "1.5Gi"),
    ),
    "a namespace with a quota of its own": plan(
        ("namespace", ("metadata", 0, "labels", "own/quota"), "true"),
        ("deployment", ("spec", 0, "replicas"), 30),
        needs("100Mi", "100Mi"),
    ),
    "an allowlist on a host that no proxy delivers": plan(
        ("ingress", (*ANNOTATIONS, MIDDLEWARES), "gate-all,house-only"),
        ("ingress", (*ANNOTATIONS, "x/dns-type"), "non-proxied"),
        HOST,
    ),
    "an allowlist on a host whose own record is not public": plan(
        ("ingress", (*ANNOTATIONS, MIDDLEWARES), "gate-all,house-only"),
        ("ingress", (*ANNOTATIONS, "x/dns-type"), "internal"),
        HOST,
    ),
    "an allowlist on a host of another domain": plan(
        ("ingress", (*ANNOTATIONS, MIDDLEWARES), "gate-all,house-only"),
        ("ingress", (*ANNOTATIONS, "x/dns-type"), None),
        ("ingress", (*RULE, "host"), "app.example.lan"),
    ),
    "a group that may be made by hand": plan(("ingress", (*ANNOTATIONS, "z/allowed-groups"), "Strangers")),
    "a newer API than the fleet's": plan(("secrets", ("manifest", "apiVersion"), "external-secrets.io/v2")),
    "a rotated password from where it is rotated": plan(*copied("app-db")),
    "an embedded database on a block volume": plan(
        ("deployment", (*CONTAINER, "env"), [{"name": "DB", "value": "/data/app.db"}])
    ),
}  # fmt: skip


@pytest.mark.parametrize("resources", GOOD_ENOUGH.values(), ids=GOOD_ENOUGH)
def test_what_looks_alike_and_is_right(resources: list[PlannedResource]) -> None:
    assert check(resources, HOUSE) == []


def test_an_image_of_a_namespace_that_the_policy_leaves_out_is_not_judged() -> None:
    denied = plan(image("quay.io/a/b:1"))
    assert [f.code for f in check(denied, replace(HOUSE, unjudged_namespaces=frozenset({"app"})))] == []


@pytest.mark.parametrize(
    ("text", "number"), [("256Mi", 256 * 2**20), ("1.5G", 1.5e9), ("10m", 0.01), (2, 2), ("2k", 2000), ("x", None), (None, None)]
)  # fmt: skip
def test_a_quantity_as_a_number(text: Tree, number: float | None) -> None:
    assert quantity(text) == pytest.approx(number)


def test_an_own_image_of_docker_hub_may_leave_the_registry_out() -> None:
    assert {f.code for f in check(plan(image("us/app:latest")), replace(HOUSE, trusted_images=()))} == {
        "POD005"
    }

"""The rows of the tables: each has an example, and removing one that protects data fails a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from support import ANSWERS
from tables import decided, instead, named, names, refused, traced, without

from scaffold.answers import known, validation
from scaffold.answers import sources as answering
from scaffold.templates import decisions, template
from scaffold.templates.image import ImageReference

WITHOUT_ERRORS = [
    *sorted((ANSWERS / "valid").glob("*.yml")),
    *sorted((ANSWERS.parent / "golden_service").glob("*/answers.yml")),
]
APP = "name: notes\ndescription: Notes\nport: 8080\nimage: docker.io/library/nginx:1.29.0\n"
OWN = "name: notes\ndescription: Notes\nport: 8080\nbuild: forgejo-woodpecker\n"
KEPT = (ANSWERS / "rows" / "kept.yml").read_text()
CLAIMED = (ANSWERS / "rows" / "claim-set-later.yml").read_text()
OPEN = "gate: app\ngate_reason: it has accounts\n"
WILDCARD = "sensed: {wildcard_dns: proxied}\n"
GROUPS = "sensed: {ingress_takes: [allowed_groups]}\n"
INTERNAL = "sensed: {dns_types: [proxied, internal, none]}\n"
SERVER = "volumes: [{path: /var/lib/mysql, size: 1Gi"
VOLUME = "volumes: [{path: /data, size: 1Gi}]\n"
DECIDED: list[tuple[str | tuple[str, str], str, str, object]] = [
    ("names/called/keep", KEPT, "names.namespace", "field"),
    ("names/called/keep", KEPT, "names.deployment", "notes-app"),
    ("names/called/keep", KEPT, "names.selector", "notes"),
    ("database/called/keep", KEPT, "credentials.database.database", "notes_db"),
    ("database/called/keep", KEPT, "credentials.database.user", "notes_user"),
    ("storage/storage_class/keep", KEPT, "storage.volumes[data].storage_class", "proxmox-lvm"),
    ("storage/claim/keep", KEPT, "storage.volumes[data].claim", "notes-data"),
    ("storage/claim/keep", KEPT, "storage.volumes[photos].claim", "notes-photos"),
    (
        ("workload/pull_secret", "the package is public"), OWN.replace("forgejo-woodpecker", "github-ghcr") + "public_package: true\n",
        "workload.pull_secret", "",
    ),
    (
        ("workload/pull_secret", "another Service’s image"), APP.replace("docker.io/library/nginx:1.29.0", "ghcr.io/viktorbarzin/mail-digest:latest"),
        "workload.pull_secret", "ghcr-credentials",
    ),
    (
        ("workload/update", "two pods cannot share"), APP + "rwx: false\n" + VOLUME, "workload.strategy", "Recreate",
    ),
    (
        ("workload/update", "no room for a second pod"), APP + "memory: 2Gi\n", "workload.strategy", "Recreate",
    ),
    (
        ("workload/update", "migrations must not run"), OWN + "init_containers: [{name: migrate, args: [up]}]\n",
        "workload.strategy", "Recreate",
    ),
    (
        ("workload/run_as", "new volumes belong to root"), OWN + "app_kind: flask\n" + VOLUME,
        "workload.run_as", 10001,
    ),
    (
        ("ingress_dns/record", "other domains"), APP + "hosts: [{host: notes.example.org, full: true}]\n",
        "ingress.hosts[notes-notes-example-org].dns", "none",
    ),
    ("ingress/label/1", APP + "host: notes.viktorbarzin.me\n", "ingress.label", "notes"),
    (
        ("ingress_dns/record", "own network"), APP + "ingress_options: {local_only: true}\n", "ingress.dns", "none",
    ),
    (
        ("storage/storage_class", "is encrypted at rest"), APP + "sensitive: true\n" + VOLUME,
        "storage.volumes[data].storage_class", "proxmox-lvm-encrypted",
    ),
    (
        ("storage/backup", "own backup makes a consistent copy"),
        APP + "volumes: [{path: /data, size: 1Gi, embedded_database: sqlite}]\n",
        "storage.volumes[data].backup", "sqlite",
    ),
    ("workload/keel_label/1", APP + "keel: never\nsensed: {keel_label: true}\n", "workload.keel_label", "never"),
    ("workload/image_ignored/1", OWN + "keel: never\n", "workload.image_ignored", True),
]  # fmt: skip
"""What protects data or pods: the row, answers, the decision, and what it is because of the row."""
REFUSED: list[tuple[str | tuple[str, str], str, str]] = [
    (("refusals_data/volumes", "Terraform would delete it"), CLAIMED, "volumes[0].claim"),
    (("refusals/memory", "above the request quota"), APP + "memory: 4Gi\nlimit_range: {max_memory: 8Gi}\n", "memory"),
    (("refusals_data/volumes", "an embedded database on NFS"), APP + "rwx: true\nvolumes: [{path: /data, size: 1Gi, embedded_database: sqlite}]\n", "volumes[0].embedded_database"),
    (("refusals_data/volumes", "lost with its disk"), APP + "volumes: [{path: /data, size: 1Gi, backup: none}]\n", "volumes[0].backup_reason"),
    (("refusals_data/volumes", "while it writes"), APP + SERVER + "}]\n", "volumes[0].backup"),
    (("refusals_data/volumes", "is missing: a copy of the files"), APP + SERVER + ", backup: files}]\n", "volumes[0].backup_reason"),
    (("refusals_ingress/ways", "keep the internet out"), APP + "dns: proxied\ningress_options: {local_only: true}\n", "ingress_options.local_only"),
    (("refusals_ingress/ways", "keep the internet out"), APP + WILDCARD + "dns: none\ningress_options: {local_only: true}\n", "ingress_options.local_only"),
    (("refusals_ingress/ways", "opens "), APP + OPEN + WILDCARD + "dns: none\n", "gate"),
    (("refusals_ingress/ways", "opens "), APP + OPEN + INTERNAL + "dns: internal\n", "gate"),
    (("refusals_ingress/ways", "opens "), APP + INTERNAL + "hosts: [{host: lan, dns: internal, auth: app, reason: it has accounts}]\n", "hosts[0].auth"),
    (("refusals_ingress/ways", "opens "), APP + INTERNAL + "dns: internal\nmachine_clients: [{paths: [/x/], auth: app, reason: a token is checked}]\n", "machine_clients[0].auth"),
    (("refusals_ingress/ways", "already the gate there"), APP + OPEN + "machine_clients: [{paths: [/x/], auth: app, reason: a token is checked}]\n", "machine_clients[0].auth"),
    ("refusals_ingress/behind_anubis/1", APP + "host: git\ngate: anubis\ngate_reason: it is public\nmachine_clients: [{paths: [/x/], auth: app, reason: a token is checked}]\n", "gate"),
    (("refusals_workload/pod", "only one pod can mount"), APP + "replicas: 2\n" + VOLUME, "replicas"),
    (("refusals_workload/pod", "would wait forever"), APP + "strategy: RollingUpdate\n" + VOLUME, "strategy"),
    (("refusals_ingress/ways", "would have no effect: with "), APP + OPEN + GROUPS + "ingress_options: {allowed_groups: [Friends]}\n", "ingress_options.allowed_groups"),
    (("refusals_ingress/ways", "would apply to the whole host"), APP + GROUPS + "machine_clients: [{paths: [/x/], auth: required, allowed_groups: [Friends]}]\n", "machine_clients[0].allowed_groups"),
    ("refusals_containers/confinements/1", APP + "sensed: {confined: [read_only_root]}\nsecurity: {read_only_root: false}\n", "security.reason"),
]  # fmt: skip
"""What is refused because data would be lost, or nothing would run: the row, answers, and the one refused."""


def row_of(row: str | tuple[str, str]) -> str:
    return row if isinstance(row, str) else named(*row)


def test_every_row_has_an_example(request: pytest.FixtureRequest) -> None:
    """Without one nobody sees what a row does, and a row that nothing can reach says nothing.

    What the goldens and the messages of wrong answers do not show is recorded in ``rows.txt``.
    """
    with instead(traced()) as chosen:
        for path in WITHOUT_ERRORS:
            assert refused(path.read_text()) == set(), path
            decided(path.read_text())
        for path in sorted((ANSWERS / "invalid").glob("*.yml")):
            validation.problems(answering.from_yaml(path.read_bytes(), path.name), {}, {})
        shown = set(chosen)
        told: list[str] = []
        idle: list[str] = []
        examples = sorted((ANSWERS / "rows").glob("*.yml"))
        for path in (*examples, *sorted((ANSWERS / "real").glob("*.yml"))):
            chosen.clear()
            assert refused(path.read_text()) == set() or path in examples, path
            decided(path.read_text())
            known.known(yaml.safe_load(path.read_text()))
            if new := sorted(chosen.keys() - shown):
                lines = dict.fromkeys(said(name, one) for name in new for one in chosen[name])
                told += [f"{path.parent.name}/{path.stem}", *lines, ""]
            elif path in examples:
                idle.append(path.name)
            shown |= chosen.keys()
    assert sorted(names().keys() - shown) == []
    expected = ANSWERS / "rows.txt"
    if request.config.getoption("--update-golden"):
        expected.write_text("\n".join(told), "utf-8")
    assert "\n".join(told) == expected.read_text("utf-8")
    assert idle == [], "the goldens and the other examples show all of their rows"


def said(name: str, row: Mapping[str, Any]) -> str:
    """What a row says, under the name of its table: its number changes with every row above it."""
    keys = ("answer", "message", "fix") if "message" in row else ("value", "reason")
    return f"  {name.rpartition('/')[0]}: {': '.join(str(row[key]) for key in keys)}"


@pytest.mark.parametrize("row,answers,name,value", DECIDED, ids=str)
def test_a_decision_hangs_on_its_row(
    row: str | tuple[str, str], answers: str, name: str, value: object
) -> None:
    assert refused(answers) == set()
    assert decided(answers)[name] == value
    with instead(without(row_of(row))):
        assert decided(answers)[name] != value


def test_a_stack_that_exists_is_confined_as_it_was_made() -> None:
    house = "sensed: {confined: [read_only_root]}\n"
    made, older = (
        decisions.combine(yaml.safe_load(APP + house + more)) for more in ("", "recorded: {names: {}}\n")
    )
    assert [row["value"] for row in made["containers"]["app"]["security"]["kept_from"]] == ["read_only_root"]
    assert made["recorded_now"]["confined"] == ["read_only_root"]
    assert older["containers"]["app"]["security"]["kept_from"] == []
    assert "confined" not in older["recorded_now"]


@pytest.mark.parametrize("row,answers,name", REFUSED, ids=str)
def test_a_refusal_hangs_on_its_row(row: str | tuple[str, str], answers: str, name: str) -> None:
    assert {answer for answer, _ in refused(answers)} == {name}
    with instead(without(row_of(row))):
        assert refused(answers) == set()


def test_how_far_a_volume_may_grow_is_never_less_than_it_was() -> None:
    def limit(kept: str) -> Any:
        large = APP + "volumes: [{path: /data, size: 50Gi}]\n"
        (volume,) = values(large + (f"recorded: {{volumes: {{data: {kept}}}}}\n" if kept else ""))["storage"][
            "volumes"
        ]
        return volume["limit"]

    assert limit("") == "90Gi"
    assert limit("{storage_class: proxmox-lvm}") == "250Gi"
    assert limit("{storage_class: proxmox-lvm, limit: 120Gi}") == "120Gi"
    assert limit("{storage_class: proxmox-lvm, limit: 60Gi}") == "90Gi"


def test_the_directory_of_a_volume_is_kept() -> None:
    def directory() -> Any:
        (photos,) = [v for v in values(KEPT)["storage"]["volumes"] if v["purpose"] == "photos"]
        return photos["nfs_path"]

    assert directory() == "/srv/nfs/old/photos"
    with instead(without("storage/nfs_path/keep")):
        assert directory() == "/srv/nfs/field-notes/photos"


def test_memory_equal_to_the_quota_runs() -> None:
    assert refused(APP + "memory: 3Gi\n") == set(), "the quota of aux is 3Gi"


def test_the_databases_stack_comes_before_that_of_its_roles() -> None:
    """Vault's role needs the user in the database."""
    told = {
        "had": {},
        "operations": template.facts("operations"),
        "lists": decisions.house()["lists"],
        "committed": True,
        "manual": [],
        "checkout": {"locked": False},
    }
    paths = ["stacks/vault/main.tf", "stacks/dbaas/modules/dbaas/main.tf", "stacks/other/main.tf"]
    steps = decisions.evaluate(
        "templates/decisions/next_steps.jinja", {**values(APP), **told, "paths": paths}
    )
    (order,) = [step["text"] for step in steps if "that it depends on" in step["text"]]
    assert order.endswith("dbaas, vault, other.")


@pytest.mark.parametrize(
    ("volume", "step", "reason"),
    [
        (
            "nfs_server: 10.9.9.9, nfs_path: /srv/nfs/a, sensitive: false",
            "is backed up where it is kept",
            "another NFS server",
        ),
        ("claim: clips", "is backed up where it is kept", "the claim is managed elsewhere"),
        ("sensitive: true", "does not encrypt the sensitive data", "mirrored every night"),
    ],
)
def test_what_the_house_does_not_do_for_a_shared_volume_is_a_step(
    volume: str, step: str, reason: str
) -> None:
    combined = values(APP + f"volumes: [{{path: /data, rwx: true, {volume}}}]\n")
    (decided_,) = combined["storage"]["volumes"]
    assert decided_["backup"]["value"] == "none"
    assert reason in decided_["backup"]["reason"]
    assert ("NFS does not encrypt" in decided_["storage_class"]["reason"]) == ("sensitive: true" in volume)
    told = {
        "had": {},
        "operations": template.facts("operations"),
        "lists": decisions.house()["lists"],
        "committed": True,
        "manual": [],
        "checkout": {"locked": False},
        "paths": [],
    }
    steps = decisions.evaluate("templates/decisions/next_steps.jinja", {**combined, **told})
    (text,) = [s["text"] for s in steps if "backed up where" in s["text"] or "encrypt" in s["text"]]
    assert step in text
    on_the_own_server = "sensitive: true" in volume
    assert any("mkdir" in s["command"] for s in steps) == on_the_own_server


def test_what_is_kept_is_recorded_again() -> None:
    recorded = values(KEPT)["recorded_now"]
    assert recorded == yaml.safe_load(KEPT)["recorded"]


def values(answers: str) -> dict[str, Any]:
    return decisions.combine(yaml.safe_load(answers))


@pytest.mark.parametrize(
    "written",
    [
        "docker.io/library/nginx:1.29.0",
        "ghcr.io/robin/notes",
        "ghcr.io/robin/tools/notes@sha256:" + 64 * "a",
        "localhost:5000/notes:1.2@sha256:" + 64 * "b",
    ],
)
def test_the_rows_read_an_image_reference_as_the_checks_do(written: str) -> None:
    text = "{% from 'templates/decisions/macros.jinja' import image_parts %}{{ image_parts(written) }}"
    parts = json.loads(decisions.environment().from_string(text).render(written=written))
    read = ImageReference.parse(written)
    assert (parts["registry"], parts["base"]) == (read.registry, read.base)
    assert (parts["tag"], parts["digest"]) == (read.tag, read.digest)
    assert parts["package"] == (read.repository.partition("/")[2] or read.repository)

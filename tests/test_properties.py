"""What must hold for the stack of any valid answers."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from strategies import valid_answers
from support import ORIGIN, examples

from scaffold.checks.verify import static_findings
from scaffold.hcl.syntax import NOT_LITERAL, Block, Body, Document, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.templates.questions import asked
from scaffold.templates.render import ANSWERS_FILE, render


@dataclass(frozen=True)
class Drawn:
    """A stack of drawn answers: rendered and combined once, asked for every property."""

    monorepo: Monorepo
    scratch: Path
    answers: dict[str, Any]
    files: dict[str, bytes]
    links: frozenset[str]
    document: Document
    values: dict[str, Any]


PROPERTIES: list[Callable[[Drawn], None]] = []


def always(holds: Callable[[Drawn], None]) -> Callable[[Drawn], None]:
    """Add a property to what must hold."""
    PROPERTIES.append(holds)
    return holds


@examples(8)
@given(answers=valid_answers())
def test_what_must_hold_holds(answers: dict[str, Any], pristine: Monorepo, tmp_path: Path) -> None:
    hold(answers, pristine, tmp_path)


@pytest.mark.slow("draws and renders 25 Services")
@examples(25)
@given(answers=valid_answers())
def test_and_of_many(answers: dict[str, Any], pristine: Monorepo, tmp_path: Path) -> None:
    hold(answers, pristine, tmp_path)


def hold(answers: dict[str, Any], pristine: Monorepo, tmp_path: Path) -> None:
    rendered = render(answers, {}, {}, ORIGIN)
    files = {str(path): content for path, content in rendered.files.items() if isinstance(content, bytes)}
    name = answers["name"]
    links = frozenset(f"{STACKS}/{name}/{path}" for path in rendered.files if str(path) not in files)
    main = parse(files["main.tf"])
    drawn = Drawn(pristine, tmp_path, answers, files, links, main, dict(rendered.values))
    for holds in PROPERTIES:
        holds(drawn)


def walk(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        yield block
        yield from walk(block.body)


def resources(document: Document, kind: str) -> tuple[Block, ...]:
    return document.body.blocks_of("resource", kind)


def modules(document: Document, name: str) -> list[Block]:
    return [
        b for b in document.body.blocks_of("module") if str(b.body.literal("source")).endswith(f"/{name}")
    ]


def inside(block: Block, *path: str) -> Block:
    for name in path:
        inner = block.body.block(name)
        assert inner is not None, f"{block} has no {name}"
        block = inner
    return block


@always
def the_stack_passes_every_static_check(drawn: Drawn) -> None:
    name = drawn.answers["name"]
    files = {
        f"{STACKS}/{name}/{path}": content
        for path, content in drawn.files.items()
        if path.endswith((".tf", ".hcl"))
    }
    places = [drawn.answers.get("ingress_options", {}), *drawn.answers.get("hosts", [])]
    places += drawn.answers.get("machine_clients", [])
    # What an answer says on purpose is done, and told.
    asked_for = {"ING011"} if any(place.get("anti_ai") for place in places) else set()
    found = static_findings(drawn.monorepo, name, files, drawn.links)
    assert [f for f in found if f.code not in asked_for] == []


@always
def storage_follows_the_rules(drawn: Drawn) -> None:
    document, values = drawn.document, drawn.values
    claims = resources(document, "kubernetes_persistent_volume_claim")
    classes = {claim.labels[1]: inside(claim, "spec").body.literal("storage_class_name") for claim in claims}
    shared = {module.labels[0] for module in modules(document, "nfs_volume")}
    for volume in values["volumes"]:
        purpose = volume.get("purpose", "data").replace("-", "_")
        if volume.get("claim"):
            assert purpose not in classes
            assert f"nfs_{purpose}" not in shared
            continue
        rwx = values["rwx"] if volume.get("rwx") is None else volume["rwx"]
        sensitive = values["sensitive"] if volume.get("sensitive") is None else volume["sensitive"]
        assert (f"nfs_{purpose}" in shared) == rwx
        if not rwx:
            assert classes[purpose] == ("proxmox-lvm-encrypted" if sensitive else "proxmox-lvm")
        else:
            assert volume.get("embedded_database", "none") == "none"


@always
def a_block_volume_brings_all_that_it_needs(drawn: Drawn) -> None:
    document, values = drawn.document, drawn.values
    claims = resources(document, "kubernetes_persistent_volume_claim")
    block = [volume for volume in values["storage"]["volumes"] if volume["block"]]
    theirs = {volume["claim"]["value"] for volume in block}
    for number, deployment in enumerate(resources(document, "kubernetes_deployment")):
        strategy = inside(deployment, "spec").body.block("strategy")
        recreate = strategy is not None and strategy.body.literal("type") == "Recreate"
        if number == 0:  # the app's own; the others are its workloads
            assert recreate == (values["workload"]["strategy"]["value"] == "Recreate")
        mounted = {
            value.text.strip('"') for b in walk(deployment.body)
            if b.type == "persistent_volume_claim" and (value := b.body.value("claim_name"))
        }  # fmt: skip
        made = any(name.startswith("kubernetes_persistent_volume_claim.") for name in mounted)
        assert recreate or not (made or mounted & theirs)
    jobs = resources(document, "kubernetes_cron_job_v1")
    saved = {
        str(b.body.literal("claim_name"))
        for job in jobs
        if job.labels[1] == "backup"
        for b in walk(job.body)
        if b.type == "persistent_volume_claim"
    }
    saved |= {
        value.text for job in jobs if job.labels[1] == "backup" for b in walk(job.body)
        if b.type == "persistent_volume_claim" and (value := b.body.value("claim_name"))
    }  # fmt: skip
    excused = {v["purpose"] for v in values["storage"]["volumes"] if v["backup"]["value"] == "none"}
    for claim in claims:
        assert claim.body.literal("wait_until_bound") is False
        annotations = inside(claim, "metadata").body.literal("annotations")
        assert isinstance(annotations, dict)
        assert annotations["resize.topolvm.io/threshold"] == "10%"
        assert {key.rpartition("/")[2] for key in annotations} == {"threshold", "increase", "storage_limit"}
        ignored = inside(claim, "lifecycle").body.value("ignore_changes")
        assert ignored is not None
        assert [element.text for element in ignored.elements] == ["spec[0].resources[0].requests"]
    dumped = {dump["purpose"] for dump in values["dumps"]}
    for volume in block:
        own = f"kubernetes_persistent_volume_claim.{volume['label']}.metadata[0].name"
        is_saved = (volume["claim"]["value"] if volume["exists"] else own) in saved
        assert is_saved != (volume["purpose"] in excused | dumped)
        assert not excused & dumped
    for job in jobs:
        if job.labels[1] != "backup" or not values["stack"]["app"]:
            continue
        if {volume["purpose"] for volume in block} <= excused | dumped:
            continue
        affinity = inside(job, "spec", "job_template", "spec", "template", "spec", "affinity", "pod_affinity")
        # Scaled to zero, there is no pod to be beside of.
        strength = "preferred" if values["workload"]["parked"]["value"] else "required"
        assert affinity.body.block(f"{strength}_during_scheduling_ignored_during_execution") is not None


@always
def a_dump_is_read_back_and_knows_its_database_by_reference(drawn: Drawn) -> None:
    document, values = drawn.document, drawn.values
    jobs = [j for j in resources(document, "kubernetes_cron_job_v1") if j.labels[1] == "backup"]
    containers = [b for job in jobs for b in walk(job.body) if b.type == "init_container"]
    assert [f"dump-{dump['purpose']}" for dump in values["dumps"]] == [
        c.body.literal("name") for c in containers
    ]
    services = {s.labels[1]: s for s in resources(document, "kubernetes_service")}
    for dump, container in zip(values["dumps"], containers, strict=True):
        (command,) = (container.body.value("command"),)
        assert command is not None
        assert ("pg_restore --file=/dev/null" in command.text) == (dump["form"] == "pg_dump")
        assert ("-- Dump completed" in command.text) == (dump["form"] == "mysqldump")
        variables = {str(e.body.literal("name")): e for e in container.body.blocks_of("env")}
        (password,) = (variables[name] for name in ("PGPASSWORD", "MYSQL_PWD") if name in variables)
        assert inside(password, "value_from").body.block("secret_key_ref") is not None
        if dump["own_service"]:
            service = services[dump["service"].replace("-", "_")]
            port = inside(service, "spec", "port").body.literal("target_port")
            deployment = resources(document, "kubernetes_deployment")[0]
            assert port in [
                p.body.literal("container_port") for p in walk(deployment.body) if p.type == "port"
            ]
    if any(dump["own_service"] for dump in values["dumps"]):
        assert values["workload"]["keel"]["value"] != "enrolled"


@always
def every_pod_has_resources_probes_and_the_lifecycle_block(drawn: Drawn) -> None:
    document, values = drawn.document, drawn.values
    deployments = resources(document, "kubernetes_deployment")
    assert len(deployments) == values["stack"]["app"] + len(values["workloads"])
    for owner in (*deployments, *resources(document, "kubernetes_cron_job_v1")):
        containers = [b for b in walk(owner.body) if b.type in ("container", "init_container")]
        assert containers
        for container in containers:
            limits = inside(container, "resources").body.literal("limits")
            assert isinstance(limits, dict)
            assert "memory" in limits
            shares = {
                "nvidia.com/gpu",
                values["facts"]["gpu_memory"]["resource"],
                *values["extended_resources"],
            }
            for workload in values["workloads"]:
                shares |= set(workload.get("extended_resources", {}))
            assert set(limits) <= {"memory", "ephemeral-storage", *shares}
        ignored = inside(owner, "lifecycle").body.value("ignore_changes")
        assert ignored is not None
        assert "dns_config" in ignored.text
    if not deployments:
        return
    deployment = deployments[0]  # the app's own
    container = inside(deployment, "spec", "template", "spec", "container")
    # A worker listens on nothing that could be asked.
    for kind in ("readiness_probe", "liveness_probe") if values["stack"]["listens"] else ():
        assert container.body.block(kind)
    lifecycle = inside(deployment, "lifecycle").body.value("ignore_changes")
    assert lifecycle is not None
    ignores_image = "container[0].image" in lifecycle.text
    moved = values["workload"]["keel"]["value"]
    assert ignores_image == (values["build"] != "upstream" or moved == "enrolled")
    own = values["workload"]["keel_annotations"]
    ignores_tag = values["keel"] != "pinned" and "keel.sh/match-tag" not in own
    assert ("keel.sh/match-tag" in lifecycle.text) == ignores_tag


@always
def nothing_has_two_of_one_name_port_or_path(drawn: Drawn) -> None:
    """What Kubernetes refuses, or silently takes one of, over all that is rendered."""
    for owner in drawn.document.body.blocks:
        for spec in (b for b in walk(owner.body) if b.body.blocks_of("container")):
            containers = [*spec.body.blocks_of("container"), *spec.body.blocks_of("init_container")]
            assert once(c.body.literal("name") for c in containers)
            assert once(v.body.literal("name") for v in spec.body.blocks_of("volume"))
            ports = [
                [
                    (p.body.literal("protocol"), p.body.literal("container_port"))
                    for p in c.body.blocks_of("port")
                ]
                for c in containers
            ]
            assert once(port for its in ports for port in set(its))
            assert once(p.body.literal("name") for c in containers for p in c.body.blocks_of("port"))
            for container in containers:
                mounts = [
                    str(m.body.literal("mount_path")).rstrip("/")
                    for m in container.body.blocks_of("volume_mount")
                ]
                assert once(mounts)
                assert not [m for m in mounts if m.startswith(("/proc", "/sys/"))]
                assert once(e.body.literal("name") for e in container.body.blocks_of("env"))
        if owner.labels[:1] == ("kubernetes_service",):
            ports_ = inside(owner, "spec").body.blocks_of("port")
            assert once((p.body.literal("protocol"), p.body.literal("port")) for p in ports_)
            assert once(p.body.literal("name") for p in ports_)
    assert once((b.type, *b.labels) for b in drawn.document.body.blocks if b.labels)
    named = [
        (b.labels[0], metadata.body.literal("name"), metadata.body.literal("namespace"))
        for b in drawn.document.body.blocks_of("resource")
        if (metadata := b.body.block("metadata"))
    ]
    assert once(named)
    assert all(len(str(name)) <= 63 for kind, name, _ in named if kind == "kubernetes_service")
    calls = [
        (str(m.body.literal("source")), m.body.literal("name"))
        for m in drawn.document.body.blocks_of("module")
        if m.body.literal("name") is not NOT_LITERAL
    ]
    assert once(call for call in calls if call[1] is not None)


def once(values: Iterable[object]) -> bool:
    """Whether no value comes twice."""
    return max(Counter(values).values(), default=1) == 1


@always
def no_gate_opens_without_a_reason_where_the_guard_looks(drawn: Drawn) -> None:
    document, values = drawn.document, drawn.values
    calls = modules(document, "ingress_factory")
    if not values["stack"]["ingress"]:
        assert not calls
        return
    assert len(calls) == 1 + len(values["machine_clients"]) + len(values["hosts"])
    for call in calls:
        auth = call.body.attributes["auth"]
        mode = auth.value.literal()
        assert mode is not NOT_LITERAL
        if mode == "required":
            continue
        (comment,) = document.comments_above(auth.line)
        assert comment.text.startswith(f'auth = "{mode}": ')
        assert " " in comment.text.split(": ", 1)[1]
    main = calls[0].body.literal("auth")
    assert main == {"anubis": "none"}.get(values["gate"], values["gate"])
    tiles = values["homepage"] + sum("tile" in item for item in values["hosts"])
    assert sum(call.body.literal("homepage_enabled") is not False for call in calls) == tiles


@always
def the_guard_of_the_monorepo_agrees(drawn: Drawn) -> None:
    (drawn.scratch / "main.tf").write_bytes(drawn.files["main.tf"])
    guard = runpy.run_path(str(drawn.monorepo.root / "scripts" / "check-ingress-auth-comments.py"))
    assert list(guard["violations"](drawn.scratch)) == []


@always
def the_answers_recorded_for_the_app_are_enough_to_render_again(drawn: Drawn) -> None:
    """The app's repository records only some answers, since it may be public: they have to suffice."""
    first = dict(render(drawn.answers, {}, {}, ORIGIN, "service").files)
    recorded = yaml.safe_load(first[PurePosixPath(ANSWERS_FILE)])  # type: ignore[arg-type]
    kept = {key: value for key, value in recorded.items() if key in asked()}
    assert render(kept, recorded["sensed"], recorded["recorded"], ORIGIN, "service").files == first
    assert not {"env", "secrets", "gate_reason", "machine_clients"} & recorded.keys()

"""What must hold of the stack for any valid answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from strategies import valid_answers
from support import ORIGIN

from scaffold.checks.verify import static_findings
from scaffold.hcl.syntax import NOT_LITERAL, Block, Body, Document, parse
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.templates import decisions
from scaffold.templates.render import render


@cache
def rendered(key: str) -> dict[str, bytes]:
    answers = _ANSWERS[key]
    return {
        str(path): content
        for path, content in render(answers, {}, {}, ORIGIN).files.items()
        if isinstance(content, bytes)
    }


_ANSWERS: dict[str, dict[str, Any]] = {}


def stack_of(answers: dict[str, Any]) -> tuple[Document, dict[str, Any]]:
    key = repr(answers)
    _ANSWERS[key] = answers
    return parse(rendered(key)["main.tf"]), decisions.combine(answers)


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


@given(answers=valid_answers())
def test_the_stack_passes_every_static_check(answers: dict[str, Any], pristine: Monorepo) -> None:
    stack_of(answers)
    files = {
        f"{STACKS}/{answers['name']}/{path}": content for path, content in rendered(repr(answers)).items()
    }
    files = {path: content for path, content in files.items() if path.endswith((".tf", ".hcl"))}
    assert static_findings(pristine, answers["name"], files) == []


@given(answers=valid_answers())
def test_storage_follows_the_rules(answers: dict[str, Any]) -> None:
    document, values = stack_of(answers)
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


@given(answers=valid_answers())
def test_a_block_volume_brings_all_that_it_needs(answers: dict[str, Any]) -> None:
    document, values = stack_of(answers)
    claims = resources(document, "kubernetes_persistent_volume_claim")
    block = [volume for volume in values["storage"]["volumes"] if volume["block"]]
    for deployment in resources(document, "kubernetes_deployment"):
        strategy = inside(deployment, "spec").body.block("strategy")
        recreate = strategy is not None and strategy.body.literal("type") == "Recreate"
        assert recreate == (values["workload"]["strategy"]["value"] == "Recreate")
        assert recreate or not block
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
        strength = "required" if values["replicas"] else "preferred"
        assert affinity.body.block(f"{strength}_during_scheduling_ignored_during_execution") is not None


@given(answers=valid_answers())
def test_a_dump_is_read_back_and_knows_its_database_by_reference(answers: dict[str, Any]) -> None:
    document, values = stack_of(answers)
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
            (deployment,) = resources(document, "kubernetes_deployment")
            assert port in [
                p.body.literal("container_port") for p in walk(deployment.body) if p.type == "port"
            ]
    if any(dump["own_service"] for dump in values["dumps"]):
        assert values["workload"]["keel"]["value"] != "enrolled"


@given(answers=valid_answers())
def test_every_pod_has_resources_probes_and_the_lifecycle_block(answers: dict[str, Any]) -> None:
    document, values = stack_of(answers)
    deployments = resources(document, "kubernetes_deployment")
    assert len(deployments) == values["stack"]["app"]
    for owner in (*deployments, *resources(document, "kubernetes_cron_job_v1")):
        containers = [b for b in walk(owner.body) if b.type in ("container", "init_container")]
        assert containers
        for container in containers:
            limits = inside(container, "resources").body.literal("limits")
            assert isinstance(limits, dict)
            assert "memory" in limits
            assert set(limits) <= {"memory", "nvidia.com/gpu"}
        ignored = inside(owner, "lifecycle").body.value("ignore_changes")
        assert ignored is not None
        assert "dns_config" in ignored.text
    if not deployments:
        return
    (deployment,) = deployments
    container = inside(deployment, "spec", "template", "spec", "container")
    assert container.body.block("readiness_probe")
    assert container.body.block("liveness_probe")
    lifecycle = inside(deployment, "lifecycle").body.value("ignore_changes")
    assert lifecycle is not None
    ignores_image = "container[0].image" in lifecycle.text
    moved = values["workload"]["keel"]["value"]
    assert ignores_image == (values["build"] != "upstream" or moved == "enrolled")
    assert ("keel.sh/match-tag" in lifecycle.text) == (values["keel"] != "pinned")


@given(answers=valid_answers())
def test_no_gate_opens_without_a_reason_where_the_guard_looks(answers: dict[str, Any]) -> None:
    document, values = stack_of(answers)
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
    assert sum(call.body.literal("homepage_enabled") is not False for call in calls) == values["homepage"]


def test_the_guard_of_the_monorepo_agrees(pristine: Monorepo, tmp_path: Path) -> None:
    script = pristine.root / "scripts" / "check-ingress-auth-comments.py"

    @given(answers=valid_answers())
    def holds(answers: dict[str, Any]) -> None:
        stack_of(answers)
        (tmp_path / "main.tf").write_bytes(rendered(repr(answers))["main.tf"])
        done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    holds()

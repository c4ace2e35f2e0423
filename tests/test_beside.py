"""Files that people keep in a stack beside the rendered ones."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support import needs, scaffold

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands import beside
from scaffold.commands.beside import OwnFile
from scaffold.commands.new_service import prepare
from scaffold.errors import AnswersError, RefusedError, UsageError, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS

ANSWERS = b"""\
name: bird-box
description: A camera in a bird box
image: docker.io/library/nginx:1.29.0
port: 80
env_from: [{config_map: bird-box-own}]
"""
OWN = """\
resource "kubernetes_config_map" "own" {
  metadata {
    name      = "bird-box-own"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  data = {
    NEST = "1"
  }
}
"""


def put(monorepo: Monorepo, file: str, text: str) -> None:
    directory = monorepo.root / STACKS / "bird-box"
    directory.mkdir(exist_ok=True)
    (directory / file).write_text(text)


@needs("terraform")
def test_they_are_planned_with_the_stack(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN)
    prepared = prepare(
        monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.PLAN, template_source="https://x.test/t.git"
    )
    assert prepared.stack is not None and prepared.stack.verified.plan is not None
    assert "kubernetes_config_map.own" in {r.address for r in prepared.stack.verified.plan.resources}
    assert not any(str(change.path).endswith("own.tf") for change in prepared.stack.change.changes)


def test_they_are_checked_with_the_stack(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN.replace("bird_box", "bird_bath"))
    with pytest.raises(VerificationError) as refused:
        prepare(
            monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.STATIC, template_source="https://x.test/t.git"
        )
    assert any(finding.path == "stacks/bird-box/own.tf" for finding in refused.value.findings)


def test_a_stack_that_is_there_is_not_taken_over(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN)
    put(monorepo, "main.tf", "")
    with pytest.raises(RefusedError):
        prepare(
            monorepo, from_yaml(ANSWERS, "a.yml"), level=Level.STATIC, template_source="https://x.test/t.git"
        )


DATABASE = """\
resource "kubernetes_persistent_volume_claim" "database" {
  wait_until_bound = false
  metadata {
    name      = "bird-box-database"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm-encrypted"
    resources {
      requests = {
        storage = "5Gi"
      }
    }
  }
}

resource "kubernetes_deployment" "database" {
  metadata {
    name      = "bird-box-database"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  spec {
    strategy {
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "bird-box-database"
      }
    }
    template {
      metadata {
        labels = {
          app = "bird-box-database"
        }
      }
      spec {
        container {
          name  = "mysql"
          image = "docker.io/library/mysql:8.4.8"
          port {
            container_port = 3306
          }
          volume_mount {
            name       = "data"
            mount_path = "/var/lib/mysql"
            sub_path   = "data"
          }
          resources {
            requests = {
              cpu    = "25m"
              memory = "1Gi"
            }
            limits = {
              memory = "1Gi"
            }
          }
          readiness_probe {
            tcp_socket {
              port = 3306
            }
          }
          liveness_probe {
            tcp_socket {
              port = 3306
            }
          }
        }
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.database.metadata[0].name
          }
        }
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].dns_config] # KYVERNO_LIFECYCLE_V1
  }
}

resource "kubernetes_service" "database" {
  metadata {
    name      = "bird-box-database"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  spec {
    selector = {
      app = "bird-box-database"
    }
    port {
      port = 3306
    }
  }
}
"""
WITH_DATABASE = b"""\
name: bird-box
description: A camera in a bird box
image: docker.io/library/nginx:1.29.0
port: 8080
secrets_env_from: true
volumes:
  - purpose: database
    path: /var/lib/mysql
    claim: bird-box-database
    backup: mysqldump
    dump:
      host: bird-box-database
      image: docker.io/library/mysql:8.4.8
      password: {secret: bird-box-secrets, key: mysql_password}
"""


@needs("terraform")
def test_a_database_that_is_kept_beside_is_dumped_over_its_service(monorepo: Monorepo) -> None:
    put(monorepo, "database.tf", DATABASE)
    prepared = prepare(
        monorepo, from_yaml(WITH_DATABASE, "a.yml"), level=Level.PLAN, template_source="https://x.test/t.git"
    )
    assert prepared.stack is not None and prepared.stack.verified.plan is not None
    planned = {r.address: r for r in prepared.stack.verified.plan.resources}
    assert "kubernetes_persistent_volume_claim.database" in planned
    told = {(finding.path, finding.code) for finding in prepared.stack.verified.warnings}
    assert told == {
        ("stacks/bird-box/database.tf", code) for code in ("LIF002", "POD012", "STO004", "STO005")
    }
    job = planned["kubernetes_cron_job_v1.backup"]
    pod = ("spec", 0, "job_template", 0, "spec", 0, "template", 0, "spec", 0)
    assert job.get(*pod, "init_container", 0, "env", 0, "value") == "bird-box-database"
    assert job.get(*pod, "volume", 1) is None, "a dump mounts no volume of the database"
    app = planned["kubernetes_deployment.bird_box"]
    assert not app.get("spec", 0, "template", 0, "spec", 0, "volume"), "the app has nothing to do with it"


SEALED = """\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: bird-token, namespace: bird-box}
spec: {encryptedData: {token: AgBy}}
"""
READS_SEALED = ANSWERS.replace(b"env_from: [{config_map: bird-box-own}]", b"sealed_secrets: true")


@needs("terraform")
@pytest.mark.parametrize(
    ("sealed", "key", "problem"),
    [
        (SEALED, "token", ""),
        (SEALED, "tokens", "has no key tokens"),
        (SEALED.replace("bird-token", "other"), "token", "there is no Secret bird-token"),
        (SEALED.replace("SealedSecret", "Secret"), "token", "is not sealed"),
        (SEALED.replace("bird-box", "bird-bath"), "token", "is sealed for the namespace bird-bath"),
    ],
)
def test_sealed_secrets_are_planned_and_known(
    monorepo: Monorepo, sealed: str, key: str, problem: str
) -> None:
    put(monorepo, "sealed-token.yaml", sealed)
    given = READS_SEALED + f"env: {{TOKEN: {{secret: bird-token, key: {key}}}}}\n".encode()

    def made() -> set[str]:
        prepared = prepare(
            monorepo, from_yaml(given, "a.yml"), level=Level.PLAN, template_source="https://x.test/t.git"
        )
        assert prepared.stack is not None and prepared.stack.verified.plan is not None
        return {r.address for r in prepared.stack.verified.plan.resources}

    if not problem:
        assert 'kubernetes_manifest.sealed_secrets["sealed-token.yaml"]' in made()
        return
    # A Secret that is not there is an answer's fault; one that has another key, or no seal, is its own.
    with pytest.raises(AnswersError if "there is no" in problem else VerificationError) as refused:
        made()
    assert any(problem in finding.message for finding in refused.value.findings)


@needs("terraform")
def test_a_stack_is_made_before_its_first_secret_is_sealed(monorepo: Monorepo) -> None:
    answers = from_yaml(READS_SEALED + b"env_from: [{secret: bird-token}]\n", "a.yml")
    source = "https://x.test/t.git"
    assert prepare(monorepo, answers, level=Level.PLAN, template_source=source).stack
    unsealed = from_yaml(
        READS_SEALED.replace(b"true", b"false") + b"env_from: [{secret: bird-token}]\n", "a.yml"
    )
    with pytest.raises(AnswersError, match="not valid"):
        prepare(monorepo, unsealed, level=Level.PLAN, template_source=source)


def test_a_file_that_is_to_be_mounted_is_there_first(monorepo: Monorepo) -> None:
    answers = from_yaml(ANSWERS + b"files: [{path: /etc/nest.json, source: files/nest.json}]\n", "a.yml")
    source = "https://x.test/t.git"
    with pytest.raises(AnswersError) as refused:
        prepare(monorepo, answers, level=Level.STATIC, template_source=source)
    (finding,) = refused.value.findings
    assert (finding.answer, finding.code) == ("files[0].source", "answers.no-file")
    assert finding.fix is not None and "stacks/bird-box/files/nest.json" in finding.fix
    (monorepo.root / STACKS / "bird-box/files").mkdir(parents=True)
    put(monorepo, "files/nest.json", "{}")
    assert prepare(monorepo, answers, level=Level.STATIC, template_source=source).stack


def test_the_same_answers_again_change_nothing_and_leave_them_alone(monorepo: Monorepo) -> None:
    put(monorepo, "own.tf", OWN)
    answers = from_yaml(ANSWERS + b"tls_secret: true\n", "a.yml")
    source = "https://x.test/t.git"
    prepare(monorepo, answers, level=Level.STATIC, template_source=source).apply(commit=False)
    directory = monorepo.root / STACKS / "bird-box"
    assert (directory / "own.tf").read_text() == OWN
    assert str((directory / "secrets").readlink()) == "../../secrets"
    assert (directory / "secrets" / "fullchain.pem").is_file()
    again = Monorepo(monorepo.root)  # what the first one read is as old as that
    assert prepare(again, answers, level=Level.STATIC, template_source=source).unchanged


TAKEN_ALONG = """\
resource "kubernetes_manifest" "own_middleware" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "sunset"
      namespace = kubernetes_namespace.bird_box.metadata[0].name
    }
    spec = {
      compress = {}
    }
  }
}

resource "kubernetes_secret" "own" {
  metadata {
    name      = "nest-secret"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  data = {
    token = kubernetes_namespace.bird_box.metadata[0].uid
  }
}

resource "kubernetes_config_map" "own" {
  metadata {
    name      = "nest-map"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  data = {
    "nest.yml" = "eggs: 3"
  }
}

resource "kubernetes_persistent_volume_claim" "own" {
  wait_until_bound = false
  metadata {
    name      = "bird-box-nest-proxmox"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
    annotations = {
      "resize.topolvm.io/threshold"     = "10%"
      "resize.topolvm.io/increase"      = "100%"
      "resize.topolvm.io/storage_limit" = "5Gi"
    }
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "proxmox-lvm"
    resources {
      requests = {
        storage = "1Gi"
      }
    }
  }
  lifecycle {
    ignore_changes = [spec[0].resources[0].requests]
  }
}
"""
NAMES_THEM = b"""\
name: bird-box
description: A camera in a bird box
image: docker.io/library/nginx:1.29.0
port: 8080
sensitive: false
ingress_options: {extra_middlewares: [bird-box-sunset@kubernetescrd]}
env: {TOKEN: {secret: nest-secret, key: token}}
env_from: [{secret: nest-secret}, {config_map: nest-map}]
files: [{path: /etc/nest.yml, config_map: nest-map}, {path: /etc/token, secret: nest-secret, key: token}]
volumes: [{purpose: nest, path: /nest, claim: bird-box-nest-proxmox}]
"""
SOURCE = "https://x.test/t.git"


def along(directory: Path, **files: str) -> tuple[OwnFile, ...]:
    for name, text in files.items():
        (directory / f"{name}.tf").write_text(text)
    return beside.read([directory / f"{name}.tf" for name in files])


@needs("terraform")
def test_what_is_taken_along_is_planned_and_can_be_named(monorepo: Monorepo, tmp_path: Path) -> None:
    own = along(tmp_path, nest=TAKEN_ALONG)
    answers = from_yaml(NAMES_THEM, "a.yml")
    made = prepare(monorepo, answers, level=Level.PLAN, template_source=SOURCE, own_files=own)
    assert made.stack is not None and made.stack.verified.plan is not None
    planned = {r.address: r for r in made.stack.verified.plan.resources}
    pod = ("spec", 0, "template", 0, "spec", 0)
    app = planned["kubernetes_deployment.bird_box"]
    container = (*pod, "container", 0)
    assert app.get(*container, "env", 0, "value_from", 0, "secret_key_ref", 0, "name") == "nest-secret"
    assert app.get(*container, "env_from", 0, "secret_ref", 0, "name") == "nest-secret"
    assert app.get(*container, "env_from", 1, "config_map_ref", 0, "name") == "nest-map"
    claims = [app.get(*pod, "volume", n, "persistent_volume_claim", 0, "claim_name") for n in range(3)]
    assert "bird-box-nest-proxmox" in claims
    assert "kubernetes_persistent_volume_claim.own" in planned
    assert [w for w in made.stack.verified.warnings if w.path.endswith("nest.tf")] == []
    made.apply(commit=False)
    assert (monorepo.root / STACKS / "bird-box" / "nest.tf").read_text() == TAKEN_ALONG
    again = Monorepo(monorepo.root)
    assert prepare(again, answers, level=Level.STATIC, template_source=SOURCE, own_files=own).unchanged
    other = along(tmp_path, nest=OWN)
    with pytest.raises(RefusedError) as refused:
        prepare(again, answers, level=Level.STATIC, template_source=SOURCE, own_files=other)
    assert refused.value.findings[0].code == "beside.taken"


@pytest.mark.parametrize(
    "given",
    [
        b"env_from: [{secret: nest-secret}]",
        b"env_from: [{config_map: nest-map}]",
        b"env: {TOKEN: {secret: nest-secret, key: token}}",
        b"files: [{path: /etc/nest.yml, config_map: nest-map}]",
    ],
)
@needs("terraform")
@pytest.mark.slow("plans eight stacks")
def test_without_it_the_same_names_are_nobodys(monorepo: Monorepo, tmp_path: Path, given: bytes) -> None:
    head = NAMES_THEM.split(b"sensitive")[0]
    with pytest.raises(AnswersError):
        prepare(monorepo, from_yaml(head + given, "a.yml"), level=Level.PLAN, template_source=SOURCE)
    own = along(tmp_path, nest=TAKEN_ALONG)
    made = prepare(
        monorepo, from_yaml(head + given, "a.yml"), level=Level.PLAN, template_source=SOURCE, own_files=own
    )
    assert made.own_files == ("stacks/bird-box/nest.tf",)


def test_a_middleware_of_an_own_file_is_known_by_its_name_alone(monorepo: Monorepo, tmp_path: Path) -> None:
    own = along(tmp_path, nest=TAKEN_ALONG)
    misspelt = from_yaml(NAMES_THEM.replace(b"box-sunset@", b"box-sunrise@"), "a.yml")
    with pytest.raises(AnswersError) as refused:
        prepare(monorepo, misspelt, level=Level.STATIC, template_source=SOURCE, own_files=own)
    (finding,) = refused.value.findings
    assert (finding.code, finding.fix) == (
        "answers.middleware",
        "Did you mean bird-box-sunset@kubernetescrd?",
    )


def test_files_that_no_stack_can_take_are_told_all_at_once(monorepo: Monorepo, tmp_path: Path) -> None:
    own = along(tmp_path, main=OWN, backend=OWN, providers=OWN, nest=OWN)
    (tmp_path / "notes.txt").write_text("")
    own = (*own, *beside.read([tmp_path / "notes.txt", tmp_path / "nest.tf"]))
    answers = from_yaml(ANSWERS + b"colour: red\n", "a.yml")
    with pytest.raises(AnswersError) as refused:
        prepare(monorepo, answers, level=Level.STATIC, template_source=SOURCE, own_files=own)
    codes = sorted(finding.code for finding in refused.value.findings)
    assert codes == [
        "answers.unknown", "beside.generated", "beside.generated", "beside.name", "beside.rendered", "beside.twice",
    ]  # fmt: skip
    assert all(finding.fix for finding in refused.value.findings)
    assert "--beside FILE" in refused.value.hint
    with pytest.raises(UsageError):
        beside.read([tmp_path / "absent.tf"])


def test_what_is_there_is_not_overwritten(monorepo: Monorepo, tmp_path: Path) -> None:
    put(monorepo, "own.tf", OWN)
    answers = from_yaml(ANSWERS, "a.yml")
    own = along(tmp_path, own=OWN.replace("NEST", "BOX"))
    with pytest.raises(RefusedError) as refused:
        prepare(monorepo, answers, level=Level.STATIC, template_source=SOURCE, own_files=own)
    assert refused.value.findings[0].path == str(tmp_path / "own.tf")
    same = along(tmp_path, own=OWN)
    made = prepare(monorepo, answers, level=Level.STATIC, template_source=SOURCE, own_files=same)
    assert made.stack is not None
    assert "own.tf" not in {change.path.name for change in made.stack.change.changes}


@needs("terraform")
def test_it_is_verified_before_anything_is_written(monorepo: Monorepo, tmp_path: Path) -> None:
    answers = from_yaml(ANSWERS, "a.yml")
    for text, code in (
        (OWN.replace("name      =", "name ="), "beside.format"),
        (OWN.replace("bird_box", "bird_bath"), "HCL004"),
        (OWN.replace("}\n", "", 1), "HCL001"),
    ):
        own = along(tmp_path, own=text)
        with pytest.raises(VerificationError) as refused:
            prepare(monorepo, answers, level=None, template_source=SOURCE, own_files=own)
        assert code in {finding.code for finding in refused.value.findings}
    assert not (monorepo.root / STACKS / "bird-box").exists()


def test_it_is_named_in_the_summary_and_left_alone_by_a_change(monorepo: Monorepo, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(ANSWERS)
    (tmp_path / "own.tf").write_text(OWN)
    command: list[str | Path] = ["new-service", "--monorepo", monorepo.root, "--template-source", SOURCE]
    command += ["--answers", tmp_path / "a.yml", "--beside", tmp_path / "own.tf", "--verify", "static"]
    tried = json.loads(scaffold(*command, "--dry-run", "--json").stdout)
    assert tried["own_files"] == ["stacks/bird-box/own.tf"]
    assert "stacks/bird-box/own.tf" in {file["path"] for file in tried["files"]}
    done = scaffold(*command)
    assert done.returncode == 0, done.stderr
    assert "Your own, which updates leave alone: stacks/bird-box/own.tf." in done.stdout
    subprocess.run(["git", "add", "-A"], cwd=monorepo.root, check=True)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
                   cwd=monorepo.root, check=True)  # fmt: skip
    changed = scaffold("change", "bird-box", "--monorepo", monorepo.root, "--set", "memory=1Gi", "--verify",
                       "static", "--accept", "not-compared")  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    assert (monorepo.root / STACKS / "bird-box" / "own.tf").read_text() == OWN


EXTERNAL = b"""\
name: bird-box
description: A camera in a bird box
shape: external
backend: 192.0.2.7
port: 8080
hosts: [{host: nest, service: nest-camera, port: 9000}]
machine_clients: [{paths: [/feed/], auth: none, reason: Feeds are for everybody, service: nest-camera}]
"""
CAMERA = """\
resource "kubernetes_service" "nest_camera" {
  metadata {
    name      = "nest-camera"
    namespace = kubernetes_namespace.bird_box.metadata[0].name
  }
  spec {
    type          = "ExternalName"
    external_name = "camera.example.org"
    port {
      port = 9000
    }
    port {
      name = "feed"
      port = 80
    }
  }
}
"""


@needs("terraform")
@pytest.mark.slow("plans a stack")
def test_a_second_backend_is_the_service_of_an_own_file(monorepo: Monorepo, tmp_path: Path) -> None:
    answers = from_yaml(EXTERNAL, "a.yml")
    own = along(tmp_path, camera=CAMERA)
    made = prepare(monorepo, answers, level=Level.PLAN, template_source=SOURCE, own_files=own)
    assert made.stack is not None and made.stack.verified.plan is not None
    backend = ("spec", 0, "rule", 0, "http", 0, "path", 0, "backend", 0, "service", 0)
    found = {
        (resource.get(*backend, "name"), resource.get(*backend, "port", 0, "number"))
        for resource in made.stack.verified.plan.resources
        if resource.type == "kubernetes_ingress_v1"
    }
    assert found == {("bird-box", 80), ("nest-camera", 9000), ("nest-camera", 80)}

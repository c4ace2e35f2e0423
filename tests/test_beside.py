"""Files that people keep in a stack beside the rendered ones."""

from __future__ import annotations

import pytest
from support import needs

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.errors import AnswersError, RefusedError, VerificationError
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

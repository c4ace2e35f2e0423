"""Adopting a hand-written stack: what is rendered, what stays, what moves, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import history
import pytest
import yaml
from history import replace_in
from support import needs, scaffold

from scaffold.changes.git import git
from scaffold.commands.adoption import documents, examine, generated
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.templates.render import ANSWERS_FILE
from scaffold.terraform.diff import difference
from scaffold.terraform.runner import plan_stacks

pytestmark = [pytest.mark.slow("plans a stack before and after"), needs("terraform")]
MAIN = """# What the box is for, which no answer says.
variable "tls_secret_name" {
  type      = string
  sensitive = true
}

locals {
  greeting = "hello"
}

resource "kubernetes_namespace" "place" {
  metadata {
    name = "tool-box"
    labels = {
      tier               = local.tiers.aux
      "keel.sh/enrolled" = "true"
    }
  }
}

resource "kubernetes_persistent_volume_claim" "data_proxmox" {
  wait_until_bound = false
  metadata {
    name      = "tool-box-data-proxmox"
    namespace = kubernetes_namespace.place.metadata[0].name
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
}

# Whoever scrapes it reads this.
resource "kubernetes_config_map" "greeting" {
  metadata {
    name      = "greeting"
    namespace = kubernetes_namespace.place.metadata[0].name
  }
  data = {
    text = local.greeting
  }
}

resource "kubernetes_deployment" "box" {
  metadata {
    name      = "box"
    namespace = kubernetes_namespace.place.metadata[0].name
    labels = {
      app  = "box"
      tier = local.tiers.aux
    }
  }
  spec {
    replicas = 1
    strategy {
      type = "Recreate"
    }
    selector {
      match_labels = {
        app = "box"
      }
    }
    template {
      metadata {
        labels = {
          app = "box"
        }
      }
      spec {
        container {
          name  = "box"
          image = "docker.io/library/nginx:1.29.0"
          port {
            container_port = 8080
          }
          env {
            name  = "STAMP"
            value = sha256(kubernetes_namespace.place.metadata[0].uid)
          }
          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
          resources {
            requests = {
              cpu    = "25m"
              memory = "256Mi"
            }
            limits = {
              memory = "256Mi"
            }
          }
        }
        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.data_proxmox.metadata[0].name
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "box" {
  metadata {
    name      = "box"
    namespace = kubernetes_namespace.place.metadata[0].name
    labels = {
      app = "box"
    }
  }
  spec {
    selector = {
      app = "box"
    }
    port {
      port        = 80
      target_port = 8080
    }
  }
}

module "web" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "tools"
  service_name    = "box"
  namespace       = kubernetes_namespace.place.metadata[0].name
  tls_secret_name = var.tls_secret_name
  auth            = "required"
  dns_type        = "proxied"
  extra_annotations = {
    "gethomepage.dev/enabled"     = "true"
    "gethomepage.dev/name"        = "Tools"
    "gethomepage.dev/description" = "A box of tools"
    "gethomepage.dev/icon"        = "mdi-tools"
  }
}
"""
SETTINGS = """include "root" {
  path = find_in_parent_folders()
}

# It waits for the database of somebody else.
dependency "vault" {
  config_path  = "../vault"
  skip_outputs = true
}
"""


@pytest.fixture
def by_hand(monorepo: Monorepo) -> Iterator[Path]:
    place = monorepo.root / STACKS / "tool-box"
    place.mkdir()
    (place / "main.tf").write_text(MAIN)
    (place / "terragrunt.hcl").write_text(SETTINGS)
    git(monorepo.root, "add", "-A")
    git(monorepo.root, "commit", "-q", "-m", "A stack by hand")
    yield place


def test_an_adopted_stack_lives_like_a_born_one(by_hand: Path) -> None:
    root = by_hand.parents[1]
    before = {r.address: r for r in plan_stacks(root, ["tool-box"])[0].resources}
    told = scaffold("adopt", "tool-box", "--write", "--commit", "--json", "--monorepo", root)
    assert told.returncode == 0, told.stderr + told.stdout
    outside = [
        f["path"] for f in json.loads(told.stdout)["files"] if not f["path"].startswith("stacks/tool-box")
    ]
    assert outside, "the lists follow"
    counts = git(root, "show", "--numstat", "--format=", "HEAD", "--", *outside)
    lost = [line.split()[1] for line in counts.splitlines() if line.strip()]
    assert lost and set(lost) <= {"0", "1"}, "what is listed stays"
    listed = scaffold("index", "--check", "--stack", "tool-box", "--json", "--monorepo", root)
    assert json.loads(listed.stdout)["findings"] == [], "what is missing is added"
    assert json.loads(told.stdout)["comments_left_out"] == ["stacks/tool-box/main.tf:1"]
    verified = json.loads(told.stdout)["verified"]
    assert verified["level"] == "plan"
    assert "what only the cluster knows" in [gap["what"] for gap in verified["not_verified"]]
    after = {r.address: r for r in plan_stacks(root, ["tool-box"])[0].resources}

    extra = (by_hand / "extra.tf").read_text()
    assert "# Whoever scrapes it reads this.\n" in extra
    assert 'greeting = "hello"' in extra
    assert "kubernetes_namespace.place" not in after
    assert set(after) >= {"kubernetes_config_map.greeting", "kubernetes_persistent_volume_claim.data"}
    namespace = next(address for address in after if address.startswith("kubernetes_namespace."))
    assert f"namespace = {namespace}.metadata[0].name" in extra
    # What Terraform computes comes from a Secret that has the same expression, with the new names.
    assert f"STAMP = sha256({namespace}.metadata[0].uid)" in extra
    assert after["kubernetes_secret.computed"].get("metadata", 0, "name") == "tool-box-computed"
    moved = (by_hand / "moved.tf").read_text()
    assert (
        "from = kubernetes_persistent_volume_claim.data_proxmox\n  to   = kubernetes_persistent_volume_claim.data\n"
        in moved
    )
    assert 'dependency "vault"' in (by_hand / "terragrunt.hcl").read_text()

    def names(resources: object) -> set[tuple[str, str]]:
        assert isinstance(resources, dict)
        return {
            (r.type, str(r.get("metadata", 0, "name"))) for r in resources.values() if r.get("metadata", 0)
        }

    assert names(before) <= names(after)
    changed = scaffold("change", "tool-box", "--set", "memory=512Mi", "--monorepo", root, "--json")
    assert changed.returncode == 0, changed.stderr + changed.stdout
    assert '"512Mi"' in (by_hand / "main.tf").read_text()
    assert (by_hand / "extra.tf").read_text() == extra
    git(root, "commit", "-q", "-a", "-m", "More memory")
    stands = json.loads(scaffold("status", "tool-box", "--monorepo", root, "--json").stdout)
    (one,) = stands["stacks"]
    assert (one["made_by"], one["invalid"], one["answers_edited"]) == ("scaffold", [], False)
    edited = {Path(file["path"]).name for file in one["edited"]}
    assert edited == {"extra.tf", "moved.tf", "terragrunt.hcl"}  # beside the answers, and main.tf is theirs
    again = scaffold("adopt", "tool-box", "--write", "--monorepo", root)
    assert again.returncode == 4 and "scaffold change" in again.stderr + again.stdout


def test_an_update_brings_an_adopted_stack_what_the_templates_have_new(by_hand: Path, tmp_path: Path) -> None:
    root, answers = by_hand.parents[1], by_hand / ANSWERS_FILE
    (root / "scaffold.yml").write_text("template: https://git.example.test/house.git\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Templates of our own")
    adopted = scaffold("adopt", "tool-box", "--write", "--commit", "--monorepo", root)
    assert adopted.returncode == 0, adopted.stderr + adopted.stdout
    said = yaml.safe_load(answers.read_text())
    assert said["_src_path"] == "https://git.example.test/house.git"
    templates = history.write(tmp_path, ["argument"])
    replace_in(answers, f"_src_path: {said['_src_path']}\n", f"_src_path: {templates}\n")
    replace_in(answers, yaml.safe_dump({"_commit": said["_commit"]}), f"_commit: {history.FIRST}\n")
    git(root, "commit", "-q", "-a", "-m", "Templates that can be had")
    before = {r.address: r for r in plan_stacks(root, ["tool-box"])[0].resources}
    kept = {name: (by_hand / name).read_bytes() for name in ("extra.tf", "moved.tf", "terragrunt.hcl")}

    updated = scaffold(
        "update", "tool-box", "--to", history.version("argument"), "--template-source", templates,
        "--verify", "plan", "--json", "--monorepo", root,
    )  # fmt: skip
    assert updated.returncode == 0, updated.stderr + updated.stdout
    (one,) = json.loads(updated.stdout)["stacks"]
    assert (one["state"], one["findings"]) == ("updated", [])
    after = {r.address: r for r in plan_stacks(root, ["tool-box"])[0].resources}
    changed = difference(before.values(), after.values())
    assert [c.path for found in changed.changed for c in found.changes] == [
        "spec[0].template[0].spec[0].share_process_namespace"
    ]
    assert not (changed.added or changed.removed)
    assert {name: (by_hand / name).read_bytes() for name in kept} == kept
    assert yaml.safe_load(answers.read_text())["_commit"] == history.version("argument")


def test_what_is_assumed_is_settled_by_a_person(by_hand: Path) -> None:
    root, main = by_hand.parents[1], by_hand / "main.tf"
    capable = MAIN.replace(
        '          name  = "box"\n',
        '          name  = "box"\n          security_context {\n            capabilities {\n'
        '              add = ["SYS_ADMIN"]\n            }\n          }\n',
    )
    main.write_text(capable)
    git(root, "commit", "-q", "-a", "-m", "It may do more")
    told = scaffold("adopt", "tool-box", "--monorepo", root)
    assert "capabilities_reason: Nothing in the stack says this" in told.stdout
    refused = scaffold("adopt", "tool-box", "--write", "--json", "--monorepo", root)
    assert refused.returncode == 3
    (finding,) = json.loads(refused.stdout)["error"]["findings"]
    assert (finding["code"], finding["answer"]) == ("adopt.assumed", "capabilities_reason")
    assert main.read_text() == capable
    line = finding["fix"].partition("--accept '")[2].rstrip("'`")
    given = ("--set", "capabilities_reason=It mounts disks.")
    for settles in (("--accept", line), given):
        git(root, "checkout", "-q", ".")
        git(root, "clean", "-qfd")
        taken = scaffold("adopt", "tool-box", "--write", "--monorepo", root, *settles)
        assert taken.returncode == 0, taken.stderr + taken.stdout
    assert "It mounts disks." in main.read_text()


def test_what_has_no_answer_to_stand_on_is_refused(by_hand: Path) -> None:
    root = by_hand.parents[1]
    main = by_hand / "main.tf"
    main.write_text(MAIN.replace("nginx:1.29.0", "nginx:latest"))
    git(root, "commit", "-q", "-a", "-m", "Whatever is newest")
    refused = scaffold("adopt", "tool-box", "--write", "--monorepo", root, "--json")
    assert refused.returncode == 3
    assert [f["answer"] for f in json.loads(refused.stdout)["error"]["findings"]] == ["image"]
    assert main.read_text() == MAIN.replace("nginx:1.29.0", "nginx:latest")
    taken = scaffold(
        "adopt", "tool-box", "--write", "--monorepo", root, "--set", "image=docker.io/library/nginx:1.29.0"
    )
    assert taken.returncode == 0, taken.stderr + taken.stdout


def test_what_terragrunt_generates_describes_nothing(by_hand: Path) -> None:
    monorepo = Monorepo(by_hand.parents[1])
    for name in generated(monorepo, "tool-box"):
        (by_hand / name).write_text("# Generated by Terragrunt. Sig: nIlQXj57\n")
    assert len(list(by_hand.glob("*.tf"))) > 1
    assert [Path(document.path).name for document in documents(monorepo, "tool-box")] == ["main.tf"]


def test_what_terraform_cannot_move_is_in_the_way(by_hand: Path) -> None:
    main = by_hand / "main.tf"
    main.write_text(main.read_text().replace("kubernetes_namespace", "kubernetes_namespace_v1"))
    (found,) = examine(Monorepo(by_hand.parents[1]), ["tool-box"])
    assert found.obstacles == ("Terraform cannot move a kubernetes_namespace_v1 to a kubernetes_namespace",)


def test_what_becomes_another_is_accepted_by_its_line_or_not_written(by_hand: Path) -> None:
    root = by_hand.parents[1]
    main = by_hand / "main.tf"
    odd = MAIN.replace(
        "      spec {\n        container {",
        "      spec {\n        share_process_namespace = true\n        container {",
    )
    main.write_text(odd)
    git(root, "commit", "-q", "-a", "-m", "Its containers see each other")
    line = "kubernetes_deployment.box spec[0].template[0].spec[0].share_process_namespace"
    refused = scaffold("adopt", "tool-box", "--write", "--monorepo", root)
    assert refused.returncode == 4
    at = odd[: odd.index('resource "kubernetes_deployment"')].count("\n") + 1
    assert f"stacks/tool-box/main.tf:{at}: {line} would be removed." in refused.stderr
    assert "  value:   true\n" in refused.stderr
    assert main.read_text() == odd
    assert scaffold("adopt", "tool-box", "--write", "--monorepo", root, "--accept", line).returncode == 0


def test_what_guards_it_no_longer_is_accepted_by_its_line_or_not_written(by_hand: Path) -> None:
    root = by_hand.parents[1]
    main = by_hand / "main.tf"
    scaled = MAIN.replace(
        'resource "kubernetes_deployment" "box" {\n',
        'resource "kubernetes_deployment" "box" {\n  lifecycle {\n    ignore_changes  = [spec[0].replicas]\n'
        "    prevent_destroy = true\n  }\n",
    )
    main.write_text(scaled)
    git(root, "commit", "-q", "-a", "-m", "Something else scales it")
    refused = scaffold("adopt", "tool-box", "--write", "--monorepo", root, "--json")
    assert refused.returncode == 4
    lines = [
        f"kubernetes_deployment.box lifecycle.{x}"
        for x in ("prevent_destroy", "ignore_changes spec[0].replicas")
    ]
    findings = json.loads(refused.stdout)["error"]["findings"]
    assert [finding["message"] for finding in findings] == [f"{line} would be lost." for line in lines]
    assert main.read_text() == scaled
    assert (
        scaffold(
            "adopt", "tool-box", "--write", "--monorepo", root, *(f"--accept={line}" for line in lines)
        ).returncode
        == 0
    )


def test_another_selector_stays_with_its_labels(by_hand: Path) -> None:
    root = by_hand.parents[1]
    text, old = MAIN, '        app = "box"\n      }\n    }\n    template'
    assert old in text
    text = text.replace(old, old.replace("app", "run"))
    text = text.replace(
        '        labels = {\n          app = "box"',
        '        labels = {\n          run = "box"\n          app = "box"',
    )
    (by_hand / "main.tf").write_text(
        text.replace('selector = {\n      app = "box"', 'selector = {\n      run = "box"')
    )
    git(root, "commit", "-q", "-a", "-m", "Another label")
    told = scaffold("adopt", "tool-box", "--write", "--monorepo", root)
    assert told.returncode == 0, told.stderr + told.stdout
    after = {r.address: r for r in plan_stacks(root, ["tool-box"])[0].resources}
    spec = ("spec", 0)
    app = next(r for a, r in after.items() if a.startswith("kubernetes_deployment."))
    assert app.get(*spec, "selector", 0, "match_labels") == {"run": "box"}
    assert app.get(*spec, "template", 0, "metadata", 0, "labels") == {"app": "box", "run": "box"}
    service = next(r for a, r in after.items() if a.startswith("kubernetes_service."))
    assert service.get(*spec, "selector") == {"run": "box"}

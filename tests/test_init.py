"""``scaffold init``: what a monorepo shows about itself, what a person says, and a file that is never
overwritten.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import scaffold

from scaffold.monorepo.initial import Sight
from scaffold.monorepo.repository import Monorepo


def repository(root: Path) -> None:
    subprocess.run(["git", "init", "--quiet", root], check=True)


@pytest.fixture
def untold(tmp_path: Path) -> Path:
    """The second house before anybody told scaffold of it."""
    root = tmp_path / "house"
    shutil.copytree(Path(__file__).parent / "houses/second", root)
    (root / "scaffold.yml").unlink()
    repository(root)
    return root


def test_what_is_seen_is_written_with_its_place(untold: Path) -> None:
    tried = scaffold("init", "--dry-run", cwd=untold)
    assert "stacks             services (services/dns)" in tried.stdout
    assert tried.stdout.endswith("Nothing was written.\n") and not (untold / "scaffold.yml").exists()
    done = scaffold("init", "--yes", cwd=untold)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((untold / "scaffold.yml").read_text()) == {
        "stacks": "services",
        "shared_modules": {
            "directory": "infra/parts",
            "ingress": "web_route",
            "nfs": "share",
            "anubis": "",
            "tls": "",
        },
        "domain": "lab.example.org",
        "gates": {"required": "auth-login@kubernetescrd", "public": ""},
        "stands_on": {"every": "", "vault": "", "external_secrets": ""},
        "commands": {"plan": "terragrunt plan", "apply": "terragrunt apply", "login": ""},
        "runs": {"woodpecker": False},
        "own_build": "github-ghcr",
        "pushgateway": "",
    }
    for fact in ("storage_encrypted", "storage_plain", "nfs_root"):
        assert f"{fact:17}  not found" in done.stdout
    assert Monorepo.find(untold / "services/dns").stacks == ("dns", "paste")


def test_a_file_that_is_there_is_added_to(untold: Path) -> None:
    before = "# ours\nstacks: services\ndomain: other.example.org\n"
    (untold / "scaffold.yml").write_text(before)
    assert scaffold("init", "--yes", cwd=untold).returncode == 0
    after = (untold / "scaffold.yml").read_text()
    assert after.startswith(before) and after.count("domain:") == 1 and "shared_modules:" in after
    again = json.loads(scaffold("init", "--yes", "--json", cwd=untold).stdout)
    assert (
        again["files"] == [] and again["written"] is False and (untold / "scaffold.yml").read_text() == after
    )


def test_what_a_person_says_holds(untold: Path) -> None:
    answers = [
        "services",
        "infra/parts",
        "web_route",
        "-",
        "-",
        "-",
        "",
        "",
        "home.example.org",
        "dns",
        *("" for _ in range(5)),
        "longhorn-crypt",
        "longhorn",
        "/tank/services",
        "n",
        "",
        "",
        "y",
    ]
    done = scaffold("init", stdin="\n".join(answers) + "\n", terminal=True, cwd=untold)
    assert done.returncode == 0, done.stderr + done.stdout
    said = yaml.safe_load((untold / "scaffold.yml").read_text())
    assert said["domain"] == "home.example.org" and said["stands_on"]["every"] == "dns"
    assert said["shared_modules"]["nfs"] == ""
    assert said["storage_encrypted"] == "longhorn-crypt" and said["nfs_root"] == "/tank/services"
    assert said["runs"] == {"woodpecker": False}


def test_storage_classes_are_those_of_most_volumes(untold: Path) -> None:
    (untold / "scaffold.yml").write_text("stacks: services\n")
    told = scaffold("doctor", cwd=untold).stdout
    assert "no stack here has the StorageClass proxmox-lvm-encrypted, which new volumes would get" in told
    claims = (
        f'resource "kubernetes_persistent_volume_claim" "c{number}" {{\n  spec {{\n'
        f'    storage_class_name = "{name}"\n  }}\n}}\n'
        for number, name in enumerate(("longhorn", "longhorn", "fast", "longhorn-crypt"))
    )
    (untold / "services/dns/claims.tf").write_text("".join(claims))
    assert scaffold("init", "--yes", cwd=untold).returncode == 0
    said = yaml.safe_load((untold / "scaffold.yml").read_text())
    assert said["storage_encrypted"] == "longhorn-crypt" and said["storage_plain"] == "longhorn"
    assert said["storage_plain_suffix"] == ""
    assert "StorageClass" not in scaffold("doctor", cwd=untold).stdout


def test_facts_are_set_without_a_terminal(untold: Path) -> None:
    words = (
        "--set",
        "domain=other.example.org",
        "--set",
        "shared_modules.nfs=",
        "--set",
        "backup_retention_days=14",
    )
    done = scaffold("init", "--yes", *words, cwd=untold)
    assert done.returncode == 0, done.stderr
    said = yaml.safe_load((untold / "scaffold.yml").read_text())
    assert said["domain"] == "other.example.org" and said["backup_retention_days"] == 14
    assert said["shared_modules"]["nfs"] == "" and said["shared_modules"]["ingress"] == "web_route"
    for wrong, told in (
        ("domian=x.example", "Did you mean domain?"),
        ("domain", "FACT=VALUE"),
        ("domain=x", "already"),
    ):
        refused = scaffold("init", "--yes", "--set", wrong, cwd=untold)
        assert refused.returncode == 2 and told in refused.stderr, refused.stderr


def test_nothing_is_written_without_a_yes(untold: Path) -> None:
    asked = scaffold("init", cwd=untold)
    assert asked.returncode == 2 and "--yes" in asked.stderr
    shown = json.loads(scaffold("init", "--json", cwd=untold).stdout)
    assert shown["written"] is False and {one["fact"] for one in shown["shown"]} >= {"stacks", "domain"}
    assert not (untold / "scaffold.yml").exists()


def test_the_sample_needs_no_file(pristine: Monorepo) -> None:
    found = json.loads(scaffold("init", "--json", cwd=pristine.root).stdout)
    assert found["files"] == [] and not any(one["added"] for one in found["shown"])


def test_stacks_may_be_anywhere(tmp_path: Path) -> None:
    repository(tmp_path)
    empty = scaffold("init", "--yes", cwd=tmp_path)
    assert empty.returncode == 6 and "has no directory of Terraform stacks" in empty.stderr
    (tmp_path / "main.tf").write_text("locals {}\n")
    plain = scaffold("init", "--dry-run", cwd=tmp_path)
    assert plain.returncode == 6 and "has Terraform files, but no stacks" in plain.stderr
    assert "such as stacks/dns" in plain.stderr and "scaffold demo" in plain.stderr
    (tmp_path / "main.tf").unlink()
    for place in ("live/home/a", "live/home/b", "modules/web", "one"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "main.tf").write_text("locals {}\n")
    assert Sight(tmp_path).home == ("live/home", ("a", "b"))
    assert scaffold("init", "--yes", cwd=tmp_path).returncode == 0
    assert Monorepo.find(tmp_path / "live/home/a").place("a") == "live/home/a"
    assert scaffold("check", "a", "--static", cwd=tmp_path).returncode == 0


def test_stacks_may_be_in_the_root(tmp_path: Path) -> None:
    repository(tmp_path)
    for name in ("dns", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text('output "a" {\n  value = local.missing\n}\n')
    assert scaffold("init", "--yes", cwd=tmp_path).returncode == 0
    found = scaffold("check", "--all", "--static", cwd=tmp_path)
    assert found.stdout.startswith("dns: 1 error\n  dns/main.tf:2:11"), found.stdout
    assert "web: 1 error" in found.stdout

"""A house whose shared modules call nothing as the templates do: what `init` sees there is enough."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import needs, scaffold
from test_second_house import commit

from scaffold.monorepo.shared import SharedModules
from scaffold.templates import decisions

ALBUM = """\
name: album
description: Photos, by year
image: docker.io/photoview/photoview:2.4.0
port: 4001
gate: app
gate_reason: it has accounts of its own
hosts: [{host: pictures, auth: required}]
volumes:
  - {path: /photos, rwx: true, size: 50Gi}
  - {path: /cache, purpose: cache, size: 2Gi, backup: none, backup_reason: it is made anew from the photos}
"""
HOSTS = """\
module "ingress" {
  source   = "../../tf/modules/expose"
  app      = "album"
  space    = kubernetes_namespace.album.metadata[0].name
  hostname = "album.fjord.example.net"
  # login = "app": it has accounts of its own
  login = "app"
}

# https://pictures.fjord.example.net
module "ingress_host_pictures" {
  source   = "../../tf/modules/expose"
  app      = "album-pictures"
  space    = kubernetes_namespace.album.metadata[0].name
  hostname = "pictures.fjord.example.net"
  backend  = "album"
  login    = "required"
}
"""
PHOTOS = """\
module "nfs_data" {
  source    = "../../tf/modules/nas_volume"
  called    = "album-data-host"
  space     = kubernetes_namespace.album.metadata[0].name
  server    = "nas.fjord.example.net"
  directory = "/volume1/apps/album/data"
  size      = "50Gi"
}
"""


@pytest.fixture
def third(tmp_path: Path) -> Path:
    """The third house as its owner begins: without a `scaffold.yml`."""
    root = tmp_path / "third"
    shutil.copytree(Path(__file__).parent / "houses/third", root)
    (tmp_path / "album.yml").write_text(ALBUM)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    commit(root)
    return root


def test_init_sees_by_what_the_modules_do_what_they_call_it(third: Path) -> None:
    assert scaffold("init", "--yes", cwd=third).returncode == 0
    said = yaml.safe_load((third / "scaffold.yml").read_text())
    assert said["module_arguments"] == {
        "ingress": {
            "name": "app", "namespace": "space", "full_host": "hostname", "service_name": "backend",
            "port": "backend_port", "ingress_path": "paths", "auth": "login",
        },
        "nfs": {
            "name": "called", "namespace": "space", "nfs_server": "server", "nfs_path": "directory", "storage": "size",
            "claim_name": "claim",
        },
    }  # fmt: skip
    assert said["gates"] == {"required": "gateway-login@kubernetescrd", "public": ""}
    assert (said["domain"], said["nfs_root"]) == ("fjord.example.net", "/volume1/apps")
    assert (said["nfs_variable"], said["nfs_host"]) == ("", "nas.fjord.example.net")


def test_init_asks_whether_the_names_are_right(third: Path) -> None:
    # Of the facts before them: the stacks, the five of the shared modules.
    answers = ["", *[""] * 5, "n", "y", *[""] * 20]
    done = scaffold("init", stdin="\n".join(answers) + "\n", terminal=True, cwd=third)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "ingress: name is app, namespace is space" in done.stdout
    said = yaml.safe_load((third / "scaffold.yml").read_text())["module_arguments"]
    assert {purpose for purpose, names in said.items() if names} == {"ingress"}


@needs("terraform")
def test_a_service_lives_there_from_the_first_day_to_the_last(third: Path) -> None:
    assert scaffold("init", "--yes", "--set", "storage_encrypted=local-crypt", cwd=third).returncode == 0
    made = scaffold("new-service", "--answers", third.parent / "album.yml", cwd=third)
    assert made.returncode == 0, made.stderr
    assert "album.fjord.example.net, gate app," in made.stdout
    assert "pictures.fjord.example.net, gate required," in made.stdout
    assert "ssh root@nas.fjord.example.net mkdir -p /volume1/apps/album/data" in made.stdout
    stack = third / "apps/album/main.tf"
    text = stack.read_text()
    assert text.endswith(HOSTS) and PHOTOS in text and "= module.nfs_data.claim\n" in text
    assert "variable" not in text and "resize" not in text and "\n\n\n" not in text
    commit(third)
    for arguments in (
        ("check", "album"),
        ("plan", "--all"),
        ("update", "--all", "--plan"),
        ("status", "album"),
        ("change", "album", "--set", "memory=1Gi", "--dry-run"),
    ):
        done = scaffold(*arguments, cwd=third)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    taken = scaffold(
        "explain",
        "--answers",
        third.parent / "album.yml",
        "--set",
        "name=second",
        "--set",
        "host=wiki",
        cwd=third,
    )
    assert taken.returncode == 0
    stack.write_text(text.replace('  # login = "app": it has accounts of its own\n', ""))
    found = scaffold("check", "album", "--static", "--json", cwd=third)
    (finding,) = json.loads(found.stdout)["findings"]
    assert (finding["code"], '# login = "app": ' in finding["fix"]) == ("ING002", True)
    stack.write_text(text)
    told = scaffold("remove-service", "album", "--write", cwd=third).stdout
    assert "The NFS directory /volume1/apps/album/data stays on the server." in told


def test_a_class_that_nobody_named_is_told(third: Path) -> None:
    assert scaffold("init", "--yes", cwd=third).returncode == 0
    told = scaffold(
        "new-service", "--answers", third.parent / "album.yml", "--verify", "static", cwd=third
    ).stdout
    assert "No stack here has the StorageClass proxmox-lvm-encrypted" in told
    assert "Say storage_encrypted in scaffold.yml" in told and "StorageClass local-path" not in told


def test_a_taken_host_is_seen_under_the_name_that_the_module_has(third: Path) -> None:
    assert scaffold("init", "--yes", cwd=third).returncode == 0
    words = (
        "new-service",
        "--answers",
        third.parent / "album.yml",
        "--set",
        "host=wiki",
        "--json",
        "--verify",
        "static",
    )
    found = json.loads(scaffold(*words, cwd=third).stdout)["error"]["findings"]
    assert [one["answer"] for one in found] == ["host"] and "apps/wiki" in found[0]["message"]


def test_an_argument_of_the_modules_own_is_not_mistaken_for_another() -> None:
    renamed = (("ingress", "name", "app"), ("ingress", "host", "name"), ("ingress", "port", "tcp"))
    shared = SharedModules.of(decisions.house())
    shared = type(shared)(shared.directory, "web", "", "", "", renamed)
    given = {"app": 1, "name": 2, "port": 3, "paths": 4}
    assert shared.as_usual("web", given) == {"name": 1, "host": 2, "paths": 4}
    assert shared.as_usual("other", given) == given

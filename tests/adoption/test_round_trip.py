"""What is rendered and then adopted reproduces its own plan: the goldens, and generated Services."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st
from strategies import valid_answers
from support import GOLDEN, ORIGIN, examples, needs, scaffold

from scaffold.changes.change import Symlink
from scaffold.commands.adoption import examine
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render
from scaffold.terraform.diff import difference

CASES = sorted(path.name for path in GOLDEN.iterdir())
BESIDE = {"kubernetes_config_map.theme", "kubernetes_manifest.compress", "kubernetes_secret.house_ca", "kubernetes_secret.team",
          "kubernetes_service.mast_console", "kubernetes_service.buoy_mail"}  # fmt: skip
"""What a person keeps beside a golden stack, which no answer makes."""

CONTAINERS = ("init_containers", "sidecars", "workloads", "cron_jobs", "jobs")
COPIED = {
    "name": "tide-copy", "description": "Tides", "image": "docker.io/library/nginx:1.29.0", "port": 80,
    "files": [
        {"path": "/etc/own/tide.yml", "content": "a: 1", "writable": True},
        {"path": "/etc/theirs/moon.yml", "config_map": "theirs"},
    ],
    "ingress_options": {"basic_auth": {"vault": "users"}}, "secrets_refresh": "12h",
    "database": "mysql", "database_reason": "it needs triggers", "database_env": {"password": ""},
    "unread_reason": "A job beside reads it",
}  # fmt: skip
"""A file that the app may write to, beside one of a ConfigMap that somebody else makes; Secrets that only a
Middleware reads, and nothing in the stack.
"""


@pytest.mark.slow("plans every golden twice")
@needs("terraform")
def test_each_golden_stack_is_given_back(monorepo: Monorepo) -> None:
    for case in CASES:
        place = monorepo.root / STACKS / case
        shutil.copytree(GOLDEN / case / "stack", place, symlinks=True)
        for beside in (GOLDEN / case).glob("beside/*"):
            shutil.copy(beside, place)
    for found in examine(Monorepo(monorepo.root), CASES, 2):
        assert found.before is not None and found.after is not None, found
        changed = difference(found.before.resources, found.after.resources)
        assert {resource.address for resource in changed.removed} <= BESIDE, found.stack
        assert (changed.added, changed.changed) == ((), ()), found.stack
        assert found.refused == (), found.stack


OPTIONAL = {
    "name": "tide-bell", "description": "Rings at high tide", "shape": "jobs", "image": "docker.io/library/nginx:1.29.0",
    "secrets": [{"env": "TOKEN"}, {"env": "BELL", "vault": "bells#tower", "optional": True, "reason": "All ring it"}],
    "secrets_env_from": True, "cron_jobs": [{"name": "ring", "schedule": "5 4 * * *"}],
}  # fmt: skip
"""A Secret that is read whole, with a key of another path that a variable of its own reads besides."""


BESIDE_IT = {
    "name": "tide-crew", "description": "Who is on duty", "port": 8080, "build": "github-ghcr", "repository": "Crew/tide-crew",
    "object_names": {"container": "duty", "deployment": "crew"}, "sidecars": [{"name": "tide-crew", "image": "docker.io/library/redis:7.4.2"}],
    "probes": {"readiness": {"path": "/ready"}}, "gate": "required", "reloader": "never",
    "ingress_options": {"request_headers": {"x-crew": "", "x-pass": {"vault": "harbour#pass", "reason": "It checks it"}, "x-tide": "low"}},
    "secrets_env_from": True,
    "homepage_widget": {"b": {"vault": "one"}, "a": {"vault": "two"}},
    "workloads": [{"name": "rota", "reloader": "auto", "command": ["rota"], "memory": "64Mi"}],
    "volumes": [{"path": "/data", "purpose": "log", "backup": "pg_dump", "dump": {
        "host": "their-db", "user": "crew", "password": {"secret": "theirs", "key": "password"}, "image": "docker.io/library/postgres:16.4"}}],
}  # fmt: skip
"""An image of another owner, a container with the Service's name beside the app's, a header that is emptied, one
with a key of another path beside a Secret that is read whole, and the volume of a database whose server somebody else keeps.
"""
IN_ORDER = {
    "name": "tide-call", "description": "Calls about tides", "image": "docker.io/library/nginx:1.29.0", "port": 8080,
    "gate": "required", "homepage": False, "ingress_options": {"paths": ["/api/"]}, "hosts": [{"host": "tides", "auth": "required"}],
    "reached_by": [{"namespace": "shore"}], "load_balancer": {"ports": ["voice", "sip"], "reason": "Phones call it"},
    "ports": [{"name": "voice", "port": 20000, "to": 20002, "protocol": "UDP"}, {"name": "sip", "port": 5060}],
    "directories": [
        {"name": "a", "path": "/a", "config_map": "theirs", "copied_from": "other/theirs"},
        {"name": "b", "path": "/b", "config_map": "theirs"},
    ],
    "workloads": [{
        "name": "files", "image": "lscr.io/linuxserver/code-server:4.100.3", "uid": 127, "memory": "256Mi", "env": {"QUEUE": "a"},
    }],
}  # fmt: skip
"""A host of which only paths are served beside a whole one; a range of ports before another port; two directories of
one copy; the variables from which an image has its user.
"""
BY_COMMAND = {
    "name": "tide-clock", "description": "Tells the tide", "port": 8080, "image": "docker.io/library/nginx:1.29.0",
    "gate": "app", "gate_reason": "It has accounts", "health_path": "/up",
    "probes": {"readiness": {"command": ["ready"]}, "liveness": {"command": ["alive"]}},
}  # fmt: skip
"""A health path that only the monitor requests."""
OF_ITS_OWN = BY_COMMAND | {
    "probes": {"readiness": {"path": "/ready"}, "startup": {"initial_delay_seconds": 9}}, "homepage": False,
    "hosts": [{"host": "tides", "auth": "required", "tile": {"title": "Tides", "icon": "tides.png", "description": "All"}}],
}  # fmt: skip
"""A readiness probe with a path of its own beside the health path, and a tile that only a second host has."""
FILES_OF_JOBS = {
    "name": "tide-mail", "description": "Sends the tides", "shape": "jobs", "image": "docker.io/library/nginx:1.29.0",
    "files": [{"path": "/etc/mail/key", "vault": "key"}], "cron_jobs": [{"name": "send", "schedule": "5 4 * * *"}],
}  # fmt: skip
"""A file from Vault where only jobs read it."""


@st.composite
def _valid(draw: st.DrawFn) -> dict[str, Any]:
    try:
        values = draw(valid_answers())
    except AssertionError:  # what is drawn cannot be mended
        reject()
    # Of a claim of others that no pod mounts, and of which only the server is dumped, no plan shows a trace.
    containers = [container for kind in CONTAINERS for container in values.get(kind) or ()]
    mounted = {mount["volume"] for container in containers for mount in container.get("mounts") or ()}
    for volume in values.get("volumes") or ():
        if volume.get("claim") and not volume.get("in_app", True) and volume["purpose"] not in mounted:
            reject()
    # Nor does one show what a copy is for that no pod mounts; it stays as it is written.
    for directory in values.get("directories") or ():
        in_app = directory.get("in_app", True) and values.get("shape") != "jobs"
        if directory.get("copied_from") and not in_app and directory["name"] not in mounted:
            reject()
    # A path that readiness alone asks for is taken for the health path, which the monitor then requests too.
    if not values.get("health_path") and (values.get("probes") or {}).get("readiness", {}).get("path"):
        reject()
    # In which order a job saves dumps among copies is only in the text of its script.
    if volumes := values.get("volumes"):
        values["volumes"] = sorted(
            volumes, key=lambda one: bool(one.get("dump")) and not one.get("in_app", True)
        )
    # An image of another owner that everybody may pull looks like anybody's image.
    owner = (values.get("repository") or "").partition("/")[0]
    if owner and values.get("public_package") and values.get("build") == "github-ghcr":
        reject()
    # That the app's user is that of a Dockerfile made along with it is in no plan. As an answer, the user holds for
    # further Deployments of the image too.
    same_image = any(not one.get("image") for one in values.get("workloads") or ())
    if same_image and values.get("uid") is None and values.get("volumes") and values.get("app_kind"):
        reject()
    # The password of a shared database rotates: an adopted stack is restarted, whatever was wanted before.
    if values.get("reloader") == "never" and values.get("database", "none") != "none":
        reject()
    return values


@pytest.mark.slow("plans generated Services twice")
@needs("terraform")
@given(values=_valid())
@example(values=COPIED)
@example(values=OPTIONAL)
@example(values=BESIDE_IT)
@example(values=IN_ORDER)
@example(values=BY_COMMAND)
@example(values=OF_ITS_OWN)
@example(values=FILES_OF_JOBS)
@examples(4)
def test_generated_services_are_given_back(
    pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    root = tmp_path_factory.mktemp("round") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    place = root / STACKS / values["name"]
    if place.exists():
        reject()
    write(place, values, root)
    (found,) = examine(Monorepo(root), [values["name"]])
    if found.before is None or not found.before.ok:
        reject()
    assert found.after is not None, found
    assert not difference(found.before.resources, found.after.resources)


def write(place: Path, values: dict[str, Any], root: Path) -> None:
    for path, content in render(values, sense(Monorepo(root)), {}, ORIGIN).files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            (place / path).symlink_to(content.target)
        else:
            (place / path).write_bytes(content)
    for file in values.get("files", []):
        if source := file.get("source"):
            (place / source).parent.mkdir(parents=True, exist_ok=True)
            (place / source).write_text("x")


@pytest.mark.slow("plans stacks")
@needs("terraform")
def test_the_command_tells_what_it_found_and_writes_nothing(monorepo: Monorepo) -> None:
    def standing() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (monorepo.root / STACKS).rglob("*") if path.is_file()}

    before = standing()
    told = scaffold("adopt", "--all", "--monorepo", monorepo.root)
    assert told.returncode == 0, told.stderr
    assert "What stands in the way" in told.stdout
    one = scaffold("adopt", "navidrome", "--monorepo", monorepo.root)
    assert "Answers, with where each came from:" in one.stdout
    assert scaffold("adopt", "--monorepo", monorepo.root).returncode == 2
    assert standing() == before

"""Import blocks: each names a planned object, with the ID under which the provider finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import GOLDEN

from scaffold.hcl.syntax import parse
from scaffold.templates import decisions
from scaffold.templates.render import ANSWERS_FILE

CASE = "toy-warehouse"
BASE = {"name": "bird-box", "description": "x", "port": 8080, "image": "docker.io/library/nginx:1.29.0"}


def identity(resource: dict[str, Any]) -> str:
    """The ID of a planned object, as the documentation of the Kubernetes provider has it."""
    values = resource["values"]
    if resource["type"] == "kubernetes_manifest":
        manifest = values["manifest"]
        place = manifest["metadata"]
        kind = f"apiVersion={manifest['apiVersion']},kind={manifest['kind']}"
        return f"{kind},namespace={place['namespace']},name={place['name']}"
    (place,) = values["metadata"]
    return "/".join(part for part in (place.get("namespace"), place["name"]) if part)


def test_what_is_adopted_is_planned_under_the_same_identity() -> None:
    document = parse((GOLDEN / CASE / "stack" / "main.tf").read_bytes())
    planned = {r["address"]: r for r in json.loads((GOLDEN / CASE / "planned.json").read_text())}
    blocks = document.body.blocks_of("import")
    found = {}
    for block in blocks:
        target = block.body.value("to")
        assert target is not None
        found[target.text] = block.body.literal("id")
    assert found == {address: identity(resource) for address, resource in planned.items()}
    assert len(found) == len(blocks)


@pytest.mark.parametrize(
    ("adopt", "answers", "expected"),
    [
        (["volumes"], {"volumes": [{"path": "/a"}, {"path": "/b", "purpose": "b", "claim": "old"}]},
         [["kubernetes_persistent_volume_claim.data", "bird-box/bird-box-data-encrypted"]]),
        (["volumes"], {"volumes": [{"path": "/a", "rwx": True}]},
         [["module.nfs_data.kubernetes_persistent_volume.this", "bird-box-data-host"],
          ["module.nfs_data.kubernetes_persistent_volume_claim.this", "bird-box/bird-box-data-host"]]),
        (["jobs"], {"cron_jobs": [{"name": "at-night", "schedule": "5 1 * * *"}], "jobs": [{"name": "once"}]},
         [["kubernetes_cron_job_v1.at_night", "bird-box/at-night"], ["kubernetes_job_v1.once", "bird-box/once"]]),
        (["files"], {"files": [{"path": "/etc/a.yml", "content": "a"}]},
         [["kubernetes_config_map.files", "bird-box/bird-box-files"]]),
        (["service_account"], {"rbac": [{"resources": ["pods"], "verbs": ["get"]}]},
         [["kubernetes_service_account.bird_box", "bird-box/bird-box"]]),
    ],
)  # fmt: skip
def test_each_kind_has_its_form_of_identity(
    adopt: list[str], answers: dict[str, Any], expected: list[list[str]]
) -> None:
    assert decisions.combine({**BASE, **answers, "adopt": adopt})["imports"] == expected


def test_nothing_is_imported_where_nothing_is_adopted() -> None:
    for stack in Path(GOLDEN).glob("*/stack/main.tf"):
        answers = yaml.safe_load((stack.parent / ANSWERS_FILE).read_text())
        assert (b"\nimport {" in stack.read_bytes()) == bool(answers.get("adopt")), stack

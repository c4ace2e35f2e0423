"""Refreshing provider schemas, and the versions in use."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from scaffold.errors import MissingError
from scaffold.terraform import refresh, schemas

ADDRESS = "registry.terraform.io/hashicorp/kubernetes"
LOCK = f'provider "{ADDRESS}" {{\n  version     = "3.2.1"\n  constraints = ">= 3.2.1"\n}}\n'


def printed(**more: Any) -> dict[str, Any]:
    """What Terraform prints: prose everywhere, and arguments that are called like the prose."""
    prose = {"description": "words", "description_kind": "plain"}
    block = {
        **prose,
        "attributes": {
            "description": {"type": "string", "optional": True, **prose},
            "nested": {
                "optional": True,
                "nested_type": {
                    "nesting_mode": "list",
                    "attributes": {"description": {"type": "string", **prose}},
                },
            },
        },
        "block_types": {
            "description": {"nesting_mode": "list", "max_items": 1, "block": {**prose, "attributes": {}}}
        },
    }
    return {
        "format_version": "1.0",
        "provider_schemas": {
            ADDRESS: {
                "provider": {"version": 0, "block": {**prose}},
                "resource_schemas": {"kubernetes_new": {"version": 1, "block": block}},
                "functions": {"f": {}},
                **more,
            }
        },
    }


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """An initialised stack with the file in it."""
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "schemas.json").write_text(json.dumps(printed()))
    (stack / refresh.LOCK).write_text(LOCK)
    return stack


def test_a_stored_schema_is_in_use(stack: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    (stored,) = refresh.store(stack / "schemas.json", overlay)
    assert (stored.provider, stored.version, stored.file.name) == (
        "kubernetes",
        "3.2.1",
        "kubernetes-3.2.1.json.gz",
    )
    known = refresh.in_use(overlay)
    assert known.provider_versions()["kubernetes"] == "3.2.1"
    assert list(known.providers["kubernetes"].types("resource")) == ["kubernetes_new"]
    assert known.provider_versions()["vault"] == schemas.load().provider_versions()["vault"]


def test_prose_is_left_out_and_arguments_are_not(stack: Path, tmp_path: Path) -> None:
    (stored,) = refresh.store(stack / "schemas.json", tmp_path / "overlay")
    content = json.loads(gzip.decompress(stored.file.read_bytes()))
    block = content["provider_schemas"][ADDRESS]["resource_schemas"]["kubernetes_new"]["block"]
    assert block["attributes"]["description"] == {"type": "string", "optional": True}
    assert block["attributes"]["nested"]["nested_type"]["attributes"]["description"] == {"type": "string"}
    assert block["block_types"]["description"]["max_items"] == 1
    assert b"words" not in gzip.decompress(stored.file.read_bytes())
    assert "functions" not in content["provider_schemas"][ADDRESS]


def test_a_newer_one_replaces_an_older_one(stack: Path, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    refresh.store(stack / "schemas.json", overlay)
    (overlay / "kubernetes-alpha-1.0.0.json.gz").write_bytes(gzip.compress(b'{"provider_schemas": {}}'))
    (stack / refresh.LOCK).write_text(LOCK.replace("3.2.1", "3.3.0"))
    refresh.store(stack / "schemas.json", overlay)
    assert sorted(path.name for path in overlay.iterdir()) == [
        "kubernetes-3.3.0.json.gz",
        "kubernetes-alpha-1.0.0.json.gz",
    ]


def test_without_a_lock_the_version_is_not_known(stack: Path, tmp_path: Path) -> None:
    (stack / refresh.LOCK).unlink()
    (stored,) = refresh.store(stack / "schemas.json", tmp_path / "overlay")
    assert (stored.version, stored.file.name) == ("", "kubernetes.json.gz")


@pytest.mark.parametrize(
    "content",
    ["", "no JSON", "[]", '{"provider_schemas": {}}', '{"provider_schemas": {"a": {}}}', '{"x": 1}'],
)
def test_a_file_that_is_something_else(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(MissingError, match="holds no provider schemas") as refused:
        refresh.store(tmp_path / "x.json", tmp_path / "overlay")
    assert "terraform providers schema -json" in refused.value.hint
    assert not (tmp_path / "overlay").exists()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        refresh.store(tmp_path / "nothing.json", tmp_path / "overlay")


def test_packaged_schemas_without_refreshed_ones(tmp_path: Path) -> None:
    packaged = schemas.load().provider_versions()
    assert refresh.in_use(tmp_path / "nothing").provider_versions() == packaged
    assert refresh.in_use().provider_versions() == packaged
    assert refresh.directory().name == "schemas"


def test_differences_from_the_lock_of_the_monorepo(tmp_path: Path) -> None:
    known = schemas.load()
    vault = known.provider_versions()["vault"]
    stack = tmp_path / "stacks" / "x"
    stack.mkdir(parents=True)
    same = f'provider "registry.terraform.io/hashicorp/vault" {{\n  version = "{vault}"\n}}\n'
    (stack / refresh.LOCK).write_text(LOCK + same)
    (tmp_path / refresh.LOCK).write_text(
        'provider "registry.terraform.io/a/unknown" {\n  version = "1.0.0"\n}\n'
    )
    (difference,) = refresh.differences(known, tmp_path)
    assert (difference.provider, difference.locked, difference.lock) == (
        "kubernetes",
        "3.2.1",
        stack / refresh.LOCK,
    )
    assert difference.in_use == known.provider_versions()["kubernetes"]


def test_a_lock_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / refresh.LOCK).write_text("not {{ HCL")
    assert refresh.differences(schemas.load(), tmp_path) == ()

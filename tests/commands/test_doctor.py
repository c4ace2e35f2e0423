"""``scaffold doctor``: which schemas are in use, refreshing them, and what the monorepo locks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support import needs

from scaffold.commands.doctor import Diagnosis, Provider, diagnose
from scaffold.monorepo.repository import Monorepo
from scaffold.report.doctor import diagnosis_json, diagnosis_text
from scaffold.templates import template
from scaffold.terraform import refresh
from scaffold.terraform.refresh import store

KUBERNETES = "registry.terraform.io/hashicorp/kubernetes"
LOCK = f'''provider "{KUBERNETES}" {{
  version = "3.9.9"
}}
'''


@pytest.fixture(autouse=True)
def refreshed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where refreshed schemas are kept."""
    directory = tmp_path / "kept"
    monkeypatch.setattr(refresh, "directory", lambda: directory)
    return directory


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """What ``terraform providers schema -json`` prints in a stack: with prose, and with what is built in."""
    block = {"attributes": {"description": {"type": "string", "optional": True, "description": "What it is"}}}
    resources = {"kubernetes_thing": {"version": 1, "block": block}}
    content = {
        "format_version": "1.0",
        "provider_schemas": {
            KUBERNETES: {"provider": {"version": 0, "block": {}}, "resource_schemas": resources},
            "terraform.io/builtin/terraform": {"provider": {"version": 0, "block": {}}, "functions": {}},
        },
    }
    file = tmp_path / "stack" / "schemas.json"
    file.parent.mkdir()
    file.write_text(json.dumps(content))
    return file


def _kubernetes(diagnosis: Diagnosis) -> Provider:
    return next(provider for provider in diagnosis.providers if provider.name == "kubernetes")


def test_the_packaged_schemas_are_in_use_at_first(pristine: Monorepo) -> None:
    diagnosis = diagnose(pristine)
    assert _kubernetes(diagnosis) == Provider("kubernetes", "3.1.0", refreshed=False)
    assert diagnosis.differences == ()


@pytest.mark.parametrize("lock,version", [(LOCK, "3.9.9"), ("", "")], ids=["with a lock", "without a lock"])
def test_a_refreshed_schema_is_in_use_and_said(
    pristine: Monorepo, printed: Path, lock: str, version: str
) -> None:
    if lock:
        (printed.parent / refresh.LOCK).write_text(lock)
    assert [(s.provider, s.version) for s in store(printed)] == [("kubernetes", version)]
    assert _kubernetes(diagnose(pristine)) == Provider("kubernetes", version, refreshed=True)
    thing = refresh.in_use().block("resource", "kubernetes_thing")
    assert thing is not None and list(thing.attributes) == ["description"]


@pytest.mark.parametrize(
    "refreshing,said", [(False, "here is 3.1.0."), (True, "here is of an unknown version.")]
)
def test_a_difference_from_the_lock_is_said(
    pristine: Monorepo, printed: Path, refreshing: bool, said: str, tmp_path: Path
) -> None:
    root = tmp_path / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    (root / "stacks" / "journal" / refresh.LOCK).write_text(LOCK)
    if refreshing:
        store(printed)
    (line,) = [line for line in diagnosis_text(diagnose(Monorepo(root))) if "is locked at" in line]
    assert line.startswith("kubernetes is locked at 3.9.9 in ") and said in line
    (difference,) = diagnose(Monorepo(root)).differences
    assert difference.lock == root / "stacks" / "journal" / refresh.LOCK


def test_the_cache_is_said_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "cache_root", lambda: tmp_path / "cache")
    assert diagnose(None).cache_bytes == 0
    (tmp_path / "cache" / "plans").mkdir(parents=True)
    (tmp_path / "cache" / "plans" / "one").write_bytes(bytes(1_500_000))
    (line,) = [line for line in diagnosis_text(diagnose(None)) if line.startswith("cache")]
    assert f"{tmp_path / 'cache'} (1.5 MB; it may be removed" in line
    said = diagnosis_json(diagnose(None))["cache"]
    assert said == {"directory": tmp_path / "cache", "bytes": 1_500_000}


@needs("terraform")
def test_the_program_that_plans_is_said_with_its_version(pristine: Monorepo) -> None:
    name, version, _, path = diagnose(pristine).terraform.split(" ", 3)
    assert (name, path) == ("terraform", shutil.which("terraform"))
    assert version[0].isdigit()

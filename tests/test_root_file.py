"""The root's settings may be called ``root.hcl``, and what a monorepo lacks is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ANSWERS, needs, scaffold

from scaffold.commands.doctor import diagnose
from scaffold.monorepo.repository import Monorepo

DRONE = ANSWERS / "valid/drone-logbook.yml"
IP_ECHO = ANSWERS / "valid/ip-echo.yml"
PLAIN, NAMED = "find_in_parent_folders()", 'find_in_parent_folders("root.hcl")'


@pytest.fixture
def renamed(monorepo: Monorepo) -> Path:
    """The sample monorepo, with its root file called as Terragrunt calls it today."""
    root = monorepo.root
    (root / "terragrunt.hcl").rename(root / "root.hcl")
    for path in root.glob("stacks/*/terragrunt.hcl"):
        text = path.read_text()
        assert PLAIN in text
        path.write_text(text.replace(PLAIN, NAMED))
    return root


def test_a_new_stack_includes_the_root_by_its_name(renamed: Path) -> None:
    done = scaffold("new-service", "--answers", IP_ECHO, "--verify", "static", cwd=renamed)
    assert done.returncode == 0, done.stderr
    assert NAMED in (renamed / "stacks/ip-echo/terragrunt.hcl").read_text()
    assert Monorepo(renamed).tier0_stacks, "read from the root's settings"


@pytest.mark.slow("plans a stack")
@needs("terraform")
def test_a_stack_below_root_hcl_is_planned(renamed: Path) -> None:
    done = scaffold("plan", "journal", cwd=renamed / "stacks/journal")
    assert done.returncode == 0, done.stderr + done.stdout


@needs("terraform")
def test_a_plan_needs_no_module_of_the_house(renamed: Path) -> None:
    (renamed / "stacks/alone").mkdir()
    (renamed / "stacks/alone/main.tf").write_text(
        'resource "kubernetes_namespace" "a" {\n  metadata {\n    name = "a"\n  }\n}\n'
    )
    (renamed / "modules/kubernetes/ingress_factory").rename(renamed / "modules/kubernetes/other")
    assert scaffold("plan", "alone", cwd=renamed).returncode == 0
    new = scaffold("new-service", "--answers", IP_ECHO, cwd=renamed)
    assert new.returncode == 3
    assert "needs the shared ingress module, and this monorepo has none" in new.stderr
    told = scaffold("doctor", cwd=renamed)
    assert f"monorepo   {renamed.resolve()}" in told.stdout
    assert "(looked for modules/kubernetes/ingress_factory): only Services without an ingress" in told.stdout


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (["stacks/a/main.tf"], "has stacks/, but no root.hcl or terragrunt.hcl beside it"),
        (["root.hcl"], "has root.hcl, but no stacks/ beside it"),
        ([], "no directory above has root.hcl or terragrunt.hcl and stacks/"),
    ],
)
def test_what_keeps_a_directory_from_being_a_monorepo_is_said(
    tmp_path: Path, files: list[str], why: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    done = scaffold("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert why in done.stdout
    assert why in scaffold("plan", "--all", cwd=tmp_path).stderr


def test_a_provider_that_the_root_wants_newer_is_said(monorepo: Monorepo) -> None:
    settings = monorepo.root / "terragrunt.hcl"
    before = settings.read_text()
    assert diagnose(monorepo).floors == ()
    wanted = '  required_providers {\n    kubernetes = {\n      source  = "hashicorp/kubernetes"\n      version = "%s"\n    }\n'
    for constraint, told in [(">= 99.2.1", True), (">= 0.1, < 99.0", False), ("~> 99.0", True)]:
        settings.write_text(before.replace("  required_providers {\n", wanted % constraint, 1))
        found = diagnose(Monorepo(monorepo.root)).floors
        assert [(floor.provider, floor.wanted) for floor in found] == (
            [("kubernetes", constraint)] if told else []
        )
    text = scaffold("doctor", cwd=monorepo.root).stdout
    assert "terragrunt.hcl wants kubernetes ~> 99.0, but its schema here is" in text


def test_explain_uses_the_monorepo_around_the_current_directory(monorepo: Monorepo, tmp_path: Path) -> None:
    (monorepo.root / "scaffold.yml").write_text("storage_encrypted: sealed-disks\n")
    around = scaffold("explain", "--answers", DRONE, cwd=monorepo.root / "stacks")
    assert "sealed-disks" in around.stdout
    named = scaffold("explain", "--answers", DRONE, "--monorepo", monorepo.root, cwd=tmp_path)
    assert named.stdout == around.stdout
    outside = scaffold("explain", "--answers", DRONE, cwd=tmp_path)
    assert outside.returncode == 0 and "sealed-disks" not in outside.stdout

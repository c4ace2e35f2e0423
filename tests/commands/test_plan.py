"""`scaffold plan`: what is printed, and the difference from an older revision."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support import needs

from scaffold.cli.output import json_text
from scaffold.commands.plan import Plans, StackPlan, plan
from scaffold.errors import Finding, MissingError
from scaffold.report.plan import plans_json, plans_text
from scaffold.terraform import schemas
from scaffold.terraform.diff import difference
from scaffold.terraform.planned import PlannedResource
from scaffold.terraform.result import PlanResult, StandIn, StandInKind, Tool

TOOL = Tool("terraform", "/bin/terraform", "1.12.2")
NAMESPACE = PlannedResource(
    "kubernetes_namespace.x", "kubernetes_namespace", "x", "", None, {"metadata": ({"name": "x"},)}
)
FAULT = Finding("stacks/bad/main.tf", 3, 5, "plan-stack", "Unsupported argument", fix="write it right")
GOOD = PlanResult(
    "good",
    TOOL,
    (NAMESPACE,),
    (
        StandIn(StandInKind.DATA, "data.x.y", "stacks/good/main.tf:1"),
        StandIn(StandInKind.DATA, "data.x.y", "stacks/good/main.tf:9"),
        StandIn(StandInKind.OPERATOR, "||", "modules/x.tf:1"),
    ),
    notices=(Finding("modules/x.tf", None, None, "plan-terraform-too-old", "old"),),
    seconds=0.51234,
)
BAD = PlanResult("bad", TOOL, findings=(FAULT,))
MAIN = 'resource "kubernetes_namespace" "x" {\n  metadata {\n    name = "%s"\n  }\n}\n'


def shown(plans: Plans) -> str:
    return "".join(f"{line}\n" for line in plans_text(plans))


def test_json_of_good_and_bad_stacks() -> None:
    plans = Plans(TOOL, (StackPlan("good", GOOD), StackPlan("bad", BAD)))
    content = json.loads(json_text(plans_json(plans)))
    assert content["tool"] == {"name": "terraform", "version": "1.12.2"}
    good, bad = content["stacks"]
    assert good["resources"] == [
        {
            "address": "kubernetes_namespace.x",
            "type": "kubernetes_namespace",
            "values": {"metadata": [{"name": "x"}]},
            "unknown": [],
        }
    ]
    assert good["stand_ins"][0] == {"kind": "data", "what": "data.x.y", "where": "stacks/good/main.tf:1"}
    assert good["notices"] == [{"path": "modules/x.tf", "code": "plan-terraform-too-old", "message": "old"}]
    assert good["seconds"] == 0.512 and "error" not in good and "difference" not in good
    assert "resources" not in bad
    assert bad["error"]["findings"] == [
        {
            "path": "stacks/bad/main.tf",
            "line": 3,
            "column": 5,
            "code": "plan-stack",
            "message": "Unsupported argument",
            "fix": "write it right",
        }
    ]
    assert not plans.ok and not plans.differs


def test_text_of_good_and_bad_stacks() -> None:
    text = shown(Plans(TOOL, (StackPlan("good", GOOD), StackPlan("bad", BAD))))
    assert text == (
        "good: 1 resources in 0.5 s\n"
        "  Namespace\n"
        "    x\n"
        "  Not real\n"
        "    data that is not read: data.x.y (2 times)\n"
        "  Notice\n"
        "    modules/x.tf: old [plan-terraform-too-old]\n"
        "\n"
        "bad: cannot be planned\n"
        "    stacks/bad/main.tf:3:5: Unsupported argument [plan-stack]\n"
        "      fix:     write it right\n"
        "\n"
        "1 of 2 stacks planned, 1 resources, with terraform 1.12.2, offline.\n"
    )


def test_text_of_a_difference() -> None:
    older = PlannedResource(
        "kubernetes_namespace.x",
        "kubernetes_namespace",
        "x",
        "",
        None,
        {"metadata": ({"name": "y" * 100},), "gone": True},
    )
    extra = PlannedResource("random_id.a", "random_id", "a", "", None, {})
    found = difference([older], [NAMESPACE, extra])
    text = shown(Plans(TOOL, (StackPlan("good", GOOD, GOOD, found),), "main"))
    assert "good: against main\n" in text
    assert "  + random_id.a\n  ~ kubernetes_namespace.x\n" in text
    assert f"      metadata[0].name: {'y' * 59}… → x\n" in text
    assert "gone: true → not set" in text
    nothing = Plans(TOOL, (StackPlan("good", GOOD, GOOD, difference([], [])),), "main")
    assert "  no difference\n" in shown(nothing) and not nothing.differs


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three stacks, of which one then changes, one goes, one comes and one breaks."""
    root = tmp_path / "house"
    for name in ("changed", "gone", "mended"):
        (root / "stacks" / name).mkdir(parents=True)
        (root / "stacks" / name / "main.tf").write_text(MAIN % name)
    (root / "stacks/mended/main.tf").write_text(MAIN.replace("metadata", "metadta") % "x")
    _git(root, "init", "-q")
    _git(root, "add", ".")
    _git(root, "commit", "-qm", "before")
    (root / "stacks/changed/main.tf").write_text(MAIN % "other")
    (root / "stacks/mended/main.tf").write_text(MAIN % "mended")
    shutil.rmtree(root / "stacks/gone")
    (root / "stacks/new").mkdir()
    (root / "stacks/new/main.tf").write_text(MAIN % "new")
    return root


@needs("terraform")
def test_against_a_revision(repository: Path) -> None:
    stacks = ["changed", "gone", "new", "mended"]
    plans = plan(repository, stacks, against="HEAD", workers=2, known=schemas.load())
    assert plans.ok and plans.differs and plans.tool.version
    changed, gone, new, mended = json.loads(json_text(plans_json(plans)))["stacks"]
    assert changed["difference"]["changed"] == [
        {
            "address": "kubernetes_namespace.x",
            "type": "kubernetes_namespace",
            "attributes": [{"path": "metadata[0].name", "before": "changed", "after": "other"}],
        }
    ]
    assert [r["address"] for r in gone["difference"]["removed"]] == ["kubernetes_namespace.x"]
    assert gone["resources"] == []
    assert [r["address"] for r in new["difference"]["added"]] == ["kubernetes_namespace.x"]
    assert "difference" not in mended and mended["older_error"][0]["code"] == "plan-stack"
    text = shown(plans)
    assert "gone: gone since HEAD" in text
    assert "metadata[0].name: changed → other" in text
    assert "The stack of HEAD cannot be planned" in text
    mended_alone = plan(repository, ["mended"], against="HEAD", known=schemas.load())
    assert mended_alone.ok and mended_alone.differs, "what was not compared is not the same"


@needs("terraform")
def test_against_a_revision_of_a_monorepo_inside_a_repository(repository: Path) -> None:
    outer = repository.parent / "outer"
    outer.mkdir()
    shutil.copytree(repository, outer / "infra", ignore=shutil.ignore_patterns(".git"))
    _git(outer, "init", "-q")
    _git(outer, "add", ".")
    _git(outer, "commit", "-qm", "before")
    plans = plan(outer / "infra", ["changed"], against="HEAD", known=schemas.load())
    assert plans.ok and not plans.differs


@needs("terraform")
def test_a_stack_or_a_revision_that_does_not_exist(repository: Path) -> None:
    with pytest.raises(MissingError, match="there is no stack nope"):
        plan(repository, ["changed", "nope"])
    with pytest.raises(MissingError, match="there is no stack gone"):
        plan(repository, ["gone"])
    for name in ("", ".", "..", "../stacks/new", "stacks", "new/main.tf"):
        with pytest.raises(MissingError, match="there is no stack"):
            plan(repository, [name])


@needs("terraform")
def test_a_stack_is_named_by_its_directory_too_and_planned_once(repository: Path) -> None:
    plans = plan(repository, ["new", "new/", "stacks/new", "stacks/new/"], known=schemas.load())
    assert [stack.stack for stack in plans.stacks] == ["new"]
    with pytest.raises(MissingError, match="cannot read revision nope"):
        plan(repository, ["changed"], against="nope")


def test_without_terraform(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SCAFFOLD_TERRAFORM", raising=False)
    with pytest.raises(MissingError, match="terraform or tofu is not installed"):
        plan(repository, ["changed"])
    monkeypatch.setenv("SCAFFOLD_TERRAFORM", "/nonexistent/tofu")
    with pytest.raises(MissingError, match="/nonexistent/tofu is not installed"):
        plan(repository, ["changed"])

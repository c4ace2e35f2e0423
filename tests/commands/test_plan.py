"""`scaffold plan`: what is printed, and the difference from another revision."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support import git, needs

from scaffold.checks.consequences import Consequence, Effect
from scaffold.cli.output import json_text
from scaffold.commands.plan import Plans, StackPlan, plan
from scaffold.errors import Finding, MissingError, RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.report.difference import difference_markdown, difference_text
from scaffold.report.plan import plans_json, plans_text
from scaffold.terraform import schemas
from scaffold.terraform.diff import difference
from scaffold.terraform.planned import PlannedResource, Site, Tree
from scaffold.terraform.result import PlanResult, StandIn, StandInKind
from scaffold.terraform.tool import Tool

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
        "good: 1 resource in 0.5 s\n"
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
        "1 of 2 stacks planned, 1 resource, with terraform 1.12.2, offline.\n"
    )


def thing(name: str, **values: Tree) -> PlannedResource:
    return PlannedResource(f"x_thing.{name}", "x_thing", name, "", None, values)


def compared(*stacks: tuple[str, PlannedResource, PlannedResource]) -> Plans:
    """Stacks of one resource each, before and after."""
    return Plans(
        TOOL,
        tuple(StackPlan(name, GOOD, GOOD, difference([before], [after])) for name, before, after in stacks),
        "main",
        ("other",),
    )


def test_text_of_a_difference() -> None:
    text = shown(
        compared(
            ("alone", thing("a", size=1, text="y" * 100), thing("a", text="y" * 90 + "z" * 10)),
            ("equal", thing("a"), thing("a")),
        )
    )
    assert text == (
        "alone:\n"
        "  ~ x_thing.a\n"
        "      size: 1 → not set\n"
        f"      text: …{'y' * 22} → …{'y' * 12}{'z' * 10}\n"
        "\n"
        "1 of 3 stacks differs from main; 1 planned without a difference; "
        "1 not planned, since nothing that they read differs.\n"
        "1 changed.\n"
    )


def test_what_several_stacks_have_is_told_once() -> None:
    plans = compared(
        *((name, thing("a", version="1"), thing("a", version="2")) for name in ("one", "two", "three")),
        ("four", thing("a", version="1", own=1), thing("a", version="2", own=2)),
    )
    text = shown(plans)
    assert "4 × x_thing in 4 stacks\n    version: 1 → 2\n  one, two, three, four\n" in text
    assert text.count("version") == 1
    assert "four:\n  ~ x_thing.a\n      own: 1 → 2\n" in text and "one:" not in text


def test_long_texts_are_compared_by_line_and_lists_of_words_by_word() -> None:
    words = [f"traefik-{word}@kubernetescrd" for word in ("forward", "limit", "crawlers")]
    text = shown(
        compared(
            (
                "x",
                thing("a", file="first\nold\nlast\n", chain=",".join(words)),
                thing("a", file="first\nnew\nlast\n", chain=",".join(words[1:])),
            )
        )
    )
    assert "      file:\n        - old\n        + new\n" in text
    assert "      chain:\n        - traefik-forward@kubernetescrd\n" in text
    assert "traefik-limit" not in text and "first" not in text


def test_what_is_ignored_and_what_no_plan_shows_is_told() -> None:
    ignores = Site("main.tf", 1, meta={"lifecycle.ignore_changes": ("size",)}, ignored=(("size",),))
    before, after = thing("a", size=1), replace(thing("a", size=2), site=ignores)
    text = shown(compared(("x", before, after)))
    assert "size: 1 → 2 (not applied: ignored)" in text
    assert "lifecycle.ignore_changes: + size" in text


def test_the_error_of_a_module_is_told_once() -> None:
    fault = Finding("modules/x/main.tf", 3, 5, "plan-module", "Invalid operand")
    bad = [replace(BAD, findings=(replace(fault, fix=f"called from {n}"),)) for n in ("one", "two")]
    text = shown(
        Plans(TOOL, tuple(StackPlan(n, b) for n, b in zip(("one", "two"), bad, strict=True)), "main")
    )
    assert (
        "one, two: cannot be compared\n    modules/x/main.tf:3:5: Invalid operand [plan-module]\n\n" in text
    )
    assert text.count("Invalid operand") == 1
    assert "0 of 2 stacks differ from main; 2 cannot be compared." in text


def test_what_a_person_has_to_look_at_stands_in_columns() -> None:
    loud = tuple(Consequence(effect, "x_thing.a", "goes") for effect in (Effect.OPENED, Effect.BACKUP_LOST))
    stack = StackPlan("x", GOOD, GOOD, difference([thing("a")], [thing("b")]), loud)
    _, opened, backup, *_ = difference_text(Plans(TOOL, (stack,), "main"))
    assert ("opened" in opened, "backup-lost" in backup) == (True, True)
    assert opened.index("x: ") == backup.index("x: ")


def test_a_difference_for_a_pull_request() -> None:
    lost = Consequence(Effect.DATA_LOST, "x_thing.a", "the data | goes")
    stack = StackPlan("x", GOOD, GOOD, difference([thing("a", t="```")], [thing("b")]), (lost,))
    text = "\n".join(difference_markdown(Plans(TOOL, (stack,), "main")))
    assert text.startswith("**1 of 1 stack differs from main.**\n1 created, 1 data-lost.\n")
    assert "| **data-lost** | x | `x_thing.a` the data \\| goes |" in text
    assert "<details><summary>x</summary>\n\n```diff\n+ x_thing.b\n- x_thing.a [data-lost]\n```\n" in text


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three stacks, of which one then changes, one goes, one comes and one breaks."""
    root = tmp_path / "house"
    for name in ("changed", "gone", "mended"):
        (root / "stacks" / name).mkdir(parents=True)
        (root / "stacks" / name / "main.tf").write_text(MAIN % name)
    (root / "stacks/mended/main.tf").write_text(MAIN.replace("metadata", "metadta") % "x")
    ingress = root / "modules/kubernetes/ingress_factory"
    ingress.mkdir(parents=True)
    (ingress / "main.tf").write_text('variable "root_domain" {\n  default = "example.org"\n}\n')
    (root / "terragrunt.hcl").write_text("")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "before")
    (root / "stacks/changed/main.tf").write_text(MAIN % "other")
    (root / "stacks/mended/main.tf").write_text(MAIN % "mended")
    shutil.rmtree(root / "stacks/gone")
    (root / "stacks/new").mkdir()
    (root / "stacks/new/main.tf").write_text(MAIN % "new")
    return root


@needs("terraform")
def test_against_a_revision(repository: Path) -> None:
    stacks = ["changed", "gone", "new", "mended"]
    plans = plan(Monorepo(repository), stacks, against="HEAD", workers=2, known=schemas.load())
    assert plans.ok and plans.differs and plans.tool.version
    changed, gone, new, mended = json.loads(json_text(plans_json(plans)))["stacks"]
    assert changed["difference"]["changed"] == [
        {
            "address": "kubernetes_namespace.x",
            "type": "kubernetes_namespace",
            "attributes": [{"path": "metadata[0].name", "before": "changed", "after": "other"}],
            "ignored": [],
            "meta": [],
        }
    ]
    assert [r["address"] for r in gone["difference"]["removed"]] == ["kubernetes_namespace.x"]
    assert gone["resources"] == []
    assert [r["address"] for r in new["difference"]["added"]] == ["kubernetes_namespace.x"]
    assert "difference" not in mended and mended["older_error"][0]["code"] == "plan-stack"
    text = shown(plans)
    assert "data-lost    gone: kubernetes_namespace.x everything in it goes with it" in text
    assert "replaced     changed: kubernetes_namespace.x is destroyed and recreated: metadata[0].name" in text
    assert "gone: gone\n  - kubernetes_namespace.x [data-lost]" in text
    assert "metadata[0].name: changed → other" in text
    assert "mended: cannot be compared" in text
    mended_alone = plan(Monorepo(repository), ["mended"], against="HEAD", known=schemas.load())
    assert mended_alone.ok and mended_alone.differs, "what was not compared is not the same"


@needs("terraform")
def test_against_a_revision_of_a_monorepo_inside_a_repository(repository: Path) -> None:
    outer = repository.parent / "outer"
    outer.mkdir()
    shutil.copytree(repository, outer / "infra", ignore=shutil.ignore_patterns(".git"))
    git(outer, "init", "-q")
    git(outer, "add", ".")
    git(outer, "commit", "-qm", "before")
    plans = plan(Monorepo(outer / "infra"), ["changed"], against="HEAD", known=schemas.load())
    assert plans.ok and not plans.differs


@needs("terraform")
def test_a_stack_or_a_revision_that_does_not_exist(repository: Path) -> None:
    with pytest.raises(MissingError, match="There is no stack nope"):
        plan(Monorepo(repository), ["changed", "nope"])
    with pytest.raises(MissingError, match="There is no stack gone"):
        plan(Monorepo(repository), ["gone"])
    for name in ("", ".", "..", "../stacks/new", "stacks", "new/main.tf"):
        with pytest.raises(MissingError, match="There is no stack"):
            plan(Monorepo(repository), [name])


@needs("terraform")
def test_a_stack_is_named_by_its_directory_too_and_planned_once(repository: Path) -> None:
    plans = plan(Monorepo(repository), ["new", "new/", "stacks/new", "stacks/new/"], known=schemas.load())
    assert [stack.stack for stack in plans.stacks] == ["new"]
    with pytest.raises(MissingError, match="cannot read revision nope"):
        plan(Monorepo(repository), ["changed"], against="nope")


def test_without_terraform(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SCAFFOLD_TERRAFORM", raising=False)
    with pytest.raises(MissingError, match="terraform or tofu is not installed"):
        plan(Monorepo(repository), ["changed"])
    monkeypatch.setenv("SCAFFOLD_TERRAFORM", "/nonexistent/tofu")
    with pytest.raises(MissingError, match="/nonexistent/tofu is not installed"):
        plan(Monorepo(repository), ["changed"])


@needs("terraform")
def test_only_what_differs_is_planned(repository: Path) -> None:
    """A file that a stack reads counts, of a module or by a function; one that nothing reads does not."""
    reads = MAIN.replace('"%s"', 'file("${path.module}/../../shared/name.txt")')
    for name, content in {
        "stacks/reads/main.tf": reads,
        "stacks/calls/main.tf": 'module "x" {\n  source = "../../modules/x"\n}\n',
        "stacks/apart/main.tf": MAIN % "apart",
        "modules/x/main.tf": MAIN % "module",
        "shared/name.txt": "before",
    }.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(content)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "more")
    asked = ["reads", "calls", "apart"]
    plans = plan(Monorepo(repository), asked, against="HEAD", known=schemas.load())
    assert plans.untouched == tuple(asked) and not plans.stacks and not plans.differs
    (repository / "README.md").write_text("nothing reads this")
    (repository / "shared/name.txt").write_text("after")
    (repository / "modules/x/main.tf").write_text(MAIN % "other")
    plans = plan(Monorepo(repository), asked, against="HEAD", known=schemas.load())
    assert plans.untouched == ("apart",)
    assert [stack.stack for stack in plans.stacks if stack.difference] == ["reads", "calls"]


@needs("terraform")
def test_a_merge_that_is_not_settled_is_an_error(repository: Path) -> None:
    """In a heredoc, in a file that is no HCL, and where Git alone knows of it."""
    marks = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
    main = MAIN % "x" + f'resource "terraform_data" "t" {{\n  input = <<EOT\n{marks}EOT\n}}\n'
    (repository / "stacks/new/main.tf").write_text(main)
    (repository / "stacks/changed/app.yml").write_text("x: 1\n" + marks)
    plans = plan(Monorepo(repository), ["new", "changed"], known=schemas.load())
    found = [(stack.findings[0].path, stack.findings[0].line) for stack in plans.stacks]
    assert found == [("stacks/new/main.tf", 8), ("stacks/changed/app.yml", 2)]
    git(repository, "checkout", "-qf", "-b", "left")
    (repository / "stacks/changed/main.tf").write_text(MAIN % "left")
    git(repository, "commit", "-qam", "left")
    git(repository, "checkout", "-q", "-b", "right", "HEAD~1")
    (repository / "stacks/changed/main.tf").write_text(MAIN % "right")
    git(repository, "commit", "-qam", "right")
    subprocess.run(["git", "-C", repository, "merge", "left"], capture_output=True, check=False)
    (repository / "stacks/changed/main.tf").write_text(MAIN % "settled, and not added")
    with pytest.raises(RefusedError, match="A merge has conflicts") as refused:
        plan(Monorepo(repository), ["new"], known=schemas.load())
    assert [finding.path for finding in refused.value.findings] == ["stacks/changed/main.tf"]

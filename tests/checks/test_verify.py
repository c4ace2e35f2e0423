"""What a verification says about a stack, and whose fault it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import hcl2
import pytest
import yaml
from support import ANSWERS, GOLDEN, ORIGIN

from scaffold.answers.sources import from_yaml
from scaffold.changes.change import ChangeSet, Content, FileChange
from scaffold.checks.verify import Level, verify, verify_edits
from scaffold.commands import index, new_service
from scaffold.commands.prepared import Prepared
from scaffold.commands.remove_service import plan_removal
from scaffold.errors import Finding, MissingError, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions
from scaffold.terraform.confine import Layer
from scaffold.terraform.result import PlanResult, Reason
from scaffold.terraform.tool import Tool


def golden_files(golden: str) -> dict[PurePosixPath, Content]:
    directory = GOLDEN / golden / "stack"
    return {PurePosixPath(name): (directory / name).read_bytes() for name in ("main.tf", "terragrunt.hcl")}


def refused(monorepo: Monorepo, golden: str, level: Level, old: str = "", new: str = "") -> VerificationError:
    """The error about a golden stack in which one text became another."""
    text = (GOLDEN / golden / "stack" / "main.tf").read_text()
    assert old in text
    files = {**golden_files(golden), PurePosixPath("main.tf"): text.replace(old, new, 1).encode()}
    answers: dict[str, Any] = yaml.safe_load((ANSWERS / "valid" / f"{golden}.yml").read_text())
    with pytest.raises(VerificationError) as told:
        verify(monorepo, golden, files, decisions.combine(answers), level)
    return told.value


def test_a_broken_shared_module_is_not_blamed_on_the_stack(
    pristine: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = Tool("terraform", "1.11.4")
    finding = Finding("modules/kubernetes/ingress_factory/main.tf", 3, 1, Reason.MODULE.value, "It is wrong.")
    result = PlanResult("sketchpad", tool, findings=(finding,))
    monkeypatch.setattr("scaffold.terraform.tool.find_tool", lambda: tool)
    monkeypatch.setattr("scaffold.terraform.runner.plan_stacks", lambda *_, **__: (result,))
    error = refused(pristine, "sketchpad", Level.PLAN)
    assert "a shared module is wrong, whichever stack calls it" in error.message
    assert "Fix the module" in error.hint
    assert list(error.findings) == [finding]


def nothing_plans() -> Tool:
    raise MissingError("there is no Terraform")


@pytest.mark.usefixtures("read_anew")
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("find_tool", [lambda: Tool("terraform", "1.11.4"), nothing_plans])
def test_what_a_second_reader_reads_differently_is_refused(
    pristine: Monorepo, monkeypatch: pytest.MonkeyPatch, level: Level, find_tool: Callable[[], Tool]
) -> None:
    """Whatever else is wrong: with the plan, or because there can be none."""
    finding = Finding("stacks/sketchpad/main.tf", 3, 1, Reason.STACK.value, "It is wrong.")
    result = PlanResult("sketchpad", Tool("terraform", "1.11.4"), findings=(finding,))
    monkeypatch.setattr("scaffold.terraform.tool.find_tool", find_tool)
    monkeypatch.setattr("scaffold.terraform.runner.plan_stacks", lambda *_, **__: (result,))
    loads = hcl2.loads
    # As if escapes were read otherwise: the port of the Service becomes a text.
    monkeypatch.setattr(
        hcl2,
        "loads",
        lambda text, **options: loads(text.replace("port        = 80", 'port = "80"'), **options),
    )
    error = refused(pristine, "sketchpad", level)
    assert {finding.code for finding in error.findings} == {"second-reader"}
    assert "reads port differently" in error.findings[0].message


@pytest.mark.slow("all three commands that edit")
@pytest.mark.usefixtures("read_anew")
def test_an_edit_that_a_second_reader_reads_differently_is_not_written(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault, loads = PurePosixPath("stacks/vault/main.tf"), hcl2.loads
    before = (monorepo.root / vault).read_bytes()
    answers = from_yaml((ANSWERS / "valid/linkboard.yml").read_bytes(), "a.yml")

    def prepared() -> Prepared:
        found = Monorepo(monorepo.root)
        return new_service.prepare(found, answers, level=Level.STATIC, template_source=ORIGIN.source)

    def refused(misread: Callable[[str], str], work: Callable[[], object]) -> None:
        with monkeypatch.context() as patch, pytest.raises(VerificationError) as told:
            patch.setattr(hcl2, "loads", lambda text, **options: loads(misread(text), **options))
            work()
        assert {(f.code, f.path) for f in told.value.findings} == {("second-reader", str(vault))}

    def other_role(text: str) -> str:
        return text.replace('"pg-linkboard"', '"pg-other"')

    def one_more_without_it(text: str) -> str:
        return text if '"pg-linkboard"' in text else text.replace('"pg-seed-log",', '"pg-seed-log", "x",')

    refused(other_role, prepared)
    prepared().apply(commit=False)
    refused(one_more_without_it, lambda: plan_removal(Monorepo(monorepo.root), "linkboard"))
    assert plan_removal(Monorepo(monorepo.root), "linkboard").unverified == ()
    (monorepo.root / vault).write_bytes(before)
    refused(other_role, lambda: index.fix(Monorepo(monorepo.root)))
    assert index.fix(Monorepo(monorepo.root)).unverified == ()


@pytest.mark.usefixtures("read_anew")
def test_a_broken_edit_is_refused_by_the_second_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ChangeSet(tmp_path, (FileChange(PurePosixPath("main.tf"), b"a = [1]\n", b"a = [1, 2]\n"),))
    assert verify_edits(change) == ()
    loads = hcl2.loads
    monkeypatch.setattr(hcl2, "loads", lambda text, **options: loads(text.replace(", 2", ""), **options))
    with pytest.raises(VerificationError) as told:
        verify_edits(change)
    assert [(f.code, f.location) for f in told.value.findings] == [("second-reader", "main.tf:1:5")]


def test_what_a_second_reader_cannot_read_of_an_edit_is_told(tmp_path: Path) -> None:
    edit = FileChange(PurePosixPath("main.tf"), b"a = 1\n", b'a = "$${x"\n')
    no_hcl = FileChange(PurePosixPath("notes.md"), b"x", b"= y")
    (gap,) = verify_edits(ChangeSet(tmp_path, (edit, no_hcl)))
    assert gap.what == "the second reading of main.tf"


def test_what_a_second_reader_cannot_read_is_told(pristine: Monorepo) -> None:
    answers: dict[str, Any] = yaml.safe_load((ANSWERS / "valid" / "sketchpad.yml").read_text())
    files = golden_files("sketchpad")
    files[PurePosixPath("more.tf")] = b'locals {\n  open = "$${x"\n}\n'
    told = verify(pristine, "sketchpad", files, decisions.combine(answers), Level.STATIC).unverified
    assert [gap.what for gap in told] == ["the plan", "the second reading of stacks/sketchpad/more.tf"]


def test_a_plan_that_the_system_does_not_confine_is_told(
    pristine: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = Tool("terraform", "1.11.4")
    result = PlanResult("sketchpad", tool, open=(Layer.FILES, Layer.NETWORK))
    monkeypatch.setattr("scaffold.terraform.tool.find_tool", lambda: tool)
    monkeypatch.setattr("scaffold.terraform.runner.plan_stacks", lambda *_, **__: (result,))
    answers: dict[str, Any] = yaml.safe_load((ANSWERS / "valid" / "sketchpad.yml").read_text())
    told = verify(pristine, "sketchpad", golden_files("sketchpad"), decisions.combine(answers)).unverified
    assert [gap.why for gap in told][1:] == [
        "this system does not keep files and network from Terraform, see SECURITY.md"
    ]

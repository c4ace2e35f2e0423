"""What the judged stack itself creates decides; the other stacks are planned only if that settles nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from test_planned_rules import HOUSE, plan

from scaffold.checks.fleet import Fleet
from scaffold.checks.planned import Plan, apply_rules
from scaffold.commands import check
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo
from scaffold.terraform import runner, tool
from scaffold.terraform.planned import PlannedResource
from scaffold.terraform.result import PlanResult
from scaffold.terraform.tool import Tool

TOOL = Tool("terraform", "terraform", "1.11.4")
CONFIG = tuple(resource for resource in plan() if resource not in plan(without="config"))


def results_of(
    monkeypatch: pytest.MonkeyPatch, **stacks: PlanResult | Sequence[PlannedResource]
) -> list[list[str]]:
    """Let the planner give these results, and note which stacks it is asked for."""
    asked: list[list[str]] = []

    def plan_stacks(root: Path, names: Sequence[str], **_: object) -> list[PlanResult]:
        asked.append([name for name in names if name in stacks])
        results = [stacks.get(name, ()) for name in names]
        return [
            result if isinstance(result, PlanResult) else PlanResult(name, TOOL, tuple(result))
            for name, result in zip(names, results, strict=True)
        ]

    monkeypatch.setattr(runner, "plan_stacks", plan_stacks)
    monkeypatch.setattr(tool, "find_tool", lambda: TOOL)
    monkeypatch.setattr(check, "house_of", lambda monorepo, facts: HOUSE)
    return asked


@pytest.fixture
def house(monorepo: Monorepo) -> Monorepo:
    for name in ("app", "other"):
        (monorepo.root / "stacks" / name).mkdir()
        (monorepo.root / "stacks" / name / "main.tf").write_text("")
    return Monorepo(monorepo.root)


def found(monorepo: Monorepo, *stacks: str) -> list[Finding]:
    """What the rules over plans find in a stack."""
    rules = check.Selection(("BAK", "ING", "POD", "SEC", "STO", "SVC"))
    return list(check.check(monorepo, stacks, rules).findings)


def test_a_stack_that_makes_all_that_it_needs_asks_for_no_other() -> None:
    def others() -> Fleet:
        raise AssertionError("other stacks are planned")

    assert apply_rules(Plan(plan(), HOUSE, others)) == []


def test_the_others_are_planned_once_something_is_missing(
    house: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = results_of(monkeypatch, app=plan(without="config"), other=CONFIG)
    assert found(house, "app") == []
    assert asked == [["app"], ["other"]]
    asked.clear()
    results_of(monkeypatch, app=plan(without="config"), other=())
    assert [finding.code for finding in found(house, "app")] == ["SEC001"]


@pytest.mark.parametrize("missing", ["config", "secrets", "claim", "backup", "service", "deployment", None])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_one_stack_is_judged_as_among_all(
    house: Monorepo, monkeypatch: pytest.MonkeyPatch, missing: str | None, elsewhere: bool
) -> None:
    left = plan(without=missing) if missing else plan()
    rest = tuple(resource for resource in plan() if resource not in left) if elsewhere else ()
    results_of(monkeypatch, app=left, other=rest)
    alone = found(house, "app")
    of_all = [f for f in found(house, *house.stacks) if f.path.startswith("stacks/app")]
    assert alone == of_all


def test_an_exception_that_nobody_can_judge_is_no_finding(
    house: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# scaffold: ignore SEC001: a test\nlocals {}\n"
    (house.root / "stacks/app/main.tf").write_text(text)
    broken = PlanResult("other", TOOL, findings=(Finding("stacks/other", 1, 1, "plan-stack", "wrong"),))
    results_of(monkeypatch, app=plan(without="config"), other=broken)
    assert "IGN003" not in {f.code for f in check.check(house, ("app",)).findings}
    results_of(monkeypatch, app=plan(), other=broken)
    assert "IGN003" in {f.code for f in check.check(house, ("app",)).findings}, "no other is asked for"


@pytest.mark.parametrize("text,codes", [('x = "app"', []), ('x = "else"', ["SEC001"])])
def test_a_stack_that_cannot_be_planned_hides_what_it_may_make_and_that_is_told(
    house: Monorepo, monkeypatch: pytest.MonkeyPatch, text: str, codes: list[str]
) -> None:
    (house.root / "stacks/other/main.tf").write_text(text)
    broken = PlanResult("other", TOOL, findings=(Finding("stacks/other/main.tf", 1, 1, "plan-stack", "no"),))
    results_of(monkeypatch, app=plan(without="config"), other=broken)
    told = check.check(house, ["app"], check.Selection(("SEC",)))
    assert [finding.code for finding in told.findings] == codes
    assert [gap.what for gap in told.unverified] == ["what is missing in namespaces that other may use"]

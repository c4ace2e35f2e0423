"""Every rule, by its own examples; and that a rule sees what it is meant to see in a whole monorepo."""

from __future__ import annotations

import pytest

from scaffold.checks.base import ALL_RULES, CheckContext, Rule, parse_stack, run
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo

MAIN = "stacks/example/main.tf"


@pytest.fixture(scope="session")
def surroundings(pristine: Monorepo) -> CheckContext:
    return CheckContext.of(pristine.root)


def findings(text: str, surroundings: CheckContext) -> list[Finding]:
    stack = parse_stack("example", {MAIN: text.encode()})
    return stack if isinstance(stack, list) else run(stack, surroundings)


def test_the_codes_are_unique() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_rule_explains_itself(rule: Rule) -> None:
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert type(rule).__doc__


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_bad_example_has_exactly_this_finding(rule: Rule, surroundings: CheckContext) -> None:
    found = findings(rule.bad, surroundings)
    assert {finding.code for finding in found} == {rule.code}
    assert all(f.path == MAIN and f.line is not None and f.message for f in found)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_good_example_has_none(rule: Rule, surroundings: CheckContext) -> None:
    assert findings(rule.good, surroundings) == []


def test_a_chosen_rule_runs_alone(surroundings: CheckContext) -> None:
    text = 'variable "nfs_server" {\n  type = string\n}\n\nvariable "nfs_server" {}\n\nlocals {\n  a = var.no\n}\n'
    stack = parse_stack("example", {MAIN: text.encode()})
    assert not isinstance(stack, list)
    (chosen,) = {f.code for f in run(stack, surroundings)} - {"duplicate-definition"}
    rules = [rule for rule in ALL_RULES if rule.code == chosen]
    assert [f.code for f in run(stack, surroundings, rules)] == [chosen]
    assert len(run(stack, surroundings)) == 2


def test_findings_come_in_the_order_of_the_files(surroundings: CheckContext) -> None:
    files = {
        "stacks/example/z.tf": b"locals {\n  a = var.no\n}\n",
        "stacks/example/a.tf": b"locals {\n  b = var.no\n  c = var.no\n}\n",
    }
    stack = parse_stack("example", files)
    assert not isinstance(stack, list)
    assert [f.location for f in run(stack, surroundings)] == [
        "stacks/example/a.tf:2:7",
        "stacks/example/a.tf:3:7",
        "stacks/example/z.tf:2:7",
    ]


def test_every_broken_file_is_told_and_no_rule_runs(surroundings: CheckContext) -> None:
    files = {
        "stacks/example/main.tf": b"a = 1 b = 2\n",
        "stacks/example/terragrunt.hcl": b"a {\n",
        "stacks/example/values.yaml": b"}",
    }
    found = parse_stack("example", files)
    assert isinstance(found, list)
    assert [(f.code, f.location) for f in found] == [
        ("syntax", "stacks/example/main.tf:1:7"),
        ("syntax", "stacks/example/terragrunt.hcl:2:1"),
    ]


def test_the_sample_monorepo_has_only_the_flaw_that_it_shows(
    pristine: Monorepo, surroundings: CheckContext
) -> None:
    found: list[tuple[str, str]] = []
    for name in pristine.stacks:
        directory = pristine.stack_directory(name)
        files = {
            path.relative_to(pristine.root).as_posix(): path.read_bytes()
            for path in directory.rglob("*")
            if path.suffix in (".tf", ".hcl")
        }
        stack = parse_stack(name, files)
        assert not isinstance(stack, list)
        found += [(f.path, f.code) for f in run(stack, surroundings)]
    assert found == [("stacks/navidrome/main.tf", "ingress-auth-reason")]

"""Every rule, by its own examples; and that a rule sees what it is meant to see in a whole monorepo."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest

from scaffold.checks.exceptions import Exceptions, ignores
from scaffold.checks.rule import Example, Kind, Rule, rules
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.errors import Finding
from scaffold.hcl.syntax import parse
from scaffold.monorepo.repository import Monorepo

ALL_RULES = rules("scaffold.checks", Kind.STACK)
MAIN = "stacks/example/main.tf"
SETTINGS = {"stacks/example/terragrunt.hcl": b'include "root" {\n  path = find_in_parent_folders()\n}\n'}


def findings(example: Example, surroundings: CheckContext) -> list[Finding]:
    given = {"main.tf": example} if isinstance(example, str) else example
    files = {f"stacks/example/{name}": text.encode() for name, text in given.items()}
    stack = parse_stack("stacks/example", {**SETTINGS, **files})
    return stack if isinstance(stack, list) else run(stack, surroundings)


def test_the_codes_are_unique() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_a_rule_explains_itself(rule: Rule) -> None:
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.title[0].isupper()
    assert rule.why.endswith(".")
    assert type(rule).__doc__


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_bad_example_has_exactly_this_finding(rule: Rule, surroundings: CheckContext) -> None:
    found = findings(rule.bad, surroundings)
    assert {finding.code for finding in found} == {rule.code}
    assert all(f.path.startswith("stacks/example/") and f.line is not None and f.message for f in found)


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_good_example_has_none(rule: Rule, surroundings: CheckContext) -> None:
    assert findings(rule.good, surroundings) == []


def whole(example: Example) -> list[str]:
    """The lines of all files of an example."""
    return (example if isinstance(example, str) else "".join(example.values())).splitlines()


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.code)
def test_the_two_examples_differ_in_one_place(rule: Rule) -> None:
    bad, good = whole(rule.bad), whole(rule.good)
    steps = SequenceMatcher(None, good, bad, autojunk=False).get_opcodes()
    is_moved = sorted("".join(line.split()) for line in bad) == sorted("".join(line.split()) for line in good)
    assert sum(step[0] != "equal" for step in steps) == 1 + is_moved


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("# scaffold: ignore ING002: a test", "IGN003"),
        ("# scaffold: ignore ING002", "IGN002"),
        ("# scaffold: ignore: a test", "IGN001"),
        ("# scaffold: ignore ING200: a test", "IGN001"),
        ("# No backup: it is a cache", "IGN003"),
        ("# No backup of this, and nothing is ignored", None),
    ],
)
def test_an_exception_in_a_stack_that_is_right_is_told_alone(comment: str, code: str | None) -> None:
    document = parse(f"{comment}\nlocals {{\n  a = 1\n}}\n".encode(), MAIN)
    known = {rule.code for kind in Kind for rule in rules("scaffold.checks", kind)}
    found = list(Exceptions(ignores([document])).findings(known, known))
    assert [finding.code for finding in found] == ([code] if code else [])


def test_an_exception_without_a_reason_is_told_with_its_own_codes() -> None:
    document = parse(b"# scaffold: ignore ING002, LIF001\nlocals {\n  a = 1\n}\n", MAIN)
    found = [
        f.fix
        for f in Exceptions(ignores([document])).findings({"ING002", "LIF001"}, set())
        if f.code == "IGN002"
    ]
    assert set(found) == {"write # scaffold: ignore ING002 LIF001: why this stack may differ"}


def test_a_class_in_a_module_is_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "house_rules"
    package.mkdir()
    (package / "__init__.py").touch()
    rule = "class {}(Rule):\n    code = {!r}\n    def {}(self, *_):\n        return ()\n"
    begin = "from scaffold.checks.rule import Rule\n"
    (package / "second.py").write_text(begin + rule.format("Third", "third", "check_stack"))
    (package / "first.py").write_text(
        f"from house_rules.second import Third\n{begin}class Base(Rule):\n    pass\n"
        + rule.format("Second", "second", "check_stack")
        + rule.format("First", "first", "check_stack")
        + rule.format("Planned", "planned", "check_plan")
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert [found.code for found in rules("house_rules", Kind.STACK)] == ["second", "first", "third"]
    assert [found.code for found in rules("house_rules", Kind.PLAN)] == ["planned"]


def test_every_rule_is_in_the_package_that_asks_for_it() -> None:
    asked = [("scaffold.checks", kind) for kind in (Kind.STACK, Kind.PLAN, Kind.EXCEPTION, Kind.INDEX)]
    found = [rule.code for where in (*asked, ("scaffold.pipelines", Kind.PIPELINE)) for rule in rules(*where)]
    everything = [
        rule.code
        for package in ("scaffold.checks", "scaffold.pipelines")
        for kind in Kind
        for rule in rules(package, kind)
    ]
    assert sorted(everything) == sorted(found)
    assert len(set(found)) == len(found)


def test_a_chosen_rule_runs_alone(surroundings: CheckContext) -> None:
    text = 'variable "nfs_server" {\n  type = string\n}\n\nvariable "nfs_server" {}\n\nlocals {\n  a = var.no\n}\n'
    stack = parse_stack("stacks/example", {MAIN: text.encode(), **SETTINGS})
    assert not isinstance(stack, list)
    (chosen,) = {f.code for f in run(stack, surroundings)} - {"HCL002"}
    rules = [rule for rule in ALL_RULES if rule.code == chosen]
    assert [f.code for f in run(stack, surroundings, rules)] == [chosen]
    assert len(run(stack, surroundings)) == 2


def test_findings_come_in_the_order_of_the_files(surroundings: CheckContext) -> None:
    files = {
        "stacks/example/z.tf": b"locals {\n  a = var.no\n}\n",
        "stacks/example/a.tf": b"locals {\n  b = var.no\n  c = var.no\n}\n",
        **SETTINGS,
    }
    stack = parse_stack("stacks/example", files)
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
    found = parse_stack("stacks/example", files)
    assert isinstance(found, list)
    assert [(f.code, f.location) for f in found] == [
        ("HCL001", "stacks/example/main.tf:1:7"),
        ("HCL001", "stacks/example/terragrunt.hcl:2:1"),
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
        stack = parse_stack(f"stacks/{name}", files)
        assert not isinstance(stack, list)
        found += [(f.path, f.code) for f in run(stack, surroundings)]
    assert found == [("stacks/navidrome/main.tf", "ING002")]

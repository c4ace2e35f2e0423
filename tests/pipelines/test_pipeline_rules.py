"""Every rule's own examples: the bad one is found by it and by no other, the good one by none."""

from __future__ import annotations

import pytest

from scaffold.checks.rule import Example, Kind, Rule, rules
from scaffold.pipelines.check import check
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Repository
from scaffold.templates import decisions

ALL_RULES = rules("scaffold.pipelines", Kind.PIPELINE)
WITH_EXAMPLES = [rule for rule in ALL_RULES if rule.bad]
CONTEXT = Context(decisions.house())


def codes(files: Example) -> set[str]:
    assert not isinstance(files, str)
    return {finding.code for finding in check(Repository.of(dict(files)), CONTEXT)}


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_bad_example_is_found_by_this_rule_alone(rule: Rule) -> None:
    assert codes(rule.bad) == {rule.code}


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_good_example_has_nothing(rule: Rule) -> None:
    assert codes(rule.good) == set()


def test_codes_are_unique_and_rules_say_why() -> None:
    assert len({rule.code for rule in ALL_RULES}) == len(ALL_RULES)
    assert all(rule.title and rule.why.endswith(".") for rule in ALL_RULES)
    # Those that hold the repository against the stack: each mistake is put into a golden pair.
    with_a_stack = ("scaffold.pipelines.agreement", "scaffold.pipelines.stack_images")
    without = {rule.code for rule in ALL_RULES if not rule.bad and type(rule).__module__ not in with_a_stack}
    assert without == {"PIP023", "ACT007"}

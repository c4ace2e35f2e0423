"""Every rule's own examples: the bad one is found by it and by no other, the good one by none."""

from __future__ import annotations

import pytest

from scaffold.pipelines.check import ALL_RULES, BY_NO_FILE, check
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.rule import Context, PipelineRule, StackRule
from scaffold.templates import decisions

WITH_EXAMPLES = [rule for rule in ALL_RULES if rule.bad]
CONTEXT = Context(decisions.house())


def codes(rule_files: dict[str, str]) -> set[str]:
    return {finding.code for finding in check(Repository.of(rule_files), CONTEXT)}


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_bad_example_is_found_by_this_rule_alone(rule: PipelineRule) -> None:
    assert codes(dict(rule.bad)) == {rule.code}


@pytest.mark.parametrize("rule", WITH_EXAMPLES, ids=lambda rule: rule.code)
def test_the_good_example_has_nothing(rule: PipelineRule) -> None:
    assert codes(dict(rule.good)) == set()


def test_codes_are_unique_and_rules_say_why() -> None:
    assert len({rule.code for rule in ALL_RULES}) == len(ALL_RULES)
    assert all(rule.title and rule.why.endswith(".") for rule in ALL_RULES)
    without = {rule.code for rule in ALL_RULES if not rule.bad and not isinstance(rule, StackRule)}
    assert without == {"pipeline-secret", "actions-secret"}


def test_every_recorded_mistake_has_a_rule_or_a_reason() -> None:
    caught = {number for rule in ALL_RULES for number in rule.mistakes}
    assert caught | set(BY_NO_FILE) == set(range(1, 29))
    assert not caught & set(BY_NO_FILE)

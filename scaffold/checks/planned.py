"""House rules that are held on planned resources: what is true of the objects, however they are written.

A value that is unknown or stands in is never judged: nothing is known to be wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scaffold.checks import planned_network, planned_pods, planned_storage, planned_values
from scaffold.checks.planned_rule import HouseNames, Plan, PlannedRule
from scaffold.errors import Finding
from scaffold.terraform.planned import PlannedResource

__all__ = ["RULES", "HouseNames", "Plan", "PlannedRule", "check"]

RULES: tuple[PlannedRule, ...] = (
    *planned_storage.RULES,
    *planned_network.RULES,
    *planned_pods.RULES,
    *planned_values.RULES,
)


def check(
    resources: Sequence[PlannedResource], house: HouseNames, rules: Iterable[PlannedRule] = RULES
) -> list[Finding]:
    """What the rules find in the planned resources of one stack, sorted by place; each thing is said once."""
    plan = Plan(resources, house)
    found = {finding for rule in rules for finding in rule.check(plan)}
    return sorted(found, key=lambda f: (f.path, f.line or 0, f.code, f.message))

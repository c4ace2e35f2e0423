"""House rules over planned resources: names that only one stack can have."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.planned import Plan, PlannedRule
from scaffold.checks.rule import Severity
from scaffold.errors import Finding


class Taken(PlannedRule):
    """What only one stack can have is used once."""

    code = "NAM001"
    why = "Two monitors with one name are one; two apps in one Redis database delete each other's keys."
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Monitors, Redis databases, ports of the load balancer and volumes that another stack has too."""
        for stack in sorted(plan.stacks):
            for name in plan.house.shared.get(stack, ()):
                # Not in the message, which would be another finding with each stack more.
                what = f"the {name.kind} {name.name} is taken by another stack as well"
                fix = f"choose another one: this is also that of {', '.join(name.others)}"
                yield self.at(name.place, what, value=name.name, fix=fix)

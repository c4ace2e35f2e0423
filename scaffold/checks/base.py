"""All rules, and running them over a stack."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold.checks import contracts, definitions, ingress, provider_schemas, references, syntax
from scaffold.checks.rule import Rule
from scaffold.checks.stack import CheckContext, ParsedStack, parse_stack, place
from scaffold.errors import Finding

__all__ = ["ALL_RULES", "CheckContext", "ParsedStack", "Rule", "parse_stack", "run"]

ALL_RULES: tuple[Rule, ...] = (
    *syntax.RULES,
    *contracts.RULES,
    *provider_schemas.RULES,
    *references.RULES,
    *definitions.RULES,
    *ingress.RULES,
)


def run(stack: ParsedStack, context: CheckContext, rules: Iterable[Rule] = ALL_RULES) -> list[Finding]:
    """What the rules find in the stack, sorted by place."""
    return sorted((finding for rule in rules for finding in rule.check(stack, context)), key=place)

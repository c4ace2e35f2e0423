"""The quotas and limits of Namespace tiers, which a Kyverno policy in the monorepo generates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from scaffold.hcl.syntax import Block
from scaffold.monorepo.manifests import manifest_of
from scaffold.reading import part

TierFact: TypeAlias = tuple[str, str, str]
"""A tier, the name of a fact about it, and its value."""

_MEMORY = r"[1-9][0-9]*(Mi|Gi)"
_QUOTA = {
    "requests.memory": ("memory_quota", _MEMORY),
    "limits.memory": ("limits_quota", _MEMORY),
    "requests.cpu": ("cpu_quota", r"[1-9][0-9]*m?|0\.[0-9]+"),
    "pods": ("pods_quota", r"[1-9][0-9]*"),
}


def tier_facts(blocks: Iterable[Block]) -> Iterator[TierFact]:
    """What the policies among these blocks say about each tier, as far as they use literals.

    A rule counts that generates a ResourceQuota or a LimitRange for the Namespaces of one label ``tier``.
    """
    for block in blocks:
        if (manifest := manifest_of(block)) is not None:
            for rule in _items(part(manifest.literal(), "spec", "rules")):
                yield from _of_rule(rule)


def _of_rule(rule: object) -> Iterator[TierFact]:
    named = "resources", "selector", "matchLabels", "tier"
    chosen = [part(item, *named) for item in _items(part(rule, "match", "any"))]
    if len(chosen) != 1 or not isinstance(chosen[0], str):
        return
    tier = chosen[0].partition("-")[2]
    kind, spec = part(rule, "generate", "kind"), part(rule, "generate", "data", "spec")
    if kind == "ResourceQuota":
        for key, (fact, pattern) in _QUOTA.items():
            amount = part(spec, "hard", key)
            if amount is not None and re.fullmatch(pattern, str(amount)):
                yield tier, fact, str(amount)
    for limit in _items(part(spec, "limits")) if kind == "LimitRange" else ():
        amount = part(limit, "max", "memory")
        if part(limit, "type") == "Container" and re.fullmatch(_MEMORY, str(amount)):
            yield tier, "memory_max", str(amount)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []

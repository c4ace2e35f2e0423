"""What rules may ask about an app's repository and its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaffold.monorepo.stack import Stack


@dataclass(frozen=True, slots=True)
class Expected:
    """What the repository and the stack have to have in common, according to the answers."""

    image: str
    branch: str
    pull_secret: str
    secrets: frozenset[str]
    """The secrets that Woodpecker is known to have for every run."""
    action_secrets: frozenset[str]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Expected:
        """What combined values say."""
        pipeline = values["pipeline"]
        return cls(
            image=pipeline["image"],
            branch=pipeline["branch"],
            pull_secret=values["workload"]["pull_secret"]["value"],
            secrets=frozenset(pipeline["cluster_secrets"]),
            action_secrets=frozenset({*pipeline["secrets"], "GITHUB_TOKEN"}),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask: the facts of the house, the answers, and the Service's stack where known."""

    facts: Mapping[str, Any]
    expected: Expected | None = None
    stack: Stack | None = None

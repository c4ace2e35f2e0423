"""What a rule over an app's repository is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from scaffold.errors import Finding
from scaffold.monorepo.stack import Stack
from scaffold.pipelines.repository import Repository


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answers say that the repository and the stack have in common."""

    service: str
    image: str
    namespace: str
    deployment: str
    containers: tuple[str, ...]
    branch: str
    dockerfile: str
    pull_secret: str
    secrets: frozenset[str]
    """The secrets that Woodpecker is known to have for every run."""
    action_secrets: frozenset[str]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Expected:
        """What combined values say."""
        how = values["facts"]["builds"][values["build"]]
        pipeline = values["pipeline"]
        return cls(
            service=values["name"],
            image=pipeline["image"],
            namespace=pipeline["namespace"],
            deployment=pipeline["deployment"],
            containers=tuple(pipeline["containers"]),
            branch=pipeline["branch"],
            dockerfile=values["dockerfile"],
            pull_secret=how["pull_secret"],
            secrets=frozenset(pipeline["cluster_secrets"]),
            action_secrets=frozenset({*pipeline["secrets"], "GITHUB_TOKEN"}),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask: the facts of the house, the answers, and the Service's stack where known."""

    facts: Mapping[str, Any]
    expected: Expected | None = None
    stack: Stack | None = None


class PipelineRule(ABC):
    """One rule: what it is called, why it is there, and what it finds.

    ``bad`` and ``good`` are files by their path. In the bad ones this rule, and no other, finds something;
    in the good ones none does. They are shown to users and are the rule's tests. ``mistakes`` are the
    numbers of the recorded mistakes that it catches.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    mistakes: ClassVar[tuple[int, ...]] = ()
    bad: ClassVar[Mapping[str, str]]
    good: ClassVar[Mapping[str, str]]

    @abstractmethod
    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Everything in the repository that breaks the rule."""

    def at(
        self,
        path: str,
        line: int | None,
        message: str,
        *,
        value: str | None = None,
        allowed: str | None = None,
        fix: str | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(path, line, None, self.code, message, value, allowed, fix)


class StackRule(PipelineRule):
    """A rule that holds the repository against the Service's stack; it has no example of its own.

    Its examples would be a repository and a stack: the tests put each mistake into a golden one instead.
    """

    bad = {}
    good = {}

"""What a house rule is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import ClassVar

from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.syntax import Source


class Rule(ABC):
    """One rule: what it is called, why it is there, and what it finds.

    ``bad`` is a ``main.tf`` in which the rule, and no other, finds something; in ``good`` none does. Both
    are the rule's tests, in the surroundings of the sample monorepo.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]
    bad: ClassVar[str]
    good: ClassVar[str]

    @abstractmethod
    def check(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Everything in the stack that breaks the rule."""


Family = Callable[[ParsedStack, CheckContext], list[Finding]]
"""One walk over a stack that finds what several rules are about."""


class FamilyRule(Rule):
    """A rule that shares its walk with others: it reports the walk's findings that carry its code."""

    family: ClassVar[Family]

    def check(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """The findings of the family's walk that carry this rule's code."""
        found = stack.once(type(self).family, context)
        return (finding for finding in found if finding.code == self.code)


def at(
    source: Source,
    offset: int,
    code: str,
    message: str,
    *,
    value: str | None = None,
    allowed: Iterable[object] | None = None,
    fix: str | None = None,
) -> Finding:
    """A finding at a byte of a file."""
    line, column = source.position(offset)
    listed = None if allowed is None else ", ".join(map(str, allowed))
    return Finding(source.path, line, column, code, message, value, listed or None, fix)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name that a misspelt one is most like, to be told as the fix."""
    close = get_close_matches(name, list(names), n=1)
    return f"did you mean {close[0]}?" if close else None

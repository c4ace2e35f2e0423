"""What a rule is, and how all of them are found."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from scaffold.checks.contract import NOTHING, Contract
from scaffold.errors import Finding
from scaffold.hcl.syntax import Block, Document
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.checks.exceptions import Ignore
    from scaffold.checks.planned import Plan
    from scaffold.checks.stack import CheckContext, ParsedStack
    from scaffold.pipelines.context import Context
    from scaffold.pipelines.repository import Repository

Example: TypeAlias = str | Mapping[str, str]
"""A ``main.tf``, or the files of an app's repository by their path."""


class Severity(Enum):
    """How bad it is to break a rule."""

    ERROR = "error"
    """It does not work, is open, or loses data."""
    WARNING = "warning"
    """It works, but it is not the house's way."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person has to decide before an edit; the answer is one of the ``proposals``, if any."""

    text: str
    proposals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person has decided: the value as text, and the reason, if it is to become a comment."""

    value: str
    reason: str = ""


class Kind(Enum):
    """What a rule judges; the value is the name of the method that does so."""

    STACK = "check_stack"
    PLAN = "check_plan"
    PIPELINE = "check_pipeline"
    EXCEPTION = "check_exception"
    INDEX = "check_index"


class Rule:
    """One rule: what it is called, why it is there, and what it finds, in one of five ways.

    The first line of its docstring is its title. A rule has one of the methods ``check_…``, and belongs to
    the package that asks for it. In ``bad`` the rule, and no other, finds something; in ``good`` none does.
    Both are shown to users and are the rule's tests; a rule without them is about more than one file can
    show, and its tests put a mistake into something whole. ``code`` is a family and a number, and never
    changes; ``rule`` is the heading of the specification that says it, where one does.
    """

    code: ClassVar[str]
    title: ClassVar[str] = ""
    why: ClassVar[str]
    bad: ClassVar[Example] = ""
    good: ClassVar[Example] = ""
    rule: ClassVar[str] = ""
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[str] = ""
    """The feature (:mod:`scaffold.monorepo.features`) without which the rule is off."""
    excuse: ClassVar[str] = ""
    """The beginning of a comment that makes an exception from this rule in the house's own notation."""

    def __init_subclass__(cls) -> None:
        if "title" not in vars(cls) and cls.__doc__:
            cls.title = cls.__doc__.partition("\n")[0].removesuffix(".")

    @property
    def kind(self) -> Kind:
        """What the rule judges."""
        return next(kind for kind in Kind if getattr(type(self), kind.value) is not getattr(Rule, kind.value))

    @property
    def fixes(self) -> bool:
        """Whether the rule knows an edit that fixes what it finds."""
        return type(self).fix is not Rule.fix

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after one minimal edit of a block that breaks the rule; None if there is none to make.

        Asked again until then. ``facts`` are those of the house. Raises ``EditError`` if the block is written
        in a way that only a person can edit.
        """
        return None

    def question(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Question | None:
        """What has to be decided before a block that breaks the rule can be edited; None if nothing."""
        return None

    def answered(self, document: Document, block: Block, answer: Answer) -> bytes | None:
        """The file after the edit that an answer to the question asks for; raises what :meth:`fix` raises."""
        return None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """What the rule's edits may change in the plan and in ``lifecycle``, given the facts of the house."""
        return NOTHING

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterable[Finding]:
        """Everything in the syntax of a stack that breaks the rule."""
        return ()

    def check_plan(self, plan: Plan) -> Iterable[Finding]:
        """Everything in the planned resources of a stack that breaks the rule."""
        return ()

    def check_pipeline(self, repository: Repository, context: Context) -> Iterable[Finding]:
        """Everything in an app's repository that breaks the rule."""
        return ()

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterable[Finding]:
        """Everything that is wrong with an exception from rules; ``known`` are the codes of all rules."""
        return ()

    def check_index(self, disagreements: Iterable[Finding]) -> Iterable[Finding]:
        """Everything on which the lists outside the stacks and the stacks disagree in this way."""
        return ()

    def at(
        self,
        place: tuple[str, int | None],
        message: str,
        *,
        value: str | None = None,
        allowed: str | None = None,
        fix: str | None = None,
    ) -> Finding:
        """A finding of this rule in a line of a file."""
        return Finding(*place, None, self.code, message, value, allowed, fix)


Family: TypeAlias = "Callable[[ParsedStack, CheckContext], Iterable[Finding]]"
"""One walk over a stack that finds what several rules are about."""


class FamilyRule(Rule):
    """A rule that shares its walk with others: it reports the findings of the walk that have its code."""

    _found: ClassVar[Callable[[ParsedStack, CheckContext], list[Finding]]]

    def __init_subclass__(cls, family: Family) -> None:
        super().__init_subclass__()
        cls._found = _listed(family)

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterable[Finding]:
        """The findings of the family's walk that carry this rule's code."""
        found = stack.once(type(self)._found, context)
        return (finding for finding in found if finding.code == self.code)


@cache
def _listed(family: Family) -> Callable[[ParsedStack, CheckContext], list[Finding]]:
    """The walk of a family, for all its rules the same one."""
    return lambda stack, context: list(family(stack, context))


@cache
def rules(package: str, kind: Kind) -> tuple[Rule, ...]:
    """The rules of one kind that the modules of a package define.

    Every class with a ``code`` is one. The order is that of the modules' names, then that of the text.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__))
    modules = [import_module(f"{package}.{name}") for name in names]
    classes = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
    ]
    found = (rule() for rule in classes if hasattr(rule, "code"))
    return tuple(rule for rule in found if rule.kind is kind)

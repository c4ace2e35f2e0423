"""The one family of errors that users may see. This module imports nothing else from the project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What kind of failure it is; decides the exit code (``FAILURES``)."""

    FINDINGS = "findings"
    USAGE = "usage"
    ANSWERS = "answers"
    REFUSED = "refused"
    VERIFICATION = "verification"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit code: its number, its meaning, and what to do about it."""

    code: int
    meaning: str
    to_do: str


DEFECT = Exit(70, "a defect of `scaffold`", "report it as the message says")
INTERRUPTED = Exit(130, "interrupted", "run the same command again; nothing is half-written")
FAILURES = {
    Kind.FINDINGS: Exit(
        1,
        "findings: a stack cannot be planned, or differs with `--exit-code`; lists and stacks disagree; a "
        "pipeline breaks a rule; a stack needs attention (`status`); a sweep has open questions",
        "read them",
    ),
    Kind.USAGE: Exit(2, "incorrect command line", "`scaffold COMMAND --help`"),
    Kind.ANSWERS: Exit(3, "answers are not valid", "`error.findings`, each with its `fix`"),
    Kind.REFUSED: Exit(
        4,
        "refused because of what already exists; or `update` or `sweep` left a stack to a person",
        "read the message: a name in use, a dirty stack, a conflict, a code to accept",
    ),
    Kind.VERIFICATION: Exit(
        5, "what was rendered failed its verification; nothing was written", "read the findings"
    ),
    Kind.ENVIRONMENT: Exit(
        6,
        "something is missing: the monorepo, a stack, a tool, the source of the templates",
        "`scaffold doctor`",
    ),
}
EXITS = (Exit(0, "done, or nothing to do", "go on"), *FAILURES.values(), DEFECT, INTERRUPTED)
"""Every exit code, in the order of the documentation; the page and the skill file are written from these."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, with all that a person needs to put it right.

    ``path`` is what the finding is about: a file relative to its repository's root (POSIX), or the
    source of the answers (``answers.yml``, ``--set``). ``line`` and ``column`` count from 1.
    ``answer`` is the dotted path of the answer that led there (``volumes[0].size``), where one did.
    """

    path: str
    line: int | None
    column: int | None
    code: str
    message: str
    value: str | None = None
    allowed: str | None = None
    fix: str | None = None
    answer: str | None = None
    write: str | None = None
    """YAML to put in place of what is wrong; empty where that is to be taken out."""
    example: str | None = None
    """YAML of a valid answer, if it is not clear which one is meant."""
    settled_by: str | None = None
    """The names of other answers that could settle it too, in the order in which they are asked."""

    @property
    def location(self) -> str:
        """``path:line:column``, as far as it is known."""
        return ":".join(str(p) for p in (self.path, self.line, self.column) if p is not None)


def number_of(number: int, one: str, more: str = "") -> str:
    """A number with what it counts, as in "1 stack" and "2 stacks"; ``more`` is a plural without that s."""
    return f"{number} {one if number == 1 else more or f'{one}s'}"


ONE_SLIP = 0.9
"""How alike two words of ten letters or more are that differ in one of them."""


def alike(name: str, names: Iterable[str], least: float = 0.6) -> str:
    """The known name that is most similar to a misspelt one; empty if none is at least that much alike."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(names), 1, least)), "")


def nearest(name: str, names: Iterable[str], least: float = 0.6) -> str | None:
    """The known name that is most similar to a misspelt one, to be proposed as the fix."""
    return f"Did you mean {near}?" if (near := alike(name, names, least)) else None


class ScaffoldError(Exception):
    """A failure that is reported to the user: what happened, and what to do about it."""

    kind = Kind.ENVIRONMENT

    def __init__(self, message: str, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.findings = tuple(findings)
        self.beside: Mapping[str, object] = {}
        """What JSON contains besides the error: what is known whatever went wrong."""


class UsageError(ScaffoldError):
    """The command line is incorrect."""

    kind = Kind.USAGE


class AnswersError(ScaffoldError):
    """The answers are not valid; ``findings`` has every problem."""

    kind = Kind.ANSWERS


class RefusedError(ScaffoldError):
    """Something that exists is in the way: a name that is taken, an unclean stack, a missing anchor."""

    kind = Kind.REFUSED


class UncommittedError(RefusedError):
    """The files are written, but Git or a hook refused to commit them."""


class VerificationError(ScaffoldError):
    """What was rendered failed its verification; nothing was written."""

    kind = Kind.VERIFICATION


class MissingError(ScaffoldError):
    """Something outside is missing: no monorepo, no tool, no template source."""

    kind = Kind.ENVIRONMENT

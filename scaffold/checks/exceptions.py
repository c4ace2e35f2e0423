"""Exceptions from rules, made in a stack's files: ``# scaffold: ignore ING002: the reason``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from scaffold.checks.rule import Kind, Rule, rules
from scaffold.errors import Finding, nearest
from scaffold.hcl.comments import Comment
from scaffold.hcl.syntax import Body, Document

MARK = "scaffold: ignore"
_EXAMPLE = f"# {MARK} STO001: why this stack may differ"


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that makes an exception, and the lines that it is made for."""

    comment: Comment
    codes: tuple[str, ...]
    reason: str
    first: int
    last: int

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line of the comment."""
        return self.comment.source.path, self.comment.line

    def covers(self, finding: Finding) -> bool:
        """Whether the exception is made for a finding in its file."""
        in_place = finding.line is not None and self.first <= finding.line <= self.last
        return bool(self.reason) and finding.code in self.codes and in_place


def ignores(document: Document) -> Iterator[Ignore]:
    """The exceptions in a file, each for its own line, or for the line or the block below the comment."""
    if MARK.encode() not in document.source.data:
        return
    ends = dict(_ends(document.body))
    own_lines = {comment.line for comment in document.comments if comment.own_line}
    for comment in document.comments:
        if not comment.text.startswith(MARK):
            continue
        codes, _, reason = comment.text.removeprefix(MARK).partition(":")
        first = comment.line
        while first in own_lines:
            first += 1
        named = tuple(codes.replace(",", " ").split())
        yield Ignore(comment, named, reason.strip(), first, ends.get(first, first))


def _ends(body: Body) -> Iterator[tuple[int, int]]:
    for block in body.blocks:
        yield block.line, block.end_line
        yield from _ends(block.body)


def without_ignored(
    findings: Collection[Finding],
    documents: Iterable[Document],
    asked: Collection[str],
    known: Collection[str],
) -> tuple[list[Finding], int]:
    """The findings that no exception is made for, those about exceptions included; and how many are left out.

    ``asked`` are the codes of the rules that have run, ``known`` those of all rules.
    """
    made = {document.path: list(ignores(document)) for document in documents}
    left: list[Finding] = []
    used: set[tuple[Ignore, str]] = set()
    for finding in findings:
        covering = [ignore for ignore in made.get(finding.path, ()) if ignore.covers(finding)]
        used.update((ignore, finding.code) for ignore in covering)
        left += [] if covering else [finding]
    ignored = len(findings) - len(left)
    for ignore in (ignore for of_file in made.values() for ignore in of_file):
        for rule in rules(__package__, Kind.EXCEPTION):
            left += rule.check_exception(ignore, known)
        for code in ignore.codes if ignore.reason else ():
            if code in asked and (ignore, code) not in used:
                left.append(UnusedIgnore().about(ignore, code))
    return left, ignored


class IgnoreWithoutCode(Rule):
    """An exception that is made from no rule there is."""

    code = "IGN001"
    title = "An exception names a rule"
    why = "What makes an exception from nothing, or from a rule that does not exist, is a slip."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Exceptions without a code, and codes that no rule has."""
        if not ignore.codes:
            yield self.at(ignore.place, "an exception names no rule", fix=f"write {_EXAMPLE}")
        for code in ignore.codes:
            if code not in known:
                fix = nearest(code, known) or "`scaffold rule --list` shows all"
                yield self.at(ignore.place, f"{code} is no rule", value=code, fix=fix)


class IgnoreWithoutReason(Rule):
    """An exception whose reason nobody knows; it holds for nothing."""

    code = "IGN002"
    title = "An exception gives its reason"
    why = "Whoever reads the stack later has to see whether the reason still holds."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Exceptions without a reason."""
        if not ignore.reason:
            yield self.at(ignore.place, "an exception gives no reason", fix=f"write {_EXAMPLE}")


class UnusedIgnore(Rule):
    """An exception from a rule that nothing breaks."""

    code = "IGN003"
    title = "An exception is needed"
    why = "An exception that is left behind hides the next mistake."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Nothing: only who has run the rules can tell, see :func:`without_ignored`."""
        return iter(())

    def about(self, ignore: Ignore, code: str) -> Finding:
        """The finding that nothing breaks a rule where the exception is made."""
        what = f"nothing here breaks {code}"
        return self.at(ignore.place, what, value=code, fix="take the exception out")

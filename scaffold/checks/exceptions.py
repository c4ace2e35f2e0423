"""Exceptions from rules, made in a stack's files.

``# scaffold: ignore ING002: the reason`` makes one, and so does the house's own notation, for a rule that
knows one (``# No backup: the reason``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.checks.rule import Kind, Rule, rules
from scaffold.errors import Finding, nearest
from scaffold.hcl.syntax import Document

MARK = "scaffold: ignore"
_EXAMPLE = f"# {MARK} STO001: why this stack may differ"


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that makes an exception, its place, and the lines that the exception covers."""

    place: tuple[str, int]
    codes: tuple[str, ...]
    reason: str
    first: int
    last: int

    def covers(self, finding: Finding) -> bool:
        """Whether the exception covers a finding in its file."""
        in_place = finding.line is not None and self.first <= finding.line <= self.last
        return bool(self.reason) and finding.code in self.codes and in_place


def ignores(documents: Iterable[Document]) -> Iterator[Ignore]:
    """The exceptions in files, each for its own line, or for the line or the block below the comment."""
    asked = (rule for kind in (Kind.STACK, Kind.PLAN) for rule in rules(__package__, kind))
    said = {MARK: (), **{rule.excuse: (rule.code,) for rule in asked if rule.excuse}}
    for document in documents:
        if any(begin.encode() in document.source.data for begin in said):
            yield from _in_file(document, said)


def _in_file(document: Document, said: Mapping[str, tuple[str, ...]]) -> Iterator[Ignore]:
    ends = {block.line: block.end_line for block in document.body.walk()}
    own_lines = {line for c in document.comments if c.own_line for line in range(c.line, c.end_line + 1)}
    for comment in document.comments:
        begin = next((begin for begin in said if comment.text.startswith(begin)), None)
        if begin is None:
            continue
        rest = comment.text.removeprefix(begin)
        codes, _, reason = rest.partition(":") if begin == MARK else ("", "", rest)
        first = comment.line
        while first in own_lines:
            first += 1
        named = said[begin] or tuple(codes.replace(",", " ").split())
        place = (comment.source.path, comment.line)
        yield Ignore(place, named, reason.strip(), first, ends.get(first, first))


class Exceptions:
    """The exceptions that files make, and which of them were needed."""

    def __init__(self, made: Iterable[Ignore]) -> None:
        self._made: dict[str, list[Ignore]] = {}
        for ignore in made:
            self._made.setdefault(ignore.place[0], []).append(ignore)
        self._used: set[tuple[Ignore, str]] = set()

    def left_of(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no exception covers."""
        left = []
        for finding in findings:
            covering = [ignore for ignore in self._made.get(finding.path, ()) if ignore.covers(finding)]
            self._used.update((ignore, finding.code) for ignore in covering)
            if not covering:
                left.append(finding)
        return left

    def findings(self, asked: Collection[str], known: Collection[str]) -> Iterator[Finding]:
        """What is wrong with the exceptions themselves; call it once all findings have been looked at.

        ``asked`` are the codes of the rules that have run, ``known`` those of all rules.
        """
        for ignore in (ignore for of_file in self._made.values() for ignore in of_file):
            for rule in rules(__package__, Kind.EXCEPTION):
                yield from rule.check_exception(ignore, known)
            for code in ignore.codes if ignore.reason else ():
                if code in asked and (ignore, code) not in self._used:
                    yield UnusedIgnore().about(ignore, code)


class IgnoreWithoutCode(Rule):
    """An exception names a rule."""

    code = "IGN001"
    why = "An exception from nothing, or from a rule that does not exist, is a mistake."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Exceptions without a code, and codes that no rule has."""
        if not ignore.codes:
            yield self.at(ignore.place, "an exception names no rule", fix=f"write {_EXAMPLE}")
        for code in ignore.codes:
            if code not in known:
                fix = nearest(code, known) or "`scaffold rule --list` shows all"
                yield self.at(ignore.place, f"{code} is not a rule", value=code, fix=fix)


class IgnoreWithoutReason(Rule):
    """An exception gives its reason."""

    code = "IGN002"
    why = "Whoever reads the stack later must be able to see whether the reason still holds."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Exceptions without a reason."""
        if not ignore.reason:
            fix = f"write # {MARK} {' '.join(ignore.codes) or 'CODE'}: why this stack may differ"
            yield self.at(ignore.place, "an exception gives no reason", fix=fix)


class UnusedIgnore(Rule):
    """An exception is needed."""

    code = "IGN003"
    why = "An exception left behind hides the next mistake."

    def check_exception(self, ignore: Ignore, known: Collection[str]) -> Iterator[Finding]:
        """Nothing: only a run of the rules can tell, see :class:`Exceptions`."""
        return iter(())

    def about(self, ignore: Ignore, code: str) -> Finding:
        """The finding that the rule is not broken where the exception is made."""
        what = f"nothing here breaks {code}"
        return self.at(ignore.place, what, value=code, fix="remove the exception")

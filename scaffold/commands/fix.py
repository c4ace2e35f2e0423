"""``scaffold check --fix``: the edits that fix what rules find, and what is left to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from scaffold.changes.change import ChangeSet, Content
from scaffold.checks.rule import Rule
from scaffold.checks.verify import Unverified, verify_edits
from scaffold.commands.check import Checked, by_code
from scaffold.errors import Finding
from scaffold.hcl.place import block_at
from scaffold.hcl.splice import EditError
from scaffold.hcl.syntax import Document, parse
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Fixed:
    """What ``--fix`` changes, not yet written, and the findings that it fixes."""

    change: ChangeSet
    findings: tuple[Finding, ...]
    unverified: tuple[Unverified, ...] = ()

    def left_of(self, found: Checked, *, shown: bool) -> Checked:
        """The findings that are left to a person, whether the edits are written or only shown."""
        left = (finding for finding in found.findings if not shown or finding not in self.findings)
        return replace(found, findings=tuple(left), unverified=(*found.unverified, *self.unverified))


def plan_fix(monorepo: Monorepo, found: Checked) -> Fixed:
    """Make the edits that rules know; everything else in the files stays as it is, byte for byte.

    Raises ``RefusedError`` for a file that may not be written, and ``VerificationError`` for an edit that
    a second reader reads differently.
    """
    rules = {code: rule for code, rule in by_code().items() if rule.fixes}
    facts = said(monorepo.root)
    fixable = [finding for finding in found.findings if finding.code in rules]
    texts, done = edited(monorepo, fixable, lambda d, f: with_fix(d, f.line or 0, rules[f.code], facts))
    change = ChangeSet.plan(monorepo.files, texts)
    return Fixed(change, done, verify_edits(change, "Edit the file by hand, with --ignore for the rule."))


def edited(
    monorepo: Monorepo, findings: Iterable[Finding], edit: Callable[[Document, Finding], bytes]
) -> tuple[Mapping[PurePosixPath, Content], tuple[Finding, ...]]:
    """The files after an edit for each finding that has a line, and the findings for which one was made."""
    texts: dict[PurePosixPath, Content] = {}
    done: list[Finding] = []
    # From the end of a file to its beginning: no edit moves what another finding is about.
    for finding in sorted(findings, key=lambda f: (f.path, -(f.line or 0), f.code)):
        path = PurePosixPath(finding.path)
        before = texts[path] if path in texts else monorepo.files.read(path)[0]
        if finding.line is None or not isinstance(before, bytes):
            continue
        after = edit(parse(before, finding.path), finding)
        if after != before:
            texts[path] = after
            done.append(finding)
    return texts, tuple(done)


def with_fix(document: Document, line: int, rule: Rule, facts: Mapping[str, Value]) -> bytes:
    """The file after a rule's edits of the block that begins in a line; what only a person can edit stays."""
    with suppress(EditError):
        while (block := block_at(document.body, line)) is not None:
            after = rule.fix(document, block, facts)
            if after is None or after == document.source.data:  # a rule of your own may say either
                break
            document = parse(after, document.path)
    return document.source.data

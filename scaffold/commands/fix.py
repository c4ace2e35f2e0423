"""``scaffold check --fix``: the edits that mend what rules find, and what is left to a person."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.commit import demand_clean
from scaffold.checks.rule import Rule
from scaffold.checks.stack import CheckContext
from scaffold.checks.verify import Unverified, verify_edits
from scaffold.commands.check import Checked, all_rules
from scaffold.errors import Finding
from scaffold.hcl.splice import EditError
from scaffold.hcl.syntax import Block, Body, Document, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Fixed:
    """What ``--fix`` changes, not yet written, and the findings that it mends."""

    change: ChangeSet
    mended: tuple[Finding, ...]
    unverified: tuple[Unverified, ...] = ()

    def left_of(self, found: Checked, *, shown: bool) -> Checked:
        """What is left to a person of what stands in the files, in which the edits are, or are only shown."""
        left = (finding for finding in found.findings if not shown or finding not in self.mended)
        return replace(found, findings=tuple(left), unverified=(*found.unverified, *self.unverified))


def plan_fix(monorepo: Monorepo, found: Checked) -> Fixed:
    """Edit what the rules know how to mend; whatever else is in the files stays as it is, byte for byte.

    Raises ``RefusedError`` for a file that may not be written, and ``VerificationError`` for an edit that
    a second reader reads differently.
    """
    rules = {rule.code: rule for rule in all_rules() if rule.mends}
    facts = CheckContext.of(monorepo.root).facts
    texts: dict[PurePosixPath, Content | None] = {}
    done: list[Finding] = []
    # From the end of a file to its beginning: no edit moves what another finding is about.
    for finding in sorted(found.findings, key=lambda f: (f.path, -(f.line or 0), f.code)):
        path, rule = PurePosixPath(finding.path), rules.get(finding.code)
        if rule is None or finding.line is None:
            continue
        before = texts[path] if path in texts else monorepo.files.read(path)[0]
        if not isinstance(before, bytes):
            continue
        after = mended(parse(before, finding.path), finding.line, rule, facts)
        if after != before:
            texts[path] = after
            done.append(finding)
    change = ChangeSet.plan(monorepo.files, texts)
    return Fixed(
        change, tuple(done), verify_edits(change, "Edit the file by hand, with --ignore for the rule.")
    )


def write(fixed: Fixed) -> None:
    """Write what was planned, all or nothing.

    Raises ``RefusedError`` where a stack that it touches has changes that no commit has, or files changed
    meanwhile; then nothing is written.
    """
    demand_clean(fixed.change)
    apply(fixed.change)


def mended(document: Document, line: int, rule: Rule, facts: Mapping[str, Value]) -> bytes:
    """The file after a rule's edits of the block that begins in a line; what only a person can edit stays."""
    with suppress(EditError):
        while (block := _block_at(document.body, line)) is not None:
            after = rule.mend(document, block, facts)
            if after is None:
                break
            document = parse(after, document.path)
    return document.source.data


def _block_at(body: Body, line: int) -> Block | None:
    """The block that begins in a line."""
    for block in body.blocks:
        if block.line == line:
            return block
        if block.line < line <= block.end_line:
            return _block_at(block.body, line)
    return None

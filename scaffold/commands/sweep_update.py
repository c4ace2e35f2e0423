"""Stacks made by scaffold, brought to templates that already render a rule change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

from scaffold.changes.change import Content
from scaffold.checks.rule import Kind, Rule
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.checks.verify import Level
from scaffold.commands.update import made_by_scaffold, merge_stacks, prepare
from scaffold.errors import MissingError
from scaffold.frozen import dataclass
from scaffold.monorepo.repository import Monorepo

Files: TypeAlias = Mapping[PurePosixPath, Content | None]


@dataclass(frozen=True, slots=True)
class Way:
    """What may be written to a stack: files, and the version of the templates that renders them, if any."""

    files: Files
    version: str = ""


def updates_of(monorepo: Monorepo, rule: Rule, stacks: Sequence[str]) -> Mapping[str, tuple[Way, ...]]:
    """The updates of those stacks for which the installed templates render what a syntax rule asks for.

    Such a stack records the version in the same step, so that its next update merges what is the same. A
    stack that an update has to leave, or with which a list outside changes, is not among them, and none is
    where old templates are not to be had.
    """
    made = sorted({*made_by_scaffold(monorepo)} & {*stacks}) if rule.kind is Kind.STACK else []
    if not made:
        return {}
    try:
        updates = prepare(monorepo, merge_stacks(monorepo, made, level=Level.STATIC))
    except MissingError:
        return {}
    files = {one.stack: {file.path: file.after for file in one.change.changes} for one in updates.written}
    return {
        name: (Way(its, updates.origin.version),)
        for name, its in files.items()
        if all(path.is_relative_to(monorepo.place(name)) for path in its)
        and not _breaks(monorepo, rule, name, its)
    }


def _breaks(monorepo: Monorepo, rule: Rule, stack: str, files: Files) -> bool:
    """Whether a stack breaks a rule with these files in place of its own."""
    changed = {str(path): content for path, content in files.items()}
    sources = {path: c for path, c in {**monorepo.sources(stack), **changed}.items() if isinstance(c, bytes)}
    parsed = parse_stack(monorepo.place(stack), sources)
    return isinstance(parsed, list) or bool(run(parsed, CheckContext.of(Monorepo(monorepo.root)), [rule]))

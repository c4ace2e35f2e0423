"""What a rule finds in stacks, and its edits: those that follow, and those that wait for an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

from scaffold.changes.change import Content
from scaffold.checks.exceptions import Exceptions, ignores
from scaffold.checks.house import house_of
from scaffold.checks.rule import Kind, Rule
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.commands.check import Selection, by_code, check
from scaffold.commands.fix import edited, with_fix
from scaffold.commands.stored import with_answers
from scaffold.errors import Finding
from scaffold.hcl.place import addressed, block_at
from scaffold.hcl.splice import EditError
from scaffold.hcl.syntax import Document, read
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import stack_in
from scaffold.monorepo.sensing import facts
from scaffold.sweeps.worklist import Answers, Open, Site


@dataclass(frozen=True, slots=True)
class Edited:
    """The files after all edits; what is done, what waits for an answer, and what only a person can edit."""

    files: Mapping[PurePosixPath, Content]
    done: tuple[Finding, ...]
    open: tuple[Open, ...]
    by_hand: tuple[Finding, ...]


Units: TypeAlias = Mapping[str, Mapping[str, bytes]]
"""Stacks by name or shared modules by directory, each with its HCL files by path."""


def shared_units(monorepo: Monorepo) -> Units:
    """The shared modules of a monorepo."""
    directory = monorepo.shared.directory
    found: dict[str, dict[str, bytes]] = {}
    for file in sorted((monorepo.root / directory).rglob("*.tf") if directory else ()):
        path = file.relative_to(monorepo.root)
        found.setdefault(path.parent.as_posix(), {})[path.as_posix()] = file.read_bytes()
    return found


def edits_of(
    monorepo: Monorepo, rule: Rule, stacks: Sequence[str], answers: Answers, modules: Units | None = None
) -> Edited:
    """Edit in memory what breaks a rule in stacks or, if ``modules`` are given, in those instead.

    Raises :class:`~scaffold.errors.AnswersError` for answers that are none of the proposals, or about none
    of the blocks.
    """
    # One edit fixes everything that is found in a block.
    found = {(f.path, f.line, f.code): f for f in broken(monorepo, rule, stacks, modules)}.values()
    house = said(monorepo.root)
    waiting: dict[Finding, Open] = {}

    def edit(document: Document, finding: Finding) -> bytes:
        if finding.code != rule.code:
            return document.source.data
        line = finding.line or 0
        block = block_at(document.body, line)
        question = rule.question(document, block, house) if block is not None else None
        if block is None or question is None:
            return with_fix(document, line, rule, house)
        site = document.path, next(n for n, one in addressed(document.body) if one.line == block.line)
        answer = answers.of(site, question)
        if answer is None:
            waiting[finding] = Open(unit_of(monorepo, finding), site, line, question)
            return document.source.data
        with suppress(EditError):
            return rule.answered(document, block, answer) or document.source.data
        return document.source.data

    files, done = edited(monorepo, found, edit)
    if answers.paths:
        units = {stack: monorepo.sources(stack) for stack in stacks} if modules is None else modules
        answers.demand(_known(units, answers.paths))
    left = {f for f in found if f not in done and f not in waiting}
    order = sorted(waiting.values(), key=lambda one: (one.site[0], one.line))
    return Edited(files, done, tuple(order), tuple(sorted(left, key=lambda f: (f.path, f.line or 0))))


def unit_of(monorepo: Monorepo, finding: Finding) -> str:
    """The stack (by name) or the shared module (by directory) that a finding is in."""
    return stack_in(finding.path, monorepo.stacks_home) or PurePosixPath(finding.path).parent.as_posix()


def broken(
    monorepo: Monorepo, rule: Rule, stacks: Sequence[str], modules: Units | None = None
) -> Iterator[Finding]:
    """What breaks a rule in stacks, without exceptions, and what is not HCL or cannot be planned.

    Where ``modules`` are given it is what breaks it in those: in them only syntax tells.
    """
    if modules is None and by_code().get(rule.code) is rule:
        own = Selection((rule.code,))
        yield from check(monorepo, stacks, own, static=rule.kind is Kind.STACK).findings
        return
    context = CheckContext.of(Monorepo(monorepo.root))
    stands = {stack: monorepo.sources(stack) for stack in stacks} if modules is None else modules
    for unit, sources in stands.items():
        parsed = parse_stack(monorepo.place(unit) if modules is None else unit, sources)
        if isinstance(parsed, list):
            yield from parsed
            continue
        found = run(parsed, context, [rule]) if rule.kind is Kind.STACK else _planned(monorepo, rule, unit)
        yield from Exceptions(ignores(parsed.documents.values())).left_of(found)


def _planned(monorepo: Monorepo, rule: Rule, stack: str) -> list[Finding]:
    """What a rule over planned resources finds, as if there were no other stack."""
    from scaffold.checks.planned import Plan, apply_rules
    from scaffold.terraform.runner import plan_stacks

    (result,) = plan_stacks(monorepo.root, [stack])
    plan = Plan(result.resources, with_answers(house_of(monorepo, facts(monorepo)), monorepo, stack))
    return list(result.findings) or apply_rules(plan, [rule])


def _known(units: Units, paths: Collection[str]) -> Iterator[Site]:
    """The sites in those files that belong to the stacks or modules."""
    sources = (item for files in units.values() for item in files.items() if item[0] in paths)
    documents = (document for path, content in sources if (document := read(content, path)) is not None)
    return ((document.path, name) for document in documents for name, _ in addressed(document.body))

"""``scaffold update``: stacks rendered by newer templates, merged with manual edits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path, PurePosixPath

from jinja2 import TemplateError

from scaffold.answers import validation
from scaffold.changes.change import ChangeSet, Files
from scaffold.checks.consequences import Consequence, to_accept
from scaffold.checks.verify import Level, Unverified, static_findings, verify_edits
from scaffold.commands.lists import Lists
from scaffold.commands.plan import Plans, refuse_unmerged
from scaffold.commands.service_entry import service_entry
from scaffold.commands.sides import Sides, planned, written_out
from scaffold.commands.stored import Record, record_of, stored_answers
from scaffold.commands.updated import Updated, Updates
from scaffold.errors import Finding, RefusedError, VerificationError
from scaffold.hcl.conflicts import SETTLE, conflict
from scaffold.indexes.entry import ServiceEntry
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import template
from scaffold.templates.decisions import SEAL
from scaffold.templates.questions import Value, asked
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.updates.merge import Merged, State, Tree, merged
from scaffold.updates.versions import templates_of

_ANSWERS = PurePosixPath(ANSWERS_FILE)


def made_by_scaffold(monorepo: Monorepo) -> tuple[str, ...]:
    """The stacks that record the answers that they were rendered from."""
    return tuple(name for name in monorepo.stacks if (monorepo.stack_directory(name) / _ANSWERS).is_file())


def merge_stacks(
    monorepo: Monorepo,
    stacks: Sequence[str],
    *,
    to: str | None = None,
    template_source: str | None = None,
    level: Level | None = None,
    workers: int = 1,
) -> Updates:
    """Render stacks with the templates that they record and the installed ones, and merge their files.

    ``to`` is another version to go to. Facts are sensed again. Findings tell of a conflict, of answers that
    are no longer valid, and of what would be lost. Without a ``level`` the stacks are planned where Terraform
    is at hand. Nothing is written.

    Raises :class:`RefusedError` if a merge is not finished, and :class:`~scaffold.errors.MissingError` where
    the templates of a version cannot be had.
    """
    refuse_unmerged(monorepo)
    stacks = tuple(dict.fromkeys(PurePosixPath(stack).name for stack in stacks))
    with ExitStack() as templates:
        origin = template.origin(template_source or sense(monorepo).get("template"))
        if to is not None:
            templates.enter_context(template.using(_current(templates_of(origin.source, to), to)))
            origin = template.Origin(origin.source, to, updatable=True)
        sides = tuple(_sides(monorepo, stacks, origin))
    merges = [_merged(monorepo, side) for side in sides]
    ready = [(one.side, one.merged.files) for one in merges if not one.findings]
    plans, wrong, unplanned = planned(monorepo, ready, level, workers)
    judged = (
        replace(
            one,
            findings=(*one.findings, *wrong.get(one.stack, ())),
            to_accept=_effects(monorepo, one, plans),
        )
        for one in merges
    )
    return Updates(monorepo, origin, tuple(judged), plans, unplanned)


def prepare(
    merges: Updates,
    *,
    accepted: Collection[str] = (),
    meant: Collection[str] = (),
    with_conflicts: bool = False,
    without_indexes: Collection[str] = (),
) -> Updates:
    """What an update of merged stacks writes: those, and the lists outside, which follow each of them.

    A stack with findings is left as it is, and so is one that does what has to be ``accepted`` (by its code)
    unless the stack is among those ``meant`` to; ``with_conflicts`` takes conflicts in with their marks.
    Nothing is written yet. Raises ``UsageError`` for a list that there is not.
    """
    lists, files = Lists(merges.monorepo, without_indexes), merges.monorepo.files
    prepared = []
    for found in merges.stacks:
        held = () if found.stack in meant else to_accept(found.to_accept, accepted)
        one = replace(found, to_accept=held)
        if not held and (not one.findings or (with_conflicts and one.merged.conflicts)):
            one = _followed(one, files, lists)
        files = files.after(one.change)
        prepared.append(one)
    return replace(merges, stacks=tuple(prepared))


def _followed(one: Updated, files: Files, lists: Lists) -> Updated:
    """A stack with everything that is written for it."""
    assert one.side.entries is not None
    outside = lists.follow(files, *one.side.entries)
    edits = ChangeSet.plan(files, {edit.path: edit.after for edit in outside.edits})
    try:
        unread = verify_edits(edits)
    except VerificationError as error:
        return replace(one, findings=(*one.findings, *error.findings))
    if outside.refused:
        return replace(one, findings=(*one.findings, *outside.refused))
    own = ChangeSet.plan(files, one.side.wanted(one.merged.files))
    return replace(one, change=own.then(edits), steps=outside.steps, unread=unread)


def _current(templates: Path, version: str) -> Path:
    """The same directory, if its templates record stacks in the form of this program."""
    if not (templates / SEAL).is_file():
        raise RefusedError(
            f"Version {version} of the templates is too old to update to.",
            "Name a later one; to go back, use `git revert`.",
        )
    return templates


def _sides(monorepo: Monorepo, stacks: Sequence[str], origin: template.Origin) -> Iterator[Sides]:
    """Each stack as it was rendered, as it is, and as it is rendered again."""
    sensed = sense(monorepo)
    for name, ours in monorepo.own_files(*stacks).items():
        try:
            record, said = record_of(monorepo, name), stored_answers(monorepo, name)
        except RefusedError as error:
            path = monorepo.place(name)
            unread = Finding(path, None, None, "update.no-answers", error.message, fix=error.hint)
            yield Sides(monorepo.place(name), "", {}, {}, ours, (unread,))
            continue
        if findings := record.edits or validation.problems(record.given, sensed, record.recorded):
            yield Sides(monorepo.place(name), record.version, {}, {}, ours, tuple(findings))
            continue
        new = render(record.given.values, sensed, record.recorded, origin)
        try:
            at_hand = (record.source, record.version) == (origin.source, origin.version)
            templates = None if at_hand else templates_of(record.source, record.version)
            old, was = as_rendered(record, said, templates)
        except TemplateError as error:
            text = f"What is recorded cannot be rendered by version {record.version}: {error}."
            fix = (
                "Make sure that `_commit` names the version that rendered the stack. An answer that it does "
                "not know: take it back with `scaffold change`, and give it again after the update."
            )
            path = f"{monorepo.place(name)}/{ANSWERS_FILE}"
            unknown = Finding(path, None, None, "update.not-rendered", text, fix=fix)
            yield Sides(monorepo.place(name), record.version, {}, {}, ours, (unknown,))
            continue
        gaps: tuple[Unverified, ...] = ()
        now = service_entry(new.values)
        if was is None:
            was = service_entry(render(record.given.values, record.sensed, record.recorded, origin).values)
            why = f"version {record.version} decided them in another form"
            gaps = (Unverified(f"the lists outside {name}, but for facts that have changed", why),)
        # The answers file is not merged as text: it is what the rest was rendered from.
        base = {**old, _ANSWERS: ours[_ANSWERS]}
        yield Sides(
            monorepo.place(name), record.version, base, new.files, ours, entries=(was, now), unverified=gaps
        )


def as_rendered(
    record: Record, stored: Mapping[str, Value], templates: Path | None
) -> tuple[Tree, ServiceEntry | None]:
    """The files that were rendered from all that an answers file says, and the entry for the lists outside.

    ``templates`` is the directory of the version that it names, None for the installed templates. There is no
    entry if that version decided in another form than this program reads. Raises Jinja's ``TemplateError``
    where that version cannot render it.
    """
    with template.using(templates) if templates is not None else nullcontext():
        answers = {name: stored[name] for name in asked() if name in stored}
        found = render(answers, record.sensed, record.recorded, record.origin)
        try:
            return found.files, service_entry(found.values)
        except (LookupError, StopIteration, TypeError, AttributeError):
            return found.files, None


def _effects(monorepo: Monorepo, one: Updated, plans: Plans | None) -> tuple[Consequence, ...]:
    """What a stack does that has to be accepted: from its plans, else as far as the text shows it."""
    if one.findings or one.state is State.KEPT:
        return ()
    for plan in plans.stacks if plans else ():
        if plan.stack == one.stack and plan.difference is not None:
            return to_accept(plan.consequences)
    return to_accept(written_out(monorepo, one.side, one.merged.files))


def _merged(monorepo: Monorepo, side: Sides) -> Updated:
    nothing = ChangeSet(monorepo.root, ())
    if side.findings:
        return Updated(side, Merged(side.ours, {}, {}), nothing, side.findings)
    found = merged(side.old, side.ours, side.new)
    findings = tuple(_conflicts(side, found))
    if not findings and found.state is State.MERGED:
        findings = tuple(_new_findings(monorepo, side, found.files))
    return Updated(side, found, nothing, findings)


def _conflicts(side: Sides, found: Merged) -> Iterator[Finding]:
    for path, why in found.conflicts.items():
        content = found.files.get(path)
        line = conflict(content) if isinstance(content, bytes) else None
        fix = (
            "Settle it by hand"
            if line is None
            else f"`scaffold update {side.stack} --conflicts` marks it. {SETTLE}"
        )
        yield Finding(f"{side.directory}/{path}", None, None, "update.conflict", f"{why}.", fix=fix)


def _new_findings(monorepo: Monorepo, side: Sides, after: Tree) -> Iterator[Finding]:
    """Problems of the merged files that those before did not have: two changes may not fit together."""
    before, now = (static_findings(monorepo, side.stack, side.sources(files)) for files in (side.ours, after))
    known = {(finding.path, finding.code, finding.message) for finding in before}
    for finding in now:
        if (finding.path, finding.code, finding.message) not in known:
            yield finding

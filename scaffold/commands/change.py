"""``scaffold change``: other answers for an existing Service, with everything that follows from them.

Both sets of answers are rendered by the current templates and facts, so that only their difference reaches
the stack: manual edits stay. The lists outside follow from the difference of two entries.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from scaffold.answers import notation, validation
from scaffold.answers.difference import changes
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers
from scaffold.changes.change import ChangeSet, Content
from scaffold.checks.verify import Level, verify_edits
from scaffold.commands.changed import ServiceChange
from scaffold.commands.in_place import demand_possible
from scaffold.commands.lists import Lists, demand_places
from scaffold.commands.named import problems
from scaffold.commands.own_store import with_own_store
from scaffold.commands.prepared import Part, Prepared
from scaffold.commands.remove_service import drop_steps
from scaffold.commands.service_entry import service_entry
from scaffold.commands.sides import Sides, verified_change
from scaffold.commands.stored import Record, record_of
from scaffold.commands.taken import refuse_taken, with_taken
from scaffold.errors import Finding, RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.reading import load
from scaffold.templates import decisions
from scaffold.templates.questions import Value, asked, stand_ins, types
from scaffold.templates.render import ANSWERS_FILE, Rendered, render
from scaffold.updates.merge import Merged, State, merged

_ANSWERS = PurePosixPath(ANSWERS_FILE)


def prepare_change(
    monorepo: Monorepo,
    name: str,
    wanted: Answers,
    *,
    level: Level | None = None,
    without_indexes: Collection[str] = (),
) -> ServiceChange:
    """Find out everything that other answers change, and verify it; nothing is written.

    ``wanted`` are all answers as they shall be. Raises :class:`~scaffold.errors.AnswersError` with every
    problem of them, :class:`RefusedError` for a name that is taken, for what cannot change in place (with the
    steps that move it), for edits that the change meets and for lists that have lost their place, and
    :class:`VerificationError` for what would not work.
    """
    record = record_of(monorepo, name)
    record.demand_unedited()
    given, recorded, sensed = record.given, record.recorded, sense(monorepo)
    wanted = _completed(given, wanted)
    before = as_it_holds(record, sensed)
    if not before.values["ingress"]["anubis"]:
        wanted = with_own_store(monorepo, wanted, sensed)
    if found := problems(monorepo, wanted, sensed, recorded):
        raise validation.refused(with_taken(monorepo, wanted, sensed, found, before.values))
    demand_possible(before.values, wanted, sensed, recorded)
    after = render(wanted.values, sensed, _left(recorded, wanted.values), record.origin)
    refuse_taken(monorepo, wanted, after.values, before.values)
    return what_follows(monorepo, record, wanted, before, after, level, without_indexes)


def what_follows(
    monorepo: Monorepo,
    record: Record,
    wanted: Answers,
    before: Rendered,
    after: Rendered,
    level: Level | None,
    without_indexes: Collection[str],
) -> ServiceChange:
    """Everything that other answers change, once they are found possible, rendered ``before`` and ``after``.

    The stack moves where its name is another one. Raises as :func:`prepare_change` does for edits, lists and
    what would not work.
    """
    name, to = before.values["name"], after.values["name"]
    answers = tuple(changes(_effective(record.given, record), _effective(wanted, record)))
    questions = ", ".join(dict.fromkeys(one.question for one in answers)) or "answers"
    message = f"{name}: renamed to {to}" if to != name else f"{name}: {questions} changed"
    place, ours = monorepo.place(name), monorepo.own_files(name)[name]
    kept = {_ANSWERS: ours[_ANSWERS]}  # answers files are not merged
    old, new = {**before.files, **kept}, {**after.files, **kept}
    sides = Sides(place, record.version, old, new, ours, renamed=to if to != name else "")
    outcome = _merged(sides)
    files = {**outcome.files, _ANSWERS: _record(sides, record, wanted, after)}
    edited = tuple(path for path, state in outcome.states.items() if state is State.MERGED)
    entries = service_entry(before.values), service_entry(after.values)
    outside = Lists(monorepo, without_indexes).follow(monorepo.files, *entries)
    demand_places(monorepo, outside)
    wanted_files = {**sides.wanted(files), **{edit.path: edit.after for edit in outside.edits}}
    runs = {p for p in sides.ours if monorepo.files.read(PurePosixPath(monorepo.place(name), p))[1]}
    executable = {PurePosixPath(monorepo.place(to), path) for path in runs}
    change = ChangeSet.plan(monorepo.files, wanted_files, executable)
    verified, plans, effects = verified_change(
        monorepo, sides, files, after.values, level, edited=bool(edited)
    )
    verified = replace(verified, unverified=(*verified.unverified, *verify_edits(change)))
    part = Part(change, after.values, verified, message, PurePosixPath(monorepo.place(to)))
    prepared = Prepared(to, record.origin, part, manual=outside.steps, before=before.values)
    had, has = (entry.databases for entry in entries)
    dropped = drop_steps(database for database in had if database not in has)
    return ServiceChange(prepared, answers, plans, edited, tuple(dropped), effects)


def _completed(given: Answers, wanted: Answers) -> Answers:
    """The answers, with what is known about a changed image, without what no longer applies."""
    images = [q.name for q in asked().values() if q.suggests]
    if any(given.values.get(image) != wanted.values.get(image) for image in images):
        wanted = filled(wanted)
    known = decisions.defaults({**stand_ins(), **{n: v for n, v in wanted.values.items() if n in asked()}})
    left = {
        name: value
        for name, value in wanted.values.items()
        # An answer given now is refused if it does not apply.
        if name not in asked()
        or value != given.values.get(name)
        or decisions.holds(asked()[name].when, known)
    }
    return replace(wanted, values=left)


def _effective(answers: Answers, record: Record) -> Mapping[str, Value]:
    """The answers that have an effect: one that equals the default changes nothing."""
    known = {n: v for n, v in answers.values.items() if n in asked()}
    return {n: v for n, v in decisions.defaults({**known, "sensed": record.sensed}).items() if n in asked()}


def as_it_holds(record: Record, sensed: Mapping[str, Value]) -> Rendered:
    """What the answers of a Service render with the installed templates.

    Raises :class:`~scaffold.errors.AnswersError` where they are no longer valid.
    """
    try:
        return render(record.given.values, sensed, record.recorded, record.origin)
    except Exception:
        validation.check(record.given, sensed, record.recorded)
        raise


def _left(recorded: Mapping[str, Value], answers: Mapping[str, Value]) -> Mapping[str, Value]:
    """What Kubernetes cannot change, without what is removed: a volume or database added later is new."""
    there = {notation.called(types()["volumes"], volume) for volume in answers.get("volumes", ())}
    volumes = {purpose: kept for purpose, kept in recorded.get("volumes", {}).items() if purpose in there}
    has_database = answers.get("database", asked()["database"].default) != "none"
    database = recorded.get("database", {}) if has_database else {}
    return {**recorded, "volumes": volumes, "database": database}


def _merged(sides: Sides) -> Merged:
    """The existing files with the difference between renders. Raises :class:`RefusedError` on conflict."""
    outcome = merged(sides.old, sides.ours, sides.new)
    if outcome.conflicts:
        fix = "Revert your edit of these lines, make the change, and edit them again."
        findings = [
            Finding(f"{sides.directory}/{path}", None, None, "change.conflict", f"{why}.", fix=fix)
            for path, why in outcome.conflicts.items()
        ]
        raise RefusedError("The change conflicts with manual edits; nothing was written.", "", findings)
    return outcome


def _record(sides: Sides, record: Record, answers: Answers, after: Rendered) -> Content:
    """The answers file; one that says the same in another order stays."""
    new = render(answers.values, record.sensed, after.values["recorded_now"], record.origin).files[_ANSWERS]
    standing = sides.ours[_ANSWERS]
    same = isinstance(new, bytes) and isinstance(standing, bytes) and load(new) == load(standing)
    return standing if same else new

"""``scaffold update``: stacks rendered by newer templates, merged with what was edited by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from jinja2 import TemplateError

from scaffold.answers import validation
from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.git import git, names
from scaffold.changes.stacks import within, write_stacks
from scaffold.checks.verify import Level, Unverified, static_findings
from scaffold.commands.plan import Plans, refuse_unmerged
from scaffold.commands.stored import Record, edits_of_answers, record_of, stored_answers
from scaffold.commands.update_plan import Sides, planned
from scaffold.errors import Finding, RefusedError
from scaffold.hcl.conflicts import SETTLE, conflict
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.monorepo.sensing import sense, template_fact
from scaffold.templates import template
from scaffold.templates.decisions import SEAL
from scaffold.templates.questions import Value, asked
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.updates.merge import Merged, State, Tree, merged
from scaffold.updates.versions import templates_of

_ANSWERS = PurePosixPath(ANSWERS_FILE)


@dataclass(frozen=True, slots=True)
class Updated:
    """What becomes of one stack, which was rendered by ``version``; ``findings`` keep it as it is."""

    stack: str
    version: str
    merged: Merged
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> State:
        """The state of the whole stack."""
        return State.CONFLICT if self.findings else self.merged.state

    @property
    def word(self) -> str:
        """What is told of it: what is refused without a conflict is none."""
        return "refused" if self.findings and not self.merged.conflicts else self.state.value

    @property
    def message(self) -> str:
        """What a commit of it alone says."""
        return f"{self.stack}: update from {self.version}"


@dataclass(frozen=True, slots=True)
class Updates:
    """What becomes of stacks, not yet written: ``change`` has all that may be."""

    origin: template.Origin
    stacks: tuple[Updated, ...]
    change: ChangeSet
    plans: Plans | None = None
    unverified: tuple[Unverified, ...] = ()

    @property
    def left(self) -> tuple[Updated, ...]:
        """The stacks that a person has to see to."""
        return tuple(stack for stack in self.stacks if stack.state is State.CONFLICT)

    def of(self, stack: str) -> ChangeSet:
        """What is written of one stack."""
        return within(self.change, PurePosixPath(STACKS, stack))

    def write(self, *, commits: str | None = None) -> tuple[str, ...]:
        """Write all of it at once; see :func:`~scaffold.changes.stacks.write_stacks`."""
        number = len({file.path.parts[1] for file in self.change.changes})
        version = f"to {self.origin.version}"
        text = f"Update {number} stack{'s' if number > 1 else ''} {version} of the templates"
        each = {PurePosixPath(STACKS, one.stack): f"{one.message} {version}" for one in self.stacks}
        return write_stacks(self.change, commits, text, each)


def made_by_scaffold(monorepo: Monorepo) -> tuple[str, ...]:
    """The stacks that record the answers that they were rendered from."""
    return tuple(name for name in monorepo.stacks if (monorepo.stack_directory(name) / _ANSWERS).is_file())


def update(
    monorepo: Monorepo,
    stacks: Sequence[str],
    *,
    to: str | None = None,
    template_source: str | None = None,
    level: Level | None = None,
    with_conflicts: bool = False,
    workers: int = 1,
) -> Updates:
    """Render stacks by the templates that they record and by those at hand, and merge what stands there.

    ``to`` is another version to go to. Facts are sensed anew. A stack with a conflict, with answers that are
    no longer valid, or that would lose something is left as it is, and told; ``with_conflicts`` takes
    conflicts in with their marks. Without a ``level`` the stacks are planned where Terraform is at hand.
    Nothing is written.

    Raises :class:`RefusedError` where a merge is not finished, and
    :class:`~scaffold.errors.MissingError` where the templates of a version cannot be had.
    """
    refuse_unmerged(monorepo.root)
    stacks = tuple(dict.fromkeys(PurePosixPath(stack).name for stack in stacks))
    with ExitStack() as templates:
        origin = _origin(monorepo, template_source)
        if to is not None:
            templates.enter_context(template.using(_current(templates_of(origin.source, to), to)))
            origin = template.Origin(origin.source, to, updatable=True)
        sides = list(_sides(monorepo, stacks, origin))
    outcome, plans, unverified = _verified(monorepo, sides, level, workers)
    wanted = {
        path: content
        for side, one in zip(sides, outcome, strict=True)
        if not one.findings or (with_conflicts and one.merged.conflicts)
        for path, content in side.wanted(one.merged.files).items()
    }
    return Updates(origin, tuple(outcome), ChangeSet.plan(monorepo.files, wanted), plans, unverified)


def _origin(monorepo: Monorepo, template_source: str | None) -> template.Origin:
    return template.origin(template_source or template_fact(sense(monorepo)))


def _current(templates: Path, version: str) -> Path:
    """The same directory, if its templates record stacks as this program does."""
    if not (templates / SEAL).is_file():
        raise RefusedError(
            f"Version {version} of the templates is too old to go to.",
            "Name a later one; a stack goes back by `git revert`.",
        )
    return templates


def _sides(monorepo: Monorepo, stacks: Sequence[str], origin: template.Origin) -> Iterator[Sides]:
    """Each stack as it was rendered, as it stands, and as it is rendered anew."""
    sensed = sense(monorepo)
    standing = _standing(monorepo, stacks)
    for name in stacks:
        ours = standing[name]
        try:
            record, said = record_of(monorepo, name), stored_answers(monorepo, name)
        except RefusedError as error:
            path = f"{STACKS}/{name}"
            unread = Finding(path, None, None, "update.no-answers", error.message, fix=error.hint)
            yield Sides(name, "", {}, {}, ours, (unread,))
            continue
        edits = edits_of_answers(monorepo, name) if record.edited else ()
        if findings := edits or validation.problems(record.given, sensed, record.recorded):
            yield Sides(name, record.version, {}, {}, ours, tuple(findings))
            continue
        new = render(record.given.values, sensed, record.recorded, origin).files
        try:
            old = _old(record, said, origin)
        except TemplateError as error:
            text = f"What is recorded cannot be rendered by version {record.version}: {error}."
            fix = "See that `_commit` names the version that the stack was rendered by."
            path = f"{STACKS}/{name}/{ANSWERS_FILE}"
            unknown = Finding(path, None, None, "update.not-rendered", text, fix=fix)
            yield Sides(name, record.version, {}, {}, ours, (unknown,))
            continue
        # What is recorded is no text to merge: it is what the rest was rendered from.
        yield Sides(name, record.version, {**old, _ANSWERS: ours[_ANSWERS]}, new, ours)


def _old(record: Record, said: Mapping[str, Value], origin: template.Origin) -> Tree:
    """The files that were rendered from all that an answers file says, by the version that it names."""
    recorded = template.Origin(record.source, record.version, updatable=True)
    with ExitStack() as templates:
        if recorded != origin:
            templates.enter_context(template.using(templates_of(record.source, record.version)))
        answers = {key: said[key] for key in asked() if key in said}
        return render(answers, record.sensed, record.recorded, recorded).files


def _standing(monorepo: Monorepo, stacks: Sequence[str]) -> Mapping[str, Tree]:
    """The files of stacks by their path below each, but those that Git ignores."""
    found: dict[str, dict[PurePosixPath, Content]] = {stack: {} for stack in stacks}
    paths = [f"{STACKS}/{stack}" for stack in stacks]
    for path in names(git(monorepo.root, "ls-files", "-coz", "--exclude-standard", "--", *paths)):
        content, _ = monorepo.files.read(path)
        if content is not None:
            found[path.parts[1]][PurePosixPath(*path.parts[2:])] = content
    return found


def _verified(
    monorepo: Monorepo, sides: Sequence[Sides], level: Level | None, workers: int
) -> tuple[list[Updated], Plans | None, tuple[Unverified, ...]]:
    """The merged stacks with what is wrong with each, their plans, and what was not verified."""
    outcome = [_merged(monorepo, side) for side in sides]
    if level is Level.STATIC:
        return outcome, None, (Unverified("the plans", "left out by --verify static"),)
    ready = [(side, one.merged.files) for side, one in zip(sides, outcome, strict=True) if not one.findings]
    found = planned(monorepo, ready, demanded=level is Level.PLAN, workers=workers)
    outcome = [replace(one, findings=(*one.findings, *found.findings.get(one.stack, ()))) for one in outcome]
    return outcome, found.plans, found.unverified


def _merged(monorepo: Monorepo, side: Sides) -> Updated:
    if side.findings:
        return Updated(side.stack, side.version, Merged(side.ours, {}, {}), side.findings)
    found = merged(side.old, side.ours, side.new)
    findings = tuple(_conflicts(side.stack, found))
    if not findings and found.state is State.MERGED:
        findings = tuple(_new_findings(monorepo, side, found.files))
    return Updated(side.stack, side.version, found, findings)


def _conflicts(stack: str, found: Merged) -> Iterator[Finding]:
    for path, why in found.conflicts.items():
        content = found.files.get(path)
        line = conflict(content) if isinstance(content, bytes) else None
        fix = (
            "Settle it by hand"
            if line is None
            else f"`scaffold update {stack} --conflicts` marks it. {SETTLE}"
        )
        yield Finding(f"{STACKS}/{stack}/{path}", None, None, "update.conflict", f"{why}.", fix=fix)


def _new_findings(monorepo: Monorepo, side: Sides, after: Tree) -> Iterator[Finding]:
    """What the merged files have wrong that those before had not: two changes may not fit together."""
    before, now = (static_findings(monorepo, side.stack, side.sources(files)) for files in (side.ours, after))
    known = {(finding.path, finding.code, finding.message) for finding in before}
    for finding in now:
        if (finding.path, finding.code, finding.message) not in known:
            yield finding

"""``scaffold adopt --write``: a hand-written stack becomes one that its answers render.

What no answer makes stays as it was written, what exists moves to its new address, and nothing is written
where anything would be destroyed, replaced or opened, or becomes another without a reason.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from scaffold.adoption import computed
from scaffold.adoption.kept import kept, left_out, moves, without
from scaffold.adoption.likeness import block_of, compare, pairs, shortened
from scaffold.adoption.rules import unexplained
from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.step import Step
from scaffold.checks.consequences import Effect
from scaffold.checks.contract import IGNORES
from scaffold.checks.verify import Verified, verify_edits
from scaffold.commands.adoption import SETTINGS, Adoption, Over, documents, examine, generated
from scaffold.commands.lists import Lists, demand_places
from scaffold.commands.plan import Plans
from scaffold.commands.prepared import Part
from scaffold.commands.service_entry import service_entry
from scaffold.commands.sides import Sides, verified_change
from scaffold.commands.stored import stored_answers
from scaffold.errors import AnswersError, Finding, RefusedError
from scaffold.hcl.syntax import Document, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value
from scaffold.templates.render import Rendered
from scaffold.templates.template import Origin
from scaffold.terraform.diff import Difference
from scaffold.terraform.planned import PlannedResource, path_text

EXTRA, MOVED = PurePosixPath("extra.tf"), PurePosixPath("moved.tf")
_NEVER = (Effect.DATA_LOST, Effect.OPENED, Effect.BACKUP_LOST, Effect.REPLACED, Effect.DESTROYED)


@dataclass(frozen=True)
class StackAdoption:
    """The adoption of one stack, not yet written.

    ``left`` is what becomes another without a rule of the house that says so, and what guards it no longer,
    each by the line that accepts it.
    """

    part: Part[Verified]
    plans: Plans
    left: Mapping[str, Finding]
    origin: Origin
    manual: tuple[Step, ...] = ()
    """The lists outside that a person has to look at."""
    comments: tuple[str, ...] = ()
    """The places of the comments that are not taken over."""

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.part.place.name

    def demand_harmless(self, accepted: Collection[str]) -> None:
        """Raise :class:`RefusedError` for harm, and for what would change and is not accepted."""
        place = str(self.part.place)
        if harm := [one for one in self.plans.stacks[0].consequences if one.effect in _NEVER]:
            findings = [one.finding(place, "adopt.") for one in harm]
            fix = "Add answers with --set or --answers, or leave the stack as it is."
            raise RefusedError("This would harm what is running; nothing was written.", fix, findings)
        if left := [line for line in self.left if line not in accepted]:
            raise RefusedError(
                "No rule explains why these lines would change; nothing was written.",
                f"Accept each intended one by its line: `--accept {shlex.quote(left[0])}`",
                [self.left[line] for line in left],
            )


def prepare_adoption(
    monorepo: Monorepo,
    stack: str,
    over: Over,
    accepted: Collection[str],
    without_indexes: Collection[str] = (),
    template_source: str | None = None,
) -> StackAdoption:
    """Find out what the adoption of a stack changes, and verify it; nothing is written.

    ``over`` lays what a person gives over what is inferred, and ``accepted`` are the lines of what is
    assumed; the lists outside follow, but those in ``without_indexes``; ``template_source`` as for
    :func:`~scaffold.commands.adoption.examine`. Raises
    :class:`~scaffold.errors.AnswersError` with every answer that a person has to settle,
    :class:`RefusedError` for a stack that no answers describe and for lists that have lost their place, and
    :class:`VerificationError` for what would not work.
    """
    if stored_answers(monorepo, stack):
        raise RefusedError(
            f"{monorepo.place(stack)} already has answers.", f"Change them with `scaffold change {stack}`."
        )
    (found,) = examine(monorepo, [stack], over=over, template_source=template_source)
    if found.why_not or found.before is None or found.origin is None:
        raise RefusedError(f"{monorepo.place(stack)} cannot be adopted: {found.why_not}.")
    _demand_settled(found, accepted)
    if found.rendered is None or found.after is None or not found.after.ok or found.obstacles:
        raise RefusedError(f"{monorepo.place(stack)} cannot be adopted: {'; '.join(found.obstacles)}.")
    rendered = found.rendered
    ours = monorepo.own_files(stack)[stack]
    after = _files(monorepo, found, rendered, ours)
    sides = Sides(monorepo.place(stack), "", {}, after, ours)
    verified, plans, _ = verified_change(monorepo, sides, after, rendered.values, None, edited=False)
    if plans is None or verified.plan is None:
        raise RefusedError(
            "The effect on what is running is not known; nothing was written.", "Install terraform or tofu."
        )
    planned = verified.plan
    outside = Lists(monorepo, without_indexes).keep(monorepo.files, service_entry(rendered.values))
    demand_places(monorepo, outside)
    lists = {edit.path: edit.after for edit in outside.edits}
    change = ChangeSet.plan(monorepo.files, {**sides.wanted(after), **lists})
    verified = replace(verified, unverified=(*verified.unverified, *verify_edits(change)))
    message, place = f"{stack}: adopted by scaffold", PurePosixPath(monorepo.place(stack))
    part = Part(change, rendered.values, verified, message, place)
    others = (
        _left(one.resource, missing.path, missing.becomes, missing.value)
        for one in compare(found.before.resources, planned.resources)
        for missing in unexplained(one)
    )
    left = dict((*others, *_unguarded(plans.stacks[0].difference, rendered.values)))
    comments = tuple(left_out(_read(place, ours), _read(place, after)))
    return StackAdoption(part, plans, left, found.origin, outside.steps, comments)


def _left(
    resource: PlannedResource, path: str, becomes: str = "would be lost", value: str | None = None
) -> tuple[str, Finding]:
    """The line with which something is accepted, and the finding that asks for that."""
    line, site = f"{resource.address} {path}", resource.site
    shown = shortened(value) if value is not None else None
    return line, Finding(site.path, site.line, None, "adopt.unexplained", f"{line} {becomes}.", shown)


def _unguarded(found: Difference | None, values: Mapping[str, Value]) -> Iterator[tuple[str, Finding]]:
    """What ``lifecycle`` loses with which Terraform left alone what something else sets.

    What a policy sets in enrolled Namespaces alone needs no guard in another, nor where the stack sets it.
    """
    workload, rows = values["workload"], values["facts"]["ignored"]["enrolled"]
    said = [f'"{name}"' for name in workload["keel_annotations"]]
    idle = {r["path"] for r in rows if not workload["enrolled"] or any(name in r["path"] for name in said)}
    for changed in found.changed if found else ():
        gone = (one.path for one in changed.meta if one.before is not None)
        guards = (path for path in gone if path.startswith("lifecycle.") and path != IGNORES)
        yield from (_left(changed.before, path) for path in guards)
        for path in changed.before.site.ignored:
            kept = any(path[: len(above)] == above for above in changed.after.site.ignored)
            if not kept and path_text(path) not in idle:
                yield _left(changed.before, f"{IGNORES} {path_text(path)}")


def _demand_settled(found: Adoption, accepted: Collection[str]) -> None:
    """Raise :class:`AnswersError` with all answers that are wrong, or assumed and not accepted."""
    assumed = (one.to_settle for one in found.assumed if one.line not in accepted)
    if findings := [*found.refused, *assumed]:
        one = len(findings) == 1
        count = "One answer is" if one else f"{len(findings)} answers are"
        hint = (
            f"Give {'it' if one else 'them'} with --set or --answers, or accept what is assumed by its line."
        )
        raise AnswersError(f"{count} for a person to settle; nothing was written.", hint, findings)


def _files(
    monorepo: Monorepo, found: Adoption, rendered: Rendered, ours: Mapping[PurePosixPath, Content]
) -> dict[PurePosixPath, Content]:
    """What is rendered, what stays of the stack's own text, and the new addresses of what exists."""
    assert found.before is not None and found.after is not None
    matched = list(pairs(found.before.resources, found.after.resources))
    new = [parse(c, str(p)) for p, c in rendered.files.items() if isinstance(c, bytes) and p.suffix == ".tf"]
    made = generated(monorepo, found.stack)
    beside = {p: c for p, c in ours.items() if p.suffix != ".tf" or len(p.parts) > 1 or p.name in made}
    own = {f"{monorepo.place(found.stack)}/{path}" for path in ours.keys() - beside.keys()}
    standing = [d for d in documents(monorepo, found.stack) if d.path in own]
    secret = computed.block(found.stack, standing, rendered.values, found.before.resources, new)
    standing += [secret] if secret is not None else []
    left = kept(standing, matched, new, {block_of(r.address) for r in found.before.resources})
    files = {**beside, **rendered.files}
    declared = {resource.address for resource in found.after.resources}
    moved = (p.before.address for p in matched if p.moved and p.movable)
    if taken := dict.fromkeys((*left.taken, *(address for address in moved if address in declared))):
        place, names = monorepo.place(found.stack), ", ".join(taken)
        raise RefusedError(
            f"{place} cannot be adopted in one step: the rendered stack calls another object {names}, "
            "and Terraform moves nothing whose name stays in use.",
            "Rename it in the stack first, with a moved block, and apply that.",
        )
    written = {EXTRA: left.text, MOVED: moves(matched)}
    settings = files[SETTINGS]
    if isinstance(settings, bytes):
        gone = _variables(standing) - _variables([*new, parse(left.text)])
        files[SETTINGS] = without(settings, sorted(gone))
    return {**files, **{path: content for path, content in written.items() if content}}


def _read(place: PurePosixPath, files: Mapping[PurePosixPath, Content]) -> Iterator[Document]:
    for path, content in sorted(files.items()):
        if isinstance(content, bytes) and path.suffix == ".tf":
            yield parse(content, str(place / path))


def _variables(documents: Collection[Document]) -> set[str]:
    return {block.labels[0] for document in documents for block in document.body.blocks_of("variable")}

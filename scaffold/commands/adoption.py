"""How well answers describe hand-written stacks: inferred, rendered, planned, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TypeAlias

from scaffold.adoption.infer import infer
from scaffold.adoption.inferred import Certainty, Inferred, gathered, has_stock_reason
from scaffold.adoption.kept import joined
from scaffold.adoption.likeness import Compared, block_of, compare, pairs, share
from scaffold.adoption.rules import unexplained
from scaffold.adoption.scope import not_ours, obstacles
from scaffold.adoption.standing import Standing
from scaffold.adoption.written import Written
from scaffold.answers import validation
from scaffold.answers.sources import Answers, Place
from scaffold.changes.change import Content, Symlink
from scaffold.errors import Finding
from scaffold.hcl.syntax import Document, read
from scaffold.monorepo.facts import merged
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.templates.render import Rendered, render
from scaffold.terraform import terragrunt
from scaffold.terraform.planned import STAND_IN
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import Job, plan_jobs
from scaffold.terraform.tree import DiskTree, Kind, Overlay, OverlayTree

SETTINGS = PurePosixPath(terragrunt.FILE)
Files = Mapping[PurePosixPath, Content]
Over: TypeAlias = Callable[[Answers], Answers]
"""Lays what a person gives over the answers that are inferred."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """How well answers describe one stack.

    ``why_not`` says why no answers do. ``before`` is the plan of the stack as it is, and ``after`` that of
    what the answers render; ``refused`` is what the answers would be refused for, ``obstacles`` what cannot
    stay.
    """

    stack: str
    why_not: str = ""
    inferred: tuple[Inferred, ...] = ()
    answers: Answers | None = None
    recorded: Mapping[str, Value] = field(default_factory=dict)
    rendered: Rendered | None = None
    refused: tuple[Finding, ...] = ()
    obstacles: tuple[str, ...] = ()
    before: PlanResult | None = None
    after: PlanResult | None = None
    compared: tuple[Compared, ...] = ()
    origin: template.Origin | None = None
    """Where the stack would record that its templates are."""

    @property
    def share(self) -> float | None:
        """The share of planned attributes that answers reproduce; None if nothing is compared."""
        return share(self.compared) if self.compared else None

    @property
    def share_of_wanted(self) -> float | None:
        """The same share, without the attributes that house rules change."""
        total = sum(one.total for one in self.compared)
        left = sum(len(unexplained(one)) for one in self.compared)
        ruled = sum(len(one.missing) for one in self.compared) - left
        return 1 - left / (total - ruled) if total > ruled else None

    @property
    def share_with_kept(self) -> float | None:
        """The share that answers reproduce, or that stays as written in blocks that nothing replaces.

        Whether such a block can stay beside what is rendered is not tried: that is shown by an adoption.
        """
        if not self.compared or self.before is None or self.after is None:
            return None
        found = pairs(self.before.resources, self.after.resources)
        replaced = {block_of(pair.before.address) for pair in found}
        left = sum(len(c.missing) for c in self.compared if block_of(c.resource.address) in replaced)
        return 1 - left / sum(one.total for one in self.compared)

    @property
    def assumed(self) -> tuple[Inferred, ...]:
        """The answers that a person has to settle although nothing refuses them: the stack does not show
        them.

        An answer that is given in part stays assumed as long as a stock reason is left in it.
        """
        values, places = (self.answers.values, self.answers.places) if self.answers else ({}, {})
        given = {path[0] for path in places if path}
        left = (one for one in self.inferred if one.certainty is Certainty.ASSUMED)
        return tuple(
            one for one in left if one.question not in given or has_stock_reason(values.get(one.question))
        )


def examine(
    monorepo: Monorepo,
    stacks: Sequence[str],
    workers: int = 1,
    over: Over = lambda inferred: inferred,
    template_source: str | None = None,
) -> list[Adoption]:
    """How well answers describe each stack; nothing is written.

    ``over`` lays what a person gives over what is inferred; ``template_source`` is where the templates are
    recorded to be, in place of what the house or the installation says. Raises
    :class:`~scaffold.errors.MissingError` if nothing can be planned, or there is no such stack.
    """
    sensed = sense(monorepo)
    facts = merged(decisions.house(), sensed)
    disk = DiskTree(monorepo.root)
    plans = plan_jobs([Job(disk, stack) for stack in stacks], workers)
    origin = template.origin(template_source or sensed.get("template"))
    found = [_inferred(monorepo, plan, facts, sensed, origin, over) for plan in plans]
    ready = {one.stack: one.rendered.files for one in found if one.rendered is not None}
    jobs = [Job(OverlayTree(disk, overlay(monorepo, name, files)), name) for name, files in ready.items()]
    after = dict(zip(ready, plan_jobs(jobs, workers), strict=True))
    return [_compared(one, after.get(one.stack)) for one in found]


def standing(monorepo: Monorepo, plan: PlanResult, facts: Mapping[str, Value]) -> Standing:
    """A stack as its plan and its files show it."""
    shared = {f"{STAND_IN}.var.{variable}": host for host, variable in facts["hosts"].items()}
    known = ((monorepo.variable(variable), host) for host, variable in facts["hosts"].items())
    shared |= {address: host for address, host in known if address}
    inputs = terragrunt.read(DiskTree(monorepo.root), monorepo.place(plan.stack)).inputs
    given = ((inputs.get(variable), host) for host, variable in facts["hosts"].items())
    shared |= {address: host for address, host in given if isinstance(address, str) and address}
    written = Written(tuple(documents(monorepo, plan.stack)))
    of_house = {*facts["hosts"].values(), "tls_secret_name", "image_tag"}
    settings = (monorepo.variables or frozenset()) - of_house
    return Standing(plan.stack, plan.resources, facts, written, shared, settings)


def documents(monorepo: Monorepo, stack: str) -> Iterator[Document]:
    """The Terraform files that people wrote of a stack, including those of its own modules."""
    place = monorepo.stack_directory(stack)
    made = {place / name for name in generated(monorepo, stack)}
    for path in sorted({*place.rglob("*.tf")} - made):
        document = (
            read(path.read_bytes(), path.relative_to(monorepo.root).as_posix()) if path.is_file() else None
        )
        if document is not None:
            yield document


def generated(monorepo: Monorepo, stack: str) -> frozenset[str]:
    """The files of a stack that terragrunt writes, even if they are in Git."""
    found = terragrunt.read(DiskTree(monorepo.root), f"{monorepo.place(stack)}")
    return frozenset(file.name for file in found.files)


def overlay(monorepo: Monorepo, stack: str, files: Files) -> Overlay:
    """A stack's files in place of its existing ones; what terragrunt generates stays."""
    disk, place = DiskTree(monorepo.root), f"{monorepo.place(stack)}"
    left = generated(monorepo, stack)
    gone = {f"{place}/{name}" for name in disk.names(place) if name.endswith(".tf") and name not in left}
    # The answers file is not part of a plan.
    new = {
        f"{place}/{path}": content
        for path, content in files.items()
        if isinstance(content, Symlink) or path.suffix in (".tf", ".hcl")
    }
    return {**dict.fromkeys(gone), **new}


def _inferred(
    monorepo: Monorepo,
    plan: PlanResult,
    facts: Mapping[str, Value],
    sensed: Mapping[str, Value],
    origin: template.Origin,
    over: Over,
) -> Adoption:
    """What is inferred of one stack, and what it renders."""
    if not plan.ok:
        why = plan.findings[0].message
        return Adoption(plan.stack, f"it cannot be planned: {why}", before=plan)
    stack = standing(monorepo, plan, facts)
    if why := not_ours(stack):
        return Adoption(plan.stack, why, before=plan)
    inferred = infer(stack)
    values, recorded = gathered(inferred)
    answers = over(Answers(values, {(): Place(f"{monorepo.place(plan.stack)}")}))
    refused = tuple(validation.problems(answers, sensed, recorded))
    rendered = _rendered(answers, refused, sensed, recorded, origin)
    if rendered is not None:
        rendered = replace(rendered, files=_with_settings(monorepo, plan.stack, rendered.files))
    stops = tuple(obstacles(stack))
    return Adoption(
        plan.stack, "", inferred, answers, recorded, rendered, refused, stops, plan, origin=origin
    )


def _with_settings(monorepo: Monorepo, stack: str, rendered: Files) -> dict[PurePosixPath, Content]:
    """The rendered files, with what only the stack's own settings have, such as additional inputs."""
    place = f"{monorepo.place(stack)}/{SETTINGS}"
    disk, made = DiskTree(monorepo.root), rendered[SETTINGS]
    standing = disk.read(place) if disk.kind(place) is Kind.FILE else b""
    both = joined(made, standing) if isinstance(made, bytes) else made
    return {**rendered, SETTINGS: both}


def _rendered(
    given: Answers,
    refused: Sequence[Finding],
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value],
    origin: template.Origin,
) -> Rendered | None:
    """What the answers render even if some are refused: with all of them, else with the valid ones."""
    if not refused:
        return render(given.values, sensed, recorded, origin)
    for answers in (given.values, validation.valid_part(given, refused).values):
        try:
            return render(answers, sensed, recorded, origin)
        except Exception:  # whatever invalid answers lead to, they are refused already
            continue
    return None


def _compared(found: Adoption, after: PlanResult | None) -> Adoption:
    if after is None or found.before is None:
        return found
    if not after.ok:
        why = f"what the answers render cannot be planned: {after.findings[0].message}"
        return replace(found, after=after, obstacles=(*found.obstacles, why))
    stuck = {
        p.before.type: p.after.type for p in pairs(found.before.resources, after.resources) if not p.movable
    }
    stops = (f"Terraform cannot move a {old} to a {new}" for old, new in sorted(stuck.items()))
    compared = tuple(compare(found.before.resources, after.resources))
    return replace(found, after=after, obstacles=(*found.obstacles, *stops), compared=compared)

"""What is checked in a rendered stack, in order, before a byte of it is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, partial
from pathlib import PurePosixPath
from types import MappingProxyType

from scaffold.changes.change import Action, ChangeSet, Content, Symlink
from scaffold.checks.exceptions import Exceptions, ignores
from scaffold.checks.house import house_names
from scaffold.checks.rule import Kind, Severity, rules
from scaffold.checks.stack import CheckContext, ParsedStack, parse_stack, run
from scaffold.errors import Finding, MissingError, VerificationError
from scaffold.hcl.modules import terraform_files
from scaffold.hcl.second_reader import SecondReading, read_again, read_edited
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import Value
from scaffold.terraform.result import PlanResult, Reason
from scaffold.terraform.tree import Overlay

_WITHOUT_INDEX = "Edit the file by hand, with --no-index for the index that it belongs to."
_HCL = frozenset((".tf", ".hcl", ".tfvars"))


class Level(Enum):
    """How far a stack is verified."""

    STATIC = "static"
    """Syntax tree, module contracts, provider schemas, references, house rules."""
    PLAN = "plan"
    """All of that, and planned by Terraform."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """Something that was not verified, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of a verification without findings; ``plan`` where the stack was planned."""

    level: Level
    plan: PlanResult | None = None
    unverified: tuple[Unverified, ...] = ()
    warnings: tuple[Finding, ...] = ()
    """What works but is not the house's way, in the files that people keep beside the rendered ones."""


def verify(
    monorepo: Monorepo,
    stack: str,
    files: Mapping[PurePosixPath, Content | None],
    values: Mapping[str, Value],
    level: Level | None = None,
    known: Collection[Finding] = (),
    own_files: Mapping[str, bytes] = MappingProxyType({}),
    meanwhile: Callable[[], object] = lambda: None,
) -> Verified:
    """Verify the files of a stack against the monorepo that it is for.

    ``files`` are by path below the stack, None if one that is there goes; ``values`` are the combined values
    that they were rendered from, with the names that the house has. Without a ``level`` a stack is planned
    where Terraform is available, and the result says so if it is not. What is ``known`` of the stack as it
    stands is not told again, wherever it stands by now. ``own_files``, by path from the root, are to be kept
    beside the rendered ones. ``meanwhile`` is done while Terraform plans, if it has to; what of it fails has
    to fail again when it is needed. Raises :class:`VerificationError` with every finding of the first stage
    that finds any, and :class:`MissingError` if a plan is demanded and impossible.
    """
    sources = {
        f"{monorepo.place(stack)}/{path}": content
        for path, content in files.items()
        if path.suffix in (".tf", ".hcl") and isinstance(content, bytes)
    }
    gone = {f"{monorepo.place(stack)}/{path}" for path, content in files.items() if content is None}
    rendered = sources
    present = {**beside(monorepo, stack, sources), **own_files, **sources}
    sources = {path: content for path, content in present.items() if path not in gone}
    told = frozenset(map(_words, known))
    links = {f"{monorepo.place(stack)}/{p}": c.target for p, c in files.items() if isinstance(c, Symlink)}
    found, noted = _by_severity(static_findings(monorepo, stack, sources, links))
    found = [finding for finding in found if _words(finding) not in told]
    if found:
        raise _failed(stack, found)
    again = cache(partial(_second_reading, stack, rendered))
    if level is Level.STATIC:
        left_out = Unverified("the plan", "left out by --verify static")
        return Verified(Level.STATIC, None, (left_out, *again()), tuple(noted))

    def aside() -> None:
        again()
        meanwhile()

    edits: Overlay = {**dict.fromkeys(gone), **sources, **{p: Symlink(to) for p, to in links.items()}}
    try:
        plan = _planned(monorepo, stack, edits, aside, demanded=level is Level.PLAN)
    except MissingError:
        again()  # what it finds is told first
        raise
    unread = again()
    if isinstance(plan, Unverified):
        return Verified(Level.STATIC, None, (plan, *unread), tuple(noted))
    warnings = _judged(monorepo, stack, sources, plan, values, told)
    only_there = Unverified("what only the cluster knows", "images, admission policies and quotas in use")
    return Verified(Level.PLAN, plan, (only_there, *_unconfined(plan), *unread), (*noted, *warnings))


def verify_edits(change: ChangeSet, otherwise: str = _WITHOUT_INDEX) -> tuple[Unverified, ...]:
    """Have the second reader read what a change edits in existing HCL files, before it is written.

    Returns what it could not read. Raises :class:`VerificationError` if it reads something else; the hint is
    what to do ``otherwise``.
    """
    edits = {
        str(file.path): (file.before, file.after)
        for file in change.changes
        if file.action is Action.MODIFY and file.path.suffix in _HCL
        if isinstance(file.before, bytes) and isinstance(file.after, bytes)
    }
    second = read_edited(edits) if edits else SecondReading()
    if second.findings:
        paths = ", ".join(sorted({str(finding.path) for finding in second.findings}))
        raise VerificationError(
            f"The edit of {paths} may not mean what was intended; nothing was written.",
            otherwise,
            second.findings,
        )
    return _unread(second)


def _unread(second: SecondReading) -> tuple[Unverified, ...]:
    return tuple(Unverified(f"the second reading of {path}", why) for path, why in second.unread)


def _unconfined(plan: PlanResult) -> tuple[Unverified, ...]:
    """The note that, on this system, nothing keeps Terraform from reading or sending more."""
    if not plan.open:
        return ()
    open_ = " and ".join(layer.value for layer in plan.open)
    why = f"this system does not keep {open_} from Terraform, see SECURITY.md"
    return (Unverified("that the plan stayed within its files", why),)


def beside(monorepo: Monorepo, stack: str, rendered: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Terraform files that people keep in a stack's directory beside the rendered ones, by path.

    They are part of the stack: what is rendered may refer to them, and they to it.
    """
    files = terraform_files(monorepo.stack_directory(stack))
    found = {path.relative_to(monorepo.root).as_posix(): path for path in files}
    return {path: file.read_bytes() for path, file in found.items() if path not in rendered}


def static_findings(
    monorepo: Monorepo, stack: str, sources: Mapping[str, bytes], links: Collection[str] = ()
) -> list[Finding]:
    """Everything that the checks on the syntax tree find in a stack's files (paths below the root).

    ``links`` are symbolic links that come with them.
    """
    parsed = parse_stack(monorepo.place(stack), sources)
    if isinstance(parsed, list):
        return parsed
    context = CheckContext.of(monorepo)
    known = replace(context, exists=lambda path: path in links or context.exists(path))
    return _without_exceptions(parsed, run(parsed, known))


def _without_exceptions(stack: ParsedStack, found: list[Finding]) -> list[Finding]:
    """The findings that no exception in the stack's files covers."""
    return Exceptions(ignores(stack.documents.values())).left_of(found) if found else []


def _planned(
    monorepo: Monorepo, stack: str, edits: Overlay, meanwhile: Callable[[], object], *, demanded: bool
) -> PlanResult | Unverified:
    """The plan, or why there is none, which raises :class:`MissingError` where it is demanded."""
    from scaffold.terraform.runner import find_tool, plan_stacks

    try:
        tool = find_tool()
    except MissingError as error:
        if demanded:
            raise
        return Unverified("the plan", error.message)
    (result,) = plan_stacks(monorepo.root, [stack], edits, tool=tool, meanwhile=meanwhile)
    if result.unable:
        first = result.findings[0]
        if demanded:
            raise MissingError(first.message, first.fix or "", result.findings)
        return Unverified("the plan", first.message)
    return result


def _judged(
    monorepo: Monorepo,
    stack: str,
    sources: Mapping[str, bytes],
    result: PlanResult,
    values: Mapping[str, Value],
    told: Collection[tuple[str, str]],
) -> tuple[Finding, ...]:
    """The rules' warnings of a plan. Errors raise :class:`VerificationError`."""
    from scaffold.checks.planned import Plan, apply_rules

    shared = [finding for finding in result.findings if finding.code == Reason.MODULE.value]
    if shared:
        raise VerificationError(
            f"{stack} cannot be planned: a shared module is wrong, whichever stack calls it.",
            "Fix the module, or skip the plan with --verify static.",
            result.findings,
        )
    found = list(result.findings) or apply_rules(Plan(result.resources, house_names(monorepo, values)))
    if found and isinstance(parsed := parse_stack(monorepo.place(stack), sources), ParsedStack):
        found = _without_exceptions(parsed, found)
    errors, warnings = _by_severity(found)
    if errors := [finding for finding in errors if _words(finding) not in told]:
        raise _failed(stack, errors)
    return tuple(warnings)


def _second_reading(stack: str, rendered: Mapping[str, bytes]) -> tuple[Unverified, ...]:
    """What the second reader could not read. Raises :class:`VerificationError` if it reads something else."""
    second = read_again(rendered)
    if second.findings:
        raise _failed(stack, second.findings)
    return _unread(second)


def _words(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.message


def _by_severity(found: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that are errors, and those that are warnings."""
    asked = (rule for kind in (Kind.STACK, Kind.PLAN) for rule in rules(__package__, kind))
    warning = {rule.code for rule in asked if rule.severity is Severity.WARNING}
    split: tuple[list[Finding], list[Finding]] = ([], [])
    for finding in found:
        split[finding.code in warning].append(finding)
    return split


def _failed(stack: str, found: Sequence[Finding]) -> VerificationError:
    return VerificationError(
        f"What was rendered for {stack} failed its verification; nothing was written.",
        "If no answer explains it, the monorepo has moved away from this version of the templates.",
        found,
    )

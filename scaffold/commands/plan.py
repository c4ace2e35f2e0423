"""``scaffold plan``: what Terraform would create for stacks, and how that differs from an older revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scaffold.errors import Finding, MissingError
from scaffold.monorepo import STACKS
from scaffold.terraform import planned, summary
from scaffold.terraform.diff import Change, Difference, difference
from scaffold.terraform.planned import Leaf
from scaffold.terraform.result import PlanResult, StandIn, StandInKind, Tool
from scaffold.terraform.runner import Job, find_tool, plan_jobs
from scaffold.terraform.schemas import Schemas
from scaffold.terraform.tree import DiskTree, Kind, Tree, git_tree

_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class StackPlan:
    """One stack: its plan, and with ``--against`` the plan of the older revision and the difference.

    Either plan is None where the stack does not exist on that side.
    """

    stack: str
    result: PlanResult | None
    older: PlanResult | None = None
    difference: Difference | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why the stack cannot be planned; an older revision that cannot be is no fault of this one."""
        return self.result.findings if self.result is not None else ()


@dataclass(frozen=True, slots=True)
class Plans:
    """The outcome for all stacks that were asked for; ``against`` is the older revision, if one was named."""

    tool: Tool
    stacks: tuple[StackPlan, ...]
    against: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every stack could be planned."""
        return not any(stack.findings for stack in self.stacks)

    @property
    def differs(self) -> bool:
        """Whether a stack differs from the older revision."""
        return any(stack.difference for stack in self.stacks)

    def to_json(self) -> dict[str, object]:
        """The one JSON object that ``--json`` prints."""
        return {
            "tool": {"name": self.tool.name, "version": self.tool.version},
            **({"against": self.against} if self.against else {}),
            "stacks": [_stack_json(stack) for stack in self.stacks],
        }

    def to_text(self) -> str:
        """A short text for people, stack by stack, and one line at the end that counts."""
        blocks = ["\n".join(_stack_text(stack, self.against)) for stack in self.stacks]
        return "\n\n".join((*blocks, self._total())) + "\n"

    def _total(self) -> str:
        good = sum(not stack.findings for stack in self.stacks)
        resources = sum(len(stack.result.resources) for stack in self.stacks if stack.result is not None)
        tool = " ".join(filter(None, (self.tool.name, self.tool.version)))
        return f"{good} of {len(self.stacks)} stacks planned, {resources} resources, with {tool}, offline."


def plan(
    root: Path,
    stacks: Sequence[str],
    *,
    against: str | None = None,
    workers: int = 1,
    tool: Tool | None = None,
    known: Schemas | None = None,
) -> Plans:
    """Plan stacks of the monorepo at ``root``, and with ``against`` compare them with a Git revision.

    A stack may be named by its directory too, ``stacks/x/``, and is planned once. Raises ``MissingError``
    where there is no Terraform, no such stack or no such revision.
    """
    tool = tool or find_tool()
    stacks = tuple(dict.fromkeys(map(_name, stacks)))
    with ExitStack() as stack_of_trees:
        now: Tree = DiskTree(root)
        then = stack_of_trees.enter_context(git_tree(root, against)) if against else None
        for stack in stacks:
            if not any(tree is not None and _has(tree, stack) for tree in (now, then)):
                raise MissingError(f"there is no stack {stack}", f"name a directory below {STACKS}/")
        new = [Job(now, stack) for stack in stacks if _has(now, stack)]
        old = [Job(then, stack) for stack in stacks if then is not None and _has(then, stack)]
        results = plan_jobs([*new, *old], workers, tool=tool, known=known)
    current = {result.stack: result for result in results[: len(new)]}
    older = {result.stack: result for result in results[len(new) :]}
    version = next((result.tool for result in results if result.tool.version), tool)
    pairs = [(stack, current.get(stack), older.get(stack)) for stack in stacks]
    return Plans(
        tool=version,
        stacks=tuple(StackPlan(s, a, b, _difference(a, b) if against else None) for s, a, b in pairs),
        against=against,
    )


def _name(stack: str) -> str:
    path = PurePosixPath(stack)
    return path.name if path.parent in (PurePosixPath(STACKS), PurePosixPath()) else stack


def _has(tree: Tree, stack: str) -> bool:
    is_name = stack not in ("", ".", "..") and "/" not in stack
    return is_name and tree.kind(f"{STACKS}/{stack}") is Kind.DIRECTORY


def _difference(new: PlanResult | None, old: PlanResult | None) -> Difference | None:
    """The difference, where both sides could be planned or do not exist."""
    if any(result is not None and not result.ok for result in (new, old)):
        return None
    return difference(old.resources if old is not None else (), new.resources if new is not None else ())


# JSON


def _stack_json(stack: StackPlan) -> dict[str, object]:
    entry: dict[str, object] = {"stack": stack.stack}
    result = stack.result
    if result is None:
        entry["resources"] = []
    elif result.ok:
        entry["resources"] = planned.to_json(result.resources)
    else:
        entry["error"] = {
            "kind": "findings",
            "message": f"{stack.stack} cannot be planned",
            "findings": [_finding_json(finding) for finding in result.findings],
        }
    if result is not None:
        entry["stand_ins"] = [
            {"kind": s.kind.value, "what": s.what, "where": s.where} for s in result.stand_ins
        ]
        entry["notices"] = [_finding_json(finding) for finding in result.notices]
        entry["seconds"] = round(result.seconds, 3)
    if stack.older is not None and not stack.older.ok:
        entry["older_error"] = [_finding_json(finding) for finding in stack.older.findings]
    if stack.difference is not None:
        entry["difference"] = stack.difference.to_json()
    return entry


def _finding_json(finding: Finding) -> dict[str, object]:
    shown = ("path", "line", "column", "code", "message", "hint")
    return {name: value for name in shown if (value := getattr(finding, name)) is not None}


# text


def _stack_text(stack: StackPlan, against: str | None) -> Iterator[str]:
    if stack.result is None:
        yield f"{stack.stack}: gone since {against}"
    elif not stack.result.ok:
        yield f"{stack.stack}: cannot be planned"
        yield from _findings_text(stack.result.findings)
    elif stack.difference is not None:
        yield f"{stack.stack}: against {against}"
    else:
        yield f"{stack.stack}: {len(stack.result.resources)} resources in {stack.result.seconds:.1f} s"
        for section in summary.summarize(stack.result.resources):
            yield f"  {section.title}"
            yield from (f"    {line}" for line in section.lines)
        yield from _stand_ins_text(stack.result.stand_ins)
    if stack.result is not None and stack.result.notices:
        yield "  Notice"
        yield from _findings_text(stack.result.notices)
    if stack.older is not None and not stack.older.ok:
        yield f"  The stack of {against} cannot be planned"
        yield from _findings_text(stack.older.findings)
    if stack.difference is not None:
        yield from _difference_text(stack.difference)


def _findings_text(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"    {finding.location}: {finding.message} [{finding.code}]"
        if finding.hint:
            yield f"      {finding.hint}"


_STAND_INS = {
    StandInKind.DATA: "data that is not read",
    StandInKind.VARIABLE: "variables without a value here",
    StandInKind.FILE: "files whose contents stay secret",
    StandInKind.IMPORT: "imports, planned as new",
    StandInKind.FUNCTION: "functions of providers",
    StandInKind.PROVIDER: "providers without a schema: their resources are not checked",
    StandInKind.INSTANCES: "shown once, however many there will be",
    StandInKind.GENERATED: "generated by terragrunt, evaluated in part",
}
"""How each kind of stand-in is told to a person; the others are told by notices, or need no telling."""


def _stand_ins_text(stand_ins: Sequence[StandIn]) -> Iterator[str]:
    told = [(text, [s.what for s in stand_ins if s.kind is kind]) for kind, text in _STAND_INS.items()]
    if any(what for _, what in told):
        yield "  Not real"
        for text, what in told:
            if what:
                yield f"    {text}: {', '.join(_counted(what))}"


def _counted(names: Sequence[str]) -> Iterator[str]:
    for name, number in Counter(names).items():
        yield name if number == 1 else f"{name} ({number} times)"


def _difference_text(found: Difference) -> Iterator[str]:
    if not found:
        yield "  no difference"
    for sign, resources in (("+", found.added), ("-", found.removed)):
        yield from (f"  {sign} {resource.address}" for resource in resources)
    for changed in found.changed:
        yield f"  ~ {changed.address}"
        for change in changed.changes:
            yield f"      {_change_text(change)}"


def _change_text(change: Change) -> str:
    return f"{change.path}: {_value(change.before)} → {_value(change.after)}"


def _value(leaf: Leaf) -> str:
    text = " ".join(summary.text(leaf).split())
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"

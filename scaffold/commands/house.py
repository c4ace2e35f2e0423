"""The house at a glance: who can reach what, what is stored where, and what the rules find."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.checks.rule import Severity
from scaffold.checks.verify import Unverified
from scaffold.commands.check import Checked, severity, stack_of
from scaffold.commands.exposed import Backup, Described, Host, Reach, Store, place
from scaffold.commands.index import show
from scaffold.commands.rule import by_code
from scaffold.commands.stored import stored_answers
from scaffold.errors import Finding, RefusedError
from scaffold.indexes import all_indexes
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.questions import asked
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, get
from scaffold.terraform.summary import text


@dataclass(frozen=True, slots=True)
class Object:
    """A planned object."""

    kind: str
    name: str
    address: str
    place: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, its severity, and the stack it is about, or the file if it belongs to no stack."""

    finding: Finding
    severity: Severity
    stack: str
    is_stack: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A stack's entry in a list outside the stacks."""

    index: str
    path: str
    key: str


@dataclass(frozen=True, slots=True)
class StackPage:
    """Everything that is known about one stack."""

    name: str
    description: str
    found: tuple[Found, ...]
    objects: tuple[Object, ...]
    answers: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    problem: str = ""
    """Why its answers cannot be read."""

    @property
    def severities(self) -> tuple[tuple[Severity, int], ...]:
        """The number of findings for each severity that occurs."""
        return _severities(self.found)


@dataclass(frozen=True, slots=True)
class Line:
    """The findings by rule of a stack, or of a file that belongs to none."""

    name: str
    counts: tuple[int, ...]
    is_stack: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that describes the house, and how bad it is if it is not zero."""

    number: int
    what: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """A rule, or a reason why stacks cannot be planned, with what it found."""

    code: str
    title: str
    why: str
    severity: Severity
    findings: int
    stacks: int


@dataclass(frozen=True, slots=True)
class House:
    """Everything on one page. ``planned`` says whether hosts, volumes and objects are known at all."""

    name: str
    planned: bool
    hosts: tuple[Host, ...]
    stores: tuple[Store, ...]
    rules: tuple[RuleCount, ...]
    found: tuple[Found, ...]
    stacks: tuple[StackPage, ...]
    unverified: tuple[Unverified, ...]
    unplanned: tuple[str, ...]
    """The stacks, checked or not, that could not be planned."""

    @property
    def matrix(self) -> tuple[Line, ...]:
        """The stacks that have findings, then the files that belong to none, with their findings by rule."""
        counts = Counter((one.stack, one.finding.code) for one in self.found)
        stacks = [page.name for page in self.stacks if page.found]
        files = sorted({one.stack for one in self.found if not one.is_stack})
        return tuple(
            Line(name, tuple(counts[name, rule.code] for rule in self.rules), name in stacks)
            for name in (*stacks, *files)
        )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The most important numbers."""
        public = {host.host for host in self.hosts if host.reach is Reach.INTERNET}
        ungated = {host.host for host in self.hosts if host.is_open}
        backups = Counter(store.backup for store in self.stores)
        planned = (
            Figure(len(public), "hosts that the internet reaches"),
            Figure(len(ungated), "of them with a path open to everybody", Severity.WARNING),
            Figure(len(self.stores), "volumes and databases"),
            Figure(backups[Backup.NO], "volumes that nothing backs up", Severity.ERROR),
            Figure(backups[Backup.NONE_SEEN], "more without a backup job", Severity.WARNING),
        )
        counts = dict(_severities(self.found))
        return (
            Figure(len(self.stacks), "stacks"),
            *(planned if self.planned else ()),
            *(Figure(counts.get(s, 0), f"{s.value}s", s) for s in Severity),
        )


def _severities(found: Iterable[Found]) -> tuple[tuple[Severity, int], ...]:
    counts = Counter(one.severity for one in found)
    return tuple((severity, counts[severity]) for severity in Severity if counts[severity])


def house_at_a_glance(monorepo: Monorepo, checked: Checked) -> House:
    """The house as the stacks that were checked show it; of other stacks only what these refer to."""
    looked_at = set(checked.stacks)
    plans = {plan.stack: plan.resources for plan in checked.plans if plan.stack in looked_at}
    # What is wrong with a shared module is wrong with each stack that calls it.
    callers = {finding: plan.stack for plan in checked.plans for finding in plan.findings}
    about = [
        (finding, callers.get(finding, stack_of(finding, monorepo.stacks_home)))
        for finding in checked.findings
    ]
    found = [Found(f, severity(f), stack, stack in looked_at) for f, stack in about]
    of_stack = {name: [f for f in found if f.stack == name] for name in checked.stacks}
    reader = StackReader(monorepo)
    lists = {state.name: state.keys or frozenset() for state in show(monorepo)}
    described = Described(monorepo, checked)
    return House(
        name=monorepo.root.resolve().name,
        planned=bool(checked.plans),
        hosts=tuple(sorted(described.hosts(plans), key=lambda host: (host.host, host.paths))),
        stores=tuple(
            store
            for stack in plans
            for store in described.stores(stack, plans[stack], reader.entries[stack].databases)
        ),
        rules=tuple(_rules(found)),
        found=tuple(found),
        stacks=tuple(
            _page(monorepo, name, of_stack[name], plans.get(name, ()), reader.entries[name], lists)
            for name in checked.stacks
        ),
        unverified=checked.unverified,
        unplanned=tuple(plan.stack for plan in checked.plans if not plan.ok),
    )


def _rules(found: Sequence[Found]) -> Iterator[RuleCount]:
    for code in sorted({f.finding.code for f in found}):
        of_rule = [f for f in found if f.finding.code == code]
        rule = by_code().get(code)
        title, why = (rule.title, rule.why) if rule else ("The stack can be planned", "")
        stacks = len({f.stack for f in of_rule})
        yield RuleCount(code, title, why, of_rule[0].severity, len(of_rule), stacks)


def _page(
    monorepo: Monorepo,
    name: str,
    found: Sequence[Found],
    resources: Sequence[PlannedResource],
    entry: ServiceEntry,
    lists: Mapping[str, frozenset[str]],
) -> StackPage:
    try:
        stored, problem = stored_answers(monorepo, name), ""
    except RefusedError as error:
        stored, problem = {}, error.message
    return StackPage(
        name=name,
        description=entry.description,
        found=tuple(found),
        objects=tuple(map(_object, sorted(resources, key=lambda resource: resource.address))),
        answers=tuple(
            (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for key, value in stored.items()
            if key in asked()
        ),
        rows=tuple(
            Row(index.name, str(index.path), key)
            for index in all_indexes(monorepo.root)
            for key in sorted(index.keys(entry) & lists[index.name])
        ),
        problem=problem,
    )


def _object(resource: PlannedResource) -> Object:
    manifest = resource.get("manifest")
    kind = get(manifest, "kind") or k8s.kind(resource) or resource.type
    name = get(manifest, "metadata", "name") or k8s.name(resource) or resource.get("name") or resource.name
    return Object(text(kind).replace("_", " "), text(name), resource.address, place(resource))

"""``scaffold status``: how stacks compare with their answers, the templates, the rules and the lists."""

from __future__ import annotations

import json
import pickle
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import cast

from jinja2 import TemplateError

from scaffold.answers import validation
from scaffold.changes.change import Content, FileChange
from scaffold.changes.git import git
from scaffold.checks.rule import Severity
from scaffold.commands.check import check, severity, stack_of
from scaffold.commands.stored import Record, record_of, stored_answers
from scaffold.commands.update import as_rendered, made_by_scaffold
from scaffold.errors import Finding, MissingError, RefusedError
from scaffold.indexes import all_indexes
from scaffold.indexes.drift import drift
from scaffold.monorepo.facts import merged
from scaffold.monorepo.fleet import digest_of as digest_of_files
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import OVERRIDES
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.terraform.kept import Answers as Noted
from scaffold.terraform.kept import Kept, digest_of, identity
from scaffold.updates.versions import templates_of


@dataclass(frozen=True, slots=True)
class Moved:
    """A fact of the house that has changed since a stack was rendered, and would change what is rendered."""

    fact: str
    before: Value
    now: Value


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a stack compares with the answers that it records.

    ``by_hand`` tells that the file of the answers was edited itself. ``edited`` are the files that are not as
    the answers rendered them, before and after the edit; None if nobody can tell, as for templates that
    cannot be had. ``problem`` is why the answers cannot be read.
    """

    version: str = ""
    by_hand: bool = False
    edited: tuple[FileChange, ...] | None = None
    invalid: tuple[Finding, ...] = ()
    moved: tuple[Moved, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one stack. ``recorded`` is None for a hand-written stack.

    ``behind`` counts the commits of the templates since the version that the stack was rendered by; None
    where another version is known to be there, and not how far it is.
    """

    stack: str
    recorded: Recorded | None
    behind: int | None
    errors: int
    warnings: int
    lists: tuple[Finding, ...]

    @property
    def urgency(self) -> tuple[int, ...]:
        """What there is to do, the worst first: zeros if there is nothing. Manual edits are no fault."""
        recorded = self.recorded or Recorded()
        return (
            int(bool(recorded.problem)) + int(recorded.by_hand),
            len(recorded.invalid),
            sum(file.after is None for file in recorded.edited or ()),  # files that are gone
            self.errors,
            len(recorded.moved),
            1 if self.behind is None else self.behind,
            self.warnings,
            len(self.lists),
        )

    @property
    def needs_attention(self) -> bool:
        """Whether there is something to do."""
        return any(self.urgency)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of stacks, those that need attention first; ``version`` is the installed templates'."""

    version: str
    stacks: tuple[Standing, ...]
    astray: int
    """Entries of lists that no stack stands behind, and lists that cannot be read."""
    home: str
    """Where the stacks are."""


def status(monorepo: Monorepo, stacks: Sequence[str]) -> Status:
    """The state of these stacks; nothing is planned."""
    house = _House(monorepo)
    kept = Kept(house.base)
    listed = defaultdict(list)
    for service, finding in _lists(house, kept):
        listed[service].append(finding)
    findings = check(monorepo, stacks, static=True).findings
    counts = Counter((stack_of(finding, monorepo.stacks_home), severity(finding)) for finding in findings)
    made = set(made_by_scaffold(monorepo))
    found = []
    for name in stacks:
        recorded = _recorded(house, kept, name) if name in made else None
        found.append(
            Standing(
                name,
                recorded,
                house.behind(recorded.version) if recorded and recorded.version else 0,
                counts[name, Severity.ERROR],
                counts[name, Severity.WARNING],
                tuple(listed[name]),
            )
        )
    ordered = sorted(found, key=lambda one: ([-number for number in one.urgency], one.stack))
    return Status(house.origin.version, tuple(ordered), len(listed[""]), monorepo.stacks_home)


@dataclass(frozen=True)
class _House:
    """What a stack's state depends on; a result stays valid for as long as the answers are the same."""

    monorepo: Monorepo

    @cached_property
    def base(self) -> str:
        """The code, and the templates."""
        root = template.root()
        files = (path for path in (root / "templates").rglob("*") if path.is_file())
        known = identity(("",), (root / "copier.yml", *files))
        return known and "\0".join(("status", str(self.monorepo.root), known))

    @cached_property
    def sensed(self) -> Mapping[str, Value]:
        """The facts that are sensed now."""
        return sense(self.monorepo)

    @cached_property
    def origin(self) -> template.Origin:
        """The installed templates."""
        return template.origin(self.sensed.get("template"))

    def behind(self, version: str) -> int | None:
        """How many commits the templates have had since a version; None if that cannot be told here."""
        if version == self.origin.version:
            return 0
        return _commits(self.origin.source, version, self.origin.version) if self.origin.is_local else None

    def facts(self, _: str) -> str:
        """The sensed facts, and the version of the templates."""
        return json.dumps([self.sensed, self.origin.version], sort_keys=True)

    def names(self, stack: str) -> frozenset[str]:
        """The HCL files of a stack."""
        return frozenset(self.monorepo.sources(stack))

    def every(self, _: str) -> bytes:
        """The Terraform files of all stacks."""
        return digest_of_files({str(path): content for path, content in self.monorepo.terraform_files("")})

    def read(self, path: str) -> Content | None:
        """What a file holds."""
        return self.monorepo.files.read(PurePosixPath(path))[0]


@cache
def _commits(repository: str, since: str, until: str) -> int | None:
    """How many commits of a repository changed the templates between two; None if it lacks one of them."""
    count = ("rev-list", "--count", "--end-of-options", f"{since}..{until}", "--", "copier.yml", "templates")
    with suppress(MissingError):
        return int(git(Path(repository), *count))
    return None


@cache
def _templates(source: str, version: str) -> Path | None:
    """A directory with the templates of a version; None if they are not available."""
    with suppress(MissingError):
        return templates_of(source, version)
    return None


def _lists(house: _House, kept: Kept) -> Sequence[tuple[str, Finding]]:
    """Where lists and stacks disagree, by stack, as an earlier run found it if nothing has changed."""
    if (known := kept.result(house, "")) is not None:
        return cast("Sequence[tuple[str, Finding]]", known)
    questions = [
        ("facts", ""),
        ("every", ""),
        *([("read", house.monorepo.root_file)] if house.monorepo.root_file else []),
    ]
    # Where there is no list yet, one that comes is asked for too.
    lists = {str(index.path) for index in (*all_indexes(), *all_indexes(house.monorepo.root))}
    questions += [("read", path) for path in sorted({OVERRIDES, *lists})]
    noted = {(what, of): digest_of(getattr(house, what)(of)) for what, of in questions}
    found = tuple((one.service, one.finding) for one in drift(house.monorepo))
    kept.store(noted, "", pickle.dumps(found))
    return found


def _recorded(house: _House, kept: Kept, name: str) -> Recorded:
    """How a stack compares with its answers, likewise."""
    try:
        if (known := kept.result(house, name)) is not None:
            return cast("Recorded", known)
        own = house.names(name)
        noted = {("facts", ""): digest_of(house.facts("")), ("names", name): digest_of(own)}
        found = _compared(house, name, own, noted)
    except RefusedError as error:
        return Recorded(problem=error.message)
    kept.store(noted, name, pickle.dumps(found))
    return found


def _compared(house: _House, name: str, own: Collection[str], noted: Noted) -> Recorded:
    """The same, found now; what is read of the stack is recorded.

    Raises :class:`RefusedError` if its answers cannot be read.
    """
    record, directory = record_of(house.monorepo, name), PurePosixPath(house.monorepo.place(name))
    invalid = validation.problems(record.given, house.sensed, record.recorded)
    made = None if record.edited else _as_rendered(house, record, name, valid=not invalid)
    rendered = {directory / path: content for path, content in (made or {}).items()}
    paths = sorted({directory / ANSWERS_FILE, *rendered, *map(PurePosixPath, own)})
    there = {path: house.read(str(path)) for path in paths}
    noted.update({("read", str(path)): digest_of(content) for path, content in there.items()})
    edited = (FileChange(p, rendered.get(p), there[p]) for p in paths if p.name != ANSWERS_FILE)
    return Recorded(
        record.version,
        record.edited,
        None if made is None else tuple(file for file in edited if file.before != file.after),
        tuple(invalid),
        () if invalid else tuple(_moved(house, record)),
    )


def _as_rendered(
    house: _House, record: Record, name: str, *, valid: bool
) -> Mapping[PurePosixPath, Content] | None:
    """The files of a stack as its version of the templates rendered them; None if that cannot be told."""
    at_hand = house.behind(record.version) == 0
    directory = None if at_hand else _templates(record.source, record.version)
    if directory is None and not (at_hand and valid):
        return None
    try:
        return as_rendered(record, stored_answers(house.monorepo, name), directory)[0]
    except TemplateError:
        return None


def _moved(house: _House, record: Record) -> Iterator[Moved]:
    """The facts that were sensed differently, and would now change what is rendered."""

    def rendered(sensed: Mapping[str, Value]) -> Mapping[PurePosixPath, Content]:
        files = render(record.given.values, sensed, record.recorded, house.origin).files
        return {path: content for path, content in files.items() if path.name != ANSWERS_FILE}

    was, now = (merged(decisions.house(), sensed) for sensed in (record.sensed, house.sensed))
    before = rendered(record.sensed)
    for fact in sorted(now):
        if was[fact] != now[fact] and rendered({**record.sensed, fact: now[fact]}) != before:
            yield Moved(fact, was[fact], now[fact])

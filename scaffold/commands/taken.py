"""Names that a new Service would take from somebody else: stacks, hosts, volumes, claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from scaffold.answers import sources as answering
from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.commands.beside import OwnFile, below
from scaffold.commands.named import problems
from scaffold.commands.own_store import has_rendered_stack, with_own_store
from scaffold.errors import Finding, RefusedError
from scaffold.monorepo import collisions
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions
from scaffold.templates.questions import Value, stand_ins
from scaffold.templates.render import RENDERED

_NAMING = ("names", "storage", "credentials", "workload", "containers", "dumps", "ingress", "stack")
"""The decisions that names follow from, and those that they read."""
_NOBODY = "name-of-nobody"
"""Stands for a name that is missing or wrong, so that hosts can be judged; what follows from it is free."""


def judge(
    monorepo: Monorepo,
    sensed: Mapping[str, Value],
    before: Mapping[str, Value] | None = None,
    own_files: Sequence[OwnFile] = (),
) -> Callable[[Mapping[str, Value]], list[Finding]]:
    """The wizard's judge: a function that finds everything wrong with answers, complete or not.

    Besides the answers themselves it knows the stacks and names of the monorepo. ``before`` are the combined
    values of a Service that exists; ``own_files`` are what a new one takes along.
    """

    def judged(values: Mapping[str, Value]) -> list[Finding]:
        given = with_own_store(monorepo, Answers(dict(values)), sensed)
        found = problems(
            monorepo, given, sensed, before["recorded"] if before else {}, below(monorepo, own_files, given)
        )
        return with_taken(monorepo, given, sensed, found, before)

    return judged


def with_taken(
    monorepo: Monorepo,
    given: Answers,
    sensed: Mapping[str, Value],
    found: Sequence[Finding],
    before: Mapping[str, Value] | None = None,
) -> list[Finding]:
    """The problems of answers (``found``), and the names that the other answers would take from others.

    Names among the combined values ``before`` a change are the Service's own.
    """
    said = given.values.get("name")
    name = None if any(finding.answer == "name" for finding in found) or not isinstance(said, str) else said
    if name is None and not {"host", "hosts"} & given.values.keys():
        return list(found)  # all other names follow from that of the Service
    told = list(found)
    if name is not None and not before and (has_rendered_stack(monorepo, name) or _is_stack(monorepo, name)):
        told.append(_taken_finding(monorepo, given, name))
    left = validation.valid_part(given, found)
    values = {
        **stand_ins(),
        **left.values,
        "sensed": sensed,
        "recorded": before["recorded"] if before else {},
    }
    if name is None:
        values["name"] = _NOBODY
    judged = decisions.judged(values)
    combined = {**judged.values, **judged.decided(_NAMING)}
    return [*told, *_taken(monorepo, given, combined, before, left.before)]


def _is_stack(monorepo: Monorepo, name: str) -> bool:
    """Whether there is something where the stack would be, apart from files kept beside what is rendered."""
    directory = monorepo.stack_directory(name)
    return directory.exists() and (
        not directory.is_dir() or any((directory / file).exists() for file in RENDERED)
    )


def _taken_finding(monorepo: Monorepo, given: Answers, name: str) -> Finding:
    message = f"There is a stack {name} already: {monorepo.place(name)}."
    return given.finding(("name",), "taken.stack", message, value=name, fix="Choose another name.")


def refuse_taken(
    monorepo: Monorepo, given: Answers, values: Mapping[str, Value], before: Mapping[str, Value] | None = None
) -> None:
    """Raise :class:`RefusedError` with every name among combined values that something else has.

    Names among the combined values ``before`` a change are the Service's own.
    """
    name = str(values["name"])
    found = [_taken_finding(monorepo, given, name)] if before is None and _is_stack(monorepo, name) else []
    found += _taken(monorepo, given, values, before)
    if found:
        one = len(found) == 1
        count = "One thing that it needs is" if one else f"{len(found)} things that it needs are"
        choose = "Choose another." if one else "Choose others."
        raise RefusedError(f"{count} taken; nothing was written.", choose, found)


def _taken(
    monorepo: Monorepo,
    given: Answers,
    values: Mapping[str, Value],
    before: Mapping[str, Value] | None,
    path_of: Callable[[answering.Path], answering.Path] = lambda path: path,
) -> Iterator[Finding]:
    """The names among combined values that others have. ``path_of`` gives the path of the answer as given."""
    facts = values["facts"]
    own = {(had.kind, had.place, had.name) for had in (collisions.wanted(before) if before else ())}
    needs = [n for n in collisions.wanted(values) if (n.kind, n.place, n.name) not in own]

    def as_given(answer: str) -> str:
        return answering.show(path_of(answering.parse(answer))) if answer else ""

    clashes = [
        (replace(need, answer=as_given(need.answer), shared_by=as_given(need.shared_by)), use)
        for need, use in collisions.taken(monorepo, needs, str(values["name"]), facts)
    ]
    for finding in collisions.findings(monorepo, clashes):
        path = answering.parse(finding.answer or "name")
        told = f"{finding.message[:-1]} ({finding.location})."
        yield given.finding(
            path, finding.code, told, value=finding.value, allowed=finding.allowed, fix=finding.fix
        )

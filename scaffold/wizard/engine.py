"""The wizard's steps: which question comes next, its default, and what is wrong with an answer.

Pure: a state goes in, a state comes out. What is asked, in which order and under which condition is read from
the declarations alone (``x-core``, ``when``, ``x-after``, ``x-ask``, ``x-suggests``, ``x-proposals``; for the
items of lists ``x-line``, ``x-ask`` and ``x-suggest``); in addition, a question is asked if its default would
be refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from scaffold.answers import notation
from scaffold.answers.known import known as known_of
from scaffold.answers.settings import from_settings
from scaffold.answers.sources import Answers as Given
from scaffold.answers.sources import Path, about
from scaffold.errors import Finding, UsageError, nearest
from scaffold.templates import decisions, questions
from scaffold.templates.decisions import holds
from scaffold.templates.questions import Option, Question, Value
from scaffold.wizard import fields
from scaffold.wizard.judging import Judge, Judgements, blamed, is_open
from scaffold.wizard.order import order
from scaffold.wizard.state import MORE, State, base, items, put, without
from scaffold.wizard.step import Step, called, consequence, offered, proposal_step

IMAGE_KNOWN = "image_known"
"""In ``x-ask``: whether the house knows the image. What is asked only without it, is proposed with it."""


class Engine:
    """The steps over the declared questions, for one monorepo."""

    def __init__(self, judge: Judge, sensed: Mapping[str, Value]) -> None:
        self._sensed = sensed
        self._judged = Judgements(judge)
        self._known = lru_cache(64)(lambda text: decisions.defaults(json.loads(text)))

    def values(self, state: State) -> dict[str, Value]:
        """The answers so far, with what is suggested, without what no longer applies."""
        found: dict[str, Value] = {}
        for question in questions.asked().values():
            name = question.name
            if name in state.given:
                found[name] = state.given[name]
            elif fields.is_list(question):
                listed = list(items(state, question))
                if listed or name in state.suggested or (name,) in state.said or (name, 0) in state.said:
                    found[name] = listed
            elif (name,) in state.said:
                found[name] = state.said[name,]
            elif name in state.suggested:
                found[name] = state.suggested[name]
        follows = known_of(found)
        found = {**follows.proposed, **follows.answers, **found}
        found = {name: follows.completed(name, value) for name, value in found.items()}
        known = self.known(found)
        return {n: v for n, v in found.items() if holds(questions.asked()[n].when, known)}

    def result(self, state: State) -> dict[str, Value]:
        """The answers to render: as :meth:`values`, with the core questions whose default was taken."""
        values = self.values(state)
        known = self.known(values)
        for question in questions.asked().values():
            if question.core and question.name not in values and (question.name,) in state.accepted:
                values[question.name] = known[question.name]
        return {name: values[name] for name in questions.asked() if name in values}

    def known(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """``values`` with the defaults of everything else, and the facts of the monorepo."""
        seen = {**questions.stand_ins(text=""), **values, "sensed": self._sensed}
        return dict(self._known(json.dumps(seen, default=str)))

    def paths(self, state: State, *, refusals: bool = True) -> list[Path]:
        """The paths of the questions that are asked, given the answers so far, in order.

        Without ``refusals`` those are left out that are asked only because what they have is refused.
        """
        values = self.values(state)
        known = self.known(values)
        refused = {at for at, finding in self._findings(state) if not is_open(finding)} if refusals else set()
        follows = known_of(values)
        offered = {*state.suggested, *follows.answers}
        seen = {**known, IMAGE_KNOWN: bool(follows.of)}
        found: list[Path] = []
        for question in order():
            if question.name in state.given or not holds(question.when, known):
                continue
            forced = {path for path in refused | state.forced if path[:1] == (question.name,)}
            asked = (
                (question.core and _is_choice(question, known))
                or not (question.has_default or question.name in offered)
                or (question.name in follows.proposed and question.name not in offered)
                or (
                    holds(question.ask, seen)
                    and question.name not in follows.answers
                    and _is_choice(question, known)
                )
                or (question.name,) in forced
            )
            if asked and not question.proposals:
                found.append((question.name,))
            if fields.is_list(question):
                found += self._item_paths(state, question, known, forced)
            if asked and question.proposals:
                found.append((question.name, len(base(state, question))))
        return found

    def step(self, state: State, path: Path, known: Mapping[str, Value] | None = None) -> Step:
        """The step at ``path``, with its current default."""
        known = known or self.known(self.values(state))
        question = questions.asked()[str(path[0])]
        if len(path) == 2:
            return proposal_step(state, question, path)
        declared = fields.field_at(path)
        options = tuple(Option(o.value, consequence(o, path, known)) for o in offered(declared, known))
        title = declared.help
        if len(path) == 3:
            item = known[question.name][int(path[1])]
            title = f"{called(question, item)}: {title}"
            default = item.get(str(path[2]), declared.default)
        elif fields.is_list(question):
            default = list(base(state, question)) or self._proposed(state, question)
        else:
            answered = question.has_default or question.name in self.values(state)
            default = known[question.name] if answered else None
            if not options and path not in state.said:
                default = self._right(state, path, default)
        if any(o.value == default for o in declared.options) and all(o.value != default for o in options):
            default = options[0].value if options else None  # the house does not have what was given
        if form := notation.form(declared.schema) if not options else "":
            title = f"{title} {form}"
        return Step(path, declared, title, default, options, tuple(self._proposals(state, question)))

    def _right(self, state: State, path: Path, default: Value) -> Value:
        """A default that is not refused: itself, the first similar one that is valid, or nothing."""
        if not any(at == path and not is_open(finding) for at, finding in self._findings(state)):
            return default
        right = (text for text in notation.alike(default) if not self.problem(state, path, text))
        return next(right, "" if isinstance(default, str) else None)

    def _proposals(self, state: State, question: Question) -> Iterator[str]:
        """What is known about the image and proposed instead of asked, together with the next question."""
        before = questions.asked().get(question.after)
        if before is None or not before.suggests:
            return
        values = self.values(state)
        follows, known = known_of(values), self.known(values)
        for other in questions.asked().values():
            proposed = other.name in follows.answers or (
                not holds(other.ask, {**known, IMAGE_KNOWN: True})
                and holds(other.ask, {**known, IMAGE_KNOWN: False})
            )
            if follows.of and proposed and other.name not in state.given and holds(other.when, known):
                # The name is only asked now.
                same = other.default == "{{ name }}" and known[other.name] == known["name"]
                yield f"{other.name}: {'the same as name' if same else fields.shown(known[other.name])}"

    def _proposed(self, state: State, question: Question) -> list[Value]:
        """The items of a list that are proposed because of the image, and that nobody has said yet."""
        said = (question.name,) in state.said or question.name in state.suggested
        if said or not fields.is_list(question):
            return []
        return list(known_of(self.values(state)).proposed.get(question.name, ()))

    def answer(self, state: State, path: Path, value: Value) -> State:
        """The state after an answer. Answers whose question no longer applies are dropped."""
        before = set(self.paths(state, refusals=False))
        asked = self.step(_unsaid(state, path), path)
        after = put(state, path, value)
        question = questions.asked()[str(path[0])]
        # The items of a list that is only proposed are asked for once it is taken.
        proposed = len(path) == 1 and value and value == self._proposed(_unsaid(state, path), question)
        if (
            path in after.said
            and value == asked.default
            and type(value) is type(asked.default)
            and not proposed
        ):
            after = without(after, {path})
            after = replace(after, accepted=after.accepted | {path})
        if path in {*after.said, *after.accepted} and path not in before:
            # Asked because what it had would be refused, or in the review: it stays a step to come back to.
            after = replace(after, forced=after.forced | {path})
        gone = before - set(self.paths(after, refusals=False)) - {path}
        known = self.known(self.values(after))
        gone |= {p for p in after.said if not holds(questions.asked()[str(p[0])].when, known)}
        return without(after, gone)

    def setting(self, state: State, text: str) -> tuple[Path, Value]:
        """The answer that ``NAME=value`` gives to a whole question; NAME may lead into it, as for ``--set``.

        Raises :class:`UsageError` for a name that is no question, and for a line that cannot be read.
        """
        key, _, line = text.partition("=")
        key, name = key.strip(), str(about(key.strip())[0])
        applying = self.applying(state)
        if name not in applying:
            near = nearest(name, applying)
            raise UsageError(f"{key} is not an answer here.", near or "In the review, l lists the answers.")
        if key == name:
            return (name,), self.step(state, (name,)).read(line)
        known = self.known(self.values(state))[name]
        changed = from_settings([f"{key}={line.strip()}"], Given({name: known}))
        for found in changed.problems:
            raise UsageError(found.message, found.fix or "")
        return (name,), changed.values[name]

    def applying(self, state: State) -> dict[str, Question]:
        """The questions that apply, by their names, given the answers so far."""
        known = self.known(self.values(state))
        return {name: question for name, question in questions.asked().items() if holds(question.when, known)}

    def problem(self, state: State, path: Path, value: Value) -> str:
        """What is wrong with one answer, and the fix; nothing if it is right."""
        if len(path) == 2 and value == MORE:
            return ""
        for at, finding in self._findings(put(state, path, value)):
            if at == path or (len(path) == 3 and about(finding.answer or "")[:3] == path):
                return f"{finding.message} {finding.fix or ''}".strip()
        return ""

    def first_open(self, state: State) -> Step | None:
        """The first step that is not answered, or whose answer is now refused."""
        done = {*state.said, *state.accepted} - {at for at, _ in self._findings(state)}
        first = next((path for path in self.paths(state) if path not in done), None)
        return None if first is None else self.step(state, first)

    def next(self, state: State, path: Path) -> Step | None:
        """The step after the one at ``path``, if there is one."""
        paths = self.paths(state)
        return self.step(state, paths[paths.index(path) + 1]) if path in paths[:-1] else None

    def previous(self, state: State, path: Path) -> Step | None:
        """The step before the one at ``path``, if there is one."""
        paths = self.paths(state)
        before = paths[: paths.index(path)] if path in paths else paths
        return self.step(state, before[-1]) if before else None

    def _findings(self, state: State) -> Sequence[tuple[Path, Finding]]:
        """Everything that is wrong with the answers so far, each with the step to ask for it."""
        values = self.values(state)
        known = self.known(values)
        return [(blamed(state, finding, known), finding) for finding in self._judged.of(values)]

    def _item_paths(
        self, state: State, question: Question, known: Mapping[str, Value], forced: set[Path]
    ) -> Iterator[Path]:
        start = base(state, question)
        in_line = () if question.proposals else fields.line_fields(question)
        for index, item in enumerate(items(state, question)):
            if question.proposals:
                yield question.name, index
            if not isinstance(item, Mapping):
                continue
            for name in fields.item_fields(question):
                at: Path = (question.name, index, name)
                declared = fields.field_at(at)
                # What is proposed is not answered yet.
                told = name in in_line or (name in start[index] and not question.proposals)
                seen = {**known, "item": {**_item_defaults(question), **item}, "index": index}
                if at in forced or (not told and (not declared.has_default or holds(declared.ask, seen))):
                    yield at


def _is_choice(question: Question, known: Mapping[str, Value]) -> bool:
    """Whether the house leaves anything to choose from."""
    return not question.needs or len(offered(fields.field_at((question.name,)), known)) != 1


def _unsaid(state: State, path: Path) -> State:
    """The state without an answer, to find out the default of its question."""
    given = {name: v for name, v in state.given.items() if name != path[0]} if len(path) == 1 else state.given
    return without(replace(state, given=given), {path})


def _item_defaults(question: Question) -> dict[str, Value]:
    properties = fields.item_schema(question)["properties"]
    return {name: schema.get("default") for name, schema in properties.items()}

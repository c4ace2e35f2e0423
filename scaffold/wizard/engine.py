"""The wizard's steps: which question comes next, what it begins with, what is wrong with an answer.

Pure: a state goes in, a state comes out. What is asked, in which order and under which condition is
read from the declarations alone (``core``, ``when``, ``x-after``, ``x-ask``, ``x-suggests``,
``x-proposals``); besides, a question is asked where its default would be refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import count
from typing import TYPE_CHECKING

from scaffold import decisions, questions
from scaffold.answers import Path, parse
from scaffold.errors import Finding
from scaffold.questions import Option, Question, Value
from scaffold.wizard import fields
from scaffold.wizard.fields import Field, Form

if TYPE_CHECKING:
    from jinja2 import Template

Judge = Callable[[Mapping[str, Value]], Sequence[Finding]]
"""What is wrong with answers, each finding with the path of its answer."""

MORE = ""
"""What ends a list: an empty answer to its next item."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known so far.

    A path is that of a question, of an item, or of a field of an item: ``("volumes", 0, "size")``.
    """

    given: Mapping[str, Value] = field(default_factory=dict)
    """Answered before the wizard began (``--set``): not asked, but shown."""
    suggested: Mapping[str, Value] = field(default_factory=dict)
    """Defaults from outside, as from a docker-compose file. They hold over the declared ones."""
    said: Mapping[Path, Value] = field(default_factory=dict)
    """What was answered, other than with the default."""
    accepted: frozenset[Path] = frozenset()
    """Where the default was taken. It is computed anew whenever what it follows from changes."""
    forced: frozenset[Path] = frozenset()
    """What was asked because its default would have been refused, and stays a step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question to ask."""

    path: Path
    field: Field
    title: str
    default: Value
    options: tuple[Option, ...] = ()


class Engine:
    """The steps over the declared questions, for one monorepo."""

    def __init__(self, judge: Judge, sensed: Mapping[str, Value]) -> None:
        self._sensed = sensed
        # Every step asks the same again: before and after an answer, and at each key that is typed.
        self._findings = lru_cache(64)(lambda text: tuple(judge(json.loads(text))))
        self._known = lru_cache(64)(lambda text: decisions.defaults(json.loads(text)))

    def values(self, state: State) -> dict[str, Value]:
        """The answers so far, with what is suggested, without what no longer applies."""
        found: dict[str, Value] = {}
        for question in questions.asked().values():
            name = question.name
            if name in state.given:
                found[name] = state.given[name]
            elif fields.is_list(question):
                items = _pairs(state, question) if fields.is_pairs(question) else _items(state, question)
                if items or name in state.suggested or (name, 0, *_opening(question)) in state.said:
                    found[name] = items
            elif (name,) in state.said:
                found[name] = state.said[name,]
            elif name in state.suggested:
                found[name] = state.suggested[name]
        for name, value in self._suggestions(found).items():
            found.setdefault(name, value)
        known = self.known(found)
        return {n: v for n, v in found.items() if _renders(questions.asked()[n].when, known)}

    def _judged(self, values: Mapping[str, Value]) -> Sequence[Finding]:
        return self._findings(json.dumps(values, default=str))

    def result(self, state: State) -> dict[str, Value]:
        """The answers to render: as :meth:`values`, with the core questions whose default was taken."""
        values = self.values(state)
        known = self.known(values)
        for question in questions.asked().values():
            if question.core and question.name not in values and (question.name,) in state.accepted:
                values[question.name] = known[question.name]
        return {name: values[name] for name in questions.asked() if name in values}

    def known(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """``values`` with the defaults of all else, and the facts of the monorepo."""
        stand_ins = {
            q.name: "" if q.type == "str" else 1 for q in questions.asked().values() if not q.has_default
        }
        seen = {**stand_ins, **values, "sensed": self._sensed}
        return dict(self._known(json.dumps(seen, default=str)))

    def problems(self, state: State) -> list[Finding]:
        """Everything that is wrong with the answers so far, but for what is not answered yet."""
        values = self.values(state)
        return [finding for finding in self._judged(values) if not _is_open(finding, values)]

    def steps(self, state: State, *, refusals: bool = True) -> list[Step]:
        """The questions that are asked, given what is answered so far, in order.

        Without ``refusals`` those are left out that are asked only because what they have is refused.
        """
        values = self.values(state)
        known = self.known(values)
        judged = self._judged(values) if refusals else ()
        refused = {_place(finding, values) for finding in judged if not _is_open(finding, values)}
        found: list[Step] = []
        for question in _order():
            if question.name in state.given or not _renders(question.when, known):
                continue
            forced = {path for path in refused | state.forced if path[:1] == (question.name,)}
            if not (_holds(question, known) or forced):
                continue
            if fields.is_list(question):
                found += self._item_steps(state, question, known, forced)
            else:
                found.append(self.step(state, (question.name,), known))
        return found

    def step(self, state: State, path: Path, known: Mapping[str, Value] | None = None) -> Step:
        """The step at ``path``, with the default that it has by now."""
        known = known or self.known(self.values(state))
        question = questions.asked()[str(path[0])]
        if fields.is_pairs(question):
            first = "NAME=value, one at a time; nothing where there is none."
            more = "One more? Nothing ends the list." if path[1] else first
            declared = Field(Form.TEXT, question.help, True, MORE, True)
            title = f"{question.help} {more}"
            return Step(path, declared, title, state.said.get(path, _default(state, path)))
        if len(path) == 2:
            names = list(question.proposals)
            options = (Option(MORE, "no more" if path[1] else "none"), *(
                Option(name, question.proposals[name]["consequence"]) for name in names
            ))  # fmt: skip
            declared = Field(Form.CHOICE, question.help, True, MORE, True, options)
            return Step(path, declared, question.help, state.said.get(path, MORE), options)
        declared = fields.field_at(path)
        if len(path) == 3 and path[2] == fields.opening(question):
            more = "One more? Nothing ends the list." if path[1] else "Nothing where there is none."
            title = f"{declared.help} {more}"
            if not path[1]:
                title = f"{question.help} {title}"
            return Step(path, declared, title, state.said.get(path, _default(state, path) or MORE))
        default = state.said.get(path, _default(state, path))
        title = declared.help
        if len(path) == 3:
            items = known[question.name]
            item = items[int(path[1])] if int(path[1]) < len(items) else {}
            title = f"{shown_item(question, item)}: {declared.help}"
        elif path not in state.said and question.name in known:
            default = (
                known[question.name] if question.has_default or question.name in self.values(state) else None
            )
        options = tuple(Option(o.value, _consequence(o, known)) for o in declared.options)
        return Step(path, declared, title, default, options)

    def answer(self, state: State, path: Path, value: Value) -> State:
        """The state after an answer. Answers whose question does not apply any more are dropped."""
        before = {step.path for step in self.steps(state, refusals=False)}
        step = self.step(state, path)
        question = questions.asked()[str(path[0])]
        begins = len(path) > 1 and path == (question.name, path[1], *_opening(question))
        if begins and value == MORE and path != self.end(state, question):
            return self.without_item(state, question, int(path[1]))
        declared = self.step(replace(state, said=_without(state.said, {path})), path)
        said = {p: v for p, v in state.said.items() if p != path}
        accepted = state.accepted - {path}
        if value == declared.default and type(value) is type(declared.default):
            accepted |= {path}
        else:
            said[path] = value
        forced = state.forced if _asks(step, question) else state.forced | {path}
        given = {name: v for name, v in state.given.items() if name != path[0]}
        after = replace(state, given=given, said=said, accepted=accepted, forced=forced)
        gone = before - {step.path for step in self.steps(after, refusals=False)} - {path}
        known = self.known(self.values(after))
        gone |= {p for p in said if not _renders(questions.asked()[str(p[0])].when, known)}
        return replace(
            after, said=_without(after.said, gone), accepted=after.accepted - gone, forced=after.forced - gone
        )

    def without_item(self, state: State, question: Question, index: int) -> State:
        """The state without one item of a list; the later ones move up."""
        values = self.values(state).get(question.name, [])
        items = list(values.items()) if isinstance(values, Mapping) else list(values)
        del items[index]
        return self._with_items(state, question, dict(items) if fields.is_pairs(question) else items)

    def end(self, state: State, question: Question) -> Path:
        """The path of the step that asks a list question for one more item."""
        return (question.name, len(self.values(state).get(question.name, ())), *_opening(question))

    def applies(self, state: State, question: Question) -> bool:
        """Whether a question applies, given the answers so far."""
        return _renders(question.when, self.known(self.values(state)))

    def _with_items(self, state: State, question: Question, items: Value) -> State:
        """The state with a list question answered as a whole."""
        mine = {path for path in (*state.said, *state.accepted, *state.forced) if path[0] == question.name}
        said = dict(_without(state.said, mine))
        if fields.is_pairs(question):
            said.update({(question.name, n): f"{key}={text}" for n, (key, text) in enumerate(items.items())})
            items_of: Sequence[Mapping[str, Value]] = ()
        else:
            items_of = items
        for index, item in enumerate(items_of):
            if question.proposals:
                said[question.name, index] = list(question.proposals)[-1]
            said.update({(question.name, index, key): value for key, value in item.items()})
        end: Path = (question.name, len(items), *_opening(question))
        said[end] = MORE
        return replace(state, said=said, accepted=state.accepted - mine, forced=state.forced - mine)

    def problem(self, state: State, path: Path, value: Value) -> str:
        """What is wrong with one answer, with how to mend it; nothing where it is right."""
        question = questions.asked()[str(path[0])]
        end = (question.name, path[1], *_opening(question)) if len(path) > 1 else None
        if path == end and value == MORE:
            return ""
        said = {**_without(state.said, {path}), path: value}
        if fields.is_pairs(question) and "=" not in str(value):
            return "There is no = in it. Write NAME=value."
        values = self.values(replace(state, said=said, accepted=state.accepted - {path}))
        for finding in self._judged(values):
            if _place(finding, values) == path:
                return f"{finding.message} {finding.hint or ''}".strip()
        return ""

    def is_open(self, state: State, step: Step, refused: set[Path]) -> bool:
        """Whether a step is still to be answered."""
        return (step.path not in state.said and step.path not in state.accepted) or step.path in refused

    def first_open(self, state: State) -> Step | None:
        """The first step that is not answered, or whose answer is refused by now."""
        values = self.values(state)
        refused = {_place(finding, values) for finding in self._judged(values)}
        return next((step for step in self.steps(state) if self.is_open(state, step, refused)), None)

    def next(self, state: State, path: Path) -> Step | None:
        """The step after the one at ``path``; at the end, the first that is open."""
        steps = self.steps(state)
        places = [step.path for step in steps]
        if path in places and places.index(path) + 1 < len(steps):
            return steps[places.index(path) + 1]
        return self.first_open(state)

    def previous(self, state: State, path: Path) -> Step | None:
        """The step before the one at ``path``, if there is one."""
        steps = self.steps(state)
        places = [step.path for step in steps]
        if path not in places:
            return steps[-1] if steps else None
        return steps[places.index(path) - 1] if places.index(path) else None

    def origin(self, state: State, name: str) -> str:
        """Where a question's answer comes from, in one word."""
        if name in state.given:
            return "given"
        if any(path[0] == name for path in state.said):
            return "asked"
        if name in state.suggested:
            return "file"
        if name in self.values(state):
            return "image"
        return "asked" if any(path[0] == name for path in state.accepted) else "default"

    def _suggestions(self, values: Mapping[str, Value]) -> dict[str, Value]:
        told: dict[str, Value] = {}
        for question in questions.asked().values():
            if question.suggests and values.get(question.name):
                seen = {question.name: values[question.name], "given_name": values.get("name", "")}
                told.update(_suggested(question.suggests, json.dumps(seen, default=str)))
        return told

    def _item_steps(
        self, state: State, question: Question, known: Mapping[str, Value], forced: set[Path]
    ) -> Iterator[Step]:
        if fields.is_pairs(question):
            for index in range(len(_pairs(state, question)) + 1):
                yield self.step(state, (question.name, index), known)
            return
        items = _items(state, question)
        for index, item in enumerate(items):
            at: Path = (question.name, index)
            full = {**_item_defaults(question), **item}
            if question.proposals:
                yield self.step(state, at, known)
            for name in fields.item_fields(question):
                declared = fields.field_at((*at, name))
                first = not question.proposals and name == fields.opening(question)
                if first or (*at, name) in forced or _renders(declared.ask, {**known, "item": full}):
                    yield self.step(state, (*at, name), known)
        yield self.step(state, (question.name, len(items), *_opening(question)), known)


@lru_cache(64)
def _suggested(table: str, seen: str) -> Mapping[str, Value]:
    found: Mapping[str, Value] = decisions.evaluate(table, json.loads(seen))
    return found


def shown_item(question: Question, item: Mapping[str, Value]) -> str:
    """What an item is called in a question about it: its first field."""
    return fields.shown(item.get(fields.opening(question), question.name))


def _order() -> list[Question]:
    """The core questions, then the others, each followed by those that come after it."""
    return _ordered(tuple(questions.asked().values()))


def _ordered(every: tuple[Question, ...]) -> list[Question]:
    names = {q.name for q in every}
    roots = [q for q in every if q.after not in names]
    result: list[Question] = []

    def add(question: Question) -> None:
        result.append(question)
        for follower in every:
            if follower.after == question.name:
                add(follower)

    for root in sorted(roots, key=lambda q: not q.core):
        add(root)
    return result


def _opening(question: Question) -> tuple[str, ...]:
    """What follows the index in the path of the step that begins an item."""
    return () if question.proposals or fields.is_pairs(question) else (fields.opening(question),)


def _pairs(state: State, question: Question) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for index in count():
        at: Path = (question.name, index)
        text = str(state.said.get(at, _default(state, at)))
        if text == MORE:
            break
        name, _, value = text.partition("=")
        found[name.strip()] = value
    return found


def _items(state: State, question: Question) -> list[dict[str, Value]]:
    suggested = state.suggested.get(question.name, [])
    found: list[dict[str, Value]] = []
    for index in count():
        at: Path = (question.name, index)
        start: Path = (*at, *_opening(question))
        if state.said.get(start, _default(state, start) or MORE) == MORE:
            break
        item: dict[str, Value] = dict(suggested[index]) if index < len(suggested) else {}
        if question.proposals and start in state.said:
            item.update(question.proposals.get(str(state.said[start]), {}).get("item", {}))
        item.update(
            {str(path[2]): value for path, value in state.said.items() if path[:2] == at and len(path) == 3}
        )
        schema = fields.item_schema(question)["properties"]
        found.append({name: item[name] for name in schema if name in item})
    return found


def _default(state: State, path: Path) -> Value:
    """What a field has where nobody says anything: from a suggestion, a proposal, or its declaration."""
    question = questions.asked()[str(path[0])]
    if len(path) == 1:
        return state.suggested.get(question.name, question.default)
    suggested = state.suggested.get(question.name, [])
    index = int(path[1])
    if fields.is_pairs(question):
        pairs = list(state.suggested.get(question.name, {}).items())
        return "=".join(pairs[index]) if index < len(pairs) else MORE
    if len(path) == 2:
        return list(question.proposals)[-1] if index < len(suggested) else MORE
    name = str(path[2])
    if index < len(suggested) and name in suggested[index]:
        return suggested[index][name]
    proposal = question.proposals.get(str(state.said.get(path[:2], "")), {})
    if name in proposal.get("item", {}):
        return proposal["item"][name]
    return fields.field_at(path).default


def _item_defaults(question: Question) -> dict[str, Value]:
    properties = fields.item_schema(question)["properties"]
    return {name: schema.get("default") for name, schema in properties.items()}


def _holds(question: Question, known: Mapping[str, Value]) -> bool:
    """Whether a question is asked wherever it applies."""
    return question.core or not question.has_default or _renders(question.ask, known)


def _asks(step: Step, question: Question) -> bool:
    return question.core or not step.field.has_default or step.field.ask is not False


def _renders(condition: str | bool, values: Mapping[str, Value]) -> bool:
    return condition if isinstance(condition, bool) else _template(condition).render(values) == "True"


@cache
def _template(text: str) -> Template:
    return decisions.environment().from_string(text)


def _consequence(option: Option, known: Mapping[str, Value]) -> str:
    return _template(option.consequence).render(known) if "{{" in option.consequence else option.consequence


def _place(finding: Finding, values: Mapping[str, Value]) -> Path:
    """The step that a finding is about."""
    if not finding.answer:
        return ()
    path = parse(finding.answer)
    question = questions.asked().get(str(path[0]))
    if question is None or not fields.is_list(question):
        return path[:1]
    if fields.is_pairs(question):
        names = list(values.get(question.name, {}))
        name = finding.answer.partition(".")[2]
        return (question.name, names.index(name)) if name in names else path[:1]
    return path[:3] if len(path) > 2 else (*path, *_opening(question))


def _is_open(finding: Finding, values: Mapping[str, Value]) -> bool:
    """Whether a finding only says that a question is not answered yet."""
    return finding.code == "answers.missing" and finding.answer not in values


def _without(said: Mapping[Path, Value], paths: set[Path]) -> dict[Path, Value]:
    return {path: value for path, value in said.items() if path not in paths}

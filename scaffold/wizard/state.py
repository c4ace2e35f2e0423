"""What is known so far, and the lists of items that it adds up to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from scaffold.answers.sources import Path
from scaffold.templates import questions
from scaffold.templates.decisions import rendered
from scaffold.templates.questions import Question, Value
from scaffold.wizard import fields

MORE = ""
"""What ends a list of proposals: none of them."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known so far.

    A path is that of a question, of an item that was proposed, or of a field of an item:
    ``("volumes", 0, "size")``.
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


def without(state: State, paths: Collection[Path]) -> State:
    """The state without anything at these paths."""
    gone = frozenset(paths)
    said = {path: value for path, value in state.said.items() if path not in gone}
    return replace(state, said=said, accepted=state.accepted - gone, forced=state.forced - gone)


def base(state: State, question: Question) -> Sequence[Value]:
    """The items of a list as they were typed, proposed or suggested, before their fields are answered."""
    name = question.name
    if name in state.given:
        return list(state.given[name])
    suggested = state.suggested.get(name, [])
    if not question.proposals:
        return list(state.said.get((name,), suggested))
    found: list[Value] = []
    for index in count():
        at: Path = (name, index)
        here = index < len(suggested)
        chosen = state.said.get(at, _own(question) if here else MORE)
        if chosen == MORE:
            break
        item = question.proposals.get(str(chosen), {}).get("item", {}) if at in state.said else {}
        found.append({**(suggested[index] if here else {}), **item})
    return found


def items(state: State, question: Question) -> Sequence[Value]:
    """The items of a list, in the order of their schema; unknown keys stay, and are refused later."""
    start = base(state, question)
    if question.name in state.given:
        return start
    properties = fields.item_schema(question)["properties"]
    found: list[Value] = []
    for index, item in enumerate(start):
        if not isinstance(item, Mapping):
            found.append(item)
            continue
        at: Path = (question.name, index)
        said = {str(path[2]): value for path, value in state.said.items() if path[:2] == at and path[2:]}
        full = {**item, **said}
        for name, schema in properties.items():
            if name not in full and "x-suggest" in schema:
                seen = {"item": _with_defaults(properties, full), "index": index}
                if text := rendered(schema["x-suggest"], seen):
                    full[name] = text
        found.append({**{name: full[name] for name in properties if name in full}, **full})
    return found


def _with_defaults(properties: Mapping[str, Value], item: Mapping[str, Value]) -> dict[str, Value]:
    return {**{name: schema.get("default") for name, schema in properties.items()}, **item}


def put(state: State, path: Path, value: Value) -> State:
    """The state with ``value`` at ``path``; what was given for this question becomes an answer."""
    question = questions.asked()[str(path[0])]
    if fields.is_list(question):
        return _put_in_list(_adopted(state, question), question, path, value)
    given = {name: v for name, v in state.given.items() if name != question.name}
    return _said(replace(state, given=given), path, value)


def _put_in_list(state: State, question: Question, path: Path, value: Value) -> State:
    if len(path) == 1:
        if question.proposals:
            return _spread(state, question, value)
        return _said(_moved(state, question, value), path, value)
    index = int(path[1])
    if len(path) == 2:
        return _said(state, path, value) if value != MORE else without_item(state, question, index)
    if question.proposals or path[2] not in fields.line_fields(question):
        return _said(state, path, value)
    changed = list(base(state, question))
    changed[index] = {**changed[index], str(path[2]): value}
    return _said(state, path[:1], changed)


def _said(state: State, path: Path, value: Value) -> State:
    return replace(state, said={**state.said, path: value}, accepted=state.accepted - {path})


def _adopted(state: State, question: Question) -> State:
    if question.name not in state.given:
        return state
    given = {name: value for name, value in state.given.items() if name != question.name}
    return put(replace(state, given=given), (question.name,), state.given[question.name])


def _spread(state: State, question: Question, value: Value) -> State:
    """The state in which a list with proposals, answered as a whole, has each item on its own."""
    state = without(state, _paths_of(state, question))
    said = dict(state.said)
    for index, item in enumerate(value if isinstance(value, list) else ()):
        said[question.name, index] = _own(question)
        said.update({(question.name, index, str(key)): v for key, v in dict(item).items()})
    said[question.name, len(value)] = MORE
    return replace(state, said=said)


def without_item(state: State, question: Question, index: int) -> State:
    """The state without one item of a list; the later ones move up."""
    state = _adopted(state, question)
    start = list(items(state, question))
    if index >= len(start):
        return _said(state, (question.name, index), MORE)
    del start[index]
    if question.proposals:
        return _spread(state, question, start)
    return _said(without(state, _paths_of(state, question)), (question.name,), start)


def _moved(state: State, question: Question, value: Value) -> State:
    """The state with the answers about items moved to where these items are now, or dropped with them."""
    key = fields.line_fields(question)[0]

    def keys(listed: Value) -> list[Value]:
        return [item.get(key) if isinstance(item, Mapping) else item for item in listed or ()]

    before, after = keys(items(state, question)), keys(value if isinstance(value, list) else ())
    places = {old: after.index(name) for old, name in enumerate(before) if name in after}
    mine = {path for path in _paths_of(state, question) if len(path) == 3}
    moved = {path: (path[0], places[int(path[1])], path[2]) for path in mine if int(path[1]) in places}
    rest = without(state, mine)
    return replace(
        rest,
        said={**rest.said, **{moved[path]: v for path, v in state.said.items() if path in moved}},
        accepted=rest.accepted | {moved[path] for path in state.accepted if path in moved},
        forced=rest.forced | {moved[path] for path in state.forced if path in moved},
    )


def _paths_of(state: State, question: Question) -> set[Path]:
    every = {*state.said, *state.accepted, *state.forced}
    return {path for path in every if path[0] == question.name}


def _own(question: Question) -> str:
    """The proposal that proposes nothing, which is the last one."""
    return list(question.proposals)[-1]

"""From answers to decisions: the tables in ``templates/decisions``, evaluated as Copier does."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.templates import template
from scaffold.templates.questions import Question, Role, Value, all_questions, environment_options

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment


@dataclass(frozen=True, slots=True)
class Decision:
    """One computed value, the reason for it, and the house rule that it follows."""

    name: str
    value: Value
    reason: str
    rule: str


@template.kept
def environment() -> SandboxedEnvironment:
    """The templates' Jinja environment, equal to the one in which Copier evaluates them."""
    import jinja2

    from scaffold.templates.sandbox import CompiledTexts, Sandbox

    options = dict(environment_options())
    options["undefined"] = getattr(jinja2, options["undefined"].rpartition(".")[2])
    texts = jinja2.FunctionLoader(lambda name: name.removeprefix(TEXT) if name.startswith(TEXT) else None)
    directory = template.cache_directory("tables")
    made = Sandbox(
        loader=jinja2.ChoiceLoader([texts, jinja2.FileSystemLoader(template.root())]),
        bytecode_cache=CompiledTexts(directory) if directory else None,
        # The files of one version stay as they are while a command runs.
        auto_reload=False,
        cache_size=-1,
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        **options,
    )
    made.filters["from_yaml"] = _parsed  # the same, by libyaml
    return made


SEAL = "templates/questions/seal.jinja"
"""What hashes the answers; versions without it record stacks in another way."""
TEXT = "text:"
"""Begins the name of a template that is no file: the rest of the name is its text, so it is kept compiled."""


def combine(answers: Mapping[str, Value]) -> dict[str, Value]:
    """Every value that the templates see: the answers, the defaults of the others, the decisions.

    ``answers`` have to be valid. Equal to ``answers.combined`` of Copier's API for the same answers.
    """
    values: dict[str, Value] = {}
    for question in all_questions():
        if question.name in answers or question.has_default:
            values[question.name] = _value(question, answers, values)
    return values


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers with their defaults and the facts (``values``), and decisions that were asked for so far."""

    values: Mapping[str, Value]
    made: dict[str, Value] = field(default_factory=dict)

    def decided(self, names: Collection[str]) -> dict[str, Value]:
        """The decisions with these names, each computed once; those that they read are among them."""
        for question in all_questions():
            if question.name in names and question.name not in self.made:
                self.made[question.name] = _value(question, {}, {**self.values, **self.made})
        return {name: self.made[name] for name in names}


def judged(answers: Mapping[str, Value]) -> Judged:
    """What follows from answers, kept while the same ones are judged in several ways one after the other."""
    return _judged(template.root(), _Same(answers))


class _Same:
    """Answers as a key: equal where they are written alike, types and all."""

    def __init__(self, answers: Mapping[str, Value]) -> None:
        self.answers = answers
        self._text = repr(answers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(4)
def _judged(_: Path, same: _Same) -> Judged:
    return Judged(defaults(same.answers))


def evaluate(path: str, values: Mapping[str, Value]) -> Value:
    """The JSON that a decision file prints, given the values that it reads."""
    return json.loads(environment().get_template(path).render(values))


def suspected(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Why each text looks like a literal secret, or nothing if it does not.

    Takes each with the name that it is given under, such as that of a variable; the name may be empty. The
    rules stand in ``templates/decisions/secrets.yml``. Nothing of a text is in what is returned, but names
    that it gives values to.
    """
    told: list[str] = evaluate("templates/decisions/suspected.jinja", {"texts": list(texts)})
    return told


def seal(said: Mapping[str, Value]) -> str:
    """The hash of what an answers file says, as the template records it."""
    return str(environment().get_template(SEAL).module.seal(said))  # type: ignore[attr-defined]


def defaults(answers: Mapping[str, Value]) -> dict[str, Value]:
    """The stored answers, their defaults and the facts alone, without any decision.

    What was recorded under an earlier name of a question is there for its default to read.
    """
    values: dict[str, Value] = {q.was: answers[q.was] for q in all_questions() if q.was in answers}
    for question in all_questions():
        if question.name in answers or question.has_default:
            values[question.name] = _value(question, answers, values)
        if question.name == "facts":
            break
    return values


def house() -> Mapping[str, Value]:
    """The facts of the house, as this template version has them."""
    return template.facts("house")


def table(values: Mapping[str, Value]) -> tuple[Decision, ...]:
    """The decisions among combined values, each with its reason and rule, in the order of the files."""
    computed = [q.name for q in all_questions() if q.role is Role.COMPUTED]
    skipped = {"types", "usual_answers", "house", "facts", "recorded_now"}
    return tuple(d for name in computed if name not in skipped for d in _decisions(name, values[name]))


def matters(decision: Decision) -> bool:
    """Whether a decision should be shown before anything is written (``x-matters``)."""
    subject = decision.name.split(".")[0]
    named = {q.name: q.matters for q in all_questions() if q.role is Role.COMPUTED}
    return decision.name.rpartition(".")[2] in named[subject.partition("[")[0]]


def _decisions(name: str, value: Value) -> Iterator[Decision]:
    if isinstance(value, Mapping):
        if {"value", "reason", "rule"} <= value.keys():
            yield Decision(name, value["value"], value["reason"], value["rule"])
            return
        for key, item in value.items():
            yield from _decisions(f"{name}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            label = item.get("purpose", item.get("name", index)) if isinstance(item, Mapping) else index
            yield from _decisions(f"{name}[{label}]", item)


def holds(condition: str | bool, values: Mapping[str, Value]) -> bool:
    """Whether a condition of a declaration holds for these values."""
    return condition if isinstance(condition, bool) else rendered(condition, values) == "True"


def rendered(text: str, values: Mapping[str, Value]) -> str:
    """A text of a declaration; most are no templates."""
    return compiled(text).render(values) if "{" in text else text


def _value(question: Question, answers: Mapping[str, Value], values: Mapping[str, Value]) -> Value:
    if question.name in answers and question.role is not Role.COMPUTED:
        given = answers[question.name]
        # As Copier takes it; by JSON Schema, 80.0 is a whole number too.
        return int(given) if question.type == "int" and isinstance(given, float) else given
    if not isinstance(question.default, str):
        return question.default
    text = rendered(question.default, values)
    if question.type == "json":
        return json.loads(text)
    return text if question.type == "str" else _parsed(text)


@template.kept
def compiled(text: str) -> Template:
    """A default or a condition, compiled for repeated rendering: the wizard does that after every answer."""
    return environment().get_template(TEXT + text)


@lru_cache(64)
def _parsed(text: str) -> Value:
    """The YAML of a default, mostly the facts of the house. Nobody changes it in place."""
    return template.parsed(text)

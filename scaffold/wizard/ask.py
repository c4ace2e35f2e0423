"""Asking the core questions in a terminal, and what their answers make necessary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffold import decisions, validation
from scaffold.answers import Answers, Place
from scaffold.monorepo import Monorepo
from scaffold.questions import Question, Role, Value, all_questions, asked, types

_NECESSARY = {"gate_reason", "image"}
"""Asked where their condition holds, though they have a default: the default would be refused."""


def ask(given: Answers, monorepo: Monorepo | None) -> Answers:
    """Ask what ``given`` does not answer yet: the required and the core questions, and the volumes.

    Everything else keeps its decided default. Each answer is validated when it is given. Raises
    ``KeyboardInterrupt`` when the person breaks off.
    """
    values: dict[str, Value] = dict(given.values)
    for question in asked().values():
        if question.name in values:
            continue
        if question.name == "volumes":
            if volumes := _volumes(values):
                values["volumes"] = volumes
        elif _is_asked(question, values):
            values[question.name] = _one(question, values, monorepo)
    new = {name: value for name, value in values.items() if name not in given.values}
    return Answers(new, {(name,): Place("your answer") for name in new}).over(given)


def _is_asked(question: Question, values: Mapping[str, Value]) -> bool:
    known = _with_defaults(values)
    if question.name == "gate_reason":
        return decisions.applies(question, known)
    if question.name == "image":
        return not decisions.house()["builds"][known["build"]]["owned"]
    return question.core or (not question.has_default and decisions.applies(question, known))


def _with_defaults(values: Mapping[str, Value]) -> dict[str, Value]:
    literal = {q.name: q.default for q in all_questions() if q.role is Role.ASKED and q.has_default}
    return {**literal, **values}


def _one(question: Question, values: Mapping[str, Value], monorepo: Monorepo | None) -> Value:
    import questionary

    def wrong(text: str) -> str | bool:
        return _problem(question.name, _typed(question, text), monorepo) or True

    if question.options:
        choices = [questionary.Choice(f"{o.value}: {o.consequence}", o.value) for o in question.options]
        prompt: Any = questionary.select(question.help, choices, default=question.default)
    elif question.type == "bool":
        prompt = questionary.confirm(question.help, default=bool(question.default))
    else:
        prompt = questionary.text(question.help, validate=wrong)
    answer = prompt.unsafe_ask()
    return _typed(question, answer) if isinstance(answer, str) else answer


def _typed(question: Question, text: str) -> Value:
    if question.type == "int":
        return int(text) if text.isdigit() else text
    return text


def _problem(name: str, value: Value, monorepo: Monorepo | None) -> str:
    """What is wrong with one answer, or nothing."""
    if name in _NECESSARY and not value:
        return asked()[name].help
    if name == "name" and monorepo is not None and value in monorepo.stacks:
        return f"There is a stack {value} already."
    found = validation.problems(Answers({name: value}), {}, {})
    mine = [f for f in found if f.answer == name]
    return f"{mine[0].message} {mine[0].hint or ''}" if mine else ""


def _volumes(values: Mapping[str, Value]) -> list[Value]:
    import questionary

    known = _with_defaults(values)
    schema = types()["volumes"]["items"]["properties"]
    volumes: list[Value] = []
    while True:
        more = "another directory" if volumes else "data on disk"
        path = questionary.text(
            f"Where in its container does it keep {more}? Leave it empty for none.",
            validate=lambda text: not text or _volume_problem({"path": text}) or True,
        ).unsafe_ask()
        if not path:
            return volumes
        volume: dict[str, Value] = {"path": path}
        if volumes:
            volume["purpose"] = questionary.text(
                schema["purpose"]["description"],
                validate=lambda text: _volume_problem({"path": "/x", "purpose": text}) or True,
            ).unsafe_ask()
        if not known["rwx"]:
            volume["embedded_database"] = questionary.select(
                schema["embedded_database"]["description"], schema["embedded_database"]["enum"]
            ).unsafe_ask()
        volume["size"] = questionary.text(
            schema["size"]["description"],
            default=schema["size"]["default"],
            validate=lambda text: _volume_problem({"path": "/x", "size": text}) or True,
        ).unsafe_ask()
        volumes.append(volume)


def _volume_problem(volume: Mapping[str, Value]) -> str:
    found = validation.problems(Answers({"volumes": [volume]}), {}, {})
    mine = [f for f in found if (f.answer or "").startswith("volumes")]
    return f"{mine[0].message} {mine[0].hint or ''}" if mine else ""

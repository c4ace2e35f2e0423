"""The questions, read from ``copier.yml``, and what each of them declares."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, TypeAlias

import yaml

from scaffold.templates import examples, template

Value: TypeAlias = Any
"""What YAML can say: text, numbers, truth values, nothing, lists and mappings."""

JSON_TYPES = {"str": "string", "int": "integer", "bool": "boolean"}
"""Copier's types that are one field each, in JSON Schema's words."""


class Role(Enum):
    """What a declaration in ``copier.yml`` is for."""

    ASKED = "asked"
    """Somebody answers it."""
    INTERNAL = "internal"
    """Stored with the answers, and set by the tool alone."""
    COMPUTED = "computed"
    """Computed anew every time, and not stored."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a question, with what follows from it."""

    value: Value
    consequence: str


@dataclass(frozen=True, slots=True)
class Question:
    """One declaration of ``copier.yml``."""

    name: str
    type: str
    role: Role
    help: str
    when: str | bool
    has_default: bool
    default: Value = field(compare=False)
    options: tuple[Option, ...]
    validator: str = ""
    core: bool = False
    """``x-core``: whether the wizard asks it first."""
    after: str = ""
    """``x-after``: the question that the wizard asks just before this one, wherever it is declared."""
    ask: str | bool = False
    """``x-ask``: whether the wizard asks it although it has a default; a template over the other answers."""
    suggests: str = ""
    """``x-suggests``: a decision file that tells what follows for other questions once it is answered."""
    consequences: Mapping[Value, str] = field(default_factory=dict, compare=False)
    """``x-consequences``: what follows from a value in this house; templates over the facts."""
    needs: Mapping[Value, str] = field(default_factory=dict, compare=False)
    """``x-needs``: what a house must have for a value to be offered; conditions over the facts."""
    usual: str = ""
    """``x-usual``: the fact that names the option which the monorepo takes mostly."""
    explain: str = ""
    """``x-explain``: the rule of the house behind the question, for the wizard."""
    required: str = ""
    """``x-required``: where it has to be answered despite its default; a condition over other answers."""
    pattern: str = ""
    """``x-pattern``: what its text has to match there."""
    was: str = ""
    """``x-was``: what earlier versions called it, and stacks have recorded; its default reads that."""
    proposals: Mapping[str, Mapping[str, Value]] = field(default_factory=dict, compare=False)
    """``x-proposals``: items that a list question offers, each with its consequence."""
    matters: Sequence[str] = field(default=(), compare=False)
    """``x-matters``: the decisions in what is computed that a person sees before anything is written."""


_Loader = type(
    "_Loader", (template.FAST_LOADER,), {"__doc__": "YAML with Copier's ``!include`` of one file."}
)


def _include(_: yaml.SafeLoader, node: yaml.Node) -> Value:
    text = (template.root() / str(node.value)).read_text("utf-8")
    return yaml.load(text, _Loader) if "!include" in text else template.parsed(text, _Loader)


yaml.add_constructor("!include", _include, Loader=_Loader)


@template.kept
def _documents() -> Mapping[str, Value]:
    merged: dict[str, Value] = {}
    for document in yaml.load_all((template.root() / "copier.yml").read_text("utf-8"), _Loader):
        merged.update(document)
    return merged


@template.kept
def environment_options() -> Mapping[str, Value]:
    """The options of the Jinja environment (``_envops``) that the template is written for."""
    return dict(_documents()["_envops"])


@template.kept
def exclusions() -> tuple[str, ...]:
    """The patterns of names that are not part of the template (``_exclude``)."""
    return tuple(_documents()["_exclude"])


@template.kept
def all_questions() -> tuple[Question, ...]:
    """Every declaration, in the order in which Copier takes them."""
    return tuple(
        _question(name, details) for name, details in _documents().items() if not name.startswith("_")
    )


@template.kept
def asked() -> Mapping[str, Question]:
    """The questions that somebody answers, by name, in order."""
    return {question.name: question for question in all_questions() if question.role is Role.ASKED}


def stand_ins(text: str = "x") -> dict[str, Value]:
    """Values for the questions without a default, so that tables can be evaluated before they are answered.

    The number is above every port, so that nothing that is answered clashes with it.
    """
    return {q.name: text if q.type == "str" else 65536 for q in asked().values() if not q.has_default}


def _question(name: str, details: Mapping[str, Value]) -> Question:
    if details.get("when") is False:
        role = Role.COMPUTED
    elif details.get("ask") is False:
        role = Role.INTERNAL
    else:
        role = Role.ASKED
    options = []
    for text, value in (details.get("choices") or {}).items():
        _, _, consequence = text.partition(" · ")
        options.append(Option(value, consequence or text))
    # Copier's own keys come last: earlier templates have others of our own, such as ``x-type``.
    ours = {one.name: details[f"x-{one.name}"] for one in fields(Question) if f"x-{one.name}" in details}
    copiers: dict[str, Value] = {
        "name": name,
        "type": details["type"],
        "role": role,
        "help": details.get("help", ""),
        "when": details.get("when", True),
        "has_default": "default" in details,
        "default": details.get("default"),
        "options": tuple(options),
        "validator": details.get("validator", ""),
    }
    return Question(**{**ours, **copiers})


@template.kept
def types() -> Mapping[str, Mapping[str, Value]]:
    """What the answers may be that are text, numbers or structures: a JSON Schema by the question's name."""
    return dict(_documents()["types"]["default"])


def lacks(question: Question, answers: Mapping[str, Value]) -> bool:
    """Whether a question applies and is not answered."""
    return question.name not in answers and applies(question, answers)


def applies(question: Question, answers: Mapping[str, Value]) -> bool:
    """Whether a question applies, by what its condition says of other answers."""
    return all(
        fits(answers.get(other, asked()[other].default), wanted)
        for other, wanted in condition(question).items()
    )


def condition(question: Question) -> Mapping[str, Value]:
    """When a question applies: a JSON Schema for each other answer, all of which hold; empty means always.

    Understands what the declarations use: ``a``, ``a == 'x'``, ``a != 'x'``, ``a in [...]``, of the house's
    facts ``table[a].key is defined``, which are the values of ``a`` whose row has that key, and several of
    these with ``and``, each of another answer. Raises ``ValueError`` for anything else, so that a new form
    is noticed here.
    """
    if question.when is True:
        return {}
    try:
        return conditions_in(str(question.when))
    except ValueError as error:
        raise ValueError(f"{question.name}: {error}") from None


@template.kept
def conditions_in(when: str) -> Mapping[str, Value]:
    """What a condition's text says about each answer, or each key of the ``item``: see :func:`condition`.

    Raises ``ValueError`` for a form that it does not understand.
    """
    # What is understood is written in Jinja as in Python, whose parser costs a hundredth.
    try:
        whole = ast.parse(
            when.rpartition("{{")[2].removesuffix("}}").replace("item.", "").strip(), mode="eval"
        ).body
        parts = whole.values if isinstance(whole, ast.BoolOp) and isinstance(whole.op, ast.And) else [whole]
        result = dict(map(_about_one, parts))
    except (SyntaxError, ValueError):
        result = {}
    if not result or len(result) < len(parts):
        raise ValueError(f"a condition of this form is not understood: {when}")
    return result


def _about_one(part: ast.expr) -> tuple[str, Mapping[str, Value]]:
    """The answer that a part of a condition is about, and the JSON Schema of what it has to be."""
    match part:
        case ast.Name(name):
            return name, {"const": True}
        case ast.Compare(ast.Name(name), [ast.Eq()], [value]):
            return name, {"const": ast.literal_eval(value)}
        case ast.Compare(ast.Name(name), [ast.NotEq()], [value]):
            return name, {"not": {"const": ast.literal_eval(value)}}
        case ast.Compare(ast.Name(name), [ast.In()], [value]):
            return name, {"enum": ast.literal_eval(value)}
        case ast.Compare(
            ast.Attribute(ast.Subscript(ast.Name(table), ast.Name(name)), key),
            [ast.Is()],
            [ast.Name("defined")],
        ):
            rows = template.facts("house")[table]
            return name, {"enum": [value for value, row in rows.items() if key in row]}
    raise ValueError(ast.unparse(part))


def in_words(wanted: Mapping[str, Value], mark: str = "") -> str:
    """What :func:`condition` says about an answer, worded to follow its name; values are in ``mark``."""
    values = wanted["enum"] if "enum" in wanted else [wanted.get("const", wanted.get("not", {}).get("const"))]
    if "not" in wanted and not values[0]:
        return "is not empty"
    told = [f"{mark}{str(value).lower() if isinstance(value, bool) else value}{mark}" for value in values]
    return f"is {'not ' if 'not' in wanted else 'one of ' if len(told) > 1 else ''}{', '.join(told)}"


@template.kept
def properties() -> Mapping[str, Mapping[str, Value]]:
    """What the answer to each question may be if it applies: a JSON Schema by the question's name."""
    return {name: _property(question) for name, question in asked().items()}


def fits(value: Value, wanted: Mapping[str, Value]) -> bool:
    """Whether a value meets what :func:`condition` says of it."""
    if "const" in wanted:
        return bool(value == wanted["const"])
    if "enum" in wanted:
        return value in wanted["enum"]
    return not fits(value, wanted["not"])


def _property(question: Question) -> dict[str, Value]:
    text = question.help
    if question.options:
        text += "\n" + "\n".join(f"- {option.value}: {option.consequence}" for option in question.options)
    result: dict[str, Value] = {"description": text, **types().get(question.name, {})}
    if question.options:
        result["enum"] = [option.value for option in question.options]
    elif question.name not in types():
        result["type"] = JSON_TYPES[question.type]
    if question.has_default and not (isinstance(question.default, str) and "{{" in question.default):
        result["default"] = question.default
    given = [
        part[question.name] for part in (examples.single(), *examples.together()) if question.name in part
    ]
    if question.options or question.type == "bool":
        given = [question.default]
    return examples.shown(result, given)

"""Answers: where they come from, and what is wrong with them, all at once."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

import yaml

from scaffold import decisions, questions
from scaffold.errors import AnswersError, Finding, UsageError
from scaffold.questions import Question, Value

Path: TypeAlias = tuple[str | int, ...]
"""Where an answer stands: ``("volumes", 0, "size")``."""

HIDDEN = "(not shown)"
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer was given; lines and columns count from 1."""

    source: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers as they were given, each with its place. What was not given is not in it."""

    values: Mapping[str, Value] = field(default_factory=dict)
    places: Mapping[Path, Place] = field(default_factory=dict)
    problems: tuple[Finding, ...] = ()

    def place(self, path: Path) -> Place:
        """Where the answer at ``path`` was given, or else the nearest one around it."""
        for length in range(len(path), -1, -1):
            if (found := self.places.get(path[:length])) is not None:
                return found
        return Place("answers")

    def over(self, other: Answers) -> Answers:
        """These answers laid over ``other``: for each question the upper one holds."""
        lower = {path: place for path, place in other.places.items() if path[:1] not in self.places}
        return Answers(
            {**other.values, **self.values}, {**lower, **self.places}, other.problems + self.problems
        )


def show(path: Path) -> str:
    """An answer's path as people write it: ``volumes[0].size``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def parse(text: str) -> Path:
    """The path that :func:`show` writes. Raises :class:`UsageError` for anything else."""
    parts = re.findall(r"\[(\d+)\]|\.?([^.\[\]]+)", text)
    path: Path = tuple(int(index) if index else name for index, name in parts)
    if not path or show(path) != text:
        raise UsageError(f"{text!r} is no answer.", "Write it like memory or volumes[0].size.")
    return path


def from_yaml(data: bytes, source: str) -> Answers:
    """The answers of a YAML file.

    Whatever cannot be read (bytes that are no UTF-8, a syntax error, a key given twice) becomes a
    problem of the result, so that all errors are told together.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _unreadable(source, line, None, "is not UTF-8 text", "Save the file as UTF-8.")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        return _unreadable(source, line, column, f"is not YAML: {error.problem}", "Correct the line.")
    except yaml.YAMLError as error:
        return _unreadable(source, None, None, f"is not YAML: {error}", "Take the character out.")
    if node is None:
        return Answers({}, {(): Place(source, 1, 1)})
    if not isinstance(node, yaml.MappingNode):
        return _unreadable(source, 1, 1, "holds no answers", "Write one `question: answer` a line.")
    places: dict[Path, Place] = {}
    problems: list[Finding] = []
    _locate(node, (), source, places, problems)
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        return _unreadable(source, None, None, f"is not YAML: {error}", "Correct the value.")
    return Answers(values, places, tuple(problems))


def _unreadable(source: str, line: int | None, column: int | None, message: str, hint: str) -> Answers:
    finding = Finding(source, line, column, "answers.yaml", f"{source} {message}.", hint=hint)
    return Answers({}, {(): Place(source)}, (finding,))


def _locate(
    node: yaml.Node, path: Path, source: str, places: dict[Path, Place], problems: list[Finding]
) -> None:
    mark = node.start_mark
    places.setdefault(path, Place(source, mark.line + 1, mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            below = (*path, name)
            start = key.start_mark
            if name in seen and name != "<<":
                problems.append(
                    Finding(
                        source, start.line + 1, start.column + 1, "answers.twice", f"{show(below)} is given twice.",
                        hint="Keep one of the two.", answer=show(below),
                    )
                )  # fmt: skip
            seen.add(name)
            places[below] = Place(source, start.line + 1, start.column + 1)
            _locate(value, below, source, places, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _locate(item, (*path, index), source, places, problems)


def from_settings(settings: Iterable[str], base: Answers) -> Answers:
    """``--set KEY=VALUE`` laid over ``base``.

    A value is text where the question takes text, else YAML. Raises :class:`UsageError` for a setting
    without ``=`` or a key inside something that is no list or mapping.
    """
    result = base
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting} has no value.", "Write --set memory=512Mi.")
        path = parse(key)
        value = text if _takes_text(path) else yaml.safe_load(text)
        values = {**result.values, str(path[0]): _put(result.values.get(str(path[0])), path[1:], value, key)}
        places = {p: place for p, place in result.places.items() if p[: len(path)] != path}
        places[path] = Place(f"--set {key}")
        result = Answers(values, places, result.problems)
    return result


def _put(target: Value, path: Path, value: Value, key: str) -> Value:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        items = [] if target is None else target
        if not isinstance(items, list) or head > len(items):
            raise UsageError(f"--set {key} has no such item.", "Items count from 0, without gaps.")
        return [
            *items[:head],
            _put(items[head] if head < len(items) else None, rest, value, key),
            *items[head + 1 :],
        ]
    mapping = {} if target is None else target
    if not isinstance(mapping, dict):
        raise UsageError(f"--set {key} points into a single value.", f"Set {str(path[0])!r} as a whole.")
    return {**mapping, head: _put(mapping.get(head), rest, value, key)}


def _takes_text(path: Path) -> bool:
    question = questions.asked().get(str(path[0]))
    if question is None:
        return False
    if question.type == "str":
        return True
    schema: Mapping[str, Value] = questions.types().get(question.value_type, {})
    for part in path[1:]:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
    return schema.get("type") == "string"


def problems(answers: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]) -> list[Finding]:
    """Everything that is wrong with answers, in the order of their places.

    First what each answer may be by its schema, then what they may not be together
    (``templates/decisions/refusals.jinja``). Answers that fail the first are left out of the second.
    """
    if any(finding.code == "answers.yaml" for finding in answers.problems):
        return list(answers.problems)
    findings = [*answers.problems, *_unknown(answers)]
    wrong = list(_against_schema(answers))
    findings += [finding for _, finding in wrong]
    missing = [q for q in questions.asked().values() if not q.has_default and q.name not in answers.values]
    findings += [_missing(answers, question) for question in missing]
    bad = {str(path[0]) for path, _ in wrong} | {q.name for q in missing}
    findings += [
        f for f in _together(answers, bad, sensed, recorded) if str(parse(f.answer or "x")[0]) not in bad
    ]
    return sorted(findings, key=lambda f: (f.path, f.line or 0, f.column or 0, f.code))


def check(answers: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]) -> None:
    """Raise :class:`AnswersError` with every problem, where there is one."""
    if findings := problems(answers, sensed, recorded):
        raise refused(findings)


def refused(findings: Sequence[Finding]) -> AnswersError:
    """The error that tells these problems."""
    count = "One answer is" if len(findings) == 1 else f"{len(findings)} answers are"
    return AnswersError(f"{count} not valid; nothing was written.", "Mend them and run it again.", findings)


def _finding(answers: Answers, path: Path, code: str, message: str, **more: str | None) -> Finding:
    place = answers.place(path)
    return Finding(place.source, place.line, place.column, code, message, answer=show(path) or None, **more)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


def _unknown(answers: Answers) -> Iterator[Finding]:
    asked = questions.asked()
    for name in answers.values:
        if name not in asked:
            yield _finding(
                answers, (name,), "answers.unknown", f"{name} is no question.",
                allowed=", ".join(asked), hint=_nearest(str(name), asked) or "Take it out.",
            )  # fmt: skip
            continue
        for other, wanted in questions.condition(asked[name]).items():
            value = answers.values.get(other, asked[other].default)
            if not questions.fits(value, wanted):
                yield _finding(
                    answers, (name,), "answers.not-asked", f"{name} does not apply where {other} is {_plain(value)}.",
                    hint=f"Take it out, or change {other}.",
                )  # fmt: skip


def _missing(answers: Answers, question: Question) -> Finding:
    schema = questions.types().get(question.value_type, {})
    return _finding(
        answers, (question.name,), "answers.missing", f"{question.name} is missing.",
        allowed=schema.get("allowed"), hint=question.help,
    )  # fmt: skip


@cache
def _validator() -> Value:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Value, regex: str, value: Value, __: Value) -> Iterator[ValidationError]:
        # `$` would also match before a line break at the end.
        if isinstance(value, str) and not re.search(f"(?:{regex})(?!\n)", value):
            yield ValidationError("pattern")

    return extend(Draft202012Validator, {"pattern": pattern})(questions.schema())


def _against_schema(answers: Answers) -> Iterator[tuple[Path, Finding]]:
    for error in _validator().iter_errors(dict(answers.values)):
        path: Path = tuple(error.absolute_path)
        rule = str(error.validator)
        if rule == "unevaluatedProperties" or (rule == "required" and not path):
            continue
        if rule == "additionalProperties":
            for key in error.instance:
                if key not in error.schema["properties"]:
                    yield (
                        (*path, key),
                        _finding(
                            answers, (*path, key), "answers.unknown", f"{show((*path, key))} is no known key.",
                            allowed=", ".join(error.schema["properties"]),
                            hint=_nearest(str(key), error.schema["properties"]) or "Take it out.",
                        ),
                    )  # fmt: skip
            continue
        if rule == "required":
            key = re.match(r"'(.*)' is a required", error.message)
            missing = (*path, key[1] if key else "")
            yield missing, _finding(
                answers, missing, "answers.missing", f"{show(missing)} is missing.",
                hint=error.schema["properties"][missing[-1]].get("description"),
            )  # fmt: skip
            continue
        if error.parent is None and "propertyNames" in error.absolute_schema_path:
            path = (*path, str(error.instance))
        yield path, _wrong(answers, path, rule, error.instance, error.schema)


def _wrong(answers: Answers, path: Path, rule: str, value: Value, schema: Mapping[str, Value]) -> Finding:
    wanted = schema.get("type", "")
    kinds = " or ".join(
        {"string": "text", "boolean": "true or false", "integer": "a whole number", "array": "a list",
         "object": "a mapping", "null": "nothing"}[kind]
        for kind in ([wanted] if isinstance(wanted, str) and wanted else wanted)
    )  # fmt: skip
    allowed = ", ".join(map(str, schema["enum"])) if rule == "enum" else schema.get("allowed", kinds)
    hint = schema.get("mend", "")
    if rule == "type" and wanted == "string" and isinstance(value, bool | int | float):
        hint = "Put it in quotes."
    if rule == "type" and isinstance(value, str) and wanted in ("integer", "boolean"):
        hint = "Take the quotes off." if yaml.safe_load(value) != value else hint or f"Write {kinds}."
    if rule == "enum":
        hint = _nearest(str(value), map(str, schema["enum"])) or "Choose one of them."
    what = {
        "type": f"has to be {kinds}",
        "enum": "is none of the choices",
        "minLength": "may not be empty",
        "minItems": "may not be empty",
    }.get(rule, f"has to be {schema.get('allowed', kinds)}")
    shown = _plain(json.dumps(value, ensure_ascii=False, default=str) if rule == "type" else value)
    if _may_be_secret(path, value):
        shown = HIDDEN
    return _finding(
        answers, path, f"answers.{rule}", f"{show(path)} {what}.", value=shown, allowed=allowed, hint=hint
    )


@cache
def _secret_values() -> re.Pattern[str]:
    return re.compile(decisions.house()["secret_values"])


def _may_be_secret(path: Path, value: Value) -> bool:
    return path[0] in ("secrets", "env") or _secret_values().search(str(value)) is not None


def _plain(value: Value) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _together(
    answers: Answers, bad: set[str], sensed: Mapping[str, Value], recorded: Mapping[str, Value]
) -> Iterator[Finding]:
    stand_ins = {
        q.name: "x" if q.type == "str" else 1 for q in questions.asked().values() if not q.has_default
    }
    good = {name: v for name, v in answers.values.items() if name not in bad and name in questions.asked()}
    values = decisions.defaults({**stand_ins, **good, "sensed": sensed, "recorded": recorded})
    for row in decisions.evaluate("templates/decisions/refusals.jinja", values):
        path = parse(row["answer"])
        yield _finding(
            answers, path, row["code"], f"{row['answer']} {row['message']}",
            value=_plain(row["value"]) or None, allowed=row["allowed"], hint=row["mend"],
        )  # fmt: skip

"""What is wrong with answers: by their schema, with each other, all at once."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from scaffold import decisions, questions
from scaffold.answers import Answers, Path, parse, show
from scaffold.errors import AnswersError, Finding
from scaffold.questions import Question, Value

HIDDEN = "(not shown)"
_SHOWN = 60
_TRUTH = {"true", "false", "yes", "no"}


def problems(answers: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]) -> list[Finding]:
    """Everything that is wrong with answers, in the order of their places.

    First what each answer may be by its schema, then what they may not be together
    (``templates/decisions/refusals.jinja``). Answers that fail the first are left out of the second.
    """
    if any(finding.code == "answers.yaml" for finding in answers.problems):
        return list(answers.problems)
    unknown = list(_unknown(answers))
    findings = [*answers.problems, *unknown]
    wrong = list(_against_schema(answers))
    findings += [finding for _, finding in wrong]
    missing = [q for q in questions.asked().values() if not q.has_default and _lacks(answers, q)]
    findings += [_missing(answers, question) for question in missing]
    bad = {str(path[0]) for path, _ in wrong} | {q.name for q in missing} | {str(f.answer) for f in unknown}
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
                answers,
                (name,),
                "answers.unknown",
                f"{name} is no question.",
                allowed=", ".join(asked),
                hint=_nearest(str(name), asked) or "Take it out.",
            )
            continue
        for other, wanted in questions.condition(asked[name]).items():
            value = answers.values.get(other, asked[other].default)
            if not questions.fits(value, wanted):
                yield _finding(
                    answers,
                    (name,),
                    "answers.not-asked",
                    f"{name} does not apply where {other} is {_plain(value)}.",
                    hint=f"Take it out, or change {other}.",
                )


def _lacks(answers: Answers, question: Question) -> bool:
    """Whether a question that applies is not answered."""
    return question.name not in answers.values and all(
        questions.fits(answers.values.get(other, questions.asked()[other].default), wanted)
        for other, wanted in questions.condition(question).items()
    )


def _missing(answers: Answers, question: Question) -> Finding:
    schema = questions.types().get(question.value_type, {})
    return _finding(
        answers,
        (question.name,),
        "answers.missing",
        f"{question.name} is missing.",
        allowed=schema.get("allowed"),
        hint=question.help,
    )


@cache
def _validator() -> Value:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Value, regex: str, value: Value, __: Value) -> Iterator[ValidationError]:
        # `$` would also match before a line break at the end.
        if isinstance(value, str) and not re.search(f"(?:{regex})(?!\n)", value):
            yield ValidationError("pattern")

    validator = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return validator(questions.schema())


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
                            answers,
                            (*path, key),
                            "answers.unknown",
                            f"{show((*path, key))} is no known key.",
                            allowed=", ".join(error.schema["properties"]),
                            hint=_nearest(str(key), error.schema["properties"]) or "Take it out.",
                        ),
                    )
            continue
        if rule == "required":
            key = re.match(r"'(.*)' is a required", error.message)
            missing = (*path, key[1] if key else "")
            yield (
                missing,
                _finding(
                    answers,
                    missing,
                    "answers.missing",
                    f"{show(missing)} is missing.",
                    hint=error.schema["properties"][missing[-1]].get("description"),
                ),
            )
            continue
        if error.parent is None and "propertyNames" in error.absolute_schema_path:
            path = (*path, str(error.instance))
        yield path, _wrong(answers, path, rule, error.instance, error.schema)


def _wrong(answers: Answers, path: Path, rule: str, value: Value, schema: Mapping[str, Value]) -> Finding:
    wanted = schema.get("type", "")
    kinds = " or ".join(
        {
            "string": "text",
            "boolean": "true or false",
            "integer": "a whole number",
            "array": "a list",
            "object": "a mapping",
            "null": "nothing",
        }[kind]
        for kind in ([wanted] if isinstance(wanted, str) and wanted else wanted)
    )
    allowed = ", ".join(map(str, schema["enum"])) if rule == "enum" else schema.get("allowed", kinds)
    hint = schema.get("mend", "")
    if rule == "type" and wanted == "string" and isinstance(value, bool | int | float):
        hint = "Put it in quotes."
    if (
        rule == "type"
        and isinstance(value, str)
        and ((wanted == "integer" and value.isdecimal()) or (wanted == "boolean" and value in _TRUTH))
    ):
        hint = "Take the quotes off."
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
        q.name: "x" if q.type == "str" else 8080 for q in questions.asked().values() if not q.has_default
    }
    good = {name: v for name, v in answers.values.items() if name not in bad and name in questions.asked()}
    values = decisions.defaults({**stand_ins, **good, "sensed": sensed, "recorded": recorded})
    for row in decisions.evaluate("templates/decisions/refusals.jinja", values):
        path = parse(row["answer"])
        yield _finding(
            answers,
            path,
            row["code"],
            f"{row['answer']} {row['message']}",
            value=_plain(row["value"]) or None,
            allowed=row["allowed"],
            hint=row["mend"],
        )

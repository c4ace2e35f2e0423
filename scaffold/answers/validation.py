"""Everything that is wrong with answers, at once: by their schema, and with each other."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from scaffold.answers import fixes
from scaffold.answers.known import known
from scaffold.answers.pruning import Pruned, sound
from scaffold.answers.sources import Answers, Path, about, show, within
from scaffold.errors import AnswersError, Finding, nearest
from scaffold.templates import decisions, questions, template
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Question, Value
from scaffold.templates.schema import KINDS, schema, validator

HIDDEN = "(not shown)"
_Row = Mapping[str, str]
_Properties = Mapping[str, Mapping[str, Value]]
_SECRET = "answers.literal-secret"
_UNKNOWN = "answers.unknown"
_WAY_OUT = (
    " Whatever no answer covers can go into a Terraform file of your own: `new-service --beside FILE` "
    "puts it next to the rendered ones."
)
_BESIDE = "What no answer covers goes into a Terraform file of your own (--beside)."
_UNTOLD = {
    "message": "is refused as well; the reason would quote what looks like a secret.",
    "value": HIDDEN,
    "allowed": "",
    "fix": "Fix the secret first; then this is shown.",
}
_OF_WHOLE = ("names", "storage", "credentials", "workload", "containers", "dumps", "ingress")
"""The decisions that answers are judged by together; what is known of them need not be computed once more."""
_SHOWN = 60


def problems(answers: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]) -> list[Finding]:
    """Everything that is wrong with answers, in the order of their places.

    First what each answer may be by its schema, then what they may not be together
    (``templates/decisions/judged.jinja``). What fails the first is left out of the second.
    """
    if any(finding.code == "answers.yaml" for finding in answers.problems):
        return list(answers.problems)
    asked = questions.asked()
    wrong = list(_against_schema(answers.values, answers))
    astray = {*answers.values.keys() - asked.keys(), *(str(path[0]) for path, _ in wrong)}
    supposed = fixes.supposed(answers.values, astray)
    unknown = list(_unknown(answers, supposed))
    missing = [q for q in asked.values() if not q.has_default and questions.lacks(q, supposed)]
    # What is there but empty counts as missing, whatever else its schema says about it.
    empty = {(question.name,) for question in missing}
    wrong = [(path, finding) for path, finding in wrong if path not in empty or answers.values.get(path[0])]
    told = [*answers.problems, *unknown, *(f for _, f in wrong), *(_missing(answers, q) for q in missing)]
    left_out = [path for path, _ in wrong if path[0] in supposed] + [(str(f.answer),) for f in unknown]
    # Judged without the wrong parts, and without all that they belong to: what both find does not
    # follow from their absence.
    unknown_keys = {path for path, finding in wrong if finding.code == _UNKNOWN}
    small, large = (
        sound(supposed, left_out, _wrong_paths, whole=whole, meaningless=unknown_keys)
        if left_out
        else Pruned(supposed, {})
        for whole in (False, True)
    )
    findings = list(_together(answers, small, sensed, recorded))
    if large != small:
        certain = {(f.answer, f.code) for f in _together(answers, large, sensed, recorded)}
        findings = [f for f in findings if (f.answer, f.code) in certain]
    named = {path[:n] for path in left_out if path not in unknown_keys for n in range(1, len(path) + 1)}
    named |= empty
    told += [f for f in findings if about(f.answer or "") not in named]
    return sorted(dict.fromkeys(told), key=_order)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line or 0, finding.column or 0, finding.code


def valid_part(answers: Answers, findings: Iterable[Finding]) -> Pruned:
    """The answers without those that ``findings`` are about, and without the items around them."""
    wrong = [about(finding.answer) for finding in findings if finding.answer]
    return sound(answers.values, wrong, _wrong_paths, whole=True)


def _wrong_paths(values: Mapping[str, Value]) -> list[Path]:
    return [path for path, _ in _against_schema(values, Answers(values))]


def check(answers: Answers, sensed: Mapping[str, Value], recorded: Mapping[str, Value]) -> None:
    """Raise :class:`AnswersError` with every problem, if there is one."""
    if findings := problems(answers, sensed, recorded):
        raise refused(findings)


def refused(findings: Sequence[Finding]) -> AnswersError:
    """The error that reports these problems."""
    one = len(findings) == 1
    count = "One answer is" if one else f"{len(findings)} answers are"
    unknown = any(finding.code == _UNKNOWN for finding in findings)
    return AnswersError(
        f"{count} not valid; nothing was written.",
        f"Correct {'it' if one else 'them'} and run the command again.{_WAY_OUT if unknown else ''}",
        sorted(findings, key=_order),
    )


def _unknown(answers: Answers, supposed: Mapping[str, Value]) -> Iterator[Finding]:
    asked = questions.asked()
    for name in answers.values:
        if name not in asked:
            what = f"{name} is not a question."
            yield _no_such(answers, (name,), what, answers.values, questions.properties())
            continue
        for other, wanted in questions.condition(asked[name]).items():
            value = supposed.get(other, asked[other].default)
            if not questions.fits(value, wanted) and _possible(asked[other], value):
                message = f"{name} does not apply if {other} is {_plain(value)}."
                allowed, fix = f"only where {other} {questions.in_words(wanted)}", "Remove it."
                yield answers.finding((name,), "answers.not-asked", message, allowed=allowed, fix=fix)
                break


def _no_such(answers: Answers, path: Path, message: str, around: Value, known: _Properties) -> Finding:
    key, more = path[-1], {"allowed": ", ".join(known)} if len(path) > 1 else {}
    found, right = fixes.meant(key, around[key], known, around), fixes.right_key(key, known)
    if right:
        fix = f"Did you mean {right}?"
    elif found:
        fix = f"Move its contents up, and leave {key} out."
    else:
        listed = "" if more else "`scaffold schema` lists all questions. "
        why = fixes.why_dropped(key) or f"{listed}{_BESIDE}"
        fix, more["write"] = f"Remove it. {why}", ""
    more |= fixes.shown((*path[:-1], right), found, known.get(right, {})) if found or right else {}
    return answers.finding(path, _UNKNOWN, message, fix=fix, **more)


def _possible(question: Question, value: Value) -> bool:
    """Whether a question could be answered so; what follows from an impossible answer is unknown."""
    return not question.options or value in [option.value for option in question.options]


def _missing(answers: Answers, question: Question) -> Finding:
    schema = questions.properties()[question.name]
    path, message, allowed = (question.name,), f"{question.name} is missing.", schema.get("allowed")
    found, fix = known(answers.values), question.help
    if found.alike and question.name in found.proposed:
        fix += f" {found.proposed[question.name]} is usual for {found.alike}, which has a similar name."
    example = fixes.shown(path, {}, schema)
    return answers.finding(path, "answers.missing", message, allowed=allowed, fix=fix, **example)


@template.kept
def _validator() -> Value:
    return validator(schema(together=False))


def _right(values: Mapping[str, Value]) -> bool:
    """Whether stock Copier's check of each answer finds nothing; jsonschema describes problems better.

    Its import costs more than all else that right answers need.
    """
    check = "{% from 'templates/questions/problems.jinja' import problems %}{{ problems('', value, schema) }}"
    schema = {"properties": questions.properties()}
    return not decisions.compiled(check).render(value=values, schema=schema).strip()


def _against_schema(values: Mapping[str, Value], answers: Answers) -> Iterator[tuple[Path, Finding]]:
    values = {name: _cast(name, value) for name, value in values.items()}
    if _right(values):
        return
    for error in _validator().iter_errors(values):
        path: Path = tuple(error.absolute_path)
        rule = str(error.validator)
        if rule == "required" and not path:
            continue
        if rule == "additionalProperties":
            known = error.schema["properties"]
            for unknown in ((*path, key) for key in error.instance if key not in known):
                what = f"{show(unknown)} is not a known key."
                yield unknown, _no_such(answers, unknown, what, error.instance, known)
            continue
        if rule == "required":
            key = re.match(r"'(.*)' is a required", error.message)
            missing = (*path, key[1] if key else "")
            inner = error.schema["properties"]
            astray = [k for k in error.instance if k not in inner]
            if any(missing[-1] in fixes.meant(k, error.instance[k], inner, error.instance) for k in astray):
                continue
            part = inner[missing[-1]]
            what, fix = f"{show(missing)} is missing.", part.get("description")
            example = fixes.shown(missing, {}, part)
            yield missing, answers.finding(missing, "answers.missing", what, fix=fix, **example)
            continue
        if error.parent is None and "propertyNames" in error.absolute_schema_path:
            path = (*path, str(error.instance))
        yield path, _wrong(answers, path, rule, error.instance, error.schema)
    yield from _where_it_might_apply(values, answers)


def _cast(name: str, value: Value) -> Value:
    """A number as Copier casts it, where the whole answer is one."""
    question = questions.asked().get(name)
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole and question is not None and question.type == "int" else value


def _where_it_might_apply(values: Mapping[str, Value], answers: Answers) -> Iterator[tuple[Path, Finding]]:
    """The problems of answers whose question depends on another answer that is itself impossible."""
    asked = questions.asked()
    for name in values.keys() & asked.keys():
        for other, wanted in questions.condition(asked[name]).items():
            if other in values and not _possible(asked[other], values[other]):
                fitting = next(o.value for o in asked[other].options if questions.fits(o.value, wanted))
                given = {o: values[o] for o in questions.condition(asked[name]) if o in values}
                supposed = _against_schema({**given, other: fitting, name: values[name]}, answers)
                yield from ((path, finding) for path, finding in supposed if path[:1] == (name,))


def _wrong(answers: Answers, path: Path, rule: str, value: Value, schema: Mapping[str, Value]) -> Finding:
    wanted = schema.get("type", "")
    types = [wanted] if isinstance(wanted, str) and wanted else wanted
    kinds = " or ".join(KINDS[type_] for type_ in types)
    allowed = ", ".join(map(str, schema["enum"])) if rule == "enum" else schema.get("allowed", kinds)
    fix = schema.get("fix", "")
    if rule == "enum":
        fix = nearest(str(value), map(str, schema["enum"])) or "Choose one of them."
    what = {
        "type": f"must be {kinds}",
        "enum": "is not one of the choices",
        "minLength": "must not be empty",
        "minItems": "must not be empty",
    }.get(rule, f"must be {schema.get('allowed', kinds)}")
    shown = _plain(json.dumps(value, ensure_ascii=False, default=str) if rule == "type" else value)
    if _may_be_secret(path, value):
        shown = HIDDEN
    message = f"{show(path)} {what}."
    *around, key = path
    found = fixes.fixed(key, schema, value, f"{around[-1]}[]" if isinstance(key, int) else "")
    question = str(path[0])
    whole = fixes.meant(question, answers.values[question], questions.properties(), answers.values)
    if whole and not found:
        path, found, fix = path[:1], whole, f"Did you mean {next(iter(whole))}?"
    more = fixes.shown(path, found, schema)
    return answers.finding(path, f"answers.{rule}", message, value=shown, allowed=allowed, fix=fix, **more)


def _may_be_secret(path: Path, value: Value) -> bool:
    return bool({"secrets", "env", "password"} & set(path)) or any(suspected([(str(path[-1]), str(value))]))


def _plain(value: Value) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _together(
    answers: Answers, left: Pruned, sensed: Mapping[str, Value], recorded: Mapping[str, Value]
) -> Iterator[Finding]:
    facts = {"sensed": sensed, "recorded": recorded}
    rows = _refusals(left.values, facts)
    if suspects := {row["answer"] for row in rows if row["code"] == _SECRET}:
        twins: dict[tuple[str, str], list[_Row]] = {}
        for row in _refusals(_masked(left.values, "", suspects), facts):
            twins.setdefault((row["answer"], row["code"]), []).append(row)
        rows = [_unquoted(row, twins.get((row["answer"], row["code"]), [])) for row in rows]
    for row in rows:
        path = left.before(within(row["answer"], left.values))
        message = f"{show(path)} {row['message']}"
        more: dict[str, str | None] = {key: row[key] for key in ("allowed", "fix")}
        more |= {"value": _plain(row["value"]) or None, "settled_by": row["settled_by"] or None}
        yield answers.finding(path, row["code"], message, **more)


def _unquoted(row: _Row, twins: Sequence[_Row]) -> _Row:
    """A refusal, unless it reads differently once literal secrets are masked: then it may quote them."""
    if row["code"] == _SECRET:
        return row
    untold = {part for part in _UNTOLD if all(row[part] != twin[part] for twin in twins)}
    return {**row, **{part: _UNTOLD[part] for part in untold}}


def _refusals(values: Mapping[str, Value], facts: Mapping[str, Value]) -> list[_Row]:
    judged = decisions.judged({**questions.stand_ins(), **values, **facts})
    seen = {**judged.values, "decided": judged.decided(_OF_WHOLE)}
    rows: list[_Row] = decisions.evaluate("templates/decisions/judged.jinja", seen)
    return rows


def _masked(value: Value, place: str, suspects: Collection[str]) -> Value:
    """The answers with literal secrets masked: a refusal that stays the same does not quote them."""
    if isinstance(value, Mapping):
        return {k: _masked(v, f"{place}.{k}" if place else str(k), suspects) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(item, f"{place}[{index}]", suspects) for index, item in enumerate(value)]
    return re.sub(r"\w", "x", value) if place in suspects and isinstance(value, str) else value

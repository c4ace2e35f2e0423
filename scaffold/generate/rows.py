"""Tables of rows in YAML, compiled to the Jinja that Copier and the command line evaluate.

A file of ``templates/decisions/tables`` holds names and tables, in order. A name with text is an
expression. A table has its rows under one of three words:

- ``first``: the first row whose ``when`` holds decides; the last row has none. With ``keep``, what that
  expression gives holds over the rows that are not ``final``, for it cannot be changed in place.
- ``all``: every row that holds is taken.
- ``refuse``: every row that holds is told as wrong, for each item of ``for`` (``volumes as volume``;
  ``with`` names expressions over it). A row with ``unique`` holds for an item whose value an earlier
  item has, or the list ``taken``.

``when``, ``keep``, ``unique``, ``taken`` and ``with`` are expressions; everything else is text, with
expressions in ``{{ … }}``. An ``answer`` that begins with a dot is a key of the item. Compiled files are
committed; decisions are imported and refusals included by the Jinja that is written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from scaffold import reading
from scaffold.generate import answers
from scaffold.generate.expressions import RowsError, condition, expression, nearest, said
from scaffold.reading import YamlError
from scaffold.templates import questions
from scaffold.templates.questions import Value

KEPT_RULE = "Kubernetes: immutable fields"
_DECIDED = ("value", "rule", "reason")
_REFUSED = ("code", "answer", "value", "message", "allowed", "fix", "settled_by")
_TABLE_KEYS = {"first": {"keep", "kept_because", "rule"}, "all": {"rule"}, "refuse": {"for", "with"}}
_ROW_KEYS = {
    "first": {"when", "final", *_DECIDED},
    "all": {"when", *_DECIDED},
    "refuse": {"when", "unique", "taken", *_REFUSED},
}
Mark: TypeAlias = Callable[[str, str], str]
"""Rewrites what a row gives, by the row's name. Tests trace rows so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name (``storage/claim/2``), when it holds, and what it says, all as Jinja."""

    name: str
    when: str
    says: Mapping[str, str]
    unique: str = ""
    taken: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table, by the word that its rows are under; or an expression with a name (``text``)."""

    name: str
    word: str = ""
    text: str = ""
    rows: tuple[Row, ...] = ()
    kept: Row | None = None
    loops: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def read(file: str, source: str) -> tuple[Table, ...]:
    """The tables in a file. Raises :class:`RowsError` for every mistake that can be seen in it."""
    try:
        text = reading.read(source)
    except YamlError as error:
        raise RowsError(f"{file}.yml: line {error.line} {error.message}") from None
    for at in text.places:
        if at.twice:  # as happens if the dash of a row is forgotten
            raise RowsError(f"{file}.yml: {at.path[-1]} is given twice, in line {at.line}")
    if not isinstance(text.value, dict):
        raise RowsError(f"{file}.yml has no tables: each is a name with its rows")
    return tuple(_table(f"{file}/{name}", name, spec) for name, spec in text.value.items())


def compiled(file: str, tables: Collection[Table], mark: Mark = lambda _, text: text) -> str:
    """The Jinja of a file's tables."""
    lines = [f"{{# Generated from tables/{file}.yml by `python3 dev generate`; change it there. #}}"]
    for table in tables:
        if table.word == "refuse":
            lines += _refusals(table, mark)
        elif table.word == "all":
            lines.append(f"{{% set {table.name} = [] %}}")
            lines += [_taken(row, f"{table.name}.append({_dict(row, mark)})") for row in table.rows]
        elif table.kept:
            fresh = f"fresh_{table.name}"
            final = [row for row in table.rows if row.final]
            fresh_rows = [row for row in table.rows if not row.final]
            lines.append(_choice(fresh, fresh_rows, mark))
            lines.append(_choice(table.name, [*final, table.kept], mark, fresh))
        elif table.rows:
            lines.append(_choice(table.name, table.rows, mark))
        else:
            lines.append(f"{{% set {table.name} = {table.text} %}}")
    return "\n".join(lines) + "\n"


def _choice(name: str, rows: Collection[Row], mark: Mark, otherwise: str = "") -> str:
    given = [f"{_dict(row, mark)}{f' if {row.when} else' if row.when else ''}" for row in rows]
    return f"{{% set {name} =\n  " + "\n  ".join([*given, *filter(None, [otherwise])]) + " %}"


def _refusals(table: Table, mark: Mark) -> Iterator[str]:
    earlier = {row.name: f"earlier_{number}.values" for number, row in enumerate(table.rows) if row.unique}
    for row in table.rows:
        if row.unique:
            yield f"{{% set {earlier[row.name].split('.')[0]} = namespace(values={row.taken}) %}}"
    for loop in table.loops:
        items, _, target = loop.rpartition(" as ")
        filled = items == items_of([loop])
        listed = f"filled({items}, types.{items}['items']) | from_json" if filled else items
        yield f"{{% for {target} in {listed} %}}"
        if filled:
            yield f"{{% set at = '{items}[' ~ loop.index0 ~ ']' %}}"
    yield from (f"{{% set {name} = {text} %}}" for name, text in table.names.items())
    for row in table.rows:
        told = f"refused.append({_dict(row, mark)})"
        if values := earlier.get(row.name):
            twice = f"{{% if {row.unique} in {values} %}}{{% set _ = {told} %}}{{% endif %}}"
            text = f"{twice}{{% set {values} = {values} + [{row.unique}] %}}"
            yield f"{{% if {row.when} %}}{text}{{% endif %}}" if row.when else text
        else:
            yield _taken(row, told)
    yield from ["{% endfor %}"] * len(table.loops)


def _taken(row: Row, call: str) -> str:
    text = f"{{% set _ = {call} %}}"
    return f"{{% if {row.when} %}}{text}{{% endif %}}" if row.when else text


def _dict(row: Row, mark: Mark) -> str:
    return mark(row.name, f"dict({', '.join(f'{key}={text}' for key, text in row.says.items())})")


def _table(place: str, name: str, spec: Value) -> Table:
    word = next((word for word in _ROW_KEYS if word in spec), "") if isinstance(spec, dict) else ""
    if word != "refuse" and any(name == question.name for question in questions.all_questions()):
        raise RowsError(f"{place} is the name of a question, whose answer it would hide from later rows")
    if isinstance(spec, str):
        return Table(name, text=expression(place, spec))
    if not word:
        raise RowsError(f"{place} has no rows: they stand under {', '.join(_ROW_KEYS)}")
    _known(place, spec, {word, *_TABLE_KEYS[word]})
    if not isinstance(spec[word], list) or not spec[word]:
        raise RowsError(f"{place} has no rows under {word}")
    rows = tuple(_row(f"{place}/{number}", row, word, spec) for number, row in enumerate(spec[word], 1))
    kept = None
    if word == "first":
        _in_order(place, rows, keeps="keep" in spec)
    if "keep" in spec:
        keep = expression(f"{place}, keep", spec["keep"])
        because = {"value": f"{{{{ {keep} }}}}", "rule": KEPT_RULE, "reason": spec.get("kept_because")}
        stands = f"{keep} | default(none) not in [none, fresh_{name}.value]"
        kept = _row(f"{place}/keep", {"when": stands, **because}, "first", {})
    loops = loops_of(spec)
    for loop in loops:
        if " as " not in loop:
            raise RowsError(f"{place} is for {loop}: write it like `volumes as volume`")
        expression(place, loop.rpartition(" as ")[0])
    names = {key: expression(f"{place}, {key}", text) for key, text in spec.get("with", {}).items()}
    return Table(name, word, rows=rows, kept=kept, loops=tuple(loops), names=names)


def _row(place: str, row: Mapping[str, Value], word: str, table: Mapping[str, Value]) -> Row:
    if not isinstance(row, dict):
        raise RowsError(f"{place} is no row: it says {', '.join(_REFUSED if word == 'refuse' else _DECIDED)}")
    _known(place, row, _ROW_KEYS[word])
    keys, usual = (
        (_REFUSED, {"value": "", "allowed": "", "settled_by": ""})
        if word == "refuse"
        else (_DECIDED, {key: table[key] for key in ("rule",) if key in table})
    )
    given = {**usual, **row}
    for key in keys:
        if key not in given or (key != "value" and given[key] is None):
            raise RowsError(f"{place} has no {key}")
    says = {key: said(f"{place}, {key}", given[key]) for key in keys}
    if str(given.get("answer", "")).startswith("."):
        says["answer"] = f"at ~ {says['answer']}"
    if word == "refuse":
        answers.check(place, str(given["answer"]), items_of(loops_of(table)))
        answers.check_settling(place, str(given["settled_by"]))
    when = condition(f"{place}, when", row["when"]) if "when" in row else ""
    unique = expression(f"{place}, unique", row["unique"]) if "unique" in row else ""
    taken = expression(f"{place}, taken", row.get("taken", "[]"))
    return Row(place, when, says, unique, taken, bool(row.get("final")))


def loops_of(table: Mapping[str, Value]) -> list[str]:
    """What a table is for: ``volumes as volume``."""
    loops = table.get("for", [])
    return [loops] if isinstance(loops, str) else loops


def items_of(loops: Collection[str]) -> str:
    """The last question among loops whose answer is a list of mappings; none if there is none."""
    lists = (loop.rpartition(" as ")[0] for loop in loops)
    return next((name for name in reversed(list(lists)) if answers.keys_of(name)), "")


def _in_order(place: str, rows: tuple[Row, ...], *, keeps: bool) -> None:
    if rows[-1].when:
        raise RowsError(f"{rows[-1].name} is the last row of its table, and has to hold always: without when")
    for earlier, row in pairwise(rows):
        if not earlier.when:
            raise RowsError(f"{earlier.name} has no when, so that no row after it is ever reached")
        if row.final and not earlier.final:
            raise RowsError(f"{row.name} is final: it belongs above the rows over which what is kept holds")
    if rows[0].final and not keeps:
        raise RowsError(f"{place} has final rows, and keeps nothing that they could hold over")


def _known(place: str, given: Mapping[str, Value], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            raise RowsError(f"{place} has no key {key}{nearest(str(key), known)}")

"""Tables of rows in YAML, compiled to the Jinja that Copier and the command line evaluate.

A file of ``templates/decisions/tables`` holds, in order, names and tables. A name with text is an
expression. A table has its rows under one of three words:

- ``first``: the first row whose ``when`` holds decides; the last row has none. With ``keep``, what that
  expression gives holds over the rows that are not ``final``, for Kubernetes cannot change it in place.
- ``all``: every row that holds is taken.
- ``refuse``: every row that holds is told as wrong, for each item of ``for`` (``volumes as volume``;
  ``with`` names expressions over it). With ``unique``, a row holds for an item whose value an earlier
  item has, or the list ``taken``.

``when``, ``keep``, ``unique`` and the like are expressions; everything else is text, with expressions in
``{{ … }}``. An ``answer`` that begins with a dot is a key of the item. Compiled files are committed and
imported (decisions) or included (refusals): nothing here runs when the command line does.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from jinja2 import TemplateSyntaxError, nodes
from jinja2.parser import Parser

from scaffold.templates import decisions, questions
from scaffold.templates.questions import Value

WORDS = ("first", "all", "refuse")
DECIDED = ("value", "rule", "reason")
REFUSED = ("code", "answer", "value", "message", "allowed", "fix")
_TABLE_KEYS = {
    "first": {"keep", "kept_because", "rule"},
    "all": {"rule"},
    "refuse": {"for", "with"},
}
_ROW_KEYS = {
    "first": {"when", "final", *DECIDED},
    "all": {"when", *DECIDED},
    "refuse": {"when", "unique", "taken", *REFUSED},
}
_LAZY = {"map", "select", "reject", "selectattr", "rejectattr"}
KEPT_RULE = "Kubernetes: immutable fields"


class RowsError(Exception):
    """A mistake in a table: the message names the file, the table, the row and what is meant, perhaps."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its name (``storage/claim/2``), when it holds, and what it says, as expressions of Jinja."""

    name: str
    when: str
    says: Mapping[str, str]
    unique: str = ""
    taken: str = "[]"
    final: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table, or one named expression (``text``, without rows)."""

    name: str
    word: str
    rows: tuple[Row, ...] = ()
    text: str = ""
    keep: str = ""
    kept_because: str = ""
    loops: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def read(name: str, source: str) -> tuple[Table, ...]:
    """The tables of a file. Raises :class:`RowsError` for every mistake that can be seen in it."""
    try:
        data = yaml.load(source, _Strict)
    except yaml.YAMLError as error:
        raise RowsError(f"{name}.yml: {error}") from None
    return tuple(_table(f"{name}/{key}", key, spec) for key, spec in data.items())


def compiled(name: str, tables: Collection[Table], mark: Callable[[str, str], str] | None = None) -> str:
    """The Jinja of a file's tables. ``mark`` rewrites what a row gives, by its name: tests trace it so."""
    mark = mark or (lambda _, text: text)
    lines = [f"{{# Generated from tables/{name}.yml by `python3 dev generate`; change it there. #}}"]
    for table in tables:
        match table.word:
            case "refuse":
                lines += _refusals(table, mark)
            case "all":
                lines.append(f"{{% set {table.name} = [] %}}")
                lines += [_held(r.when, f"{table.name}.append({_dict(r, mark)})") for r in table.rows]
            case "first":
                lines += _decision(table, mark)
            case _:
                lines.append(f"{{% set {table.name} = {table.text} %}}")
    return "\n".join(lines) + "\n"


def _decision(table: Table, mark: Callable[[str, str], str]) -> Iterator[str]:
    rows = [row for row in table.rows if not (table.keep and row.final)]
    fresh = f"fresh_{table.name}" if table.keep else table.name
    yield _choice(fresh, [(_dict(row, mark), row.when) for row in rows])
    if table.keep:
        kept = f"dict(value={table.keep}, rule={_quoted(KEPT_RULE)}, reason={table.kept_because})"
        final = [(_dict(row, mark), row.when) for row in table.rows if row.final]
        stands = f"{table.keep} | default(none) not in [none, {fresh}.value]"
        name = f"{rows[0].name.rpartition('/')[0]}/keep"
        yield _choice(table.name, [*final, (mark(name, kept), stands), (fresh, "")])


def _choice(name: str, rows: list[tuple[str, str]]) -> str:
    body = "\n".join(f"  {said} if {when} else" if when else f"  {said}" for said, when in rows)
    return f"{{% set {name} =\n{body} %}}"


def _refusals(table: Table, mark: Callable[[str, str], str]) -> Iterator[str]:
    unique = {row.name: f"earlier_{n}" for n, row in enumerate(table.rows, 1) if row.unique}
    for row in table.rows:
        if row.unique:
            yield f"{{% set {unique[row.name]} = namespace(values={row.taken}) %}}"
    for loop in table.loops:
        items, _, target = loop.rpartition(" as ")
        listed = _items(items)
        yield f"{{% for {target} in {listed or items} %}}"
        if listed:
            yield f"{{% set at = {_quoted(items + '[')} ~ loop.index0 ~ ']' %}}"
    yield from (f"{{% set {name} = {text} %}}" for name, text in table.names.items())
    for row in table.rows:
        told = f"refused.append({_dict(row, mark)})"
        if row.unique:
            seen = f"{unique[row.name]}.values"
            keeps = f"{{% set {seen} = {seen} + [{row.unique}] %}}"
            inner = _held(f"{row.unique} in {seen}", told) + keeps
            yield f"{{% if {row.when} %}}{inner}{{% endif %}}" if row.when else inner
        else:
            yield _held(row.when, told)
    yield from ["{% endfor %}"] * len(table.loops)


def _held(when: str, call: str) -> str:
    text = f"{{% set _ = {call} %}}"
    return f"{{% if {when} %}}{text}{{% endif %}}" if when else text


def _dict(row: Row, mark: Callable[[str, str], str]) -> str:
    return mark(row.name, f"dict({', '.join(f'{key}={text}' for key, text in row.says.items())})")


def _items(name: str) -> str:
    """The items of an answer with their defaults, where ``name`` is a question whose items are mappings."""
    schema = questions.types().get(name, {})
    listed = "properties" in schema.get("items", {})
    return f"filled({name}, types.{name}['items']) | from_json" if listed else ""


def _table(place: str, name: str, spec: Value) -> Table:
    hides = not isinstance(spec, dict) or "refuse" not in spec
    if hides and any(name == question.name for question in questions.all_questions()):
        raise RowsError(f"{place} is the name of a question, whose answer it would hide from later rows")
    if isinstance(spec, str):
        return Table(name, "", text=_expression(place, spec))
    word = next((word for word in WORDS if word in spec), "")
    if not word:
        raise RowsError(f"{place} has no rows: they stand under {', '.join(WORDS)}")
    _known(place, spec, {word, *_TABLE_KEYS[word]})
    if ("keep" in spec) != ("kept_because" in spec):
        raise RowsError(f"{place} needs keep and kept_because together")
    rows = tuple(_row(f"{place}/{n}", row, word, spec) for n, row in enumerate(spec[word], 1))
    if word == "first":
        _in_order(place, rows, keeps="keep" in spec)
    loops = spec.get("for", [])
    loops = (loops,) if isinstance(loops, str) else tuple(loops)
    for loop in loops:
        items, as_, _ = loop.rpartition(" as ")
        if not as_:
            raise RowsError(f"{place} is for what? Write `for: volumes as volume`")
        _expression(place, items)
    names = {key: _expression(f"{place}, {key}", text) for key, text in spec.get("with", {}).items()}
    keep = f"({_expression(place, spec['keep'])})" if "keep" in spec else ""
    because = _text(place, spec.get("kept_because", ""))
    return Table(name, word, rows, keep=keep, kept_because=because, loops=loops, names=names)


def _row(place: str, row: Mapping[str, Value], word: str, table: Mapping[str, Value]) -> Row:
    _known(place, row, _ROW_KEYS[word])
    if word == "refuse":
        said = {"value": "", "allowed": "", **row}
        needed = ("code", "answer", "message", "fix")
    else:
        said = {"rule": table.get("rule"), **row}
        needed = DECIDED
    lacking = [key for key in needed if key not in said or (said[key] is None and key != "value")]
    if lacking:
        raise RowsError(f"{place} has no {' and no '.join(lacking)}")
    keys = REFUSED if word == "refuse" else DECIDED
    says = {key: _text(f"{place}, {key}", said[key]) for key in keys}
    if str(said.get("answer", "")).startswith("."):
        says["answer"] = f"at ~ {says['answer']}"
    when = f"({_condition(f'{place}, when', str(row['when']))})" if "when" in row else ""
    unique = f"({_expression(f'{place}, unique', row['unique'])})" if "unique" in row else ""
    taken = _expression(f"{place}, taken", row.get("taken", "[]"))
    return Row(place, when, says, unique, taken, bool(row.get("final")))


def _in_order(place: str, rows: tuple[Row, ...], *, keeps: bool) -> None:
    if rows[-1].when:
        raise RowsError(f"{rows[-1].name} is the last row of its table and has to hold always, without when")
    for earlier, row in zip(rows, rows[1:], strict=False):
        if not earlier.when:
            raise RowsError(f"{earlier.name} holds always, so no row after it is ever reached: it needs when")
        if row.final and not earlier.final:
            raise RowsError(f"{row.name} is final, and belongs above the rows that what is kept holds over")
    if any(row.final for row in rows) and not keeps:
        raise RowsError(f"{place} has final rows, but keeps nothing that they could hold over")


def _known(place: str, given: Mapping[str, Value], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            raise RowsError(f"{place} has no key {key}{_nearest(str(key), known)}")


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _text(place: str, value: Value) -> str:
    """What a row says as an expression: plain text stands for itself, ``{{ … }}`` in it for its value."""
    if not isinstance(value, str):
        return (
            {None: "none", True: "true", False: "false"}.get(value)
            if value in (None, True, False)
            else repr(value)
        )
    parts: list[str] = []
    inside: list[str] | None = None
    for _, kind, token in decisions.environment().lex(value):
        match kind:
            case "variable_begin":
                inside = []
            case "variable_end":
                parts.append(f"({_expression(place, ''.join(inside or ()).strip())})")
                inside = None
            case _ if inside is not None:
                inside.append(token)
            case _:
                parts.append(_quoted(token))
    return " ~ ".join(parts) or "''"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _expression(place: str, text: str) -> str:
    _parsed(place, text)
    return text


def _condition(place: str, text: str) -> str:
    """An expression that says yes or no: neither a generator nor a macro's text, which are always true."""
    expression = _parsed(place, text)
    for node in _operands(expression):
        if isinstance(node, nodes.Filter) and node.name in _LAZY:
            raise RowsError(f"{place}: what {node.name} gives is always true; write … | list")
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            raise RowsError(f"{place}: what the macro {node.node.name} gives is text; compare it")
    return text


def _operands(node: nodes.Expr) -> Iterator[nodes.Expr]:
    if isinstance(node, nodes.And | nodes.Or):
        yield from _operands(node.left)
        yield from _operands(node.right)
    elif isinstance(node, nodes.Not):
        yield from _operands(node.node)
    else:
        yield node


def _parsed(place: str, text: str) -> nodes.Expr:
    environment = decisions.environment()
    try:
        parser = Parser(environment, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"{parser.stream.current.value!r} is too much", 1)
    except TemplateSyntaxError as error:
        raise RowsError(f"{place}: {text!r} is no expression: {error.message}") from None
    for node in [expression, *expression.find_all(nodes.Expr)]:
        if isinstance(node, nodes.Getattr):
            known = _fact(node.node)
            if isinstance(known, Mapping) and node.attr not in known and not hasattr(known, node.attr):
                raise RowsError(f"{place}: there is no fact {node.attr}{_nearest(node.attr, known)}")
        if isinstance(node, nodes.Filter) and node.name not in environment.filters:
            raise RowsError(f"{place}: no filter {node.name}{_nearest(node.name, environment.filters)}")
    return expression


def _fact(node: nodes.Expr) -> Value:
    """What the house says at ``facts.a.b``; nothing for any other expression."""
    if isinstance(node, nodes.Name):
        return decisions.house() if node.name == "facts" else None
    if isinstance(node, nodes.Getattr):
        around = _fact(node.node)
        return around.get(node.attr) if isinstance(around, Mapping) else None
    return None


class _Strict(yaml.SafeLoader):
    """YAML in which no mapping has a key twice, as where the dash of a row was forgotten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Value, Value]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

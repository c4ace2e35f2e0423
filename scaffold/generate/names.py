"""Which names the expressions of a table may use, and which of the names that they use do not exist.

A question's template sees the questions declared before it. A template that another one reads sees in
addition what that one has set by then, and a row also the tables above its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from typing import TypeAlias

from jinja2 import meta, nodes

from scaffold.answers import known
from scaffold.generate import answers, rows
from scaffold.generate.expressions import RowsError, nearest
from scaffold.templates import decisions, template
from scaffold.templates.questions import all_questions

_Reading: TypeAlias = tuple[str, frozenset[str] | None, nodes.Template, nodes.Node]
"""Who reads a template, the names known there from outside (none: those given to it), its tree, and where."""


def check(file: str, tables: Collection[rows.Table], names: Collection[str]) -> None:
    """Check that every name in the expressions of a file's tables is one of ``names``, or set above.

    So are the keys of the items of a question that a table is for. Raises :class:`RowsError` for the first
    that is not there, with its row and the nearest name.
    """
    for table in tables:
        for place, alone in _parts(file, table) if table.loops else ():
            _check_keys(place, table, _tree(file, [alone]))
    known = {*names, *decisions.environment().globals, "_"}
    if not _unset(_tree(file, tables), known):
        return
    for table in tables:
        for place, alone in _parts(file, table):
            tree = _tree(file, [alone])
            for name in _unset(tree, {*known, f"fresh_{table.name}"}):
                raise RowsError(f"{place}: there is no name {name}{nearest(name, known.union(_set(tree)))}")
        known |= {table.name} if table.word != "refuse" else set()


def _check_keys(place: str, table: rows.Table, tree: nodes.Template) -> None:
    items = {target: name for name, _, target in (loop.rpartition(" as ") for loop in table.loops)}
    for node in tree.find_all(nodes.Getattr):
        name = items.get(node.node.name, "") if isinstance(node.node, nodes.Name) else ""
        keys = answers.keys_of(name)
        if keys and node.attr not in keys and not hasattr(keys, node.attr):
            raise RowsError(f"{place}: an item of {name} has no key {node.attr}{nearest(node.attr, keys)}")


def _tree(file: str, tables: Collection[rows.Table]) -> nodes.Template:
    return decisions.environment().parse(rows.compiled(file, tables))


def _unset(tree: nodes.Template, known: Collection[str]) -> list[str]:
    """The names that some tables use and nothing sets, as Jinja sees them."""
    return sorted(meta.find_undeclared_variables(tree) - set(known))


def _parts(file: str, table: rows.Table) -> Iterator[tuple[str, rows.Table]]:
    """The rows of a table, each as a table of its own, which ends with a row that has no ``when``."""
    if not table.rows:
        yield f"{file}/{table.name}", table
    for row in filter(None, (*table.rows, table.kept)):
        last = (replace(row, when=""),) if row.when else ()
        yield row.name, replace(table, rows=(row, *last), kept=None)


@cache
def given(path: str) -> frozenset[str]:
    """The names that a template sees, by its path in the checkout: those that all of its readers set.

    Raises :class:`RowsError` if nothing reads it.
    """
    seen = [
        frozenset(_set(tree, until=place)).union(given(reader) if before is None else before)
        for reader, before, tree, place in _readers().get(path, [])
    ]
    if not seen:
        raise RowsError(f"no question and no decision reads {path}")
    return frozenset.intersection(*seen)


@cache
def _readers() -> dict[str, list[_Reading]]:
    """Each place where a template is read, by the template's path."""
    found: dict[str, list[_Reading]] = defaultdict(list)
    for reader, before, text in _texts():
        tree = decisions.environment().parse(text)
        for place in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport)):
            assert isinstance(place, nodes.Include | nodes.Import | nodes.FromImport)
            if place.with_context and isinstance(place.template, nodes.Const):
                found[place.template.value].append((reader, before, tree, place))
    return found


def _texts() -> Iterator[tuple[str, frozenset[str] | None, str]]:
    """What reads templates: the questions' texts, each with the questions before it, and the decisions."""
    before: frozenset[str] = frozenset()
    for question in all_questions():
        for text in (question.default, question.validator):
            if isinstance(text, str):
                yield question.name, before, text
        if question.suggests:
            yield (
                question.name,
                known.SEEN | {question.name},
                f"{{% include '{question.suggests}' with context %}}",
            )
        before |= {question.name}
    for directory in ("questions", "decisions"):
        for path in sorted((template.root() / "templates" / directory).glob("*.jinja")):
            yield path.relative_to(template.root()).as_posix(), None, path.read_text("utf-8")


def _set(tree: nodes.Template, until: nodes.Node | None = None) -> Iterator[str]:
    """The names that a template sets, all of them or those before a position."""
    for node in tree.find_all((nodes.Name, nodes.Macro, nodes.Import, nodes.FromImport, nodes.Include)):
        if node is until:
            return
        if (isinstance(node, nodes.Name) and node.ctx != "load") or isinstance(node, nodes.Macro):
            yield node.name
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)

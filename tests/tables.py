"""The tables compiled for a test, instead of the compiled files: each row traced, one of them left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import yaml
from jinja2 import ChoiceLoader, DictLoader

from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.generate import rows
from scaffold.generate.files import compiled_path
from scaffold.generate.files import tables as read_tables
from scaffold.generate.rows import Row, Table
from scaffold.templates import decisions

tables = cache(read_tables)


@contextmanager
def instead(compiled: Mapping[str, str]) -> Iterator[dict[str, list[Mapping[str, Any]]]]:
    """Evaluate these texts where the compiled files are read. Gives what the rows say that are noted."""
    chosen: dict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def noted(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        chosen[name].append(value)
        return value

    there = decisions.environment()
    assert there.loader
    texts = DictLoader({str(compiled_path(file)): text for file, text in compiled.items()})
    environment = there.overlay(loader=ChoiceLoader([texts, there.loader]))
    environment.filters = {**there.filters, "noted": noted}
    with (
        patch.object(decisions, "environment", lambda: environment),
        patch.object(
            decisions, "compiled", cache(lambda text: environment.get_template(decisions.TEXT + text))
        ),
    ):
        yield chosen


def traced() -> dict[str, str]:
    """The compiled tables, in which every row that gives something is noted."""
    return {
        f: rows.compiled(f, t, lambda name, text: f"{text} | noted('{name}')") for f, t in tables().items()
    }


def without(name: str) -> dict[str, str]:
    """The one compiled file that has this row (``storage/claim/keep``), without it."""
    file = name.split("/", maxsplit=1)[0]
    return {file: rows.compiled(file, [_without(table, name) for table in tables()[file]])}


def _without(table: Table, name: str) -> Table:
    kept = None if table.kept and table.kept.name == name else table.kept
    return replace(table, rows=tuple(row for row in table.rows if row.name != name), kept=kept)


def names() -> dict[str, Row]:
    """Every row of every table, by its name."""
    every = (table for read in tables().values() for table in read)
    return {row.name: row for table in every for row in (*table.rows, *filter(None, [table.kept]))}


def named(table: str, words: str) -> str:
    """The name of the one row of a table (``workload/update``) that has these words as reason or message."""
    (name,) = (
        name
        for name, row in names().items()
        if name.rpartition("/")[0] == table and words in row.says.get("reason", row.says.get("message", ""))
    )
    return name


def decided(text: str) -> dict[str, Any]:
    """All decisions for the answers in YAML, which may have what is ``recorded`` among them."""
    return {d.name: d.value for d in decisions.table(decisions.combine(yaml.safe_load(text)))}


def refused(text: str) -> set[tuple[str, str]]:
    """Answer and code of all that is refused of the answers in YAML, ``sensed`` and ``recorded`` among them."""
    values = yaml.safe_load(text)
    told = [values.pop(name, {}) for name in ("sensed", "recorded")]
    return {(f.answer or "", f.code) for f in validation.problems(Answers(values), *told)}

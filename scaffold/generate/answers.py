"""Which answers the rows of a table name: what is misspelt there would be told, or asked for, in vain."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from scaffold.answers.notation import below
from scaffold.answers.sources import parse, show
from scaffold.generate.expressions import RowsError, nearest
from scaffold.templates import questions


def check(place: str, answer: str, items: str) -> None:
    """Check the literal beginning of an ``answer``; one with a dot first is a key of an item of ``items``.

    Raises :class:`RowsError` for a question or a key that does not exist, with the nearest name.
    """
    start: tuple[str | int, ...] = (items, 0) if answer.startswith(".") else ()
    if answer.startswith(".") and not items:
        return  # a key of what the Jinja around the table goes through
    literal, expression, _ = answer.partition("{{")
    path = parse(literal.strip(".[")) if literal.strip(".[") else ()
    if expression and not literal.endswith((".", "[")):
        path = path[:-1]
    schema: Mapping[str, questions.Value] = {"properties": questions.properties()}
    for number, part in enumerate(path := (*start, *path)):
        known = schema.get("properties", {})
        if isinstance(part, str) and known and part not in known and not schema.get("additionalProperties"):
            raise RowsError(f"{place}: there is no answer {show(path[: number + 1])}{nearest(part, known)}")
        schema = below(schema, part)


def check_settling(place: str, answers: str) -> None:
    """Check the names of questions that are written out in ``settled_by``; raises as :func:`check` does."""
    for name in re.sub(r"{{.*?}}", "", answers, flags=re.DOTALL).split(","):
        if name.strip() and name.strip() not in questions.asked():
            raise RowsError(
                f"{place}, settled_by: there is no question {name.strip()}"
                f"{nearest(name.strip(), questions.asked())}"
            )


def keys_of(items: str) -> Collection[str]:
    """The keys of an item in the answer to a question; none if that is no list of mappings."""
    keys: Collection[str] = questions.types().get(items, {}).get("items", {}).get("properties", ())
    return keys

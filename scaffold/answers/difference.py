"""How two sets of answers differ, by the paths that ``--set`` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffold.answers import notation
from scaffold.answers.notation import Schema
from scaffold.templates import questions
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Changed:
    """One answer, or a part of it, before and after; None if there is none."""

    path: str
    before: Value
    after: Value

    @property
    def question(self) -> str:
        """The question that it belongs to."""
        return self.path.partition("[")[0].partition(".")[0]


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[Changed]:
    """What differs in ``after``, question by question; list items are matched by name."""
    for name in questions.asked():
        schema = questions.properties()[name]
        yield from _changes(name, before.get(name), after.get(name), schema)


def _changes(path: str, before: Value, after: Value, schema: Schema) -> Iterator[Changed]:
    if before == after and type(before) is type(after):
        return
    old, new = _parts(before, schema), _parts(after, schema)
    if old is None or new is None or not (old or new) or [*old] == [*new] == []:
        yield Changed(path, before, after)
        return
    if all(old.get(part) == new.get(part) for part in {*old, *new}):
        yield Changed(path, before, after)  # only the order is different
        return
    is_list = isinstance(before, list) or isinstance(after, list)
    for part in dict.fromkeys((*old, *new)):
        at = f"{path}[{part}]" if is_list else f"{path}.{part}"
        if part in old and part in new:
            yield from _changes(at, old[part], new[part], notation.below(schema, 0 if is_list else part))
        else:
            yield Changed(at, old.get(part), new.get(part))


def _parts(value: Value, schema: Schema) -> Mapping[str, Value] | None:
    """The parts of a value by name; None if they have no names."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list) or "properties" not in notation.below(schema, 0):
        return None
    names = [notation.called(schema, item) or str(index) for index, item in enumerate(value)]
    return dict(zip(names, value, strict=True)) if len({*names}) == len(names) else None

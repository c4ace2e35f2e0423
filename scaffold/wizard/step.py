"""One step of the wizard: what is asked, the initial text, and what a line means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaffold.answers import notation
from scaffold.answers.sources import Path
from scaffold.templates import questions
from scaffold.templates.decisions import holds, rendered
from scaffold.templates.questions import Option, Question, Value
from scaffold.wizard import fields
from scaffold.wizard.fields import Field
from scaffold.wizard.state import MORE, State


@dataclass(frozen=True, slots=True)
class Step:
    """One question to ask."""

    path: Path
    field: Field
    title: str
    default: Value
    options: tuple[Option, ...] = ()
    proposed: tuple[str, ...] = ()
    """What is proposed along with it, one line each; Enter takes it, and the review changes it."""

    @property
    def text(self) -> str:
        """The initial text of the line; for the items of a list, what is typed with the list itself."""
        names = self._names
        value = [_told(item, names) for item in self.default] if names else self.default
        return notation.write(self.field.schema, value)

    def read(self, text: str) -> Value:
        """The value of a line; what was known about the items of a list stays with them.

        Raises :class:`UsageError` for a line that cannot be read.
        """
        value = notation.read(self.field.schema, text)
        names = self._names
        if not names or not isinstance(value, list):
            return value
        known = {_key(item, names): item for item in self.default if isinstance(item, Mapping)}
        return [
            {**_rest(known.get(_key(item, names), {}), names), **item} if _is_short(item, names) else item
            for item in value
        ]

    @property
    def _names(self) -> tuple[str, ...]:
        question = questions.asked()[str(self.path[0])]
        return fields.line_fields(question) if len(self.path) == 1 and fields.is_list(question) else ()


def proposal_step(state: State, question: Question, path: Path) -> Step:
    """The step that offers one more item of a list question, from its ``x-proposals``."""
    index = int(path[1])
    none = Option(MORE, "no more" if index else "none")
    options = (none, *(Option(name, row["consequence"]) for name, row in question.proposals.items()))
    last = options[-1].value
    default = last if index < len(state.suggested.get(question.name, ())) else MORE
    declared = Field({}, question.help, True, MORE, True, options)
    return Step(path, declared, question.help, state.said.get(path, default), options)


def offered(declared: Field, known: Mapping[str, Value]) -> tuple[Option, ...]:
    """The options of a field without those that need what the house does not have."""
    return tuple(o for o in declared.options if holds(declared.needs.get(o.value, True), known))


def consequence(option: Option, path: Path, known: Mapping[str, Value]) -> str:
    """What follows from an option; without one, what follows from the answer for the whole Service."""
    whole = questions.asked().get(str(path[-1]))
    if option.value is not None or whole is None or whole.type != "bool":
        here = whole.consequences.get(option.value, "") if whole is not None and whole.options else ""
        told = rendered(here or option.consequence, known)
        is_usual = whole is not None and whole.usual and option.value == known["facts"][whole.usual]
        return f"{told}. Most of this monorepo's own images are built like this" if is_usual else told
    value = known[whole.name]
    return f"{fields.shown(value)}. {rendered(whole.consequences.get(value, ''), known)}"


def called(question: Question, item: Mapping[str, Value]) -> str:
    """The name of an item in a question about it: its first field."""
    return fields.shown(item.get(fields.line_fields(question)[0], question.name))


def _told(item: Value, names: Sequence[str]) -> Value:
    return {name: item[name] for name in names if name in item} if isinstance(item, Mapping) else item


def _rest(item: Mapping[str, Value], names: Sequence[str]) -> dict[str, Value]:
    return {name: value for name, value in item.items() if name not in names}


def _is_short(item: Value, names: Sequence[str]) -> bool:
    return isinstance(item, Mapping) and set(item) <= set(names)


def _key(item: Value, names: Sequence[str]) -> str:
    return json.dumps(item.get(names[0]) if isinstance(item, Mapping) else item, default=str)

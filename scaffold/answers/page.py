"""Answers as a page to edit: each below its help text, unanswered questions as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import indent, wrap

import yaml

from scaffold.templates.questions import Question, Value, asked, properties

_WIDTH = 96


def commented(answers: Mapping[str, Value]) -> str:
    """The answers as YAML below the help of each question; a question without an answer shows its default."""
    head = "Take the # from a line to answer it, and an answer out for its default."
    return "\n".join([f"# {head}", *(line for q in asked().values() for line in _entry(q, answers))]) + "\n"


def _entry(question: Question, answers: Mapping[str, Value]) -> Iterator[str]:
    name, given = question.name, question.name in answers
    yield ""
    yield from (f"# {line}" for line in wrap(question.help, _WIDTH))
    if allowed := properties()[name].get("allowed"):
        yield from (f"# {line}" for line in wrap(str(allowed), _WIDTH))
    yield from (f"# - {o.value}: {line}" for o in question.options for line in [o.consequence])
    value = answers[name] if given else question.default
    text = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=1000).rstrip("\n")
    yield text if given else indent(text, "#", lambda _: True)

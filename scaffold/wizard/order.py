"""The order in which the wizard asks, according to the declarations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from scaffold.templates import questions
from scaffold.templates.questions import Question


@cache
def order() -> Sequence[Question]:
    """The core questions, then the others, each followed by those that come after it."""
    every = tuple(questions.asked().values())
    names = {q.name for q in every}
    result: list[Question] = []

    def add(question: Question) -> None:
        result.append(question)
        for follower in every:
            if follower.after == question.name:
                add(follower)

    for root in sorted((q for q in every if q.after not in names), key=lambda q: not q.core):
        add(root)
    return result

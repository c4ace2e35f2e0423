"""What is wrong with answers, and which question is asked to put it right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from threading import Lock

from scaffold.answers.sources import Path, about
from scaffold.errors import Finding
from scaffold.templates import questions
from scaffold.templates.decisions import holds
from scaffold.templates.questions import Value
from scaffold.wizard import fields
from scaffold.wizard.state import State

Judge = Callable[[Mapping[str, Value]], Sequence[Finding]]
"""What is wrong with answers, each finding with the path of its answer."""


class Judgements:
    """What a judge finds, kept: every step asks the same again, and so does a line while it is typed."""

    def __init__(self, judge: Judge) -> None:
        self._kept = lru_cache(64)(lambda text: _Judgement(judge, text))

    def of(self, values: Mapping[str, Value]) -> Sequence[Finding]:
        """Everything that is wrong with answers."""
        return self._kept(json.dumps(values, default=str)).findings()


class _Judgement:
    """One set of answers, judged once: who asks while another thread judges them waits for that."""

    def __init__(self, judge: Judge, text: str) -> None:
        self._judge = judge
        self._text = text
        self._lock = Lock()
        self._found: Sequence[Finding] | None = None

    def findings(self) -> Sequence[Finding]:
        with self._lock:
            if self._found is None:
                self._found = tuple(self._judge(json.loads(self._text)))
            return self._found


def blamed(state: State, finding: Finding, known: Mapping[str, Value]) -> Path:
    """The step to ask for a finding: the first open answer that could settle it, or its own."""
    answered = {path[0] for path in (*state.said, *state.accepted)} | set(state.given)
    for name in (finding.settled_by or "").split(", "):
        if name and name not in answered and holds(questions.asked()[name].when, known):
            return (name,)
    path = about(finding.answer or "")
    question = questions.asked().get(str(path[0])) if path else None
    if question is None or not fields.is_list(question):
        return path[:1]
    if question.proposals:
        return path[:3]
    return path[:3] if len(path) > 2 and path[2] not in fields.line_fields(question) else path[:1]


def is_open(finding: Finding) -> bool:
    """Whether a finding only says that something is not answered yet."""
    return finding.code == "answers.missing"

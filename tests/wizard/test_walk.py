"""From question to question: where the walk continues once its end is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from scaffold.answers.sources import Path
from scaffold.wizard import walk
from scaffold.wizard.engine import Engine
from scaffold.wizard.screen import Screen
from scaffold.wizard.state import State

STEPS: list[Path] = [("build",), ("shape",), ("image",)]


@dataclass(frozen=True)
class Step:
    """A question, as far as the walk knows it."""

    path: Path


class Three:
    """Three questions, of which the first came up only after the walk had passed it."""

    def __init__(self) -> None:
        self.asked: list[Path] = []

    def step(self, _: State, path: Path) -> Step:
        return Step(path)

    def first_open(self, _: State) -> Step | None:
        return next((Step(path) for path in STEPS if path not in self.asked), None)

    def next(self, _: State, path: Path) -> Step | None:
        following = STEPS[STEPS.index(path) + 1 :]
        return Step(following[0]) if following else None

    def answer(self, state: State, path: Path, _: object) -> State:
        self.asked.append(path)
        return state


def test_nothing_is_asked_again_for_a_question_that_came_up_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "ask", lambda *_: "x")
    engine = Three()
    walk.walk(cast(Engine, engine), cast(State, None), cast(Screen, None), lambda _: None, ("shape",))
    assert engine.asked == [("shape",), ("image",), ("build",)]

"""From question to question on a screen: forward, back, explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from scaffold.answers.sources import Path
from scaffold.errors import UsageError
from scaffold.templates import questions
from scaffold.templates.questions import Option, Value
from scaffold.wizard import fields
from scaffold.wizard.engine import Engine
from scaffold.wizard.screen import Choice, Key, Screen, Typed
from scaffold.wizard.state import MORE, State
from scaffold.wizard.step import Step

Keep = Callable[[State], None]
"""Called after every answer, to keep a draft of it."""


def walk(engine: Engine, state: State, screen: Screen, keep: Keep, at: Path | None = None) -> State:
    """Ask until no question is open: every question from ``at`` on, or without it those that are open."""
    step = engine.step(state, at) if at else engine.first_open(state)
    while step is not None:
        reply = ask(engine, state, step, screen)
        if reply is Key.BACK:
            before = engine.previous(state, step.path)
            if before is None:
                screen.show(["This is the first question; Ctrl-C leaves."])
            step = before or step
            continue
        state = engine.answer(state, step.path, reply)
        keep(state)
        following = engine.next(state, step.path) if at else None
        if following is None:
            at = None  # the end is reached: from here on, only what is open is asked
        step = following or engine.first_open(state)
    return state


def ask(engine: Engine, state: State, step: Step, screen: Screen) -> Value | Key:
    """Ask one question until it is answered or the person goes back."""
    options = step.options or step.field.options
    text = "" if options else step.text

    def problem(line: str) -> str:
        try:
            return engine.problem(state, step.path, step.read(line))
        except UsageError as error:
            return f"{error.message} {error.hint}"

    if step.proposed:
        screen.show(["Known about this image; Enter takes it, and the review changes it:"])
        screen.show(f"  {line}" for line in step.proposed)
    while True:
        if options:
            choices = [_choice(option) for option in options]
            ahead = partial(engine.problem, state, step.path)
            reply = screen.choose(step.title, choices, step.default, ahead)
            key = reply if isinstance(reply, Key) else None
            if key is None:
                if not (wrong := ahead(reply)):
                    return reply
                screen.show([f"Not valid: {wrong}"])
                continue
        else:
            typed = screen.line(step.title, text, problem)
            if not isinstance(typed, Typed):
                return step.read(typed)
            key, text = typed.key, typed.text
        if key is Key.BACK:
            return Key.BACK
        screen.show(explanation(step))


def _choice(option: Option) -> Choice:
    if option.value is None:
        return Choice(None, "as the whole Service", option.consequence)
    if option.value == MORE:
        return Choice(MORE, option.consequence or "none")
    return Choice(option.value, fields.shown(option.value), option.consequence)


def explanation(step: Step) -> Iterator[str]:
    """Everything that the declarations say about a question, with the rule that it follows."""
    question = questions.asked()[str(step.path[0])]
    yield f"  {step.field.help}"
    if question.explain:
        yield f"  {question.explain}"
    if step.field.allowed:
        yield f"  {step.field.allowed}"
    for option in step.options or step.field.options:
        choice = _choice(option)
        if choice.consequence:
            yield f"  - {choice.label}: {choice.consequence}"

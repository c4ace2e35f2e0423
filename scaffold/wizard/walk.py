"""From question to question on a screen: forward, back, explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaffold import questions
from scaffold.answers import Path
from scaffold.questions import Value
from scaffold.wizard import fields
from scaffold.wizard.engine import Engine, State, Step
from scaffold.wizard.fields import Form
from scaffold.wizard.screen import Choice, Key, Screen, Typed

Keep = Callable[[State], None]
"""Called after every answer, to keep a draft of it."""


def walk(engine: Engine, state: State, screen: Screen, keep: Keep, at: Path | None = None) -> State:
    """Ask until no question is open: all from ``at`` on, or without it those that are open."""
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
        step = engine.next(state, step.path) if at else engine.first_open(state)
    return state


def ask(engine: Engine, state: State, step: Step, screen: Screen) -> Value | Key:
    """Ask one question until it is answered or the person goes back."""
    field = step.field
    default = fields.editable(field, step.default)
    options = step.options or field.options

    def problem(text: str) -> str:
        return engine.problem(state, step.path, fields.typed(field, text))

    while True:
        reply: Value | Key | Typed
        if field.form is Form.CHOICE:
            choices = [Choice(o.value, option_label(o.value), o.consequence) for o in options]
            reply = screen.choose(step.title, choices, step.default)
            if isinstance(reply, Key):
                reply = Typed(reply, "")
        else:
            reply = screen.line(step.title, default, problem)
        if not isinstance(reply, Typed):
            value = reply if field.form is Form.CHOICE else fields.typed(field, reply)
            wrong = engine.problem(state, step.path, value)
            if not wrong:
                return value
            screen.show([f"Not valid: {wrong}"])
        elif reply.key is Key.BACK:
            return Key.BACK
        else:
            default = reply.text
            screen.show(explanation(step))


def option_label(value: Value) -> str:
    """What an option is called in a menu."""
    if value is None:
        return "as the whole Service"
    return fields.shown(value) if value != "" else "none"


def explanation(step: Step) -> Iterator[str]:
    """All that the declarations say of a question, with the rule that it follows."""
    question = questions.asked()[str(step.path[0])]
    yield f"  {step.field.help}"
    if question.explain:
        yield f"  {question.explain}"
    if step.field.allowed:
        yield f"  Allowed: {step.field.allowed}. {step.field.mend}"
    for option in step.options or step.field.options:
        if option.consequence:
            yield f"  - {option_label(option.value)}: {option.consequence}"

"""The last screen: the answers and what follows from them, to change, to save or to apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from scaffold.answers.sources import Path, show
from scaffold.errors import UsageError, nearest
from scaffold.templates.questions import Question, Value
from scaffold.wizard import fields, rows
from scaffold.wizard.engine import Engine
from scaffold.wizard.rows import Row
from scaffold.wizard.screen import Choice, Key, Screen, Typed
from scaffold.wizard.state import State, without_item
from scaffold.wizard.walk import Keep, ask, explanation, walk

if TYPE_CHECKING:
    from scaffold.wizard.preview import Preview


class Outcome(Enum):
    """How the review ended."""

    APPLY = "apply"
    COMMIT = "commit"
    SAVE = "save"
    QUIT = "quit"


_ENDS = {"a": Outcome.APPLY, "c": Outcome.COMMIT, "s": Outcome.SAVE, "q": Outcome.QUIT}


_COMMANDS = {
    "a": "applies",
    "c": "applies and commits",
    "d": "shows the diff",
    "l": "lists everything",
    "r": "the resources",
    "s": "saves the answers only",
    "q": "quits",
}
_CLONE = {"p": "asks again for the clone of the app's repository"}
_DONE, _REMOVE = "done", "remove"


def review(
    engine: Engine,
    state: State,
    screen: Screen,
    preview_of: Callable[[Mapping[str, Value]], Preview | None],
    keep: Keep,
    clone_again: Callable[[Mapping[str, Value]], Callable[[], None] | None] = lambda _: None,
) -> tuple[Outcome, State]:
    """Show the review until the person applies, saves or quits; every change starts it again.

    Where ``preview_of`` gives nothing, the person went back from a question that it had to ask.
    ``clone_again`` gives, where the app has a repository of its own, what lets it ask for the clone again.
    """
    while True:
        again = clone_again(engine.result(state))
        preview = preview_of(engine.result(state))
        if preview is None:
            state = _walk_from_the_end(engine, state, screen, keep)
            continue
        listed = rows.rows(engine, state)
        screen.show(rows.main(listed), fit=True)
        screen.show(rows.other(listed))
        screen.show(["Decisions"])
        screen.show((f"  {line}" for line in preview.decisions(whole=False)), fit=True)
        screen.show(["Files", *(f"  {line}" for line in preview.files(whole=False))])
        chosen = _command(engine, state, screen, preview, listed, asks_clone=again is not None)
        if isinstance(chosen, Outcome):
            return chosen, state
        if again is not None and chosen in (*_CLONE, Key.BACK):
            again()
            continue
        if chosen is Key.BACK:
            state = _walk_from_the_end(engine, state, screen, keep)
            continue
        if isinstance(chosen, Question):
            state = edit(engine, state, screen, chosen)
        else:
            state = engine.answer(state, *engine.setting(state, str(chosen)))
        keep(state)
        state = walk(engine, state, screen, keep)


def _walk_from_the_end(engine: Engine, state: State, screen: Screen, keep: Keep) -> State:
    paths = engine.paths(state)
    return walk(engine, state, screen, keep, paths[-1] if paths else None)


def _command(
    engine: Engine, state: State, screen: Screen, preview: Preview, listed: Sequence[Row], *, asks_clone: bool
) -> Outcome | Key | Question | str:
    """Ask what to do next; show the planned resources as soon as they are known.

    Returns how it ends, the question to ask again, the letter for the clone, or a valid ``NAME=value``.
    """
    commands = {**_COMMANDS, **(_CLONE if asks_clone else {})}
    told = ", ".join(f"{letter} {what}" for letter, what in commands.items())
    title = f"A number changes that answer, NAME=value does so at once, ? NAME explains it; {told}."
    planned = False
    text = ""

    def problem(text: str) -> str:
        text = text.strip()
        named = text.removeprefix("?").strip()
        if "=" in text:
            return _wrong_setting(engine, state, text)
        if text in commands or (text != named and not named) or _named(listed, named) is not None:
            return ""
        near = nearest(named, [*commands, *(row.question.name for row in listed)])
        return near or f"Give a number from 1 to {len(listed)}, NAME=value, or one of {', '.join(commands)}."

    while True:
        if not planned and preview.ready():
            screen.show(preview.resources(whole=False), fit=not preview.failed)
            planned = True
        reply = screen.line(title, text, problem, explains=False, until=None if planned else preview.ready)
        text = ""
        if isinstance(reply, Typed):
            if reply.key is Key.BACK:
                return Key.BACK
            if reply.key is Key.EXPLAIN:
                screen.show(_explained(commands))
            text = reply.text if reply.key is None else ""
            continue
        command = reply.strip()
        row = _named(listed, command.removeprefix("?").strip())
        if command.startswith("?"):
            known = explanation(engine.step(state, (row.question.name,))) if row else _explained(commands)
            screen.show(known)
        elif command == "d":
            screen.show(preview.diff(), verbatim=True)
        elif command == "l":
            screen.show(rows.every(listed))
            screen.show(["", "Decisions", *(f"  {line}" for line in preview.decisions())])
            screen.show(["", "Files", *(f"  {line}" for line in preview.files()), ""])
        elif command == "r":
            screen.show([*preview.resources(), ""])
            planned = True
        elif command in ("a", "c") and preview.failed:
            screen.show(["It cannot be applied like this; see above. Change an answer, or save the answers."])
        elif command == "c" and (why := preview.uncommittable()):
            screen.show([why, "Mend that in another terminal, or apply with a and commit later."])
        elif row is not None:
            return row.question
        else:
            return _ENDS.get(command, command)


def _named(listed: Sequence[Row], text: str) -> Row | None:
    """The answer that a number or a name stands for."""
    return next((row for row in listed if text in (str(row.number), row.question.name)), None)


def _explained(commands: Mapping[str, str]) -> Iterator[str]:
    yield "  A number or a name changes that answer, and NAME=value does so at once; ? NAME explains it."
    yield from (f"  {letter} {what}" for letter, what in commands.items())


def _wrong_setting(engine: Engine, state: State, text: str) -> str:
    try:
        return engine.problem(state, *engine.setting(state, text))
    except UsageError as error:
        return f"{error.message} {error.hint}"


def edit(engine: Engine, state: State, screen: Screen, question: Question) -> State:
    """Ask one question again or, for a list, any field of its items. Back leaves it as it was."""
    if not fields.is_list(question):
        return _again(engine, state, screen, (question.name,))
    while True:
        choices = [Choice(_DONE, "done"), _list_choice(engine, state, question)]
        chosen = screen.choose(question.help, [*choices, *_item_choices(engine, state, question)], _DONE)
        if chosen in (_DONE, Key.BACK):
            return state
        if chosen is Key.EXPLAIN:
            screen.show([question.help])
        elif chosen[0] == _REMOVE:
            state = without_item(state, question, chosen[1])
        else:
            state = _again(engine, state, screen, chosen)


def _again(engine: Engine, state: State, screen: Screen, path: Path) -> State:
    reply = ask(engine, state, engine.step(state, path), screen)
    return state if reply is Key.BACK else engine.answer(state, path, reply)


def _list_choice(engine: Engine, state: State, question: Question) -> Choice:
    if question.proposals:
        return Choice((question.name, len(engine.values(state).get(question.name, ()))), "add one")
    return Choice((question.name,), "write the whole list on one line")


def _item_choices(engine: Engine, state: State, question: Question) -> Iterator[Choice]:
    for index, item in enumerate(engine.values(state).get(question.name, ())):
        for name in fields.item_fields(question):
            path: Path = (question.name, index, name)
            value = item.get(name, fields.field_at(path).default)
            yield Choice(path, f"{show(path)} = {fields.shown(value)}")
        yield Choice((_REMOVE, index), f"remove {show((question.name, index))}")

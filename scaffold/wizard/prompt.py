"""A prompt of questionary's while it runs: our keys, text below it, and signals that end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import FrameType
from typing import Any

from scaffold.changes.signals import ENDING, no_more_interrupts
from scaffold.wizard.screen import Key, Typed
from scaffold.wizard.search import Search

_ESCAPE_SECONDS = 0.05
"""How long Esc waits for the rest of an arrow key's sequence, which a slow connection may split in two."""
_POLL_SECONDS = 0.2


@cache
def questionary() -> Any:
    """Questionary. What an editor's keys do is worked out once for all prompts: it is half of making one."""
    import questionary as prompts
    from prompt_toolkit.application import application

    application.load_key_bindings = cache(application.load_key_bindings)  # type: ignore[attr-defined]
    return prompts


def add_below(application: Any, text: Callable[[], str]) -> None:
    """Show several lines of text below a prompt, whose own toolbars have one line or need the height."""
    from prompt_toolkit.filters import Condition, is_done
    from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Window

    below = Window(FormattedTextControl(text), dont_extend_height=True)
    shown = ConditionalContainer(below, filter=~is_done & Condition(lambda: bool(text())))
    application.layout.container = HSplit([application.layout.container, shown])


def run(
    application: Any,
    explains: Callable[[str], bool],
    until: Callable[[], bool] | None = None,
    begin: Callable[[], object] | None = None,
    holds: Search | None = None,
) -> Any:
    """Run a prompt with our keys. ``explains`` says whether ? is a key of ours after what is typed.

    ``holds`` keeps Enter from taking an option after a word that none has.
    """
    from prompt_toolkit.filters import Condition, to_filter
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings

    keys = KeyBindings()

    def leave(key: Key | None) -> Callable[[Any], None]:
        return lambda event: event.app.exit(result=Typed(key, event.app.current_buffer.text))

    keys.add("escape", eager=True)(leave(Key.BACK))
    keys.add("c-b", eager=True)(leave(Key.BACK))
    keys.add("f1", eager=True)(leave(Key.EXPLAIN))
    untouched = Condition(lambda: explains(application.current_buffer.text))
    keys.add("?", filter=untouched, eager=True)(leave(Key.EXPLAIN))
    if holds is not None:
        keys.add("enter", filter=Condition(holds.refuses), eager=True)(lambda _: holds.tell())
    application.key_bindings = merge_key_bindings([application.key_bindings, keys])
    application.ttimeoutlen = _ESCAPE_SECONDS
    for part in application.layout.find_all_windows():
        # Else what belongs to a prompt stands at the bottom of the terminal, far away from it.
        part.dont_extend_height = to_filter(True)

    async def watch() -> None:
        import asyncio

        while until is not None and not until():
            await asyncio.sleep(_POLL_SECONDS)
        # Not exit() alone: the line is drawn again below what is told now.
        application.erase_when_done = True
        application.exit(result=Typed(None, application.current_buffer.text))

    def start() -> None:
        if until is not None:
            application.create_background_task(watch())
        if begin is not None:
            begin()
        if asked:
            application.exit()

    leave_now = application.exit

    def leave_once(**outcome: Any) -> None:
        # A key may come in the moment in which a signal has ended the prompt already, or the reverse.
        if application.future is not None and not application.future.done():
            if "exception" in outcome:
                no_more_interrupts()  # once the terminal is restored, the same key is a signal
            leave_now(**outcome)

    application.exit = leave_once
    with _ended_after(application) as asked:
        # Taken as a key, an interrupt would be lost on a prompt that just ended.
        return application.run(pre_run=start, handle_sigint=False)


@contextmanager
def _ended_after(application: Any) -> Iterator[Sequence[int]]:
    """Signals that end the process, also an interrupt, first end the prompt, and are raised once it is gone.

    Raised in the middle of it, they would be told as the failure of one of its tasks. Gives those that came.
    """
    import signal

    handlers = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGINT)}
    asked: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        asked.append(number)
        if application.loop is not None:
            application.loop.call_soon_threadsafe(application.exit)

    taken = {number: handler for number, handler in handlers.items() if callable(handler)}
    for ending in taken:
        signal.signal(ending, end)
    try:
        yield asked
    finally:
        for ending, handler in taken.items():
            signal.signal(ending, handler)
        for number in asked:
            taken[signal.Signals(number)](number, None)

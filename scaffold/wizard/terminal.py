"""The wizard in a terminal, drawn by questionary: its prompts, with our own keys added."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache, partial
from types import FrameType
from typing import Any, TextIO

from scaffold.changes.signals import ENDING, no_more_interrupts
from scaffold.templates.questions import Value
from scaffold.wizard import window
from scaffold.wizard.screen import Choice, Key, Typed
from scaffold.wizard.search import Search

_LONG = 8
"""From here on a list says that typing filters it."""
_ESCAPE_SECONDS = 0.05
"""How long Esc waits for the rest of an arrow key's sequence; terminals send those at once."""
_POLL_SECONDS = 0.2
_PAUSE_SECONDS = 0.08
"""How long nothing is typed before an answer is judged, so that judging holds up no key."""


class TerminalScreen:
    """Prompts that know Esc and Ctrl-B for back, and ? and F1 for an explanation."""

    keys = "Enter answers, Esc or Ctrl-B goes back, ? or F1 explains, Ctrl-C keeps a draft and leaves."

    def __init__(self, target: TextIO) -> None:
        self._target = target

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While it is open, what is typed ahead of a prompt does not show up between two of them."""
        try:
            import termios
        except ImportError:  # no terminal of this kind, so nothing to set
            yield
            return
        place = sys.stdin.fileno()
        before = termios.tcgetattr(place)
        quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        termios.tcsetattr(place, termios.TCSANOW, quiet)
        try:
            yield
        finally:
            with suppress(termios.error, OSError):  # the terminal may be gone
                termios.tcsetattr(place, termios.TCSANOW, before)
                self._as_before()

    def _as_before(self) -> None:
        """Undo what a prompt has set, in case a signal kept it from doing so."""
        from prompt_toolkit.output import create_output

        output = create_output(self._target)
        output.show_cursor()
        output.disable_bracketed_paste()
        output.flush()

    def show(self, lines: Iterable[str], *, verbatim: bool = False, fit: bool = False) -> None:
        """Write lines: ``verbatim``, each cut to the window to ``fit``, or else wrapped between words."""
        for line in lines:
            text = (
                window.cut(line, window.width())
                if fit
                else line
                if verbatim
                else window.wrapped(line, window.width())
            )
            self._target.write(f"{text}\n")
        self._target.flush()

    def choose(
        self,
        title: str,
        choices: Sequence[Choice],
        default: Value,
        ahead: Callable[[Value], object] = lambda _: None,
    ) -> Value | Key:
        """A menu; what follows from an option is shown below it while the cursor is there."""
        questionary = _questionary()
        # By number: questionary takes an option whose value is None for one whose value is its label.
        listed = [
            questionary.Choice(c.label, str(number), description=c.consequence or None)
            for number, c in enumerate(choices)
        ]
        preset = next((str(n) for n, c in enumerate(choices) if c.value == default), None)
        long = len(choices) > _LONG
        room = max(len(c.label) for c in choices)
        columns = max(window.width() - 4 - room, window.width() // 2)
        prompt = questionary.select(
            window.wrapped(title, columns), listed, default=preset,
            use_jk_keys=False, use_search_filter=True,
            instruction="(type to filter)" if long else " ",
        )  # fmt: skip
        menu = _menu(prompt.application)
        # Wrapped: what questionary prints below a menu would be cut off at the window's edge.
        menu.text = partial(_told, menu._get_choice_tokens)
        search = Search(menu)
        menu.add_search_character = search.type
        _add_below(prompt.application, lambda: window.wrapped(search.problem(), window.width()))

        async def watch() -> None:
            import asyncio

            seen = None
            while True:
                if (at := menu.get_pointed_at().value) != seen:
                    seen = at
                    await asyncio.get_running_loop().run_in_executor(None, ahead, choices[int(at)].value)
                await asyncio.sleep(_PAUSE_SECONDS)

        # A menu has a hidden line behind it: no key of an editor's makes that the answer.
        prompt.application.current_buffer.accept_handler = None

        def begin() -> None:
            prompt.application.create_background_task(watch())

        answer = self._run(prompt.application, lambda _: True, begin=begin, holds=search)
        return choices[int(answer)].value if isinstance(answer, str) else answer.key

    def line(
        self,
        title: str,
        default: str,
        problem: Callable[[str], str],
        *,
        explains: bool = True,
        until: Callable[[], bool] | None = None,
    ) -> str | Typed:
        """A line of text; what is wrong with it is shown below while it is typed."""
        questionary = _questionary()
        wrong = lru_cache(256)(problem)
        told, refused = "", None

        def verdict(text: str) -> str | bool:
            nonlocal told, refused
            told, refused = wrong(text), text
            return "Not valid:" if told else True

        async def judge(text: str) -> None:
            import asyncio

            nonlocal told
            await asyncio.sleep(_PAUSE_SECONDS)
            if text != application.current_buffer.text:
                return
            found = await asyncio.get_running_loop().run_in_executor(None, wrong, text)
            if text == application.current_buffer.text:
                # Nobody is told that the answer is missing before it could be given.
                before, told = told, found if text or default or text == refused else ""
                if told != before:
                    application.invalidate()

        def judge_soon(_: object = None) -> None:
            application.create_background_task(judge(application.current_buffer.text))

        prompt = questionary.text(
            f"{window.wrapped(title, window.width() - 3)}\n >", default=default, validate=verdict,
            validate_while_typing=False,
        )  # fmt: skip
        application = prompt.application
        _add_below(application, lambda: window.wrapped(told, window.width()))
        application.current_buffer.on_text_changed += judge_soon
        untouched = ("", default) if explains else ()
        return self._run(application, lambda text: text in untouched, until, judge_soon)  # type: ignore[no-any-return]

    def _run(
        self,
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


@cache
def _questionary() -> Any:
    """Questionary. What an editor's keys do is worked out once for all prompts: it is half of making one."""
    import questionary
    from prompt_toolkit.application import application

    application.load_key_bindings = cache(application.load_key_bindings)  # type: ignore[attr-defined]
    return questionary


def _menu(application: Any) -> Any:
    from questionary.prompts.common import InquirerControl

    parts = [part.content for part in application.layout.find_all_windows()]
    return next(part for part in parts if isinstance(part, InquirerControl))


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


def _add_below(application: Any, text: Callable[[], str]) -> None:
    """Show several lines of text below a prompt, whose own toolbars have one line or need the height."""
    from prompt_toolkit.filters import Condition, is_done
    from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Window

    below = Window(FormattedTextControl(text), dont_extend_height=True)
    shown = ConditionalContainer(below, filter=~is_done & Condition(lambda: bool(text())))
    application.layout.container = HSplit([application.layout.container, shown])


def _told(drawn: Callable[[], list[Any]]) -> list[Any]:
    tokens = drawn()
    style, text = tokens[-1]
    label = "  Description: "
    if not text.startswith(label):
        return tokens
    return [
        *tokens[:-1],
        (style, textwrap.indent(window.wrapped(text.removeprefix(label), window.width() - 5), "     ")),
    ]

"""The wizard in a terminal, drawn by questionary: its prompts, with our own keys added."""

from __future__ import annotations

import gc
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TextIO

from scaffold.templates.questions import Value
from scaffold.wizard import window
from scaffold.wizard.prompt import add_below, questionary, run
from scaffold.wizard.screen import Choice, Key, Typed
from scaffold.wizard.search import Search

_LONG = 8
"""From here on a list says that typing filters it."""
_PAUSE_SECONDS = 0.08
"""How long nothing is typed before an answer is judged, so that judging holds up no key."""
_TURN_SECONDS = 0.0005
"""How long a thread may hold up the one that draws; by Python's 5 ms, a key waits that long several times."""
_COLLECTIONS = (1_000, 10, 1_000)
"""When garbage is looked for: often, so that it takes a millisecond, and not again among what has stayed."""


class TerminalScreen:
    """Prompts that know Esc and Ctrl-B for back, and ? and F1 for an explanation."""

    keys = "Enter answers, Esc or Ctrl-B goes back, ? or F1 explains, Ctrl-C keeps a draft and leaves."

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._judges = ThreadPoolExecutor(1, "judge")

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While it is open, what is typed ahead of a prompt does not show up between two of them."""
        with attentive(), self._quiet():
            yield

    @contextmanager
    def _quiet(self) -> Iterator[None]:
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
        prompts = questionary()
        # By number: questionary takes an option whose value is None for one whose value is its label.
        listed = [
            prompts.Choice(c.label, str(number), description=c.consequence or None)
            for number, c in enumerate(choices)
        ]
        preset = next((str(n) for n, c in enumerate(choices) if c.value == default), None)
        long = len(choices) > _LONG
        room = max(len(c.label) for c in choices)
        columns = max(window.width() - 4 - room, window.width() // 2)
        prompt = prompts.select(
            window.wrapped(title, columns), listed, default=preset,
            use_jk_keys=False, use_search_filter=True,
            instruction="(type to filter)" if long else " ",
        )  # fmt: skip
        menu = _menu(prompt.application)
        # Wrapped: what questionary prints below a menu would be cut off at the window's edge.
        menu.text = partial(_told, menu._get_choice_tokens)
        search = Search(menu)
        menu.add_search_character = search.type
        add_below(prompt.application, lambda: window.wrapped(search.problem(), window.width()))

        async def watch() -> None:
            import asyncio

            seen = None
            while True:
                await asyncio.sleep(_PAUSE_SECONDS)
                if (at := menu.get_pointed_at().value) != seen:
                    seen = at
                    await asyncio.get_running_loop().run_in_executor(
                        self._judges, ahead, choices[int(at)].value
                    )

        # A menu has a hidden line behind it: no key of an editor's makes that the answer.
        prompt.application.current_buffer.accept_handler = None

        def begin() -> None:
            prompt.application.create_background_task(watch())

        answer = run(prompt.application, lambda _: True, begin=begin, holds=search)
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
        told, refused = "", None

        def verdict(text: str) -> str | bool:
            nonlocal told, refused
            told, refused = problem(text), text
            return "Not valid:" if told else True

        async def judge(text: str) -> None:
            import asyncio

            nonlocal told
            await asyncio.sleep(_PAUSE_SECONDS)
            if text != application.current_buffer.text:
                return
            found = await asyncio.get_running_loop().run_in_executor(self._judges, problem, text)
            if text == application.current_buffer.text:
                # Nobody is told that the answer is missing before it could be given.
                before, told = told, found if text or default or text == refused else ""
                if told != before:
                    application.invalidate()

        def judge_soon(_: object = None) -> None:
            application.create_background_task(judge(application.current_buffer.text))

        prompt = questionary().text(
            f"{window.wrapped(title, window.width() - 3)}\n >", default=default, validate=verdict,
            validate_while_typing=False,
        )  # fmt: skip
        application = prompt.application
        add_below(application, lambda: window.wrapped(told, window.width()))
        application.current_buffer.on_text_changed += judge_soon
        untouched = ("", default) if explains else ()
        return run(application, lambda text: text in untouched, until, judge_soon)  # type: ignore[no-any-return]


@contextmanager
def attentive() -> Iterator[None]:
    """While it is open, what is done in the background holds up no key."""
    questionary()
    before, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.freeze()  # what is imported by now stays, and need not be looked through
    gc.set_threshold(*_COLLECTIONS)
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*before)
        gc.unfreeze()


def _menu(application: Any) -> Any:
    from questionary.prompts.common import InquirerControl

    parts = [part.content for part in application.layout.find_all_windows()]
    return next(part for part in parts if isinstance(part, InquirerControl))


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

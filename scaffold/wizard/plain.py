"""The wizard as numbered lines: for screen readers, terminals that cannot move the cursor, ``--plain``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

from scaffold.templates.questions import Value
from scaffold.wizard.screen import Choice, Key, Typed

_BACK = ("<", "\x1b", "\x02")
_EXPLAIN = "?"
_EMPTY = "-"


class PlainScreen:
    """Reads lines and writes lines; nothing else is required of the terminal."""

    keys = (
        f"Enter takes what is in brackets, {_EMPTY} is nothing, < goes back, ? explains, "
        "Ctrl-C keeps a draft and leaves."
    )

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._source = source
        self._target = target

    def opened(self) -> AbstractContextManager[None]:
        """Nothing is set up: lines are read as the terminal gives them."""
        return nullcontext()

    def show(self, lines: Iterable[str], *, verbatim: bool = False, fit: bool = False) -> None:
        """Write lines of text, whatever their length."""
        for line in lines:
            self._target.write(f"{line}\n")
        self._target.flush()

    def choose(
        self,
        title: str,
        choices: Sequence[Choice],
        default: Value,
        ahead: Callable[[Value], object] = lambda _: None,
    ) -> Value | Key:
        """Number the options, and read a number or a label."""
        preset = next((n for n, choice in enumerate(choices, 1) if choice.value == default), 1)
        self.show([title])
        for number, choice in enumerate(choices, 1):
            self.show(
                [f"  {number}. {choice.label}" + (f": {choice.consequence}" if choice.consequence else "")]
            )
        while True:
            text = self._read(f"Number [{preset}]: ")
            if text in _BACK:
                return Key.BACK
            if text == _EXPLAIN:
                return Key.EXPLAIN
            if not text:
                return choices[preset - 1].value
            if text.isdecimal() and 1 <= int(text) <= len(choices):
                return choices[int(text) - 1].value
            meant = [c for c in choices if c.label.lower().startswith(text.lower())]
            same = [c for c in meant if c.label.lower() == text.lower()]
            if len(same or meant) == 1:
                return (same or meant)[0].value
            several = f", or more of one of {', '.join(c.label for c in meant)}" if meant else ""
            self.show([f"Not valid: give a number from 1 to {len(choices)}{several}."])

    def line(
        self,
        title: str,
        default: str,
        problem: Callable[[str], str],
        *,
        explains: bool = True,
        until: Callable[[], bool] | None = None,
    ) -> str | Typed:
        """Read a line until it is valid."""
        while True:
            self.show([title])
            text = self._read(f"[{default}]: " if default else "> ")
            if text in _BACK:
                return Typed(Key.BACK, "")
            if text == _EXPLAIN and explains:
                return Typed(Key.EXPLAIN, default)
            text = "" if text == _EMPTY else text or default
            wrong = problem(text)
            if not wrong:
                return text
            self.show([f"Not valid: {wrong}"])

    def _read(self, prompt: str) -> str:
        self._target.write(prompt)
        self._target.flush()
        line = self._source.readline()
        if not line:
            raise KeyboardInterrupt
        return line.strip()

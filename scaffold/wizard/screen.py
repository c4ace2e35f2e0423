"""What the wizard shows and asks, whatever draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from scaffold.templates.questions import Value


class Key(Enum):
    """What a person may press instead of answering."""

    BACK = "back"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a menu, with what follows from it."""

    value: Value
    label: str
    consequence: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was on the line when the person asked for an explanation, or something intervened."""

    key: Key | None
    text: str


class Screen(Protocol):
    """What draws the wizard: questionary on a terminal, or plain lines."""

    keys: str
    """How to go back and get an explanation, in one line."""

    def opened(self) -> AbstractContextManager[None]:
        """What has to be set up while the wizard runs."""

    def show(self, lines: Iterable[str], *, verbatim: bool = False, fit: bool = False) -> None:
        """Show lines of text. ``verbatim``: as they are, such as a diff; ``fit``: on a row each."""

    def choose(
        self,
        title: str,
        choices: Sequence[Choice],
        default: Value,
        ahead: Callable[[Value], object] = lambda _: None,
    ) -> Value | Key:
        """Let the person choose one option.

        ``ahead`` may be done for the one at the cursor while the person reads.
        """

    def line(
        self,
        title: str,
        default: str,
        problem: Callable[[str], str],
        *,
        explains: bool = True,
        until: Callable[[], bool] | None = None,
    ) -> str | Typed:
        """Let the person type a line. ``problem`` says what is wrong with it; only a right one is returned.

        Without ``explains`` a question mark is text like any other.
        ``until`` ends the line early with what is typed so far, where the screen can do that.
        """

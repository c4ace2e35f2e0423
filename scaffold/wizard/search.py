"""What is typed in a menu: it filters the options, and a word that none of them has is told."""

from __future__ import annotations

from typing import Any

_BACKSPACE = "c-h"


class Search:
    """The word that is typed in a menu of questionary's, in place of its own search."""

    def __init__(self, menu: Any) -> None:
        self._menu = menu
        self._word = ""
        self._pointed: Any = None
        self._told = False

    def type(self, key: Any) -> None:
        """Filter by the word with a key behind it, and point at what begins so, if anything does.

        A key that fits nothing behind the others begins anew; one that fits nothing at all filters nothing.
        """
        erases = getattr(key, "value", key) == _BACKSPACE
        self._word = self._word[:-1] if erases else f"{self._word}{key}"
        self._told = False
        text = next((t for t in (self._word, "" if erases else str(key)) if self._fits(t)), None)
        if text is not None:
            self._menu.search_filter = text or None
            labels = [choice.title.lower() for choice in self._menu.filtered_choices]
            self._menu.pointed_at = next(
                (n for n, label in enumerate(labels) if label.startswith(text.lower())), 0
            )
        self._pointed = self._menu.get_pointed_at().value

    def problem(self) -> str:
        """That no option has what is typed; nothing where one has, or the arrow keys have chosen since."""
        pointed = self._menu.get_pointed_at()
        if self._fits(self._word) or pointed.value != self._pointed:
            return ""
        told = f"No option contains “{self._word}”."
        return (
            f"{told} Type or use the arrow keys to choose; Enter takes “{pointed.title}”."
            if self._told
            else told
        )

    def refuses(self) -> bool:
        """Whether Enter takes nothing yet: a word fits nothing, and the person has not been told."""
        return not self._told and bool(self.problem())

    def tell(self) -> None:
        """Enter was pressed: the next one takes what the menu points at."""
        self._told = True

    def _fits(self, text: str) -> bool:
        return any(text.lower() in choice.title.lower() for choice in self._menu.choices)

"""What is typed in a menu: it filters the options, and a word that none of them has is told."""

from __future__ import annotations

from typing import Any

_BACKSPACE = "c-h"
_NONE = "No option contains “{}”."


class Search:
    """The word that is typed in a menu of questionary's, in place of its own search."""

    def __init__(self, menu: Any) -> None:
        self._menu = menu
        self._word = ""
        self._pointed: Any = None
        self._told = ""

    def type(self, key: Any) -> None:
        """Filter by the word with a key behind it, and point at what begins so, if anything does.

        A key that fits nothing behind a word that fits begins anew; others that fit nothing filter nothing.
        """
        erases = getattr(key, "value", key) == _BACKSPACE
        anew = str(key) if self._fits(self._word) and not erases else self._word
        self._word = self._word[:-1] if erases else f"{self._word}{key}"
        self._told = ""
        text = next((text for text in (self._word, anew) if self._fits(text)), None)
        if text is not None:
            self._menu.search_filter = text or None
            labels = [choice.title.lower() for choice in self._menu.filtered_choices]
            self._menu.pointed_at = next(
                (n for n, label in enumerate(labels) if label.startswith(text.lower())), 0
            )
        self._pointed = self._menu.get_pointed_at().value

    def problem(self) -> str:
        """That no option has what is typed; nothing where one has, or the arrow keys have chosen since."""
        if self.refuses():
            return _NONE.format(self._word)
        pointed = self._menu.get_pointed_at()
        if not self._told or pointed.value != self._pointed:
            return ""
        hint = f"Type or use the arrow keys to choose; Enter takes “{pointed.title}”."
        return f"{_NONE.format(self._told)} {hint}"

    def refuses(self) -> bool:
        """Whether Enter takes nothing yet: a word fits nothing, and the person has not been told."""
        return not self._fits(self._word) and self._menu.get_pointed_at().value == self._pointed

    def tell(self) -> None:
        """Enter was pressed: a new word begins, and the next Enter takes what the menu points at."""
        self._told, self._word = self._word, ""

    def _fits(self, text: str) -> bool:
        return any(text.lower() in choice.title.lower() for choice in self._menu.choices)

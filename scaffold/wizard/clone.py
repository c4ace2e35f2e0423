"""The clone of the app's repository: named on the command line, or asked for if the image is your own."""

from __future__ import annotations

from pathlib import Path

from scaffold.commands.pipeline import app_root
from scaffold.errors import MissingError
from scaffold.wizard.screen import Key, Screen, Typed

_TITLE = "Where is the clone of the app's own repository, for its pipeline? Leave it empty to skip that."
_EXPLANATION = (
    "  The directory of a Git repository. The files that build the image and roll it out are shown in the",
    "  review, checked against the stack, and written when you apply. `scaffold pipeline` adds them later.",
)


class Clone:
    """Where the clone is, as far as it is known."""

    def __init__(self, named: Path | None, beside: Path) -> None:
        """``named`` is what the command line says; ``beside`` is where a clone is likely to be."""
        self.path = named
        self.settled = named is not None
        self._beside = beside

    def forget(self) -> None:
        """Ask for it again, with what is known as the default."""
        self.settled = False

    def ask(self, screen: Screen, repository: str) -> bool:
        """Ask for the clone of ``repository``. Returns whether the person answered rather than going back."""
        likely = self._beside / repository
        text = str(self.path or (likely if (likely / ".git").exists() else ""))
        while True:
            reply = screen.line(_TITLE, text, _problem)
            if not isinstance(reply, Typed):
                self.path = _path(reply) if reply.strip() else None
                self.settled = True
                return True
            if reply.key is Key.BACK:
                return False
            text = reply.text
            screen.show(_EXPLANATION)


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()


def _problem(text: str) -> str:
    """What is wrong with a directory, and the fix; nothing if it is right, or left out."""
    if not text.strip():
        return ""
    try:
        app_root(_path(text))
    except MissingError as error:
        return f"{error.message} {error.hint}"
    return ""

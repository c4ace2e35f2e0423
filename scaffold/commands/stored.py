"""The answers that a stack was rendered from, as its own file records them."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.errors import RefusedError
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.reading import YamlError, load
from scaffold.templates.questions import Value
from scaffold.templates.render import ANSWERS_FILE


def stored_answers(monorepo: Monorepo, name: str) -> Mapping[str, Value]:
    """Everything that a stack's answers file says; nothing where the stack has none.

    Raises :class:`RefusedError` where it cannot be read, as after an update with conflicts.
    """
    path = monorepo.stack_directory(name) / ANSWERS_FILE
    if not path.is_file():
        return {}
    where, hint = f"{STACKS}/{name}/{ANSWERS_FILE}", "Restore it from Git, or resolve its conflicts."
    try:
        stored = load(path.read_bytes())
    except YamlError as error:
        at = f"{where}:{error.line}" if error.line else where
        raise RefusedError(f"{at} {error.message}.", hint) from error
    if not isinstance(stored, dict):
        raise RefusedError(f"{where} holds no answers.", hint)
    return stored

"""The answers that a stack was rendered from, as its own file records them."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.answers import validation
from scaffold.answers.sources import Answers, Place
from scaffold.errors import RefusedError
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.reading import YamlError, load
from scaffold.templates import decisions
from scaffold.templates.questions import Value, asked
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


def given_claims(monorepo: Monorepo, name: str) -> frozenset[str]:
    """The claims that a stack's answers say to exist; none where it has no answers that can be read."""
    try:
        volumes = stored_answers(monorepo, name).get("volumes")
    except RefusedError:
        return frozenset()
    given = volumes if isinstance(volumes, list) else []
    claims = (volume.get("claim") for volume in given if isinstance(volume, Mapping))
    return frozenset(claim for claim in claims if isinstance(claim, str))


def answers_of(monorepo: Monorepo, name: str) -> Answers:
    """The answers that a stack was rendered from, to render the pipeline from the same ones.

    Raises :class:`RefusedError` for a stack that has none.
    """
    if "/" in name or not (stored := stored_answers(monorepo, name)):
        raise RefusedError(
            f"{STACKS}/{name} records no answers.", "Give them with --answers FILE; see `scaffold schema`."
        )
    values = {key: value for key, value in stored.items() if key in asked()}
    return Answers(values, {(): Place(f"{STACKS}/{name}/{ANSWERS_FILE}")})


def stored_facts(stored: Mapping[str, Value]) -> dict[str, Mapping[str, Value]]:
    """What a stack's answers file says beside the answers: facts that were sensed, and what is kept."""
    said = {name: stored.get(name) for name in ("sensed", "recorded")}
    return {name: value if isinstance(value, dict) else {} for name, value in said.items()}


def stored_values(monorepo: Monorepo, name: str) -> Mapping[str, Value]:
    """Every value that follows from the answers of a stack, by the facts that it was rendered with.

    They are not checked first: what newer rules refuse may have to be restored all the same. Raises
    :class:`RefusedError` for a stack that records no answers, and
    :class:`~scaffold.errors.AnswersError` where nothing can be decided from them.
    """
    given, facts = answers_of(monorepo, name), stored_facts(stored_answers(monorepo, name))
    try:
        return decisions.combine({**given.values, **facts})
    except Exception:
        validation.check(given, **facts)
        raise

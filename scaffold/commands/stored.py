"""The answers that a stack was rendered from, as its own file records them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from jinja2 import TemplateError

from scaffold.answers import validation
from scaffold.answers.sources import Answers, Place
from scaffold.checks.house import HouseNames, with_own_image
from scaffold.errors import AnswersError, Finding, RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.reading import YamlError, load
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value, applies, asked, stand_ins
from scaffold.templates.render import ANSWERS_FILE

_UNDECIDED = (TemplateError, ValueError, TypeError, LookupError, AttributeError)
"""How decisions fail on facts that nobody sensed, as in an answers file of another program."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a stack's answers file says."""

    given: Answers
    """The answers that somebody gave and that apply, without the defaults that older versions recorded."""
    sensed: Mapping[str, Value]
    recorded: Mapping[str, Value]
    """What Kubernetes cannot change in place."""
    source: str
    """Where its templates are."""
    version: str
    """The tag or commit of the templates that it was rendered by."""
    edited: bool
    """Whether the file was edited by hand since: what it says is not what the stack was rendered from."""
    file: str
    """Its path from the monorepo's root."""

    @property
    def origin(self) -> template.Origin:
        """What stays recorded as long as the rest of the stack stays as it was rendered."""
        return template.Origin(self.source, self.version, updatable=True)

    @property
    def edits(self) -> tuple[Finding, ...]:
        """The finding that the file was edited by hand, if it was."""
        text = "was edited by hand: the stack is not rendered from what it says"
        fix = (
            f"Revert the edit (`git checkout HEAD -- {self.file}`), and give the change to the command. "
            "If it was merged from two branches, and the other files too, take out its line `hash`."
        )
        return (Finding(self.file, None, None, "answers.edited", text, fix=fix),) if self.edited else ()

    def demand_unedited(self) -> None:
        """Raise :class:`RefusedError` if the file was edited by hand."""
        for finding in self.edits:
            raise RefusedError(f"{finding.path} {finding.message}.", finding.fix or "")


def record_of(monorepo: Monorepo, name: str) -> Record:
    """What a stack's answers file says.

    Raises :class:`MissingError` if there is no such stack, and :class:`RefusedError` where it has no answers
    file that can be read.
    """
    stored = {} if "/" in name else stored_answers(monorepo, name)
    if not stored and name not in monorepo.stacks:
        raise monorepo.no_stack(name)
    if not stored:
        raise RefusedError(
            f"{monorepo.place(name)} records no answers.",
            "Give them with --answers FILE; see `scaffold schema`.",
        )
    facts = stored_facts(stored)
    said = {key: value for key, value in stored.items() if key in asked() and applies(asked()[key], stored)}
    renamed = {q.name: q.was for q in asked().values() if q.was in stored and q.name not in stored}
    older = {was: stored[was] for was in renamed.values()}
    try:
        values = decisions.defaults({**stand_ins(), **said, **older, **facts})
    except Exception:
        # Answers that are not valid, from which no default follows, are taken as they stand: whoever uses
        # them finds out what is wrong with them.
        if not validation.problems(Answers(said), **facts):
            raise
        values = {"usual_answers": {}}
    usual = values["usual_answers"] if "given" not in stored else {}
    given = {key: value for key, value in said.items() if key not in usual or usual[key] != value}
    given |= {name: values[name] for name in renamed if name in values}
    file = f"{monorepo.place(name)}/{ANSWERS_FILE}"
    return Record(
        Answers(given, {(): Place(file)}),
        **facts,
        source=str(stored.get("_src_path", "")),
        version=str(stored.get("_commit", "")),
        edited="hash" in stored and stored["hash"] != decisions.seal(stored),
        file=file,
    )


def stored_answers(monorepo: Monorepo, name: str) -> Mapping[str, Value]:
    """Everything in a stack's answers file; nothing if the stack has none.

    Raises :class:`RefusedError` if it cannot be read, as after an update with conflicts.
    """
    path = monorepo.stack_directory(name) / ANSWERS_FILE
    if not path.is_file():
        return {}
    where, hint = f"{monorepo.place(name)}/{ANSWERS_FILE}", "Restore it from Git, or resolve its conflicts."
    try:
        stored = _loaded(path.read_bytes())
    except YamlError as error:
        at = f"{where}:{error.line}" if error.line else where
        raise RefusedError(f"{at} {error.message}.", hint) from error
    if not isinstance(stored, dict):
        raise RefusedError(f"{where} holds no answers.", hint)
    return stored


@lru_cache(16)
def _loaded(content: bytes) -> Value:
    """The YAML of an answers file, which several callers ask for. Nobody changes it in place."""
    return load(content)


def with_answers(house: HouseNames, monorepo: Monorepo, name: str) -> HouseNames:
    """The names by which a stack is judged, with those that its answers add to the house's.

    These are the claims that they say exist, and where its own image is pushed. A stack without answers that
    can be read adds none.
    """
    with suppress(AnswersError, RefusedError, *_UNDECIDED):
        stored = stored_answers(monorepo, name)
        house = replace(house, given_claims=_given_claims(stored.get("volumes")))
        # Nothing else names a registry that the house does not know.
        if _builds_it(stored.get("build")) and (stored.get("image") or stored.get("repository")):
            house = with_own_image(house, stored_values(monorepo, name))
    return house


def _builds_it(mode: Value) -> bool:
    row = decisions.house()["builds"].get(mode) if isinstance(mode, str) else None
    return bool(mode) and (row is None or row["owned"])


def _given_claims(volumes: Value) -> frozenset[str]:
    given = volumes if isinstance(volumes, list) else []
    claims = (volume.get("claim") for volume in given if isinstance(volume, Mapping))
    return frozenset(claim for claim in claims if isinstance(claim, str))


def stored_facts(stored: Mapping[str, Value]) -> dict[str, Mapping[str, Value]]:
    """What a stack's answers file has besides answers: sensed facts, and what is kept."""
    said = {name: stored.get(name) for name in ("sensed", "recorded")}
    return {name: value if isinstance(value, dict) else {} for name, value in said.items()}


def stored_values(monorepo: Monorepo, name: str) -> Mapping[str, Value]:
    """Every value that follows from a stack's answers, with the facts that it was rendered with.

    The answers are not checked first: what newer rules refuse may still have to be restored. Raises
    :class:`RefusedError` for a stack that records no answers, and :class:`~scaffold.errors.AnswersError` if
    nothing can be decided from them.
    """
    record = record_of(monorepo, name)
    facts = {"sensed": record.sensed, "recorded": record.recorded}
    try:
        return decisions.combine({**record.given.values, **facts})
    except Exception:
        validation.check(record.given, **facts)
        raise

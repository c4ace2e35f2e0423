"""The Redis database in which an Anubis stores its challenges: each Anubis has its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scaffold.answers import sources as answering
from scaffold.answers.sources import Answers, Place
from scaffold.monorepo.facts import merged
from scaffold.templates import decisions
from scaffold.templates.questions import Value, properties

if TYPE_CHECKING:
    from scaffold.monorepo.repository import Monorepo


def with_own_store(monorepo: Monorepo, given: Answers, sensed: Mapping[str, Value]) -> Answers:
    """The answers with a Redis database for Anubis, if every Anubis has one and the answers name none.

    It is the one that the Service has already, or else the lowest that is free.
    """
    facts, proof = merged(decisions.house(), sensed), given.values.get("anubis", {})
    further = given.values.get("hosts")
    hosts = further if isinstance(further, list) else []
    gates = [given.values.get("gate"), *(host.get("auth") for host in hosts if isinstance(host, Mapping))]
    if not facts["anubis_store"] or "anubis" not in gates or not isinstance(proof, Mapping):
        return given
    from scaffold.commands.stored import stored_answers
    from scaffold.monorepo import collisions

    name = given.values.get("name")
    stored = stored_answers(monorepo, str(name)) if has_rendered_stack(monorepo, name) else {}
    number = stored.get("anubis", {}).get("redis_database")
    if number is None:
        texts = (text for _, text in answering.texts(given.values))
        largest = properties()["anubis"]["properties"]["redis_database"]["maximum"]
        number = collisions.free_redis_database(monorepo, texts, largest, facts)
    if number is None or proof.get("redis_database") is not None:
        return given
    places = {**given.places, ("anubis", "redis_database"): Place("the monorepo")}
    return replace(
        given, values={**given.values, "anubis": {**proof, "redis_database": number}}, places=places
    )


def has_rendered_stack(monorepo: Monorepo, name: Value) -> bool:
    """Whether the Service has a stack that scaffold rendered."""
    from scaffold.templates.render import ANSWERS_FILE

    return isinstance(name, str) and (monorepo.stack_directory(name) / ANSWERS_FILE).is_file()

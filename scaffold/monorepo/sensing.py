"""What the monorepo says about itself, where it differs from the facts of this template version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import product
from pathlib import Path

from scaffold.errors import Finding, MissingError
from scaffold.monorepo.repository import Monorepo
from scaffold.reading import YamlError, load
from scaffold.templates import decisions
from scaffold.templates.questions import Value

OVERRIDES = "scaffold.yml"
_PATTERN = ("^", "(")
"""How a fact begins that is a regular expression."""

_KINDS = (
    (bool, "true or false"),
    (str, "text"),
    (int | float, "a number"),
    (list, "a list"),
    (Mapping, "a mapping"),
)


def sense(monorepo: Monorepo) -> dict[str, Value]:
    """The facts of this monorepo that differ from the template's defaults.

    Only differences are returned, for only they are recorded with a stack: what equals the default has
    to follow it in a later version. ``scaffold.yml`` at the monorepo's root holds over what is sensed.
    Raises :class:`MissingError` where that file is not usable.
    """
    found: dict[str, Value] = {}
    if monorepo.domain is not None:
        found["domain"] = monorepo.domain
    dns_type = monorepo.ingress_module.variables.get("dns_type")
    if dns_type is not None and dns_type.allowed:
        found["dns_types"] = list(dns_type.allowed)
    if monorepo.tier0_stacks:
        found["tier0_stacks"] = list(monorepo.tier0_stacks)
    found.update(_external_secrets(monorepo))
    found.update(_builds(monorepo, str(found.get("domain", decisions.house()["domain"]))))
    return _difference(decisions.house(), _merge(found, _overrides(monorepo.root)))


def facts(monorepo: Monorepo) -> dict[str, Value]:
    """The facts of this monorepo: the template's own, with what is sensed over them."""
    return _merge(decisions.house(), sense(monorepo))


def _external_secrets(monorepo: Monorepo) -> dict[str, Value]:
    secrets = [secret for stack in monorepo.fleet.values() for secret in stack.external_secrets]
    if not secrets:
        return {}
    return {
        "external_secret_api": Counter(secret.api for secret in secrets).most_common(1)[0][0],
        "external_secret_force_conflicts": Counter(secret.forced for secret in secrets).most_common(1)[0][0],
    }


def _builds(monorepo: Monorepo, domain: str) -> dict[str, Value]:
    """The house's own registry for each build mode, and the mode that most own images are built in.

    A registry is the commonest below the house's domain with the mode's pull secret. A default that is in
    use at all stays: during a move between registries both are. Images that anybody may pull tell nothing
    of the mode: there are old ones and strangers' ones among them.
    """
    seen = _registries(monorepo)
    found = {}
    uses: Counter[str] = Counter()
    for mode, row in decisions.house()["builds"].items():
        registries = seen.get(row["pull_secret"], Counter())
        own = [name for name, _ in registries.most_common() if name.split("/")[0].endswith(f".{domain}")]
        registry = row["registry"]
        if own and registry not in registries:
            registry = own[0]
            found[mode] = {"registry": registry}
        uses[mode] = registries[registry]
    # Of modes that share a registry the first one is the usual one.
    usual, count = uses.most_common(1)[0]
    return {"builds": found, **({"own_build": usual} if count else {})}


def _registries(monorepo: Monorepo) -> dict[str, Counter[str]]:
    """For each pull secret, the registries of the images in pods that have it."""
    seen: dict[str, Counter[str]] = {}
    for pod in (pod for stack in monorepo.fleet.values() for pod in stack.pods):
        for secret, container in product(pod.pull_secrets, pod.containers):
            image = container.reference
            if image.registry and "$" not in image.home:
                seen.setdefault(secret, Counter())[image.home] += 1
    return seen


def _overrides(root: Path) -> Mapping[str, Value]:
    path = root / OVERRIDES
    if not path.is_file():
        return {}
    try:
        facts = load(path.read_bytes()) or {}
    except YamlError as error:
        at = f"{OVERRIDES}:{error.line}" if error.line else OVERRIDES
        raise MissingError(f"{at} {error.message}.", error.fix) from error
    known = decisions.house()
    if not isinstance(facts, dict):
        raise MissingError(f"{OVERRIDES} holds no facts.", "Write one `fact: value` a line.")
    unknown = [
        Finding(OVERRIDES, None, None, "facts.unknown", f"{key} is no fact.", allowed=", ".join(known))
        for key in facts
        if key not in known
    ]
    if wrong := [*unknown, *_of_another_kind(facts, known, "")]:
        raise MissingError(
            f"{OVERRIDES} has facts that nobody could use.",
            "Take them out, or correct their names and values.",
            wrong,
        )
    return facts


def _of_another_kind(facts: Mapping[str, Value], known: Mapping[str, Value], above: str) -> Iterator[Finding]:
    """Facts that are no mapping, list, text, number or truth value where the template's own ones are."""
    for key, value in facts.items():
        like, name = known.get(key, _row_like(known)), f"{above}{key}"
        if like is None:
            continue  # a fact that has no value yet, or a key that is like no other
        if isinstance(value, list) and isinstance(like, list):
            rows = {f"[{index}]": item for index, item in enumerate(value)}
            usual = _row_like(dict(enumerate(like)))
            yield from _of_another_kind(rows, dict.fromkeys(rows, usual), name)
        elif isinstance(value, Mapping) and isinstance(like, Mapping):
            yield from _of_another_kind(value, like, f"{name}.")
        elif _kind(value) != _kind(like):
            message = f"{name} is {_kind(value)}."
            yield Finding(OVERRIDES, None, None, "facts.kind", message, value=str(value), allowed=_kind(like))
        elif str(like).startswith(_PATTERN) and (wrong := _no_pattern(value)):
            message = f"{name} is no pattern: {wrong}."
            yield Finding(
                OVERRIDES, None, None, "facts.pattern", message, value=value, allowed="a regular expression"
            )


def _row_like(table: Mapping[Value, Value]) -> Value:
    """What a further row of a table is held against: all that its rows have; nothing where they differ."""
    rows = list(table.values())
    if len({_kind(row) for row in rows}) != 1:
        return None
    return reduce(_merge, rows) if isinstance(rows[0], Mapping) else rows[0]


def _no_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        return str(error)
    return ""


def _kind(value: Value) -> str:
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "empty"


def _merge(lower: Mapping[str, Value], upper: Mapping[str, Value]) -> dict[str, Value]:
    merged = dict(lower)
    for key, value in upper.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _difference(default: Mapping[str, Value], found: Mapping[str, Value]) -> dict[str, Value]:
    """What in ``found`` differs from ``default``, at any depth of mappings."""
    result: dict[str, Value] = {}
    for key, value in found.items():
        if isinstance(value, Mapping) and isinstance(default.get(key), Mapping):
            if inner := _difference(default[key], value):
                result[key] = inner
        elif default.get(key) != value:
            result[key] = value
    return result

"""Refreshing provider schemas from a stack that Terraform has initialised, and which versions are in use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from scaffold.errors import MissingError
from scaffold.hcl.syntax import Body, HclSyntaxError, parse
from scaffold.monorepo.root import stacks_home
from scaffold.terraform import schemas
from scaffold.terraform.providers import required_providers
from scaffold.terraform.schemas import SECTIONS, RawSchema, Schemas
from scaffold.terraform.terragrunt import generated

LOCK = ".terraform.lock.hcl"
_APPLICATION = "homelab-scaffold"
_BUILT_IN = "terraform.io/"
"""How the address of the provider begins that is a part of Terraform and has no version of its own."""
_PROSE = frozenset(("description", "description_kind", "deprecation_message"))


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored schema; ``version`` is empty if no lock file says it."""

    provider: str
    version: str
    file: Path


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """A provider that the monorepo locks in another version than that of the schema in use."""

    provider: str
    in_use: str
    locked: str
    lock: Path


@dataclass(frozen=True, slots=True)
class Floor:
    """A provider that the root's settings demand in a later version than that of the schema in use."""

    provider: str
    in_use: str
    wanted: str
    path: str


def directory() -> Path:
    """Where refreshed schemas are kept for this user."""
    from platformdirs import user_data_path

    return user_data_path(_APPLICATION) / "schemas"


def in_use(overlay: Path | None = None) -> Schemas:
    """The schemas to plan with: the packaged ones, and over them the refreshed ones."""
    chosen = directory() if overlay is None else overlay
    return schemas.load(chosen if chosen.is_dir() else None)


def store(file: Path, overlay: Path | None = None, lock: Path | None = None) -> tuple[Stored, ...]:
    """Store the schemas that ``terraform providers schema -json`` printed to a file, without their prose.

    ``lock`` is the lock file of the stack they were printed in, which alone says the versions; by default the
    one beside ``file``. A schema replaces the stored one of the same provider. Raises ``MissingError`` where
    the file is no such output.
    """
    target = directory() if overlay is None else overlay
    providers = _printed(file)
    versions = locked(lock or file.parent / LOCK)
    target.mkdir(parents=True, exist_ok=True)
    return tuple(
        _store(address, schema, versions.get(address, ""), target)
        for address, schema in providers.items()
        if not address.startswith(_BUILT_IN)
    )


def _printed(file: Path) -> Mapping[str, RawSchema]:
    try:
        decoded = json.loads(file.read_bytes())
        providers = decoded["provider_schemas"]
        if not providers or not all("provider" in schema for schema in providers.values()):
            raise ValueError("it names no provider")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MissingError(
            f"{file} holds no provider schemas: {error}",
            "write it with `terraform providers schema -json` in an initialised stack",
        ) from error
    return cast("Mapping[str, RawSchema]", providers)


def _store(address: str, schema: RawSchema, version: str, target: Path) -> Stored:
    name = address.rpartition("/")[2]
    file = target / f"{'-'.join(filter(None, (name, version)))}.json.gz"
    used = {key: _without_prose(schema[key]) for key in ("provider", *SECTIONS.values()) if key in schema}
    content = {"format_version": "1.0", "provider_schemas": {address: used}}
    staged = file.with_suffix(".new")
    staged.write_bytes(
        gzip.compress(json.dumps(content, sort_keys=True, separators=(",", ":")).encode(), mtime=0)
    )
    for older in _files_of(name, target):
        older.unlink()
    staged.replace(file)
    schemas.load.cache_clear()
    return Stored(name, version, file)


def _files_of(name: str, target: Path) -> Iterator[Path]:
    for file in target.glob(f"{name}*.json.gz"):
        stem = file.name.removesuffix(".json.gz")
        if stem == name or (stem.startswith(f"{name}-") and stem.removeprefix(f"{name}-")[:1].isdigit()):
            yield file


def _without_prose(value: object) -> object:
    """A part of a schema without the texts that are only for people.

    An argument may itself be called ``description``: then it is not text.
    """
    if not isinstance(value, Mapping):
        return value
    prose = {key for key in _PROSE & value.keys() if isinstance(value[key], str)}
    return {key: _without_prose(below) for key, below in value.items() if key not in prose}


# versions


def locked(lock: Path) -> Mapping[str, str]:
    """The versions in a lock file, by the provider's full address; empty if there is none to read."""
    try:
        body = parse(lock.read_bytes(), str(lock)).body
    except (OSError, HclSyntaxError):
        return {}
    found = (
        (block.labels[0], block.body.literal("version"))
        for block in body.blocks_of("provider")
        if block.labels
    )
    return {address: version for address, version in found if isinstance(version, str)}


def differences(known: Schemas, monorepo_root: Path) -> tuple[VersionDifference, ...]:
    """Where the monorepo's lock files have other versions than the schemas in use; sorted, each once."""
    found: dict[tuple[str, str], VersionDifference] = {}
    of_stacks = monorepo_root.glob(f"{stacks_home(monorepo_root)}/*/{LOCK}")
    for lock in sorted((monorepo_root / LOCK, *of_stacks)):
        for address, version in locked(lock).items():
            name = address.rpartition("/")[2]
            versions = known.provider_versions()
            if name in versions and versions[name] != version:
                found.setdefault((name, version), VersionDifference(name, versions[name], version, lock))
    return tuple(found[key] for key in sorted(found))


def floors(known: Schemas, settings: Body) -> tuple[Floor, ...]:
    """What the root's settings demand of providers in generated files, and the schemas do not satisfy.

    Of a constraint only its lower bounds are judged (``>=``, ``>``, ``~>``, ``=``): a schema that is newer
    than what is allowed has been refreshed on purpose.
    """
    versions = known.provider_versions()
    found = []
    for file in generated(settings):
        with suppress(HclSyntaxError):
            for name, constraint in _required(parse(file.content, file.origin).body):
                has = versions.get(name, "")
                if has and any(_numbers(has) < bound for bound in _bounds(constraint)):
                    found.append(Floor(name, has, constraint, file.origin))
    return tuple(found)


def _required(body: Body) -> Iterator[tuple[str, str]]:
    """The providers that a file requires, by their own names, each with its constraint."""
    for argument in required_providers(body):
        wanted = argument.value.literal()
        if isinstance(wanted, Mapping) and isinstance(wanted.get("version"), str):
            yield str(wanted.get("source", argument.name)).rpartition("/")[2], str(wanted["version"])


def _bounds(constraint: str) -> Iterator[tuple[int, ...]]:
    for part in constraint.split(","):
        if "<" not in part and "!" not in part:
            yield _numbers(part.strip().lstrip("=>~"))


def _numbers(version: str) -> tuple[int, ...]:
    """A version in a form that can be compared, without what follows its numbers."""
    plain = version.strip().partition("-")[0].partition("+")[0]
    return tuple(int(part) for part in plain.split(".") if part.isdigit())

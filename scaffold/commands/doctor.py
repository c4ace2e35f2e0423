"""``scaffold doctor``: what this machine and this monorepo offer, and refreshing provider schemas."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.commands import skill
from scaffold.commands.index import IndexState, show
from scaffold.errors import MissingError, ScaffoldError
from scaffold.hcl.syntax import HclSyntaxError
from scaffold.monorepo.facts import merged
from scaffold.monorepo.features import Feature, features
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import OVERRIDES
from scaffold.monorepo.sensing import sense, unseen_classes
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value
from scaffold.templates.template import unlasting
from scaffold.terraform import refresh
from scaffold.terraform.refresh import Floor, VersionDifference
from scaffold.terraform.runner import find_tool, with_version
from scaffold.terraform.schemas import Schemas


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider whose schema is known, in the version that is in use."""

    name: str
    version: str
    refreshed: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What ``doctor`` found. What was not found is empty, and ``missing`` says what follows from that."""

    version: str
    source: str
    updatable: bool
    terraform: str
    monorepo: Path | None
    providers: tuple[Provider, ...]
    differences: tuple[VersionDifference, ...]
    floors: tuple[Floor, ...]
    cache: Path
    cache_bytes: int
    features: tuple[Feature, ...]
    """The features of the house, and what is left out without them."""
    lists: tuple[IndexState, ...]
    missing: tuple[str, ...]


def diagnose(monorepo: Monorepo | None, why_none: str = "") -> Diagnosis:
    """Look at the tools, the origin of the templates, the monorepo and the provider schemas. Writes nothing.

    Without a monorepo, ``why_none`` says why there is none.
    """
    missing = []
    try:
        tool = with_version(find_tool())
        terraform = f"{tool.name} {tool.version} at {tool.path}"
    except MissingError as error:
        terraform = ""
        missing.append(f"{error.message}: stacks are verified by static checks only")
    sensed: Mapping[str, Value] = {}
    try:
        sensed = sense(monorepo) if monorepo is not None else {}
        for fact, name in unseen_classes(monorepo) if monorepo is not None else ():
            lacks = f"no stack here has the StorageClass {name}, which new volumes would get"
            missing.append(f"{lacks}: say {fact} in {OVERRIDES}")
    except ScaffoldError as error:
        missing.append(f"no Service can be created here: {error.message.rstrip('.')}")
    origin = template.origin(sensed.get("template"))
    missing += unlasting(origin)
    if monorepo is None:
        missing.append(why_none.rstrip("."))
    elif skill.is_behind(monorepo.files, merged(decisions.house(), sensed)):
        missing.append(f"{skill.SKILL} was written by another version: scaffold skill --write")
    known = refresh.in_use()
    refreshed = refresh.directory()
    return Diagnosis(
        version=template.version(),
        source=f"{origin.source} at {origin.version}",
        updatable=origin.updatable,
        terraform=terraform,
        monorepo=monorepo.root if monorepo else None,
        providers=tuple(
            Provider(name, provider.version, provider.file.parent == refreshed)
            for name, provider in sorted(known.providers.items())
        ),
        differences=refresh.differences(known, monorepo.root) if monorepo else (),
        floors=_floors(known, monorepo) if monorepo else (),
        cache=template.cache_root(),
        cache_bytes=_size(template.cache_root()),
        features=tuple(features(monorepo)) if monorepo else (),
        lists=show(monorepo) if monorepo else (),
        missing=tuple(missing),
    )


def _floors(known: Schemas, monorepo: Monorepo) -> tuple[Floor, ...]:
    with contextlib.suppress(HclSyntaxError):  # reported by everything that needs it
        return refresh.floors(known, monorepo.settings.body)
    return ()


def _size(directory: Path) -> int:
    total = 0
    for file in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # another run may sweep meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total

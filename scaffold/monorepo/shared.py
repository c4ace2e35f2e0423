"""The monorepo's shared modules, by purpose: their names are facts of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from scaffold.errors import MissingError
from scaffold.templates import decisions
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.hcl.syntax import Block

T = TypeVar("T")

_FACT = "shared_modules"
_ARGUMENTS = "module_arguments"


@dataclass(frozen=True, slots=True)
class SharedModules:
    """The directory of the shared modules, and the name of each; empty if the house has none."""

    directory: str
    ingress: str
    nfs: str
    anubis: str
    tls: str
    renamed: tuple[tuple[str, str, str], ...] = ()
    """What a module calls otherwise than the templates: what the module is for, their name and its own."""

    @classmethod
    def of(cls, facts: Mapping[str, Value]) -> SharedModules:
        """Those that the facts of a house name."""
        arguments: Mapping[str, Mapping[str, str]] = facts[_ARGUMENTS]
        renamed = ((m, name, own) for m, names in arguments.items() for name, own in names.items())
        return cls(**facts[_FACT], renamed=tuple(sorted(one for one in renamed if one[1] != one[2])))

    @property
    def names(self) -> Mapping[str, str]:
        """The name of each module by what it is for; empty where the house has none."""
        return {"ingress": self.ingress, "nfs": self.nfs, "anubis": self.anubis, "tls": self.tls}

    def argument(self, purpose: str, name: str) -> str:
        """What the module for a purpose calls an argument or output."""
        return next((own for m, usual, own in self.renamed if (m, usual) == (purpose, name)), name)

    def as_usual(self, module: str, given: Mapping[str, T]) -> dict[str, T]:
        """What is given for the arguments of the module of this name, by their names in the templates."""
        renamed = [(usual, own) for m, usual, own in self.renamed if module and self.names[m] == module]
        usual_of = {own: usual for usual, own in renamed}
        # One of its own that only happens to have such a name is another.
        others = {usual for usual, _ in renamed} - usual_of.keys()
        return {usual_of.get(name, name): value for name, value in given.items() if name not in others}

    def path(self, module: str) -> str:
        """Where a module is, from the monorepo's root; empty for one that the house lacks."""
        return module and f"{self.directory}/{module}"


@lru_cache(maxsize=16)
def modules_said(overrides: bytes) -> SharedModules:
    """Those that a ``scaffold.yml`` of this content names; who reads all of it tells what is wrong there."""
    from scaffold.monorepo.facts import demand_usable, merged

    try:
        said = demand_usable(overrides) if overrides else {}
    except MissingError:
        said = {}
    return SharedModules.of(merged(decisions.house(), said))


def calls(block: Block, module: str) -> bool:
    """Whether a block calls the shared module of this name."""
    source = block.body.literal("source") if block.type == "module" and module else None
    return isinstance(source, str) and source.endswith(f"/{module}")

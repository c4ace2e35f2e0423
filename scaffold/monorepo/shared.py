"""The monorepo's shared modules, by purpose: their names are facts of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaffold.hcl.syntax import Block
from scaffold.templates import decisions
from scaffold.templates.questions import Value

_FACT = "shared_modules"


@dataclass(frozen=True, slots=True)
class SharedModules:
    """The directory of the shared modules, and the name of each; empty if the house has none."""

    directory: str
    ingress: str
    nfs: str
    anubis: str
    tls: str

    @classmethod
    def of(cls, facts: Mapping[str, Value]) -> SharedModules:
        """Those that the facts of a house name."""
        return cls(**facts[_FACT])

    def path(self, module: str) -> str:
        """Where a module is, from the monorepo's root; empty for one that the house lacks."""
        return module and f"{self.directory}/{module}"


def usual_modules() -> SharedModules:
    """Those that this template version has names for, whichever house it is."""
    return SharedModules.of(decisions.house())


def calls(block: Block, module: str) -> bool:
    """Whether a block calls the shared module of this name."""
    source = block.body.literal("source") if block.type == "module" and module else None
    return isinstance(source, str) and source.endswith(f"/{module}")

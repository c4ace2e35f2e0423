"""The shared modules of the monorepo, by what they are for: their names are facts of the house."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scaffold.templates import template


@dataclass(frozen=True, slots=True)
class SharedModules:
    """The directory of the shared modules, and the name there of each that a stack is read by."""

    directory: str
    ingress: str
    nfs: str
    anubis: str
    tls: str

    def path(self, module: str) -> str:
        """Where a module is, from the monorepo's root."""
        return f"{self.directory}/{module}"


@cache
def shared_modules() -> SharedModules:
    """The names that this template version has for the shared modules."""
    return SharedModules(**template.facts("operations")["modules"])

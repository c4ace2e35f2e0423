"""Where the services of a file run in the cluster, and the rewriting of texts that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scaffold.answers.compose.interpolation import Text
from scaffold.answers.compose.logins import is_for
from scaffold.answers.compose.names import Names, Said
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.roles import Placed, Role, service_name
from scaffold.templates.questions import Value

_IN_POD = {Role.APP, Role.SIDECAR, Role.INIT}
ITSELF = "127.0.0.1"
"""Where a container finds itself, whatever its pod is called."""
_LOGIN = re.compile(r"//[^/@\s]*@(?=\{host\})")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text in which every host is replaced by its new address; ``gone`` says why one has none."""

    value: Value
    of: str = ""
    """The service that was named, if one was."""
    where: str = ""
    gone: str = ""


class Hosts:
    """The services of a file, by the names that other services use for them."""

    def __init__(self, placed: Mapping[str, Placed]) -> None:
        self._by_name = {name: found for found in placed.values() for name in found.part.names}
        self._names = Names(self._by_name)

    def all(self, role: Role) -> list[Part]:
        """The services that have this role."""
        return list(dict.fromkeys(placed.part for placed in self._by_name.values() if placed.role is role))

    def called_in(self, variable: str, value: Text | None, part: Part) -> str:
        """The service that a variable without a value is for by its name; empty for none."""
        its = (name for name, found in self._by_name.items() if is_for(variable, value, part, found.part))
        return next(its, "")

    def named(self, said: Said) -> Placed | None:
        """The service that a text names as its host."""
        found = next(self._names.found(said), None)
        return self._by_name[found["host"]] if found else None

    def rewritten(self, said: Said) -> Rewritten:
        """A text with its hosts replaced."""
        if node := self._node(said):
            return node
        first = self.named(said)
        if first is None:
            return Rewritten(said.text)
        name, known = first.part.name, first.part.known
        if known and first.role in (Role.HOST, Role.DATABASE):
            is_database = first.role is Role.DATABASE
            shared = self._names.replaced(said, lambda _: "{host}")
            filled: Value = {"host": known.database if is_database else known.host}
            if shared != "{host}":
                filled["text"] = shared if is_database else _LOGIN.sub("//", shared)
            return Rewritten(filled, name, known.database or f"the shared host for {known.host}")
        for found in self._names.found(said):
            there = self._by_name[found["host"]]
            if not address(there):
                return Rewritten(None, there.part.name, gone=f"{there.role.value}: {there.why}")
        moved = self._names.replaced(said, lambda name: address(self._by_name[name]))
        return Rewritten(moved, name, address(first))

    def _node(self, said: Said) -> Rewritten | None:
        """The name of a node, such as ``emqx@HOSTNAME``, at an address that does not change with the pod."""
        found = re.fullmatch(r"([\w.-]+)@([\w.-]+)", said.text) if "node" in said.under.lower() else None
        there = self._by_name.get(found[2]) if found else None
        if not found or there is None or there.role not in _IN_POD:
            return None
        return Rewritten(f"{found[1]}@{ITSELF}", there.part.name, ITSELF)


def beside(part: Part) -> str:
    """The host name of a container for others of its pod: clients of MySQL take localhost for a socket."""
    return ITSELF if part.known and part.known.database == "mysql" else "localhost"


def address(placed: Placed) -> str:
    """The host name of a service as seen from the app's pod; empty if it has none."""
    if placed.role in _IN_POD:
        return beside(placed.part)
    called = service_name(placed.part.name)
    return f"{called}.{called}.svc.cluster.local" if placed.role is Role.OWN and called else ""

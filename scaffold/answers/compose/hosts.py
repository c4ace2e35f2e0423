"""Where the services of a file are in the cluster, and texts that name them rewritten to that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scaffold.answers.compose.parts import Part, host_of
from scaffold.answers.compose.roles import Placed, Role, service_name
from scaffold.templates import template
from scaffold.templates.questions import Value

_IN_POD = {Role.APP, Role.SIDECAR, Role.INIT}
_LOGIN = re.compile(r"//[^/@\s]*@(?=\{host\})")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A text with every host in it where that now is; ``gone`` is why one is nowhere."""

    value: Value
    of: str = ""
    """The service that was named, where one was."""
    where: str = ""
    gone: str = ""


class Hosts:
    """The services of a file by the names that they have there."""

    def __init__(self, placed: Mapping[str, Placed]) -> None:
        self._by_name = {name: found for found in placed.values() for name in found.part.names}
        self._host = host_of(set(self._by_name) or {"\0"})

    def of(self, role: Role) -> Part | None:
        """The first service that has this role."""
        return next((placed.part for placed in self._by_name.values() if placed.role is role), None)

    def named(self, text: str, variable: str = "") -> Placed | None:
        """The service that a text has as its host; ``variable`` is what it is given under, if anything.

        A single word is only a host where the variable says so: DB_ENGINE=postgres names a driver.
        """
        found = self._host.search(text)
        if found is None or (found["host"] == text and not _takes_host(variable, text)):
            return None
        return self._by_name[found["host"]]

    def rewritten(self, text: str, variable: str = "") -> Rewritten:
        """A text with its hosts in place; see :meth:`named`."""
        first = self.named(text, variable)
        if first is None:
            return Rewritten(text)
        name = first.part.name
        if first.role is Role.HOST and first.part.known:
            shared = self._host.sub(r"\g<1>{host}", text)
            filled: Value = {"host": first.part.known.host}
            if shared != "{host}":
                filled["text"] = _LOGIN.sub("//", shared)
            return Rewritten(filled, name, f"the shared host for {first.part.known.host}")
        if first.role is Role.DATABASE and first.part.known:
            kind = first.part.known.database
            shared = self._host.sub(r"\g<1>{host}", text)
            return Rewritten({"host": kind, **({"text": shared} if shared != "{host}" else {})}, name, kind)
        result = text
        while found := self._host.search(result):
            there = self._by_name[found["host"]]
            host = address(there)
            if not host:
                return Rewritten(None, there.part.name, gone=f"{there.role.value}: {there.why}")
            before, after = result[: found.start("host")], result[found.end("host") :]
            result = f"{before}\0{host}{after}"
        return Rewritten(result.replace("\0", ""), name, address(first))


def address(placed: Placed) -> str:
    """The host that a service is reached at from the app's pod; empty where it is nowhere."""
    if placed.role in _IN_POD:
        return "localhost"
    called = service_name(placed.part.name)
    return f"{called}.{called}.svc.cluster.local" if placed.role is Role.OWN and called else ""


def _takes_host(variable: str, text: str) -> bool:
    """Whether a variable takes a host: by what its name ends in, or because it is called like the service."""
    if not variable:
        return False
    facts = template.facts("compose")
    name = re.sub(r"[^a-z0-9]+", "_", variable.lower()).strip("_")
    endings = [*facts["endings"]["host"], *facts["endings"]["dsn"]]
    if any(name == ending or name.endswith(ending) for ending in endings):
        return True
    return text not in facts["drivers"] and name == re.sub(r"[^a-z0-9]+", "_", text.lower())

"""How the health of an app is checked, from the check of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scaffold.answers.compose import facts
from scaffold.answers.compose.forms import listed, seconds, text, words
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.web import LOCAL_URL
from scaffold.answers.secrets import suspected
from scaffold.reading import mapping
from scaffold.templates.questions import Value

_SLOW = 30
"""The seconds within which an app without a startup probe has to start."""


def health(part: Part, port: Value, ledger: Ledger) -> dict[str, Value]:
    """The answers about the probes of a service, if its health check is an HTTP request.

    Kubernetes asks the pod's address, not ``localhost``. An app that may only answer to its own host name is
    checked by the command of the file, in the container.
    """
    check = mapping(part.body.get("healthcheck"))
    at = (*part.at, "healthcheck")
    found: dict[str, Value] = {}
    command = words(check.get("test"))
    asked = next(LOCAL_URL.finditer(" ".join(command)), None)
    path = asked[2] if asked else None
    its_port = not asked or not asked[1] or port is None or int(asked[1]) == port
    if path and its_port and re.fullmatch(r"/[^\x00-\x20?@]*", path) and UNKNOWN not in path:
        named = _own_host(part, path)
        form = _command(check.get("test")) if named else []
        if form and not any(suspected([("", word) for word in [*form, " ".join(form)]])):
            found["probes"] = {"readiness": {"command": form}}
            why = f"as a command, since with {named} the app may refuse requests to the pod's address"
            ledger.taken((*at, "test"), "probes.readiness.command", why)
        else:
            found["health_path"] = path
            ledger.taken((*at, "test"), "health_path")
    if seconds(check.get("start_period")) > _SLOW:
        found["slow_start"] = True
        ledger.taken((*at, "start_period"), "slow_start")
    return found


def _own_host(part: Part, path: str) -> str:
    """The variable by which an app knows its host names, if it may refuse others at this path.

    Its own address alone says little where the check has a path of its own.
    """
    environment: Mapping[str, Value] = mapping(part.body.get("environment"))
    for name, value in environment.items():
        hosts = re.search(facts()["host_variables"], name.lower()) and "*" not in text(value)
        if hosts or (path == "/" and re.search(facts()["address_variables"], name.lower())):
            return name
    return ""


def _command(test: Value) -> list[str]:
    """The command of a check, as a container runs it; empty for one that cannot be read."""
    given = [str(word) for word in listed(test)]
    if not given or any(UNKNOWN in word or not word for word in given):
        return []
    if given[0] == "CMD":
        return given[1:]
    return ["sh", "-c", " ".join(given[1:] if given[0] == "CMD-SHELL" else given)]

"""What people reach: the HTTP port of a service, its TLS and its probes, and its tile on a dashboard."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Set

from scaffold.answers.compose import facts
from scaffold.answers.compose.forms import seconds, text, words
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.reading import listed, mapping
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Value

LOCAL_URL = re.compile(
    r"(?<!/tcp/)(?:https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?HOSTNAME\}?)(?::(\d+))?(/[^\s\"'|;)]*)?"
)
"""How a health check asks its own container."""
_OF_IMAGE = "it is that of the image"
_UNUSUAL = "it is not usual for HTTP: shape internal needs no ingress"
_ON = ("true", "True", "TRUE", "1", "yes", "on")


def web_port(part: Part, numbers: list[int]) -> tuple[int | None, str]:
    """The one of these ports that is the HTTP port, and why."""
    if labelled := next(_labelled(part), 0):
        though = "" if labelled in (numbers or [labelled]) else f", though the file publishes {numbers[0]}"
        return labelled, f"a label says so{though}"
    may_be = [number for number in numbers if number not in facts()["no_web_ports"]]
    for number, why in _told(part):
        if number in numbers or not may_be:
            return number, why
    if not numbers:
        return None, ""
    if len(set(numbers)) == 1:
        by_image = next((number for number, why in _told(part) if why == _OF_IMAGE), 0)
        said = f"its documentation says {by_image}" if by_image else ""
        return numbers[0], said if may_be else _UNUSUAL
    rank = {number: place for place, number in enumerate(facts()["web_ports"])}
    likeliest = min(may_be or numbers, key=lambda number: rank.get(number, len(rank)))
    return likeliest, "it is the likeliest of several for HTTP" if may_be else _UNUSUAL


def tells_tls(part: Part, port: int) -> Iterator[str]:
    """What shows that the HTTP port uses TLS."""
    if port == 443:
        yield "443 is its port"
    if facts()["tls_images"].get(part.image.base) == port:
        yield "the image has it there"
    for item in map(mapping, listed(part.body.get("ports"))):
        if text(item.get("target")) == str(port) and text(item.get("app_protocol")).lower() == "https":
            yield "app_protocol says so"
    scheme = facts()["scheme_labels"]
    if any(re.search(scheme, name) and value == "https" for name, value in part.labels.items()):
        yield "a label says so"
    test = " ".join(words(mapping(part.body.get("healthcheck")).get("test")))
    if any(asked[0].startswith("https:") and asked[1] == str(port) for asked in LOCAL_URL.finditer(test)):
        yield "its health check asks it so"


def may_have_tls(part: Part, ports: Set[int]) -> str:
    """The note on a port that often uses TLS, unless the image's HTTP port is known."""
    if any(why == _OF_IMAGE for _, why in _told(part)):
        return ""
    if found := sorted(port for port in ports if re.search(facts()["tls_ports"], str(port))):
        return (
            f"if the app asks for TLS at {found[0]}, give that as port, and ingress_options.backend_protocol"
        )
    environment = mapping(part.body.get("environment")).items()
    on = (n for n, v in environment if re.fullmatch(facts()["tls_variables"], n) and text(v) in _ON)
    name = next(on, "")
    return f"if {name} makes the app ask for TLS there, give ingress_options.backend_protocol" if name else ""


def open_ports(part: Part) -> Iterator[tuple[int, str]]:
    """The ports that a proxy's labels open without HTTP, each with its protocol."""
    for name, value in part.labels.items():
        found = re.search(facts()["open_labels"], name)
        if found and value.isdecimal() and 0 < int(value) < 65536:
            yield int(value), found[1].upper()


def tls_of_labels(part: Part) -> bool:
    """Whether a proxy's labels add TLS to what they open without HTTP."""
    pattern = re.compile(facts()["tls_labels"])
    passed = any(name.endswith(".tls.passthrough") and value == "true" for name, value in part.labels.items())
    return not passed and any(
        pattern.search(name) and value != "false" for name, value in part.labels.items()
    )


def tile(part: Part, known_answers: Collection[str], ledger: Ledger) -> dict[str, Value]:
    """The answers in the labels of a dashboard, without the known ones."""
    found: dict[str, Value] = {}
    answers = facts()["label_answers"]
    for name, value in mapping(part.body.get("labels")).items():
        answer, shown = answers.get(name), text(value)
        is_text = re.fullmatch(r"[^\x00-\x1f\x7f-\x9f]+", shown)
        if answer and is_text and answer not in known_answers:
            found[answer] = shown
            ledger.taken((*part.at, "labels", name), answer)
    return found


def _labelled(part: Part) -> Iterator[int]:
    """The ports that a proxy's labels name, published or not."""
    for name, value in part.labels.items():
        named = re.search(facts()["port_labels"], name)
        if named and (found := re.search(r"(\d+)\D*$", value)):
            yield int(found[1])


def _told(part: Part) -> Iterator[tuple[int, str]]:
    """The ports that something else identifies as HTTP ports."""
    own_ports = [f"{re.sub('[^a-z0-9]+', '_', its.lower())}_port" for its in (part.name, part.image.base)]
    for name, said in mapping(part.body.get("environment")).items():
        own, value = name.lower() in own_ports, text(said)
        if (
            value.isdecimal()
            and 0 < int(value) < 65536
            and (own or re.search(facts()["port_variables"], name.lower()))
        ):
            yield int(value), f"{name} says so"
    if isinstance(port := part.of_image.answers.get("port"), int):
        yield port, _OF_IMAGE
    if (tls := facts()["tls_images"].get(part.image.base)) is not None:
        yield tls, _OF_IMAGE
    for asked in LOCAL_URL.finditer(" ".join(words(mapping(part.body.get("healthcheck")).get("test")))):
        if asked[1]:
            yield int(asked[1]), "its health check asks it"


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

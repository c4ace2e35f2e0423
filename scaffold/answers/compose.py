"""A docker-compose file as a starting point: defaults of answers, and what was left out and why.

Values that look like secrets become references by name. The values themselves go nowhere: not into the
result, not into notes, not into errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from scaffold.answers import compose_environment
from scaffold.answers.compose_environment import VARIABLE, listed, plain_text
from scaffold.answers.known import known
from scaffold.errors import UsageError
from scaffold.reading import YamlError, load
from scaffold.templates import template
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Draft:
    """What a compose file says about one Service."""

    answers: Mapping[str, Value]
    notes: tuple[str, ...]
    from_source: bool = False
    """Whether the app is built, not pulled."""


@dataclass(slots=True)
class _Reading:
    answers: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    from_source: bool = False


_LOCAL_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(/[^\s\"'|;]*)?")
_NOT_DATA = re.compile(r"^/(etc/(localtime|timezone)|var/run|run|dev|sys|proc|tmp)(/|$)")


def read(data: bytes, source: str) -> Draft:
    """The defaults that a compose file gives.

    Of several services the one that is no database and no helper is taken, the first of them. Raises
    :class:`UsageError` for a file that is not a compose file, without a word of its content.
    """
    try:
        content = load(data)
    except YamlError as error:
        at = f", line {error.line}" if error.line else ""
        # The parser's own words could repeat what stands there.
        told = error.message.partition(":")[0]
        raise UsageError(f"{source} {told}{at}.", error.fix) from None
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict) or not services:
        raise UsageError(f"{source} has no services.", "Name a docker-compose file.")
    usable = {str(name): body for name, body in services.items() if isinstance(body, dict)}
    apps = [name for name, body in usable.items() if _base(body) not in _parts()]
    if not apps:
        raise UsageError(f"{source} has no service that is an app.", "Name the file of the app itself.")
    reading = _Reading()
    _service(apps[0], usable[apps[0]], reading)
    parts = {name: _base(body) for name, body in usable.items() if _base(body) in _parts()}
    _others(apps, parts, reading)
    _environment(usable[apps[0]], parts, reading)
    return Draft(reading.answers, tuple(reading.notes), reading.from_source)


@cache
def _parts() -> Mapping[str, str]:
    """Images of parts that the house has already: the database that each is, or nothing for a helper."""
    facts = template.facts("images")
    return {**facts["databases"], **dict.fromkeys(facts["helpers"], "")}


def _base(body: Mapping[str, Value]) -> str:
    return ImageReference.parse(str(body.get("image", ""))).base


def _others(apps: Sequence[str], parts: Mapping[str, str], reading: _Reading) -> None:
    if len(apps) > 1:
        reading.notes.append(f"Left out: the services {', '.join(apps[1:])}. Each is a Service of its own.")
    for name, kind in ((name, _parts()[image]) for name, image in parts.items()):
        if kind and "database" not in reading.answers:
            reading.answers["database"] = kind
            reading.notes.append(f"The service {name} becomes a database on the shared {kind} host.")
        else:
            reading.notes.append(f"Left out: the service {name}, which the house has already.")


def _environment(body: Mapping[str, Value], parts: Mapping[str, str], reading: _Reading) -> None:
    found = compose_environment.read(
        body.get("environment"), parts, has_database="database" in reading.answers
    )
    reading.notes += found.notes
    for name, value in (("env", found.plain), ("secrets", found.secrets), ("database_env", found.database)):
        if value:
            reading.answers[name] = value


def _service(name: str, body: Mapping[str, Value], reading: _Reading) -> None:
    answers = reading.answers
    called = re.sub(r"[^a-z0-9]+", "-", str(body.get("container_name") or name).lower()).strip("-")
    if image := plain_text(body.get("image")):
        answers["image"] = _with_registry(image)
    elif "build" in body:
        reading.from_source = True
        reading.notes.append("It is built from source: say how, and leave the image out.")
    if called in template.facts("images")["says_nothing"]:
        called = str(known(answers).proposed.get("name", called))
    if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", called):
        answers["name"] = called
    if (port := _port(body)) is not None:
        answers["port"] = port
    if volumes := list(_volumes(body, reading)):
        answers["volumes"] = volumes
    _health(body.get("healthcheck"), answers)
    user = str(body.get("user", "")).partition(":")[0]
    if user.isdecimal() and int(user):
        answers["uid"] = int(user)
    left = [
        key for key in ("command", "entrypoint", "env_file", "secrets", "configs", "devices") if body.get(key)
    ]
    if left:
        reading.notes.append(f"Left out: {', '.join(left)}.")


def _with_registry(image: str) -> str:
    known = ImageReference.parse(image)
    if known.registry:
        return image
    return f"{known.host}/{image}" if known.home else f"{known.host}/library/{image}"


def _port(body: Mapping[str, Value]) -> int | None:
    for entry in [*listed(body.get("ports")), *listed(body.get("expose"))]:
        text = str(entry.get("target", "")) if isinstance(entry, dict) else plain_text(entry)
        last = text.partition("/")[0].rpartition(":")[2]
        if last.isdecimal() and 0 < int(last) < 65536:
            return int(last)
    return None


def _volumes(body: Mapping[str, Value], reading: _Reading) -> Iterator[dict[str, Value]]:
    seen: list[str] = []
    for entry in listed(body.get("volumes")):
        if isinstance(entry, dict):
            if entry.get("type") == "tmpfs":
                continue
            path, read_only = plain_text(entry.get("target")), bool(entry.get("read_only"))
            source = str(entry.get("source", "")) if entry.get("type") == "bind" else ""
        else:
            parts = VARIABLE.sub(lambda match: match[2] or "x", str(entry)).split(":")
            path = parts[1] if len(parts) > 1 else parts[0]
            read_only = len(parts) > 2 and "ro" in parts[2].split(",")
            source = parts[0] if len(parts) > 1 else ""
        if not path.startswith("/") or _NOT_DATA.match(path) or "." in path.rpartition("/")[2][1:]:
            reading.notes.append("Left out: a mount that is a single file, or of the machine itself.")
            continue
        purpose = re.sub(r"[^a-z0-9]+", "-", path.rstrip("/").rpartition("/")[2].lower()).strip("-")
        named = re.fullmatch(r"[a-z][a-z0-9-]{0,30}", purpose)
        if ("data" not in seen and not read_only) or not named:
            purpose = "data"
        if purpose in seen or purpose == "backup":
            purpose = f"{purpose}-{len(seen) + 1}"
        seen.append(purpose)
        volume: dict[str, Value] = {"path": path}
        if purpose != "data":
            volume["purpose"] = purpose
        if read_only:
            volume["read_only"] = True
        if read_only and source.startswith((".", "/", "~")):
            volume["rwx"] = True  # somebody else fills it, from outside of the app
        yield volume


def _health(check: Value, answers: dict[str, Value]) -> None:
    if not isinstance(check, dict) or check.get("disable"):
        return
    test = check.get("test", "")
    text = " ".join(map(str, test)) if isinstance(test, list) else str(test)
    if (url := _LOCAL_URL.search(text)) and url[1] and "?" not in url[1] and "@" not in url[1]:
        answers["health_path"] = url[1]
    period = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", str(check.get("start_period", "")))
    if period and 60 * int(period[1] or 0) + int(period[2] or 0) > 30:
        answers["slow_start"] = True

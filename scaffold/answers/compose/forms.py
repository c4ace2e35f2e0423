"""The short and long forms of ports, mounts, quantities, times and commands, each in one common form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.reading import mapping
from scaffold.templates.questions import Value

_PORT = re.compile(
    r"(?:(?:(?P<ip>\[[^\]]*\]|[^:]*):)?(?P<published>[^:]*):)?(?P<target>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?"
)
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b|i)?", re.IGNORECASE)
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:\d+(?:ms|us))?")
DRIVE = r"[A-Za-z]"
"""A drive of Windows, before a colon."""
_RANGE = 20
"""More ports than anybody would list one by one are left to a person."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container; ``published`` if the host has it too."""

    target: int
    protocol: str
    published: bool


@dataclass(frozen=True, slots=True)
class Mount:
    """What is mounted at ``target``: a named volume, a path of the host, or memory."""

    kind: str
    source: str
    target: str
    read_only: bool = False
    sub_path: str = ""
    no_copy: bool = False
    """Whether Docker is told not to fill a new volume with what the image has there."""


def text(value: Value) -> str:
    """A scalar as text; empty for lists, mappings, and anything that contains a variable without a value."""
    if value is None or isinstance(value, list | dict):
        return ""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return "" if UNKNOWN in shown else shown


def source(item: Value) -> str:
    """The name of the secret or config that an item of a service stands for."""
    return text(item.get("source") if isinstance(item, dict) else item)


def ports(item: Value, *, published: bool) -> Iterator[Port]:
    """The ports in one item of ``ports`` or ``expose``; none if it cannot be read."""
    if isinstance(item, dict):
        target, protocol = text(item.get("target")), text(item.get("protocol"))
        mode = _PORT.fullmatch(target)
    else:
        # Where the host's side is unknown, the container's may be known.
        mode = _PORT.fullmatch(str(item or "").replace(UNKNOWN, "0"))
        if mode is not None and UNKNOWN in str(item).rpartition(":")[2]:
            return
        target, protocol = (mode["target"], mode["protocol"] or "") if mode else ("", "")
    if mode is None:
        return
    first, _, last = target.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    if numbers.start > 0 and numbers.stop <= 65536 and 0 < len(numbers) <= _RANGE:
        for number in numbers:
            yield Port(number, (protocol or "tcp").upper(), published)


def mount(item: Value) -> Mount | None:
    """One item of ``volumes``; nothing if it cannot be read."""
    if isinstance(item, dict):
        target, kind = text(item.get("target")), text(item.get("type")) or "volume"
        options = mapping(item.get("volume"))
        path, no_copy = text(options.get("subpath")), options.get("nocopy") is True
        found = Mount(
            kind, str(item.get("source") or ""), target, item.get("read_only") is True, path, no_copy
        )
    else:
        parts = str(item or "").split(":")
        if len(parts) > 1 and re.fullmatch(DRIVE, parts[0]):
            parts = [":".join(parts[:2]), *parts[2:]]  # as compose does, which has no one-letter volumes
        source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
        modes = parts[2].split(",") if len(parts) > 2 else []
        kind = "bind" if re.match(r"[./~\\" + UNKNOWN + r"]|[A-Za-z]:", source) else "volume"
        found = Mount(kind, source, target, "ro" in modes, no_copy="nocopy" in modes)
    usable = found.target.startswith("/") and UNKNOWN not in found.target
    return found if usable and not re.search(r"(^|/)\.\.?(/|$)|[\s:]|//", found.target) else None


def mebibytes(value: Value) -> int | None:
    """A quantity of bytes (``1gb``, ``64m``, a number) in Mi, at least 1; nothing for anything else."""
    found = _QUANTITY.fullmatch(text(value))
    if found is None or float(found[1]) <= 0:
        return None
    scale = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}[found[2].lower()]
    return min(max(1, round(float(found[1]) * scale / 2**20)), 999_999)


def quantity(value: Value) -> str:
    """The same in the form of answers: ``512Mi``, ``4Gi``; empty for anything else."""
    amount = mebibytes(value)
    if amount is None:
        return ""
    return f"{amount // 1024}Gi" if amount % 1024 == 0 else f"{amount}Mi"


def seconds(value: Value) -> float:
    """A time such as ``1m30s``, in seconds; 0 for anything else."""
    found = _TIME.fullmatch(text(value))
    if found is None:
        return 0
    return 3600 * int(found[1] or 0) + 60 * int(found[2] or 0) + float(found[3] or 0)


def words(value: Value) -> list[str]:
    """The words of a command, whether it is written as a list or for a shell."""
    if isinstance(value, list):
        return [str(item).lower() if isinstance(item, bool) else str(item) for item in value]
    try:
        return shlex.split(str(value)) if isinstance(value, str) else []
    except ValueError:
        return str(value).split()

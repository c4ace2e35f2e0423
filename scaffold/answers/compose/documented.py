"""What is told of an app's directories because its image is known to keep something there."""

from __future__ import annotations

from collections.abc import Sequence

from scaffold.answers.compose.forms import Mount
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.known import known
from scaffold.answers.sources import Path as At

_OF_A_SERVER = (
    "a database server inside the image keeps its data there, so a copy of its files may not be restorable: "
    "say with backup and backup_reason what saves it"
)


def tell_directories(part: Part, mounts: Sequence[tuple[At, Mount]], ledger: Ledger) -> None:
    """Tell of the data that is lost since nothing is mounted there, and of that of a server inside the image.

    ``mounts`` are those that became volumes.
    """
    found = known({"image": str(part.image), "volumes": [{"path": its.target} for _, its in mounts]})
    for at, its in mounts:
        if its.target in found.servers:
            ledger.noted(at, _OF_A_SERVER)
    there = [(f"{its.target.rstrip('/')}/", f"{found.path}/") for its in part.mounts]
    if found.path and not any(one.startswith(other) or other.startswith(one) for one, other in there):
        why = f"nothing is mounted at {found.path}, where the image keeps its data by its documentation"
        fix = "Give it under volumes, unless nothing is kept."
        ledger.left((*part.at, "volumes", found.path), why, fix)

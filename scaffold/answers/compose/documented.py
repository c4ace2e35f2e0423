"""What is told of an app's directories because its image is known to keep something there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scaffold.answers.compose.forms import Mount, text
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Fate, Ledger
from scaffold.answers.compose.storage import ON_NFS
from scaffold.answers.known import known
from scaffold.answers.sources import Path as At
from scaffold.templates import decisions

_OF_A_SERVER = (
    "a database server inside the image keeps its data there, so a copy of its files may not be restorable: "
    "say with backup and backup_reason what saves it"
)

_OF_ROOT = "a new volume belongs to root: if the image runs as another user, give the number as its owner"
_ROOT = ("", "0", "root")


def tell_owner(part: Part, ledger: Ledger) -> None:
    """Tell whose a container's volumes are, if nothing says as which user its image runs.

    Docker gives a new volume the owner that the directory has in the image; Kubernetes gives it to root. Of
    known images the user is known, and database servers settle it themselves.
    """
    image, house = str(part.image), decisions.house()
    settled = (house["linuxserver_images"], house["database_images"])
    user = text(part.body.get("user")).partition(":")[0]
    if user not in _ROOT or known({"image": image}).of or any(re.search(one, image) for one in settled):
        return
    for path, entry in ledger.entries.items():
        if path[:-1] == (*part.at, "volumes") and entry.fate is Fate.TAKEN and ON_NFS not in entry.why:
            ledger.noted(path, _OF_ROOT)
            return


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

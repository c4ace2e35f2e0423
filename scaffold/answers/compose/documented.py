"""What is told of an app's directories because its image is known to keep something there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scaffold.answers.compose import facts
from scaffold.answers.compose.forms import Mount, text
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.known import known
from scaffold.answers.sources import Path as At
from scaffold.templates import decisions
from scaffold.templates.image import ImageReference

_OF_A_SERVER = (
    "a database server inside the image keeps its data there, so a copy of its files may not be restorable: "
    "say with backup and backup_reason what saves it"
)

_ROOT = ("", "0", "root")


def is_settled(part: Part) -> bool:
    """Whether an image settles by itself where it keeps its data and whose that is, as is known of it."""
    image, house = str(part.image), decisions.house()
    settled = (house["linuxserver_images"], house["database_images"])
    return any(re.search(one, image) for one in settled)


def is_unknown(part: Part) -> bool:
    """Whether nothing is known of an image that is pulled."""
    usual = part.known or part.is_companion or part.is_front or is_settled(part)
    return part.is_pulled and not usual and not part.of_image.of


def is_for_data(part: Part, target: str) -> bool:
    """Whether an image is known to begin with an empty directory there."""
    path = part.of_image.path
    within = f"{target.rstrip('/')}/".startswith(f"{path}/") if path else False
    return within or is_settled(part) or part.is_companion or part.known is not None


def is_of_a_server(part: Part, target: str) -> bool:
    """Whether a database server is known to keep its data there, which the image runs beside the app."""
    return target in known({"image": str(part.image), "volumes": [{"path": target}]}).servers


def lacks_owner(part: Part) -> bool:
    """Whether nothing says as which user an image runs.

    Docker gives a new volume the owner that the directory has in the image; Kubernetes gives it to root. Of
    known images the user is known, and database servers settle it themselves.
    """
    user = text(part.body.get("user")).partition(":")[0]
    return user in _ROOT and not part.of_image.of and not is_settled(part)


def stores_login(part: Part) -> bool:
    """Whether the app's installer is known to write the password of the database into one of its volumes."""
    image = ImageReference(part.image.registry, part.image.repository, "", "")
    there = facts()["stored_logins"].get(str(image), "")
    return any(f"{there}/".startswith(f"{its.target.rstrip('/')}/") for its in part.mounts)


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

"""A database server of a file that stays beside the app: its data is dumped, and it is asked at its port."""

from __future__ import annotations

import re

from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.storage import Storage
from scaffold.templates.questions import Value


def dumped(part: Part, mounts: list[Value], storage: Storage) -> list[Value]:
    """A container's mounts, with the data of a database server in a directory of its volume.

    A new volume has ``lost+found``, and a server only initialises an empty directory. Its files cannot be
    copied while it runs, so the volume is backed up by a dump.
    """
    its = part.known
    if its is None or not its.dump:
        return mounts
    data = [mount for mount in mounts if re.search(its.data, mount["path"])]
    for volume in storage.volumes:
        if volume.get("purpose") in [mount["volume"] for mount in data]:
            volume["backup"] = its.dump
    return [{**mount, "sub_path": "data"} if mount in data else mount for mount in mounts]


def port(part: Part) -> list[Value]:
    """The port of a database server that the file does not name, for its dump."""
    its = part.known
    return [{"name": "database", "port": its.port}] if its and its.dump and not part.ports else []

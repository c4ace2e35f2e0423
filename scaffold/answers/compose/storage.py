"""What a service mounts: volumes, files, memory, and what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scaffold.answers.compose import documented, facts
from scaffold.answers.compose.forms import DRIVE, Mount, mount, quantity, source, text
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.mounts import Mounts, last
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import Placed
from scaffold.answers.compose.shared import NO_DOCKER_DNS
from scaffold.answers.sources import Path as At
from scaffold.reading import mapping
from scaffold.templates.decisions import suspected
from scaffold.templates.questions import Value

ON_NFS = "on NFS, since others fill it"
"""The note for a volume that is filled from outside of the app, and keeps the owner that it has there."""
_SHM = "/dev/shm"


@dataclass(slots=True)
class Storage(Mounts):
    """The volumes of a Service, and what each container mounts of them."""

    ledger: Ledger
    others: Mapping[str, Placed] = field(default_factory=dict)
    """The named volumes of services that the house has on shared hosts, each with its service."""
    volumes: list[dict[str, Value]] = field(default_factory=list)
    unnamed: list[tuple[At, Part, Mount, str]] = field(default_factory=list)
    """The volumes without a name, each with who mounts it and its purpose."""
    by_source: dict[str, str] = field(default_factory=dict)
    """The purposes of volumes, by what compose calls them."""
    directories: list[dict[str, Value]] = field(default_factory=list)  # of containers with their own volumes
    empty: list[dict[str, Value]] = field(default_factory=list)
    """The directories that begin empty in each pod: the answer ``scratch``."""

    def of_app(self, part: Part) -> list[tuple[At, Mount]]:
        """Add the volumes that the app mounts, and return those mounts, each with its key in the file."""
        found = list(self._mounts(part))
        first = next((m for _, m in found if not m.read_only and not self.shared(m)), None)
        for at, its in found:
            volume: dict[str, Value] = {"path": its.target}
            purpose = self._purpose("" if its is first else its.target)
            if purpose != "data":
                volume["purpose"] = purpose
            if its.read_only:
                volume["read_only"] = True
            if within := self._within(part, its):
                volume["sub_path"] = within
            if self.shared(its):
                volume["rwx"] = True  # somebody else fills it, from outside of the app
            self._add(its, purpose, volume)
            self.unnamed += [(at, part, its, purpose)] if its.kind == "volume" and not its.source else []
            why = ON_NFS if volume.get("rwx") else ""
            self.ledger.taken(at, f"volumes.{purpose}", why or self._filled(its))
        return found

    def of_container(self, part: Part) -> list[Value]:
        """What another container mounts: the app's volumes, or its own."""
        mounts: list[Value] = []
        for at, its in self._mounts(part):
            purpose = self.by_source.get(its.source)
            if purpose is None:
                purpose = self._purpose(f"/{part.name}-{last(its.target)}")
                volume: dict[str, Value] = {"path": its.target, "purpose": purpose, "in_app": False}
                if self.shared(its):
                    volume["rwx"] = True
                self._add(its, purpose, volume)
                self.unnamed += [(at, part, its, purpose)] if its.kind == "volume" and not its.source else []
            within = self._within(part, its)
            item: dict[str, Value] = {"volume": purpose, "path": its.target}
            item |= {"sub_path": within} if within else {}
            mounts.append({**item, **({"read_only": True} if its.read_only else {})})
            self.ledger.taken(at, f"volumes.{purpose}", self._filled(its))
        return mounts

    def _within(self, part: Part, its: Mount) -> str:
        """The directory of a volume that is mounted, where the whole of a new one would not be empty enough.

        A new block volume contains ``lost+found``, and some programs only set up an empty directory.
        """
        is_new = not its.sub_path and not self.shared(its)
        sets_up = re.search(facts()["only_empty"], its.target) or documented.is_of_a_server(part, its.target)
        return "data" if is_new and sets_up else its.sub_path

    def _filled(self, its: Mount) -> str:
        """The note for a directory beside the file that contains something, or whose name says so."""
        if not its.source.startswith(".") or UNKNOWN in its.source:
            return ""
        if any(_inside(self.project.directory / its.source)):
            return f"it begins empty: what is in {its.source} has to be copied, or given under files"
        if re.search(facts()["given_paths"], f"{its.source.rstrip('/')}:{its.target}"):
            needed = "if the app needs files there when it starts"
            return f"it begins empty: {needed}, copy those of {its.source}, or give them under files"
        return ""

    def _add(self, its: Mount, purpose: str, volume: dict[str, Value]) -> None:
        self.volumes.append(volume)
        if its.source:
            self.by_source[its.source] = purpose

    def _mounts(self, part: Part) -> Iterator[tuple[At, Mount]]:
        """The mounts that are data directories; the others are reported."""
        seen: set[str] = set()
        code = [its.target.rstrip("/") for its in part.mounts if self.is_source(part, its)]
        for at, item in part.items("volumes"):
            its = mount(item)
            if its is None and re.match(f"{DRIVE}:[^:]*$", str(item)):
                fix = "Give the directory under volumes."
                self.ledger.left(at, "compose itself reads one letter and a colon as a drive of Windows", fix)
            elif its is None:
                self.ledger.left(at)
            elif reason := self.no_data(its):
                self.ledger.left(at, *reason)
            elif its.kind != "tmpfs" and (self.is_source(part, its) or self.hides_source(its, code)):
                self.ledger.decided(at, "the image has the source that it is built from")
            elif owner := self.others.get(its.source):
                fix = "Give it under volumes if the app keeps something of its own there."
                self.ledger.left(at, f"the service {owner.part.name} keeps it, and {owner.why}", fix)
            elif its.kind == "tmpfs" or its.target.rstrip("/") in seen:
                continue
            else:
                seen.add(its.target.rstrip("/"))
                yield at, its

    def _purpose(self, path: str) -> str:
        """A volume's purpose, from the last part of its path; ``data`` for the app's first writable one."""
        taken = {volume.get("purpose", "data") for volume in self.volumes}
        taken |= {item["name"] for item in (*self.empty, *self.directories)}
        called = re.sub(r"[^a-z0-9]+", "-", last(path).lower()).strip("-")[:30].strip("-")
        if not path:
            called = "data"
        elif not re.fullmatch(r"[a-z][a-z0-9-]*", called) or called == "backup":
            called = "more"
        elif called == "data":
            called = "more-data"
        number = 2
        base = called
        while called in taken:
            called, number = f"{base}-{number}", number + 1
        return called

    def scratch(self, part: Part, *, in_app: bool = True) -> list[Value]:
        """The mounts of a service that are in memory or need not survive; each is an item of ``scratch``."""
        found: list[tuple[At, str, Value]] = []
        if quantity(size := part.body.get("shm_size")):
            found.append(((*part.at, "shm_size"), _SHM, size))
        for at, item in part.items("tmpfs"):
            path, _, options = text(item).partition(":")
            found.append((at, path, dict(o.partition("=")[::2] for o in options.split(",")).get("size")))
        for at, item in part.items("volumes"):
            its = mount(item)
            if its is not None and its.kind == "tmpfs":
                limit = mapping(mapping(item).get("tmpfs")).get("size")
                found.append((at, its.target, limit))
        mounts: list[Value] = []
        for at, path, limit in found:
            if mount(path) is None or path.rstrip("/") in [item["path"].rstrip("/") for item in mounts]:
                self.ledger.left(at)
                continue
            self.ledger.taken(at, "scratch", "" if quantity(limit) else "on disk, since no size is given")
            mounts.append({"volume": self._empty("" if in_app else part.name, path, limit), "path": path})
        return mounts

    def _empty(self, of: str, path: str, limit: Value) -> str:
        """The name of a new directory that is empty at first; ``of`` is its owner, if not the app."""
        size = quantity(limit)
        name = self._purpose(f"/{f'{of}-' if of else ''}{'shm' if path == _SHM else 'scratch'}")
        memory = {"in_memory": True, "size_limit": size} if size else {}
        self.empty.append({"name": name, "path": path, **memory, **({"in_app": False} if of else {})})
        return name

    def own_configs(self, part: Part, files: list[Value]) -> list[Value]:
        """Add the configs of a container with volumes of its own, and return its mounts of them."""
        its: list[Value] = []
        if not self.configs(part, its):
            return []
        name = self._purpose(f"/{part.name}-files")
        self.directories.append({"name": name, "path": f"/{name}", "in_app": False})
        mounts: list[Value] = []
        for number, file in enumerate(its, start=1):
            key = last(str(file["path"]))
            key = f"{number}-{key}" if key in [mounted["sub_path"] for mounted in mounts] else key
            files.append({"path": f"/{name}/{key}", "content": file["content"]})
            mounts.append({"volume": name, "path": file["path"], "sub_path": key, "read_only": True})
        return mounts

    def own_secrets(self, part: Part, its: list[Value], files: list[Value]) -> list[Value]:
        """Move ``its`` files from Vault to ``files``, and give the mounts of a container with own volumes."""
        if not its:
            return []
        name = self._purpose(f"/{part.name}-secrets")
        self.directories.append({"name": name, "path": f"/{name}", "in_app": False})
        files += [{"path": f"/{name}/{key}", "vault": key} for key in dict.fromkeys(f["vault"] for f in its)]
        mounts: list[Value] = [{"volume": name, "path": f["path"], "sub_path": f["vault"]} for f in its]
        its.clear()
        return [{**mount, "read_only": True} for mount in mounts]

    def configs(self, part: Part, files: list[Value]) -> bool:
        """Add the files whose text is in the compose file, and return whether there are any."""
        tops = mapping(self.project.top.get("configs"))
        has_files = False
        for at, item in part.items("configs"):
            called = source(item)
            target = text(mapping(item).get("target")) or f"/{called}"
            content = mapping(tops.get(called)).get("content")
            file = {"path": target, "content": str(content)}
            if not isinstance(content, str) or UNKNOWN in content or mount(target) is None:
                self.ledger.left(at, f"the text of the config {called} is not in the file",
                                 f"Give {target} under files, with source or content.")  # fmt: skip
            elif any(suspected([("", content)])):
                fix = f"Give {target} under files with vault, and put the text into Vault."
                self.ledger.left(at, "its text holds a secret", fix)
            elif file not in files and target in [other["path"] for other in files]:
                fix = "Files are the pod's: give it another path, and tell the container."
                self.ledger.left(at, f"another container has another file at {target}", fix)
            else:
                files += [file] if file not in files else []
                has_files = True
                docker = f"; {NO_DOCKER_DNS}" * bool(re.search(facts()["docker_dns"], content))
                self.ledger.taken(at, "files", f"{target} has the text of the config {called}{docker}")
        return has_files


def _inside(directory: Path) -> Iterator[Path]:
    try:
        yield from directory.iterdir()
    except (OSError, ValueError):
        return


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


def server_port(part: Part) -> list[Value]:
    """The port of a database server that the file does not name, for its dump."""
    its = part.known
    return [{"name": "database", "port": its.port}] if its and its.dump and not part.ports else []

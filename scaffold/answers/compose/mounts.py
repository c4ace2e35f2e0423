"""What a mount of a service is: data, a single file, the source of the image, or something of the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scaffold.answers.compose import facts
from scaffold.answers.compose.document import Project
from scaffold.answers.compose.forms import Mount, text
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.parts import Part

_FILE = "is a single file"


@dataclass(slots=True)
class Mounts:
    """Tells what the mounts of a project are."""

    project: Project

    def is_source(self, part: Part, its: Mount) -> bool:
        """Whether a mount is the source code that the image is built from."""
        build = part.body.get("build")
        context = text(build.get("context") or ".") if isinstance(build, dict) else text(build)
        root, source = (path.removeprefix("./").rstrip("/.") for path in (context, its.source))
        inside = (
            its.kind == "bind"
            and its.source.startswith(".")
            and bool(context)
            and context.startswith((".", root))
        )
        return inside and (source == root or (bool(root) and source.startswith(f"{root}/")))

    def hides_source(self, its: Mount, code: list[str]) -> bool:
        """Whether an unnamed mount preserves what the image has in, or beside, the source at ``code``."""
        roots = {*code, *(path.rpartition("/")[0] for path in code)} - {""}
        return not its.source and any(its.target.startswith(f"{path}/") for path in roots)

    def is_data(self, its: Mount) -> bool:
        """Whether a mount is a directory in which an app stores data, or from which it serves data."""
        return self.no_data(its) is None

    def is_file(self, its: Mount) -> bool:
        """Whether a mount is a single file of the app's."""
        return self.no_data(its) == _no_file(its)

    def no_data(self, its: Mount) -> tuple[str, str] | None:
        """Why a mount holds no data of the app, and what to do."""
        if its.kind not in ("volume", "bind", "tmpfs"):
            return f"there is no volume of the kind {its.kind}", "Give the directory under volumes."
        for row in facts()["machine_paths"]:
            # A named volume is data wherever it is mounted, even under /run, and memory is the pod's own.
            if its.kind == "bind" and any(re.search(row["path"], p) for p in (its.target, its.source)):
                return f"{its.target}: {row['why']}", str(row["fix"])
        if its.kind == "bind" and self._is_file(its):
            return _no_file(its)
        return None

    def _is_file(self, its: Mount) -> bool:
        """Whether a mount of the host is a file: from the files beside the compose file, else from names."""
        if UNKNOWN not in its.source and its.source.startswith("."):
            there: Path = self.project.directory / its.source
            try:
                if there.exists():
                    return there.is_file()
            except (OSError, ValueError):
                return False
        if its.source.endswith("/") or its.target.endswith("/"):
            return False
        here, source = last(its.target), last(its.source)
        if re.search(facts()["file_names"], here) and (source == here or UNKNOWN in source):
            return True
        ending = here.rpartition(".")[2] if "." in here else ""
        same = source.rpartition(".")[2] == ending or UNKNOWN in source or "." not in source
        return bool(re.search(facts()["file_endings"], ending)) and same

    def shared(self, its: Mount) -> bool:
        """Whether others fill it: it is only read, or is media outside the app's directories."""
        if its.kind != "bind":
            return False
        called = {self.project.directory.name, *self.project.services}
        elsewhere = its.source.startswith(("/", "~", UNKNOWN)) and not called & set(its.source.split("/"))
        return its.read_only or (elsewhere and bool(re.search(facts()["shared_paths"], last(its.target))))


def _no_file(its: Mount) -> tuple[str, str]:
    return f"{its.target} {_FILE}", f"Give its text under files, with path {its.target}."


def last(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2]

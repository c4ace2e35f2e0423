"""Terraform files of your own that a new Service takes along, for what no answer can say."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scaffold.answers.sources import Answers
from scaffold.errors import Finding, MissingError, RefusedError, UsageError, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.render import RENDERED

if TYPE_CHECKING:
    from scaffold.checks.verify import Level, Unverified

_RENAME = "Rename it; what is in it may stay as it is."


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file to be copied into a stack, and where it is now."""

    source: Path
    content: bytes

    def path(self, place: str) -> PurePosixPath:
        """Where it will be, from the root of the monorepo, for a stack at a place."""
        return PurePosixPath(place, self.source.name)

    def finding(self, code: str, message: str, fix: str) -> Finding:
        """What is wrong with it."""
        return Finding(str(self.source), None, None, f"beside.{code}", message, fix=fix)


def read(paths: Sequence[Path]) -> tuple[OwnFile, ...]:
    """The files at these paths. Raises :class:`UsageError` for one that cannot be read."""
    try:
        return tuple(OwnFile(path, path.read_bytes()) for path in paths)
    except OSError as error:
        text = f"{error.filename} cannot be read: {error.strerror}."
        raise UsageError(text, "Name a Terraform file with --beside.") from error


def below(monorepo: Monorepo, files: Sequence[OwnFile], given: Answers) -> dict[str, bytes]:
    """The files' content by where they will be; nothing while the Service has no name."""
    name = given.values.get("name")
    return {str(f.path(monorepo.place(name))): f.content for f in files} if isinstance(name, str) else {}


def problems(monorepo: Monorepo, files: Sequence[OwnFile]) -> Iterator[Finding]:
    """Every file that no stack can take: its name is in use, or Terraform would not read it."""
    from scaffold.checks.stack import generated_by

    state = monorepo.settings.body.inside("remote_state").value("generate")
    state_file = state.at("path") if state else None  # written to say where the state is
    generated = {*generated_by(monorepo.settings), state_file.string() if state_file else None}
    for number, file in enumerate(files):
        name = file.source.name
        if not name.endswith(".tf") or name.startswith("."):
            what = f"{name} is not a file that Terraform reads."
            yield file.finding("name", what, "Give a .tf file; put others into the stack by hand.")
        elif name in RENDERED:
            yield file.finding("rendered", f"{name} is what the answers are rendered to.", _RENAME)
        elif name in generated:
            yield file.finding("generated", f"{name} is written by terragrunt.", _RENAME)
        elif name in {other.source.name for other in files[:number]}:
            yield file.finding("twice", f"{name} is given twice.", "Rename one, or leave one out.")


def demand_in_place(
    monorepo: Monorepo, stack: str, files: Sequence[OwnFile], *, exists: bool = False
) -> None:
    """Raise :class:`RefusedError` for files that the stack has with other content: it is kept.

    ``exists`` says that the stack is there: then they have to be in it.
    """
    found = []
    for file in files:
        path = file.path(monorepo.place(stack))
        there = monorepo.files.read(path)[0]
        if there != file.content and (exists or there is not None):
            what = f"{path} is {'other than this' if there is not None else 'not there'}."
            copy = shlex.join(["cp", str(file.source), str(monorepo.root / path)])
            fix = f"Rename it, or put it there yourself, if that is meant: {copy}"
            found.append(file.finding("taken", what, fix))
    if found:
        raise RefusedError("The stack has other files of its own; nothing was written.", "", found)


def unformatted(files: Sequence[OwnFile], level: Level | None) -> tuple[Unverified, ...]:
    """Have Terraform check their format. Returns what could not be verified.

    Raises :class:`VerificationError` for those that are not, and :class:`MissingError` if a plan is demanded
    and there is no Terraform.
    """
    if not files:
        return ()
    from scaffold.checks.verify import Level, Unverified
    from scaffold.terraform.tool import find_tool, is_formatted

    names = ", ".join(file.source.name for file in files)
    if level is Level.STATIC:
        return (Unverified(f"the format of {names}", "left out by --verify static"),)
    try:
        tool = find_tool()
    except MissingError as error:
        if level is Level.PLAN:
            raise
        return (Unverified(f"the format of {names}", error.message),)
    found = []
    for file in files:
        if not is_formatted(tool, file.content):
            fix = f"Format it: `{shlex.join([tool.name, 'fmt', str(file.source)])}`"
            found.append(file.finding("format", f"{file.source.name} is not formatted.", fix))
    if found:
        raise VerificationError("Files of your own are not formatted; nothing was written.", "", found)
    return ()

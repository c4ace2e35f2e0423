"""A compose file as a whole: with its variables, ``include``, ``extends``, overrides and anchors."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from scaffold import reading
from scaffold.answers.compose.interpolation import Text, filled, read_variables
from scaffold.answers.compose.merging import Tagged, merged, plain, service
from scaffold.answers.sources import Path as At
from scaffold.errors import UsageError
from scaffold.reading import YamlError, listed
from scaffold.templates.questions import Value

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_DEPTH = 10
"""How many files may refer to one another in a chain."""
_SIZE = 2_000_000


@dataclass(slots=True)
class Project:
    """All files together: services, other top-level keys, and notes on what was read from other files."""

    source: str
    directory: Path
    services: dict[str, dict[str, Value]] = field(default_factory=dict)
    top: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, Text] = field(default_factory=dict)
    unread: dict[At, str] = field(default_factory=dict)
    """Where other files are named that could not be read, and why."""
    followed: set[At] = field(default_factory=set)
    """Where other files are named that were read."""

    @property
    def tree(self) -> dict[str, Value]:
        """Everything, as one document."""
        return {**self.top, "services": self.services}

    def called(self, nothing: Collection[str]) -> str:
        """The name of its directory, or of the nearest one above whose name is not in ``nothing``."""
        above = (self.directory, *self.directory.parents)
        return next((at.name for at in above if at.name not in nothing), "")


class _Loader(reading.Loader):
    """Scalars by the rules of YAML 1.2, which compose files follow: text, except true, false and null."""


reading.resolving(
    _Loader,
    bool=(r"true|True|TRUE|false|False|FALSE", "tTfF"),
    null=(r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    merge=(r"<<", "<"),
)
_Loader.add_constructor("!reset", lambda loader, node: Tagged(None))
_Loader.add_constructor("!override", lambda loader, node: Tagged(_untagged(loader, node)))


def _untagged(loader: yaml.constructor.BaseConstructor, node: yaml.Node) -> Value:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


def read(path: Path) -> Project:
    """The content of the compose file at ``path``, or of the one in a directory, with its override.

    Raises :class:`UsageError` if it is not a compose file, without quoting its content.
    """
    files = _files(path)
    project = Project(str(files[0]), files[0].parent)
    project.variables = read_variables(project.directory / ".env") or {}
    for file in files:
        found = _Reader(project, str(file)).read(file, project.variables)
        project.top = merged(project.top, {key: value for key, value in found.items() if key != "services"})
        project.services = merged(project.services, found["services"])
    project.top, project.services = plain(project.top), plain(project.services)
    if not project.services:
        raise UsageError(f"{path} has no services.", "Name a docker-compose file.")
    return project


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    first = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if first is None:
        raise UsageError(
            f"{path} has no compose file.", f"Name the file; the usual ones are {', '.join(_NAMES)}."
        )
    overrides = [first.with_name(f"{first.stem}.override{end}") for end in (".yaml", ".yml")]
    return [first, *(file for file in overrides if file.is_file())]


class _Reader:
    """Reads a file with all files that it names. Only the first one is refused; others are reported."""

    def __init__(self, project: Project, source: str) -> None:
        self._project = project
        self._source = source

    def read(self, file: Path, variables: Mapping[str, str], depth: int = 0) -> dict[str, Value]:
        """The document in ``file``, with what it includes and extends."""
        content = _document(file, self._source if not depth else file.name)
        document: dict[str, Value] = _interpolated(content, variables)
        services = document.get("services")
        services = services if isinstance(services, dict) else {}
        document["services"] = {str(name): service(body) for name, body in services.items()}
        whole: dict[str, Value] = {"services": {}}
        for at, entry in enumerate(listed(document.get("include") or None)):
            for path, more in _included(entry, file.parent, variables):
                found = self._other(("include", at), path, {**more, **variables}, depth)
                whole = merged(whole, found) if found else whole
        whole = merged(whole, document)
        for name in list(whole["services"]):
            whole["services"][name] = self._extended(name, whole["services"], file, variables, depth, ())
        return whole

    def _other(
        self, at: At, path: Path | None, variables: Mapping[str, str], depth: int
    ) -> dict[str, Value] | None:
        if path is None or depth >= _DEPTH:
            self._project.unread[at] = "it is not beside the file" if path is None else "it leads to itself"
            return None
        try:
            found = self.read(path, variables, depth + 1)
        except UsageError:
            self._project.unread[at] = "it cannot be read"
            return None
        self._project.followed.add(at)
        return found

    def _extended(
        self,
        name: str,
        services: Mapping[str, Value],
        file: Path,
        variables: Mapping[str, str],
        depth: int,
        trail: tuple[str, ...],
    ) -> dict[str, Value]:
        """A service laid over the one that it extends."""
        body: dict[str, Value] = services[name]
        of = body.get("extends")
        at: At = ("services", name, "extends")
        if not of or at in self._project.followed or name in trail:
            return body
        other = of if isinstance(of, dict) else {"service": of}
        wanted = str(other.get("service", ""))
        there = services
        if other.get("file"):
            path = _local(str(other["file"]), file.parent)
            found = self._other(at, path, variables, depth)
            there = found["services"] if found else {}
        if wanted not in there:
            self._project.unread.setdefault(at, "there is no such service")
            return body
        self._project.followed.add(at)
        base = self._extended(wanted, there, file, variables, depth, (*trail, name))
        laid: dict[str, Value] = merged({key: v for key, v in base.items() if key != "extends"}, body)
        return laid


def _document(file: Path, source: str) -> dict[str, Value]:
    try:
        if not file.is_file():
            raise UsageError(f"{source} is not a file.", "Name a docker-compose file, or its directory.")
        data = file.read_bytes()[: _SIZE + 1]
        content = reading.read(data, _Loader).value
    except OSError as error:
        hint = "Name a docker-compose file."
        raise UsageError(f"{source} cannot be read: {error.strerror}.", hint) from error
    except YamlError as error:
        at = f", line {error.line}" if error.line else ""
        # The parser's own message could quote the content.
        told = error.message.partition(":")[0]
        raise UsageError(f"{source} {told}{at}.", error.fix) from None
    if not isinstance(content, dict):
        raise UsageError(f"{source} is not a compose file.", "Name a docker-compose file.")
    return {str(key): value for key, value in content.items()}


def _interpolated(value: Value, variables: Mapping[str, str]) -> Value:
    """A value with the variables of every text in it filled in, and every key a text."""
    if isinstance(value, str):
        return filled(value, variables)
    if isinstance(value, dict):
        return {str(key): _interpolated(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, variables) for item in value]
    if isinstance(value, Tagged):
        return Tagged(_interpolated(value.value, variables))
    return value if value is None or isinstance(value, bool) else Text(value)


def _included(
    entry: Value, directory: Path, variables: Mapping[str, str]
) -> list[tuple[Path | None, dict[str, Text]]]:
    """The files that an item of ``include`` names, and the variables that it adds."""
    item = entry if isinstance(entry, dict) else {"path": entry}
    named = listed(item.get("path")) if item.get("path") is not None else [""]
    paths = [_local(str(path), directory) for path in named]
    first = paths[0].parent if paths and paths[0] else None
    own = item.get("env_file") or ".env"
    more: dict[str, Text] = {}
    for name in listed(own):
        base = directory if item.get("env_file") else first
        more |= (read_variables(base / str(name), variables) or {}) if base else {}
    return [(path, more) for path in paths]


def _local(name: str, directory: Path) -> Path | None:
    """A file that is named relative to another one; nothing if it is remote, or is not a file."""
    if "://" in name or name.startswith("oci:") or re.match(r"[\w.-]+@", name) or "\0" in name:
        return None
    path = directory / name
    return path if path.is_file() else None

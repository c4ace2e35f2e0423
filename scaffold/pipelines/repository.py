"""An app's repository as its pipelines see it: the relevant files, and what else is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from scaffold.errors import Finding
from scaffold.pipelines.documents import PipelineFile, parse
from scaffold.pipelines.loading import load
from scaffold.pipelines.workflow import Workflow
from scaffold.reading import YamlError, mapping

WOODPECKER = ".woodpecker"
GITHUB = ".github/workflows"
_YAML = (".yml", ".yaml")
_SKIPPED = {".git", "node_modules", ".venv", "venv", "__pycache__", ".svelte-kit"}
_READ = {".dockerignore", ".gitignore", "pyproject.toml", ".copier-answers.yml"}


class Actions(PipelineFile):
    """A workflow of GitHub Actions."""


@dataclass(frozen=True)
class Repository:
    """The files by their path below the root, and the paths of everything that is there.

    ``complete`` is false where only some files are known, so that nothing can be said to be missing.
    """

    files: Mapping[str, str]
    paths: frozenset[str]
    complete: bool = True

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Repository:
        """A repository of which only these files are known."""
        return cls(files, frozenset(files), complete=False)

    def _directly_in(self, directory: str) -> tuple[str, ...]:
        """The YAML files in a directory, but not those further below."""
        there = (p for p in self.files if PurePosixPath(p).parent.as_posix() == directory)
        return tuple(sorted(path for path in there if path.endswith(_YAML)))

    @cached_property
    def live(self) -> tuple[str, ...]:
        """The files that Woodpecker reads: the directory's, else one in the root."""
        at_root = ((name,) for name in (".woodpecker.yaml", ".woodpecker.yml") if name in self.files)
        return self._directly_in(WOODPECKER) or next(at_root, ())

    @property
    def dead(self) -> tuple[str, ...]:
        """The files that look as if Woodpecker read them: hidden ones, and those below its directory."""
        below = sorted(
            path for path in self.paths if path.startswith(f"{WOODPECKER}/") and path.endswith(_YAML)
        )
        candidates = (*below, ".woodpecker.yaml", ".woodpecker.yml")
        return tuple(name for name in candidates if name in self.paths and name not in self.live)

    @cached_property
    def _loaded(self) -> tuple[tuple[Workflow, ...], tuple[Finding, ...]]:
        """The workflows that can be parsed; what is wrong with one that does nothing is of no interest."""
        workflows: list[Workflow] = []
        found: list[Finding] = []
        for path in self.live:
            workflow, problems = load(path, self.files[path])
            found += () if workflow and workflow.outdated else problems
            workflows += [workflow] if workflow else []
        return tuple(workflows), tuple(found)

    @property
    def workflows(self) -> tuple[Workflow, ...]:
        """The workflows that Woodpecker can parse and that do something."""
        return tuple(workflow for workflow in self._loaded[0] if not workflow.outdated)

    @property
    def outdated(self) -> tuple[Workflow, ...]:
        """The workflows for earlier versions of Woodpecker, which do nothing any more."""
        return tuple(workflow for workflow in self._loaded[0] if workflow.outdated)

    @property
    def action_paths(self) -> tuple[str, ...]:
        """The files that GitHub Actions reads."""
        return self._directly_in(GITHUB)

    @cached_property
    def _parsed_actions(self) -> tuple[tuple[Actions, ...], tuple[Finding, ...]]:
        parsed: list[Actions] = []
        found: list[Finding] = []
        for path in self.action_paths:
            try:
                parsed.append(Actions(path, self.files[path], parse(self.files[path])))
            except YamlError as error:
                found.append(Finding(path, error.line, None, "PIP027", f"This {error.message}."))
        return tuple(parsed), tuple(found)

    @cached_property
    def actions(self) -> tuple[Actions, ...]:
        """The workflows of GitHub Actions that can be parsed."""
        return tuple(file for file in self._parsed_actions[0] if file not in self.misplaced)

    @cached_property
    def misplaced(self) -> tuple[Actions, ...]:
        """Dependabot's files where GitHub looks for workflows."""
        parsed = ((file, mapping(file.document.value)) for file in self._parsed_actions[0])
        return tuple(file for file, value in parsed if "updates" in value and "jobs" not in value)

    @property
    def dockerfiles(self) -> Mapping[str, str]:
        """Every Dockerfile, by its path."""
        return {path: text for path, text in sorted(self.files.items()) if is_dockerfile(path)}

    @property
    def load_findings(self) -> tuple[Finding, ...]:
        """What keeps files from being parsed, or makes them mean something else from run to run."""
        return (*self._loaded[1], *self._parsed_actions[1])


def is_dockerfile(path: str) -> bool:
    """Whether a file is a Dockerfile, by its name."""
    name = PurePosixPath(path).name
    return name == "Dockerfile" or name.startswith("Dockerfile.") or name.endswith(".Dockerfile")


def read_repository(root: Path, overlay: Mapping[str, bytes] | None = None) -> Repository:
    """The repository at ``root``, with ``overlay`` laid over it as if it were written."""
    paths = set(walk(root))
    files: dict[str, str] = {}
    for path in paths:
        if _matters(path):
            try:
                files[path] = (root / path).read_text("utf-8", errors="replace")
            except OSError:
                continue
    for path, content in (overlay or {}).items():
        paths.add(path)
        if _matters(path):
            files[path] = content.decode("utf-8", errors="replace")
    return Repository(files, frozenset(paths))


def _matters(path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.parent.as_posix() in (WOODPECKER, GITHUB):
        return path.endswith(_YAML)
    return path in (".woodpecker.yml", ".woodpecker.yaml") or pure.name in _READ or is_dockerfile(path)


def walk(root: Path) -> Iterable[str]:
    """The paths of the files below a directory, without what Git and package managers keep there."""
    for directory, names, files in os.walk(root):
        names[:] = sorted(set(names) - _SKIPPED)
        for name in files:
            yield (Path(directory) / name).relative_to(root).as_posix()

"""The projects in a clone: what their manifests say, and what installs their packages."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from scaffold.pipelines.clone.tree import Tree
from scaffold.reading import mapping, part
from scaffold.templates import template
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Project:
    """One manifest, as far as it can be read."""

    directory: str
    packager: str
    base: str
    """The language, by what its image is called among the facts."""
    path: str
    value: Mapping[str, Value] = field(repr=False)
    dependencies: frozenset[str]
    locked: bool

    def text(self, *keys: str) -> str:
        """The first text that stands at one of these dotted keys."""
        return next((found for key in keys if isinstance(found := _at(self.value, key), str)), "")


def projects(tree: Tree) -> tuple[Project, ...]:
    """The projects at the root of a clone and in its directories, one per language in each."""
    found: dict[tuple[str, str], Project] = {}
    for path in tree.paths:
        if path.count("/") > 1:
            continue
        for project in _read(tree, path):
            found.setdefault((project.directory, project.base), project)
    return tuple(found.values())


def _read(tree: Tree, path: str) -> Iterator[Project]:
    """What a manifest is to each packager that reads it; the one that has it first."""
    pure = PurePosixPath(path)
    directory = "" if pure.parent == PurePosixPath() else pure.parent.as_posix()
    rows: Mapping[str, Mapping[str, Value]] = template.facts("clone")["packagers"]
    of_language = {row["base"] for row in rows.values() if row["manifest"] == pure.name}
    fitting = []
    for name, row in rows.items():
        manifest = str(PurePosixPath(directory, row["manifest"]))
        if row["base"] in of_language and manifest in tree.paths:
            value = _parsed(row["manifest"], tree.text(manifest))
            locked = not row["lock"] or str(PurePosixPath(directory, row["lock"])) in tree.paths
            if locked or not row["table"] or _at(value, row["table"]) is not None:
                fitting.append((not locked, name, row, manifest, value))
    for unlocked, name, row, manifest, value in sorted(fitting, key=lambda one: one[0])[:1]:
        needed = frozenset(_dependencies(tree, directory, value))
        yield Project(directory, name, row["base"], manifest, value, needed, not unlocked)


def _parsed(name: str, text: str) -> Mapping[str, Value]:
    """A manifest as nested mappings; empty if it cannot be read, which its own tools report better."""
    try:
        if name.endswith(".toml"):
            return tomllib.loads(text)
        if name.endswith(".json"):
            value = json.loads(text)
            return mapping(value)
    except ValueError:
        return {}
    lines = [line.split("//")[0].split() for line in text.splitlines()]
    return {words[0]: words[1] for words in lines if len(words) == 2} if name == "go.mod" else {}


def _at(value: Value, key: str) -> Value:
    return part(value, *key.split("."))


def _dependencies(tree: Tree, directory: str, value: Mapping[str, Value]) -> Iterator[str]:
    """The names of the packages that a project depends on, for development too."""
    for key in (
        "dependencies",
        "devDependencies",
        "tool.poetry.dependencies",
        "tool.poetry.dev-dependencies",
    ):
        yield from mapping(_at(value, key))
    for group in mapping(_at(value, "tool.poetry.group")).values():
        yield from _at(group, "dependencies") or ()
    lists = [_at(value, "project.dependencies"), _at(value, "tool.uv.dev-dependencies")]
    for key in ("project.optional-dependencies", "dependency-groups"):
        lists += mapping(_at(value, key)).values()
    further = template.facts("clone")["development"]
    lists += [
        tree.text(str(PurePosixPath(directory, name))).splitlines() for name in ("requirements.txt", *further)
    ]
    for text in (text for texts in lists if isinstance(texts, list) for text in texts):
        if isinstance(text, str) and (name := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text.strip())):
            yield name[0].lower()


def version(tree: Tree, project: Project, usual: str) -> tuple[str, str]:
    """The version of its language that a project needs if ``usual`` is not enough, and the file that says so.

    A version of the language as image tags have it, such as ``3.13``; both are empty if the usual one does.
    """
    row = template.facts("clone")["versions"][project.base]
    for name in row["files"]:
        path = str(PurePosixPath(project.directory, name))
        if exact := re.match(rf"v?({row['form']})", tree.text(path).strip()):
            same = re.match(row["form"], usual)
            return ("", "") if same and same[0] == exact[1] else (exact[1], path)
    wanted = project.text(*row["keys"])
    least = re.search(r"\d+(\.\d+)*", wanted)
    if not least or _allows(wanted, usual, at_least=project.base == "go"):
        return "", ""
    form = re.match(row["form"], least[0] if "." in least[0] else f"{least[0]}.0")
    return (form[0], project.path) if form else ("", "")


def _allows(wanted: str, usual: str, *, at_least: bool) -> bool:
    """Whether a range of versions, as Python or npm writes it, includes the newest release of ``usual``."""
    newest = ".".join([*usual.split("."), "9999", "9999"][:3])
    for one in wanted.split("||"):
        words = re.findall(r"([<>=!^~]*)\s*v?(\d+(?:\.\d+)*)((?:\.[*xX])*)", one)
        terms = (_term(">=" if at_least and not sign else sign, number) for sign, number, _ in words)
        try:
            if SpecifierSet(",".join(terms)).contains(newest):
                return True
        except InvalidSpecifier:
            return True
    return False


def _term(sign: str, number: str) -> str:
    """One term in Python's notation; a bare version, ``^`` and ``~`` allow newer ones of what follows."""
    if sign in ("", "=", "~", "=="):
        return f"=={number}.*"
    parts = number.split(".")
    return f">={number},<{int(parts[0]) + 1}" if sign == "^" else f"{sign}{number}"

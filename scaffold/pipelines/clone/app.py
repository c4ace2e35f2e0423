"""The kind of an app, what is started, its port and health route, and its checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Template

from scaffold.errors import Finding
from scaffold.pipelines.clone.projects import Project, version
from scaffold.pipelines.clone.tree import Tree, language
from scaffold.pipelines.instructions import Instruction, instructions
from scaffold.pipelines.repository import is_dockerfile
from scaffold.templates import template
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of app that a clone fits, and the projects that make it one."""

    name: str
    parts: tuple[Project, ...]
    source: str
    port: int
    app: str
    """What finds the thing that is started, as a regular expression; empty where the kind knows."""
    health_path: str

    @property
    def lacking(self) -> tuple[Finding, ...]:
        """The lock files that its Dockerfile copies and that are not there."""
        return tuple(_unlocked(part) for part in self.parts if not part.locked)

    def version(self, tree: Tree, facts: Mapping[str, Value]) -> tuple[str, str]:
        """The version of its language, if the house's image does not have it, and the file that says so."""
        return _version(tree, self.parts[0], facts) if self.parts else ("", "")


def kind_of(tree: Tree, found: tuple[Project, ...], given: str) -> Kind | None:
    """The kind that a clone fits, trying the ``given`` one first; None if it fits none."""
    rows = template.facts("clone")["kinds"]
    for row in sorted(rows, key=lambda row: row["kind"] != given):
        parts = tuple(part for wanted in row.get("parts", ()) if (part := _part(found, wanted)))
        file = row.get("file", "")
        if (file in tree.paths) if file else len(parts) == len(row["parts"]):
            source = file or parts[0].path
            app, path = row.get("app", ""), row.get("health_path", "")
            return Kind(row["kind"], parts, source, row["port"], app, path)
    return None


def _part(found: tuple[Project, ...], wanted: Mapping[str, Value]) -> Project | None:
    for one in found:
        at = one.directory == wanted.get("directory", "") and one.packager == wanted["packager"]
        if at and one.dependencies.issuperset(wanted.get("depends", ())):
            return one
    return None


def module(tree: Tree, kind: Kind) -> tuple[Value, str] | None:
    """What is started, unless it is the kind's default, and its file; None also if there are several."""
    facts = template.facts("clone")
    usual = facts["modules"].get(kind.name, facts["usual_module"])
    if not kind.app:
        return None
    found: dict[str, str] = {}
    for path, text in tree.sources(kind.parts[0].base, kind.parts[0].directory):
        if match := re.search(kind.app, text):
            directory, stem = PurePosixPath(path).parent, PurePosixPath(path).with_suffix("")
            name = match.groupdict().get("name")
            started = f"{'.'.join(stem.parts)}:{name}" if name else f"./{directory}".removesuffix(".")
            found.setdefault(started, path)
    if usual in found or len(found) != 1:
        return None
    return next(iter(found.items()))


def health_route(tree: Tree, project: Project) -> tuple[str, str] | None:
    """The path on which an app reports that it is healthy, and the file that answers it."""
    row = language(project.base)
    sources = tuple(tree.sources(project.base, project.directory))
    for path in template.facts("clone")["health_paths"]:
        route = re.compile(row["route"].replace("PATH", re.escape(path)))
        if "files" in row:
            begins = f"{project.directory}/{row['files']}".lstrip("/").replace("PATH", path)
            if at := next((name for name, _ in sources if name.startswith(f"{begins}.")), ""):
                return path, at
        if at := next((name for name, text in sources if route.search(text)), ""):
            return path, at
    return None


def checks(
    tree: Tree, parts: tuple[Project, ...], facts: Mapping[str, Value]
) -> Iterator[Mapping[str, Value]]:
    """What can be run before a build: the linter and the tests of each project, in the form of answers."""
    for part in parts:
        row = template.facts("clone")["packagers"][part.packager]
        steps: dict[str, str] = {}
        for one in template.facts("clone")["checks"][part.base]:
            if _has(tree, part, one):
                steps.setdefault(one["step"], f"{row['run']}{one['run']}")
        if not steps:
            continue
        enter = [f"cd {part.directory}"] if part.directory else []
        install = [text.format_map(facts["base_images"]) for text in row["install"]]
        further = template.facts("clone")["development"] if part.packager == "pip" else ()
        names = [name for name in further if f"{part.directory}/{name}".lstrip("/") in tree.paths]
        install += [f"pip install -r {name}" for name in names]
        name = f"test-{part.base}" if not part.directory else f"test-{part.directory}"
        yield {
            "name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
            "image": _image(facts["base_images"][part.base], _version(tree, part, facts)[0]),
            "commands": [*enter, *install, *steps.values()],
        }


def _has(tree: Tree, part: Project, row: Mapping[str, Value]) -> bool:
    script = part.text(f"scripts.{row['script']}") if "script" in row else ""
    return (
        ("depends" not in row or row["depends"] in part.dependencies)
        and ("script" not in row or (bool(script) and template.facts("clone")["no_script"] not in script))
        and (not row.get("tests") or tree.has_tests(part.base, part.directory))
    )


def _version(tree: Tree, part: Project, facts: Mapping[str, Value]) -> tuple[str, str]:
    tag = re.search(r":v?(\d[\d.]*)[^/:]*$", facts["base_images"][part.base])
    return version(tree, part, tag[1]) if tag else ("", "")


def _image(image: str, wanted: str) -> str:
    """The house's image of a language, with another version."""
    return re.sub(r":v?\d[\d.]*(?=[^/:]*$)", f":{wanted}", image) if wanted else image


def _unlocked(part: Project) -> Finding:
    row = template.facts("clone")["packagers"][part.packager]
    path = f"{part.directory}/{row['lock']}".lstrip("/")
    make = f"cd {part.directory} && {row['make']}" if part.directory else row["make"]
    fix = f"Make it and commit it: {make}" if make else "Commit it."
    return Finding(
        path, None, None, "clone.no-lock", "The build copies this file, and it is not there.", fix=fix
    )


_HEALTH = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::\d+)?(/[\w./~-]*)?")


def dockerfile_of(tree: Tree, named: str) -> str:
    """The Dockerfile that is built: the one that is ``named``, else the only one; empty if unclear."""
    if named in tree.paths:
        return named
    found = [path for path in tree.paths if is_dockerfile(path)]
    return found[0] if len(found) == 1 else ""


def said(text: str) -> Iterator[tuple[str, Value, int]]:
    """The answers that the last stage of a Dockerfile gives, each with its line.

    Variables that it sets itself are replaced.
    """
    found = list(instructions(text))
    last = max((index for index, one in enumerate(found) if one.name == "FROM"), default=0)
    known: dict[str, str] = {}
    exposed: dict[int, tuple[str, Value, int]] = {}
    user: tuple[str, Value, int] | None = None
    health: tuple[str, Value, int] | None = None
    for one in found[last:]:
        arguments = Template(one.arguments).safe_substitute(known)
        if one.name in ("ENV", "ARG"):
            known.update(re.findall(r"(\w+)=\"?([^\s\"]*)", arguments) or _pair(one))
        elif one.name == "EXPOSE":
            for port in re.findall(r"(?<!\S)(\d{1,5})(?:/tcp)?(?!\S)", arguments):
                exposed.setdefault(int(port), ("port", int(port), one.line))
        elif one.name == "USER":
            name = arguments.split(":")[0].strip()
            user = ("uid", int(name), one.line) if name.isdigit() and int(name) else None
        elif one.name == "HEALTHCHECK":
            url = _HEALTH.search(arguments)
            health = ("health_path", url[1] or "/", one.line) if url else None
    if len(exposed) == 1:
        yield from exposed.values()
    yield from (one for one in (user, health) if one)


def _pair(one: Instruction) -> list[tuple[str, str]]:
    """The old notation ``ENV NAME VALUE``."""
    name, _, value = one.arguments.partition(" ")
    return [(name, value.strip())] if value else []

"""The services of a project, with what the project says of each of them."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.answers.compose.document import Project
from scaffold.answers.compose.forms import text, words
from scaffold.answers.compose.interpolation import Text, read_variables
from scaffold.answers.compose.names import of_containers
from scaffold.answers.compose.parts import OFFICIAL, Part, reference
from scaffold.reading import listed, mapping
from scaffold.templates.questions import Value


def parts(project: Project) -> dict[str, Part]:
    """The services of a project, and its jobs unless a service has the same name."""
    jobs = mapping(project.top.get("jobs"))
    # A name without an owner is one of Docker Hub's official images, and nobody else builds those.
    built = {
        str(body["image"])
        for body in project.services.values()
        if body.get("build") and reference(str(body.get("image") or "")).repository.startswith(OFFICIAL)
    }
    found = {
        name: Part(name, _started(project, body), built=built, files=_of_files(project, body))
        for name, body in project.services.items()
    }
    said = [
        value
        for part in found.values()
        for value in (*part.variables.values(), *words(part.body.get("command")))
    ]
    for name, containers in of_containers(found, " ".join(filter(None, said))).items():
        found[name].containers = containers
    return {
        **{
            name: Part(name, mapping(body), "jobs", built, _of_files(project, mapping(body)))
            for name, body in jobs.items()
            if name not in found
        },
        **found,
    }


def _started(project: Project, body: Mapping[str, Value]) -> Mapping[str, Value]:
    """A service without its profiles if ``.env`` starts one of them: then it always starts."""
    active = {name.strip() for name in project.variables.get("COMPOSE_PROFILES", "").split(",")}
    active.discard("")  # also what a profile is called that comes from a variable without a value
    starts = "*" in active or not active.isdisjoint(map(text, listed(body.get("profiles"))))
    return {key: value for key, value in body.items() if key != "profiles"} if starts else body


def _of_files(project: Project, body: Mapping[str, Value]) -> list[dict[str, Text] | None]:
    """The variables of each of a service's files; those of later ones hold."""
    entries = listed(body.get("env_file"))
    names = [text(entry.get("path") if isinstance(entry, dict) else entry) for entry in entries]
    return [read_variables(project.directory / n, project.variables) if n else None for n in names]

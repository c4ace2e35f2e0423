"""Rules over Dockerfiles: images that were built but did not start, or could not be built in the cluster."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath as Path

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.common import builds, dockerfile
from scaffold.pipelines.context import Context
from scaffold.pipelines.ignored import ignored_by_docker, ignored_by_git
from scaffold.pipelines.instructions import Instruction, built_by, instructions, last_user
from scaffold.pipelines.jobs import build_steps, steps
from scaffold.pipelines.repository import Repository

_FILE = "Dockerfile"
_GOOD = 'FROM docker.io/library/python:3.12-slim\nWORKDIR /app\nCOPY app ./app\nUSER 10001\nCMD ["python", "-m", "app"]\n'
_NODE = "FROM docker.io/library/node:22-alpine AS build\nWORKDIR /app\nENV NODE_ENV=production\nCOPY . .\nRUN npm ci\nUSER 10001\n"
_PROJECT_INSTALL = re.compile(r"\bnpm (ci|i|install)\b(?![^&;|]*\s(-g|--global)\b)")
"""What installs the dependencies of the project; a tool for the whole image is none of them."""
_INSTALLED = (("node_modules",), ("vendor",))
"""Where package managers put what they install."""
_WRITES = re.compile(r"(?<![-=&])>>?\s*(?![&>]|/dev/|\"?\$)\S")
"""What is written into a file; what a runner reads itself ($GITHUB_OUTPUT) is none of the checkout."""
_RUNNER = re.compile(r"^(?:\w+=\S* +|sudo +|uv run +|poetry run +|python3? -m +|npx +)*")
_NOT_ROOT = re.compile(r"nonroot|unprivileged|rootless|^cgr\.dev/chainguard/")
"""Base images that say in their name that they run as a number other than 0."""
_IGNORE = ".git\n.env*\n"
_DOWNLOADS = (
    "playwright install",
    "puppeteer browsers install",
    "huggingface-cli download",
    "spacy download",
)
_BUILD_BACKENDS = ("pip install .", "poetry build", "uv build")


def _built(repository: Repository) -> Mapping[str, str]:
    """The Dockerfiles that the pipelines build; every one if that is not known."""
    named = {dockerfile(step) for step in builds(*repository.workflows)}
    named |= {step.dockerfile for step in build_steps(*repository.actions)}
    scripts = [command for workflow in repository.workflows for s in workflow.steps for command in s.commands]
    scripts += [str(step.value.get("run") or "") for step in steps(*repository.actions)]
    named |= {path for script in scripts for path, _ in built_by(script)}
    found = {p: text for p, text in repository.dockerfiles.items() if ".devcontainer" not in Path(p).parts}
    return found if "" in named else {path: text for path, text in found.items() if path in named} or found


def _instructions(repository: Repository) -> Iterator[tuple[tuple[str, int], Instruction]]:
    """The instructions of these Dockerfiles, and where each stands."""
    for path, text in _built(repository).items():
        yield from (((path, one.line), one) for one in instructions(text))


class NumericUser(Rule):
    """The last USER is a number above 0."""

    code = "IMG001"
    why = "Kubernetes cannot tell that a name is not root, and refuses to start the container."
    bad = {_FILE: _GOOD.replace("USER 10001", "USER app"), ".dockerignore": _IGNORE}
    good = {_FILE: _GOOD, ".dockerignore": _IGNORE}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The Dockerfiles whose last user is neither a number nor other than root."""
        for path, text in _built(repository).items():
            base, said = last_user(text)
            user = said.arguments.split(":")[0] if said else ""
            if said is None and _NOT_ROOT.search(base):
                continue
            if not user.isdigit() or int(user) == 0:
                is_name = bool(user) and not user.isdigit()
                name = "Kubernetes cannot tell that this name is not root."
                yield self.at(
                    (path, said.line if said else None),
                    name if is_name else "The image runs as root.",
                    value=user or None,
                    allowed="a number, such as 10001",
                )


class IgnoredCopy(Rule):
    """Everything copied is in Git."""

    code = "IMG002"
    why = "A binary that Git ignores was copied on one machine, and missing from every other build."
    bad = {
        _FILE: _GOOD.replace("COPY app ./app", "COPY server ./server"),
        ".gitignore": "server\n",
        ".dockerignore": _IGNORE,
    }
    good = {_FILE: _GOOD, ".gitignore": "server\n", ".dockerignore": _IGNORE}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The sources that a pattern of ``.gitignore`` matches, or that ``.dockerignore`` leaves out."""
        readers = ((".gitignore", ignored_by_git), (".dockerignore", ignored_by_docker))
        checks = tuple(f"{check} " for check in context.facts["ci_checks"])
        made = _built_after_others(repository, checks)
        installed = _built_after_others(repository)
        for place, one in _instructions(repository):
            for source in _sources(one):
                # What is no file here may be a directory.
                path = source if source in repository.paths else f"{source}/"
                # Git's own directory is in every checkout, and what an earlier step made is, too.
                top = Path(source).parts[:1]
                is_there = (
                    place[0] in made or top == (".git",) or (place[0] in installed and top in _INSTALLED)
                )
                for file, ignored_by in readers[1:] if is_there else readers:
                    pattern = ignored_by(repository.files.get(file, ""), path)
                    if pattern is not None:
                        message = f"{source} is not in the build: {file} leaves it out."
                        yield self.at(place, message, value=pattern)


def _built_after_others(repository: Repository, checks: tuple[str, ...] = ()) -> set[str]:
    """The Dockerfiles that are built in a checkout where an earlier step may have made files, and nowhere else.

    ``checks`` is what commands begin with that make none.
    """
    built = list(_builds(repository, checks))
    return {path for path, there in built if there} - {path for path, there in built if not there}


def _builds(repository: Repository, checks: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """The Dockerfiles that are built, each with whether an earlier step may have made files there."""
    before: set[tuple[str, str]] = set()
    for step in steps(*repository.actions):
        job = step.actions.path, step.job
        if step.is_build:
            # Without a context the action takes the repository from Git, and not the checkout.
            yield step.dockerfile, job in before and "context" in step.inputs
            continue
        script = str(step.value.get("run") or "")
        for path, begun in built_by(script):
            yield path, job in before or _makes([begun], checks)
        if _makes([script], checks) or step.uses[0] == "actions/download-artifact":
            before.add(job)
    for workflow in repository.workflows:
        for build in builds(workflow):
            earlier = workflow.steps[: workflow.steps.index(build)]
            yield dockerfile(build), any(_makes(step.commands, checks) for step in earlier)
        scripts: list[str] = []
        for script in [command for step in workflow.steps for command in step.commands]:
            for path, begun in built_by(script):
                yield path, _makes([*scripts, begun], checks)
            scripts.append(script)


def _makes(scripts: Iterable[str], checks: tuple[str, ...]) -> bool:
    """Whether one of these scripts' commands, other than a check, may create a file."""
    commands = [command.strip() for script in scripts for command in re.split(r"&&|\|\||[;|\n]", script)]
    begun = [_RUNNER.sub("", command) for command in commands if command and not command.startswith("#")]
    return any(_WRITES.search(c) or not f"{c} ".startswith(checks or "\0") for c in begun)


def _sources(instruction: Instruction) -> list[str]:
    arguments = instruction.arguments
    if instruction.name not in ("COPY", "ADD") or "--from=" in arguments or arguments.startswith("["):
        return []
    try:
        words = [word for word in shlex.split(arguments) if not word.startswith("--")]
    except ValueError:
        return []
    return [
        word.removeprefix("./").strip("/")
        for word in words[:-1]
        if word not in (".", "./") and "*" not in word and "$" not in word
    ]


class BuildTools(Rule):
    """The build stage installs what the build needs."""

    code = "IMG003"
    why = "With NODE_ENV=production, npm leaves out the development dependencies, and with them the bundler."
    bad = {_FILE: _NODE, ".dockerignore": _IGNORE}
    good = {_FILE: _NODE.replace("npm ci", "npm ci --include=dev"), ".dockerignore": _IGNORE}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The installations after ``NODE_ENV=production`` that do not include development packages."""
        for path, text in _built(repository).items():
            production = False
            for one in instructions(text):
                if one.name == "FROM":
                    production = False
                if one.name == "ENV" and "production" in one.arguments and "NODE_ENV" in one.arguments:
                    production = True
                installs = one.name == "RUN" and _PROJECT_INSTALL.search(one.arguments)
                says = "--include=dev" in one.arguments or "--omit=dev" in one.arguments
                if installs and production and not says:
                    message = "npm leaves the development dependencies out here."
                    yield self.at((path, one.line), message, fix="npm ci --include=dev")


class BrowserDownload(Rule):
    """A build downloads no browser and no model."""

    code = "IMG004"
    why = "Such downloads time out from within the cluster."
    bad = {
        _FILE: _GOOD.replace("COPY app", "RUN playwright install chromium\nCOPY app"),
        ".dockerignore": _IGNORE,
    }
    good = {_FILE: _GOOD, ".dockerignore": _IGNORE}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The downloads that are known to be large."""
        fix = "Start from an image that has it, or download it at start into a volume."
        for place, one in _instructions(repository):
            for command in _DOWNLOADS if one.name == "RUN" else ():
                if command in one.arguments:
                    message = "This download times out in the cluster."
                    yield self.at(place, message, value=command, fix=fix)


class Readme(Rule):
    """The build has every file that pyproject.toml names."""

    code = "IMG005"
    why = "The build backend reads the README that pyproject.toml names, and fails without it."
    bad = {
        _FILE: _GOOD.replace("COPY app", "COPY pyproject.toml ./\nRUN pip install .\nCOPY app"),
        "pyproject.toml": '[project]\nname = "app"\nreadme = "README.md"\n',
        ".dockerignore": _IGNORE,
    }
    good = {**bad, _FILE: bad[_FILE].replace("pyproject.toml", "pyproject.toml README.md")}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The installations of a project without its README."""
        readme = _readme(repository.files.get("pyproject.toml", ""))
        for path, text in _built(repository).items() if readme else ():
            copied: set[str] = set()
            for one in instructions(text):
                copied |= set(one.arguments.split()) if one.name in ("COPY", "ADD") else set()
                installs = one.name == "RUN" and any(command in one.arguments for command in _BUILD_BACKENDS)
                if installs and readme not in copied and "." not in copied:
                    message = f"{readme} is not copied yet, and pyproject.toml names it."
                    yield self.at((path, one.line), message, fix="COPY it along with pyproject.toml.")


def _readme(text: str) -> str:
    import tomllib

    try:
        project = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError:
        return ""
    readme = project.get("readme", "")
    return readme if isinstance(readme, str) else str(readme.get("file", ""))


class Dockerignore(Rule):
    """A Dockerfile has a .dockerignore."""

    code = "IMG006"
    why = (
        "Without one, `COPY . .` puts the history, the virtual environment and local secrets into the image."
    )
    bad = {_FILE: _GOOD.replace("COPY app ./app", "COPY . .")}
    good = {**bad, ".dockerignore": _IGNORE}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The Dockerfiles that copy everything although nothing is left out."""
        if any(path.endswith(".dockerignore") for path in repository.files):
            return
        for place, one in _instructions(repository):
            if one.name in ("COPY", "ADD") and one.arguments.split()[:1] in (["."], ["./"]):
                message = "Everything is copied, and nothing is left out."
                yield self.at(place, message, fix="Write a .dockerignore.")

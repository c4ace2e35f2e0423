"""A Woodpecker workflow: its text as it is substituted for several runs, its steps, when it runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scaffold.pipelines.documents import PipelineFile
from scaffold.templates.image import ImageReference

COMMON = {
    "CI": "woodpecker",
    "CI_COMMIT_BRANCH": "master",
    "CI_COMMIT_REF": "refs/heads/master",
    "CI_COMMIT_SHA": "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
    "CI_PIPELINE_EVENT": "push",
    "CI_PIPELINE_NUMBER": "7",
    "CI_PIPELINE_URL": "https://ci.example.test/repos/1/pipeline/7",
    "CI_REPO": "someone/app",
    "CI_REPO_NAME": "app",
    "CI_REPO_OWNER": "someone",
    "CI_REPO_DEFAULT_BRANCH": "master",
}
"""What every run knows. Only the shape of the values matters."""


@dataclass(frozen=True, slots=True)
class Run:
    """One kind of run: what the variables are then."""

    title: str
    environment: Mapping[str, str]


def runs(variables: Sequence[str]) -> tuple[Run, ...]:
    """The runs under which a text that reads these variables has to mean the same.

    Started through the API (every variable is given), by a plain push (only CI's own are), and with
    two commits whose first eight characters YAML would take for a number.
    """
    given = {name: "a1b2c3d4" for name in variables if not name.startswith("CI_")}
    octal = COMMON["CI_COMMIT_SHA"].replace("a1b2c3d4", "01234567")
    exponent = COMMON["CI_COMMIT_SHA"].replace("a1b2c3d4", "12345e12")
    own = {name: COMMON.get(name, "x") for name in variables if name.startswith("CI_")} | COMMON
    return (
        Run("a run through the API", {**own, **given, "CI_PIPELINE_EVENT": "manual"}),
        Run("a plain push", own),
        Run("a commit 01234567", {**own, **dict.fromkeys(given, "01234567"), "CI_COMMIT_SHA": octal}),
        Run("a commit 12345e12", {**own, **dict.fromkeys(given, "12345e12"), "CI_COMMIT_SHA": exponent}),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step, clone step or service, with its place in the file."""

    workflow: Workflow
    area: str
    key: str | int
    name: str
    value: Mapping[str, Any]

    @property
    def image(self) -> str:
        """The image, or nothing."""
        return str(self.value.get("image") or "")

    @property
    def repository(self) -> str:
        """The image without its tag or digest."""
        return ImageReference.parse(self.image).name

    @property
    def settings(self) -> Mapping[str, Any]:
        """The plugin's settings."""
        settings = self.value.get("settings")
        return settings if isinstance(settings, Mapping) else {}

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that are text."""
        return tuple(command for command in _list(self.value.get("commands")) if isinstance(command, str))

    @property
    def when(self) -> tuple[Mapping[str, Any], ...]:
        """The conditions, of which one has to hold."""
        return conditions(self.value.get("when"))

    def place(self, *path: str | int) -> tuple[str, int]:
        """The file, and the line of a value of this step."""
        return self.workflow.place(self.area, self.key, *path)


class Workflow(PipelineFile):
    """One file that Woodpecker runs, parsed as for a run through the API."""

    @property
    def value(self) -> Mapping[str, Any]:
        """The file's mapping."""
        return self.document.value if isinstance(self.document.value, Mapping) else {}

    @property
    def when(self) -> tuple[Mapping[str, Any], ...]:
        """The workflow's conditions, of which one has to hold; none is: always."""
        return conditions(self.value.get("when"))

    def area(self, name: str) -> tuple[Step, ...]:
        """The steps of ``steps``, ``clone`` or ``services``, as a list or a mapping."""
        return tuple(self._area(name))

    def _area(self, name: str) -> Iterator[Step]:
        found = self.value.get(name)
        if isinstance(found, Mapping):
            for key, value in found.items():
                yield Step(self, name, str(key), str(key), value if isinstance(value, Mapping) else {})
        for index, value in enumerate(found if isinstance(found, list) else ()):
            if isinstance(value, Mapping):
                yield Step(self, name, index, str(value.get("name", f"step-{index}")), value)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps."""
        return self.area("steps")

    def runs_on(self, event: str) -> bool:
        """Whether some condition lets this event in, whatever else it asks for."""
        return not self.when or any(event in events(condition) for condition in self.when)

    @property
    def guarded(self) -> bool:
        """Whether every condition also evaluates an expression."""
        return bool(self.when) and all("evaluate" in condition for condition in self.when)


def conditions(when: Any) -> tuple[Mapping[str, Any], ...]:
    """The alternatives of a ``when``."""
    return tuple(item for item in _list(when) if isinstance(item, Mapping))


def events(condition: Mapping[str, Any]) -> tuple[str, ...]:
    """The events that a condition names; every one where it names none."""
    named = condition.get("event")
    if named is None:
        return ("push", "manual", "deployment", "tag", "cron", "pull_request", "release")
    if isinstance(named, Mapping):
        named = named.get("include") or []
    return tuple(str(event) for event in _list(named))


def branches(condition: Mapping[str, Any]) -> tuple[str, ...]:
    """The branches that a condition names."""
    named = condition.get("branch")
    if isinstance(named, Mapping):
        named = named.get("include") or []
    return tuple(str(branch) for branch in _list(named))


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One ``kubectl`` command of a step, in words."""

    step: Step
    number: int
    words: tuple[str, ...]

    @property
    def namespace(self) -> str:
        """The namespace that it names, or nothing."""
        for flag in ("-n", "--namespace"):
            if flag in self.words[:-1]:
                return self.words[self.words.index(flag) + 1]
        joined = [word.partition("=")[2] for word in self.words if word.startswith("--namespace=")]
        return joined[0] if joined else ""

    @property
    def positional(self) -> tuple[str, ...]:
        """The words that are no options, without ``kubectl`` itself."""
        kept: list[str] = []
        words = iter(self.words[1:])
        for word in words:
            if word in ("-n", "--namespace", "--timeout"):
                next(words, None)
            elif not word.startswith("-"):
                kept.append(word)
        return tuple(kept)

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line of the command."""
        return self.step.place("commands", self.number)

    def is_a(self, *verb: str) -> bool:
        """Whether it is this command, such as ``set image``."""
        return self.positional[: len(verb)] == verb

    @property
    def target(self) -> tuple[str, str]:
        """Kind and name of what ``set image`` and ``rollout …`` are about."""
        rest = self.positional[2:]
        if not rest:
            return "", ""
        kind, slash, name = rest[0].partition("/")
        return (kind, name) if slash else (kind, rest[1] if len(rest) > 1 else "")

    @property
    def images(self) -> Mapping[str, ImageReference]:
        """The images that ``set image`` gives, by container."""
        pairs = [word.partition("=") for word in self.positional[3:] if "=" in word]
        return {name: ImageReference.parse(image) for name, _, image in pairs}


def kubectl_commands(*workflows: Workflow) -> Iterator[Kubectl]:
    """Every ``kubectl`` command of the workflows' steps."""
    for step in (step for workflow in workflows for step in workflow.steps):
        for number, command in enumerate(step.commands):
            for line in command.splitlines():
                try:
                    words = shlex.split(line)
                except ValueError:
                    continue
                if words and words[0] == "kubectl":
                    yield Kubectl(step, number, tuple(words))

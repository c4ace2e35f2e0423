"""A Woodpecker workflow: its steps, when they run, and the variables that it reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from scaffold.pipelines import conditions, substitution
from scaffold.pipelines.conditions import Condition
from scaffold.pipelines.documents import Key, PipelineFile, parse_workflow
from scaffold.reading import YamlError, listed, mapping, part, walked
from scaffold.templates.image import ImageReference


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
        """The image without its tag or digest, and without Docker Hub, which need not be written."""
        return ImageReference.parse(self.image).name.removeprefix("docker.io/")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The plugin's settings."""
        return mapping(self.value.get("settings"))

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that are text."""
        return tuple(command for command in listed(self.value.get("commands")) if isinstance(command, str))

    def written(self, *path: str | int) -> object:
        """A value of this step as it is written: with its variables, before Woodpecker replaces them."""
        value: Any = self.workflow.unsubstituted
        try:
            for key in (self.area, self.key, *path):
                value = value[key]
        except (LookupError, TypeError):  # a key with a variable in it
            return None
        return value

    @property
    def when(self) -> tuple[Mapping[str, Any], ...]:
        """Its own conditions, of which one has to hold."""
        return conditions.conditions(self.value.get("when"))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The ways in which it runs, by the workflow's conditions and its own."""
        return conditions.both(self.workflow.value.get("when"), self.value.get("when"))

    def place(self, *path: str | int) -> tuple[str, int]:
        """The file, and the line of a value of this step."""
        return self.workflow.place(self.area, self.key, *path)


OUTDATED = {"pipeline": "`steps`", "branches": "`when: {branch: …}`", "platform": "`labels: {platform: …}`"}
"""Keys of earlier versions of Woodpecker, and what they are called."""


class Workflow(PipelineFile):
    """One file that Woodpecker runs, parsed as in a run through the API."""

    @property
    def value(self) -> Mapping[str, Any]:
        """The file's mapping."""
        return mapping(self.document.value)

    @cached_property
    def unsubstituted(self) -> object:
        """The file's mapping as it is written or, if that is not YAML, as it was parsed."""
        try:
            return parse_workflow(self.raw).value
        except YamlError:
            return self.value

    @property
    def when(self) -> tuple[Mapping[str, Any], ...]:
        """The workflow's conditions, of which one has to hold; without any, it always runs."""
        return conditions.conditions(self.value.get("when"))

    @property
    def outdated(self) -> tuple[str, ...]:
        """The keys of earlier versions, if there are no steps: then the file does nothing."""
        return tuple(key for key in OUTDATED if key in self.value and "steps" not in self.value)

    @property
    def name(self) -> str:
        """The name by which other workflows refer to it."""
        return PurePosixPath(self.path).stem

    @property
    def depends_on(self) -> frozenset[str]:
        """The workflows that it waits for."""
        return frozenset(needed(self.value.get("depends_on")))

    def area(self, name: str) -> tuple[Step, ...]:
        """The steps under ``steps``, ``clone`` or ``services``, as a list or a mapping."""
        return tuple(self._area(name))

    def _area(self, name: str) -> Iterator[Step]:
        found = self.value.get(name)
        if isinstance(found, Mapping):
            for key, value in found.items():
                yield Step(self, name, str(key), str(key), mapping(value))
        for index, value in enumerate(found if isinstance(found, list) else ()):
            if isinstance(value, Mapping):
                yield Step(self, name, index, str(value.get("name", f"step-{index}")), value)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps."""
        return self.area("steps")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The ways in which some step of it runs."""
        return tuple(condition for step in self.steps for condition in step.conditions)

    def runs_on(self, event: str) -> bool:
        """Whether some step runs on this event, whatever else its condition demands."""
        return any(event in condition.events for condition in self.conditions)

    def always_runs_on(self, event: str) -> bool:
        """Whether some step runs on this event without an expression that is evaluated first."""
        return any(event in c.events and not c.evaluates for c in self.conditions)

    @property
    def matrix(self) -> frozenset[str]:
        """The variables that its matrix gives."""
        return frozenset(key for axis in axes(self.raw) for key in axis)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Every variable that the text reads through ``${…}``, comments included, in its order."""
        found = substitution.uses(self.raw)
        outer = [use for use in found if not any(o.offset < use.offset < o.end for o in found)]
        text, at = "", 0
        for number, use in enumerate(outer):
            text += f"{self.raw[at : use.offset]}{_MARK}{number}{_MARK}"
            at = use.end
        try:
            value = parse_workflow(text + self.raw[at:]).value
        except YamlError:
            return tuple(Reading(use, ()) for use in found)
        paths = {int(number): path for path, leaf in _texts(value) for number in leaf.split(_MARK)[1::2]}
        around = {
            use: number for number, o in enumerate(outer) for use in found if o.offset <= use.offset < o.end
        }
        return tuple(Reading(use, paths.get(around[use])) for use in found)


_MARK = "\ue000"
"""A character that nobody writes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A variable that a file reads, and the place of the value that it becomes a part of; None in a comment."""

    use: substitution.Use
    path: tuple[Key, ...] | None


def _texts(document: object) -> Iterator[tuple[tuple[Key, ...], str]]:
    """Every text of a document, the keys included, with its path."""
    for path, value in walked(document):
        yield from ((path, text) for text in (*path[-1:], value) if isinstance(text, str))


def axes(raw: str) -> tuple[Mapping[str, str], ...]:
    """The runs of a workflow's matrix in which each of its values occurs; it is read before substitution."""
    try:
        value = parse_workflow(raw).value
    except YamlError:
        return ()
    matrix = part(value, "matrix")
    if not isinstance(matrix, Mapping):
        return ()
    if isinstance(include := matrix.get("include"), list):
        return tuple({str(k): str(v) for k, v in one.items()} for one in include if isinstance(one, Mapping))
    values = {str(key): one for key, one in matrix.items() if isinstance(one, list) and one}
    longest = max(map(len, values.values()), default=0)
    return tuple({key: str(one[i % len(one)]) for key, one in values.items()} for i in range(longest))


def needed(value: object) -> list[str]:
    """The names in a ``depends_on``: text, a list of texts, or of mappings."""
    return [str(item.get("name") if isinstance(item, Mapping) else item) for item in listed(value)]


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
        """The words that are not options, without ``kubectl`` itself."""
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
        """Kind and name of the object of ``set image`` and ``rollout …``."""
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

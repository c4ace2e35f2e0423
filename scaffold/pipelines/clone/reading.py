"""What a clone proposes as answers, and which of the answers it contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from scaffold.answers.sources import Answers, Place
from scaffold.errors import Finding
from scaffold.pipelines.clone.app import Kind, checks, dockerfile_of, health_route, kind_of, module, said
from scaffold.pipelines.clone.projects import Project, projects
from scaffold.pipelines.clone.remotes import branch, build_of, forge_host, is_mirrored, remotes
from scaffold.pipelines.clone.tree import Tree
from scaffold.reading import YamlError, load
from scaffold.templates import questions
from scaffold.templates.questions import Value
from scaffold.templates.render import ANSWERS_FILE


@dataclass(frozen=True, slots=True)
class Proposal:
    """An answer that a clone proposes, and its source: a file, or a remote."""

    answer: str
    value: Value
    source: str
    line: int | None = None
    firm: bool = True
    """Whether another answer contradicts the clone."""

    @property
    def shown(self) -> str:
        """The value on one line."""
        return _shown(self.value)


@dataclass(frozen=True, slots=True)
class Clone:
    """What was read of a clone."""

    proposals: tuple[Proposal, ...]
    notes: tuple[Finding, ...] = ()
    """What is wrong with the clone itself, such as a file that its build copies and that is not there."""

    def taken(self, given: Mapping[str, Value]) -> tuple[Proposal, ...]:
        """The proposals for questions that apply and that nobody has answered."""
        known = dict(given)
        taken = []
        for one in self.proposals:
            if questions.lacks(questions.asked()[one.answer], known):
                known[one.answer] = one.value
                taken.append(one)
        return tuple(taken)

    def contradicted(self, values: Mapping[str, Value]) -> Iterator[Finding]:
        """The answers and defaults that differ from what the clone shows."""
        for one in self.proposals:
            value, question = values.get(one.answer), questions.asked()[one.answer]
            if one.firm and value != one.value and questions.applies(question, values):
                text = f"{one.answer} is {_shown(value)}, and the clone says {one.shown}."
                fix = "Give the clone's, or change it there."
                yield Finding(
                    one.source, one.line, None, "clone.differs", text, fix=fix, answer=one.answer,
                    write=yaml.safe_dump({one.answer: one.value}, sort_keys=False),
                )  # fmt: skip


def answers(taken: tuple[Proposal, ...]) -> Answers:
    """Proposals as answers that any other source overrides."""
    values = {one.answer: one.value for one in taken}
    places: dict[tuple[str | int, ...], Place] = {(one.answer,): Place(one.source, one.line) for one in taken}
    return Answers(values, places)


def read(root: Path, given: Mapping[str, Value], facts: Mapping[str, Value]) -> Clone:
    """What the clone at ``root`` proposes besides the answers that are ``given``, by the facts of the house.

    Raises :class:`~scaffold.errors.MissingError` where Git refuses.
    """
    tree = Tree(root)
    found = projects(tree)
    named = str(given.get("dockerfile", questions.asked()["dockerfile"].default))
    own = "" if _is_rendered(tree) else dockerfile_of(tree, named)
    kind = None if own else kind_of(tree, found, str(given.get("app_kind", "")))
    notes = kind.lacking if kind else ()
    from_git, elsewhere = _of_git(root, given, facts)
    proposals = (
        *from_git,
        *_described(tree, found),
        *(_of_dockerfile(tree, own, named) if own else _of_kind(tree, kind, facts)),
        *_of_sources(tree, kind, found, facts),
    )
    first = {one.answer: one for one in reversed(proposals)}
    return Clone(tuple(one for one in proposals if first[one.answer] is one), (*elsewhere, *notes))


def _is_rendered(tree: Tree) -> bool:
    """Whether the Dockerfile was rendered here earlier, according to what the clone records."""
    try:
        record = load(tree.text(ANSWERS_FILE))
    except YamlError:
        return False
    return isinstance(record, dict) and record.get("app_kind", "own") != "own"


def _of_git(
    root: Path, given: Mapping[str, Value], facts: Mapping[str, Value]
) -> tuple[list[Proposal], list[Finding]]:
    """The build mode, the repository, the branch, the name, and the note that a build has another source."""
    found, builds = remotes(root), facts["builds"]
    usual = build_of(facts, found)
    taken_from = f"the remote {found[0].called}" if found and usual else "the monorepo"
    proposals = [Proposal("build", usual or facts["own_build"], taken_from, firm=False)]
    mode = given.get("build", proposals[0].value)
    owned = mode in builds and builds[mode]["owned"]
    here = [remote for remote in found if owned and forge_host(facts, mode) == remote.host]
    # Where a mirror is built, the house's script decides what that is called.
    for remote in here[:1] if owned and not is_mirrored(facts, mode) else ():
        source = f"the remote {remote.called}"
        proposals.append(Proposal("repository", f"{remote.owner}/{remote.name}", source))
    if built := branch(root):
        proposals.append(Proposal("branch", built, "the branch"))
    for remote in (here or list(found))[:1]:
        name = re.sub(r"[^a-z0-9]+", "-", remote.name.lower()).strip("-")
        if re.fullmatch(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", name):
            proposals.append(Proposal("name", name, f"the remote {remote.called}", firm=False))
    notes = []
    if found and not here and owned:
        hosts = ", ".join(sorted({remote.host for remote in found}))
        text = f"{mode} builds what {forge_host(facts, mode)} has, and the clone's remotes are at {hosts}."
        fix = "Have it mirrored there, or choose the build of its forge."
        notes.append(Finding(".git/config", None, None, "clone.forge", text, fix=fix, answer="build"))
    return proposals, notes


def _described(tree: Tree, found: tuple[Project, ...]) -> Iterator[Proposal]:
    """The description: a manifest's, else the beginning of the README, else the title of a page."""
    for project in found:
        if text := _line(project.text("project.description", "tool.poetry.description", "description")):
            yield Proposal("description", text, project.path, firm=False)
    readme = next((p for p in tree.paths if p.lower() in ("readme.md", "readme.rst", "readme.txt")), "")
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", tree.text(readme)))
    for part in paragraphs:
        if part[:1].isalnum() and not re.search(r"\n[=-]{3,}", part):
            sentence = re.split(r"(?<=[.!?])\s", _line(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", part)))[0]
            yield Proposal("description", sentence.strip("`*_").rstrip("."), readme, firm=False)
            break
    page = "public/index.html"
    if title := re.search(r"(?is)<title>(.*?)</title>", tree.text(page)):
        yield Proposal("description", _line(title[1]), page, firm=False)


def _line(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:200]


def _of_dockerfile(tree: Tree, path: str, named: str) -> Iterator[Proposal]:
    if path != named:
        yield Proposal("dockerfile", path, path)
    yield from (Proposal(answer, value, path, line) for answer, value, line in said(tree.text(path)))


def _of_kind(tree: Tree, kind: Kind | None, facts: Mapping[str, Value]) -> Iterator[Proposal]:
    if kind is None:
        return
    yield Proposal("app_kind", kind.name, kind.source)
    yield Proposal("port", kind.port, kind.source, firm=False)
    if (started := module(tree, kind)) is not None:
        yield Proposal("app_module", *started)
    if kind.version(tree, facts) != ("", ""):
        yield Proposal("app_version", *kind.version(tree, facts))
    if kind.health_path:
        yield Proposal("health_path", kind.health_path, kind.source, firm=False)


def _of_sources(
    tree: Tree, kind: Kind | None, found: tuple[Project, ...], facts: Mapping[str, Value]
) -> Iterator[Proposal]:
    """What sources show: the route that answers without a login, and what can be run before a build."""
    # Without its lock file nothing is installed; where a kind's Dockerfile copies it, that is told.
    parts = kind.parts if kind else tuple(one for one in found if one.locked)
    if route := next((known for one in parts if (known := health_route(tree, one))), None):
        yield Proposal("health_path", *route, firm=False)
    if made := list(checks(tree, parts, facts)):
        yield Proposal("checks", made, parts[0].path)


def _shown(value: Value) -> str:
    if value in ("", None, []):
        return "not given"
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()

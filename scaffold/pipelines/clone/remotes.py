"""Where a clone comes from, and which of its branches is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.changes.git import git
from scaffold.errors import MissingError
from scaffold.templates import template
from scaffold.templates.questions import Value

_URL = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]*@)?(?P<host>[A-Za-z0-9.-]+)(?::\d+)?/|(?:[^@/:]*@)?(?P<at>[A-Za-z0-9.-]+):/?)"
    r"(?P<owner>[A-Za-z0-9-]+)/(?P<name>[A-Za-z0-9._-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository that a clone comes from or is pushed to; a password in its URL is not kept."""

    called: str
    host: str
    owner: str
    name: str


def remotes(root: Path) -> tuple[Remote, ...]:
    """The remotes whose URL names an owner and a repository, ``origin`` first."""
    found = []
    for line in git(root, "remote", "-v").splitlines():
        called, _, rest = line.partition("\t")
        url, _, direction = rest.rpartition(" ")
        if direction == "(fetch)" and (parts := _URL.fullmatch(url)):
            host = parts["host"] or parts["at"]
            found.append(Remote(called, host.lower(), parts["owner"], parts["name"]))
    return tuple(sorted(found, key=lambda remote: remote.called != "origin"))


def branch(root: Path) -> str:
    """The branch that is built: the forge's default, else one with a usual name, else the current one.

    Nothing if the repository is new and from nowhere.
    """
    listed = git(root, "for-each-ref", "--format=%(refname) %(symref)", "refs/heads", "refs/remotes/origin")
    refs = dict(line.split(" ", 1) for line in listed.splitlines())
    if usual := refs.get("refs/remotes/origin/HEAD"):
        return usual.removeprefix("refs/remotes/origin/")
    named = [name for name in template.facts("clone")["branches"] if _has(refs, name)]
    try:
        head = git(root, "symbolic-ref", "--short", "HEAD").strip()
    except MissingError:  # no branch is checked out
        head = ""
    if head in named or not named:
        return head if refs or git(root, "remote").strip() else ""
    return str(named[0])


def _has(refs: Mapping[str, str], name: str) -> bool:
    return f"refs/heads/{name}" in refs or f"refs/remotes/origin/{name}" in refs


def is_mirrored(facts: Mapping[str, Value], mode: str) -> bool:
    """Whether what a build mode builds is a mirror of what people push to the house's own forge."""
    return bool(facts["mirror"]["there"] and "login" not in facts["builds"][mode])


def forge_host(facts: Mapping[str, Value], mode: str) -> str:
    """The host of the forge that people push to where a build mode builds; for a mirror, the house's own."""
    build = facts["builds"][mode]
    if is_mirrored(facts, mode):
        build = next(row for row in facts["builds"].values() if row.get("forge") == "own")
    known: Mapping[str, str] = template.facts("clone")["forges"]
    return known.get(build["forge"]) or str(build["registry"]).partition("/")[0]


def build_of(facts: Mapping[str, Value], found: tuple[Remote, ...]) -> str | None:
    """The build mode for a clone with these remotes: the usual one if its source is one of them.

    Else the first that does, before others one whose images belong to whoever owns the source.
    """
    hosts, builds, usual = {remote.host for remote in found}, facts["builds"], str(facts["own_build"])
    fitting = [mode for mode, row in builds.items() if row["owned"] and forge_host(facts, mode) in hosts]
    if usual in fitting:
        return usual
    return min(fitting, key=lambda mode: not builds[mode].get("of_owner"), default=None)

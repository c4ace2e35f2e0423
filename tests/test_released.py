"""Stacks of every released version can still be updated: their answers are read, and what exists is kept."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ORIGIN
from test_copier import commit, git, run_copier

from scaffold.answers import validation
from scaffold.commands.export import export
from scaffold.commands.stored import record_of
from scaffold.generate.released import DIRECTORY, broken, snapshot
from scaffold.monorepo import facts, survey
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, template
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.templates.template import Origin

RELEASED = template.root() / DIRECTORY
VERSIONS = sorted(path.stem for path in RELEASED.glob("*.json"))
# What is refused on purpose, with where and how to mend it: it may only grow by a decision.
ACCEPTED = {
    "0.1.0": [
        "machine_clients[].auth is required, and no earlier stack has it: give it a default",
    ]
}
FILES = sorted(RELEASED.glob("*/*.yml"))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_release_asked_can_still_be_read(version: str) -> None:
    assert list(broken(json.loads((RELEASED / f"{version}.json").read_text()))) == ACCEPTED.get(version, [])


def test_what_would_not_be_read_is_told() -> None:
    now: dict[str, dict[str, Any]] = snapshot()
    assert list(broken(now)) == []

    def earlier(name: str, **said: Any) -> list[str]:
        return list(broken({**now, name: {**now.get(name, now["env"]), **said}}))

    keys = now["volumes"]["keys"]
    assert earlier("motto") == ["motto is gone: give the question that takes its place `x-was: motto`"]
    told = ["keel has no choice weekly any more: stacks have recorded it"]
    assert earlier("keel", choices=["enrolled", "weekly"]) == told
    told = ["port is required, and no earlier stack has an answer: give it a default"]
    assert list(broken({name: said for name, said in now.items() if name != "port"})) == told
    assert earlier("port", required=False) == told
    told = ["volumes[].colour is gone: stacks have recorded it"]
    assert earlier("volumes", keys={**keys, "[].colour": False}) == told
    told = ["volumes[].path is required, and no earlier stack has it: give it a default"]
    assert earlier("volumes", keys={**keys, "[].path": False}) == told
    assert earlier("volumes", keys={key: said for key, said in keys.items() if key != "[].path"}) == told


def rows(found: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The places of all rows of facts: mappings that hold more than mappings."""
    inner = [
        place
        for key, value in found.items()
        if isinstance(value, dict)
        for place in rows(value, (*path, key))
    ]
    is_row = path and not all(isinstance(value, dict) for value in found.values())
    return [*inner, *([path] if is_row else [])]


def test_no_sensed_fact_is_recorded_by_leaf() -> None:
    """A registry without its pull secret would get that of another version: what belongs together is kept so."""
    house = decisions.house()
    assert ("builds", "github-ghcr") in rows(house)
    for place in rows(house):
        row: Any = house
        for key in place:
            row = row[key]
        for leaf in (key for key, value in row.items() if not isinstance(value, dict)):
            found: Any = {leaf: "another"}
            for key in reversed(place):
                found = {key: found}
            recorded: Any = survey._difference(house, found)
            for key in place:
                recorded = recorded[key]
            bound = {key for key in row if facts.is_of_templates((*place, key))}
            beside = {k: v for k, v in row.items() if k not in bound} if not facts.stands_apart(place) else {}
            assert recorded == {**beside, leaf: "another"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_answers_of_a_release_are_valid_and_nothing_that_exists_moves(file: Path, monorepo: Monorepo) -> None:
    """The fast part of it; that of stock Copier follows."""
    before = yaml.safe_load(file.read_text())
    directory = monorepo.stack_directory(before["name"])
    directory.mkdir(exist_ok=True)
    (directory / ANSWERS_FILE).write_text(file.read_text())
    record = record_of(monorepo, before["name"])
    assert (record.version, record.edited) == (f"v{file.parent.name}", False)
    assert len(record.given.values) < len(before) / 2, "the defaults of that version are no answers"
    assert validation.problems(record.given, record.sensed, record.recorded) == []
    after = render(record.given.values, record.sensed, record.recorded, ORIGIN).values["recorded_now"]
    assert after["names"] == before["recorded"]["names"]
    assert after["database"] == before["recorded"]["database"]
    for volume, said in before["recorded"]["volumes"].items():
        assert after["volumes"][volume].items() >= said.items()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """The templates of each release that is kept, and those at hand, as a repository with tags."""
    there = tmp_path / "template"
    there.mkdir()
    git(there, "init", "--quiet", "--initial-branch=main")
    for version in sorted(path.parent.name for path in RELEASED.glob("*/templates.tar.xz")):
        with tarfile.open(RELEASED / version / "templates.tar.xz") as archive:
            archive.extractall(there, filter="data")
        commit(there, version, f"v{version}")
    return there


@pytest.mark.slow("copier update renders the template three times")
@pytest.mark.parametrize("file", FILES[1:2], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_stock_copier_updates_a_stack_of_a_release(
    file: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = yaml.safe_load(file.read_text())
    stack = tmp_path / "monorepo" / "stacks" / said["name"]
    stack.mkdir(parents=True)
    git(tmp_path / "monorepo", "init", "--quiet")
    options = ["--quiet", "--defaults", f"--vcs-ref={said['_commit']}", f"--data-file={file}"]
    done = run_copier(stack, "copy", *options, str(history), ".")
    assert done.returncode == 0, done.stderr
    commit(stack, "A stack")
    monkeypatch.setattr(template, "version", lambda: "99.0.0")
    export(history, Origin("x", "v99.0.0", updatable=True))
    done = run_copier(stack, "update", "--quiet", "--defaults")
    assert done.returncode == 0, done.stderr
    assert "<<<<<<<" not in (stack / "main.tf").read_text()
    now = yaml.safe_load((stack / ANSWERS_FILE).read_text())
    assert (now["_commit"], now["hash"]) == ("v99.0.0", decisions.seal(now))
    assert now["recorded"]["names"] == said["recorded"]["names"]
    assert len(now) < len(said) / 2

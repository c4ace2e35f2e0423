"""Four commands that write at the same time take turns: what each has reported as written is there.

`dev test --fuzz N` runs N rounds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support import ANSWERS, ORIGIN, examples, git, scaffold
from test_kills import ON_LINUX, Writer, ended, forked

from scaffold.answers.sources import from_yaml
from scaffold.changes import lock
from scaffold.changes.change import ChangeSet
from scaffold.checks.verify import Level
from scaffold.commands import new_service
from scaffold.commands.service_entry import service_entry
from scaffold.indexes.edits import insertions
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions

ANSWERS_OF_EACH = ANSWERS / "valid/linkboard.yml"
NAMES = ("east", "west", "north", "south")
NEW = "new-service"


@pytest.fixture(scope="module")
def unlisted(pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monorepo with a stack that no list has, for ``index --fix``."""
    root = tmp_path_factory.mktemp("unlisted") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    answers = from_yaml(ANSWERS_OF_EACH.read_bytes(), "a.yml")
    new_service.prepare(Monorepo(root), answers, level=Level.STATIC, template_source=ORIGIN.source).apply(
        commit=False
    )
    git(root, "checkout", "--quiet", ".")
    return root


def run(root: Path, command: str, name: str) -> Writer:
    own = ("--answers", ANSWERS_OF_EACH, "--set", f"name={name}", "--set", f"host={name}")
    arguments = (*own, "--verify", "static", "--template-source", ORIGIN.source) if command == NEW else ()

    def work() -> None:
        done = scaffold(*command.split(), *arguments, "--monorepo", root)
        os._exit(done.returncode)

    return work


@ON_LINUX
@pytest.mark.slow("four commands a round")
@given(commands=st.lists(st.sampled_from([NEW, NEW, NEW, "index --fix"]), min_size=4, max_size=4))
@examples(3)
def test_four_writers_at_once_lose_no_edit(
    unlisted: Path, tmp_path_factory: pytest.TempPathFactory, commands: list[str]
) -> None:
    root = tmp_path_factory.mktemp("round") / "monorepo"
    shutil.copytree(unlisted, root, symlinks=True)
    children = [forked(run(root, *pair)) for pair in zip(commands, NAMES, strict=True)]
    codes = [ended(child) for child in children]
    event(", ".join(sorted(commands)))
    for command, name, code in zip(commands, NAMES, codes, strict=True):
        # One finds, of stacks that lists lack, what only a person can mend: exit 1.
        assert code == 0 or (command != NEW and code == 1), (commands, codes)
        if command == NEW:
            assert not lacking(root, name)
    if "index --fix" in commands:
        assert "linkboard" in (root / ".claude/reference/service-catalog.md").read_text()
    shutil.rmtree(root)


@ON_LINUX
@pytest.mark.slow("two commands in processes of their own")
@pytest.mark.parametrize("first", [NEW, "index --fix"])
def test_what_one_has_read_no_other_writes_meanwhile(unlisted: Path, tmp_path: Path, first: str) -> None:
    """The first stops between reading and writing until the second waits for it, or has written."""
    root = tmp_path / "monorepo"
    shutil.copytree(unlisted, root, symlinks=True)
    has_read, reads = os.pipe()
    waited, waits = os.pipe()

    def stopping() -> None:
        os.close(waits)
        plan, stops = ChangeSet.plan, [True]

        def planned(*arguments: Any) -> ChangeSet:
            change = plan(*arguments)
            if stops and stops.pop():
                os.write(reads, b".")
                os.read(waited, 1)  # ends where the other one does
            return change

        ChangeSet.plan = planned  # type: ignore[method-assign, assignment]
        run(root, first, "east")()

    def waiting() -> None:
        in_time = lock._in_time

        def telling(condition: Callable[[], bool]) -> bool:
            os.write(waits, b".")
            return in_time(condition)

        lock._in_time = telling
        run(root, NEW, "west")()

    children = [forked(stopping)]
    os.close(reads)
    assert os.read(has_read, 1), "the first has read"
    children.append(forked(waiting))
    os.close(waits)
    codes = [ended(child) for child in reversed(children)]
    assert codes[0] == 0
    assert codes[1] == 0 or (first != NEW and codes[1] == 1), (
        "the first is not refused for what the second wrote"
    )
    assert not lacking(root, "west")
    if first == NEW:
        assert not lacking(root, "east")
    else:
        assert "linkboard" in (root / ".claude/reference/service-catalog.md").read_text()


def lacking(root: Path, name: str) -> tuple[object, ...]:
    """The lists that a new Service should be in and is not."""
    monorepo = Monorepo(root)
    assert (monorepo.stack_directory(name) / "main.tf").is_file()
    given = from_yaml(ANSWERS_OF_EACH.read_bytes(), "a.yml").values
    values = decisions.combine({**given, "name": name, "host": name, "sensed": sense(monorepo)})
    return insertions(monorepo.files, service_entry(values)).edits

"""What others wrote meanwhile stays, and every command reports what an interrupted run left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import ANSWERS, scaffold

from scaffold.answers.sources import from_yaml
from scaffold.changes.change import Files
from scaffold.checks.verify import Level
from scaffold.commands import new_service
from scaffold.errors import RefusedError
from scaffold.indexes.edits import Edits, insertions
from scaffold.indexes.entry import ServiceEntry
from scaffold.monorepo.repository import Monorepo

DRONE = ANSWERS / "valid" / "drone-logbook.yml"
COMMANDS = (
    ["doctor"],
    ["index"],
    ["index", "--check"],
    ["remove-service", "journal"],
    ["explain", "--answers", DRONE],
    ["new-service", "--answers", DRONE, "--dry-run", "--verify", "static"],
)


def test_a_line_that_somebody_saves_while_a_service_is_prepared_is_not_overwritten(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = monorepo.root / ".claude/reference/service-catalog.md"
    theirs = catalog.read_text() + "\nTheir line.\n"

    def meanwhile(files: Files, entry: ServiceEntry, skip: tuple[str, ...]) -> Edits:
        found = insertions(files, entry, skip)
        catalog.write_text(theirs)
        return found

    monkeypatch.setattr(new_service, "insertions", meanwhile)
    answers = from_yaml(DRONE.read_bytes(), "a.yml")
    prepared = new_service.prepare(
        monorepo, answers, level=Level.STATIC, template_source="https://x.test/t.git"
    )
    with pytest.raises(RefusedError, match=r"changed in the meantime by another process: .*catalog\.md"):
        prepared.apply(commit=False)
    assert catalog.read_text() == theirs
    assert not monorepo.stack_directory("drone-logbook").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(map(str, command[:2])))
def test_a_tree_that_is_half_written_is_told(monorepo: Monorepo, command: list[str | Path]) -> None:
    journal = interrupted(monorepo)
    done = scaffold(*command, "--monorepo", monorepo.root)
    assert f"{monorepo.root} is half-written" in done.stderr
    mend = done.stderr.partition("To finish or undo it:\n  scaffold ")[2].splitlines()[0].split()
    assert journal.exists(), "who only reads changes nothing"
    assert scaffold(*mend).returncode == 0
    assert not journal.exists()
    assert "half-written" not in scaffold(*command, "--monorepo", monorepo.root).stderr


def test_a_half_written_repository_of_an_app_is_told(monorepo: Monorepo) -> None:
    interrupted(monorepo)
    assert "is half-written" in scaffold("check", "--pipelines", monorepo.root).stderr


def interrupted(monorepo: Monorepo) -> Path:
    """The journal of a run that was killed."""
    journal = monorepo.root / ".git/scaffold/journal.json"
    journal.parent.mkdir()
    journal.write_text(json.dumps({"version": 1, "goal": "old", "directories": [], "entries": []}))
    return journal

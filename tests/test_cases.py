"""Inputs from real users, each in a folder with the correct result: ``expected.yml``.

A file ``*.tf`` beside it is a stack of the monorepo, ``replace`` changes a file there; each of ``inputs`` is
refused as said, or rendered with and without some lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.errors import AnswersError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS

FOLDERS = sorted(path.parent for path in (ANSWERS.parent / "cases").glob("*/expected.yml"))
EXPECTED: dict[Path, Any] = {path: yaml.safe_load((path / "expected.yml").read_text()) for path in FOLDERS}
CASES = [(path, name) for path in FOLDERS for name in EXPECTED[path]["inputs"]]


def prepared(monorepo: Monorepo, folder: Path) -> Monorepo:
    """The monorepo as the case has it."""
    for path in folder.glob("*.tf"):
        directory = monorepo.root / STACKS / path.stem
        directory.mkdir()
        (directory / "main.tf").write_text(path.read_text())
    for name, changes in EXPECTED[folder].get("replace", {}).items():
        for old, new in changes:
            text = (monorepo.root / name).read_text()
            assert old in text
            (monorepo.root / name).write_text(text.replace(old, new))
    return Monorepo(monorepo.root)


@pytest.mark.parametrize("folder,name", CASES, ids=lambda part: part.name if isinstance(part, Path) else part)
def test_what_is_right_is_done(folder: Path, name: str, monorepo: Monorepo) -> None:
    there, expected = prepared(monorepo, folder), EXPECTED[folder]["inputs"][name]
    answers = from_yaml((folder / name).read_bytes(), name)
    if refused := expected.get("refused"):
        with pytest.raises(AnswersError) as error:
            prepare(there, answers, level=Level.STATIC)
        assert {finding.answer: finding.code for finding in error.value.findings} == refused
        assert all(finding.line and finding.fix for finding in error.value.findings)
        return
    source = "https://x.test/t.git"
    (change,) = prepare(there, answers, level=Level.STATIC, template_source=source).changes
    (main,) = [file.after for file in change.changes if file.path.name == "main.tf" and file.before is None]
    assert isinstance(main, bytes)
    text = main.decode()
    assert [line for line in expected.get("renders", []) if line not in text] == []
    assert [line for line in expected.get("lacks", []) if line in text] == []
    times = expected.get("times", {})
    assert {line: text.count(line) for line in times} == times


def test_every_input_is_of_a_case() -> None:
    there = {(path.parent, path.name) for folder in FOLDERS for path in folder.glob("*.yml")}
    assert there == {*CASES, *((folder, "expected.yml") for folder in FOLDERS)}

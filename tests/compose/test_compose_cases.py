"""Compose files from real users, each in a folder with the correct result: ``import.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import validation
from scaffold.answers.compose.report import Fate
from scaffold.answers.compose.translation import translate
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers

FOLDERS = sorted(path.parent for path in (ANSWERS.parent / "cases").glob("*/import.yml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_what_is_right_is_taken_and_the_rest_is_told(folder: Path) -> None:
    expected: dict[str, Any] = yaml.safe_load((folder / "import.yml").read_text())
    draft = translate(folder / "compose.yml")
    assert draft.report.services[0].name == expected["service"]
    for name, value in expected["answers"].items():
        assert draft.answers.get(name) == value, name
    for fate in (Fate.DECIDED, Fate.LEFT):
        told = {entry.key: entry.why for entry in draft.report.of(fate)}
        assert expected.get(fate.value, {}).keys() <= told.keys()
        assert [k for k, words in expected.get(fate.value, {}).items() if words not in told[k]] == []
    answers = Answers({**draft.answers, "description": "A thing"})
    found = validation.problems(filled(answers), {}, {})
    assert {finding.answer: finding.code for finding in found} == expected.get("refused", {})


def test_every_case_of_a_compose_file_is_judged() -> None:
    cases = {path.parent for path in (ANSWERS.parent / "cases").glob("compose-*/compose.yml")}
    assert len(cases) >= 11 and {path for path in cases if path.name != "compose-literal-passwords"} == set(
        FOLDERS
    )

"""Each refusal: a file of wrong answers, and next to it everything that is said about them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ANSWERS

from scaffold.answers.settings import read
from scaffold.commands.new_service import prepare
from scaffold.errors import AnswersError, RefusedError
from scaffold.monorepo.repository import Monorepo
from scaffold.report.findings import error_text

CASES = sorted(path.stem for path in (ANSWERS / "invalid").glob("*.yml"))


@pytest.mark.parametrize("case", CASES)
def test_refused_with_all_that_is_wrong(
    case: str, pristine: Monorepo, request: pytest.FixtureRequest
) -> None:
    path = ANSWERS / "invalid" / f"{case}.yml"
    before = sorted(pristine.root.rglob("*"))
    with pytest.raises((AnswersError, RefusedError)) as refused:
        prepare(
            pristine,
            read([(path.name, path.read_bytes())], []),
            template_source="https://x.test/t.git",
        )
    told = error_text(refused.value) + "\n"
    expected = path.with_suffix(".txt")
    if request.config.getoption("--update-golden"):
        expected.write_text(told)
    assert told == expected.read_text()
    assert sorted(pristine.root.rglob("*")) == before


def test_every_message_has_its_answers() -> None:
    assert sorted(p.stem for p in (ANSWERS / "invalid").glob("*.txt")) == CASES


def test_no_secret_is_told() -> None:
    for path in (ANSWERS / "invalid").glob("*.txt"):
        assert "hunter2" not in Path(path).read_text(), path

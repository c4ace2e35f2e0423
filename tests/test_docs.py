"""The documentation is true: what can be generated is, and what README names exists."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from scaffold import questions
from scaffold.cli import COMMANDS
from scaffold.commands.schema import markdown

ROOT = Path(__file__).parent.parent


def test_the_page_of_answers_is_generated() -> None:
    assert (ROOT / "docs" / "answers.md").read_text() == markdown()


def test_every_command_is_in_readme_and_every_one_there_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`scaffold ([a-z-]+)", text)) | set(
        re.findall(r"^scaffold ([a-z-]+)", text, re.M)
    )
    assert named == set(COMMANDS)


def test_the_schema_is_a_schema_and_takes_the_examples() -> None:
    schema = questions.schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for path in sorted((ROOT / "tests" / "answers" / "valid").glob("*.yml")):
        assert list(validator.iter_errors(yaml.safe_load(path.read_text()))) == []
    wrong = {
        "name": "a",
        "description": "b",
        "port": 1,
        "image": "",
        "gate_reason": "not asked for",
        "nme": "x",
    }
    assert list(validator.iter_errors(wrong))


def test_every_question_with_a_type_is_checked_by_stock_copier_too() -> None:
    text = (ROOT / "templates" / "questions" / "checked.jinja").read_text()
    rows = set(re.findall(r"\('(\w+)', (\w+), '(\w+)'\)", text))
    assert rows == {(q.name, q.name, q.value_type) for q in questions.asked().values() if q.value_type}

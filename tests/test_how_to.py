"""The answer files of the how-to pages are right, and their stacks pass the static checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.monorepo.repository import Monorepo

PAGES = sorted((Path(__file__).parent.parent / "docs" / "how-to").glob("*.md"))
ANSWERS = [
    pytest.param(text, id=f"{page.stem}-{yaml.safe_load(text)['name']}")
    for page in PAGES
    for text in re.findall(r"(?ms)^```yaml\n(name: .*?)^```$", page.read_text())
]


@pytest.mark.parametrize("text", ANSWERS)
def test_the_answers_of_a_page_make_a_service(text: str, pristine: Monorepo) -> None:
    prepared = prepare(pristine, from_yaml(text.encode(), "answers.yml"), level=Level.STATIC)
    assert prepared.stack is not None and prepared.stack.change.changes

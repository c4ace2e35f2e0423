"""The pictures in README show what a run shows today."""

from __future__ import annotations

import re

import pytest
from support import needs

from scaffold.generate.pictures import record
from scaffold.templates import template


@pytest.mark.slow("a plan")
@needs("terraform")
def test_the_pictures_are_those_of_a_run() -> None:
    made = dict(record())
    assert len(made) == 2
    for path, text in made.items():
        assert alike((template.root() / path).read_text("utf-8")) == alike(text), (
            "record them anew: .venv/bin/python -m scaffold.generate.pictures"
        )
        assert "prefers-color-scheme: dark" in text
    readme = " ".join((template.root() / "README.md").read_text("utf-8").split())
    assert "the twelve resources that Terraform plans](docs/pictures/review.svg)" in readme
    assert any("What will exist: 12 resources" in text for text in made.values())


def alike(picture: str) -> str:
    """A picture without what another version of the tool changes."""
    return re.sub(r' textLength="[0-9]+"|(?<=terraform )[0-9.]+', "", picture)

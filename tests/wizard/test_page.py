"""The page about the wizard shows what the wizard shows."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from support import needs
from test_review import WISHES, Typist, reviewed

from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.wizard import window
from scaffold.wizard.engine import Engine
from scaffold.wizard.review import Outcome
from scaffold.wizard.state import State

PAGE = (Path(__file__).parents[2] / "docs/wizard.md").read_text("utf-8")
*PROMPTS, REVIEW = re.findall(r"(?ms)^```\n(.*?)^```$", PAGE)
VIKUNJA = State(said={("build",): "upstream", ("image",): "docker.io/vikunja/vikunja:0.24.6"})


def words(text: str) -> str:
    return " ".join(text.split())


def alike(wanted: str, told: str) -> bool:
    """Whether they are the same, where the page's … stands for anything."""
    wanted, told = (text.replace("…", "...").rstrip() + "\n" for text in (wanted, told))
    return doctest.OutputChecker().check_output(wanted, told, doctest.ELLIPSIS)


@pytest.mark.slow("judges the answers of five questions")
def test_the_questions_of_the_page_are_those_of_the_wizard(pristine: Monorepo) -> None:
    engine = Engine(judge(pristine, {}), {})
    steps = [engine.step(VIKUNJA, (name,)) for name in ("build", "gate", "name", "env", "volumes")]
    asked = re.findall(r"(?ms)^\? (.*?)\n [»>] (.*?)(?=^(?:\?|Known)|\Z)", "".join(PROMPTS))
    assert [words(title) for title, _ in asked] == [words(step.title) for step in steps]
    for step, (_, shown) in zip(steps, asked, strict=True):
        if step.options:
            values = [str(option.value) for option in step.options]
            assert words(shown) == words(" ".join([*values, step.options[0].consequence]))
        else:
            assert not engine.problem(VIKUNJA, step.path, step.read(shown.strip()))
    (known,) = (text for text in PROMPTS if text.startswith("Known about this image"))
    told = "\n".join(f"  {line}" for line in steps[2].proposed)
    assert alike(known[known.index("\n") + 1 : known.index("?")], told)


@pytest.mark.slow("a plan")
@needs("terraform")
def test_the_review_of_the_page_is_that_of_a_run(pristine: Monorepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "width", lambda: 79)
    screen = Typist("q")
    (wish,) = (answers for answers in WISHES.values() if answers.get("name") == "pgadmin")
    assert reviewed(pristine, wish, screen, None) is Outcome.QUIT
    above, _, prompt = REVIEW.partition("? ")
    assert alike(above, "\n".join(screen.rows).strip())
    assert words(prompt.partition("\n >")[0]) == words(screen.titles[-1])

"""The review, in this process: what it shows, that it fits, and what its keys do."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from prompt_toolkit.keys import Keys
from questionary.prompts.common import InquirerControl
from support import ORIGIN, needs
from test_engine import replay

from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.wizard import window
from scaffold.wizard.engine import Engine
from scaffold.wizard.preview import Previews
from scaffold.wizard.review import Outcome, review
from scaffold.wizard.screen import Typed
from scaffold.wizard.search import Search
from scaffold.wizard.terminal import TerminalScreen

WISHES = yaml.safe_load((Path(__file__).parents[2] / "benchmarks" / "wizard.yml").read_text())
PROMPT = 4
"""Rows of the line below the review, with what its keys do."""


class Typist(TerminalScreen):
    """A terminal of 80 columns in which somebody types these lines in the review, one after the other."""

    def __init__(self, *typed: str) -> None:
        self.output = io.StringIO()
        super().__init__(self.output)
        self._typed = list(typed)
        self.problems: list[str] = []
        self.titles: list[str] = []

    def line(
        self, title: str, default: str, problem: Any, *, explains: bool = True, until: Any = None
    ) -> Any:
        self.titles.append(title)
        assert len(window.wrapped(title, 76).splitlines()) < PROMPT
        if until is not None:
            while not until():
                time.sleep(0.01)
            return Typed(None, "")
        for text in iter(lambda: self._typed.pop(0), None):
            if wrong := problem(text):
                self.problems.append(wrong)
                continue
            return text
        raise AssertionError("nothing is left to type")

    @property
    def rows(self) -> list[str]:
        return self.output.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "width", lambda: 79)


def reviewed(monorepo: Monorepo, answers: dict[str, Any], screen: Typist, level: Level | None) -> Outcome:
    engine = Engine(judge(monorepo, {}), {})

    def make(given: Any, /, *, level: Level | None) -> Any:
        return prepare(monorepo, given, None, level=level, template_source=ORIGIN.source)

    previews = Previews(make, {"sensed": {}}, level)
    try:
        outcome, _ = review(engine, replay(engine, answers), screen, previews.of, lambda _: None)
    finally:
        previews.close()
    return outcome


@pytest.mark.slow("a plan for each")
@needs("terraform")
@pytest.mark.parametrize("name", WISHES)
def test_the_review_fits_forty_rows(pristine: Monorepo, name: str) -> None:
    screen = Typist("q")
    reviewed(pristine, WISHES[name], screen, None)
    assert len(screen.rows) + PROMPT <= 40
    assert max(map(len, screen.rows)) <= 79
    assert any("What will exist" in row for row in screen.rows)


def test_the_review_shows_what_matters_and_its_keys_find_what_is_meant(pristine: Monorepo) -> None:
    screen = Typist("memry=1Gi", "memry", "99", "? nothing", "?", "? memory", "? 1", "l", "c")
    assert reviewed(pristine, WISHES["a password manager"], screen, Level.STATIC) is Outcome.COMMIT
    assert ["Did you mean memory?" in told for told in screen.problems] == [True, True, False, False]
    assert all("Give a number from 1 to" in told for told in screen.problems[2:])
    text = "\n".join(screen.rows)
    short, whole = text.split("\nAnswers\n")[1:]
    assert "gate_reason" in short
    assert "As proposed: " in short
    assert "Known of docker.io/vaultwarden/server: " in short.replace("\n    ", " ")
    assert "storage_class = proxmox-lvm-encrypted" in short
    assert "main.tf" in short
    assert "  c applies and commits" in short
    assert "The rule: the memory request equals the limit" in short
    assert "The rule: one Service is one stack in one namespace" in short, "a number means its answer"
    for more in ("replicas", "Left empty", "names.container", "create stacks/passwords/main.tf (+"):
        assert more not in short
        assert more in whole


def test_further_deployments_are_answered_in_the_review(pristine: Monorepo) -> None:
    lists = (
        "[{name: worker, args: [work]}, {name: search, image: 'docker.io/acme/finder:1.15.2', port: 7700}]"
    )
    screen = Typist(
        "workloads={name: worker", f"workloads={lists}", "workloads[search].memory=300Mi", "l", "a"
    )
    assert reviewed(pristine, WISHES["a password manager"], screen, Level.STATIC) is Outcome.APPLY
    assert len(screen.problems) == 1, "what is no list is told"
    text = "\n".join(screen.rows)
    assert "workloads    name worker, args work; name search" in text
    assert "workloads[search].memory = 300Mi" in text or "memory 300Mi" in text


@pytest.mark.slow("answers every question once more")
def test_more_answers_than_fit_are_counted(pristine: Monorepo) -> None:
    screen = Typist("q")
    more = {"cpu": "50m", "keel": "pinned", "section": "active", "title": "Keys", "replicas": 0, "busy": True}
    reviewed(pristine, {**WISHES["a password manager"], **more}, screen, Level.STATIC)
    assert any(row.startswith("  and ") and row.endswith(" more, which l lists") for row in screen.rows)


@pytest.mark.parametrize(
    ("typed", "labels", "pointed"),
    [
        ("p", ["app", "public"], "public"),
        ("ap", ["app"], "app"),
        ("pr", ["required"], "required"),  # nothing has pr in it: r begins anew
        ("z", ["required", "app", "anubis", "public", "none"], "none"),
        ("az", ["app", "anubis"], "app"),
        ("p\x7f", ["required", "app", "anubis", "public", "none"], "required"),
    ],
)
def test_typing_filters_a_menu_and_points_at_what_begins_so(
    typed: str, labels: list[str], pointed: str
) -> None:
    menu = InquirerControl(["required", "app", "anubis", "public", "none"])
    menu.pointed_at = 4
    search = Search(menu)
    for key in typed:
        search.type(Keys.Backspace if key == "\x7f" else key)
    assert [choice.title for choice in menu.filtered_choices] == labels
    assert menu.get_pointed_at().title == pointed


def test_enter_behind_a_word_that_no_option_has_takes_nothing_at_first() -> None:
    menu = InquirerControl(["required", "app", "none"])
    search = Search(menu)
    assert not search.refuses()
    for key in "xan":
        search.type(key)
    assert (search.problem(), len(menu.filtered_choices)) == ("No option contains “xan”.", 3)
    assert search.refuses()
    search.tell()
    assert "Enter takes “required”" in search.problem() and not search.refuses()
    for key in "no":
        search.type(key)
    assert (search.problem(), menu.get_pointed_at().title) == ("", "none"), "another word has begun"
    search.type("z")
    assert search.refuses()
    search.type(Keys.Backspace)
    assert not search.refuses()
    menu.search_filter = None
    search.type("z")
    menu.select_next()
    assert not search.refuses() and not search.problem(), "the arrow keys have chosen"


def test_a_commit_that_git_would_refuse_is_told_in_the_review(
    pristine: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}", raising=False)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    screen = Typist("c", "a")
    assert reviewed(pristine, WISHES["a password manager"], screen, Level.STATIC) is Outcome.APPLY
    assert "Git has no name and email address for you to commit with; nothing was written." in screen.rows

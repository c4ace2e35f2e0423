"""The answer files in the how-to pages are valid, and their stacks pass the static checks."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import scaffold

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.monorepo.facts import demand_usable
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


def test_the_commands_of_the_page_about_names_do_what_it_says(monorepo: Monorepo) -> None:
    page = next(page for page in PAGES if page.stem == "rename").read_text()
    (answers,) = re.findall(r"(?ms)^```yaml\n(name: .*?)^```$", page)
    static = ("--monorepo", monorepo.root, "--verify", "static")
    source = ("--template-source", "https://git.example.test/scaffold.git")
    made = scaffold("new-service", "--answers", "-", "--commit", *static, *source, stdin=answers)
    assert made.returncode == 0, made.stderr
    lines = re.findall(r"(?m)^\$ scaffold (.*)$", page)
    assert len(lines) == 2
    for line in lines:
        done = scaffold(*shlex.split(line), *static, "--accept", "not-compared")
        assert done.returncode == 0, done.stderr
    assert "library" in monorepo.root.joinpath("stacks/library/.copier-answers.yml").read_text()
    main = monorepo.root.joinpath("stacks/library/main.tf").read_text()
    assert "https://reader." in main and '"reader-data-encrypted"' in main


OWN_HOUSE = next(page for page in PAGES if page.stem == "own-house").read_text()


def test_the_facts_of_another_house_are_usable() -> None:
    (text,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", OWN_HOUSE)
    assert set(demand_usable(text.encode())) == set(yaml.safe_load(text))


def test_the_commands_for_another_house_work(tmp_path: Path) -> None:
    root = tmp_path / "house"
    shutil.copytree(Path(__file__).parent / "houses/second", root)
    (root / "scaffold.yml").unlink()
    subprocess.run(["git", "init", "--quiet", root], check=True)
    commands = re.findall(r"(?m)^\$ scaffold (.*)$", OWN_HOUSE)
    assert [command.split()[0] for command in commands] == ["init", "init", "doctor", "check", "status"]
    for command in commands:
        done = scaffold(*command.split(), cwd=root)
        assert done.returncode == 0, (command, done.stderr, done.stdout)

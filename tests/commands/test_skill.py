"""What a coding agent is told: it is true, put where agents look, and updated without losing anything."""

from __future__ import annotations

import json
import re
import textwrap

import pytest
from support import scaffold

from scaffold.cli.group import DEFECT, EXIT_CODES, INTERRUPTED
from scaffold.commands import skill as command
from scaffold.commands.skill import SECTION, SKILL
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.templates import decisions
from scaffold.templates.decisions import rendered
from scaffold.templates.questions import asked


def skill() -> str:
    """The skill file of the templates' own house."""
    return command.skill(decisions.house())


def test_it_is_written_once_and_what_else_agents_are_told_stays(monorepo: Monorepo) -> None:
    theirs = monorepo.root / SECTION
    theirs.write_text("# Agents\n\nBe kind.\n")
    assert scaffold("skill", "--write", cwd=monorepo.root).returncode == 0
    assert (monorepo.root / SKILL).read_text() == command.skill(facts(monorepo))
    first = theirs.read_text()
    assert first.startswith("# Agents\n\nBe kind.\n\n<!-- scaffold: begin") and first.endswith("end -->\n")
    theirs.write_text(first.replace("not by hand", "or by hand") + "\n# More\n")
    assert scaffold("skill", "--write", cwd=monorepo.root).stdout == "modify AGENTS.md\n"
    assert theirs.read_text() == first + "\n# More\n"
    assert scaffold("skill", "--write", cwd=monorepo.root).stdout == "Nothing to do.\n"


def test_one_mark_alone_is_refused_and_nothing_is_written(monorepo: Monorepo) -> None:
    (monorepo.root / SECTION).write_text("<!-- scaffold: end -->\n")
    told = scaffold("skill", "--write", cwd=monorepo.root)
    assert told.returncode == 4 and "only one of the section's two markers" in told.stderr
    assert not (monorepo.root / SKILL).exists()


def test_doctor_tells_of_another_version(monorepo: Monorepo) -> None:
    def missing() -> str:
        return str(json.loads(scaffold("doctor", "--json", cwd=monorepo.root).stdout)["missing"])

    assert str(SKILL) not in missing()
    scaffold("skill", "--write", cwd=monorepo.root)
    assert str(SKILL) not in missing()
    (monorepo.root / SKILL).write_text("older")
    assert f"{SKILL} was written by another version" in missing()


@pytest.mark.parametrize("name", [q.name for q in asked().values() if q.core or not q.has_default])
def test_what_has_to_be_answered_is_told_with_its_options(name: str) -> None:
    assert f"`{name}`" in skill()
    question, seen = asked()[name], {"facts": decisions.house()}
    for option in question.options:
        told = rendered(question.consequences.get(option.value, option.consequence), seen)
        assert f"- `{option.value}`: {told}" in skill()


def test_its_example_is_answers(monorepo: Monorepo) -> None:
    (example,) = re.findall(r"(?s)```yaml\n(.*?)```", skill())
    (monorepo.root / "example.yml").write_text(textwrap.dedent(example))
    done = scaffold("explain", "--answers", "example.yml", cwd=monorepo.root)
    assert done.returncode == 0, done.stderr


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    told = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", skill())}
    assert told == {0, DEFECT, INTERRUPTED, *EXIT_CODES.values()}

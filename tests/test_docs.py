"""The documentation is true: generated pages are up to date, and what README names exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml
from jsonschema import Draft202012Validator

from scaffold.cli.group import COMMANDS, cli
from scaffold.templates import questions
from scaffold.templates.schema import schema as answer_schema

ROOT = Path(__file__).parent.parent


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def test_every_command_is_told_and_every_one_that_is_told_exists() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    assert set(re.findall(r"(?m)^\| `scaffold ([a-z-]+)", text)) == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_of_a_page_is_understood(page: Path) -> None:
    lines = re.findall(r"(?m)(?:^\$ |`)(?:\S*/)?scaffold ((?:[a-z-]+)(?: [^`\n]*)?)", page.read_text())
    for line in lines:
        words = shlex.split(
            re.sub(r"…|\.\.\.|\[[^]]*\] ?(?=$| )", "", line.replace("\\|", "|")), comments=True
        )
        words = [word for word in words if word != "|"]
        assert words[0] in COMMANDS, line
        command = cli.get_command(click.Context(cli), words[0])
        assert command is not None
        known = {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        options = {word.partition("=")[0] for word in words[1:] if word.startswith("-") and word != "-"}
        assert options <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            there = page if not path else (page.parent / path).resolve()
            assert there.exists(), target
            titles = re.findall(r"(?m)^#+ (.*)$", there.read_text()) if anchor else []
            assert not anchor or anchor in {
                re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles
            }


def test_readme_is_read_in_a_minute() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_schema_is_a_schema_and_takes_the_examples() -> None:
    schema = answer_schema()
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


def test_every_text_number_and_structure_has_a_type_of_its_name() -> None:
    typed = {q.name for q in questions.asked().values() if q.type != "bool" and not q.options}
    assert set(questions.types()) == typed


def test_the_sample_that_readme_makes_leaves_the_checkout_clean() -> None:
    # A repository inside that nobody ignores makes Copier take the template for changed, and fail.
    ignored = subprocess.run(["git", "check-ignore", "-q", "sample-monorepo/"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


@pytest.mark.slow("runs pytest three times")
def test_in_ci_a_test_that_cannot_run_or_is_left_open_fails(tmp_path: Path) -> None:
    for file in ("conftest.py", "support.py"):
        (tmp_path / file).write_text((ROOT / "tests" / file).read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = test_open.py\nmarkers = slow(why): as ours\n")
    (tmp_path / "test_open.py").write_text(
        "import pytest\n\ndef test_a():\n    pytest.skip('needs busybox')\n\n"
        "@pytest.mark.xfail\ndef test_b():\n    assert False\n\n"
        "@pytest.mark.skip\ndef test_c():\n    pass\n\ndef test_d():\n    pass\n\n"
        "@pytest.mark.slow('why')\ndef test_e():\n    pass\n"
    )
    left = (
        "left out: 1 slow and two thirds of the examples (python3 dev test --all); "
        "1 because it needs busybox (apt-get install busybox-static)"
    )
    failed = ("2 failed, 2 passed, 1 error",)
    for options, told in (
        ([], ("1 passed, 2 skipped, 1 deselected, 1 xfailed", left)),
        (["--all", "--no-skips"], failed),
        (["--no-skips", "test_open.py"], failed),
    ):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/base"]
        done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert all(text in done.stdout for text in told)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "AGENTS.md", "docs/architecture.md"])
def test_the_paths_that_a_page_names_exist(page: str) -> None:
    # Places with <…> stand for files that are not there yet.
    named = re.findall(r"`([\w.*-]+(?:/[\w.*-]+)+/?)`", (ROOT / page).read_text())
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []
    assert named

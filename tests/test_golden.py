"""What is rendered for each archetype, byte by byte. `--update-golden` writes the files anew."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ANSWERS, GOLDEN, ORIGIN

from scaffold import answers as answering
from scaffold import validation
from scaffold.change import Content
from scaffold.monorepo import Monorepo
from scaffold.render import render
from scaffold.sensing import sense
from scaffold.verify import verify

CASES = sorted(path.stem for path in (ANSWERS / "valid").glob("*.yml"))
MOST_LINES = 25


def rendered(case: str, monorepo: Monorepo) -> dict[str, Content]:
    given = answering.from_yaml((ANSWERS / "valid" / f"{case}.yml").read_bytes(), case)
    sensed = sense(monorepo)
    validation.check(given, sensed, {})
    files = render(given.values, sensed, {}, ORIGIN).files
    verify(monorepo, case, files, given.values)
    return {str(path): content for path, content in files.items()}


def test_there_are_the_archetypes_of_the_house() -> None:
    assert len(CASES) >= 8
    assert len((ANSWERS / "valid" / "drone-logbook.yml").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, pristine: Monorepo, request: pytest.FixtureRequest) -> None:
    files = rendered(case, pristine)
    directory = GOLDEN / case / "stack"
    if request.config.getoption("--update-golden"):
        shutil.rmtree(directory, ignore_errors=True)
        for path, content in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            assert isinstance(content, bytes)
            (directory / path).write_bytes(content)
    golden = {
        p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()
    }
    assert files == golden


def test_every_golden_has_its_answers() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == CASES


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_goldens_are_formatted_as_terraform_does(tmp_path: Path) -> None:
    config = tmp_path / "terraformrc"
    config.touch()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", GOLDEN],
        env={
            "TF_CLI_CONFIG_FILE": str(config),
            "CHECKPOINT_DISABLE": "1",
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")

"""What is rendered for each archetype, byte by byte. `--update-golden` writes the files anew.

Files in `beside` are those that a person keeps in the stack beside the rendered ones.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import ANSWERS, GOLDEN, ORIGIN, needs

from scaffold.answers import sources as answering
from scaffold.answers import validation
from scaffold.changes.change import Content, Symlink
from scaffold.checks.exceptions import Exceptions, ignores
from scaffold.checks.house import house_names
from scaffold.checks.planned import Plan, apply_rules
from scaffold.checks.verify import Level, verify
from scaffold.hcl.syntax import parse
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions
from scaffold.templates.questions import asked
from scaffold.templates.render import render
from scaffold.terraform import planned
from scaffold.terraform.runner import plan_stacks

CASES = sorted(path.stem for path in (ANSWERS / "valid").glob("*.yml"))
MOST_LINES = 25


def rendered(case: str, monorepo: Monorepo) -> dict[str, Content]:
    """The files of an archetype, verified as far as can be without Terraform."""
    given = answering.from_yaml((ANSWERS / "valid" / f"{case}.yml").read_bytes(), case)
    sensed = sense(monorepo)
    validation.check(given, sensed, {})
    files = render(given.values, sensed, {}, ORIGIN).files
    verify(monorepo, case, files, given.values, Level.STATIC)
    return {str(path): content for path, content in files.items()}


def test_there_are_the_archetypes_of_the_house() -> None:
    given = [yaml.safe_load((ANSWERS / "valid" / f"{case}.yml").read_text()) for case in CASES]
    for name in ("shape", "database", "keel"):
        question = asked()[name]
        assert {one.get(name, question.default) for one in given} == {o.value for o in question.options}
    assert len((ANSWERS / "valid" / "drone-logbook.yml").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, pristine: Monorepo, request: pytest.FixtureRequest) -> None:
    files = rendered(case, pristine)
    directory = GOLDEN / case / "stack"
    if request.config.getoption("--update-golden"):
        shutil.rmtree(directory, ignore_errors=True)
        for path, content in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Symlink):
                (directory / path).symlink_to(content.target)
            else:
                (directory / path).write_bytes(content)
    golden = {
        p.relative_to(directory).as_posix(): Symlink(str(p.readlink())) if p.is_symlink() else p.read_bytes()
        for p in directory.rglob("*")
        if p.is_symlink() or p.is_file()
    }
    assert files == golden


def test_every_golden_has_its_answers() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == CASES


@needs("terraform")
def test_goldens_plan_to_what_is_recorded(pristine: Monorepo, request: pytest.FixtureRequest) -> None:
    overlay: dict[str, Content | None] = {
        f"{STACKS}/{case}/{path.relative_to(GOLDEN / case / 'stack').as_posix()}": path.read_bytes()
        for case in CASES
        for path in (GOLDEN / case / "stack").rglob("*")
        if path.is_file()
    }
    overlay |= {
        f"{STACKS}/{path.parent.parent.name}/{path.name}": path.read_bytes()
        for path in GOLDEN.glob("*/beside/*.tf")
    }
    overlay |= {
        f"{STACKS}/{case}/{path.name}": Symlink(str(path.readlink()))
        for case in CASES
        for path in (GOLDEN / case / "stack").iterdir()
        if path.is_symlink()
    }
    for result in plan_stacks(pristine.root, CASES, overlay, workers=2):
        assert result.findings == (), result.stack
        given = answering.from_yaml((ANSWERS / "valid" / f"{result.stack}.yml").read_bytes(), result.stack)
        names = house_names(pristine, decisions.combine({**given.values, "sensed": sense(pristine)}))
        main = f"{STACKS}/{result.stack}/main.tf"
        made = Exceptions(ignores([parse((GOLDEN / result.stack / "stack" / "main.tf").read_bytes(), main)]))
        assert made.left_of(apply_rules(Plan(result.resources, names))) == []
        text = json.dumps(planned.to_json(result.resources), indent=1, ensure_ascii=False) + "\n"
        recorded = GOLDEN / result.stack / "planned.json"
        if request.config.getoption("--update-golden"):
            recorded.write_text(text)
        assert text == recorded.read_text(), result.stack


@needs("terraform")
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

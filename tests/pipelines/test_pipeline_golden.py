"""The app's repository for each build mode and each kind of app, byte by byte, and that all of it passes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ORIGIN, needs

from scaffold.answers import validation
from scaffold.answers.sources import from_yaml
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.monorepo.stack import read_stack
from scaffold.pipelines.check import check
from scaffold.pipelines.context import Context, Expected
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.verify import verify_pipeline
from scaffold.templates import decisions
from scaffold.templates.questions import asked
from scaffold.templates.render import render
from scaffold.terraform.kubernetes import pod_templates
from scaffold.terraform.planned import get
from scaffold.terraform.runner import plan_stacks

GOLDEN = Path(__file__).parent.parent / "golden_service"
CASES = sorted(path.name for path in GOLDEN.iterdir())


def answers(case: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((GOLDEN / case / "answers.yml").read_text())
    return values


@cache
def stack_of(case: str, monorepo: Monorepo) -> dict[str, bytes]:
    files = render(answers(case), sense(monorepo), {}, ORIGIN).files
    return {f"stacks/{case}/{path}": content for path, content in files.items() if isinstance(content, bytes)}


def files_of(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("case", CASES)
def test_golden_repository(
    case: str, pristine: Monorepo, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sensed = sense(pristine)
    validation.check(from_yaml((GOLDEN / case / "answers.yml").read_bytes(), case), sensed, {})
    rendered = render(answers(case), sensed, {}, ORIGIN, "service")
    files = {str(path): content for path, content in rendered.files.items() if isinstance(content, bytes)}
    verify_pipeline(tmp_path, files, rendered.values, stack_of(case, pristine))
    directory = GOLDEN / case / "repository"
    if request.config.getoption("--update-golden"):
        shutil.rmtree(directory, ignore_errors=True)
        for path, content in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(content)
    assert files == files_of(directory)


@pytest.mark.parametrize("case", CASES)
def test_a_golden_repository_has_no_findings(case: str, pristine: Monorepo) -> None:
    values = decisions.combine({**answers(case), "sensed": sense(pristine)})
    files = {path: content.decode() for path, content in files_of(GOLDEN / case / "repository").items()}
    context = Context(values["facts"], Expected.of(values), read_stack(stack_of(case, pristine)))
    assert check(Repository.of(files), context) == []


@needs("terraform")
def test_the_stack_of_each_repository_is_planned(pristine: Monorepo) -> None:
    overlay = {path: content for case in CASES for path, content in stack_of(case, pristine).items()}
    for result in plan_stacks(pristine.root, CASES, overlay, workers=2):
        assert result.findings == (), result.stack
        given = answers(result.stack)
        log_in = {bool(get(pods.spec, "image_pull_secrets")) for pods in pod_templates(result.resources)}
        is_public = given.get("public_package", False) or given["build"] == "github-woodpecker"  # Docker Hub
        assert log_in == {not is_public}, f"{result.stack}: whoever pulls a private package logs in"


def test_there_is_a_golden_for_each_mode_and_each_kind() -> None:
    given = [answers(case) for case in CASES]
    assert {one["build"] for one in given} == {o.value for o in asked()["build"].options} - {"upstream"}
    assert {one.get("app_kind", "own") for one in given} == {o.value for o in asked()["app_kind"].options}


def test_an_upstream_image_gets_no_files() -> None:
    values = decisions.combine(
        {"name": "a", "description": "b", "port": 1, "image": "docker.io/library/nginx:1"}
    )
    assert values["pipeline"]["files"] == []


@pytest.mark.parametrize("case", CASES)
def test_hadolint_passes(case: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")  # a wheel, among the development dependencies
    for path in (GOLDEN / case / "repository").rglob("Dockerfile"):
        done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@needs("actionlint")
@pytest.mark.parametrize("case", CASES)
def test_actionlint_passes(case: str) -> None:
    workflows = sorted((GOLDEN / case / "repository").glob(".github/workflows/*.yml"))
    assert bool(workflows) == answers(case)["build"].startswith("github-")
    for path in workflows:
        done = subprocess.run(["actionlint", path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_the_next_steps_of_each_mode(case: str, pristine: Monorepo) -> None:
    values = decisions.combine({**answers(case), "sensed": sense(pristine)})
    rows = decisions.evaluate(
        "templates/decisions/pipeline_steps.jinja",
        {**values, "app_repo": "../app", "has_dockerfile": True, "committed": False},
    )
    commands = "\n".join(row["command"] for row in rows)
    for workflow in (GOLDEN / case / "repository").rglob(".github/workflows/*.yml"):
        for secret in set(re.findall(r"secrets\.(\w+)", workflow.read_text())) - {"GITHUB_TOKEN"}:
            assert f"gh secret set {secret} " in commands
    for workflow in (GOLDEN / case / "repository").rglob("*.yml"):
        for secret in re.findall(r"from_secret: (\S+)", workflow.read_text()):
            assert f"/api/secrets/{secret} " in commands
    has_woodpecker = any((GOLDEN / case / "repository").glob(".woodpecker*"))
    assert ("/api/repos/lookup/" in commands) == has_woodpecker
    # Without a Deployment nothing is rolled out, so nothing has to be run again.
    assert [row["after_apply"] for row in rows].count(True) == (values["shape"] != "jobs")
    assert rows[-1]["after_apply"] == (values["shape"] != "jobs")


def test_the_last_step_before_the_apply_commits_what_is_not_committed(pristine: Monorepo) -> None:
    values = decisions.combine({**answers("meter-api"), "sensed": sense(pristine)})

    def last(*, has_dockerfile: bool, committed: bool) -> str:
        told = {"app_repo": "../app", "has_dockerfile": has_dockerfile, "committed": committed}
        rows = decisions.evaluate("templates/decisions/pipeline_steps.jinja", {**values, **told})
        return str([row["command"] for row in rows if not row["after_apply"]][-1])

    assert "git commit" not in last(has_dockerfile=True, committed=True)
    assert " Dockerfile && git commit" in last(has_dockerfile=False, committed=True)
    assert "git commit" in last(has_dockerfile=True, committed=False)
    assert " git push " in last(has_dockerfile=True, committed=True)


@pytest.mark.parametrize(
    ("more", "user"),
    [
        ({"volumes": [{"path": "/data", "embedded_database": "sqlite"}]}, 10001),
        ({"volumes": [{"path": "/data", "embedded_database": "sqlite"}], "uid": 1000}, 1000),
        ({"volumes": [{"path": "/data"}], "app_kind": "own"}, None),
        ({}, None),
    ],
)
def test_the_user_of_our_dockerfile_can_write_to_its_volumes(more: dict[str, Any], user: int | None) -> None:
    given = {**answers("meter-api"), "uid": None, **more}
    values = decisions.combine({**given, "sensed": {}})
    assert values["workload"]["run_as"]["value"] == user
    if user and given["app_kind"] != "own":
        assert str(values["pipeline"]["uid"]) == str(user), "the Dockerfile has the same"

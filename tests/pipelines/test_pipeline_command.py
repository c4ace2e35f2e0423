"""`scaffold pipeline`, `scaffold check --pipelines` and `new-service --app-repo` as a user runs them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ORIGIN, scaffold
from test_pipeline_golden import GOLDEN, files_of

from scaffold.monorepo.repository import Monorepo

METER = GOLDEN / "meter-api" / "answers.yml"
SOURCE = ("--template-source", ORIGIN.source)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    subprocess.run(["git", "init", "--quiet", directory], check=True)
    return directory


def pipeline(monorepo: Monorepo, app: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return scaffold("pipeline", "--monorepo", monorepo.root, "--app-repo", app, *SOURCE, *arguments)


def written(app: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_of(app).items() if not path.startswith(".git/")}


def test_it_writes_what_the_golden_holds_and_again_changes_nothing(monorepo: Monorepo, app: Path) -> None:
    done = pipeline(monorepo, app, "--answers", METER)
    assert done.returncode == 0, done.stderr
    assert written(app) == files_of(GOLDEN / "meter-api" / "repository")
    assert "there is no stack of this name yet" in done.stdout
    again = pipeline(monorepo, app, "--answers", METER)
    assert (again.returncode, again.stdout) == (
        0,
        "The pipeline of meter-api is already there. Nothing to do.\n",
    )


def test_a_dry_run_shows_the_diff_and_writes_nothing(monorepo: Monorepo, app: Path) -> None:
    done = pipeline(monorepo, app, "--answers", METER, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "+++ b/.woodpecker.yml" in done.stdout
    assert written(app) == {}
    result = json.loads(pipeline(monorepo, app, "--answers", METER, "--dry-run", "--json").stdout)
    assert [file["path"] for file in result["files"]] == sorted(files_of(GOLDEN / "meter-api" / "repository"))
    assert all(step["text"] and step["command"] for step in result["next_steps"])


def test_a_person_s_file_is_not_replaced_without_being_asked(monorepo: Monorepo, app: Path) -> None:
    (app / "Dockerfile").write_text("FROM scratch\n")
    before = written(app)
    done = pipeline(monorepo, app, "--answers", METER)
    assert done.returncode == 4
    assert "--overwrite" in done.stderr
    assert "Dockerfile: This file exists" in done.stderr
    assert written(app) == before
    assert "-FROM scratch" in pipeline(monorepo, app, "--answers", METER, "--dry-run").stdout
    assert pipeline(monorepo, app, "--answers", METER, "--overwrite").returncode == 0
    assert written(app) == files_of(GOLDEN / "meter-api" / "repository")
    # What it names has to be there: of a tool that is installed by itself, only `scaffold` is on PATH.
    (app / "Dockerfile").write_text("FROM scratch\n")
    again = pipeline(monorepo, app, "--answers", METER)
    command = again.stderr.partition("Rendered before? `(")[2].partition(")")[0].partition(" && ")[2]
    assert shlex.split(command)[1:] == ["-m", "copier", "update", "--defaults"]
    assert Path(shlex.split(command)[0]).samefile(sys.executable)


def test_a_file_that_would_be_dead_is_refused(monorepo: Monorepo, app: Path) -> None:
    (app / ".woodpecker").mkdir()
    (app / ".woodpecker" / "old.yml").write_text("when:\n  - event: tag\nsteps: []\n")
    done = pipeline(monorepo, app, "--answers", METER)
    assert done.returncode == 5
    assert "PIP032" in done.stderr
    assert ".woodpecker.yml" not in written(app)


def test_other_failures_have_their_exit_codes(monorepo: Monorepo, app: Path, tmp_path: Path) -> None:
    (tmp_path / "no-git").mkdir()
    assert pipeline(monorepo, tmp_path / "no-git", "--answers", METER).returncode == 6
    upstream = ("--set", "build=upstream", "--set", "image=docker.io/library/nginx:1.29.0")
    for question in ("app_kind", "health_path", "uid"):
        assert question in yaml.safe_load(METER.read_text())
    plain = tmp_path / "plain.yml"
    plain.write_text("name: plain\ndescription: An upstream app\nport: 80\n")
    done = pipeline(monorepo, app, "--answers", plain, *upstream)
    assert done.returncode == 2
    assert "runs an upstream image" in done.stderr
    assert pipeline(monorepo, app, "--service", "journal").returncode == 4


def test_a_service_and_its_pipeline_at_once(monorepo: Monorepo, app: Path) -> None:
    arguments = (
        "new-service",
        "--monorepo",
        monorepo.root,
        "--app-repo",
        app,
        *SOURCE,
        "--answers",
        METER,
        "--verify",
        "static",
    )
    done = scaffold(*arguments, "--commit", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert written(app) == files_of(GOLDEN / "meter-api" / "repository")
    assert (monorepo.stack_directory("meter-api") / "main.tf").is_file()
    assert result["commit"] and result["app_repository"]["commit"]
    assert "the stack's names" in result["app_repository"]["verified"]["checked"]
    texts = [step["text"] for step in result["next_steps"]]
    push, apply = (
        next(i for i, t in enumerate(texts) if t.startswith(word))
        for word in ("Push. This builds the image.", "Plan the stack")
    )
    assert push < apply
    assert texts[apply + 1].startswith("Run the pipeline again")
    log = subprocess.run(["git", "log", "--format=%s"], cwd=app, capture_output=True, text=True, check=True)
    assert log.stdout == "meter-api: pipeline\n"


def test_whoever_names_the_repository_builds_the_image_as_the_monorepo_does(
    monorepo: Monorepo, app: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short.yml"
    short.write_text(
        "name: short-cut\ndescription: Ways through the garden\nport: 8080\nrepository: robin/cut\n"
    )
    (monorepo.root / "scaffold.yml").write_text("own_build: github-ghcr\n")
    arguments = ("--monorepo", monorepo.root, "--app-repo", app, *SOURCE, "--answers", short)
    done = scaffold("new-service", *arguments, "--verify", "static")
    assert done.returncode == 0, done.stderr
    recorded = yaml.safe_load((monorepo.stack_directory("short-cut") / ".copier-answers.yml").read_text())
    assert recorded["build"] == "github-ghcr"
    assert {".github/workflows/build.yml", ".woodpecker/deploy.yml"} < written(app).keys()


def test_nothing_is_written_where_the_pipeline_is_refused(monorepo: Monorepo, app: Path) -> None:
    (app / "Dockerfile").write_text("FROM scratch\n")
    done = scaffold(
        "new-service",
        "--monorepo",
        monorepo.root,
        "--app-repo",
        app,
        *SOURCE,
        "--answers",
        METER,
        "--verify",
        "static",
    )
    assert done.returncode == 4
    assert not monorepo.stack_directory("meter-api").exists()


def test_a_failure_between_the_two_tells_how_to_finish(
    monorepo: Monorepo, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scaffold.answers.settings import read
    from scaffold.changes import commit
    from scaffold.changes.change import ChangeSet
    from scaffold.checks.verify import Level
    from scaffold.commands import prepared
    from scaffold.commands.new_service import prepare
    from scaffold.errors import MissingError, RefusedError

    given = read([("a.yml", METER.read_bytes())], [])
    both = prepare(monorepo, given, app, overwrite=False, level=Level.STATIC, template_source=ORIGIN.source)
    first = commit.write

    def fails(change: ChangeSet, *rest: Any, **options: Any) -> str | None:
        if change.root == app:
            raise MissingError("the disk is full", "Make room.")
        return first(change, *rest, **options)

    with monkeypatch.context() as full, pytest.raises(RefusedError) as refused:
        full.setattr(prepared, "write", fails)
        both.apply(commit=False)
    finish = refused.value.hint.partition("Then finish with: `scaffold ")[2].rstrip("`").split()
    done = scaffold(*finish)
    assert done.returncode == 0, done.stderr
    assert written(app).keys() == files_of(GOLDEN / "meter-api" / "repository").keys()
    assert (
        written(app)[".woodpecker.yml"]
        == (GOLDEN / "meter-api" / "repository" / ".woodpecker.yml").read_bytes()
    )


def test_check_tells_what_is_wrong_and_where(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(GOLDEN / "meter-api" / "repository", app)
    done = scaffold("check", "--pipelines", app)
    assert (done.returncode, done.stdout) == (0, "2 files, no findings.\n")
    file = app / ".woodpecker.yml"
    file.write_text(file.read_text().replace("bitnami/kubectl:latest", "bitnami/kubectl:1.32"))
    done = scaffold("check", "--pipelines", app, "--json")
    (finding,) = json.loads(done.stdout)["findings"]
    assert done.returncode == 1
    assert (finding["path"], finding["code"]) == (".woodpecker.yml", "PIP010")
    assert "bitnami/kubectl:1.32" in file.read_text().splitlines()[finding["line"] - 1]
    assert scaffold("check", "--pipelines", tmp_path / "absent").returncode == 6
    for chosen in (("--ignore", "PIP010"), ("--select", "IMG")):
        assert scaffold("check", "--pipelines", app, *chosen).returncode == 0
    baseline = ("--baseline", tmp_path / "known")
    assert scaffold("check", "--pipelines", app, *baseline, "--update-baseline").returncode == 0
    assert "(1 known)" in scaffold("check", "--pipelines", app, *baseline).stdout
    told = json.loads(scaffold("check", "--pipelines", app, "--format", "sarif").stdout)
    assert [result["ruleId"] for result in told["runs"][0]["results"]] == ["PIP010"]


@pytest.mark.parametrize("where", ["monorepo", "app"])
def test_a_commit_that_a_hook_refuses_tells_what_is_left(monorepo: Monorepo, app: Path, where: str) -> None:
    root = {"monorepo": monorepo.root, "app": app}[where]
    (root / ".git/hooks").mkdir(exist_ok=True)
    hook = root / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    arguments = ("--answers", METER, "--verify", "static", "--commit", "--app-repo", app)
    done = scaffold("new-service", "--monorepo", monorepo.root, *SOURCE, *arguments)
    assert done.returncode == 4
    assert "written, but not committed" in done.stderr
    assert (monorepo.root / "stacks/meter-api/main.tf").exists()
    hook.unlink()
    commands = (
        done.stderr.partition("then run: `")[2].strip("`\n").split("`\nThen make the pipeline: `scaffold ")
    )
    subprocess.run(["sh", "-c", commands[0]], check=True, capture_output=True)
    assert (len(commands) == 2) == (where == "monorepo"), "the pipeline is made when it was not"
    if len(commands) == 2:
        finished = scaffold(*commands[1].split())
        assert finished.returncode == 0, finished.stderr
    for repository in (monorepo.root, app):
        status = ["git", "-C", str(repository), "status", "--porcelain"]
        assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""


def test_neither_repository_is_written_where_one_could_not_be_committed(
    monorepo: Monorepo, app: Path
) -> None:
    (app / ".woodpecker.yml").write_text("steps: []\n")
    arguments = ("--answers", METER, "--verify", "static", "--commit", "--overwrite", "--app-repo", app)
    done = scaffold("new-service", "--monorepo", monorepo.root, *SOURCE, *arguments)
    assert done.returncode == 4
    assert "there are changes already in .woodpecker.yml" in done.stderr
    assert not (monorepo.root / "stacks/meter-api").exists()


def test_answers_with_conflict_markers_are_no_defect(monorepo: Monorepo, app: Path) -> None:
    assert scaffold(
        "new-service", "--monorepo", monorepo.root, *SOURCE, "--answers", METER, "--verify", "static"
    ).returncode == 0  # fmt: skip
    for text in ("<<<<<<< before\n:\n", ""):
        (monorepo.root / "stacks/meter-api/.copier-answers.yml").write_text(text)
        done = pipeline(monorepo, app, "--service", "meter-api")
        assert (done.returncode, "Restore it from Git" in done.stderr) == (4, True)


@pytest.mark.parametrize("body", ["exit 3", "echo no JSON"])
def test_a_broken_actionlint_has_verified_nothing(tmp_path: Path, body: str) -> None:
    app = tmp_path / "app"
    (app / ".github/workflows").mkdir(parents=True)
    (app / ".github/workflows/a.yml").write_text("on: push\njobs: {}\n")
    tool = tmp_path / "bin" / "actionlint"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    only = {"PATH": f"{tool.parent}:/usr/bin:/bin"}
    done = scaffold("check", "--pipelines", app, env=only)
    assert "Not verified: actionlint (it " in done.stdout
    told = scaffold("check", "--pipelines", app, "--json", env=only)
    assert [gap["what"] for gap in json.loads(told.stdout)["not_verified"]] == ["actionlint"]

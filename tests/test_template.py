"""Where a stack records that its templates are: what was installed, the team's own, or a path on one machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import metadata
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
import yaml
from support import ANSWERS, scaffold

from scaffold.monorepo.repository import Monorepo
from scaffold.templates import questions, template
from scaffold.templates.render import render
from scaffold.templates.template import Origin

DRONE = ANSWERS / "valid/drone-logbook.yml"
TEAM = "https://git.example.test/team/scaffold.git"


def git(checkout: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.test"]
    return subprocess.check_output(["git", "-C", str(checkout), *identity, *arguments], text=True).strip()


def test_yaml_that_is_kept_says_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a kept file is broken, nothing can be kept, or a value has no form to be kept in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    whole, dated = template.facts_text("house"), f"on: 2026-01-02\nmore: {'x' * 1000}\n"
    expected = [yaml.safe_load(text) for text in (whole, dated)]
    assert [template.parsed(text) for text in (whole, dated)] == expected
    (kept,) = (tmp_path / template.DISTRIBUTION / "tables").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(yaml, "load", None)
        assert template.parsed(whole) == expected[0]
    for content in (b"", kept.read_bytes()[:-9]):
        kept.write_bytes(content)
        assert template.parsed(whole) == expected[0]
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert template.parsed(whole) == expected[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a tag, and a commit after it."""
    there = tmp_path / "checkout"
    there.mkdir()
    git(there, "init", "--quiet")
    for number in (1, 2):
        git(there, "commit", "--quiet", "--allow-empty", "--message", str(number))
        if number == 1:
            git(there, "tag", "v0.1.0")
    return there


def installed(monkeypatch: pytest.MonkeyPatch, checkout: Path, *, editable: bool) -> None:
    direct = {"url": checkout.as_uri(), "dir_info": {"editable": editable}}
    told = SimpleNamespace(read_text=lambda _: json.dumps(direct))
    monkeypatch.setattr(metadata, "distribution", lambda _: told)


def test_what_was_installed_is_recorded_wherever_the_checkout_has_gone(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, checkout, editable=False)
    monkeypatch.setattr(template, "root", lambda: tmp_path)
    (tmp_path / template.BUILT_FROM).write_text("v0.1.0\n")
    assert template.origin() == Origin(str(checkout), "v0.1.0", updatable=True)
    (tmp_path / template.BUILT_FROM).write_text("v0.1.0 changed\n")
    assert template.origin() == Origin(str(checkout), "v0.1.0", updatable=False)


def test_of_an_editable_installation_what_is_checked_out_is_recorded(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, checkout, editable=True)
    assert template.origin().version == git(checkout, "describe", "--tags")


@pytest.mark.parametrize(
    ("source", "local"),
    [
        (TEAM, False), (f"git+{TEAM}", False), ("git@git.example.test:team/scaffold", False), ("gh:team/scaffold", False),
        ("/home/me/scaffold", True), ("file:///home/me/scaffold", True), ("git+file:///home/me/scaffold", True),
    ],
)  # fmt: skip
def test_a_path_of_this_machine_is_told_as_one(source: str, local: bool) -> None:
    origin = Origin(source, "v0.1.0", updatable=True)
    assert origin.is_local is local
    assert bool(list(template.unlasting(origin))) is local


def run(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return scaffold("new-service", "--answers", DRONE, "--verify", "static", "--monorepo", root, *more)


@pytest.mark.slow("runs the command five times")
def test_the_teams_source_is_a_fact(monorepo: Monorepo, checkout: Path) -> None:
    local = run(monorepo.root, "--dry-run", "--template-source", str(checkout))
    assert f"recorded at {checkout}, a path of this machine" in local.stdout
    (monorepo.root / "scaffold.yml").write_text(f"template: {TEAM}\n")
    done = run(monorepo.root)
    assert done.returncode == 0, done.stderr
    assert "a path of this machine" not in done.stdout
    assert f"_src_path: {TEAM}\n" in (monorepo.root / "stacks/drone-logbook/.copier-answers.yml").read_text()
    again = run(monorepo.root)
    assert "Nothing to do" in again.stdout
    other = run(monorepo.root, "--template-source", "https://git.example.test/other.git")
    assert other.returncode == 4
    assert f"rendered from the templates at {TEAM}" in other.stderr
    moved = "scaffold update drone-logbook --template-source https://git.example.test/other.git"
    assert moved in other.stderr


def test_a_path_of_this_machine_is_told_in_json_and_of_a_pipeline_too(
    monorepo: Monorepo, checkout: Path
) -> None:
    from scaffold.report.changes import origin_json, origin_text

    origin = Origin(str(checkout), "v0.1.0", updatable=True)
    done = run(monorepo.root, "--dry-run", "--json", "--template-source", str(checkout))
    told = json.loads(done.stdout)["template"]
    assert told == origin_json(origin)
    assert "a path of this machine" in told["warnings"][0] and "a path of this machine" in "".join(
        origin_text(origin)
    )
    assert origin_json(Origin(TEAM, "v0.1.0", updatable=True))["warnings"] == []


def test_a_path_is_no_fact(monorepo: Monorepo) -> None:
    (monorepo.root / "scaffold.yml").write_text("template: /home/me/scaffold\n")
    done = run(monorepo.root, "--dry-run")
    assert done.returncode == 6
    assert "template is not a Git URL without a password" in done.stderr


def test_each_version_of_the_templates_has_its_own_questions_and_facts(tmp_path: Path) -> None:
    """And what was read of one is not taken for the other's."""
    ours = questions.all_questions()
    answers = yaml.safe_load(DRONE.read_text())
    before = render(answers, {}, {}, Origin(TEAM, "v0.1.0", updatable=True))
    shutil.copy(template.root() / "copier.yml", tmp_path)
    shutil.copytree(template.root() / "templates", tmp_path / "templates", symlinks=True)
    house = tmp_path / "templates/decisions/house.yml"
    house.write_text(house.read_text().replace("external-secrets.io/v1beta1", "external-secrets.io/v7"))
    with template.using(tmp_path):
        other = render(answers, {}, {}, Origin(TEAM, "v0.1.0", updatable=True))
        assert questions.all_questions() is not ours
    assert questions.all_questions() is ours
    assert b"external-secrets.io/v7" in bytes(other.files[PurePosixPath("main.tf")])  # type: ignore[arg-type]
    assert render(answers, {}, {}, Origin(TEAM, "v0.1.0", updatable=True)) == before

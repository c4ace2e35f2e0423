"""`scaffold template export`: the templates alone, for stock Copier."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import ANSWERS, scaffold
from test_copier import git, run_copier, tree

from scaffold.commands import export as command
from scaffold.commands.export import Exported, export
from scaffold.errors import RefusedError
from scaffold.templates import template
from scaffold.templates.render import ANSWERS_FILE
from scaffold.templates.template import Origin

CLEAN = Origin("https://git.example.test/scaffold.git", "v0.1.0", updatable=True)


def released(directory: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Exported:
    monkeypatch.setattr(template, "version", lambda: version)
    return export(directory, CLEAN)


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Templates of a next version, with another default."""
    there = tmp_path / "next"
    shutil.copytree(template.root() / "templates", there / "templates", symlinks=True)
    shutil.copy(template.root() / "copier.yml", there)
    for file in ("workload.yml", "usual_answers.jinja"):
        path = there / "templates/questions" / file
        path.write_text(path.read_text().replace("256Mi", "384Mi"))
    return there


def test_each_version_is_a_commit_and_a_tag_with_the_templates_alone(
    tmp_path: Path, changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "exported"
    assert released(there, "0.1.0", monkeypatch) == Exported(there, "v0.1.0", new=True)
    assert released(there, "0.1.0", monkeypatch) == Exported(there, "v0.1.0", new=False)
    own = {
        path: content for path, content in tree(template.root() / "templates").items() if "__pycache__" not in path
    }  # fmt: skip
    assert {path.name for path in there.iterdir()} == {".git", "copier.yml", "templates"}
    assert tree(there / "templates") == own
    (there / "README.md").write_text("Ours.\n")
    git(there, "add", "--all")
    git(there, "commit", "--quiet", "--message", "Ours")
    (changed / "templates/decisions/operations.yml").unlink()
    with template.using(changed):
        with pytest.raises(RefusedError, match="with other templates"):
            released(there, "0.1.0", monkeypatch)
        assert released(there, "0.2.0", monkeypatch).new
    assert git(there, "log", "--format=%s").splitlines() == ["Templates v0.2.0", "Ours", "Templates v0.1.0"]
    assert git(there, "tag").split() == ["v0.1.0", "v0.2.0"]
    assert not (there / "templates/decisions/operations.yml").exists()
    assert (there / "README.md").read_text() == "Ours.\n"
    assert git(there, "status", "--porcelain") == ""


def test_the_links_are_those_that_a_wheel_cannot_hold(tmp_path: Path) -> None:
    links = (path for path in (template.root() / "templates").rglob("*") if path.is_symlink())
    found = {path.relative_to(template.root()).as_posix(): str(path.readlink()) for path in links}
    assert found == command._LINKS


def test_what_is_no_repository_of_templates_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RefusedError, match="neither empty nor a Git repository"):
        export(tmp_path, CLEAN)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Mine")
    with pytest.raises(RefusedError, match="something else"):
        export(tmp_path, CLEAN)
    with pytest.raises(RefusedError, match="uncommitted changes"):
        export(tmp_path / "new", Origin("/x", "v0.1.0", updatable=False))
    assert {path.name for path in tmp_path.iterdir()} == {".git", "mine.txt"}


def test_edits_in_the_repository_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "exported"
    released(there, "0.1.0", monkeypatch)
    (there / "copier.yml").write_text("mine")
    with pytest.raises(RefusedError, match="uncommitted changes"):
        released(there, "0.2.0", monkeypatch)
    assert (there / "copier.yml").read_text() == "mine"


@pytest.mark.slow("copier update renders the template three times")
def test_stock_copier_copies_and_updates_from_it(
    tmp_path: Path, changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, stack = tmp_path / "exported", tmp_path / "monorepo" / "stacks" / "drone-logbook"
    released(there, "0.1.0", monkeypatch)
    with template.using(changed):
        released(there, "0.2.0", monkeypatch)
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    del answers["memory"]
    (tmp_path / "answers.yml").write_text(yaml.safe_dump({**answers, "tls_secret": True}))
    stack.mkdir(parents=True)
    git(tmp_path / "monorepo", "init", "--quiet")
    options = ["--quiet", "--defaults", "--vcs-ref=v0.1.0", f"--data-file={tmp_path / 'answers.yml'}"]
    done = run_copier(stack, "copy", *options, str(there), ".")
    assert done.returncode == 0, done.stderr
    assert (stack / "secrets").is_symlink()
    git(stack, "add", "--all")
    git(stack, "commit", "--quiet", "--message", "A stack")
    done = run_copier(stack, "update", "--quiet", "--defaults")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((stack / ANSWERS_FILE).read_text())["_commit"] == "v0.2.0"
    assert 'memory = "384Mi"' in (stack / "main.tf").read_text()


def test_the_command_tells_what_it_has_done(tmp_path: Path) -> None:
    """A checkout with changes is refused, any other one exported: both are told, and no trace is left of the first."""
    done = scaffold("template", "export", tmp_path / "exported")
    clean = subprocess.run(
        ["git", "status", "--porcelain", "copier.yml", "templates"],
        cwd=template.root(), capture_output=True, text=True, check=True,
    ).stdout == ""  # fmt: skip
    assert done.returncode == (0 if clean else 4), done.stderr
    assert (f"has the templates of v{template.version()}." in done.stdout) == clean
    assert (tmp_path / "exported").exists() == clean

"""Stock Copier on an app's repository that was rendered from a tag of the template."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import git
from test_pipeline_golden import GOLDEN

from scaffold.templates import template
from scaffold.templates.render import render
from scaffold.templates.template import Origin


def commit(directory: Path, tag: str = "") -> None:
    git(directory, "add", "--all")
    git(directory, "-c", "commit.gpgSign=false", "commit", "--quiet", "--message", "State")
    if tag:
        git(directory, "-c", "tag.gpgSign=false", "tag", tag)


@pytest.mark.slow("copier update renders the template three times")
def test_stock_update_keeps_hand_edits_and_brings_the_newer_template(tmp_path: Path) -> None:
    source, app = tmp_path / "template", tmp_path / "app"
    source.mkdir()
    app.mkdir()
    shutil.copy(template.root() / "copier.yml", source)
    shutil.copytree(template.root() / "templates", source / "templates", symlinks=True)
    for directory in (source, app):
        git(directory, "init", "--quiet")
    commit(source, "v0.1.0")
    given = yaml.safe_load((GOLDEN / "tide-table" / "answers.yml").read_text())
    origin = Origin(str(source), "v0.1.0", updatable=True)
    for path, content in render(given, {}, {}, origin, "service").files.items():
        assert isinstance(content, bytes)
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_bytes(content)
    dockerfile = app / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("EXPOSE", "# By hand.\nEXPOSE"))
    commit(app)

    facts = source / "templates" / "decisions" / "house.yml"
    facts.write_text(facts.read_text().replace("bitnami/kubectl:latest", "docker.io/alpine/kubectl:1.36"))
    commit(source, "v0.2.0")
    done = subprocess.run(
        [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"],
        cwd=app, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "image: docker.io/alpine/kubectl:1.36\n" in (app / ".woodpecker" / "deploy.yml").read_text()
    assert "# By hand.\n" in dockerfile.read_text()
    recorded = yaml.safe_load((app / ".copier-answers.yml").read_text())
    assert (recorded["_commit"], recorded["template"], recorded["branch"]) == ("v0.2.0", "service", "master")

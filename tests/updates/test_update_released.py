"""A Service as a released version wrote it, in a monorepo that has changed since, updated to the installed
templates.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
import yaml
from support import git, needs, scaffold

from scaffold.changes.change import Symlink
from scaffold.commands.stored import record_of
from scaffold.commands.update import as_rendered
from scaffold.generate.released import DIRECTORY
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import template
from scaffold.templates.render import ANSWERS_FILE
from scaffold.updates.versions import templates_of

NAME = "drone-logbook"
RELEASED = template.root() / DIRECTORY / "0.1.0"


@pytest.fixture
def born(monorepo: Monorepo, tmp_path: Path) -> Monorepo:
    """The sample whose stacks fetch secrets by the operator's v1, and a stack of 0.1.0, by v1beta1."""
    source = tmp_path / "released"
    source.mkdir()
    git(source, "init", "--quiet")
    with tarfile.open(RELEASED / "templates.tar.xz") as archive:
        archive.extractall(source, filter="data")
    git(source, "add", "--all")
    git(source, "-c", "user.name=r", "-c", "user.email=r@example.test", "commit", "--quiet", "-m", "0.1.0")
    git(source, "tag", "v0.1.0")
    for file in (monorepo.root / "stacks").rglob("*.tf"):
        file.write_text(file.read_text().replace("external-secrets.io/v1beta1", "external-secrets.io/v1"))
    directory = monorepo.stack_directory(NAME)
    directory.mkdir()
    said = (RELEASED / f"{NAME}.yml").read_text()
    before = yaml.safe_load(said)
    (directory / ANSWERS_FILE).write_text(said.replace(before["_src_path"], str(source)))
    record = record_of(monorepo, NAME)
    rendered, _ = as_rendered(record, before, templates_of(str(source), "v0.1.0"))
    for path, content in rendered.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            place.symlink_to(content.target)
        elif path.name != ANSWERS_FILE:
            place.write_bytes(content)
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "A stack of 0.1.0")
    return Monorepo(monorepo.root)


@needs("terraform")
@pytest.mark.slow("compiles the templates of a release, and plans")
def test_a_service_of_a_release_comes_to_what_the_house_has_now_and_nothing_is_destroyed(
    born: Monorepo,
) -> None:
    main = born.stack_directory(NAME) / "main.tf"
    assert 'apiVersion = "external-secrets.io/v1beta1"' in main.read_text()
    origin = ("--template-source", "https://git.example.test/scaffold.git")
    done = scaffold("update", NAME, *origin, "--verify", "plan", "--json", "--monorepo", born.root)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert [one["state"] for one in told["stacks"]] == ["updated"]
    text = main.read_text()
    assert 'apiVersion = "external-secrets.io/v1"' in text and "v1beta1" not in text
    (stack,) = told["plans"]["stacks"]
    assert stack["difference"]["removed"] == []
    done_to = {
        (one["effect"], one["address"]) for one in stack["consequences"] if one["effect"] != "restarted"
    }
    # No API version changes in place: the object that fetches the secrets is made anew, and it alone.
    assert done_to == {("replaced", "kubernetes_manifest.external_secret")}
    now = yaml.safe_load((main.parent / ANSWERS_FILE).read_text())
    before = yaml.safe_load((RELEASED / f"{NAME}.yml").read_text())
    assert now["recorded"]["names"] == before["recorded"]["names"]
    assert any("in another form" in gap["why"] for gap in told["not_verified"])
    again = scaffold("update", NAME, *origin, "--verify", "static", "--monorepo", born.root)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "Nothing to do.")

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import history
import pytest
import yaml
from support import ANSWERS

from scaffold.changes.change import Symlink
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render
from scaffold.templates.template import Origin

STACKS = ("drone-logbook", "ip-echo")


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two versions of the templates; only for tests that do not write there."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
            patch.setenv(variable, "Robin Gardener")
        return history.write(tmp_path_factory.mktemp("templates"), ["argument", "value", "renamed"])


@pytest.fixture
def fleet(monorepo: Monorepo, templates: Path) -> Iterator[Monorepo]:
    """A sample monorepo with two stacks of the first version, committed."""
    for name in STACKS:
        answers = yaml.safe_load((ANSWERS / "valid" / f"{name}.yml").read_text())
        origin = Origin(str(templates), history.FIRST, updatable=True)
        for path, content in render(answers, sense(monorepo), {}, origin).files.items():
            place = monorepo.stack_directory(name) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Symlink):
                place.symlink_to(content.target)
            else:
                place.write_bytes(content)
    history.git(monorepo.root, "add", "--all")
    history.git(monorepo.root, "commit", "--quiet", "--message", "Stacks")
    yield Monorepo(monorepo.root)

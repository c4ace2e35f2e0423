from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import history
import pytest

from scaffold.monorepo.repository import Monorepo

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
    history.put_stacks(monorepo, templates, STACKS)
    yield Monorepo(monorepo.root)

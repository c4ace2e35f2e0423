"""Where the tests of this directory write their compose files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """Where a compose file is written; the directory's name tells nothing."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here"

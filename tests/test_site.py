"""The documentation as a site: it builds without a warning, and a page loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["'](?:https?:)?//|<link[^>]*\shref=["'](?:https?:)?//"""
)


@pytest.mark.slow("builds all pages")
def test_the_site_builds_with_every_link_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert not LOADED.search(page.read_text("utf-8")), page


def test_what_is_in_a_list_is_indented_enough_for_the_site() -> None:
    """GitHub nests from two spaces on; the site's Markdown needs four, and has no code blocks in lists at all."""
    for page in (*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")):
        prose = re.sub(r"(?ms)^```.*?^```$", "", page.read_text("utf-8"))
        assert not re.search(r"(?m)^ {1,3}(?:[-*]|\d+\.) |^ +```", prose), page


def test_every_page_is_in_the_navigation() -> None:
    told = (ROOT / "mkdocs.yml").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert f": {page.relative_to(ROOT / 'docs')}\n" in told, page

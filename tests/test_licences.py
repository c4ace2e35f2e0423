"""The page of licences has every package, and names those with further conditions."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_locked_package_has_a_licence_and_copyleft_is_named() -> None:
    text = (ROOT / "docs" / "licences.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    locked = (ROOT / "requirements" / "run.txt").read_text().splitlines()
    assert [row[0] for row in rows] == [line.partition("==")[0] for line in locked if "==" in line]
    assert all(licence not in ("", "not said") and needed for _, licence, needed in rows)
    copyleft = {row[0] for row in rows if "GPL" in row[1] or "Mozilla" in row[1]}
    assert (
        copyleft
        == {line[2:].partition(":")[0] for line in text.splitlines() if line.startswith("- ")}
        != set()
    )

"""Drafts: whole or not at all, one for each stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.errors import MissingError, UsageError
from scaffold.wizard.drafts import UNNAMED, Drafts, writable


def test_a_draft_is_kept_and_found_again(tmp_path: Path) -> None:
    store = Drafts(tmp_path / "drafts")
    store.save(UNNAMED, {"said": {"gate": "app"}})
    assert store.load("") == {"said": {"gate": "app"}}
    store.save("a-b", {"said": {"name": "a-b"}})
    assert store.load("") == store.load("a-b") == {"said": {"name": "a-b"}}
    assert {path.name for path in store.directory.iterdir()} == {"a-b.yml", "unnamed.yml"}, "no scratch file"
    assert store.unnamed() == "unnamed-2", "another one of no name is not overwritten"
    store.drop(UNNAMED)
    assert store.unnamed() == UNNAMED
    assert (store.directory / "a-b.yml").stat().st_mode & 0o77 == 0
    store.drop("a-b")
    store.drop("a-b")
    with pytest.raises(UsageError, match="no draft"):
        store.load("")


def test_a_failed_write_leaves_the_old_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Drafts(tmp_path)
    store.save("a", {"said": {"gate": "app"}})

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        store.save("a", {"said": {}})
    assert store.load("a") == {"said": {"gate": "app"}}


def test_what_is_no_draft_is_told(tmp_path: Path) -> None:
    store = Drafts(tmp_path)
    (tmp_path / "a.yml").write_text("[")
    (tmp_path / "b.yml").write_text("- 1")
    for name in "ab":
        with pytest.raises(MissingError, match="draft"):
            store.load(name)
    with pytest.raises(UsageError, match="not the name of a Service"):
        store.load("../a")
    with pytest.raises(UsageError) as error:
        store.load("c")
    assert "a, b" in error.value.hint


def test_monorepos_have_drafts_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    one, two = Drafts.of(tmp_path / "a" / "infra"), Drafts.of(tmp_path / "b" / "infra")
    assert one.directory != two.directory
    assert writable(one)
    assert one.directory.parent.stat().st_mode & 0o77 == 0, "it names monorepos"
    (tmp_path / "file").write_text("")
    assert not writable(Drafts(tmp_path / "file" / "drafts"))

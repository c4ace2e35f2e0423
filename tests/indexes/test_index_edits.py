"""What one Service changes in a monorepo, and what is left for a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Files
from scaffold.errors import RefusedError, UsageError
from scaffold.indexes import all_indexes
from scaffold.indexes.edits import Edits, insertions, removals
from scaffold.indexes.entry import BuildModel, OwnImage, ServiceEntry
from scaffold.monorepo.repository import Monorepo

CATALOG = PurePosixPath(".claude/reference/service-catalog.md")
VAULT = PurePosixPath("stacks/vault/main.tf")
DIRECTORIES = "secrets/nfs_directories.txt"


@pytest.fixture
def sample(sample: Monorepo) -> Monorepo:
    """The sample without the list of directories that nothing may edit."""
    (sample.root / DIRECTORIES).unlink()
    return sample


def change_of(sample: Monorepo, edits: Edits) -> ChangeSet:
    return ChangeSet.plan(Files(sample.root), {edit.path: edit.after for edit in edits.edits})


def test_one_edit_per_file_with_all_its_indexes(sample: Monorepo, everything: ServiceEntry) -> None:
    found = insertions(Files(sample.root), everything)
    assert found.steps == ()
    assert found.refused == ()
    assert {edit.path for edit in found.edits} == {index.path for index in all_indexes()}
    assert {name for edit in found.edits for name in edit.indexes} == {index.name for index in all_indexes()}
    assert all(edit.before == (sample.root / edit.path).read_bytes() for edit in found.edits)


def test_written_undone_and_removed(sample: Monorepo, everything: ServiceEntry) -> None:
    before = {edit.path: edit.before for edit in insertions(Files(sample.root), everything).edits}
    change = change_of(sample, insertions(Files(sample.root), everything))
    apply(change)
    assert insertions(Files(sample.root), everything).edits == (), "a second run changes nothing"
    apply(change_of(sample, removals(Files(sample.root), everything)))
    assert {path: (sample.root / path).read_bytes() for path in before} == before
    assert removals(Files(sample.root), everything).edits == ()


def test_left_out(sample: Monorepo, everything: ServiceEntry) -> None:
    found = insertions(Files(sample.root), everything, skip=["catalog", "claude-anubis"])
    names = {name for edit in found.edits for name in edit.indexes}
    assert {index.name for index in all_indexes()} - names == {"catalog", "claude-anubis"}
    with pytest.raises(UsageError, match="no index is called catalogue"):
        insertions(Files(sample.root), everything, skip=["catalogue"])


def test_ciphertext_is_a_step(sample: Monorepo, everything: ServiceEntry) -> None:
    (sample.root / CATALOG).write_bytes(b"\0GITCRYPT\0secret")
    found = insertions(Files(sample.root), everything)
    assert CATALOG not in {edit.path for edit in found.edits}
    assert [step.text for step in found.steps] == [
        f"{CATALOG} is encrypted with git-crypt: see to {names} there."
        for names in ("bee-log", "bee-hooks, bees")
    ]
    assert {step.command for step in found.steps} == {f"$EDITOR {CATALOG}"}
    assert removals(Files(sample.root), everything).steps == found.steps


def test_absent_file_is_a_step(sample: Monorepo, everything: ServiceEntry) -> None:
    (sample.root / VAULT).unlink()
    found = insertions(Files(sample.root), everything)
    assert len(found.steps) == 2
    assert all(step.text.startswith(f"{VAULT} does not exist: ") for step in found.steps)
    assert found.refused == (), "a house without the file does without the list"
    assert removals(Files(sample.root), everything).steps == ()


def test_link_is_never_written_through(sample: Monorepo, everything: ServiceEntry) -> None:
    target = sample.root / CATALOG
    target.rename(target.with_name("other.md"))
    target.symlink_to("other.md")
    found = insertions(Files(sample.root), everything)
    assert found.steps and all(f"{CATALOG} is a symbolic link" in step.text for step in found.steps)
    assert CATALOG not in {edit.path for edit in found.edits}


def test_lost_place_of_a_required_list_is_refused(sample: Monorepo, everything: ServiceEntry) -> None:
    text = (sample.root / VAULT).read_text()
    (sample.root / VAULT).write_text(text.replace("allowed_roles", "allowed"))
    refused = insertions(Files(sample.root), everything).refused
    assert [finding.code for finding in refused] == ["index.vault-allowed-roles"]
    missing = "allowed_roles of vault_database_secret_backend_connection.postgresql is missing"
    assert missing in refused[0].message
    assert insertions(Files(sample.root), everything, skip=["vault-allowed-roles"]).refused == ()


def test_lost_place_in_a_document_is_a_step(sample: Monorepo, everything: ServiceEntry) -> None:
    path = sample.root / "docs/architecture/backup-dr.md"
    path.write_text(path.read_text().replace("Service Protection Matrix", "Matrix"))
    found = insertions(Files(sample.root), everything)
    assert [step.text.partition(" (")[0] for step in found.steps] == [
        "docs/architecture/backup-dr.md has lost its place for it"
    ]
    assert found.refused == ()


def test_what_has_no_list_is_a_step(sample: Monorepo, everything: ServiceEntry) -> None:
    entry = replace(
        everything,
        nfs_directories=("/srv/nfs/bee-log",),
        own_image=OwnImage("bee-log", BuildModel.GITHUB),
    )
    (sample.root / DIRECTORIES).write_bytes(b"\0GITCRYPT\0secret")
    directory, number = (step.text for step in insertions(Files(sample.root), entry).steps)
    assert (
        directory == "secrets/nfs_directories.txt is encrypted with git-crypt: list /srv/nfs/bee-log there."
    )
    assert "add its number to the lists of repository IDs" in number


def test_a_link_in_the_way_is_refused(sample: Monorepo, everything: ServiceEntry) -> None:
    (sample.root / "docs").rename(sample.root / "elsewhere")
    (sample.root / "docs").symlink_to("elsewhere")
    with pytest.raises(RefusedError, match="docs is a symbolic link"):
        insertions(Files(sample.root), everything)

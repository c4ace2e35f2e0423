"""What one Service changes in a monorepo, and what is left to a person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Files
from scaffold.commands import lists
from scaffold.commands.lists import Lists
from scaffold.errors import RefusedError, UsageError
from scaffold.indexes import all_indexes
from scaffold.indexes.drift import Drift, State
from scaffold.indexes.edits import Edits, changes, insertions, removals
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
        f"{CATALOG} is encrypted with git-crypt: check {names} there."
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
        "docs/architecture/backup-dr.md no longer has a place for it"
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


def _follow(sample: Monorepo, before: ServiceEntry, after: ServiceEntry, *others: ServiceEntry) -> Edits:
    found = changes(Files(sample.root), before, after, others)
    apply(change_of(sample, found))
    return found


def test_what_a_changed_service_has_comes_and_goes(sample: Monorepo, everything: ServiceEntry) -> None:
    bare = ServiceEntry(everything.name, everything.stack, everything.description, section=everything.section)
    apply(change_of(sample, insertions(Files(sample.root), bare)))
    paths = {index.path for index in all_indexes()}
    before = {path: (sample.root / path).read_bytes() for path in paths}
    there = _follow(sample, bare, everything)
    assert {name for edit in there.edits for name in edit.indexes} == {i.name for i in all_indexes()} - {
        "catalog"
    }
    assert insertions(Files(sample.root), everything).edits == ()
    assert changes(Files(sample.root), everything, everything).edits == ()
    back = _follow(sample, everything, bare)
    assert (there.steps, back.steps) == ((), ())
    assert {path: (sample.root / path).read_bytes() for path in paths} == before


def test_what_others_have_too_stays(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(change_of(sample, insertions(Files(sample.root), everything)))
    other = ServiceEntry("hive", "hive", databases=everything.databases)
    _follow(sample, everything, replace(everything, databases=()), other)
    vault = (sample.root / VAULT).read_text()
    assert vault.count("pg-bee-log") == 2
    _follow(sample, everything, replace(everything, databases=()))
    assert "pg-bee-log" not in (sample.root / VAULT).read_text()


def test_what_reads_otherwise_is_changed_where_it_stands(sample: Monorepo, everything: ServiceEntry) -> None:
    last = replace(everything, name="wasp-log", stack="wasp-log")
    for entry in (everything, last):
        apply(change_of(sample, insertions(Files(sample.root), entry)))
    before = (sample.root / CATALOG).read_text()
    after = replace(everything, description="Hives and swarms")
    _follow(sample, everything, after)
    expected = before.replace("| bee-log | Hives \\| weights and swarms |", "| bee-log | Hives and swarms |")
    assert (sample.root / CATALOG).read_text() == expected != before
    _follow(sample, after, replace(after, section="Optional"))
    moved = (sample.root / CATALOG).read_text()
    assert moved.index("| bee-log |") > moved.index("## Optional") > moved.index("| wasp-log |")


def test_an_entry_that_a_person_edited_is_left_to_one(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(change_of(sample, insertions(Files(sample.root), everything)))
    file = sample.root / CATALOG
    file.write_text(file.read_text().replace("Hives \\| weights", "My hives \\| weights"))
    edited = file.read_bytes()
    after = replace(everything, description="Hives and swarms")
    (step,) = _follow(sample, everything, after).steps
    assert step.text == f"{CATALOG} has an entry that was edited by hand: check bee-log there."
    file.write_text("".join(line for line in edited.decode().splitlines(True) if "bee-log" not in line))
    assert _follow(sample, everything, after).edits == (), "a row that was taken out is not put back"


def test_an_entry_that_is_left_to_a_person_is_told_once(
    sample: Monorepo, everything: ServiceEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(change_of(sample, insertions(Files(sample.root), everything)))
    file = sample.root / CATALOG
    file.write_text(file.read_text().replace("Hives \\| weights", "My hives \\| weights"))
    after = replace(everything, description="Hives and swarms")
    catalog = next(index for index in all_indexes() if index.path == CATALOG)
    missing = [Drift(catalog, State.MISSING, "bee-log", key, "", "") for key in catalog.keys(after)]
    monkeypatch.setattr(lists, "drift", lambda _: missing)
    monkeypatch.setattr(Lists, "_entries", {"bee-log": everything})
    (step,) = (one for one in Lists(sample).keep(Files(sample.root), after).steps if str(CATALOG) in one.text)
    assert "was edited by hand: check bee-log there" in step.text


def test_a_row_that_a_person_edited_follows_in_its_other_cells(
    sample: Monorepo, everything: ServiceEntry
) -> None:
    last = replace(everything, name="wasp-log", stack="wasp-log")
    for entry in (everything, last):
        apply(change_of(sample, insertions(Files(sample.root), entry)))
    file, row = sample.root / CATALOG, r"| bee-log | My \| hives | bee-log |"
    file.write_text(file.read_text().replace(r"| bee-log | Hives \| weights and swarms | bee-log |", row))
    edited = file.read_text()
    after = replace(everything, name="hive-log", stack="hive-log")
    _follow(sample, everything, after)
    followed = r"| hive-log | My \| hives | hive-log |"
    assert file.read_text() == edited.replace(row, followed) != edited
    file.write_text(file.read_text().replace("| hive-log |", "| **hive-log** |", 1))
    (step,) = (step for step in _follow(sample, after, everything).steps if CATALOG.name in step.text)
    assert "was edited by hand: check bee-log, hive-log there" in step.text

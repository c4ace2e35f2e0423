"""Where the indexes and the stacks disagree, and fixing that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scaffold.changes.apply import apply
from scaffold.commands import index as command
from scaffold.commands.check import Selection, check, update_baseline
from scaffold.errors import UsageError
from scaffold.indexes import all_indexes
from scaffold.indexes.comparisons import COMPARISONS
from scaffold.indexes.drift import State, drift
from scaffold.indexes.entry import Database, Engine, Host
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo
from scaffold.report.check import as_text
from scaffold.report.indexes import fixed_text

ROW = "| {} | — | — | — | — | proxmox-lvm |"
CATALOG = ".claude/reference/service-catalog.md"


def edit(sample: Monorepo, path: str, old: str, new: str) -> None:
    text = (sample.root / path).read_text()
    assert old in text
    (sample.root / path).write_text(text.replace(old, new))


def keys(sample: Monorepo, name: str, state: State = State.MISSING) -> set[str]:
    return {
        found.key
        for found in drift(Monorepo(sample.root))
        if found.index.name == name and found.state is state
    }


@pytest.fixture
def in_order(mended: Path, tmp_path: Path) -> Monorepo:
    """The sample with all its drift mended, to break one thing at a time."""
    shutil.copytree(mended, tmp_path / "in-order", symlinks=True)
    return Monorepo(tmp_path / "in-order")


@pytest.fixture(scope="module")
def mended(later: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, mended once for all tests; none of them writes to it."""
    root = tmp_path_factory.mktemp("mended") / "monorepo"
    shutil.copytree(later, root, symlinks=True)
    sample = Monorepo(root)
    apply(command.fix(Monorepo(sample.root)).change)
    for found in command.fix(Monorepo(sample.root)).rest:
        path = sample.root / found.index.path
        if found.index.name == "catalog" and found.state is State.MISSING:
            line = "| Service | Description | Stack |\n|---------|-------------|-------|\n"
            text = path.read_text()
            path.write_text(text.replace(line, f"{line}| {found.key} | By hand | {found.key} |\n", 1))
        elif found.index.name == "domains" and found.state is State.STALE:
            label = found.key.partition(":")[2]
            text = (
                path.read_text()
                .replace(f"{label}, ", "")
                .replace(f",\n{label}", "")
                .replace(f", {label}", "")
            )
            path.write_text(text)
        elif found.index.name == "backup-matrix":
            edit(
                sample,
                str(found.index.path),
                "| silverbullet |",
                f"{ROW.format(found.key)}\n| silverbullet |",
            )
        elif found.index.name == "upgrade-databases":
            line = f'    "{found.key}": {{ "type": "postgresql", "db_name": "x", "shared": true }},\n'
            edit(sample, str(found.index.path), '    "monitoring": {', f'{line}    "monitoring": {{')
    assert [found.what for found in drift(Monorepo(sample.root))] == []
    return root


def test_a_stack_is_described_by_the_ingress_of_its_name(sample: Monorepo) -> None:
    frame = """\
module "a_frame" {
  source            = "../../modules/kubernetes/ingress_factory"
  name              = "frame"
  extra_annotations = { "gethomepage.dev/description" = "One picture after the other" }
}
"""
    (sample.root / "stacks/journal/a.tf").write_text(frame)
    entries = StackReader(Monorepo(sample.root)).entries
    assert entries["journal"].description == "What grows and what does not"


def test_entries_of_stacks(sample: Monorepo) -> None:
    reader = StackReader(sample)
    journal = reader.entries["journal"]
    assert journal.hosts[0] == Host("journal", "proxied")
    assert journal.anubis
    assert journal.description == "What grows and what does not"
    assert [(p.key, p.paths, p.url) for p in journal.public_paths] == [
        ("journal-feed", ("/feed.xml",), "https://journal.example.test/feed.xml")
    ]
    assert reader.entries["seed-log"].databases == (
        Database(Engine.POSTGRESQL, "pg-seed-log", "seed_log", "seed_log"),
    )
    names = {entry.name for entry in reader.services}
    assert {"journal", "seed-log", "navidrome"} <= names
    assert not names & {"vault", "dbaas", "platform", "external-secrets"}


@pytest.mark.parametrize(
    ("path", "old", "new", "index", "state", "key"),
    [
        (CATALOG, " journal |\n", " gone |\n", "catalog", State.STALE, "journal"),
        (CATALOG, "notes, journal", "notes, diary", "domains", State.MISSING, "proxied:journal"),
        (CATALOG, "notes, journal", "notes, diary, journal", "domains", State.STALE, "proxied:diary"),
        ("stacks/vault/main.tf", '    "pg-seed-log",\n', "", "vault-allowed-roles", State.MISSING, "postgresql:pg-seed-log"),
        ("stacks/vault/main.tf", '    "pg-seed-log",\n', '    "pg-seed-log", "pg-x",\n', "vault-allowed-roles", State.STALE, "postgresql:pg-x"),
        ("stacks/vault/main.tf", '= "pg-seed-log"', '= "pg-seeds"', "vault-static-roles", State.MISSING, "pg-seed-log"),
        ("stacks/dbaas/modules/dbaas/main.tf", '= "seed_log"', '= "seeds"', "dbaas", State.MISSING, "seed_log"),
        (".claude/CLAUDE.md", "woodpecker, seed_log", "woodpecker", "claude-rotation", State.MISSING, "postgresql:seed-log"),
        (".claude/CLAUDE.md", "MySQL: grafana", "MySQL: grafana, old", "claude-rotation", State.STALE, "mysql:old"),
        (".claude/CLAUDE.md", "Active on: journal (", "Active on: diary (", "claude-anubis", State.MISSING, "journal"),
        (".claude/CLAUDE.md", "Active on: journal (", "Active on: diary, journal (", "claude-anubis", State.STALE, "diary"),
        ("docs/architecture/databases.md", "- woodpecker\n", "", "databases-rotation", State.MISSING, "postgresql:woodpecker"),
        ("stacks/monitoring/modules/monitoring/authentik_walloff_probe.tf", "/feed.xml", "/other", "walloff", State.MISSING, "journal-feed"),
        ("docs/architecture/databases.md", "- seed-log\n", "", "databases-used-by", State.MISSING, "postgresql:seed-log"),
        ("docs/architecture/databases.md", "- grafana\n", "- grafana\n- nobody\n", "databases-used-by", State.STALE, "mysql:nobody"),
        ("docs/architecture/backup-dr.md", "| navidrome |", "| music |", "backup-matrix", State.MISSING, "navidrome"),
        ("docs/architecture/ci-cd.md", "seed-log", "seeds", "ci-cd-builds", State.MISSING, "github:seed-log"),
        (".claude/CLAUDE.md", "`.woodpecker.yml`): seed-log", "`.woodpecker.yml`): seeds", "claude-builds", State.MISSING, "github:seed-log"),
        (".claude/reference/upgrade-config.json", "docker.io/deluan/navidrome", "docker.io/nobody/sings", "upgrade-repositories", State.STALE, "docker.io/nobody/sings"),
        (".claude/reference/upgrade-config.json", '"seed-log"', '"seeds"', "upgrade-databases", State.MISSING, "seed-log"),
    ],
)  # fmt: skip
def test_one_disagreement(
    in_order: Monorepo, path: str, old: str, new: str, index: str, state: State, key: str
) -> None:
    edit(in_order, path, old, new)
    assert keys(in_order, index, state) == {key}


def test_row_under_another_name_counts_by_its_stack(in_order: Monorepo) -> None:
    edit(in_order, CATALOG, "| journal |", "| Diary |")
    edit(in_order, CATALOG, "Anubis | Diary |", "Anubis | journal |")
    assert drift(Monorepo(in_order.root)) == ()


DATABASES = "docs/architecture/databases.md"
UPGRADES = ".claude/reference/upgrade-config.json"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (".claude/CLAUDE.md", "Active on: journal (", "Active on: journal/journal ("),
        (DATABASES, "- seed-log\n", "- the-seeds (seed-log)\n"),
        (CATALOG, "| journal |", "| elsewhere | Runs at a friend's | — |\n| journal |"),
    ],
)
def test_what_is_listed_in_another_way_counts(in_order: Monorepo, path: str, old: str, new: str) -> None:
    edit(in_order, path, old, new)
    assert [found.what for found in drift(Monorepo(in_order.root))] == []


def test_an_image_may_be_written_without_its_registry(in_order: Monorepo) -> None:
    for file in (in_order.root / "stacks/navidrome").glob("*.tf"):
        file.write_text(file.read_text().replace("docker.io/deluan/", "deluan/"))
    assert keys(in_order, "upgrade-repositories", State.STALE) == set()
    edit(in_order, UPGRADES, "docker.io/deluan/navidrome", "ghcr.io/deluan/navidrome")
    assert keys(in_order, "upgrade-repositories", State.STALE) == {"ghcr.io/deluan/navidrome"}


def test_a_host_that_has_another_record_is_told_where_it_belongs(in_order: Monorepo) -> None:
    edit(in_order, CATALOG, "notes, journal", "notes")
    edit(in_order, CATALOG, "seed-log, music", "seed-log, journal, music")
    gone = [found for found in drift(Monorepo(in_order.root)) if found.state is State.STALE]
    assert [(found.key, found.fix) for found in gone] == [
        ("non-proxied:journal", "Remove it here: it belongs under proxied.")
    ]


def test_a_database_that_the_stack_makes_itself_counts(in_order: Monorepo) -> None:
    edit(in_order, "stacks/dbaas/modules/dbaas/main.tf", '= "seed_log"', '= "seeds"')
    job = 'locals {\n  script = "CREATE DATABASE seed_log"\n}\n'
    (in_order.stack_directory("seed-log") / "database.tf").write_text(job)
    assert keys(in_order, "dbaas", State.MISSING) == set()


def test_target_below_any_of_the_paths_counts(in_order: Monorepo) -> None:
    path = "stacks/monitoring/modules/monitoring/authentik_walloff_probe.tf"
    edit(in_order, path, '"journal-feed"', '"news"')
    assert drift(Monorepo(in_order.root)) == ()


def test_lost_place_is_told_and_absent_files_are_not_judged(in_order: Monorepo) -> None:
    edit(in_order, ".claude/CLAUDE.md", "**Database rotation**", "**Rotation**")
    (in_order.root / "docs/architecture/databases.md").unlink()
    (found,) = drift(Monorepo(in_order.root))
    assert (found.index.name, found.state) == ("claude-rotation", State.NO_ANCHOR)
    assert found.finding.code == "IDX003"
    assert found.finding.path == ".claude/CLAUDE.md"


def test_fix_adds_what_is_certain_and_lists_the_rest(in_order: Monorepo) -> None:
    for path, old, new in [
        (CATALOG, "notes, journal", "notes"),
        (CATALOG, "| journal | Garden", "| diary | Garden"),
        (CATALOG, "Anubis | journal |", "Anubis | diary |"),
        ("stacks/vault/main.tf", '    "pg-seed-log",\n', ""),
        (".claude/CLAUDE.md", "woodpecker, seed_log", "woodpecker"),
        (".claude/reference/upgrade-config.json", '"seed-log"', '"seeds"'),
    ]:
        edit(in_order, path, old, new)
    mended = command.fix(Monorepo(in_order.root))
    assert {(found.index.name, found.key) for found in mended.fixed} == {
        ("catalog", "journal"),
        ("domains", "proxied:journal"),
        ("vault-allowed-roles", "postgresql:pg-seed-log"),
        ("claude-rotation", "postgresql:seed-log"),
    }
    assert {(found.index.name, found.key) for found in mended.rest} == {
        ("catalog", "diary"),
        ("upgrade-databases", "seed-log"),
    }
    told = list(fixed_text(mended, command.checked(in_order, mended.rest)))
    assert "  added seed-log: vault-allowed-roles postgresql:pg-seed-log" in told
    assert ", 2 warnings." in told[-1]
    apply(mended.change)
    assert {found.key for found in drift(Monorepo(in_order.root))} == {"diary", "seed-log"}
    assert "| journal | What grows and what does not | journal |" in (in_order.root / CATALOG).read_text()
    assert command.fix(Monorepo(in_order.root)).change.changes == ()


def test_show(sample: Monorepo) -> None:
    (sample.root / "docs/architecture/backup-dr.md").write_bytes(b"\0GITCRYPT\0")
    (sample.root / "docs/architecture/ci-cd.md").unlink()
    edit(sample, ".claude/CLAUDE.md", "Active on", "Used on")
    states = {state.name: state for state in command.show(Monorepo(sample.root))}
    assert states["vault-allowed-roles"].entries == 3
    assert states["vault-allowed-roles"].required
    assert states["backup-matrix"].problem == "the file is encrypted"
    assert states["ci-cd-builds"].problem == "the file does not exist"
    assert states["claude-anubis"].entries is None
    assert "Active on" in states["claude-anubis"].problem


def test_what_mends_several_is_said_once(in_order: Monorepo) -> None:
    edit(in_order, CATALOG, "notes, journal", "notes")
    edit(in_order, CATALOG, "seed-log, music", "music")
    told = list(as_text(command.check(Monorepo(in_order.root))))
    assert told[0] == f"{CATALOG}: 2 warnings"
    assert "domains of journal: journal (proxied) is missing." in told[1]
    assert "domains of seed-log: seed-log (non-proxied) is missing." in told[2]
    assert told[3] == "    fix: `scaffold index --fix` adds it."


def test_a_file_that_is_no_text_is_told(in_order: Monorepo) -> None:
    path = in_order.root / ".claude/CLAUDE.md"
    path.write_bytes(path.read_bytes() + b"\xe9\n")
    problems = {
        state.problem
        for state in command.show(Monorepo(in_order.root))
        if str(state.path) == ".claude/CLAUDE.md"
    }
    assert problems and all("UTF-8" in problem for problem in problems)
    vault = in_order.root / "stacks/vault/main.tf"
    vault.write_bytes(b"# caf\xe9\n" + vault.read_bytes())
    told = {
        found.what
        for found in drift(Monorepo(in_order.root))
        if str(found.index.path) == "stacks/vault/main.tf"
    }
    assert told and all("UTF-8" in what for what in told)


# what is told of it


def test_lists_and_stacks_are_chosen(in_order: Monorepo) -> None:
    edit(in_order, CATALOG, "notes, journal", "notes")
    edit(in_order, CATALOG, "seed-log, music", "music")
    edit(in_order, ".claude/CLAUDE.md", "Active on: journal (", "Active on: diary (")

    def told(
        select: tuple[str, ...] = (), lists: tuple[str, ...] = (), stacks: tuple[str, ...] = ()
    ) -> set[tuple[str, str | None]]:
        found = command.check(Monorepo(in_order.root), Selection(select), lists=lists, stacks=stacks)
        return {(finding.code, finding.value) for finding in found.findings}

    journal, seed_log = ("IDX001", "proxied:journal"), ("IDX001", "non-proxied:seed-log")
    anubis, diary = ("IDX001", "journal"), ("IDX002", "diary")
    assert told() == {journal, seed_log, anubis, diary}
    assert told(lists=("domains",)) == {journal, seed_log}
    assert told(stacks=("journal",)) == {journal, anubis}
    assert told(("IDX002",)) == {diary}
    with pytest.raises(UsageError, match="There is no list domain"):
        told(lists=("domain",))


def test_check_reports_the_same_findings(in_order: Monorepo) -> None:
    edit(in_order, CATALOG, "notes, journal", "notes")
    edit(in_order, CATALOG, "seed-log, music", "music, gone")
    monorepo = Monorepo(in_order.root)
    of_lists = command.check(monorepo).findings
    assert {finding.code for finding in of_lists} == {"IDX001", "IDX002"}
    lists = Selection(("IDX",))
    assert check(monorepo, monorepo.stacks, lists).findings == of_lists
    (own,) = check(monorepo, ("journal",), lists).findings
    assert own in of_lists and own.value == "proxied:journal"
    assert not any(f.code.startswith("IDX") for f in check(monorepo, ("journal",), static=True).findings)


def test_a_baseline_knows_what_lists_lack(in_order: Monorepo, tmp_path: Path) -> None:
    edit(in_order, CATALOG, "notes, journal", "notes")
    known = tmp_path / "known"
    update_baseline(known, command.check(Monorepo(in_order.root)))
    again = command.check(Monorepo(in_order.root), baseline_file=known)
    assert (again.findings, again.known, again.gone) == ((), 1, 0)
    edit(in_order, CATALOG, "notes", "notes, journal")
    mended = command.check(Monorepo(in_order.root), baseline_file=known)
    assert (mended.findings, mended.known, mended.gone) == ((), 0, 1)
    assert command.check(Monorepo(in_order.root), stacks=("seed-log",), baseline_file=known).gone == 0


def test_every_list_is_compared() -> None:
    assert {comparison.index.name for comparison in COMPARISONS} == {i.name for i in all_indexes()}

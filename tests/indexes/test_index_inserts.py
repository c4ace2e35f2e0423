"""Every index in the sample monorepo: entries are inserted once, and removed without a trace."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

import pytest
from support import needs

from scaffold.indexes import all_indexes
from scaffold.indexes.base import Index, MissingAnchorError
from scaffold.indexes.entry import BuildModel, Database, Engine, OwnImage, Protection, ServiceEntry
from scaffold.monorepo.repository import Monorepo

# What stands in the sample, and what stands there afterwards; all else stays, byte for byte.
EXPECTED = {
    "catalog": [
        ("| seed-log |\n", "| seed-log |\n| bee-log | Hives \\| weights and swarms | bee-log |\n"),
    ],
    "domains": [
        ("notes, journal, weather\n", "notes, journal, weather, bees\n"),
        ("```\nseed-log\n", "```\nseed-log, bee-hooks\n"),
    ],
    "vault-allowed-roles": [('    "pg-seed-log",\n', '    "pg-seed-log",\n    "pg-bee-log",\n')],
    "vault-static-roles": [
        (
            '  username        = "seed_log"\n  rotation_period = 604800\n}\n',
            '  username        = "seed_log"\n  rotation_period = 604800\n}\n'
            "\n"
            'resource "vault_database_secret_backend_static_role" "pg_bee_log" {\n'
            "  backend         = vault_mount.database.path\n"
            "  db_name         = vault_database_secret_backend_connection.postgresql.name\n"
            '  name            = "pg-bee-log"\n'
            '  username        = "bee_log"\n'
            "  rotation_period = 604800\n"
            "}\n",
        )
    ],
    "walloff": [
        (
            'calendar/health"\n',
            'calendar/health"\n'
            "    # The scale has a token.\n"
            '    "bee-log-scale" = "https://bees.example.test/scale"\n',
        )
    ],
    "claude-rotation": [("woodpecker, seed_log. ", "woodpecker, seed_log, bee_log. ")],
    "claude-anubis": [("`/feed.xml`).", "`/feed.xml`), bees (except `/scale`).")],
    "claude-builds": [("woodpecker.yml`): seed-log\n", "woodpecker.yml`): seed-log, bee-log\n")],
    "claude-repo-ids": [(" seed-log=8\n", " seed-log=8,\n  bee-log=12\n")],
    "claude-packages": [("ghcr:** compost-cam. ", "ghcr:** compost-cam, bee-log. ")],
    "nfs-consumers": [
        (
            "`stacks/silverbullet/` |\n",
            "`stacks/silverbullet/` |\n"
            "| `bee-log-swarms`      | `/srv/nfs/bee-log/swarms`      | `stacks/bee-log/`      |\n"
            "| `bee-log-backup`      | `/srv/nfs/bee-log-backup`      | `stacks/bee-log/`      |\n",
        )
    ],
    "storage-encrypted": [("(PostgreSQL and MySQL)\n", "(PostgreSQL and MySQL), bee-log\n")],
    "databases-sqlite": [("- uptime-kuma\n", "- uptime-kuma\n- bee-log\n")],
    "databases-used-by": [("- seed-log\n", "- seed-log\n- bee-log\n")],
    "databases-rotation": [
        ("`pg-seed-log`)\n", "`pg-seed-log`)\n- bee_log (Vault static role `pg-bee-log`)\n"),
    ],
    "backup-matrix": [
        (
            "| **Media (NFS)** |\n",
            "| Bee Log | ✓ | ✓ | ✓ daily | ✓ | proxmox-lvm-encrypted |\n| **Media (NFS)** |\n",
        )
    ],
    "ci-cd-builds": [("`seed-log`.\n", "`seed-log`, `bee-log`.\n")],
    "ci-cd-repo-ids": [("| seed-log | 8 |\n", "| seed-log | 8 |\n| bee-log | 12 |\n")],
    "upgrade-repositories": [
        (
            '"navidrome/navidrome"\n',
            '"navidrome/navidrome",\n    "ghcr.io/bees/log": "bees/log"\n',
        )
    ],
    "upgrade-databases": [
        (
            '"db_name": "woodpecker", "shared": true },\n',
            '"db_name": "woodpecker", "shared": true },\n'
            '    "bee-log": { "type": "postgresql", "db_name": "bee_log", "shared": true },\n',
        )
    ],
    "internal-monitors": [
        (
            "    },\n  ]\n",
            "    },\n"
            "    {\n"
            '      name                        = "bee-log"\n'
            '      type                        = "port"\n'
            "      database_connection_string  = null\n"
            "      database_password_vault_key = null\n"
            '      hostname                    = "bee-log.bee-log.svc.cluster.local"\n'
            "      port                        = 8080\n"
            "      url                         = null\n"
            "      accepted_statuscodes        = null\n"
            "      ignore_tls                  = null\n"
            "      interval                    = 60\n"
            "      retry_interval              = 30\n"
            "      max_retries                 = 3\n"
            "    },\n  ]\n",
        )
    ],
    "ghcr-namespaces": [
        (
            '    "seed-log",\n',
            '    "seed-log",\n    # bee-log pulls the private image bee-log.\n    "bee-log",\n',
        )
    ],
}


def text_of(sample: Monorepo, index: Index[Any]) -> bytes:
    return (sample.root / index.path).read_bytes()


def inserted(text: bytes, index: Index[Any], entry: ServiceEntry) -> bytes:
    return index.insert(text, entry)


@pytest.mark.parametrize("index", all_indexes(), ids=lambda index: index.name)
def test_insert_once_and_remove_without_a_trace(
    sample: Monorepo, everything: ServiceEntry, index: Index[Any]
) -> None:
    before = text_of(sample, index)
    after = inserted(before, index, everything)
    assert index.keys(everything)
    assert index.entries(after) == index.entries(before) | index.keys(everything)
    assert inserted(after, index, everything) == after
    assert index.remove(after, everything) == before
    assert index.remove(before, everything) == before


@pytest.mark.parametrize(
    "index", [i for i in all_indexes() if i.name != "dbaas"], ids=lambda index: index.name
)
def test_what_is_inserted(sample: Monorepo, everything: ServiceEntry, index: Index[Any]) -> None:
    expected = before = text_of(sample, index).decode()
    for old, new in EXPECTED[index.name]:
        assert before.count(old) == 1, f"{old!r} is no unique place of {index.path}"
        expected = expected.replace(old, new)
    assert inserted(before.encode(), index, everything).decode() == expected


def test_database_is_a_copy_of_its_sibling(sample: Monorepo, everything: ServiceEntry) -> None:
    index = by_name("dbaas")
    before = text_of(sample, index).decode()
    sibling = before[before.index('resource "null_resource" "pg_seed_log_db"') :]
    comment = "\n# The database of bee-log. Vault rotates its password: static role pg-bee-log.\n"
    expected = before + comment + sibling.replace("seed_log", "bee_log")
    assert inserted(before.encode(), index, everything).decode() == expected


@needs("terraform")
@pytest.mark.parametrize(
    "index", [i for i in all_indexes() if i.path.suffix == ".tf"], ids=lambda index: index.name
)
def test_terraform_fmt_finds_nothing_to_do(
    sample: Monorepo, everything: ServiceEntry, index: Index[Any]
) -> None:
    after = inserted(text_of(sample, index), index, everything)
    formatted = subprocess.run(["terraform", "fmt", "-"], input=after, capture_output=True, check=True)
    assert formatted.stdout == after


@pytest.mark.parametrize("index", all_indexes(), ids=lambda index: index.name)
def test_a_plain_service_is_in_the_catalog_only(sample: Monorepo, index: Index[Any]) -> None:
    plain = ServiceEntry("bee-log", "bee-log", "Hives")
    before = text_of(sample, index)
    assert (inserted(before, index, plain) != before) == (index.name == "catalog")


@pytest.mark.parametrize("index", all_indexes(), ids=lambda index: index.name)
def test_windows_line_ends_are_kept(sample: Monorepo, everything: ServiceEntry, index: Index[Any]) -> None:
    before = text_of(sample, index).replace(b"\n", b"\r\n")
    after = inserted(before, index, everything)
    assert after.count(b"\n") == after.count(b"\r\n")
    assert index.remove(after, everything) == before


@pytest.mark.parametrize("index", all_indexes(), ids=lambda index: index.name)
def test_file_without_its_place(everything: ServiceEntry, index: Index[Any]) -> None:
    other = b"{}\n" if index.path.suffix == ".json" else b"" if index.path.suffix == ".tf" else b"# Other\n"
    with pytest.raises(MissingAnchorError):
        index.insert(other, everything)
    assert index.remove(other, everything) == other


@pytest.mark.parametrize(
    "index", [i for i in all_indexes() if i.path.suffix == ".tf"], ids=lambda index: index.name
)
def test_broken_hcl_is_no_place(sample: Monorepo, everything: ServiceEntry, index: Index[Any]) -> None:
    with pytest.raises(MissingAnchorError, match="valid HCL"):
        index.insert(text_of(sample, index) + b"\nresource {", everything)


def by_name(name: str) -> Index[Any]:
    return next(index for index in all_indexes() if index.name == name)


def test_mysql_goes_to_its_own_lists(sample: Monorepo, everything: ServiceEntry) -> None:
    entry = replace(everything, databases=(Database(Engine.MYSQL, "mysql-bees", "bees", "bees"),))
    index = by_name("vault-allowed-roles")
    before = text_of(sample, index)
    assert b'allowed_roles = ["mysql-grafana", "mysql-bees"]' in inserted(before, index, entry)
    assert index.remove(inserted(before, index, entry), entry) == before
    static = inserted(before, by_name("vault-static-roles"), entry)
    assert b"mysql_bees" in static.partition(b'"pg_woodpecker"')[0], "after the other roles of MySQL"
    assert by_name("dbaas").keys(entry) == frozenset()


def test_database_whose_user_is_called_otherwise_cannot_be_copied(
    sample: Monorepo, everything: ServiceEntry
) -> None:
    entry = replace(everything, databases=(Database(Engine.POSTGRESQL, "pg-bees", "bees", "keeper"),))
    with pytest.raises(MissingAnchorError, match="PostgreSQL database"):
        by_name("dbaas").insert(text_of(sample, by_name("dbaas")), entry)


def test_the_list_of_the_build_model_and_its_number(sample: Monorepo, everything: ServiceEntry) -> None:
    entry = replace(everything, own_image=OwnImage("bee-log", BuildModel.GITHUB, None))
    for name, old, new in [
        ("claude-builds", b"**Migrated to GHA** (2): weather", b"**Migrated to GHA** (3): weather"),
        ("ci-cd-builds", b"**Migrated to GHA (2 projects)**", b"**Migrated to GHA (3 projects)**"),
    ]:
        before = text_of(sample, by_name(name))
        assert old in before
        assert new in inserted(before, by_name(name), entry)
    assert by_name("ci-cd-repo-ids").keys(entry) == frozenset()


def test_section_by_the_beginning_of_its_heading(sample: Monorepo, everything: ServiceEntry) -> None:
    index = by_name("catalog")
    before = text_of(sample, index)
    after = inserted(before, index, replace(everything, section="Storage & Security"))
    assert after.index(b"| bee-log |") < after.index(b"## Admin")
    assert inserted(after, index, everything) == after, "it is in one section only"
    empty = inserted(before, index, replace(everything, section="Admin"))
    assert b"|---------|-------------|-------|\n| bee-log |" in empty
    with pytest.raises(MissingAnchorError, match="Option"):
        index.insert(before, replace(everything, section="Option"))


def test_protection_in_the_group_of_its_storage(sample: Monorepo, everything: ServiceEntry) -> None:
    index = by_name("backup-matrix")
    after = inserted(text_of(sample, index), index, replace(everything, protection=Protection("NFS")))
    assert "| Music | — | — | — | ✓ | NFS |\n| Bee Log | — | — | — | ✓ | NFS |\n".encode() in after
    with pytest.raises(MissingAnchorError, match="tape"):
        index.insert(text_of(sample, index), replace(everything, protection=Protection("tape")))

"""What stacks have to be listed for, read from their HCL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffold.indexes import all_indexes
from scaffold.indexes.drift import drift
from scaffold.indexes.entry import Database, Engine, Host, PublicPath, ServiceEntry
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo

INGRESS = """
module "{label}" {{
  source = "../../modules/kubernetes/ingress_factory"
  name   = "bee-log"
{arguments}
}}
"""


def read(sample: Monorepo, text: str, stack: str = "bee-log") -> ServiceEntry:
    directory = sample.root / "stacks" / stack
    directory.mkdir(exist_ok=True)
    (directory / "more.tf").write_text(text)
    return StackReader(Monorepo(sample.root)).entries[stack]


def ingress(arguments: str, label: str = "ingress") -> str:
    return INGRESS.format(label=label, arguments=arguments)


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        ("", Host("bee-log", "none")),
        ('dns_type = "proxied"', Host("bee-log", "proxied")),
        ('host = "bees"\ndns_type = "non-proxied"', Host("bees", "non-proxied")),
        ('full_host = "bees.example.test"\nhost = "x"', Host("bees", "none")),
        ('full_host = "example.test"', Host("example.test", "none")),
        ("host = local.name", Host("honey", "none")),
        ('host = "bees"\nroot_domain = "home.arpa"', Host("bees.home.arpa", "none")),
    ],
)
def test_hosts(sample: Monorepo, arguments: str, host: Host) -> None:
    assert read(sample, 'locals {\n  name = "honey"\n}\n' + ingress(arguments)).hosts == (host,)


def test_computed_host_is_not_seen(sample: Monorepo) -> None:
    assert read(sample, ingress("host = each.key")).hosts == ()


def test_what_is_public_has_no_gate_and_a_record(sample: Monorepo) -> None:
    text = "".join(
        [
            ingress('dns_type = "proxied"\nauth = "app"', "ingress"),
            ingress('ingress_path = ["/api"]\nauth = "app"', "ingress_api"),
            ingress('ingress_path = ["/hook", "/x"]\nauth = "none"', "ingress_hook"),
            ingress('host = "bees"\nauth = "none"\ndns_type = "non-proxied"', "ingress_bees"),
            ingress('host = "hive"\nauth = "none"', "ingress_hive"),
            ingress('host = "hive"\ningress_path = ["/comb"]\nauth = "none"', "ingress_comb"),
        ]
    )
    assert read(sample, text).public_paths == (
        PublicPath("bee-log-hook", ("/hook", "/x"), "https://bee-log.example.test/hook", ""),
        PublicPath("bee-log", (), "https://bees.example.test/", ""),
    )


def test_databases_by_their_role(sample: Monorepo) -> None:
    path = sample.root / "stacks/dbaas/modules/dbaas/main.tf"
    path.write_text(path.read_text().replace('db_name  = "seed_log"', 'db_name  = "seeds"'))
    entry = read(
        sample, 'locals {\n  a = "static-creds/pg-seed-log"\n  b = "static-creds/mysql-bee-log#x"\n}\n'
    )
    assert entry.databases == (
        Database(Engine.POSTGRESQL, "pg-seed-log", "seeds", "seed_log"),
        Database(Engine.MYSQL, "mysql-bee-log", "bee_log", "bee_log"),
    )
    index = next(index for index in all_indexes() if index.name == "dbaas")
    assert index.keys(replace(entry, databases=entry.databases[:1])) == {"seeds"}


def test_anubis_is_what_the_ingress_leads_to(sample: Monorepo) -> None:
    anubis = 'module "gate" {\n  source = "../../modules/kubernetes/anubis_instance"\n}\n'
    plain = ingress('host = "api"')
    gated = ingress('host = "bees"\nservice_name = module.gate.service_name', "site")
    entry = read(sample, anubis + plain + gated)
    assert entry.anubis
    assert [host.label for host in entry.hosts] == ["bees", "api"]
    assert not read(sample, anubis + plain).anubis
    other = 'module "gate" {\n  source = "../../modules/kubernetes/nfs_volume"\n}\n'
    assert not read(sample, other + gated).anubis


@pytest.mark.parametrize(
    ("text", "is_service"),
    [
        (ingress(""), True),
        ('resource "kubernetes_cron_job_v1" "a" {\n}\n', True),
        ('resource "kubernetes_stateful_set_v1" "a" {\n}\n', True),
        ('resource "kubernetes_daemon_set_v1" "a" {\n}\n', False),
        ('resource "helm_release" "a" {\n}\n', False),
        ("resource {", False),
    ],
)
def test_services(sample: Monorepo, text: str, is_service: bool) -> None:
    read(sample, text)
    services = {entry.name for entry in StackReader(Monorepo(sample.root)).services}
    assert ("bee-log" in services) == is_service


def test_tier_0_stacks_are_no_services(sample: Monorepo) -> None:
    read(sample, ingress(""), "vault")
    assert "vault" not in {entry.name for entry in StackReader(Monorepo(sample.root)).services}


def missing(sample: Monorepo, name: str) -> set[str]:
    return {found.key for found in drift(Monorepo(sample.root)) if found.index.name == name}


def test_target_of_another_host_does_not_count(sample: Monorepo) -> None:
    text = ingress('dns_type = "proxied"') + ingress(
        'ingress_path = ["/feed.xml"]\nauth = "none"', "ingress_feed"
    )
    read(sample, text)
    assert missing(sample, "walloff") == {"bee-log-feed"}


def test_row_of_a_part_of_a_stack_is_not_stale(sample: Monorepo) -> None:
    path = sample.root / ".claude/reference/service-catalog.md"
    before = missing(sample, "catalog")
    path.write_text(path.read_text().replace(" journal |\n", " journal/part |\n"))
    assert missing(sample, "catalog") == before


def test_ciphertext_is_not_judged(sample: Monorepo) -> None:
    (sample.root / ".claude/reference/service-catalog.md").write_bytes(b"\0GITCRYPT\0\xff")
    assert missing(sample, "catalog") == set()

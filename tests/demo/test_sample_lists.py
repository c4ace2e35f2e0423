"""What the sample's lists say about its stacks, and the gaps that they have on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2

from scaffold.demo import sample
from scaffold.indexes.drift import drift
from scaffold.monorepo.repository import Monorepo

ROOT = Path(str(sample()))
STACKS = {path.name for path in (ROOT / "stacks").iterdir()}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(path: str, kind: str, label: str | None = None) -> Iterator[tuple[str, Any]]:
    """The blocks of a file of one kind, or of one kind and first label: their last label and body."""
    options = hcl2.SerializationOptions(strip_string_quotes=True, explicit_blocks=False, with_comments=False)
    for block in hcl2.loads(read(path), serialization_options=options).get(kind, []):
        yield from (block if label is None else block.get(label, {})).items()


def section(text: str, heading: str) -> str:
    """What stands between a heading and the next one."""
    after = text.split(f"\n{heading}", 1)[1].split("\n", 1)[1]
    return after.split("\n#", 1)[0]


def first_cells(table: str) -> set[str]:
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    return {row.split("|")[1].strip() for row in rows[1:]}


def test_the_catalog_has_the_sections_of_the_house_and_misses_two_services() -> None:
    catalog = read(".claude/reference/service-catalog.md")
    headings = [line for line in catalog.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Critical - Network & Auth (Tier: core)",
        "## Storage & Security (Tier: cluster)",
        "## Admin",
        "## Active Use",
        "## Optional",
        "## Cloudflare Domains",
    ]
    tables = catalog.split("\n## Cloudflare Domains")[0]
    listed = {line.split("|")[3].strip() for line in tables.splitlines() if line.startswith("| ")}
    assert STACKS - listed == {"navidrome", "rain-report"}
    assert listed - STACKS == {"Stack"}


def test_the_domains_miss_a_host_and_one_is_gone() -> None:
    catalog = read(".claude/reference/service-catalog.md")
    fences = {}
    for heading in ("### Proxied", "### Non-Proxied"):
        fence = section(catalog, heading).split("```")[1]
        fences[heading] = [host.strip() for host in fence.split(",")]
    assert fences == {"### Proxied": ["notes", "journal", "weather"], "### Non-Proxied": ["seed-log"]}
    assert "the old weather station. Its stack is gone" in read("stacks/rain-report/main.tf")


def test_that_host_is_all_in_the_lists_that_no_stack_has(pristine: Monorepo) -> None:
    """A newcomer sees what drift is, and not a sample that seems broken."""
    (astray,) = [one.finding for one in drift(pristine) if not one.service]
    assert "weather (proxied) is listed" in astray.message


def test_the_two_lists_of_vault_agree() -> None:
    resource = ("stacks/vault/main.tf", "resource")
    connections = dict(blocks(*resource, "vault_database_secret_backend_connection"))
    roles = dict(blocks(*resource, "vault_database_secret_backend_static_role"))
    assert set(connections) == {"postgresql", "mysql"}
    allowed = [role for body in connections.values() for role in body["allowed_roles"]]
    assert sorted(allowed) == sorted(body["name"] for body in roles.values())
    assert {body["rotation_period"] for body in roles.values()} == {604800}
    for label, body in roles.items():
        assert label == body["name"].replace("-", "_")


def test_each_database_has_its_role() -> None:
    databases = dict(blocks("stacks/dbaas/modules/dbaas/main.tf", "resource", "null_resource"))
    triggers = {label: body["triggers"] for label, body in databases.items() if label != "pg_cluster"}
    assert triggers == {"pg_seed_log_db": {"db_name": "seed_log", "username": "seed_log"}}


def test_lists_that_are_values_of_terraform() -> None:
    ((_, targets),) = blocks("stacks/monitoring/modules/monitoring/authentik_walloff_probe.tf", "locals")
    assert targets == {
        "journal-feed": "https://journal.example.test/feed.xml",
        "seed-log-calendar": "https://seed-log.example.test/calendar/health",
    }
    ((_, monitors),) = blocks("stacks/uptime-kuma/modules/uptime-kuma/main.tf", "locals")
    assert [monitor["name"] for monitor in monitors] == ["Redis"]


def test_the_running_lists_name_what_is_there() -> None:
    lists = read(".claude/CLAUDE.md")
    assert "Active on: journal" in lists
    assert "MySQL: grafana. PostgreSQL: woodpecker, seed_log." in lists
    assert "Repo IDs: infra=1, weather-station=2, compost-cam=5, seed-log=8" in lists
    assert "`registry.example.test/apps/<name>`" in lists
    table = first_cells(section(read("docs/architecture/ci-cd.md"), "## Woodpecker Repository IDs"))
    assert table == {"infra", "weather-station", "compost-cam", "seed-log"}
    matrix = first_cells(section(read("docs/architecture/backup-dr.md"), "## Service Protection Matrix"))
    assert "silverbullet" in matrix


def test_the_upgrade_settings_miss_one_database() -> None:
    services = json.loads(read(".claude/reference/upgrade-config.json"))["db_backed_services"]
    assert services.keys() == {"woodpecker", "monitoring"}


def test_one_version_of_external_secrets_everywhere() -> None:
    versions = {
        line.split('"')[1]
        for path in ROOT.rglob("*.tf")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "external-secrets.io/" in line
    }
    assert versions == {"external-secrets.io/v1beta1"}


def test_dependencies_of_a_stack_exist() -> None:
    for path in (ROOT / "stacks").glob("*/terragrunt.hcl"):
        for name, body in blocks(path.relative_to(ROOT).as_posix(), "dependency"):
            assert body["config_path"] == f"../{name}"
            assert name in STACKS - {path.parent.name}

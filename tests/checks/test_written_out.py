"""Addresses that are written out, and texts that only look like one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Codes = Callable[..., list[str]]


@pytest.mark.parametrize(
    "text",
    [
        'resource "x" "y" {\n  nfs {\n    server = "10.0.10.15"\n  }\n}\n',
        'locals {\n  volume = [{ server = "10.0.10.15", share = "/x" }]\n}\n',
        'variable "nfs_server" {\n  default = "10.0.10.15"\n}\n',
    ],
    ids=["block", "mapping", "default"],
)
def test_the_server_of_a_volume_is_found_however_it_is_written(codes: Codes, text: str) -> None:
    assert "STO007" in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        'locals {\n  url = "https://10.0.10.15:8006"\n}\n',
        'locals {\n  target = "10.0.10.15"\n}\n',
        '# server = "10.0.10.15"\n',
        'locals {\n  server = "10.0.10.151"\n}\n',
    ],
    ids=["another service", "another thing", "comment", "another address"],
)
def test_what_is_no_server_of_a_volume_is_not_judged(codes: Codes, text: str) -> None:
    assert codes(text) == []


DSN = "postgresql://app@postgresql.dbaas.svc.cluster.local/app"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'locals {{\n  dsn = "{DSN}"\n}}\n', ["SVC003"]),
        (f'locals {{\n  dsn = join("", [true ? "{DSN}" : "", "x"])\n}}\n', ["SVC003"]),
        (f"locals {{\n  script = <<-EOT\n    psql {DSN}\n  EOT\n}}\n", ["SVC003"]),
        (f"# {DSN}\n", []),
        (f'locals {{\n  internal_monitors = [{{ name = "db", url = "{DSN}" }}]\n}}\n', []),
        ('locals {\n  a = { "dependency.kyverno.io/wait-for" = "postgresql.dbaas:5432" }\n}\n', []),
    ],
    ids=["text", "in a call", "heredoc", "comment", "monitor", "waited for"],
)
def test_a_shared_host_is_found_where_it_is_used(codes: Codes, text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_the_stack_of_a_host_may_write_its_name(codes: Codes) -> None:
    space = 'resource "kubernetes_namespace" "db" {\n  metadata {\n    name = "dbaas"\n  }\n}\n'
    assert "SVC003" not in codes(f'locals {{\n  dsn = "{DSN}"\n}}\n{space}')

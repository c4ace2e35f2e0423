"""Addresses that a stack writes out although config.tfvars gives them to every stack under a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.rule import FamilyRule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.hcl.syntax import Block, Body, Document, Expression
from scaffold.monorepo.root import stack_in
from scaffold.monorepo.uses import MONITORS, metadata, resource_type

_SERVER = ("nfs_server", "server")
"""What names the NFS server: the argument of the module, and that of a volume."""


def _findings(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    hosts = re.compile(context.facts["hosts_not_written"])
    server = re.compile(context.facts["nfs_not_written"])
    for document in (document for documents in stack.modules.values() for document in documents):
        written = document.source.text()
        # Most files have none, and walking through all texts takes longer than checking whether there is one.
        if any(map(server.search, written.split('"'))):
            yield from _servers(document, server)
        if hosts.search(written):
            yield from _hosts(document, hosts, _namespaces(stack), context)


def _namespaces(stack: ParsedStack) -> set[object]:
    """The namespaces that a stack creates: a server's own stack may write its name."""
    blocks = (b for documents in stack.modules.values() for d in documents for b in d.body.blocks)
    return {
        metadata(block).literal("name") for block in blocks if resource_type(block) == "kubernetes_namespace"
    }


def _servers(document: Document, address: re.Pattern[str]) -> Iterator[Finding]:
    named = ((name, value) for name, value in _texts(document.body) if name in _SERVER)
    for _, value in named:
        if address.search(value.string() or ""):
            fix = 'write var.nfs_server, and declare variable "nfs_server"'
            yield at(value, "STO007", "the NFS server is written out", value=value.string(), fix=fix)


def _texts(body: Body) -> Iterator[tuple[str, Expression]]:
    """Every text with what it belongs to; the default of a variable belongs to the variable."""
    for block in body.blocks_of("variable"):
        default = block.body.value("default")
        if default is not None and block.labels:
            yield block.labels[0], default
    yield from body.texts()


def _hosts(
    document: Document, hosts: re.Pattern[str], own: set[object], context: CheckContext
) -> Iterator[Finding]:
    if stack_in(document.path, context.facts["stacks"]) in context.facts["tier0_stacks"]:
        return  # they keep these hosts for all others, and are there before any variable names one
    variables = ", ".join(f"var.{name}" for name in context.facts["hosts"].values())
    for block in (block for block in document.body.blocks if hosts.search(block.text)):
        for name, value in block.body.texts(without=MONITORS):
            text = "".join(piece for piece in value.template if isinstance(piece, str))
            # A policy waits for what is written there, as a monitor watches the name that it is given.
            found = hosts.search(text) if name != context.facts["wait_annotation"] else None
            if found and found[0].rpartition(".")[2] not in own and not _describes(block, name):
                what = f"the shared host {found[0]} is written out"
                yield at(
                    value, "SVC003", what, value=found[0], allowed=[variables], fix="name it by its variable"
                )


def _describes(block: Block, name: str) -> bool:
    """Whether a text is for people."""
    return name in ("description", "error_message") or block.type == "output"


_VOLUME = """\
variable "nfs_server" { type = string }

module "media" {
  source     = "../../modules/kubernetes/nfs_volume"
  name       = "journal-media-host"
  namespace  = "journal"
  nfs_server = var.nfs_server
  nfs_path   = "/srv/media"
}
"""
_CONFIG = """\
variable "redis_host" { type = string }

resource "kubernetes_config_map" "journal" {
  metadata { name = "journal" }
  data = { REDIS_URL = "redis://${var.redis_host}:6379/3" }
}
"""


class ServerWritten(FamilyRule, family=_findings):
    """The NFS server is named by its variable."""

    code = "STO007"
    needs = "nfs"
    why = "The server has moved before: every hard-coded address then has to be found."
    rule = "Storage & Backup Architecture"
    severity = Severity.WARNING
    bad = _VOLUME.replace("var.nfs_server", '"10.0.10.15"')
    good = _VOLUME


class HostWritten(FamilyRule, family=_findings):
    """A shared host is named by its variable."""

    code = "SVC003"
    needs = "variables"
    why = "The host may move behind its variable; some of its old names no longer lead to a primary."
    rule = "Database Host"
    severity = Severity.WARNING
    bad = _CONFIG.replace("${var.redis_host}", "redis-master.redis.svc.cluster.local")
    good = _CONFIG

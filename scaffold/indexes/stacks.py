"""What the stacks of a monorepo have to be listed for, read from their HCL.

Only what stands there literally (or as a local of the same file) is seen; a host that a ``for_each``
computes is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from scaffold.changes.change import is_ciphertext, read
from scaffold.hcl.evaluate import Names, evaluate
from scaffold.hcl.modules import read_module
from scaffold.hcl.syntax import Block, Document
from scaffold.indexes import dbaas, vault
from scaffold.indexes.base import as_text
from scaffold.indexes.entry import Database, Engine, Host, PublicPath, ServiceEntry
from scaffold.monorepo.repository import MODULES, Monorepo, ingress_host

_INGRESS, _ANUBIS = "ingress_factory", "anubis_instance"
_WORKLOADS = ("kubernetes_deployment", "kubernetes_stateful_set", "kubernetes_cron_job")
_ROLE_PATH = "static-creds/"
_DESCRIPTION = "gethomepage.dev/description"


@dataclass(frozen=True)
class StackReader:
    """Reads the stacks of one monorepo."""

    monorepo: Monorepo

    @cached_property
    def services(self) -> tuple[ServiceEntry, ...]:
        """The Services: stacks outside State tier 0 with a workload of their own or an ingress."""
        names = [name for name in self.monorepo.stacks if name not in self.monorepo.tier0_stacks]
        return tuple(self.entries[name] for name in names if self._is_service(name))

    @cached_property
    def entries(self) -> Mapping[str, ServiceEntry]:
        """What each stack has to be listed for."""
        return {stack: self._entry(stack) for stack in self.monorepo.stacks}

    @cached_property
    def roles(self) -> Mapping[str, Database]:
        """The databases whose password Vault rotates, by role."""
        names = dbaas.names_by_user(self._text(dbaas.DATABASES.path))
        found = vault.roles(self._text(vault.STATIC_ROLES.path))
        return {d.role: Database(d.engine, d.role, names.get(d.user, d.user), d.user) for d in found}

    def _entry(self, stack: str) -> ServiceEntry:
        ingresses = [i for doc in self._documents(stack) for i in self._ingresses(doc)]
        gated = {i.host for i in ingresses if i.behind_anubis}
        hosts = dict.fromkeys(Host(i.host, i.dns_type) for i in ingresses)
        return ServiceEntry(
            name=stack,
            stack=stack,
            description=next((i.description for i in ingresses if i.description), ""),
            domain=self.domain,
            hosts=tuple(sorted(hosts, key=lambda host: host.label not in gated)),
            databases=tuple(self._databases(stack)),
            public_paths=tuple(
                PublicPath(f"{stack}-{i.label}", i.paths, f"https://{i.host}.{self.domain}{i.paths[0]}", "")
                for i in ingresses
                if i.paths and i.auth == "none"
            ),
            anubis=bool(gated),
        )

    @cached_property
    def domain(self) -> str:
        """The domain of hosts: the default of the ingress module."""
        contract = read_module(self.monorepo.root / MODULES / _INGRESS)
        variable = contract.variables.get("root_domain")
        return str(variable.default) if variable else ""

    def _is_service(self, stack: str) -> bool:
        return any(
            _calls(block, _INGRESS) or (block.type == "resource" and block.labels[0].startswith(_WORKLOADS))
            for doc in self._documents(stack)
            for block in doc.body.blocks
        )

    def _documents(self, stack: str) -> tuple[Document, ...]:
        return self._parsed.get(stack, ())

    @cached_property
    def _parsed(self) -> Mapping[str, tuple[Document, ...]]:
        found: dict[str, list[Document]] = {}
        for path, content in self.monorepo.terraform_files(""):
            document = self.monorepo.document(path, content)
            if document:
                found.setdefault(self.monorepo.stack_of(path), []).append(document)
        return {stack: tuple(documents) for stack, documents in found.items()}

    def _ingresses(self, doc: Document) -> Iterator[_Ingress]:
        known = _locals(doc)
        for block in doc.body.blocks_of("module"):
            if _calls(block, _INGRESS) and (host := self._host(block, known)):
                paths = block.body.literal("ingress_path")
                yield _Ingress(
                    label=block.labels[0].removeprefix("ingress").strip("_-") or "public",
                    host=host,
                    dns_type=_string(block, "dns_type", known) or "none",
                    auth=_string(block, "auth", known) or "required",
                    paths=tuple(map(str, paths)) if isinstance(paths, list) and paths != ["/"] else (),
                    behind_anubis=_is_behind_anubis(block, doc),
                    description=_description(block),
                )

    def _host(self, block: Block, known: Names) -> str | None:
        """The host, without the domain of the house."""
        said = {key: _string(block, key, known) for key in ("full_host", "host", "root_domain")}
        host = ingress_host(_string(block, "name", known), self.domain, **said)
        return host.removesuffix(f".{self.domain}") if host is not None else None

    def _databases(self, stack: str) -> Iterator[Database]:
        """The databases whose credentials the stack reads."""
        roles = {role: None for doc in self._documents(stack) for role in _roles(doc.source.text())}
        for role in roles:
            known = self.roles.get(role)
            if known:
                yield known
                continue
            prefix, _, rest = role.partition("-")
            engines = {r.partition("-")[0]: d.engine for r, d in self.roles.items()}
            user = rest.replace("-", "_")
            yield Database(engines.get(prefix, Engine.POSTGRESQL), role, user, user)

    def _text(self, path: PurePosixPath) -> str:
        content = read(self.monorepo.root, path)[0]
        return as_text(content) or "" if isinstance(content, bytes) and not is_ciphertext(content) else ""


@dataclass(frozen=True, slots=True)
class _Ingress:
    """One call of the ingress module. ``paths`` is empty where it takes the whole host."""

    label: str
    host: str
    dns_type: str
    auth: str
    paths: tuple[str, ...]
    behind_anubis: bool
    description: str


def _calls(block: Block, module: str) -> bool:
    source = block.body.literal("source")
    return block.type == "module" and isinstance(source, str) and source.endswith(f"/{module}")


def _locals(doc: Document) -> Names:
    found: dict[tuple[str, ...], object] = {}
    for block in doc.body.blocks_of("locals"):
        for name, attribute in block.body.attributes.items():
            if isinstance(attribute.value.literal(), str):
                found["local", name] = attribute.value.literal()
    return found


def _string(block: Block, name: str, known: Names) -> str | None:
    """An argument of a module: its text, empty where it cannot be seen, or ``None`` where it is not set."""
    value = block.body.value(name)
    if value is None:
        return None
    text = evaluate(value, known)
    return text if isinstance(text, str) else ""


def _is_behind_anubis(block: Block, doc: Document) -> bool:
    service = block.body.value("service_name")
    modules = [r.names[1] for r in (service.references() if service else ()) if r.root == "module"]
    return any(_calls(b, _ANUBIS) for name in modules for b in doc.body.blocks_of("module", name))


def _description(block: Block) -> str:
    annotations = block.body.value("extra_annotations")
    entry = annotations.entry(_DESCRIPTION) if annotations else None
    return (entry.value.string() if entry else None) or ""


def _roles(text: str) -> Iterator[str]:
    """The names that follow the path of static credentials, in manifests of any form."""
    for rest in text.split(_ROLE_PATH)[1:]:
        end = next((n for n, c in enumerate(rest) if not (c.isalnum() or c in "-_")), len(rest))
        if end:
            yield rest[:end]

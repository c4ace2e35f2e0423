"""What the stacks of a monorepo have to be listed for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from scaffold.changes.change import is_ciphertext
from scaffold.indexes import dbaas, vault
from scaffold.indexes.base import as_text
from scaffold.indexes.entry import Database, Engine, Host, PublicPath, ServiceEntry, slug
from scaffold.indexes.places import file_of
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.monorepo.stack import Ingress, Stack
from scaffold.templates.questions import Value


@dataclass(frozen=True)
class StackReader:
    """Reads the stacks of one monorepo."""

    monorepo: Monorepo

    @cached_property
    def services(self) -> tuple[ServiceEntry, ...]:
        """The Services: stacks outside State tier 0 with a workload of their own or an ingress."""
        names = [name for name in self.monorepo.stacks if name not in self.monorepo.tier0_stacks]
        stacks = {name: self.monorepo.fleet.get(name, Stack()) for name in names}
        return tuple(
            self.entries[name] for name, stack in stacks.items() if stack.has_workload or stack.ingresses
        )

    @cached_property
    def entries(self) -> Mapping[str, ServiceEntry]:
        """What each stack has to be listed for."""
        return {stack: self._entry(stack) for stack in self.monorepo.stacks}

    @cached_property
    def roles(self) -> Mapping[str, Database]:
        """The databases whose passwords Vault rotates, by role."""
        names = dbaas.names_by_user(self._text("dbaas"))
        found = vault.roles(self._text("vault-static-roles"))
        return {d.role: Database(d.engine, d.role, names.get(d.user, d.user), d.user) for d in found}

    def claims(self, entry: ServiceEntry) -> bool:
        """Whether a stack has a claim of its own."""
        uses = self.monorepo.fleet.get(entry.stack, Stack()).uses
        return any(use.kind == "claim" for use in uses)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that stacks create, as far as their names can be seen, and the stacks' own names."""
        uses = (use for stack in self.monorepo.fleet.values() for use in stack.uses)
        return frozenset((*self.monorepo.stacks, *(use.name for use in uses if use.kind == "namespace")))

    @cached_property
    def own_images(self) -> Mapping[str, str]:
        """The repositories of the house's own images that pods run, each with the first stack that does."""
        registries = {row["registry"] for row in self._facts["builds"].values()} - {""}
        found: dict[str, str] = {}
        for name in self.monorepo.stacks:
            for pod in self.monorepo.fleet.get(name, Stack()).pods:
                for container in pod.containers:
                    image = container.reference
                    # Docker Hub may be written or not: an image is the house's own either way.
                    home = f"{image.host}/{image.repository}".rpartition("/")[0]
                    if home in registries and "$" not in image.base:
                        found.setdefault(image.base, name)
        return found

    def mentions(self, text: str) -> bool:
        """Whether a Terraform file of a stack has a text in it, in any spelling of names."""
        return slug(text) in self._written

    @cached_property
    def _written(self) -> str:
        """Everything in the stacks, as all spellings of it compare."""
        files = self.monorepo.terraform_files("")
        return "\n".join((*self.monorepo.stacks, *(slug(as_text(c) or "") for _, c in files)))

    @cached_property
    def _facts(self) -> Mapping[str, Value]:
        return facts(self.monorepo)

    def _entry(self, name: str) -> ServiceEntry:
        stack = self.monorepo.fleet.get(name, Stack())
        hosts = {ingress: self._host(ingress) for ingress in stack.ingresses}
        seen = {ingress: host for ingress, host in hosts.items() if host is not None}
        public = {host for ingress, host in seen.items() if ingress.dns_type in self._facts["public_dns"]}
        gated = {host for ingress, host in seen.items() if ingress.behind_anubis}
        by_name = sorted(seen, key=lambda ingress: ingress.name != name)
        listed = dict.fromkeys(Host(host, ingress.dns_type) for ingress, host in seen.items())
        return ServiceEntry(
            name=name,
            stack=name,
            description=next((i.description for i in by_name if i.description), ""),
            domain=self.domain,
            home=self.monorepo.stacks_home,
            hosts=tuple(sorted(listed, key=lambda host: host.label not in gated)),
            databases=tuple(self._databases(stack)),
            public_paths=tuple(
                PublicPath(key, i.paths, f"https://{host}.{self.domain}{(*i.paths, '/')[0]}", "")
                for i, host in seen.items()
                if i.auth == "none" and host in public and not i.behind_anubis
                for key in [f"{name}-{i.label}" if i.paths else name]
            ),
            anubis=bool(gated),
        )

    @cached_property
    def domain(self) -> str:
        """The domain of hosts."""
        return self.monorepo.domain or ""

    def _host(self, ingress: Ingress) -> str | None:
        """The host, without the domain of the house."""
        host = ingress.fqdn(self.domain)
        return host.removesuffix(f".{self.domain}") if host is not None else None

    def _databases(self, stack: Stack) -> Iterator[Database]:
        """The databases whose credentials the stack reads."""
        for role in stack.roles:
            known = self.roles.get(role)
            if known:
                yield known
                continue
            prefix, _, rest = role.partition("-")
            engines = {r.partition("-")[0]: d.engine for r, d in self.roles.items()}
            user = rest.replace("-", "_")
            yield Database(engines.get(prefix, Engine.POSTGRESQL), role, user, user)

    def _text(self, lists: str) -> str:
        path = file_of(self.monorepo.root, lists)
        content = self.monorepo.files.read(path)[0] if path else None
        return as_text(content) or "" if isinstance(content, bytes) and not is_ciphertext(content) else ""

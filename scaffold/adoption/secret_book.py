"""The Secrets that a stack creates from Vault, and where each of their keys comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaffold.adoption.reading import text, unknown
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Placeholder, PlannedResource, Tree, get

ROLE = "static-creds/"


@dataclass(frozen=True)
class VaultSecret:
    """One ExternalSecret: the Secret that it creates, and where the keys come from."""

    resource: PlannedResource
    name: str
    entries: Mapping[str, tuple[str, str]]
    extracts: tuple[str, ...]
    templates: Mapping[str, Tree]

    def place(self, key: str) -> tuple[str, str] | None:
        """The path and the key in Vault that a key of the Secret comes from."""
        if key in self.entries:
            return self.entries[key]
        return (self.extracts[0], key) if self.extracts and key not in self.templates else None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in Vault that it is from."""
        return (*self.extracts, *(path for path, _ in self.entries.values()))

    @property
    def role(self) -> str:
        """The role in Vault whose rotated password it holds."""
        return next((path.removeprefix(ROLE) for path in self.paths if path.startswith(ROLE)), "")

    def template(self, key: str) -> str:
        """The value under a key that is composed from a template, with the placeholder of a host."""
        written = self.templates.get(key)
        return written.text if isinstance(written, Placeholder) else text(written)


@dataclass(frozen=True)
class SecretBook:
    """The Secrets from Vault of a namespace, by name: the Service's own, and its database's."""

    own: Mapping[str, VaultSecret]
    databases: Mapping[str, VaultSecret]
    logins: Mapping[str, VaultSecret]
    """Those with which a Middleware asks for a name and a password."""

    @classmethod
    def of(
        cls, resources: Sequence[PlannedResource], facts: Mapping[str, Value], namespace: str
    ) -> SecretBook:
        """The Secrets that these resources create in a namespace."""
        own: dict[str, VaultSecret] = {}
        databases: dict[str, VaultSecret] = {}
        for resource, manifest in k8s.manifests(resources, "ExternalSecret"):
            if unknown(get(manifest, "metadata", "namespace")) or text(
                get(manifest, "metadata", "namespace")
            ) not in ("", namespace):
                continue
            secret = _secret(resource, manifest)
            store = get(manifest, "spec", "secretStoreRef", "name")
            (databases if store == facts["database_store"] else own)[secret.name] = secret
        asked = {text(m, "spec", "basicAuth", "secret") for _, m in k8s.manifests(resources, "Middleware")}
        logins = {name: secret for name, secret in own.items() if name in asked}
        return cls({name: s for name, s in own.items() if name not in asked}, databases, logins)


def _secret(resource: PlannedResource, manifest: Tree) -> VaultSecret:
    spec = get(manifest, "spec")
    data = k8s.items(spec, "data")
    return VaultSecret(
        resource,
        text(k8s.target(manifest)),
        {
            text(row, "secretKey"): (text(row, "remoteRef", "key"), text(row, "remoteRef", "property"))
            for row in data
        },
        tuple(text(row, "extract", "key") for row in k8s.items(spec, "dataFrom")),
        k8s.mapping(spec, "target", "template", "data"),
    )

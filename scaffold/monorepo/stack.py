"""One stack as the rest of the program needs it: pods, ingresses, names in use. Plain data, read once.

Only what is written literally, or through a local or a namespace of the same module, is seen; what a
``for_each`` or a function computes is not: the plan is the check for that.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from scaffold.hcl.evaluate import Names, text
from scaffold.hcl.syntax import Block, Body, Document, read
from scaffold.monorepo.manifests import TierFact, tier_facts
from scaffold.monorepo.routes import Route, written
from scaffold.monorepo.shared import SharedModules, calls
from scaffold.monorepo.uses import DATABASE_ROLE, Use, known_names, metadata, resource_type, roles, uses
from scaffold.templates import decisions, template
from scaffold.templates.image import ImageReference

_OWNERS = {
    "kubernetes_deployment": "deployment",
    "kubernetes_stateful_set": "statefulset",
    "kubernetes_daemonset": "daemonset",
    "kubernetes_daemon_set": "daemonset",
    "kubernetes_cron_job": "cronjob",
    "kubernetes_job": "job",
    "kubernetes_pod": "pod",
}
_WORKLOADS = ("deployment", "statefulset", "cronjob")
_DESCRIPTION = "gethomepage.dev/description"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, or an init container, of a pod; ``slot`` is how ``ignore_changes`` names it.

    ``burstable`` tells whether it requests less memory than its limit, None if that cannot be seen.
    """

    name: str
    image: str
    slot: str
    line: int
    burstable: bool | None = None

    @property
    def reference(self) -> ImageReference:
        """The image in its parts."""
        return ImageReference.parse(self.image)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod specification with the resource that owns it. Names that are not written out are empty."""

    kind: str
    name: str
    namespace: str
    containers: tuple[Container, ...]
    pull_secrets: tuple[str, ...]
    ignored: tuple[str, ...]
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Ingress:
    """One call of the ingress module. ``paths`` is empty if it takes the whole host.

    A host that is set and cannot be seen is empty, one that is not set None.
    """

    label: str
    name: str | None
    full_host: str | None
    host: str | None
    root_domain: str | None
    dns_type: str
    auth: str
    paths: tuple[str, ...]
    behind_anubis: bool
    monitored: bool | None
    monitor: str
    description: str
    path: str
    line: int

    def fqdn(self, domain: str) -> str | None:
        """The host as the module builds it; ``domain`` is its default. None if no name can be seen."""
        label = self.host if self.host is not None else self.name
        return self.full_host or (f"{label}.{self.root_domain or domain}" if label else None)


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """An ExternalSecret written as a manifest: its API version, and whether conflicts are forced."""

    api: str
    forced: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """The content of one stack's Terraform files."""

    pods: tuple[Pod, ...] = ()
    ingresses: tuple[Ingress, ...] = ()
    routes: tuple[Route, ...] = ()
    uses: tuple[Use, ...] = ()
    external_secrets: tuple[ExternalSecret, ...] = ()
    roles: tuple[str, ...] = ()
    """The roles in Vault whose static credentials it reads, in whatever form."""
    keel_forces: tuple[tuple[str, int], ...] = ()
    """The places where Keel is told to force a tag."""
    tier_facts: tuple[TierFact, ...] = ()
    has_workload: bool = False

    @property
    def deployments(self) -> tuple[Pod, ...]:
        """The Deployments."""
        return tuple(pod for pod in self.pods if pod.kind == "deployment")


def read_stack(
    sources: Mapping[str, bytes], shared: SharedModules | None = None, given: Names = MappingProxyType({})
) -> Stack:
    """The stack in these ``.tf`` files (by path); files that are not HCL are left out.

    ``shared`` are the modules that they may call, by default those that the templates know; ``given`` are
    names that they refer to and other files define.
    """
    shared = shared or SharedModules.of(decisions.house())
    paths = [path for path in sources if path.endswith(".tf")]
    documents = [document for path in paths if (document := read(sources[path], path)) is not None]
    modules: dict[str, list[Document]] = {}
    for document in documents:
        modules.setdefault(posixpath.dirname(document.path), []).append(document)
    known = [_Module.of(module, given) for module in modules.values()]
    named = [(role, d.path, line) for d in documents for role, line in roles(d.source.text())]
    return Stack(
        pods=tuple(pod for module in known for pod in module.pods()),
        ingresses=tuple(ingress for module in known for ingress in module.ingresses(shared)),
        routes=tuple(route for module in known for route in written(module.blocks, module.names)),
        uses=(
            *(use for module in known for use in uses(module.blocks, module.names, shared)),
            *(Use(DATABASE_ROLE, *one) for one in named),
        ),
        external_secrets=tuple(secret for module in known for secret in module.external_secrets()),
        roles=tuple(dict.fromkeys(role for role, _, _ in named)),
        keel_forces=tuple(place for document in documents for place in _forced(document)),
        tier_facts=tuple(fact for module in known for fact in tier_facts(module.blocks)),
        has_workload=any(_kind(block) in _WORKLOADS for module in known for block in module.blocks),
    )


@dataclass(frozen=True, slots=True)
class _Module:
    """The blocks of one module, and what its locals and namespaces are known to be."""

    blocks: tuple[Block, ...]
    names: Names

    @classmethod
    def of(cls, documents: Iterable[Document], given: Names) -> _Module:
        blocks = tuple(block for document in documents for block in document.body.blocks)
        return cls(blocks, known_names(blocks, given))

    def text(self, body: Body, name: str) -> str | None:
        """An argument's text, empty if it cannot be seen, or None if it is not set."""
        value = body.value(name)
        if value is None:
            return None
        return text(value, self.names) or ""

    def pods(self) -> Iterator[Pod]:
        for block in self.blocks:
            kind = _kind(block)
            spec = next(_pod_specs(block.body), None) if kind else None
            if spec is None:
                continue
            secrets = (secret.body.literal("name") for secret in spec.blocks_of("image_pull_secrets"))
            ignored = block.body.inside("lifecycle").value("ignore_changes")
            yield Pod(
                kind,
                self.text(metadata(block), "name") or "",
                self.text(metadata(block), "namespace") or "",
                (*_containers(spec, "container"), *_containers(spec, "init_container")),
                tuple(name for name in secrets if isinstance(name, str)),
                tuple(element.text for element in ignored.elements) if ignored else (),
                block.source.path,
                block.line,
            )

    def ingresses(self, shared: SharedModules) -> Iterator[Ingress]:
        gates = {b.labels[0] for b in self.blocks if calls(b, shared.anubis) and b.labels}
        for block in self.blocks:
            if not calls(block, shared.ingress) or not block.labels:
                continue
            body, named = block.body, partial(shared.argument, "ingress")
            paths, service = body.literal(named("ingress_path")), body.value(named("service_name"))
            monitored = body.literal(named("external_monitor"))
            leads_to = {r.names[1:2] for r in (service.references() if service else ()) if r.root == "module"}
            annotations = body.value(named("extra_annotations"))
            described = annotations.at(_DESCRIPTION) if annotations else None
            yield Ingress(
                label=block.labels[0].removeprefix("ingress").strip("_-") or "public",
                name=self.text(body, named("name")),
                full_host=self.text(body, named("full_host")),
                host=self.text(body, named("host")),
                root_domain=self.text(body, named("root_domain")),
                dns_type=self.text(body, named("dns_type")) or "none",
                auth=self.text(body, named("auth")) or "required",
                paths=tuple(map(str, paths)) if isinstance(paths, list) and paths != ["/"] else (),
                behind_anubis=any((gate,) in leads_to for gate in gates),
                monitored=monitored if isinstance(monitored, bool) else None,
                monitor=self.text(body, named("external_monitor_name")) or "",
                description=(described.string() if described else None) or "",
                path=block.source.path,
                line=block.line,
            )

    def external_secrets(self) -> Iterator[ExternalSecret]:
        for block in self.blocks:
            manifest = block.body.value("manifest") if resource_type(block) == "kubernetes_manifest" else None
            kind, version = (manifest.at("kind"), manifest.at("apiVersion")) if manifest else (None, None)
            said = version.string() if version else None
            if kind and said is not None and kind.string() == "ExternalSecret":
                forced = block.body.inside("field_manager").literal("force_conflicts") is True
                yield ExternalSecret(said, forced)


def _kind(block: Block) -> str:
    return _OWNERS.get(resource_type(block), "")


def _pod_specs(body: Body) -> Iterator[Body]:
    for block in body.blocks:
        if block.body.block("container"):
            yield block.body
        yield from _pod_specs(block.body)


def _containers(spec: Body, kind: str) -> Iterator[Container]:
    for index, block in enumerate(spec.blocks_of(kind)):
        name, image = block.body.literal("name"), block.body.attributes.get("image")
        yield Container(
            name if isinstance(name, str) else "",
            image.value.text.strip('"') if image else "",
            f"{kind}[{index}].image",
            image.line if image else block.line,
            _burstable(block.body),
        )


def _burstable(container: Body) -> bool | None:
    parts = map(container.inside("resources").value, ("requests", "limits"))
    memory = [part.at("memory") if part else None for part in parts]
    request, limit = (_mebibytes(value.literal() if value else None) for value in memory)
    return None if request is None or limit is None else request < limit


def _mebibytes(quantity: object) -> int | None:
    number, unit = (quantity[:-2], quantity[-2:]) if isinstance(quantity, str) else ("", "")
    return int(number) * {"Mi": 1, "Gi": 1024}[unit] if number.isdecimal() and unit in ("Mi", "Gi") else None


def _forced(document: Document) -> Iterator[tuple[str, int]]:
    keel = template.facts("operations")["keel"]
    if not any(key.encode() in document.source.data for key in (keel["policy"], keel["match_tag"])):
        return
    force, match = f'"{keel["policy"]}"="force"', f'"{keel["match_tag"]}"='
    for number, line in enumerate(document.source.text().split("\n"), 1):
        text = "".join(line.partition("#")[0].split())
        if force in text or (match in text and "ignore_changes" not in text):
            yield document.path, number

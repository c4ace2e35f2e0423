"""One stack as the rest of the program asks for it: pods, ingresses, names in use. Plain data, read once.

Only what stands there literally, or through a local or a namespace of the same module, is seen; what a
``for_each`` or a function computes is not: the plan is the check for that.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.hcl.evaluate import Names, text
from scaffold.hcl.syntax import Block, Body, Document, read
from scaffold.monorepo.shared import shared_modules
from scaffold.templates.image import ImageReference

BALANCED = "load balancer port"
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
_ROLE_PATH = "static-creds/"
_DESCRIPTION = "gethomepage.dev/description"


@dataclass(frozen=True, slots=True)
class Container:
    """A container, or an init container, of a pod; ``slot`` is how ``ignore_changes`` names it."""

    name: str
    image: str
    slot: str
    line: int

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
    """One call of the ingress module. ``paths`` is empty where it takes the whole host.

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
    description: str
    path: str
    line: int

    def fqdn(self, domain: str) -> str | None:
        """The host as the module makes it; ``domain`` is its default. None where no name can be seen."""
        label = self.host if self.host is not None else self.name
        return self.full_host or (f"{label}.{self.root_domain or domain}" if label else None)


@dataclass(frozen=True, slots=True)
class Use:
    """A name that a resource takes: what kind of name, where. ``namespace`` is that of a claim."""

    kind: str
    name: str
    path: str
    line: int
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class ExternalSecret:
    """An ExternalSecret written as a manifest: its API version, and whether conflicts are forced."""

    api: str
    forced: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """What stands in the Terraform files of one stack."""

    pods: tuple[Pod, ...] = ()
    ingresses: tuple[Ingress, ...] = ()
    uses: tuple[Use, ...] = ()
    external_secrets: tuple[ExternalSecret, ...] = ()
    roles: tuple[str, ...] = ()
    """The roles in Vault whose static credentials it reads, in whatever form."""
    keel_forces: tuple[tuple[str, int], ...] = ()
    """The places where Keel is told to force a tag."""
    has_workload: bool = False

    @property
    def deployments(self) -> tuple[Pod, ...]:
        """The Deployments."""
        return tuple(pod for pod in self.pods if pod.kind == "deployment")


def read_stack(sources: Mapping[str, bytes]) -> Stack:
    """The stack in these ``.tf`` files (by their path); what is no HCL is left out."""
    paths = [path for path in sources if path.endswith(".tf")]
    documents = [document for path in paths if (document := read(sources[path], path)) is not None]
    modules: dict[str, list[Document]] = {}
    for document in documents:
        modules.setdefault(posixpath.dirname(document.path), []).append(document)
    known = [_Module.of(module) for module in modules.values()]
    return Stack(
        pods=tuple(pod for module in known for pod in module.pods()),
        ingresses=tuple(ingress for module in known for ingress in module.ingresses()),
        uses=tuple(use for module in known for use in module.uses()),
        external_secrets=tuple(secret for module in known for secret in module.external_secrets()),
        roles=tuple(dict.fromkeys(role for d in documents for role in _roles(d.source.text()))),
        keel_forces=tuple(place for document in documents for place in _forced(document)),
        has_workload=any(_kind(block) in _WORKLOADS for module in known for block in module.blocks),
    )


@dataclass(frozen=True, slots=True)
class _Module:
    """The blocks of one module, and what its locals and namespaces are known to be."""

    blocks: tuple[Block, ...]
    names: Names

    @classmethod
    def of(cls, documents: Iterable[Document]) -> _Module:
        blocks = tuple(block for document in documents for block in document.body.blocks)
        names: dict[tuple[str, ...], object] = {}
        for block in blocks:
            if block.type == "locals":
                texts = {name: item.value.literal() for name, item in block.body.attributes.items()}
                names |= {("local", name): text for name, text in texts.items() if isinstance(text, str)}
            elif _type(block) == "kubernetes_namespace" and len(block.labels) > 1:
                called = _metadata(block).literal("name")
                if isinstance(called, str):
                    names[block.labels[:2]] = {"metadata": [{"name": called}]}
        return cls(blocks, names)

    def text(self, body: Body, name: str) -> str | None:
        """An argument's text, empty where it cannot be seen, or None where it is not set."""
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
            lifecycle = block.body.block("lifecycle")
            ignored = lifecycle.body.value("ignore_changes") if lifecycle else None
            yield Pod(
                kind,
                self.text(_metadata(block), "name") or "",
                self.text(_metadata(block), "namespace") or "",
                (*_containers(spec, "container"), *_containers(spec, "init_container")),
                tuple(name for name in secrets if isinstance(name, str)),
                tuple(element.text for element in ignored.elements) if ignored else (),
                block.source.path,
                block.line,
            )

    def ingresses(self) -> Iterator[Ingress]:
        shared = shared_modules()
        gates = {b.labels[0] for b in self.blocks if calls(b, shared.anubis) and b.labels}
        for block in self.blocks:
            if not calls(block, shared.ingress) or not block.labels:
                continue
            body, paths = block.body, block.body.literal("ingress_path")
            service = body.value("service_name")
            leads_to = {r.names[1:2] for r in (service.references() if service else ()) if r.root == "module"}
            annotations = body.value("extra_annotations")
            entry = annotations.entry(_DESCRIPTION) if annotations else None
            yield Ingress(
                label=block.labels[0].removeprefix("ingress").strip("_-") or "public",
                name=self.text(body, "name"),
                full_host=self.text(body, "full_host"),
                host=self.text(body, "host"),
                root_domain=self.text(body, "root_domain"),
                dns_type=self.text(body, "dns_type") or "none",
                auth=self.text(body, "auth") or "required",
                paths=tuple(map(str, paths)) if isinstance(paths, list) and paths != ["/"] else (),
                behind_anubis=any((gate,) in leads_to for gate in gates),
                description=(entry.value.string() if entry else None) or "",
                path=block.source.path,
                line=block.line,
            )

    def uses(self) -> Iterator[Use]:
        """The namespaces, PersistentVolumes, claims, and ports of the load balancer's addresses."""
        for block in self.blocks:
            for kind, name, namespace in self._names(block):
                yield Use(kind, name, block.source.path, block.line, namespace)

    def _names(self, block: Block) -> Iterator[tuple[str, str, str]]:
        if calls(block, shared_modules().nfs):
            if name := self.text(block.body, "name"):
                yield "PersistentVolume", name, ""
        elif (name := self.text(_metadata(block), "name")) and (kind := _type(block)):
            if kind == "kubernetes_namespace":
                yield "namespace", name, ""
            elif kind == "kubernetes_persistent_volume":
                yield "PersistentVolume", name, ""
            elif kind == "kubernetes_persistent_volume_claim":
                yield "claim", name, self.text(_metadata(block), "namespace") or ""
            elif kind == "kubernetes_service":
                yield from ((BALANCED, place, "") for place in _balanced(block))

    def external_secrets(self) -> Iterator[ExternalSecret]:
        for block in self.blocks:
            manifest = block.body.value("manifest") if _type(block) == "kubernetes_manifest" else None
            kind, api = (manifest.entry("kind"), manifest.entry("apiVersion")) if manifest else (None, None)
            version = api.value.literal() if api else None
            if kind and kind.value.literal() == "ExternalSecret" and isinstance(version, str):
                manager = block.body.block("field_manager")
                forced = manager is not None and manager.body.literal("force_conflicts") is True
                yield ExternalSecret(version, forced)


def calls(block: Block, module: str) -> bool:
    """Whether a block calls the shared module of this name."""
    source = block.body.literal("source") if block.type == "module" else None
    return isinstance(source, str) and source.endswith(f"/{module}")


def address_port(address: str, protocol: str, port: int | str) -> str:
    """The name of a port of the load balancer, as ``Use`` has it."""
    return f"{address} {protocol} {port}"


def _type(block: Block) -> str:
    """The type of a resource, whichever version of it; empty for other blocks."""
    return block.labels[0].removesuffix("_v1") if block.type == "resource" and block.labels else ""


def _kind(block: Block) -> str:
    return _OWNERS.get(_type(block), "")


def _metadata(block: Block) -> Body:
    found = block.body.block("metadata")
    return found.body if found else Body(block.source, None)


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
        )


def _balanced(service: Block) -> Iterator[str]:
    """The ports of a Service of type LoadBalancer at each address that one of its annotations names."""
    spec = service.body.block("spec")
    annotations = _metadata(service).literal("annotations")
    if spec is None or spec.body.literal("type") != "LoadBalancer" or not isinstance(annotations, Mapping):
        return
    for port in spec.body.blocks_of("port"):
        protocol, number = port.body.literal("protocol"), port.body.literal("port")
        protocol = protocol if isinstance(protocol, str) else "TCP"
        if isinstance(number, int | str):
            yield from (address_port(str(value), protocol, number) for value in annotations.values())


def _roles(text: str) -> Iterator[str]:
    """The names that follow the path of static credentials, in manifests of any form."""
    for rest in text.split(_ROLE_PATH)[1:]:
        end = next((n for n, c in enumerate(rest) if not (c.isalnum() or c in "-_")), len(rest))
        if end:
            yield rest[:end]


def _forced(document: Document) -> Iterator[tuple[str, int]]:
    if b"keel.sh/" not in document.source.data:
        return
    for number, line in enumerate(document.source.text().split("\n"), 1):
        text = "".join(line.partition("#")[0].split())
        if '"keel.sh/policy"="force"' in text or (
            '"keel.sh/match-tag"=' in text and "ignore_changes" not in text
        ):
            yield document.path, number

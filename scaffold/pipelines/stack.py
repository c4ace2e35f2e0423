"""What a pipeline has to agree with: the pods of the Service's stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scaffold.hcl.syntax import Block, Body, Document, HclSyntaxError, parse

_OWNERS = {
    "kubernetes_deployment": "deployment",
    "kubernetes_deployment_v1": "deployment",
    "kubernetes_stateful_set": "statefulset",
    "kubernetes_stateful_set_v1": "statefulset",
    "kubernetes_daemonset": "daemonset",
    "kubernetes_cron_job_v1": "cronjob",
    "kubernetes_cron_job": "cronjob",
    "kubernetes_job_v1": "job",
    "kubernetes_job": "job",
}


@dataclass(frozen=True, slots=True)
class Container:
    """A container, or an init container, of a pod; ``slot`` is how ``ignore_changes`` names it."""

    name: str
    image: str
    slot: str
    line: int


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
class Stack:
    """The pods of one stack, and the places where Keel is told to force a tag."""

    pods: tuple[Pod, ...]
    keel_forces: tuple[tuple[str, int], ...]

    @property
    def deployments(self) -> tuple[Pod, ...]:
        """The Deployments."""
        return tuple(pod for pod in self.pods if pod.kind == "deployment")


def read_stack(sources: Mapping[str, bytes]) -> Stack:
    """The stack in these ``.tf`` files (by their path); what is no HCL is left out."""
    documents: list[Document] = []
    for path, content in sorted(sources.items()):
        try:
            documents += [parse(content, path)] if path.endswith(".tf") else []
        except HclSyntaxError:
            continue
    namespaces = {
        block.labels[1]: _name(block)
        for document in documents
        for kind in ("kubernetes_namespace", "kubernetes_namespace_v1")
        for block in document.body.blocks_of("resource", kind)
    }
    return Stack(
        tuple(pod for document in documents for pod in _pods(document, namespaces)),
        tuple(place for document in documents for place in _forced(document)),
    )


def _name(resource: Block) -> str:
    metadata = resource.body.block("metadata")
    name = metadata.body.literal("name") if metadata else None
    return name if isinstance(name, str) else ""


def _pods(document: Document, namespaces: Mapping[str, str]) -> Iterator[Pod]:
    for resource in document.body.blocks_of("resource"):
        kind = _OWNERS.get(resource.labels[0])
        spec = next(_pod_specs(resource.body), None) if kind else None
        if kind is None or spec is None:
            continue
        yield Pod(
            kind,
            _name(resource),
            _namespace(resource, namespaces),
            (*_containers(spec, "container"), *_containers(spec, "init_container")),
            tuple(
                name
                for secret in spec.blocks_of("image_pull_secrets")
                if isinstance(name := secret.body.literal("name"), str)
            ),
            _ignored(resource),
            document.path,
            resource.line,
        )


def _namespace(resource: Block, namespaces: Mapping[str, str]) -> str:
    metadata = resource.body.block("metadata")
    value = metadata.body.value("namespace") if metadata else None
    if value is None:
        return ""
    literal = value.literal()
    if isinstance(literal, str):
        return literal
    parts = value.text.split(".")
    return (
        namespaces.get(parts[1], "") if parts[0].startswith("kubernetes_namespace") and len(parts) > 1 else ""
    )


def _pod_specs(body: Body) -> Iterator[Body]:
    for block in body.blocks:
        if block.body.block("container"):
            yield block.body
        yield from _pod_specs(block.body)


def _containers(spec: Body, kind: str) -> Iterator[Container]:
    for index, block in enumerate(spec.blocks_of(kind)):
        name = block.body.literal("name")
        image = block.body.value("image")
        attribute = block.body.attributes.get("image")
        yield Container(
            name if isinstance(name, str) else "",
            image.text.strip('"') if image else "",
            f"{kind}[{index}].image",
            attribute.line if attribute else block.line,
        )


def _ignored(resource: Block) -> tuple[str, ...]:
    lifecycle = resource.body.block("lifecycle")
    value = lifecycle.body.value("ignore_changes") if lifecycle else None
    return tuple(element.text for element in value.elements) if value else ()


def _forced(document: Document) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(document.source.data.decode(errors="replace").split("\n"), 1):
        text = "".join(line.partition("#")[0].split())
        if '"keel.sh/policy"="force"' in text or (
            '"keel.sh/match-tag"=' in text and "ignore_changes" not in text
        ):
            yield document.path, number

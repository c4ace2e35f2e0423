"""Names that a new Service would take from another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.errors import Finding
from scaffold.hcl.syntax import NOT_LITERAL, Block, Body, Document
from scaffold.monorepo.repository import STACKS, Monorepo, ingress_host
from scaffold.templates.questions import Value

_BALANCED = "load balancer port"


@dataclass(frozen=True, slots=True)
class Use:
    """A name in use: what kind of name, where it is taken."""

    kind: str
    name: str
    stack: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name that a new Service needs, and the answer that it comes from."""

    kind: str
    name: str
    answer: str


def wanted(values: Mapping[str, Value]) -> tuple[Wanted, ...]:
    """The names that a Service with these combined values takes."""
    names = values["names"]
    storage = values["storage"]
    result = [
        Wanted("namespace", names["namespace"]["value"], "name"),
    ]
    if values["stack"]["ingress"]:
        result.append(Wanted("host", values["ingress"]["fqdn"], "host"))
    for index, item in enumerate(values["ingress"]["hosts"]):
        result.append(Wanted("host", item["fqdn"], f"hosts[{index}].host"))
    for index, volume in enumerate(storage["volumes"]):
        if volume["exists"]:
            continue
        kind = "PersistentVolume" if volume["on_nfs"] else "claim"
        result.append(Wanted(kind, volume["claim"]["value"], f"volumes[{index}].purpose"))
    if storage["backup"]["volumes"]:
        result.append(Wanted("PersistentVolume", storage["backup"]["claim"], "name"))
    balanced = values["containers"]["load_balancer"]
    for port in balanced["ports"] if balanced else ():
        place = _address_port(
            balanced["address"]["value"], port["protocol"], port["service_port"] or port["port"]
        )
        result.append(Wanted(_BALANCED, place, "load_balancer.ports"))
    return tuple(result)


def taken(monorepo: Monorepo, needs: Iterable[Wanted], stack: str, domain: str) -> list[tuple[Wanted, Use]]:
    """The names that a stack needs and another one has, with who has them.

    PersistentVolumes are cluster-wide; a claim is taken only by a claim in the same namespace. Names
    that a stack computes (``for_each``, functions) cannot be seen; the plan is the check for those.
    """
    needs = list(needs)
    namespace = next((need.name for need in needs if need.kind == "namespace"), stack)
    texts = {need.name for need in needs}
    texts |= {need.name.split()[0] for need in needs if need.kind == _BALANCED}
    texts |= {need.name.removesuffix(f".{domain}") for need in needs if need.kind == "host"}
    found = []
    for path, content in monorepo.terraform_files(*(f'"{text}"' for text in texts)):
        owner = monorepo.stack_of(path)
        document = monorepo.document(path, content)
        if owner == stack or document is None:
            continue
        for use in uses(document, owner, domain, namespace):
            found += [(need, use) for need in needs if (need.kind, need.name) == (use.kind, use.name)]
    return found


def uses(document: Document, stack: str, domain: str, namespace: str) -> Iterator[Use]:
    """The names that one file takes: namespaces, hosts, PersistentVolumes, ports of the load balancer's
    addresses, and claims in ``namespace``."""
    scope = _Scope(document.body)
    for block in document.body.blocks:
        kinds = list(_names(block, scope, domain, namespace))
        for kind, name in kinds:
            yield Use(kind, name, stack, document.path, block.line)


def _names(block: Block, scope: _Scope, domain: str, namespace: str) -> Iterator[tuple[str, str]]:
    if block.type == "module":
        source = scope.text(block.body, "source") or ""
        name = scope.text(block.body, "name")
        if source.endswith("/ingress_factory"):
            said = {key: scope.text(block.body, key) for key in ("full_host", "host", "root_domain")}
            if host := ingress_host(name, domain, **said):
                yield "host", host
        elif source.endswith("/nfs_volume") and name:
            yield "PersistentVolume", name
        return
    metadata = block.body.block("metadata")
    kind = block.labels[0] if block.type == "resource" and block.labels else ""
    name = scope.text(metadata.body, "name") if metadata else None
    if name is None:
        return
    if kind in ("kubernetes_namespace", "kubernetes_namespace_v1"):
        yield "namespace", name
    elif kind in ("kubernetes_persistent_volume", "kubernetes_persistent_volume_v1"):
        yield "PersistentVolume", name
    elif kind in ("kubernetes_service", "kubernetes_service_v1") and metadata is not None:
        yield from ((_BALANCED, place) for place in _balanced(block, metadata))
    elif kind.startswith("kubernetes_persistent_volume_claim") and metadata is not None:
        yield ("claim", name) if scope.text(metadata.body, "namespace") == namespace else ("", name)


def _balanced(service: Block, metadata: Block) -> Iterator[str]:
    """The ports of a Service of type LoadBalancer at each address that one of its annotations names."""
    spec = service.body.block("spec")
    annotations = metadata.body.literal("annotations")
    if spec is None or spec.body.literal("type") != "LoadBalancer" or not isinstance(annotations, Mapping):
        return
    for port in spec.body.blocks_of("port"):
        protocol, number = port.body.literal("protocol"), port.body.literal("port")
        protocol = protocol if isinstance(protocol, str) else "TCP"
        if isinstance(number, int | str):
            yield from (_address_port(str(value), protocol, number) for value in annotations.values())


def _address_port(address: str, protocol: str, port: int | str) -> str:
    return f"{address} {protocol} {port}"


class _Scope:
    """The literals that one file knows: its locals and the names of its namespaces."""

    def __init__(self, body: Body) -> None:
        self._known: dict[tuple[str, ...], str] = {}
        for block in body.blocks_of("locals"):
            for name, attribute in block.body.attributes.items():
                local = attribute.value.literal()
                if isinstance(local, str):
                    self._known["local", name] = local
        for kind in ("kubernetes_namespace", "kubernetes_namespace_v1"):
            for block in body.blocks_of("resource", kind):
                metadata = block.body.block("metadata")
                called = metadata.body.literal("name") if metadata else NOT_LITERAL
                if isinstance(called, str):
                    self._known[kind, block.labels[1], "metadata"] = called

    def text(self, body: Body, name: str) -> str | None:
        value = body.value(name)
        if value is None:
            return None
        literal = value.literal()
        if isinstance(literal, str):
            return literal
        reference = value.traversal
        return self._known.get(reference.names) if reference else None


def findings(clashes: Iterable[tuple[Wanted, Use]]) -> list[Finding]:
    """What to tell about names that are taken."""
    return [
        Finding(
            use.path, use.line, None, f"taken.{need.kind.lower().replace(' ', '-')}",
            f"The {need.kind} {need.name} belongs to {STACKS}/{use.stack}.", value=need.name,
            fix=f"Choose another {need.answer}.", answer=need.answer,
        )
        for need, use in clashes
    ]  # fmt: skip

"""The names that the blocks of one module take, each of which only one Service can have.

Literal names are seen, and those that follow from the module's locals; what a ``for_each`` over anything else
computes is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType

from scaffold.hcl.evaluate import Names, evaluate, known_text, text
from scaffold.hcl.expressions import Entry, Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.syntax import Block, Body
from scaffold.monorepo import manifests
from scaffold.monorepo.manifests import MAKER
from scaffold.monorepo.shared import SharedModules, calls
from scaffold.templates import template

BALANCED = "load balancer port"
NFS = "NFS directory"
DATABASE = "database"
DATABASE_ROLE = "database role"
DATABASE_USER = "database user"
REDIS = "Redis database"
VAULT_PATH = "Vault path"
MONITOR = "monitor"
EXTERNAL_MONITOR = "external monitor"
WILDCARD = "wildcard record"
PROOF = "proof of work"
"""An Anubis; its place is :data:`STORED` where Redis keeps its challenges."""
STORED = "stored"
MONITORS = "internal_monitors"
"""The list of what is monitored from inside: what is in it does not use up a name."""
SERVICE = "Service"
_RECORDS = ("cloudflare_record", "cloudflare_dns_record")
_ROLE_PATH = "static-creds/"
_REDIS = ("redis://", "rediss://")


@dataclass(frozen=True, slots=True)
class Use:
    """A name that a resource takes: what kind of name, and where it stands.

    ``place`` is what the name is unique in, if that is not the house: the namespace of a claim, the server of
    an NFS directory, the host of a Redis database; empty if it cannot be seen.
    """

    kind: str
    name: str
    path: str
    line: int
    place: str = ""


def uses(blocks: Iterable[Block], names: Names, shared: SharedModules) -> Iterator[Use]:
    """The names that the blocks of a module take, where they can be seen; ``names`` are its locals."""
    for block in blocks:
        here = Use("", "", block.source.path, block.line)
        inside = (_below(inner, names) for inner in (block, *block.body.walk()))
        for kind, name, place in chain(_own(block, names, shared), *inside):
            if name:
                yield replace(here, kind=kind, name=name, place=place)


def resource_type(block: Block) -> str:
    """The type of a resource without its version; empty for other blocks."""
    return block.labels[0].removesuffix("_v1") if block.type == "resource" and block.labels else ""


def metadata(block: Block) -> Body:
    """The block ``metadata`` of a resource; an empty one if there is none."""
    return block.body.inside("metadata")


def local_values(blocks: Iterable[Block]) -> Mapping[str, Expression]:
    """The locals of a module, as they are written."""
    return {name: a.value for b in blocks if b.type == "locals" for name, a in b.body.attributes.items()}


def entries(value: Expression | None, known: Mapping[str, Expression]) -> Iterator[Entry]:
    """The entries of a map, what holds first: it is written out, one of the ``known`` locals, or merged."""
    if value is None:
        return
    call, said = value.bare.call, value.bare.traversal
    if call is not None and call.function == "merge":
        yield from (entry for part in reversed(call.arguments) for entry in entries(part, known))
    elif said is not None and said.root == "local" and said.names[1:2] and len(said.steps) == 1:
        others = {name: other for name, other in known.items() if name != said.names[1]}
        yield from entries(known.get(said.names[1]), others)
    yield from reversed(value.bare.entries)


def enrolled(blocks: Iterable[Block], names: Names) -> Iterator[str]:
    """The namespaces that blocks of a module enrol in Keel, where their names can be seen."""
    blocks, label = tuple(blocks), template.facts("operations")["keel"]["enrolled"]
    known = local_values(blocks)
    for block in (block for block in blocks if resource_type(block) == "kubernetes_namespace"):
        labels = entries(metadata(block).value("labels"), known)
        on = next((entry.value.literal() for entry in labels if entry.name == label), None)
        if on == "true" and (name := _text(metadata(block), "name", names)):
            yield name


def address_port(address: str, protocol: str, port: int | str) -> str:
    """The name of a port of the load balancer, as ``Use`` has it."""
    return f"{address} {protocol} {port}"


def roles(text: str) -> Iterator[tuple[str, int]]:
    """The names that follow the path of static credentials, in text of any form, with their lines."""
    first, *rest = text.split(_ROLE_PATH)
    line = 1 + first.count("\n")
    for part in rest:
        end = next((n for n, c in enumerate(part) if not (c.isalnum() or c in "-_")), len(part))
        if end:
            yield part[:end], line
        line += part.count("\n")


_Name = tuple[str, str, str]


def _own(block: Block, names: Names, shared: SharedModules) -> Iterator[_Name]:
    """The name of a resource or module call, and what its own arguments say."""
    body = block.body
    if calls(block, shared.nfs):
        named = partial(shared.argument, "nfs")
        yield "PersistentVolume", _text(body, named("name"), names), ""
        yield NFS, _text(body, named("nfs_path"), names), _text(body, named("nfs_server"), names)
    if calls(block, shared.anubis):
        store = body.value(shared.argument("anubis", "shared_store_url"))
        yield PROOF, block.labels[0], STORED if store else ""
    kind, name = resource_type(block), _text(metadata(block), "name", names)
    if kind == "kubernetes_namespace":
        yield "namespace", name, ""
    elif kind == "kubernetes_persistent_volume":
        yield "PersistentVolume", name, ""
    elif kind == "kubernetes_persistent_volume_claim":
        yield "claim", name, _text(metadata(block), "namespace", names)
    elif kind == "kubernetes_service":
        # One whose name cannot be seen may be any.
        yield SERVICE if name else MAKER, name or kind, _text(metadata(block), "namespace", names)
        yield from ((BALANCED, place, "") for place in _balanced(block, names))
    elif kind == "helm_release" or _is_foreign(block, shared):
        yield MAKER, kind or block.type, _text(body, "namespace", names)
    elif kind == "vault_database_secret_backend_static_role":
        yield DATABASE_ROLE, _text(body, "name", names), ""
        yield DATABASE_USER, _text(body, "username", names), ""
    elif kind == "null_resource" and (triggers := body.value("triggers")):
        for trigger, what in (("db_name", DATABASE), ("username", DATABASE_USER)):
            yield what, known_text(triggers.at(trigger), names), ""
    elif kind in _RECORDS and (record := _text(body, "name", names)).startswith("*"):
        yield WILDCARD, record, "proxied" if body.literal("proxied") is True else "non-proxied"
    elif kind.endswith("_manifest"):
        yield from manifests.said(block, names)
    elif block.type == "data" and block.labels[:1] == ("vault_kv_secret_v2",):
        yield VAULT_PATH, _text(body, "name", names), ""


def _is_foreign(block: Block, shared: SharedModules) -> bool:
    """Whether a block calls a module that is neither the stack's own nor one of the shared ones."""
    source = block.body.literal("source") if block.type == "module" else None
    own = f"/{shared.directory}/"
    return isinstance(source, str) and not source.startswith("./") and own not in source


def _below(block: Block, names: Names) -> Iterator[_Name]:
    """What a block says at any depth: NFS directories, Vault paths that are read whole, monitors, Redis."""
    if block.type == "nfs":
        yield NFS, _text(block.body, "path", names), _text(block.body, "server", names)
    for attribute in block.body.attributes.values():
        written = attribute.value.text
        if "share" in written:
            for share, server in _entries(attribute.value, "share", "server"):
                yield NFS, known_text(share, names), known_text(server, names)
        if "extract" in written:
            for extract, _ in _entries(attribute.value, "extract", ""):
                for key, _ in _entries(extract, "key", ""):
                    yield VAULT_PATH, known_text(key, names), ""
        if attribute.name == MONITORS:
            for element in attribute.value.elements:
                yield MONITOR, known_text(element.at("name"), names), ""
        elif any(scheme in written for scheme in _REDIS):
            yield from _redis(attribute.value, names)


def _entries(value: Expression, key: str, beside: str) -> Iterator[tuple[Expression, Expression | None]]:
    """The values of a key in mappings at any depth, with what stands beside each."""
    if found := value.at(key):
        yield found, value.at(beside)
    for inner in _inner(value):
        yield from _entries(inner, key, beside)


def _inner(value: Expression) -> tuple[Expression, ...]:
    """What a list or a mapping holds, and what a function is given: charts have their values encoded."""
    call = value.bare.call
    return (*value.elements, *(entry.value for entry in value.entries), *(call.arguments if call else ()))


def _redis(value: Expression, names: Names) -> Iterator[_Name]:
    """The databases of Redis that texts at any depth of a value name as ``redis://HOST:PORT/NUMBER``.

    A host that a variable tells is called by the variable.
    """
    for inner in _inner(value):
        yield from _redis(inner, names)
    if value.bare.kind in (ExprKind.LIST, ExprKind.MAP):
        return
    for url in _marked(value, names).split():
        scheme, _, rest = url.partition("://")
        if f"{scheme}://" not in _REDIS:
            continue
        address, _, number = rest.rpartition("@")[2].partition("/")
        number = number.partition("?")[0] or "0"
        if number.isdecimal():
            yield REDIS, number, address.partition(":")[0]


def _marked(value: Expression, names: Names) -> str:
    """The text of a value, in which what is not known stands as it is written."""
    known = text(value.bare, names)
    if known is not None or value.bare.kind is not ExprKind.TEMPLATE:
        return known or ""
    return "".join(
        piece if isinstance(piece, str) else (text(piece, names) or piece.text) if piece else ""
        for piece in value.bare.template
    )


def _balanced(service: Block, names: Names) -> Iterator[str]:
    """The ports of a Service of type LoadBalancer, at each address that one of its annotations names."""
    spec, annotations = service.body.inside("spec"), metadata(service).value("annotations")
    if annotations is None or _text(spec, "type", names) != "LoadBalancer":
        return
    addresses = [address for e in annotations.entries if (address := text(e.value, names))]
    for body, known in _ports(spec, names):
        port, protocol = body.value("port"), _text(body, "protocol", known) or "TCP"
        number = evaluate(port, known) if port else None
        if isinstance(number, int | float | str) and not isinstance(number, bool):
            whole = int(number) if isinstance(number, float) else number
            yield from (address_port(address, protocol, whole) for address in addresses)


def _ports(spec: Body, names: Names) -> Iterator[tuple[Body, Names]]:
    """The blocks ``port``, one for each value of a ``dynamic`` one, with what is known in each."""
    yield from ((port.body, names) for port in spec.blocks_of("port"))
    for dynamic in spec.blocks_of("dynamic", "port"):
        each, content = dynamic.body.value("for_each"), dynamic.body.block("content")
        values = evaluate(each, names) if each else None
        if content is None or not isinstance(values, list | Mapping):
            continue
        pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
        for key, value in pairs:
            yield content.body, {**names, ("port",): {"key": key, "value": value}}


def _text(body: Body, name: str, names: Names) -> str:
    return known_text(body.value(name), names)


def known_names(blocks: Iterable[Block], given: Names = MappingProxyType({})) -> Names:
    """The known values of a module's locals and namespaces, including locals of locals.

    ``given`` are names that are known already: the variables of a module, from a call of it.
    """
    blocks = tuple(blocks)
    names: dict[tuple[str, ...], object] = dict(given)
    unread = dict(local_values(blocks))
    while found := {name: value for name, v in unread.items() if (value := _known(v, names)) is not None}:
        names |= {("local", name): value for name, value in found.items()}
        unread = {name: value for name, value in unread.items() if name not in found}
    for block in blocks:
        called = _text(metadata(block), "name", names) if len(block.labels) > 1 else ""
        if called and resource_type(block) == "kubernetes_namespace":
            names[block.labels[:2]] = {"metadata": [{"name": called}]}
    return names


def _known(value: Expression, names: Names) -> object | None:
    literal = value.literal()
    found = evaluate(value, names) if literal is NOT_LITERAL else literal
    return found if isinstance(found, str | int | float | list | Mapping) else None

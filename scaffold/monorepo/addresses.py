"""Names inside the cluster that a Service's variables point at, and whether a stack creates them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.monorepo.manifests import MAKER
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.stack import Stack
from scaffold.monorepo.uses import SERVICE
from scaffold.templates.questions import Value

_LABEL = r"[a-z]([a-z0-9-]*[a-z0-9])?"
_ADDRESS = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*)://([^\s/@,]*@)?(?P<host>{_LABEL}(\.{_LABEL})*)(:(?P<port>\d+))?(?=[/?#,;\s\"']|$)"
    rf"|^(?P<alone>{_LABEL}(\.{_LABEL})*):(?P<its_port>[1-9]\d{{1,4}})$"
    rf"|^(?P<service>{_LABEL}(\.{_LABEL})+\.svc(\.cluster\.local)?)$"
)
"""A URL anywhere in a text, or a text that is ``host:port`` or the whole name of a Service."""
_WEB = ("http", "https", "ws", "wss")
_LOCAL = ("localhost", "host")
_NO_TAG = 80
"""Ports below are rather the tag of an image: ``postgres:16``."""


@dataclass(frozen=True, slots=True)
class Address:
    """A Service that a text names; ``namespace`` is empty for the Service's own."""

    host: str
    service: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Unserved:
    """An answer that points at a Service which nothing creates, as far as the stacks show."""

    answer: tuple[str | int, ...]
    address: Address
    namespace: str


def addresses(text: str, namespaces: Iterable[str] = ()) -> Iterator[Address]:
    """The Services that a text points at; a name with two parts is one if the second is a namespace."""
    known = frozenset(namespaces)
    for match in _ADDRESS.finditer(text):
        host = match["host"] or match["alone"] or match["service"]
        whole, labels = _inside(host)
        named = match["port"] or match["scheme"] in _WEB or int(match["its_port"] or 0) >= _NO_TAG
        if len(labels) == 1 and not whole and named and host not in _LOCAL:
            yield Address(host, host, "")
        elif (whole and len(labels) > 1) or (len(labels) == 2 and labels[1] in known):
            yield Address(host, *labels[-2:])


def unserved(
    monorepo: Monorepo, values: Mapping[str, Value], own: Stack, namespace: str
) -> Iterator[Unserved]:
    """What the answers' variables point at inside the cluster and no stack creates.

    ``own`` is the stack that the answers lead to, with its ``namespace``. Where a chart or a controller makes
    the objects of a namespace, or nobody here makes the namespace itself, nothing is known to be missing.
    """
    stacks = {**monorepo.fleet, "": own}
    makers = {
        use.name: stack for stack in stacks.values() for use in stack.uses if use.kind == "namespace"
    }  # fmt: skip
    made = {(use.name, use.place) for stack in stacks.values() for use in stack.uses if use.kind == SERVICE}
    for path, text in _texts(values):
        for address in addresses(text, makers):
            there = address.namespace or namespace
            maker = makers.get(there)
            hidden = maker is None or any(use.kind == MAKER for use in maker.uses)
            if not hidden and not made & {(address.service, there), (address.service, "")}:
                yield Unserved(path, address, there)


def containers(values: Mapping[str, Value]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Value]]]:
    """The answers on each container, the app's first, each with the path of its answer."""
    yield (), values
    for kind in ("init_containers", "sidecars", "workloads", "cron_jobs", "jobs"):
        for number, item in enumerate(values.get(kind) or []):
            yield (kind, number), item
            first = enumerate(item.get("init_containers") or [])
            yield from (((kind, number, "init_containers", place), one) for place, one in first)


def _texts(values: Mapping[str, Value]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The text values of variables, and what the pod waits for, each with the path of its answer."""
    for path, container in containers(values):
        env = container.get("env") or {}
        yield from (((*path, "env", name), text) for name, text in env.items() if isinstance(text, str))
    for number, item in enumerate(values.get("workloads") or []):
        waits = enumerate(item.get("wait_for") or [])
        yield from ((("workloads", number, "wait_for", place), text) for place, text in waits)
    yield from ((("wait_for", number), text) for number, text in enumerate(values.get("wait_for") or []))


def _inside(host: str) -> tuple[bool, list[str]]:
    """Whether a name claims to be a Service's, and its labels without the part that does so."""
    for end in (".svc.cluster.local", ".svc"):
        if host.endswith(end):
            return True, host.removesuffix(end).split(".")
    return False, host.split(".")

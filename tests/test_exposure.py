"""Nothing can be reached without the login of Authentik unless the answers say why, for exactly that.

What is open is judged by what is rendered, with Traefik's rules: a path matches by its beginning, and of
several matching rules the longest wins; of equal ones, either may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ORIGIN, examples

from scaffold.answers import validation
from scaffold.answers.sources import Answers, Path
from scaffold.answers.sources import parse as parse_path
from scaffold.hcl.syntax import parse
from scaffold.monorepo.stack import Ingress, read_stack
from scaffold.templates.render import render

DOMAIN = "example.test"
SENSED = {"domain": DOMAIN}
REASON = "somebody has to reach it"
BASE: dict[str, Any] = {
    "name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080,
    "ports": [{"name": "sip", "port": 5060}],
}  # fmt: skip
HOSTS: list[dict[str, Any]] = [
    {"host": "kit"},
    {"host": f"kit.{DOMAIN}", "full": True},
    {"host": "open"},
    {"host": DOMAIN, "full": True},
    {"host": "www.example.org", "full": True},
]
ALLOWLIST = "traefik-local-only@kubernetescrd"
WHO: list[dict[str, Any]] = [{}, {}, {"local_only": True}, {"extra_middlewares": [ALLOWLIST]}]
"""Whom an ingress lets in: mostly everybody, or only the house's own network."""
PARTS: list[dict[str, Any]] = [{}, {}, {"paths": ["/api"]}, {"paths": ["/hooks/", "/cb"]}]
"""What of a host is served: mostly all."""
RECORDS = ["decided", "proxied", "non-proxied", "internal", "none"]


def gates(gate: str, reason: str, *open_ones: str) -> list[dict[str, str]]:
    """A gate: not said, closed, and each open one; without a reason and with one."""
    said = [{}, {gate: "required"}, *({gate: which} for which in open_ones)]
    return [*said, *(item | {reason: REASON} for item in said)]


def some(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=3)


CLIENTS = some(
    st.builds(
        lambda path, gate, more, who: {"paths": [path]} | gate | more | who,
        st.sampled_from(["/api", "/api/", "/hooks/", "/hooks/in/"]),
        st.sampled_from(gates("auth", "reason", "app", "none", "public")),
        st.sampled_from([{}, {"prefix": True}]),
        st.sampled_from(WHO),
    )
).map(lambda clients: [client | {"name": f"client-{n}"} for n, client in enumerate(clients)])
FURTHER = some(
    st.builds(
        lambda host, gate, who, parts, record: host | gate | who | parts | record,
        st.sampled_from(HOSTS),
        st.sampled_from(gates("auth", "reason", "app", "none", "anubis")),
        st.sampled_from(WHO),
        st.sampled_from(PARTS),
        st.sampled_from([{}, *({"dns": record} for record in RECORDS)]),
    )
)
BALANCED = [
    {"ports": ["http"]},
    {"ports": ["http"], "reason": REASON},
    {"ports": ["http", "sip"], "address": "10.0.20.77", "reason": REASON},
    {"ports": ["sip"], "address": "10.0.20.77"},
    {"ports": [], "reason": REASON},
]
NO_LOGIN = "lscr.io/linuxserver/prowlarr:1.30.2"
"""An image that is known to have no login of its own."""
MORE: dict[str, list[Any]] = {
    "image": [None, None, NO_LOGIN],
    "image_reason": [None, REASON],
    "load_balancer": [None, None, None, *BALANCED],
    "host": [None, None, "open", f"open.{DOMAIN}"],
    "dns": [None, *RECORDS],
    "ingress_options": [*WHO, *PARTS],
    "anubis": [None, None, {"difficulty": 3}],
}
"""What each answer is, where it is given at all."""


@st.composite
def accepted_answers(draw: st.DrawFn, sensed: Mapping[str, Any] = SENSED) -> dict[str, Any]:
    """Answers about who reaches the Service, without those that a house with these facts refuses."""
    values = BASE | draw(st.sampled_from(gates("gate", "gate_reason", "app", "none", "anubis")))
    values |= {"machine_clients": draw(CLIENTS), "hosts": draw(FURTHER)}
    more = {name: draw(st.sampled_from(choices)) for name, choices in MORE.items()}
    values |= {name: value for name, value in more.items() if value is not None}
    while found := validation.problems(Answers(values), sensed, {}):
        named = {parse_path(finding.answer or "")[:2] for finding in found}
        for path in sorted(named, key=str, reverse=True):
            _take_out(values, path)
    return values


def _take_out(values: dict[str, Any], path: Path) -> None:
    """Take out of the answers what a finding names: one of a list, or the whole answer and its reason's."""
    name = str(path[0])
    if len(path) > 1 and isinstance(path[1], int):
        values[name] = [item for n, item in enumerate(values[name]) if n != path[1]]
    else:
        values.pop(name, None)
        values.pop(name.removesuffix("_reason"), None)
        values |= {"image": values.get("image", BASE["image"])}


WAYS: dict[str, dict[str, Any]] = {
    "http-on-the-load-balancer": {"load_balancer": {"address": "10.0.20.77", "ports": ["http"]}},
    "a-reason-and-no-gate": {"machine_clients": [{"paths": ["/admin/"], "reason": REASON}]},
    "the-host-twice": {"hosts": [HOSTS[1] | {"auth": "none", "reason": REASON}]},
    "the-path-twice": {
        "machine_clients": [
            {"paths": ["/api/"], "name": "a", "auth": "required"},
            {"paths": ["/api/"], "name": "b", "auth": "none", "reason": REASON},
        ]
    },
    "what-begins-alike": {"machine_clients": [{"paths": ["/api"], "auth": "app", "reason": REASON}]},
    "anubis": {"gate": "anubis"},
    "a-host-behind-anubis": {"hosts": [{"host": "open", "auth": "anubis"}]},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_past_the_gate_is_refused(way: str) -> None:
    answers = BASE | WAYS[way]
    assert validation.problems(Answers(answers), SENSED, {}) or exposed(answers) == []


@examples(25)
@given(answers=accepted_answers())
def test_what_is_open_has_its_reason(answers: dict[str, Any]) -> None:
    assert exposed(answers) == []


def exposed(answers: dict[str, Any]) -> list[str]:
    """The requests and the ports that reach the Service without a login, and without a reason for it."""
    text = render(answers, SENSED, {}, ORIGIN).files[PurePosixPath("main.tf")]
    assert isinstance(text, bytes)
    ingresses = read_stack({"main.tf": text}).ingresses
    assert ingresses
    balancer = answers.get("load_balancer", {})
    allowed = balancer.get("ports", []) if balancer.get("reason") else []
    return [
        *(
            host + path
            for host, path in requests(ingresses)
            if any(ingress.auth != "required" for ingress in chosen(ingresses, host, path))
            and not may_be_open(answers, host, path)
        ),
        *(port for port in published(text) if port not in allowed),
    ]


def requests(ingresses: tuple[Ingress, ...]) -> Iterator[tuple[str, str]]:
    """Requests to every host: for each path itself, what is below it, and what only begins like it."""
    paths = {path.rstrip("/") for ingress in ingresses for path in ingress.paths}
    for host in {ingress.fqdn(DOMAIN) or "" for ingress in ingresses}:
        yield from ((host, path + end) for path in ("", *paths) for end in ("", "/", "/x", "-admin"))


def chosen(ingresses: tuple[Ingress, ...], host: str, path: str) -> list[Ingress]:
    """The ingresses that Traefik may choose for a request."""
    matching = [
        (len(rule), ingress)
        for ingress in ingresses
        if ingress.fqdn(DOMAIN) == host
        for rule in ingress.paths or ("/",)
        if (path or "/").startswith(rule)
    ]
    longest = max((length for length, _ in matching), default=0)
    return [ingress for length, ingress in matching if length == longest]


def may_be_open(answers: Mapping[str, Any], host: str, path: str) -> bool:
    """Whether all answers that speak of a request, the most exact ones, open it and say why."""
    name = whole(answers.get("host", "kit"))
    lacking = ["app"] if answers["image"] == NO_LOGIN and not answers.get("image_reason") else []
    gate = _is_open(answers, "gate", "gate_reason") and answers["gate"] not in lacking
    said = [(0, gate)] if host == name else []
    for item in answers.get("hosts", []):
        if host == (item["host"] if item.get("full") else whole(item["host"])):
            said.append((0, _is_open(item, "auth", "reason") and item["auth"] not in lacking))
    for client in answers.get("machine_clients", []) if host == name else []:
        for rule in client["paths"]:
            below = path == rule or path.startswith(rule.rstrip("/") + "/")
            if below or (client.get("prefix") and path.startswith(rule)):
                said.append((len(rule.rstrip("/")), _is_open(client, "auth", "reason")))
    most = max((exactness for exactness, _ in said), default=0)
    return bool(said) and all(is_open for exactness, is_open in said if exactness == most)


def whole(host: str) -> str:
    """The host name that an answer means: the house's domain is put behind it, once."""
    return f"{host.removesuffix(f'.{DOMAIN}')}.{DOMAIN}"


def _is_open(item: Mapping[str, Any], gate: str, reason: str) -> bool:
    return item.get(gate, "required") != "required" and " " in item.get(reason, "")


def published(text: bytes) -> Iterator[str]:
    """The ports of Services that are reached from outside the cluster without an ingress."""
    for service in parse(text).body.blocks_of("resource", "kubernetes_service"):
        spec = service.body.block("spec")
        assert spec is not None
        if spec.body.literal("type") in ("LoadBalancer", "NodePort"):
            yield from (str(port.body.literal("name")) for port in spec.body.blocks_of("port"))

"""Which hosts and paths the rules of Traefik's IngressRoutes let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.monorepo.routes import middleware, places


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Host(`a.x`)", ["a.x/"]),
        ('host( "a.x" )&&pathprefix("/y")', ["a.x/y"]),
        ("Host(`a.x`, `b.x`) && Path(`/y`)", ["a.x/y", "b.x/y"]),
        ("Host(`a.x`) && (Path(`/y`) || PathPrefix(`/z/`))", ["a.x/y", "a.x/z/"]),
        ("Host(`a.x`) && Path(`/y`) || Host(`b.x`)", ["a.x/y", "b.x/"]),
        ("(Host(`a.x`) || Host(`b.x`)) && PathPrefix(`/y`) && Path(`/y/z`)", ["a.x/y/z", "b.x/y/z"]),
        ("Host(`a.x`) && (!Header(`Cookie`, `c`) || ClientIP(`10.0.0.0/8`))", ["a.x/"]),
        ("Host(`a.x`) && !Path(`/y`)", ["a.x/"]),
        ("Host(`a.x`) && Host(`b.x`)", []),
        ("!Host(`a.x`)", []),
        ("HostRegexp(`^.+\\.x$`)", []),
        ("HostSNI(`*`)", []),
        ("PathPrefix(`/y`)", []),
        ("Host(`a.x`) &&", []),
        ("Host(`a.x`) Path(`/y`)", []),
        ("Host(`a.x`) &&\r\n\u00a0PathPrefix(`/y`)", ["a.x/y"]),
        ("Host(`a.x`) # all of it", []),
        ("Host(`a.x`) and Path(`/y`)", []),
        ("Host(`a.x`", []),
        ("(Host(`a.x`)", []),
        ("", []),
    ],
)
def test_a_rule_lets_in_hosts_and_paths(rule: str, expected: list[str]) -> None:
    assert [f"{host}{path}" for host, path in places(rule)] == expected


@given(
    st.lists(
        st.sampled_from(["Host(`a.x`)", "Path(`/y`)", "(", ")", "!", "&&", "||", "`", "Host(", ",", " é"])
    )
)
def test_no_rule_crashes(parts: list[str]) -> None:
    assert {host for host, _ in places(" ".join(parts))} <= {"a.x", ")"}


@pytest.mark.parametrize(
    "rule",
    [
        "(" * 5000 + "Host(`a.x`)",
        "!" * 5000,
        " && ".join(["(Path(`/a`) || Path(`/b`))"] * 200) + " && Host(`a.x`)",
    ],
)
def test_a_long_rule_is_read_or_left(rule: str) -> None:
    assert {host for host, _ in places(rule)} <= {"a.x"}


def test_a_middleware_is_called_as_on_an_ingress() -> None:
    assert middleware("login", "proxy") == "proxy-login@kubernetescrd"
    assert middleware("login@file", "proxy") == "login@file"

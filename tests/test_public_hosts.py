"""What other parts say about who reaches a host: the probe, the monitors, the Middlewares."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.answers.sources import Answers
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.commands.prepared import Prepared
from scaffold.errors import AnswersError
from scaffold.indexes.walloff import TARGETS
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense

APP = {"name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080}
OPEN = {"gate": "none", "gate_reason": "it is for anyone"}
HOOKS = {"machine_clients": [{"paths": ["/hooks/"], "auth": "none", "reason": "they have no browser"}]}
MIDDLEWARE = """
resource "kubernetes_manifest" "x" {{
  manifest = {{
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = {{ name = "{name}", namespace = "traefik" }}
    spec       = {{ {kind} = {{ sourceRange = ["10.0.0.0/8"] }} }}
  }}
}}
"""
WILDCARD = """
resource "cloudflare_record" "all" {{
  name    = "{name}"
  type    = "CNAME"
  proxied = {proxied}
}}
"""


def prepared(monorepo: Monorepo, **answers: object) -> Prepared:
    source = "https://x.test/t.git"
    return prepare(monorepo, Answers(APP | answers), level=Level.STATIC, template_source=source)


def with_stack(monorepo: Monorepo, text: str) -> Monorepo:
    directory = monorepo.root / "stacks" / "edge"
    directory.mkdir(exist_ok=True)
    (directory / "main.tf").write_text(text)
    return Monorepo(monorepo.root)


def targets(monorepo: Monorepo, **answers: object) -> list[str]:
    """The lines that the probe's list gets."""
    (change,) = prepared(monorepo, **answers).changes
    edited = {file.path: file.after for file in change.changes}.get(PurePosixPath(TARGETS.path), b"")
    assert isinstance(edited, bytes)
    before = (monorepo.root / TARGETS.path).read_text().splitlines()
    return [line.strip() for line in edited.decode().splitlines() if line not in before and "#" not in line]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (OPEN, ['"kit" = "https://kit.example.test/"']),
        (HOOKS, ['"kit-hooks" = "https://kit.example.test/hooks/"']),
        (OPEN | {"dns": "none"}, []),
        (HOOKS | {"dns": "none"}, []),
        ({"gate": "app", "gate_reason": "it has accounts"}, []),
        (
            {"hosts": [{"host": "open", "auth": "none", "reason": "it is for anyone"}]},
            ['"kit-open" = "https://open.example.test/"'],
        ),
    ],
)
def test_the_probe_asks_for_what_is_public(
    pristine: Monorepo, answers: dict[str, object], expected: list[str]
) -> None:
    assert targets(pristine, **answers) == expected


def test_the_probe_is_applied_once_its_addresses_answer(pristine: Monorepo) -> None:
    plan = prepared(pristine, **OPEN)
    commands = [step.command or "" for step in plan.next_steps(pristine, (None, None))]
    (asked,) = [
        number for number, command in enumerate(commands) if "curl -sI https://kit.example.test/" in command
    ]
    applied = [number for number, command in enumerate(commands) if "stacks/monitoring &&" in command]
    assert applied == [asked]
    assert asked > next(number for number, command in enumerate(commands) if "(cd stacks/kit &&" in command)


def test_a_host_without_a_record_is_not_followed(pristine: Monorepo) -> None:
    (change,) = prepared(pristine, dns="none", hosts=[{"host": "b", "dns": "proxied"}]).changes
    (main,) = [file.after for file in change.changes if file.path.name == "main.tf"]
    assert isinstance(main, bytes)
    assert main.count(b"external_monitor = false") == 1


@pytest.mark.parametrize(
    ("name", "proxied", "found"),
    [
        ("*", "true", "proxied"),
        ("*.example.test", "false", "non-proxied"),
        ("*.x.example.test", "true", None),
    ],
)
def test_the_wildcard_record_is_seen(monorepo: Monorepo, name: str, proxied: str, found: str | None) -> None:
    there = with_stack(monorepo, WILDCARD.format(name=name, proxied=proxied))
    assert sense(there).get("wildcard_dns") == found


def test_a_dark_host_is_refused_where_the_zone_has_a_wildcard(monorepo: Monorepo) -> None:
    assert prepared(monorepo, dns="none", **OPEN).stack
    there = with_stack(monorepo, WILDCARD.format(name="*", proxied="true"))
    with pytest.raises(AnswersError, match="not valid") as refused:
        prepared(there, dns="none", **OPEN)
    assert [finding.code for finding in refused.value.findings] == ["answers.dark-host"]


def test_an_allowlist_is_seen_by_what_it_does(monorepo: Monorepo) -> None:
    there = with_stack(monorepo, MIDDLEWARE.format(name="home-only", kind="ipAllowList"))
    assert sense(there)["allowlists"][1:] == ["traefik-home-only@kubernetescrd"]
    assert "allowlists" not in sense(with_stack(monorepo, MIDDLEWARE.format(name="x", kind="headers")))


def test_a_middleware_that_no_stack_makes_is_refused(monorepo: Monorepo) -> None:
    said = {"ingress_options": {"extra_middlewares": ["traefik-home-onyl@kubernetescrd"]}}
    assert prepared(monorepo, **said).stack, "no Middleware can be seen"
    there = with_stack(monorepo, MIDDLEWARE.format(name="home-only", kind="headers"))
    with pytest.raises(AnswersError) as refused:
        prepared(there, **said)
    (finding,) = refused.value.findings
    assert finding.answer == "ingress_options.extra_middlewares[0]"
    assert "traefik-home-only@kubernetescrd" in (finding.fix or "")
    right = {"ingress_options": {"extra_middlewares": ["traefik-home-only@kubernetescrd"]}}
    assert prepared(there, **right).stack

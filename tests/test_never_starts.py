"""What would never start, or would start and not reach what it needs: no Secret is unused, no name leads
nowhere.

Both are properties of what is rendered for generated answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, seed
from hypothesis import strategies as st
from support import ORIGIN, examples
from tables import instead, named, without

from scaffold.answers import validation
from scaffold.answers.sources import Answers, Path, from_yaml
from scaffold.answers.sources import parse as parse_path
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.hcl.syntax import Body, Document, parse
from scaffold.monorepo.addresses import addresses, unserved
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.monorepo.stack import Stack, read_stack
from scaffold.templates.render import render

BASE: dict[str, Any] = {
    "name": "kit",
    "description": "A kit",
    "image": "docker.io/acme/kit:1.2.3",
    "port": 8080,
}
REASON = "the operator reads it by name"
SHAPES: list[dict[str, Any]] = [
    {}, {}, {"shape": "internal"},
    {"shape": "jobs", "cron_jobs": [{"name": "nightly", "schedule": "5 1 * * *", "command": ["go"]}]},
    {"shape": "jobs", "cron_jobs": [{"name": "nightly", "schedule": "5 1 * * *", "image": "docker.io/acme/other:1.0.0"}]},
    {"shape": "external", "backend": "192.0.2.7"},
]  # fmt: skip
CHOICES: dict[str, list[Any]] = {
    "secrets": [
        [], [{"env": "TOKEN"}], [{"env": "TOKEN", "vault": "other#key", "reason": "they share it on purpose"}],
        [{"env": "TOKEN"}, {"env": "KEY", "vault": "other#key", "reason": "they share it on purpose"}],
    ],
    "secrets_env_from": [False, True],
    "secrets_form": ["decided", "data", "extract"],
    "database": ["none", "postgresql", "mysql"],
    "database_env": [
        {}, {"dsn": "URL"}, {"password": "PW"}, {"host": "DBHOST"}, {"host": "DBHOST", "user": "DBUSER"},
        {"env_from": True, "dsn": "URL"}, {"env_from": True}, {"name": "DB", "port": "PORT"},
    ],
    "homepage": [True, False],
    "homepage_widget": [{}, {"type": "kit", "url": "http://kit.kit"}, {"type": "kit", "key": {"vault": "api_key"}}],
    "grafana_datasource": [True, False],
    "files": [[], [{"path": "/etc/kit.conf", "vault": "conf"}], [{"path": "/etc/kit.conf", "content": "a"}]],
    "sidecars": [[], [{"name": "aide", "image": "docker.io/acme/aide:1.0.0", "inherits": True}]],
    "jobs": [[], [{"name": "once", "command": ["go"]}]],
    "sealed_secrets": [False, False, True],
    "unread_reason": ["", "", "", REASON],
}  # fmt: skip


@st.composite
def accepted_secrets(draw: st.DrawFn) -> dict[str, Any]:
    """Answers about secrets and who reads them, without those that are refused."""
    values = BASE | draw(st.sampled_from(SHAPES))
    for name, choices in CHOICES.items():
        if draw(st.booleans()):
            values.setdefault(name, draw(st.sampled_from(choices)))
    while found := validation.problems(Answers(values), {}, {}):
        for name in {str(parse_path(finding.answer or "name")[0]) for finding in found}:
            values.pop(name, None)
            values.pop("database" if name == "database_env" else name, None)
    return dict(values)


def below(body: Body) -> Iterator[tuple[str, Body]]:
    """Every block, however deep, with its type."""
    for block in body.blocks:
        yield block.type, block.body
        yield from below(block.body)


def made(document: Document) -> set[str]:
    """The Secrets that the stack has made: by an ExternalSecret or as they are."""
    found = set()
    for block in document.body.blocks_of("resource"):
        manifest = block.body.value("manifest")
        kind = manifest.entry("kind") if manifest else None
        if manifest and kind and kind.value.literal() == "ExternalSecret":
            target = manifest.entry("spec").value.entry("target").value.entry("name")  # type: ignore[union-attr]
            namespace = manifest.entry("metadata").value.entry("namespace")  # type: ignore[union-attr]
            if namespace and namespace.value.literal() == "kit":  # others are for who runs there
                found.add(str(target.value.literal()) if target else "")
        if block.labels[0].removesuffix("_v1") == "kubernetes_secret":
            metadata = block.body.block("metadata")
            found.add(str(metadata.body.literal("name")) if metadata else "")
    return found


def read(document: Document) -> set[str]:
    """The Secrets that containers read, and the dashboard while it is planned."""
    keys = {"secret_key_ref": "name", "secret_ref": "name", "secret": "secret_name"}
    found = {str(body.literal(keys[kind])) for kind, body in below(document.body) if kind in keys}
    for block in document.body.blocks_of("data", "kubernetes_secret"):
        metadata = block.body.block("metadata")
        found.add(str(metadata.body.literal("name")) if metadata else "")
    return found


def unread(answers: Mapping[str, Any]) -> set[str]:
    """The Secrets that the stack makes and nothing reads, where no reason stands beside."""
    files = render(answers, {}, {}, ORIGIN).files
    (main,) = [content for path, content in files.items() if path.name == "main.tf"]
    assert isinstance(main, bytes)
    document = parse(main)
    return set() if answers.get("unread_reason") else made(document) - read(document)


@examples(25)
@given(answers=accepted_secrets())
def test_every_secret_that_is_made_is_read(answers: dict[str, Any]) -> None:
    assert unread(answers) == set()


@pytest.mark.slow("renders 500 stacks")
@seed(1)
@examples(500)
@given(answers=accepted_secrets())
def test_every_secret_that_is_made_is_read_whatever_is_drawn(answers: dict[str, Any]) -> None:
    assert unread(answers) == set()


@pytest.mark.slow("looks for what a row keeps away")
def test_a_secret_for_nobody_is_found_without_its_row() -> None:
    found: list[set[str]] = []

    @examples(60)
    @given(answers=accepted_secrets())
    def look(answers: dict[str, Any]) -> None:
        found.append(unread(answers))

    with instead(without(named("refusals_whole/unread", "which no container reads"))):
        look()
    assert {"kit-secrets"} in found and {"kit-db-creds"} in found


@pytest.mark.parametrize(
    ("text", "namespaces", "found"),
    [
        ("http://tika:9998", (), [("tika", "")]),
        ("http://tika", (), [("tika", "")]),
        ("redis://:pw@cache:6379/0", (), [("cache", "")]),
        ("tika:9998", (), [("tika", "")]),
        ("http://a.b.svc.cluster.local:80/x, http://c.d.svc", (), [("a", "b"), ("c", "d")]),
        ("a.b.svc.cluster.local", (), [("a", "b")]),
        ("pg-0.pg.data.svc:5432", (), [("pg", "data")]),
        ("http://push.monitoring:9091/metrics", ("monitoring",), [("push", "monitoring")]),
        ("http://push.monitoring:9091/metrics", (), []),
        ("https://ntfy.sh", ("monitoring",), []),
        ("http://localhost:80 http://127.0.0.1:8000 http://10.0.20.1:80", (), []),
        ("postgres:16", (), []), ("a: b", (), []), ("12:30", (), []), ("sqlite:///data/x.db", (), []),
        ("app://callback", (), []), ("https://example.org/http", (), []), ("key:value", (), []),
    ],
)  # fmt: skip
def test_a_name_inside_the_cluster_is_told_from_others(
    text: str, namespaces: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    assert [(a.service, a.namespace) for a in addresses(text, namespaces)] == found


SERVED = [
    "silverbullet.silverbullet",
    "navidrome.navidrome.svc.cluster.local",
    "kit",
    "kit.kit.svc",
    "beside",
    "beside.kit",
]
NOT_SERVED = [
    "tika",
    "aide",
    "tika.silverbullet",
    "kit.silverbullet.svc",
    "tika.kit",
    "beside.silverbullet.svc.cluster.local",
]
NOT_JUDGED = ["db.nowhere", "example.org", "localhost"]
WAYS = [
    "http://{}:9998",
    "{}:9998",
    "https://{}/x?y",
    "amqp://me@{}:5672",
    "http://example.org http://{}:80/",
]


HOLDERS: list[tuple[str | int, ...]] = [
    ("env",), ("sidecars", 0, "env"), ("init_containers", 0, "env"), ("cron_jobs", 0, "env"), ("jobs", 0, "env"),
]  # fmt: skip
"""What has variables."""


@st.composite
def pointing(draw: st.DrawFn) -> tuple[dict[str, Any], set[Path]]:
    """Answers with texts that name Services, and the paths of those texts that name one which nobody makes."""
    values: dict[str, Any] = {
        **BASE, "env": {}, "wait_for": [],
        "sidecars": [{"name": "aide", "image": "docker.io/acme/aide:1.0.0", "env": {}}],
        "init_containers": [{"name": "first", "command": ["go"], "env": {}}],
        "cron_jobs": [{"name": "nightly", "schedule": "5 1 * * *", "command": ["go"], "env": {}}],
        "jobs": [{"name": "once", "command": ["go"], "env": {}}],
    }  # fmt: skip
    nowhere: set[Path] = set()
    for n, host in enumerate(draw(st.lists(st.sampled_from(SERVED + NOT_SERVED + NOT_JUDGED), max_size=5))):
        path: Path = ("wait_for", len(values["wait_for"]))
        if draw(st.booleans()):
            values["wait_for"].append(f"{host}:9998")
        else:
            path = (*draw(st.sampled_from(HOLDERS)), f"V{n}")
            holder: Any = values
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = draw(st.sampled_from(WAYS)).format(host)
        nowhere |= {path} if host in NOT_SERVED else set()
    return values, nowhere


BESIDE = 'resource "kubernetes_service_v1" "b" {\n  metadata {\n    name      = "beside"\n    namespace = "kit"\n  }\n}\n'


@cache
def own() -> Stack:
    """The stack of a Service called kit, with a Service in a file beside; no variable changes what it makes."""
    files = {f"{STACKS}/kit/{path}": c for path, c in render(BASE, {}, {}, ORIGIN).files.items()}
    kept = {path: content for path, content in files.items() if isinstance(content, bytes)}
    return read_stack({**kept, f"{STACKS}/kit/beside.tf": BESIDE.encode()})


def told(monorepo: Monorepo, answers: Mapping[str, Any]) -> set[Path]:
    """The paths of the texts of which it is said that they name a Service which nobody makes."""
    return {found.answer for found in unserved(monorepo, answers, own(), "kit")}


@examples(25)
@given(drawn=pointing())
def test_a_name_that_leads_nowhere_is_told(
    drawn: tuple[dict[str, Any], set[Path]], pristine: Monorepo
) -> None:
    answers, nowhere = drawn
    assert told(pristine, answers) == nowhere


TAKEN_OUT: dict[str, tuple[str, Any]] = {
    "nothing is looked for": ("addresses", lambda text, namespaces: ()),
    "its own namespace alone": (
        "addresses", lambda text, namespaces: (a for a in addresses(text, namespaces) if not a.namespace)
    ),
    "whole names alone": ("addresses", lambda text, namespaces: addresses(text)),
    "the variables of the app alone": (
        "_texts", lambda values: ((("env", name), text) for name, text in values["env"].items())
    ),
    "what the Service makes is not seen": ("SERVICE", "no such kind"),
}  # fmt: skip
"""What tells such a name, taken out: each is found by the property."""


@pytest.mark.parametrize("part", TAKEN_OUT)
def test_a_name_that_leads_nowhere_is_found_without_its_mend(
    part: str, pristine: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = TAKEN_OUT[part]
    monkeypatch.setattr(f"scaffold.monorepo.addresses.{name}", other)
    wrong: list[set[Path]] = []

    @examples(25)
    @given(drawn=pointing())
    def look(drawn: tuple[dict[str, Any], set[Path]]) -> None:
        answers, nowhere = drawn
        wrong.append(told(pristine, answers) ^ nowhere)

    look()
    assert any(wrong)


def test_what_a_chart_or_a_controller_makes_is_not_known(monorepo: Monorepo) -> None:
    answers = {"env": {"A": "http://tika.silverbullet:80"}}
    assert list(unserved(monorepo, answers, read_stack({}), "kit"))
    for hidden in (
        'resource "helm_release" "x" {\n  name      = "x"\n  namespace = "silverbullet"\n}\n',
        'module "x" {\n  source = "git::https://example.org/x.git"\n}\n',
        'resource "kubernetes_manifest" "x" {\n  manifest = {\n    kind = "Cluster"\n  }\n}\n',
        'resource "kubernetes_service" "x" {\n  for_each = var.x\n  metadata {\n    name = each.key\n  }\n}\n',
    ):
        (stack,) = [
            n
            for n, s in monorepo.fleet.items()
            if any((u.kind, u.name) == ("namespace", "silverbullet") for u in s.uses)
        ]
        more = monorepo.stack_directory(stack) / "more.tf"
        more.write_text(hidden)
        assert list(unserved(Monorepo(monorepo.root), answers, read_stack({}), "kit")) == [], hidden
        more.unlink()


def test_a_name_that_leads_nowhere_is_a_warning_at_its_answer(monorepo: Monorepo) -> None:
    text = (
        yaml.safe_dump(BASE)
        + "sidecars: [{name: tika, image: 'docker.io/apache/tika:3.2.3'}]\nenv:\n  TIKA: http://tika:9998\n"
    )
    prepared = prepare(
        monorepo,
        from_yaml(text.encode(), "a.yml"),
        level=Level.STATIC,
        template_source="https://x.test/t.git",
    )
    assert prepared.stack is not None
    (warning,) = prepared.stack.verified.warnings
    assert (warning.answer, warning.code, warning.line) == ("env.TIKA", "answers.no-service", 7)
    assert warning.fix is not None and "localhost" in warning.fix

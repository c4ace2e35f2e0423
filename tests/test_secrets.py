"""Literal secrets: how many of a list are found, where they are found, and the way out with a reason."""

from __future__ import annotations

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import sources, validation
from scaffold.answers.secrets import suspected

LISTED = yaml.safe_load((ANSWERS.parent / "data" / "literal_secrets.yml").read_text())
APP = "name: kit\ndescription: d it\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
TOKEN = "gh" + "p_Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56Qr78"
PLACES = [
    ("description: the password is hunter2hunter2", "description"),
    ("description: d it\ntitle: TOKEN", "title"),
    ("gate: app\ngate_reason: who sends TOKEN gets in", "gate_reason"),
    ("env: {ADMIN_PW: mellon}", "env.ADMIN_PW"),
    ("env: {CACHE_PASSWORD: {host: redis, text: 'a{host}'}}", "env.CACHE_PASSWORD.text"),
    ("command: [sh, -c, PASSWORD=hunter2hunter2 exec app]", "command[2]"),
    ("args: [--db-password, hunter2hunter2]", "args[1]"),
    ("args: [--db-password hunter2hunter2]", "args[0]"),
    ("probes: {readiness: {command: [curl, -u, 'admin:hunter2']}}", "probes.readiness.command[2]"),
    ("probes: {liveness: {path: '/a?token=mellon'}}", "probes.liveness.path"),
    ("sidecars: [{name: s, image: docker.io/a/b:1.0.0, env: {A_PASS: mellon}}]", "sidecars[0].env.A_PASS"),
    ("cron_jobs: [{name: s, schedule: 0 3 * * *, args: [--token=mellon]}]", "cron_jobs[0].args[0]"),
    ('files: [{path: /a, content: \'{"user":"x","password":"mellon"}\'}]', "files[0].content"),
    ("labels: {a: TOKEN}", "labels.a"),
    ("node_selector: {a: TOKEN}", "node_selector.a"),
    ("namespace_labels: {a: TOKEN}", "namespace_labels.a"),
    ("annotations: {pod: {a: TOKEN}}", "annotations.pod.a"),
    ("diun: TOKEN", "diun"),
    ("external_monitor: {name: TOKEN}", "external_monitor.name"),
    ("ingress_options: {content_security_policy: TOKEN}", "ingress_options.content_security_policy"),
    ("volumes: [{path: /data/TOKEN}]", "volumes[0].path"),
    ("homepage_widget: {apiKey: mellon}", "homepage_widget.apiKey"),
    ("machine_clients: [{paths: [/a], reason: who sends TOKEN}]", "machine_clients[0].reason"),
    (
        "machine_clients: [{paths: [/hooks/TOKEN], name: hooks, reason: it is signed}]",
        "machine_clients[0].paths[0]",
    ),
]


def judged(text: str) -> dict[str | None, tuple[str, str]]:
    """What is told about the answers of a minimal Service and ``text``, by the answer."""
    answers = sources.read([("a.yml", APP.encode()), ("b.yml", text.encode())], [])
    found = validation.problems(answers, {}, {})
    return {f.answer: (f.code, f"{f.message} {f.value} {f.fix}") for f in found}


@pytest.mark.parametrize(("kind", "most"), [("secrets", 0.05), ("harmless", 0.02)])
def test_what_holds_a_secret_is_told_from_what_holds_none(kind: str, most: float) -> None:
    texts = [(name, text.replace("¦", "")) for group in LISTED[kind].values() for name, text in group]
    told = suspected(texts)
    wrong = [text for text, why in zip(texts, told, strict=True) if bool(why) != (kind == "secrets")]
    assert len(texts) >= 200
    assert len(wrong) <= most * len(texts), wrong


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[place for _, place in PLACES])
def test_a_secret_is_found_wherever_answers_have_a_text(text: str, place: str) -> None:
    found = judged(text.replace("TOKEN", TOKEN))
    assert found[place][0] == "answers.literal-secret"
    assert list(found) == [place], "told once, and nothing else"
    assert not any(value in found[place][1] for value in ("hunter2", "mellon", TOKEN))


def test_the_mend_can_be_pasted() -> None:
    found = judged("env: {ADMIN_PW: mellon}")["env.ADMIN_PW"][1]
    assert "secrets: [{env: ADMIN_PW, vault: kit#admin_pw}]" in found
    assert judged("secrets: [{env: ADMIN_PW, vault: kit#admin_pw}]") == {}
    found = judged("secrets_env_from: true\nhomepage_widget: {apiKey: mellon}")["homepage_widget.apiKey"][1]
    assert "homepage_widget: {apiKey: {vault: api_key}}" in found
    assert judged("secrets_env_from: true\nhomepage_widget: {apiKey: {vault: api_key}}") == {}
    found = judged("files: [{path: /a/b.yml, content: 'password: mellon'}]")["files[0].content"][1]
    assert "files: [{path: /a/b.yml, vault: b.yml}]" in found
    assert judged("files: [{path: /a/b.yml, vault: b.yml}]") == {}


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[place for _, place in PLACES])
def test_what_is_none_is_said_with_a_reason(text: str, place: str) -> None:
    excuse = f"\nnot_secret: [{{answer: '{place}', reason: an example from the docs}}]"
    assert judged(text.replace("TOKEN", TOKEN) + excuse) == {}


def test_an_excuse_needs_a_reason_and_an_answer() -> None:
    assert judged("not_secret: [{answer: env.A, reason: name of a thing}]")["not_secret[0].answer"][0] == (
        "answers.not-secret"
    )
    assert "not_secret[0].reason" in judged("env: {A_PW: x}\nnot_secret: [{answer: env.A_PW}]")
    assert "env.B_PW" in judged(
        "env: {A_PW: xyz, B_PW: xyz}\nnot_secret: [{answer: env.A_PW, reason: name of a thing}]"
    )


def test_no_other_message_shows_a_secret() -> None:
    told = str(judged(f"hosts: [{{host: a, reason: who sends {TOKEN}}}]\nport: {TOKEN}"))
    assert "hosts[0].reason" in told
    assert TOKEN not in told


def test_a_long_text_takes_no_long_time() -> None:
    texts = [
        ("", word * (20_000 // len(word))) for word in ("a", "aB3", "a ", "password ", "-", "=", '"', "a\n")
    ]
    assert len(suspected(texts)) == len(texts)

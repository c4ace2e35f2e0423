"""Literal secrets: how many of a list are found, where they are found, and the way out with a reason."""

from __future__ import annotations

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import compose_environment, sources, validation
from scaffold.answers.secrets import suspected

HELD_OUT = yaml.safe_load((ANSWERS.parent / "data" / "held_out_secrets.yml").read_text().replace("¦", ""))
LISTED = yaml.safe_load((ANSWERS.parent / "data" / "literal_secrets.yml").read_text())
CASE = ANSWERS.parent / "cases" / "compose-literal-passwords"
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
    (
        "machine_clients: [{paths: [/a], prefix: true, auth: app, reason: who sends TOKEN}]",
        "machine_clients[0].reason",
    ),
    (
        "machine_clients: [{paths: [/hooks/TOKEN], name: hooks, prefix: true, auth: app, reason: it is signed}]",
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


@pytest.mark.parametrize(("kind", "most"), [("secrets", 0.05), ("harmless", 0.02)])
def test_so_it_is_in_a_list_written_apart_from_the_rules(kind: str, most: float) -> None:
    held = HELD_OUT[kind]
    pairs = [*held["env"], *(("", text) for _, text in held["file"]), *(("", text) for text in held["text"])]
    wrong = [p for p, why in zip(pairs, suspected(pairs), strict=True) if bool(why) != (kind == "secrets")]
    jobs = [{"name": f"j{i}", "image": "docker.io/a/b:1.0.0", "args": a} for i, a in enumerate(held["words"])]
    found = judged(yaml.safe_dump({"jobs": jobs}))
    told = {str(place).partition(".")[0] for place, (code, _) in found.items() if code.endswith("-secret")}
    wrong += [job for i, job in enumerate(jobs) if (f"jobs[{i}]" in told) != (kind == "secrets")]
    assert len(wrong) <= most * (len(pairs) + len(jobs)), wrong


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


def test_a_refusal_that_takes_a_name_from_a_secret_is_left_out() -> None:
    found = judged(f"machine_clients: [{{paths: [/hooks/{TOKEN}], auth: app, reason: it is signed}}]")
    assert list(found) == ["machine_clients[0].paths[0]"]
    assert TOKEN.lower().replace("_", "-") not in str(found).lower()


def test_a_name_that_also_means_something_else_is_judged_by_its_value() -> None:
    texts = [("PWD", "/app"), ("OLDPWD", "/app"), ("NEO4J_AUTH", "none"), ("NEO4J_AUTH", "neo4j/test1234")]
    assert [bool(why) for why in suspected([*texts, ("PWD", "hunter2")])] == [False, False, False, True, True]


def test_the_mends_of_commands_and_jobs_can_be_pasted() -> None:
    secret = "secrets: [{env: REQUIREPASS, vault: kit#requirepass}]"
    found = judged("command: [redis-server, --requirepass, mellon]")["command[2]"][1]
    assert f"`{secret}`, and $(REQUIREPASS) in its place" in found
    assert judged(f"{secret}\ncommand: [redis-server, --requirepass, $(REQUIREPASS)]") == {}
    secret, job = "secrets: [{env: A_PASS, vault: kit#a_pass}]", "name: s, schedule: 0 3 * * *"
    found = judged(f"cron_jobs: [{{{job}, env: {{A_PASS: mellon}}}}]")["cron_jobs[0].env.A_PASS"][1]
    assert f"`{secret}`, and `inherits: true` beside cron_jobs[0].name" in found
    assert judged(f"{secret}\ncron_jobs: [{{{job}, inherits: true}}]") == {}


def test_passwords_under_other_names_of_a_compose_file_become_secrets() -> None:
    variables = yaml.safe_load((CASE / "compose.yml").read_text())["services"]["box"]["environment"]
    read = compose_environment.read(variables, {}, has_database=False)
    assert [secret["env"] for secret in read.secrets] == list(variables)
    assert not read.plain
    found = judged(yaml.safe_dump({"env": variables}))
    assert set(found) == {f"env.{name}" for name in variables}
    assert not any(part in str(found) for part in ("otter", "letmein", "correct", "Swordfish"))


def test_a_long_text_takes_no_long_time() -> None:
    texts = [
        ("", word * (20_000 // len(word))) for word in ("a", "aB3", "a ", "password ", "-", "=", '"', "a\n")
    ]
    assert len(suspected(texts)) == len(texts)

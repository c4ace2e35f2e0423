"""Literal secrets: how many of a list are found, where they are found, and how to say that one is not."""

from __future__ import annotations

import re
import time

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import settings, validation
from scaffold.answers.compose.translation import translate
from scaffold.templates.decisions import suspected

DATA = ANSWERS.parent / "data"
LISTED = yaml.safe_load((DATA / "literal_secrets.yml").read_text())
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
    answers = settings.read([("a.yml", APP.encode()), ("b.yml", text.encode())], [])
    found = validation.problems(answers, {}, {})
    return {f.answer: (f.code, f"{f.message} {f.value} {f.fix}") for f in found}


@pytest.mark.parametrize(("kind", "most"), [("secrets", 0.05), ("harmless", 0.02)])
def test_what_holds_a_secret_is_told_from_what_holds_none(kind: str, most: float) -> None:
    texts = [(name, text.replace("¦", "")) for group in LISTED[kind].values() for name, text in group]
    told = suspected(texts)
    wrong = [text for text, why in zip(texts, told, strict=True) if bool(why) != (kind == "secrets")]
    assert len(texts) >= 200
    assert len(wrong) <= most * len(texts), wrong


@pytest.mark.parametrize(
    "name",
    [pytest.param("tuned_secrets", marks=pytest.mark.slow("judges 1,400 texts")), "held_out_secrets"],
)
@pytest.mark.parametrize(("kind", "most"), [("secrets", 0.05), ("harmless", 0.02)])
def test_so_it_is_in_lists_written_apart_from_the_rules(name: str, kind: str, most: float) -> None:
    """Each list alone: the rules were mended by the tuned one, and by no row of the one held out."""
    listed = yaml.safe_load((DATA / f"{name}.yml").read_text().replace("¦", ""))[kind]
    pairs = [*listed["env"], *(("", text) for text in listed["file"] + listed["text"])]
    wrong = [p for p, why in zip(pairs, suspected(pairs), strict=True) if bool(why) != (kind == "secrets")]
    jobs = [
        {"name": f"j{i}", "image": "docker.io/a/b:1.0.0", "args": a} for i, a in enumerate(listed["words"])
    ]
    found = judged(yaml.safe_dump({"jobs": jobs}))
    told = {str(place).partition(".")[0] for place, (code, _) in found.items() if code.endswith("-secret")}
    wrong += [job for i, job in enumerate(jobs) if (f"jobs[{i}]" in told) != (kind == "secrets")]
    assert len(pairs) + len(jobs) >= 140
    assert len(wrong) <= most * (len(pairs) + len(jobs)), wrong


@pytest.mark.parametrize(("text", "place"), PLACES, ids=[place for _, place in PLACES])
def test_a_secret_is_found_wherever_answers_have_a_text(text: str, place: str) -> None:
    found = judged(text.replace("TOKEN", TOKEN))
    assert found[place][0] == "answers.literal-secret"
    assert list(found) == [place], "told once, and nothing else"
    assert not any(value in found[place][1] for value in ("hunter2", "mellon", TOKEN))


JOB, IMAGE = "name: s, schedule: 0 3 * * *", "image: docker.io/a/b:1.0.0"
MENDS = [
    ("env: {ADMIN_PW: mellon}", "env.ADMIN_PW", ""),
    ("env: {CACHE_PASSWORD: {host: redis, text: 'a{host}'}}", "env.CACHE_PASSWORD.text", ""),
    ("args: [--token=mellon]", "args[0]", "args: [--token=$(TOKEN)]"),
    (
        "command: [redis-server, --requirepass, mellon]",
        "command[2]",
        "command: [redis-server, --requirepass, $(REQUIREPASS)]",
    ),
    (
        "command: [sh, -c, PASSWORD=hunter2 exec app]",
        "command[2]",
        "command: [sh, -c, PASSWORD=$(PASSWORD) exec app]",
    ),
    (
        f"sidecars: [{{name: s, {IMAGE}, env: {{A_PASS: mellon}}}}]",
        "sidecars[0].env.A_PASS",
        f"sidecars: [{{name: s, {IMAGE}, inherits: true}}]",
    ),
    (
        f"sidecars: [{{name: s, {IMAGE}, args: [--token=mellon]}}]",
        "sidecars[0].args[0]",
        f"sidecars: [{{name: s, {IMAGE}, inherits: true, args: [--token=$(TOKEN)]}}]",
    ),
    (
        f"cron_jobs: [{{{JOB}, env: {{A_PASS: mellon}}}}]",
        "cron_jobs[0].env.A_PASS",
        f"cron_jobs: [{{{JOB}, inherits: true}}]",
    ),
    (
        f"jobs: [{{name: s, {IMAGE}, env: {{A_PASS: mellon}}}}]",
        "jobs[0].env.A_PASS",
        f"jobs: [{{name: s, {IMAGE}, inherits: true}}]",
    ),
    (
        "probes: {readiness: {command: [curl, -u, 'admin:hunter2']}}",
        "probes.readiness.command[2]",
        "probes: {readiness: {command: [sh, -c, 'curl -u $SECRET localhost']}}",
    ),
    ("files: [{path: /a/b.yml, content: 'password: mellon'}]", "files[0].content", ""),
    ("homepage_widget: {apiKey: mellon}", "homepage_widget.apiKey", ""),
    (
        "secrets_env_from: true\nhomepage_widget: {apiKey: mellon}",
        "homepage_widget.apiKey",
        "secrets_env_from: true",
    ),
]


@pytest.mark.parametrize(("text", "place", "rest"), MENDS, ids=[place for _, place, _ in MENDS])
def test_the_mend_can_be_pasted(text: str, place: str, rest: str) -> None:
    told = judged(text)[place][1].partition(" If it was ever in a file")[0]
    pasted = re.findall(r"`(\w+: [^`]*)`", told)
    beside = [part for part in pasted if part.startswith("inherits")]
    assert all(part in rest for part in beside)
    assert all(reference in rest for reference in re.findall(r"\$\(?\w+\)?", told))
    assert judged("\n".join([rest, *(part for part in pasted if part not in beside)])) == {}


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


@pytest.mark.parametrize("text", [f"who sends {TOKEN}", "who sends PASSWORD=%%!!;;^^"])
def test_no_other_message_shows_a_secret(text: str) -> None:
    given = yaml.safe_dump({"hosts": [{"host": "a", "reason": text}], "port": text})
    answers = settings.read([("a.yml", APP.encode()), ("b.yml", given.encode())], [])
    found = validation.problems(answers, {}, {})
    told = {f.code: f for f in found if f.answer == "hosts[0].reason"}
    assert set(told) == {"answers.literal-secret", "answers.not-asked"}
    assert told["answers.not-asked"].value == validation.HIDDEN
    assert text[-8:] not in str(found)


def test_what_else_is_wrong_beside_a_secret_is_told_without_it() -> None:
    found = judged(f"machine_clients: [{{paths: [/hooks/{TOKEN}], auth: app, reason: it is signed}}]")
    assert found["machine_clients[0].paths[0]"][0] == "answers.literal-secret"
    code, told = found["machine_clients[0].name"]
    assert code == "answers.client-name"
    assert "cannot be derived from the path" in told, "what does not quote the secret is told as it is"
    assert validation.HIDDEN in told, "the name comes from the secret"
    assert "would quote what looks like a secret" in found["machine_clients[0].prefix"][1]
    assert TOKEN.lower().replace("_", "-") not in str(found).lower().replace("_", "-")
    found = judged("volumes: [{path: /a}, {path: /a}]\nenv: {A_PW: mellon}")
    assert found["volumes[1].path"][1] == judged("volumes: [{path: /a}, {path: /a}]")["volumes[1].path"][1]


@pytest.mark.parametrize(
    "name", ["xK3sPq9LmW2vToken", "hunter2hunter2token", "Zr6-Tn8Wx3-token", "a" * 50 + "token"]
)
def test_a_name_that_may_be_a_secret_itself_is_not_told(name: str) -> None:
    found = judged(yaml.safe_dump({"args": [f"--{name}=8Wx3Qp1Zr6Tn"]}))["args[0]"][1]
    assert "assigns a value to the name of a secret" in found
    assert name.lower() not in found.lower()
    assert "secrets: [{env: SECRET, vault: kit#secret}]" in found


def test_a_key_is_judged_as_a_text_is() -> None:
    found = judged(f"labels: {{{TOKEN}: a}}")
    assert found["labels"][0] == "answers.literal-secret"
    assert TOKEN not in str(found)


def test_words_of_a_command_are_judged_together_and_told_once() -> None:
    found = judged("command: [rabbitmqctl, change_password, app, mellonmellon, --quiet, x]")
    assert list(found) == ["command[3]"]


def test_a_name_that_also_means_something_else_is_judged_by_its_value() -> None:
    texts = [("PWD", "/app"), ("OLDPWD", "/app"), ("NEO4J_AUTH", "none"), ("NEO4J_AUTH", "neo4j/test1234")]
    assert [bool(why) for why in suspected([*texts, ("PWD", "hunter2")])] == [False, False, False, True, True]


def test_passwords_under_other_names_of_a_compose_file_become_secrets() -> None:
    variables = yaml.safe_load((CASE / "compose.yml").read_text())["services"]["box"]["environment"]
    read = translate(CASE / "compose.yml").answers
    assert [secret["env"] for secret in read["secrets"]] == list(variables)
    assert "env" not in read
    found = judged(yaml.safe_dump({"env": variables}))
    assert set(found) == {f"env.{name}" for name in variables}
    assert not any(part in str(found) for part in ("otter", "letmein", "correct", "Swordfish"))


UNITS = (
    "a",
    "aB3",
    "a ",
    "password ",
    "-",
    "=",
    '"',
    "a\n",
    "a: b\n",
    "name=",
    "key=",
    "a1b2c3d4-",
    "?u=a",
    "${A:-",
)


@pytest.mark.slow("measures the time of long texts")
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_takes_time_by_its_length(unit: str) -> None:
    """Four times the length takes about four times as long, not sixteen: of the processor, by its best of three."""

    def seconds(length: int) -> float:
        taken = []
        for _ in range(3):
            began = time.process_time()
            suspected([("", unit * (length // len(unit)))])
            taken.append(time.process_time() - began)
        return min(taken)

    base = seconds(1)
    assert seconds(40_000) - base < 8 * max(seconds(10_000) - base, 0.01)

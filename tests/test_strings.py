"""Text that has to be rendered exactly, and text that has to be refused, in every free-text answer."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support import ORIGIN, examples, needs

from scaffold.answers import sources as answering
from scaffold.answers import validation
from scaffold.answers.sources import Answers
from scaffold.changes.change import Content
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.hcl.second_reader import read_again
from scaffold.hcl.syntax import Document, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import get

EXACT = [
    'say "hi"', "it's", "a \\ b \\n c \\\\", "${var.name}", "$${var.name}", "$$${x}", "%{ if true }", "%%{ x }", "100 % {x}",
    "$", "%", "${", "%{", "EOT", "<<-EOT", "# no comment", "// none", "/* none */", "- item", "key: value", "{a: b}", "[1, 2]",
    "*alias", "&anchor", "!tag", "@at", "`tick`", "yes", "null", "~", "0x1f", "1e5", "2026-01-01", "007", "{{ name }}", "{% raw %}",
    "{# note #}", "{{ '{{' }}", " leading and trailing ", "Grüße 你好 שלום", "👩‍👩‍👧‍👦🚀", "é e\u0301", "\u00a0", "a\u200bb", "|", ">", "x" * 10_000,
]  # fmt: skip
# What python-hcl2 cannot read: an escaped sign that is never closed.
UNREAD = {"${", "%{"}
REFUSED = [
    "two\nlines", "end\n", "carriage\rreturn", "tab\tstop", "nul\0", "bell\a", "escape\x1b[31m", "delete\x7f", "next\x85line",
    "separator\u2028", "paragraph\u2029", "override\u202e", "isolate\u2066", "surrogate\ud800",
]  # fmt: skip
BASE = {
    "name": "words",
    "description": "d",
    "image": "docker.io/library/nginx:1.29.0",
    "port": 80,
}
LEFT = re.compile(r"\$(\$|\([^)]*\))")


def started(text: str) -> str:
    """What a container gets of a text that stands in its environment or command, as Kubernetes expands it.

    Follows ``third_party/forked/golang/expansion``: ``$$`` is ``$``, and a reference to no variable stays.
    """
    return LEFT.sub(lambda found: found[1] if found[1] == "$" else found[0], text)


PLAIN = ["title", "description", "homepage_group", "homepage_icon"]


def files_for(**more: Any) -> dict[str, Content]:
    given = {**BASE, **more}
    assert validation.problems(Answers(given), {}, {}) == []
    return {str(path): content for path, content in render(given, {}, {}, ORIGIN).files.items()}


def document_of(files: dict[str, Content]) -> Document:
    source = files["main.tf"]
    assert isinstance(source, bytes)
    return parse(source)


def shown(document: Document) -> dict[str, object]:
    """The values of every string that the free-text answers end in."""
    ingress = document.body.block("module", "ingress")
    deployment = document.body.block("resource", "kubernetes_deployment")
    assert ingress is not None
    assert deployment is not None
    annotations = ingress.body.value("extra_annotations")
    assert annotations is not None
    entries = {entry.name: entry.value.literal() for entry in annotations.entries}
    pod = deployment
    for name in ("spec", "template", "spec", "container"):
        inner = pod.body.block(name)
        assert inner is not None
        pod = inner
    env = pod.body.block("env")
    return {
        "title": entries["gethomepage.dev/name"],
        "description": entries["gethomepage.dev/description"],
        "homepage_icon": entries["gethomepage.dev/icon"],
        "homepage_group": ingress.body.literal("homepage_group"),
        "env": env.body.literal("value") if env else None,
    }


@pytest.mark.parametrize("text", EXACT, ids=lambda text: text[:20])
def test_text_comes_out_exactly(text: str) -> None:
    files = files_for(**dict.fromkeys(PLAIN, text), env={"TEXT": text})
    found = shown(document_of(files))
    found["env"] = started(str(found["env"]))
    assert found == {**dict.fromkeys(PLAIN, text), "env": text}
    # The second reader agrees wherever it can read the file: nobody else reads another text.
    said = read_again({"main.tf": files["main.tf"]})  # type: ignore[dict-item]
    assert said.findings == ()
    assert (said.unread != ()) == (text in UNREAD)
    recorded = yaml.safe_load(files[ANSWERS_FILE])  # type: ignore[arg-type]
    assert {name: recorded[name] for name in PLAIN} == dict.fromkeys(PLAIN, text)
    assert recorded["env"] == {"TEXT": text}


@pytest.mark.parametrize("text", EXACT, ids=lambda text: text[:20])
def test_a_reason_stands_in_its_comment_as_it_was_given(text: str) -> None:
    reason = " ".join(["because", *text.replace("\u00a0", "_").split(" ")]).strip()
    reason = " ".join(part for part in reason.split(" ") if part)
    if " " not in reason:
        reason += " yes"
    files = files_for(
        gate="none", gate_reason=reason,
        machine_clients=[{"paths": ["/x/"], "auth": "none", "reason": reason, "max_body_size": "1m"}],
        volumes=[{"path": "/data", "backup": "none", "backup_reason": reason}],
    )  # fmt: skip
    comments = [comment.text for comment in document_of(files).comments]
    assert comments.count(f'auth = "none": {reason}') == 2
    assert f"No backup: {reason}" in comments


@pytest.mark.parametrize("text", ["two\nlines", "tab\tstop", "end\n", "crlf\r\n"], ids=repr)
def test_the_value_of_a_variable_may_have_several_lines(text: str) -> None:
    assert shown(document_of(files_for(env={"TEXT": text})))["env"] == text


@needs("terraform")
def test_terraform_reads_the_same_text(tmp_path: Path) -> None:
    outputs = []
    for number, text in enumerate(EXACT):
        document = document_of(files_for(env={"TEXT": text}))
        pod = document.body.block("resource", "kubernetes_deployment")
        for name in ("spec", "template", "spec", "container", "env"):
            assert pod is not None
            pod = pod.body.block(name)
        assert pod is not None
        value = pod.body.value("value")
        assert value is not None
        outputs.append(f'output "v{number}" {{\n  value = {value.text}\n}}\n')
    (tmp_path / "main.tf").write_text("".join(outputs))
    (tmp_path / "rc").touch()
    env = {
        "TF_CLI_CONFIG_FILE": str(tmp_path / "rc"),
        "CHECKPOINT_DISABLE": "1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    for command in (["init", "-backend=false"], ["plan", "-out=p"], ["show", "-json", "p"]):
        done = subprocess.run(
            ["terraform", *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
    planned = json.loads(done.stdout)["planned_values"]["outputs"]
    # Terraform itself composes accents (NFC).
    composed = [unicodedata.normalize("NFC", text) for text in EXACT]
    assert [started(planned[f"v{number}"]["value"]) for number in range(len(EXACT))] == composed


@pytest.mark.parametrize(
    "text,reaches",
    [
        ("pa$$word", "pa$$word"), ("kill $$", "kill $$"), ("$$$", "$$$"), ("--port=$(PORT)", "--port=$(PORT)"),
        ("$$(NAME)", "$(NAME)"), ("$$$$x", "$$$$x"),
    ],
)  # fmt: skip
def test_what_kubernetes_would_expand_is_kept(text: str, reaches: str) -> None:
    document = document_of(files_for(env={"TEXT": text}))
    assert started(str(shown(document)["env"])) == reaches


@pytest.mark.parametrize("text", REFUSED, ids=repr)
@pytest.mark.parametrize("answer", [*PLAIN, "gate_reason", "health_path"])
def test_text_of_more_than_one_plain_line_is_refused(answer: str, text: str) -> None:
    value = f"/{text}" if answer == "health_path" else f"because of {text}"
    gate = {"gate": "none"} if answer == "gate_reason" else {}
    found = validation.problems(Answers({**BASE, **gate, answer: value}), {}, {})
    assert [(f.answer, f.code) for f in found] == [(answer, "answers.pattern")]
    assert all(character.isprintable() for f in found for character in f.value or "")


@pytest.mark.parametrize("text", REFUSED, ids=repr)
def test_reasons_and_paths_in_lists_are_refused_too(text: str) -> None:
    found = validation.problems(
        Answers({
            **BASE,
            "machine_clients": [{"paths": [f"/{text}"], "auth": "none", "reason": f"because of {text}"}],
            "volumes": [{"path": f"/{text}", "backup_reason": f"because of {text}"}],
        }), {}, {},
    )  # fmt: skip
    assert [f.answer for f in found] == [
        "machine_clients[0].paths[0]", "machine_clients[0].reason", "volumes[0].path", "volumes[0].backup_reason",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["nul\0", "bell\a", "escape\x1b[31m", "delete\x7f", "next\x85line", "surrogate\ud800"], ids=repr
)
def test_control_characters_in_the_value_of_a_variable_are_refused(text: str) -> None:
    found = validation.problems(Answers({**BASE, "env": {"TEXT": text}}), {}, {})
    assert [f.answer for f in found] == ["env.TEXT"]


@pytest.mark.parametrize(
    "name",
    ["../up", "a/b", "/root", "..", ".", "a\\b", "a b", "A", "-a", "a-", "a\n", "", "a" * 41, "stacks/a"],
)
def test_path_parts_in_names_are_refused(name: str) -> None:
    found = validation.problems(Answers({**BASE, "name": name}), {}, {})
    assert [f.answer for f in found] == ["name"]


@pytest.mark.parametrize("path", ["../etc", "/a/../b", "/a/..", "relative", "/", "/a:b", "/a b", "/./a", ""])
def test_path_parts_in_mount_paths_are_refused(path: str) -> None:
    found = validation.problems(Answers({**BASE, "volumes": [{"path": path}]}), {}, {})
    assert [f.answer for f in found] == ["volumes[0].path"]


def test_bytes_that_are_no_text_are_refused() -> None:
    found = validation.problems(answering.from_yaml(b"name: a\ntitle: \xff\xfe\n", "a.yml"), {}, {})
    assert [(f.location, f.code) for f in found] == [("a.yml:2", "answers.yaml")]


ESCAPED = re.compile(r"\$\$\([A-Za-z]+\)")
"""Kubernetes' own way to write a reference that is none."""
SIGNS = st.lists(
    st.sampled_from(
        ["$", "$$", "%", "%%", "{", "}", "{host}", "EOT", "\n", "\n", "\n  ", '"', "\\", " ", "x", "(", ")", "é", "~", "\t"]
    ),
    min_size=1,
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.slow("plans a stack with a hundred texts, a few seconds for each")
@needs("terraform")
@settings(examples(3), phases=[Phase.explicit, Phase.generate])
@given(
    texts=st.lists(
        SIGNS.filter(lambda text: text.strip() and not ESCAPED.search(text)), min_size=100, max_size=100
    )
)
def test_any_text_comes_out_of_terraform_as_it_went_in(texts: list[str], pristine: Monorepo) -> None:
    names = [f"T{number}" for number in range(len(texts))]
    hosted = [text if "{host}" in text else f"{text}{{host}}" for text in texts]
    answers = {
        **BASE,
        "description": "".join(texts[0].split()) or "d",
        "env": {
            **dict(zip(names, texts, strict=True)),
            **{f"H{n}": {"host": "redis", "text": text} for n, text in enumerate(hosted)},
        },
        "command": ["sh", "-c", f"{texts[1]}\n{texts[2]}\n"],
        "args": [text.replace("\t", " ") for text in texts[3:20]],
        "files": [{"path": f"/f/{name}", "content": f"{t}\n{t}\n"} for name, t in zip(names, texts, strict=True)],
    }  # fmt: skip
    answers["command"] = [word.replace("\t", " ") for word in answers["command"]]  # type: ignore[attr-defined]
    prepared = prepare(pristine, Answers(answers), level=Level.PLAN, template_source="https://x.test/t.git")
    assert prepared.stack is not None
    plan = prepared.stack.verified.plan
    assert plan is not None
    by_kind = {resource.type: resource for resource in plan.resources}
    container = by_kind["kubernetes_deployment"].get("spec", 0, "template", 0, "spec", 0, "container", 0)
    env = {
        str(get(item, "name")): started(str(get(item, "value"))) for item in k8s.items(get(container, "env"))
    }
    host = pristine.variable("redis_host")
    assert {name: env[name] for name in names} == dict(zip(names, texts, strict=True))
    assert [env[f"H{n}"] for n in range(len(hosted))] == [t.replace("{host}", str(host)) for t in hosted]
    assert [started(str(word)) for word in k8s.items(get(container, "command"))] == answers["command"]
    assert [started(str(word)) for word in k8s.items(get(container, "args"))] == answers["args"]
    files = k8s.mapping(by_kind["kubernetes_config_map"].get("data"))
    assert files == {f"f-{name}": f"{text}\n{text}\n" for name, text in zip(names, texts, strict=True)}

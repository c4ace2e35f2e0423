"""Which answer led to a finding of the verification: known, or not named."""

from __future__ import annotations

import pytest
from support import needs

from scaffold.answers.sources import Answers, from_yaml
from scaffold.checks.verify import Level, Verified
from scaffold.commands.new_service import prepare
from scaffold.commands.origins import traced
from scaffold.errors import AnswersError, Finding, VerificationError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS

APP = "name: kit\ndescription: d it\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
SOURCE = "https://x.test/t.git"
TAKEN = """\
resource "kubernetes_config_map" "files" {
  metadata {
    name      = "kit-other"
    namespace = kubernetes_namespace.kit.metadata[0].name
  }
}
"""


def refused(
    monorepo: Monorepo, answers: str, level: Level = Level.STATIC
) -> VerificationError | AnswersError:
    with pytest.raises((VerificationError, AnswersError)) as told:
        prepare(monorepo, from_yaml((APP + answers).encode(), "a.yml"), level=level, template_source=SOURCE)
    assert isinstance(told.value, VerificationError | AnswersError)
    return told.value


def beside(monorepo: Monorepo, text: str) -> None:
    (monorepo.root / STACKS / "kit").mkdir()
    (monorepo.root / STACKS / "kit" / "own.tf").write_text(text)


def test_it_is_the_one_without_which_the_finding_goes(monorepo: Monorepo) -> None:
    """The line says `files`, and so does a title: by its text the finding would be about that."""
    beside(monorepo, TAKEN)
    error = refused(monorepo, "title: files\nhost: kit\nfiles: [{path: /etc/kit.conf, content: x}]\n")
    assert {(f.code, f.answer) for f in error.findings} == {("HCL002", "files")}


def test_what_no_answer_led_to_names_none(monorepo: Monorepo) -> None:
    """The line has the Service's name in it, and nothing that an answer says mends it."""
    beside(monorepo, TAKEN.replace("files", "more").replace(".kit.", ".kti."))
    error = refused(monorepo, "title: kit\nhost: kit\n")
    assert {f.answer for f in error.findings} == {None}


BAD = Finding("stacks/kit/main.tf", 3, None, "bad", "It is bad.")


@pytest.mark.parametrize(
    "left,answer",
    [
        ({"title": [], "host": [BAD]}, "title"),
        ({"title": [], "host": []}, None),
        ({"title": None, "host": [BAD]}, None),
        ({"title": [Finding("x", 1, None, "bad", "It is worse.")], "host": [BAD]}, None),
    ],
    ids=["it goes with one", "it goes with either", "it cannot be left out", "its words change"],
)
def test_only_what_is_known_is_named(left: dict[str, list[Finding] | None], answer: str | None) -> None:
    given = Answers({"name": "kit", "title": "Kit", "host": "kit"})
    error = VerificationError("It failed.", "", [BAD])
    found = traced(
        error,
        given,
        lambda values: [BAD] if values == given.values else left[next(n for n in left if n not in values)],
    )
    assert [finding.answer for finding in found.findings] == [answer]


@needs("terraform")
def test_what_nobody_makes_is_refused_at_the_answers_that_name_it(monorepo: Monorepo) -> None:
    error = refused(
        monorepo,
        "env_from: [{config_map: settings}]\n"
        "env: {KEY: {secret: keys, key: it}}\n"
        "files: [{path: /etc/kit.conf, secret: file}]\n",
        Level.PLAN,
    )
    assert isinstance(error, AnswersError)
    assert {f.answer: (f.path, f.line, f.value) for f in error.findings} == {
        "env_from[0].config_map": ("a.yml", 5, "settings"),
        "env.KEY.secret": ("a.yml", 6, "keys"),
        "files[0].secret": ("a.yml", 7, "file"),
    }
    ways = {f.answer: f.fix or "" for f in error.findings}
    assert all("beside the stack" in fix for fix in ways.values())
    assert {answer for answer, fix in ways.items() if fix.startswith("Set optional: true, or ")} == {
        "env_from[0].config_map", "env.KEY.secret",
    }  # fmt: skip
    optional = "env_from: [{config_map: settings, optional: true}]\nenv: {KEY: {secret: keys, key: it, optional: true}}\n"
    prepared = prepare(
        monorepo, from_yaml((APP + optional).encode(), "a.yml"), level=Level.PLAN, template_source=SOURCE
    )
    assert prepared.stack is not None and isinstance(prepared.stack.verified, Verified)

"""An answer that does not apply is refused, never ignored: each question declares when it applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from strategies import applies
from support import ANSWERS, ORIGIN

from scaffold.answers import validation
from scaffold.answers.settings import from_settings
from scaffold.answers.sources import Answers
from scaffold.templates import decisions, questions
from scaffold.templates.render import render

APP = {"name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080}
OF_SHAPE: Mapping[str, dict[str, Any]] = {
    "web": APP,
    "internal": {**APP, "shape": "internal"},
    "jobs": {
        **{name: APP[name] for name in ("name", "description", "image")},
        "shape": "jobs", "cron_jobs": [{"name": "tick", "schedule": "1 2 * * *", "command": ["x"]}],
    },
    "external": {"name": "kit", "description": "d it", "shape": "external", "backend": "10.0.10.5", "port": 8080},
}  # fmt: skip
CONDITIONAL = [name for name, question in questions.asked().items() if questions.condition(question)]


def settings_of(name: str) -> Iterator[Any]:
    """What a question that others hang on may be: its options, or nothing and something."""
    question = questions.asked()[name]
    yield from [option.value for option in question.options] or (
        [True, False] if question.type == "bool" else [question.default, "some"]
    )


def hanging(other: str, setting: Any) -> list[str]:
    """The questions that do not apply where another one is answered so."""
    conditions = {name: questions.condition(questions.asked()[name]) for name in CONDITIONAL}
    return [
        n
        for n, wanted in conditions.items()
        if other in wanted and not questions.fits(setting, wanted[other])
    ]


AGAINST = [
    (other, setting)
    for other in sorted(
        {other for name in CONDITIONAL for other in questions.condition(questions.asked()[name])}
    )
    for setting in settings_of(other)
    if hanging(other, setting)
]


@cache
def given_somewhere() -> Mapping[str, list[Any]]:
    """Answers to each question that are not its default, as the examples have them."""
    found: dict[str, list[Any]] = {}
    for path in [*sorted(ANSWERS.glob("[rv]*/*.yml")), *ANSWERS.parent.glob("golden_service/*/answers.yml")]:
        for name, value in yaml.safe_load(path.read_text()).items():
            question = questions.asked().get(name)
            if question and value != question.default and value not in found.setdefault(name, []):
                found[name].append(value)
    for name, question in questions.asked().items():
        if question.options or question.type == "bool":
            found[name] = [value for value in settings_of(name) if value != question.default]
    return {
        **found,
        "anubis": [{"replicas": 1}],
        "database_reason": ["the old data"],
        "unread_reason": ["a job beside reads it"],
        "image_reason": ["the proxy asks for a login"],
        "branch": ["main"],
    }


@pytest.mark.parametrize("other,setting", AGAINST)
def test_what_does_not_apply_is_refused(other: str, setting: Any) -> None:
    values = {**OF_SHAPE["web"], other: setting}
    against = hanging(other, setting)
    values |= {name: given_somewhere()[name][0] for name in against}
    told = {
        f.answer: f for f in validation.problems(Answers(values), {}, {}) if f.code == "answers.not-asked"
    }
    for name in against:
        assert f"{name} does not apply if " in told[name].message
        assert told[name].fix == "Remove it."


def test_it_is_refused_wherever_it_was_given() -> None:
    given = from_settings(["command=[run]"], Answers(OF_SHAPE["external"]))
    (found,) = validation.problems(given, {}, {})
    assert found.path == "--set command"
    assert found.message == "command does not apply if shape is external."
    assert found.allowed == "only where shape is one of web, internal, worker"


@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_condition_says_what_its_other_answers_hang_on(name: str) -> None:
    """Else an answer could apply beside one that does not: Copier looks at the one condition alone."""
    condition = questions.condition(questions.asked()[name])
    for other in condition:
        for above, wanted in questions.condition(questions.asked()[other]).items():
            settings = [value for value in settings_of(above) if not questions.fits(value, wanted)]
            assert not any(
                questions.fits(value, condition.get(above, {"enum": settings})) for value in settings
            )


@pytest.mark.parametrize("shape", OF_SHAPE)
def test_stock_copier_is_told_so_too(shape: str) -> None:
    """What it takes with ``-d`` reaches the templates, whether its question applies or not."""
    usual = decisions.combine(OF_SHAPE[shape])
    table = "templates/questions/unasked.jinja"
    assert not decisions.environment().get_template(table).render(usual).strip()
    against = [name for name in CONDITIONAL if not applies(name, OF_SHAPE[shape])]
    given = {name: given_somewhere()[name][0] for name in against}
    told = decisions.environment().get_template(table).render({**usual, **given})
    for name in against:
        still = applies(name, {**OF_SHAPE[shape], **given})
        assert (f"{name}: applies only where " in told) is not still, name


SAYS_MORE: Mapping[str, dict[str, Any]] = {
    "backup_job": {"volumes": [{"path": "/data"}]},
    "sensitive": {"volumes": [{"path": "/data"}]}, "rwx": {"volumes": [{"path": "/data"}]},
    "secrets_form": {"secrets": [{"env": "A_KEY"}]}, "busy": {"health_path": "/up"}, "slow_start": {"health_path": "/up"},
    "anubis": {"gate": "anubis", "gate_reason": "it is public"}, "gate_reason": {"gate": "none"},
    "secrets_refresh": {"secrets": [{"env": "A_KEY"}]},
    "database_name": {"database": "postgresql"}, "database_env": {"database": "postgresql"},
    "grafana_datasource": {"database": "postgresql"}, "public_package": {"build": "github-ghcr", "image": ""},
    "priority_class_reason": {"priority_class": "system-node-critical"}, "capabilities_reason": {"capabilities": ["SYS_PTRACE"]},
}  # fmt: skip
"""What has to be answered beside some questions for theirs to show."""
ELSEWHERE = {
    "section", "image_reason", "secrets_reason", "unread_reason", "database_reason", "not_secret", "repository", "branch", "woodpecker_id", "dockerfile",
    "app_kind", "app_module",
}  # fmt: skip
"""What shows in the catalog, in the app's repository, or as the reason of a refusal that does not come."""


@pytest.mark.slow("renders each question's answers for each shape")
@pytest.mark.parametrize("shape", OF_SHAPE)
def test_no_answer_is_ignored(shape: str) -> None:
    """An answer that applies changes what is rendered: where none does, its question should say so."""

    def files(values: dict[str, Any]) -> dict[str, object]:
        rendered = render(values, {}, {}, ORIGIN).files
        return {str(path): content for path, content in rendered.items() if path.suffix != ".yml"}

    for name in questions.asked().keys() - ELSEWHERE - {"name", "shape", "description", "backend"}:
        usual = {**OF_SHAPE[shape], **SAYS_MORE.get(name, {})}
        if all(applies(n, usual) for n in [name, *usual]):
            without = files(usual)
            assert any(files({**usual, name: value}) != without for value in given_somewhere()[name]), name

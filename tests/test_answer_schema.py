"""The JSON Schema of an answer file: what it can say, it says as the command judges it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from support import ANSWERS

from scaffold.answers import validation
from scaffold.answers.sources import Answers, from_yaml
from scaffold.templates import questions
from scaffold.templates.schema import schema

APP = {"name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080}
OWN = {"name": "kit", "description": "d it", "build": "forgejo-woodpecker", "port": 8080}
OPEN = {"host": "open", "auth": "none"}
CALLS = {"paths": ["/api/"], "auth": "app"}
BESIDE = {"name": "beside", "image": "docker.io/library/redis"}
DIGEST = "@sha256:" + "0" * 64
RIGHT = sorted(
    [
        *ANSWERS.glob("valid/*.yml"),
        *ANSWERS.glob("real/*.yml"),
        *ANSWERS.parent.glob("golden_service/*/answers.yml"),
    ]
)


@cache
def validator() -> Any:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in APP.items() if key != name}


@pytest.mark.parametrize(
    "values,right",
    [
        ({**APP, "gate": "app"}, False),
        ({**APP, "gate": "none", "gate_reason": ""}, False),
        ({**APP, "gate": "none", "gate_reason": "it is public"}, True),
        (without("image"), False),
        ({**APP, "image": ""}, False),
        ({**APP, "image": "docker.io/library/nginx"}, False),
        ({**APP, "image": "localhost:5000/nginx"}, False),
        ({**APP, "image": "docker.io/library/nginx:latest"}, False),
        ({**APP, "image": f"docker.io/library/nginx:latest{DIGEST}"}, True),
        ({**APP, "image": f"docker.io/library/nginx{DIGEST}"}, True),
        (OWN, True),
        ({**APP, "hosts": [OPEN]}, False),
        ({**APP, "hosts": [{**OPEN, "reason": "it is public"}]}, True),
        ({**APP, "hosts": [{"host": "shut"}]}, True),
        ({**APP, "machine_clients": [CALLS]}, False),
        ({**APP, "machine_clients": [{**CALLS, "reason": "a token is checked"}]}, True),
        ({**APP, "machine_clients": [{**CALLS, "auth": "required", "max_body_size": "1m"}]}, True),
        ({**APP, "sidecars": [BESIDE]}, False),
        ({**APP, "sidecars": [{**BESIDE, "image": "docker.io/library/redis:8.0.1"}]}, True),
        ({**APP, "sidecars": [{"name": "beside", "command": ["x"]}]}, True),
        ({**APP, "backend": "192.0.2.7"}, False),
        ({"name": "kit", "description": "d it", "shape": "external", "backend": "192.0.2.7", "port": 80}, True),
        ({"name": "kit", "description": "d it", "shape": "external", "backend": "192.0.2.7", "port": 80, "env": {}}, False),
        ({**APP, "homepage": False, "homepage_group": "Media"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_both_judge_alike(values: dict[str, Any], right: bool) -> None:
    assert validator().is_valid(values) is right
    assert (validation.problems(Answers(values), {}, {}) == []) is right


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name + "-" + path.stem)
def test_what_is_right_is_right_by_the_schema(path: Path) -> None:
    assert list(validator().iter_errors(yaml.safe_load(path.read_text()))) == []


@pytest.mark.parametrize("name", questions.asked())
def test_a_question_without_choices_has_an_example(name: str) -> None:
    question = questions.asked()[name]
    told = questions.properties()[name].get("examples", [])
    assert bool(told) is not bool(question.options or question.type == "bool")
    own = schema()["properties"].get(name, questions.properties()[name])
    assert all(Draft202012Validator(own).is_valid(value) for value in told)


def test_the_examples_stand_together() -> None:
    """But for what is of another shape or build, or of other answers."""
    apart = {
        "backend", "gate_reason", "database_name", "database_reason", "unread_reason", "database_env", "branch", "woodpecker_id", "dockerfile",
        "repository", "app_module", "gpu", "load_balancer", "anubis",
    }  # fmt: skip
    values = {name: value for name, value in questions.examples().items() if name not in apart}
    text = yaml.safe_dump(values).encode()
    assert [f"{f.answer}: {f.message}" for f in validation.problems(from_yaml(text, "a.yml"), {}, {})] == []

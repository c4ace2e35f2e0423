"""The JSON Schema of an answer file: as far as it can express something, it agrees with the command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import by_schema
from support import ANSWERS, examples

from scaffold.answers import validation
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers, from_yaml
from scaffold.templates import examples as answer_examples
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


@pytest.mark.parametrize(
    "image,right",
    [
        ("ghcr.io/actualbudget/actual-server:25.1.0", True),
        (f"docker.io/actualbudget/actual-server{DIGEST}", True),
        ("docker.io/adminer:5.0.0", True),
        ("ghcr.io/linuxserver/bazarr:1.5.0", True),
        ("docker.io/actualbudget/actual-server-too:25.1.0", False),
        ("docker.io/example/of-nobody:1.29.0", False),
    ],
)
def test_both_take_the_port_from_a_known_image(image: str, right: bool) -> None:
    values = {**without("port"), "image": image}
    assert validator().is_valid(values) is right
    missing = {f.answer for f in validation.problems(filled(Answers(values)), {}, {})}
    assert ("port" not in missing) is right


SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 7, -1, "", "x y", "512Mi", "/data", "none", "A_B", {}, [], [{}], {"a": 1}]
)
ANSWERED = st.sampled_from(sorted(questions.properties())).flatmap(
    lambda name: st.tuples(st.just(name), by_schema(questions.properties()[name]) | SCALARS)
)
SAID_BY_BOTH = {
    f"answers.{rule}"
    for rule in (
        "type", "enum", "pattern", "minimum", "maximum", "minItems", "minLength", "maxLength", "required",
        "missing", "unknown", "gate-reason", "image-missing",
    )
}  # fmt: skip


@pytest.mark.slow("judges sixty sets of answers twice")
@examples(60)
@given(answered=st.lists(ANSWERED, max_size=3), left_out=st.sampled_from(["", *APP]))
def test_what_the_schema_can_say_both_say(answered: list[tuple[str, Any]], left_out: str) -> None:
    values = {**without(left_out), **dict(answered)}
    told = {f.code for f in validation.problems(filled(Answers(values)), {}, {})}
    if validator().is_valid(values):
        assert not told & SAID_BY_BOTH
    else:
        assert told


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.parent.name + "-" + path.stem)
def test_what_is_right_is_right_by_the_schema(path: Path) -> None:
    assert list(validator().iter_errors(yaml.safe_load(path.read_text()))) == []


def parts(place: str, part: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and each one in it, with its place."""
    yield place, part
    for key, inner in part.get("properties", {}).items():
        yield from parts(f"{place}.{key}", inner)
    for key in ("items", "additionalProperties"):
        if isinstance(part.get(key), Mapping):
            yield from parts(f"{place}[]", part[key])


@pytest.mark.parametrize("name", questions.asked())
def test_each_key_of_each_answer_has_examples_that_are_right(name: str) -> None:
    for place, part in parts(name, questions.properties()[name]):
        assert part.get("examples"), place
        judge = Draft202012Validator(part)
        assert [value for value in part["examples"] if not judge.is_valid(value)] == [], place
    own = validator().schema["properties"].get(name, questions.properties()[name])
    assert own["examples"]


@pytest.mark.parametrize("more", answer_examples.together(), ids="-".join)
def test_each_set_of_examples_is_accepted(more: dict[str, Any]) -> None:
    values = {**(without("port") if more.get("shape") == "jobs" else APP), **more}
    found = validation.problems(Answers(values), values.pop("sensed", {}), {})
    assert [f"{f.answer}: {f.message}" for f in found] == []
    assert list(validator().iter_errors(values)) == []


def test_the_examples_stand_together() -> None:
    """But for what is of another shape or build, or of other answers."""
    apart = {
        "unread_reason", "backend", "gate_reason", "database_name", "database_reason", "database_env", "branch", "woodpecker_id", "dockerfile",
        "repository", "app_module", "app_version", "checks", "gpu", "load_balancer", "anubis", "availability", "devices",
    }  # fmt: skip
    values = {name: value for name, value in answer_examples.single().items() if name not in apart}
    text = yaml.safe_dump(values).encode()
    assert [f"{f.answer}: {f.message}" for f in validation.problems(from_yaml(text, "a.yml"), {}, {})] == []

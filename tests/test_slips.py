"""Common slips of people and agents: each message has YAML to paste, which is what they meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from support import ANSWERS

from scaffold.answers import fixes, validation
from scaffold.answers.sources import from_yaml, within
from scaffold.report.findings import error_text
from scaffold.templates import questions

SLIPS = yaml.safe_load((ANSWERS / "slips.yml").read_text())
APP = {"name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080}


def found(values: Mapping[str, Any]) -> list[Any]:
    return validation.problems(from_yaml(yaml.safe_dump(values).encode(), "answers.yml"), {}, {})


def pasted(values: dict[str, Any], answer: str, write: str) -> None:
    """Put the YAML of a message in place of what the message is about."""
    *around, key = within(answer, values)
    place: Any = values
    for part in around:
        place = place[part]
    text = yaml.safe_load(write)
    if isinstance(key, int):
        place[key] = text[0]
    else:
        del place[key]
        place.update(text or {})


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: str(slip["wrong"]))
def test_what_is_pasted_is_what_was_meant(slip: dict[str, dict[str, Any]]) -> None:
    wrong = {**{name: v for name, v in APP.items() if name not in slip["right"]}, **slip["wrong"]}
    findings = found(wrong)
    assert findings
    for finding in findings:
        assert finding.line and finding.fix is not None, finding
        assert finding.write is not None, f"{finding.message} has nothing to paste"
        pasted(wrong, finding.answer, finding.write)
    assert wrong == {**APP, **slip["right"]}
    assert found(wrong) == []


def test_no_secret_is_pasted() -> None:
    for secrets in (["hunter2"], [{"env": "API_KEY", "value": "hunter2"}], {"API_KEY": "hunter2"}, "hunter2"):
        for around in ({"secrets": secrets}, {"service": {"secrets": secrets}}, {"secret_env": secrets}):
            assert "hunter2" not in error_text(validation.refused(found({**APP, **around})))
    for env in (["PASSWORD=hunter2"], [{"name": "PASSWORD", "value": "hunter2"}]):
        assert "hunter2" not in error_text(validation.refused(found({**APP, "environment": env})))


def test_what_opens_a_gate_is_never_guessed() -> None:
    for name in ("gate", "auth"):
        assert set(fixes._slips()["values"][name].values()) == {"required"}


def test_every_slip_leads_somewhere() -> None:
    def keys(schema: Mapping[str, Any]) -> set[str]:
        parts = [
            schema.get("items"),
            schema.get("additionalProperties"),
            *schema.get("properties", {}).values(),
        ]
        inner = set(schema.get("properties", {}))
        return inner.union(*(keys(part) for part in parts if isinstance(part, Mapping)))

    there, slips = keys({"properties": questions.properties()}), fixes._slips()
    assert {name for names in slips["keys"].values() for name in names} <= there
    assert {name.removesuffix("[]") for name in (*slips["forms"], *slips["values"])} <= there
    assert not slips["keys"].keys() & slips["dropped"].keys()


def test_the_names_of_all_questions_are_told_on_request_only() -> None:
    (finding,) = found({**APP, "colour": "blue"})
    assert finding.allowed is None and "scaffold schema" in finding.fix

"""Whatever is given as answers, validation reports what is wrong and never fails itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from strategies import by_schema
from support import examples

from scaffold.answers import settings, validation
from scaffold.answers import sources as answering
from scaffold.answers.sources import Answers, parse, show
from scaffold.errors import UsageError
from scaffold.templates import questions

VALID = Path(__file__).parent / "answers" / "valid"
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.dates(), st.binary(max_size=4),
    st.sampled_from(["64Mi", "proxied", "none", "sqlite", "/data", "A_KEY", "path#key", "a reason"]),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from([*questions.asked(), "path", "purpose", "env", "vault", "paths", "reason", "dsn"]),
    st.text(max_size=6), st.integers(), st.booleans(), st.none(),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@examples(60)
@given(values=st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_any_answers_are_judged(values: dict[Any, Any]) -> None:
    found = validation.problems(Answers(values), {}, {})
    assert found, "nothing this random is valid"
    for finding in found:
        assert finding.code.startswith("answers.")
        assert finding.message.endswith(".")


ANSWERED = st.sampled_from(sorted(questions.properties())).flatmap(
    lambda name: st.tuples(st.just(name), by_schema(questions.properties()[name]) | ANYTHING)
)


@examples(30)
@given(answered=st.lists(ANSWERED, min_size=1, max_size=4))
def test_what_the_template_finds_right_is_right_by_jsonschema(answered: list[tuple[str, Any]]) -> None:
    values = dict(answered)
    if validation._right(values):
        with mock.patch.object(validation, "_right", lambda _: False):
            assert not list(validation._against_schema(values, Answers(values)))


def test_right_answers_are_judged_without_jsonschema(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded() -> None:
        raise ImportError("jsonschema")

    monkeypatch.setattr(validation, "_validator", loaded)
    values = yaml.safe_load((VALID / "drone-logbook.yml").read_text())
    assert validation.problems(Answers(values), {}, {}) == []
    with pytest.raises(ImportError):
        validation.problems(Answers({**values, "port": "many"}), {}, {})


def test_the_template_judges_by_every_keyword_that_types_use() -> None:
    """What ``templates/questions/problems.jinja`` does not know would be right for it, whatever it is."""

    def keywords(schema: Mapping[str, Any]) -> Iterator[str]:
        ours = {
            "x-ask",
            "x-called",
            "x-consequences",
            "x-line",
            "x-names",
            "x-needs",
            "x-pattern",
            "x-required",
            "x-suggest",
        }
        yield from schema.keys() - ours
        inner = [schema.get(key) for key in ("items", "propertyNames", "additionalProperties")]
        for each in (*inner, *schema.get("properties", {}).values()):
            if isinstance(each, Mapping):
                yield from keywords(each)

    used = set(keywords({"properties": questions.properties()}))
    assert used - {"description", "default", "examples", "allowed", "fix"} == {
        "type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "items",
        "required", "properties", "propertyNames", "additionalProperties",
    }  # fmt: skip


@examples(150)
@given(
    data=st.one_of(
        st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass"))
    )
)
def test_any_bytes_are_judged(data: bytes) -> None:
    given_ = answering.from_yaml(data, "x.yml")
    assert validation.problems(given_, {}, {})


@examples(100)
@given(setting=st.text(max_size=30))
def test_any_setting_is_taken_or_refused(setting: str) -> None:
    try:
        result = settings.from_settings([setting], Answers())
    except UsageError as error:
        assert error.message
    else:
        assert result.values or result.problems


@pytest.mark.parametrize(
    "path,text",
    [(("memory",), "memory"), (("volumes", 0, "size"), "volumes[0].size"), (("env", "A"), "env.A")],
)
def test_paths_are_written_as_they_are_read(path: tuple[str | int, ...], text: str) -> None:
    assert show(path) == text
    assert parse(text) == path


def test_settings_hold_over_files_and_text_stays_text() -> None:
    file = answering.from_yaml(b"name: a\nvolumes:\n- path: /a\n  size: 1Gi\n", "a.yml")
    settings_ = [
        "volumes[0].size=2Gi",
        "volumes[1].path=/b",
        "env.N=5",
        "port=8080",
        "title=007",
        "sensitive=false",
    ]
    result = settings.from_settings(settings_, file)
    assert result.values == {
        "name": "a", "volumes": [{"path": "/a", "size": "2Gi"}, {"path": "/b"}],
        "env": {"N": "5"}, "port": 8080, "title": "007", "sensitive": False,
    }  # fmt: skip
    assert result.place(("volumes", 0, "size")).source == "--set volumes[0].size"
    assert result.place(("volumes", 0, "path")).source == "a.yml"


@pytest.mark.parametrize("setting", ["memory", "=1", "a..b=1", "volumes[]=1", "[0]=1"])
def test_settings_that_no_answer_could_have_are_refused(setting: str) -> None:
    with pytest.raises(UsageError):
        settings.from_settings([setting], Answers({"name": "a"}))


VOLUMES = Answers(
    {
        "name": "a",
        "memory": "1Gi",
        "volumes": [{"path": "/a"}, {"path": "/t", "purpose": "thumbs", "size": "1Gi"}],
    }
)


@pytest.mark.parametrize(
    "setting,problem",
    [
        ("volumes[3].path=/x", "volumes[3].path is not an item. Items count from 0, without gaps."),
        ("name.x=1", "name.x leads into a single value. Change name as a whole."),
        ("env={", "env is not YAML: "),
        ("port=[", "port is not YAML: "),
        ("volumes[thums].size=2Gi", "volumes has no item called thums. Did you mean thumbs?"),
        ("volumes[x].size=2Gi", "volumes has no item called x. Write volumes[+] for one more, or"),
        ('rbac[+]=pods="get', "rbac[0]: A quotation mark is not closed. Close it."),
    ],
)
def test_settings_that_lead_to_nothing_are_problems_of_the_answers(setting: str, problem: str) -> None:
    given_ = settings.from_settings([setting, "memory=2Gi"], VOLUMES)
    (found,) = given_.problems
    assert f"{found.message} {found.fix}".startswith(problem)
    assert found.location == f"--set {setting.partition('=')[0]}"
    assert given_.values == {**VOLUMES.values, "memory": "2Gi"}


@pytest.mark.parametrize(
    "setting,volumes",
    [
        ("volumes[thumbs].size=5Gi", [{"path": "/a"}, {"path": "/t", "purpose": "thumbs", "size": "5Gi"}]),
        ("volumes[data].size=5Gi", [{"path": "/a", "size": "5Gi"}, VOLUMES.values["volumes"][1]]),
        ("volumes[+]={path: /x}", [*VOLUMES.values["volumes"], {"path": "/x", "purpose": "x"}]),
        ("volumes[+]=/x=2Gi", [*VOLUMES.values["volumes"], {"path": "/x", "size": "2Gi", "purpose": "x"}]),
    ],
)
def test_items_are_named_and_added(setting: str, volumes: list[Any]) -> None:
    assert settings.from_settings([setting], VOLUMES).values["volumes"] == volumes


@pytest.mark.parametrize(
    "key,values",
    [
        ("memory", {"name": "a", "volumes": VOLUMES.values["volumes"]}),
        ("volumes[data]", {**VOLUMES.values, "volumes": VOLUMES.values["volumes"][1:]}),
        (
            "volumes[1].size",
            {**VOLUMES.values, "volumes": [{"path": "/a"}, {"path": "/t", "purpose": "thumbs"}]},
        ),
        ("port", VOLUMES.values),
    ],
)
def test_what_is_unset_is_gone(key: str, values: dict[str, Any]) -> None:
    given_ = settings.without([key], VOLUMES)
    assert (given_.values, given_.problems) == (values, ())


@pytest.mark.parametrize(
    "key,problem",
    [
        ("memry", "memry is not a question. Did you mean memory?"),
        ("volumes[thums]", "volumes has no item called thums. Did you mean thumbs?"),
        ("volumes[2]", "volumes[2] is not an item. Items count from 0, without gaps."),
        ("volumes[thumbs].sise", "volumes[1].sise is not given. Did you mean size?"),
    ],
)
def test_what_is_not_there_cannot_be_unset(key: str, problem: str) -> None:
    given_ = settings.without([key], VOLUMES)
    assert [f"{found.message} {found.fix}" for found in given_.problems] == [problem]
    assert given_.values == VOLUMES.values


def test_later_files_hold_over_earlier_ones() -> None:
    merged = settings.read([("a.yml", b"name: a\nport: 1\n"), ("b.yml", b"port: 2\n")], ["name=c"])
    assert merged.values == {"name": "c", "port": 2}
    assert merged.place(("port",)).source == "b.yml"


def test_places_are_those_of_the_file() -> None:
    text = b"name: thing\nvolumes:\n  - path: /data\n    size: 5\n"
    found = validation.problems(answering.from_yaml(text, "a.yml"), {}, {})
    (size,) = [f for f in found if f.answer == "volumes[0].size"]
    assert (size.path, size.line, size.column, size.value) == ("a.yml", 4, 5, "5")
    assert yaml.safe_load(text)["volumes"][0]["size"] == 5


@pytest.mark.parametrize(
    "text", ["env: {'A[B': x, API_TOKEN: abcdefgh1}\n", "'a[b': 1\n", "env: {'A.B[': 1}\n"]
)
def test_keys_that_no_path_can_say_are_told_with_the_rest(text: str) -> None:
    given = answering.from_yaml(text.encode() + b"name: 5\n", "a.yml")
    found = validation.problems(given, {}, {})
    assert any(f.answer == "name" for f in found)
    assert any("[" in (f.answer or "") or "env" in (f.answer or "") for f in found)


@pytest.mark.parametrize("text", [b"volumes: &a [*a]\n", b"env: &b {x: *b}\n", b"[" * 5000])
def test_what_has_no_end_is_told(text: bytes) -> None:
    (finding,) = validation.problems(answering.from_yaml(text, "a.yml"), {}, {})
    assert finding.code == "answers.yaml"


@pytest.mark.parametrize(
    ("answers", "fits"),
    [
        ("memory: 2944Mi\nvolumes: [{path: /data}]\n", True),
        ("memory: 2945Mi\nvolumes: [{path: /data}]\n", False),
        ("memory: 1Gi\nreplicas: 3\n", True),
        ("memory: 1Gi\nreplicas: 4\n", False),
        ('cpu: "2"\n', True),
        ("cpu: 2001m\n", False),
    ],
)
def test_the_namespace_is_counted_whole(answers: str, fits: bool) -> None:
    """Tier aux: 3 GiB and 2 CPU, of which the backup has 128 MiB."""
    text = "name: thing\ndescription: A thing\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n" + answers
    given = answering.from_yaml(text.encode(), "thing.yml")
    codes = {problem.code for problem in validation.problems(given, {}, {})}
    assert ("answers.namespace-quota" not in codes) is fits


APP = "name: kit\ndescription: A kit\nimage: docker.io/library/nginx:1.29.0\n"


@pytest.mark.parametrize(
    ("given_", "answer", "write"),
    [
        ("port: 134:40", "port", "port: 40"),
        ("port: 017620", "port", "port: 17620"),
        ("port: 8080\nuid: 1000.0", "uid", "uid: 1000"),
        ("port: 8080\nuid: '1000'", "uid", None),
    ],
)
def test_a_number_is_one_as_people_write_it(given_: str, answer: str, write: str | None) -> None:
    """YAML 1.1 has numbers to the base of 60 and 8, and JSON Schema takes 1000.0 for whole."""
    (finding,) = validation.problems(answering.from_yaml((APP + given_).encode(), "a.yml"), {}, {})
    assert (finding.answer, finding.code) == (answer, "answers.type")
    assert write is None or finding.write == write


def test_a_text_that_yaml_1_1_takes_for_a_number_is_that_text() -> None:
    text = APP + "port: 8080.0\nenv: {AT: 22:30, MODE: 0644, LONG: 1:30:15.5}\nargs: [22:22]"
    given_ = answering.from_yaml(text.encode(), "a.yml")
    assert validation.problems(given_, {}, {}) == []
    assert given_.values["env"] == {"AT": "22:30", "MODE": "0644", "LONG": "1:30:15.5"}
    assert given_.values["args"] == ["22:22"]

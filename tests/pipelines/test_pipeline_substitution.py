"""Substitution as Woodpecker does it. ``envsubst.json`` is what drone/envsubst 1.0.3 itself answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scaffold.pipelines.loading import load
from scaffold.pipelines.substitution import SubstitutionError, substitute, uses

ENVIRONMENT = {"A": "abcdef0123", "B": "", "C": "x/y/z.tar.gz", "CI_COMMIT_SHA": "0123456789abcdef"}
RECORDED = json.loads((Path(__file__).parent / "envsubst.json").read_text())
HEAD = "when:\n  - event: push\nsteps:\n  - name: a\n    image: alpine\n    commands:\n"


@pytest.mark.parametrize("text,outcome,answer", RECORDED, ids=[repr(row[0]) for row in RECORDED])
def test_it_answers_what_envsubst_answers(text: str, outcome: str, answer: str) -> None:
    if outcome == "ok":
        assert substitute(text, ENVIRONMENT) == answer
    else:
        with pytest.raises(SubstitutionError) as refused:
            substitute(text, ENVIRONMENT)
        assert refused.value.message == answer


def test_uses_names_and_places() -> None:
    text = "a ${X} $Y $${Z} ${W:-${V}}"
    assert [(use.name, text[use.offset : use.offset + 3]) for use in uses(text)] == [
        ("X", "${X"), ("W", "${W"), ("V", "${V"),
    ]  # fmt: skip


def test_an_error_is_told_with_its_line() -> None:
    workflow, (finding,) = load("x.yml", HEAD + "      - ls\n      # ${...}\n")
    assert workflow is None
    assert (finding.code, finding.line, finding.value) == ("PIP026", 8, "${...}")


@pytest.mark.parametrize(
    "command,fine",
    [
        ('"kubectl x=${IMAGE}:${TAG} -n ns"', True),
        ("kubectl x=${IMAGE}:${TAG} -n ns", False),
        ("kubectl x=${IMAGE}:$TAG", True),
        ("${CI_COMMIT_SHA:0:8}", False),
        ("a-${CI_COMMIT_SHA:0:8}", True),
        ("|\n          x=${IMAGE}: y\n", True),
    ],
)
def test_what_is_text_in_every_run(command: str, fine: bool) -> None:
    _, found = load("x.yml", HEAD + f"      - {command}\n")
    assert (found == []) is fine
    assert all(finding.line == 7 for finding in found)


def test_two_runs_of_a_matrix_may_have_the_same_values() -> None:
    runs = '{A: "x", B: "y"}, {A: "1.0", B: "text"}, {B: "1.0", A: "text"}'
    environment = f"    environment:\n      V: ${{A}}\nmatrix:\n  include: [{runs}]\n"
    _, found = load("x.yml", HEAD + "      - ls\n" + environment)
    assert [(finding.code, finding.line) for finding in found] == [("PIP028", 9)]


def test_the_line_is_that_of_the_value_whatever_type_its_key_has() -> None:
    from scaffold.pipelines.documents import parse

    document = parse("a:\n  1: x\n  2:\n    - y\n    - 2: z\n")
    assert [document.line("a", 1), document.line("a", 2, 1, 2), document.line("a", 3)] == [2, 5, 1]


def test_yaml_is_read_as_woodpecker_reads_it() -> None:
    from scaffold.pipelines.documents import parse
    from scaffold.reading import YamlError

    value = parse("on: yes\na: 12345e12\nb: 0123\nc: 12:30\nd: 2026-01-01\ne: ~\n").value
    assert value == {"on": "yes", "a": 12345e12, "b": 83, "c": "12:30", "d": "2026-01-01", "e": None}
    with pytest.raises(YamlError) as refused:
        parse("a: 1\nb: 2\na: 3\n")
    assert refused.value.line == 3

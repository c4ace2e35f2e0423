"""One mistake in answers never hides another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from strategies import valid_answers
from support import ANSWERS, examples

from scaffold.answers import validation
from scaffold.answers.pruning import prune, sound
from scaffold.answers.sources import Answers, Path, from_yaml, within

INVALID = [
    path for path in sorted((ANSWERS / "invalid").glob("*.yml")) if from_yaml(path.read_bytes(), "").values
]
"""The files that can be read at all."""

VALID = {"name": "kit", "description": "Kit", "image": "docker.io/library/nginx:1.29.0", "port": 8080}


def told(values: Mapping[str, Any]) -> set[tuple[str | None, str]]:
    return {(f.answer, f.code) for f in validation.problems(Answers(values), {}, {})}


def with_unknown_keys(value: Any, at: Path = ()) -> Any:
    """The same answers with an unknown key in every mapping that has declared keys."""
    if isinstance(value, list):
        return [with_unknown_keys(item, (*at, 0)) for item in value]
    if isinstance(value, dict) and (not at or at[-1] == 0):
        return {**{k: with_unknown_keys(v, (*at, k)) for k, v in value.items()}, "zzz": 1}
    return value


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_unknown_keys_hide_nothing(path: Any) -> None:
    read = from_yaml(path.read_bytes(), path.name)
    before = {(f.answer, f.code) for f in validation.problems(read, {}, {})}
    twice = {(f.answer, f.code) for f in read.problems}
    after = told(with_unknown_keys(dict(read.values)))
    assert before - twice <= after
    assert all(code == "answers.unknown" for _, code in after - before)


@examples(4)
@given(values=valid_answers())
def test_a_wrong_item_is_the_only_thing_told_of_valid_answers(values: dict[str, Any]) -> None:
    """What is left out of valid answers leads to no complaint about the rest."""
    for name in [key for key, value in values.items() if isinstance(value, list) and value]:
        first = values[name][0]
        wrong = {**first, "zzz": 1} if isinstance(first, dict) else {"zzz": 1}
        found = told({**values, name: [wrong, *values[name][1:]]})
        assert found, name
        assert {answer for answer, _ in found if answer} <= {f"{name}[0]", f"{name}[0].zzz"}


def test_a_key_may_hold_what_separates_the_parts_of_a_path() -> None:
    values = {"homepage_widget": {"a": {"b": "x"}, "a.b": {"vault": "y"}, "c[0]": "z"}, "hosts": [{"h.": 1}]}
    assert within("homepage_widget.a.b.vault", values) == ("homepage_widget", "a.b", "vault")
    assert within("homepage_widget.c[0]", values) == ("homepage_widget", "c[0]")
    assert within("hosts[0].h.", values) == ("hosts", 0, "h.")
    assert within("hosts[3].port", values) == ("hosts", 3, "port")
    assert within("labels.none", values) == ("labels", "none")


def test_a_suspected_secret_under_such_a_key_is_told() -> None:
    given = {**VALID, "homepage_widget": {"x.token.y": {"vault": "q08PvfV893PaSDLFn3nUh"}}}
    assert ("homepage_widget.x.token.y.vault", "answers.literal-secret") in told(given)


def test_items_are_told_by_the_place_that_they_had() -> None:
    values = {"volumes": [{"path": 1}, {"path": "/a"}, 3, {"path": "/b", "sub": [1, 2]}]}
    left = prune(values, {("volumes", 0), ("volumes", 2), ("volumes", 3, "sub", 0)})
    assert left.values == {"volumes": [{"path": "/a"}, {"path": "/b", "sub": [2]}]}
    assert left.before(("volumes", 1, "sub", 0)) == ("volumes", 3, "sub", 1)
    assert left.before(("volumes", 0, "path")) == ("volumes", 1, "path")


def test_a_refusal_names_the_item_that_was_written_though_one_above_it_is_left_out() -> None:
    volumes = [{"path": 1, "size": "1Gi"}, {"path": "/b", "size": "1Gi", "purpose": "backup"}]
    assert told({**VALID, "volumes": volumes}) == {
        ("volumes[0].path", "answers.type"),
        ("volumes[1].purpose", "answers.volume-purpose"),
    }


def test_what_misses_a_part_goes_with_it() -> None:
    def errors(values: Mapping[str, Any]) -> Iterator[Path]:
        items = values.get("list", [])
        yield from (("list", index, "path") for index, item in enumerate(items) if "path" not in item)

    values = {"list": [{"path": "wrong", "size": 1}, {"path": "/a", "size": 2}]}
    left = sound(values, [("list", 0, "path")], lambda v: list(errors(v)), whole=False)
    assert left.values == {"list": [{"path": "/a", "size": 2}]}


def test_an_item_with_an_unknown_key_is_still_judged() -> None:
    volumes = [
        {"path": "/a"},
        {"path": "/b", "purpose": "two", "rwx": True, "embedded_database": "sqlite", "x": 1},
    ]
    image = "docker.io/library/nginx:1.29.0"
    found = told({"name": "thing", "description": "A thing", "image": image, "port": 80, "volumes": volumes})
    assert found == {
        ("volumes[1].x", "answers.unknown"),
        ("volumes[1].embedded_database", "answers.database-on-nfs"),
    }

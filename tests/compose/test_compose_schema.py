"""Compose documents generated from the specification's own schema: nothing crashes, and every key is
reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from support import examples

from scaffold.answers.compose import document
from scaffold.answers.compose.report import Fate
from scaffold.answers.compose.translation import Draft, translate
from scaffold.errors import UsageError
from scaffold.templates import questions, template

SCALARS = st.sampled_from(
    ["a", "8080", "1gb", "512m", "30s", "${A}", "${A:-b}", "$$x", "http://db:1/x", "app", "true", "/data", "x:/data",
     "./f.conf:/f.conf:ro", "K=v", "TOKEN=swordfish", "80:80", "53:53/udp", "service:db", "0:0", "5 1 * * *"]
)  # fmt: skip

NAMES = st.sampled_from(["a", "db", "app", "SMTP_HOST", "API_TOKEN", "[1]", "/x"])
"""Keys are told as they are; values never."""


@cache
def schema() -> dict[str, Any]:
    file = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


@st.composite
def documents(draw: st.DrawFn, node: Any, depth: int = 0) -> Any:
    """What a schema allows, in small: each optional key now and then."""
    if "$ref" in node:
        node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
    for key in ("oneOf", "anyOf"):
        if key in node:
            return draw(documents(draw(st.sampled_from(node[key])), depth))
    properties = dict(node.get("properties", {}))
    for part in node.get("allOf", ()):
        properties |= schema()["$defs"][part["$ref"].rpartition("/")[2]].get("properties", {})
    kind = node.get("type", "object" if properties else "string")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    if kind == "object":
        names = (
            draw(st.lists(st.sampled_from(sorted(properties)), max_size=6, unique=True)) if properties else []
        )
        found = {name: draw(documents(properties[name], depth + 1)) for name in names}
        other = next(
            (v for k, v in node.get("patternProperties", {}).items() if not k.startswith("^x-")), None
        )
        if other is not None and depth < 6:
            found |= {n: draw(documents(other, depth + 1)) for n in draw(st.lists(NAMES, max_size=2))}
        return {**found, **({"x-more": "y"} if draw(st.integers(0, 9)) == 0 else {})}
    if kind == "array":
        return [draw(documents(node.get("items", {}), depth + 1)) for _ in range(draw(st.integers(0, 2)))]
    if kind == "boolean":
        return draw(st.booleans())
    if kind in ("integer", "number"):
        return draw(st.integers(-1, 70_000))
    return None if kind == "null" else draw(SCALARS)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = list(
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    if not inner and path:
        yield path
    for key, item in inner:
        yield from leaves(item, (*path, key))


def unreported(path: Path, draft: Draft) -> list[tuple[str | int, ...]]:
    """The keys that are in no list, or in two."""
    entries = [entry.path for entry in draft.report.entries]
    tree = document.read(path).tree
    assert len(set(entries)) == len(entries)
    above = {at[:length] for at in entries for length in range(len(at))}
    return [
        leaf
        for leaf in leaves(tree)
        if sum(leaf[: len(at)] == at for at in entries) != 1 and leaf not in above and leaf != ("services",)
    ]


@given(st.data())
@examples(15)
def test_no_document_of_the_specification_crashes_or_is_silent(data: st.DataObject) -> None:
    top = data.draw(documents(schema()))
    services = {name: data.draw(documents({"$ref": "#/$defs/service"})) for name in ("app", "db", "other")}
    services["app"]["image"] = "acme/app:1"
    services["db"]["image"] = "postgres:16"
    with TemporaryDirectory() as directory:
        path = Path(directory) / "compose.yml"
        path.write_text(yaml.safe_dump({**top, "services": {**(top.get("services") or {}), **services}}))
        try:
            draft = translate(path)
        except UsageError as error:
            assert "swordfish" not in f"{error.message} {error.hint}"
            return
        assert unreported(path, draft) == []
        assert "swordfish" not in str(draft)
        assert draft.answers.keys() <= questions.asked().keys()
        assert all(entry.why or entry.answer for entry in draft.report.entries)


def test_every_key_of_a_service_has_an_answer_or_a_reason() -> None:
    facts = template.facts("compose")
    spec = schema()["$defs"]
    known = {
        key
        for part in ("container_spec", "workload_spec", "service", "job")
        for key in spec[part]["properties"]
    }
    assert "privileged" in known and len(known) > 80
    assert known - facts["decided"].keys() - facts["left"].keys() == {"extends", "triggers"}


def test_a_key_that_no_specification_has_is_told(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text("services: {app: {image: 'acme/x:1', imagine: 1, x-note: 2}}\nvolums: {a: {}}")
    draft = translate(path)
    left = {entry.key: entry.why for entry in draft.report.of(Fate.LEFT)}
    assert left.keys() == {"services.app.imagine", "volums"} and "no such key" in left["volums"]
    assert "services.app.x-note" in {entry.key for entry in draft.report.of(Fate.DECIDED)}

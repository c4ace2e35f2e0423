"""The JSON of every command: `docs/output.schema.json` and `docs/json.md` match what real runs print."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support import ANSWERS, needs, scaffold

from scaffold.cli.group import COMMANDS
from scaffold.monorepo.repository import Monorepo

DOCS = Path(__file__).parent.parent / "docs"
SCHEMA = DOCS / "output.schema.json"
PAGE = DOCS / "json.md"
DRONE = str(ANSWERS / "valid" / "drone-logbook.yml")
APP = str(ANSWERS.parent / "golden_service" / "tide-table" / "answers.yml")
WITHOUT = {"completion", "demo", "rule", "schema", "template"}
"""Commands that print no JSON; ``schema``, whose JSON is a schema itself; ``template``, which wants a commit."""
FREE = re.compile(
    r"(^|\.)((decisions|shown)\[\]\.value|before|after|answers|resources\[\]\.(values|placeholders|instance)|summary|by_rule"
    r"|counts|taken\[\]\.value|astray|lists|at|likeness)$"
)
"""Values of any form, and mappings whose keys are names of the house."""
COMPOSE = (
    "services:\n  kit:\n    image: docker.io/library/nginx:1.29.0\n    ports: ['8080:80']\n    pid: host\n"
)

RUNS = (
    ("new-service", "--answers", DRONE, "--dry-run"),
    (
        "new-service",
        "--from-compose",
        "{compose}",
        "--set",
        "description=Kit",
        "--verify",
        "static",
        "--dry-run",
    ),
    ("new-service", "--answers", DRONE, "--commit"),
    ("next", "drone-logbook"),
    ("restore", "drone-logbook"),
    ("explain", "--answers", DRONE),
    (
        "change",
        "drone-logbook",
        "--set",
        "gate=app",
        "--set",
        "gate_reason=It has its own login",
        "--dry-run",
    ),
    ("change", "drone-logbook", "--set", "memory=1Gi", "--commit"),
    ("change", "drone-logbook", "--set", "cpu=50m", "--verify", "static", "--accept", "not-compared"),
    ("plan", "drone-logbook"),
    ("plan", "drone-logbook", "--against", "HEAD"),
    ("rename", "drone-logbook", "flight-book", "--dry-run"),
    ("pipeline", "--answers", APP, "--app-repo", "{app}", "--dry-run"),
    ("status", "--all"),
    ("check", "drone-logbook", "journal"),
    ("check", "journal", "--fix", "--diff"),
    ("sweep", "LIF001", "journal", "--plan"),
    ("index",),
    ("index", "--check"),
    ("update", "drone-logbook", "--plan"),
    ("adopt", "journal"),
    ("remove-service", "drone-logbook"),
    ("drafts",),
    ("skill",),
    ("skill", "--write"),
    ("doctor",),
    ("init", "--dry-run"),
)
WRONG = (("new-service", "--answers", "{wrong}"), ("next", "nobody"), ("plan",))


def types(values: Sequence[Any], place: str) -> dict[str, Any]:
    """The JSON Schema that these values at one place have in common."""
    if FREE.search(place):
        return {}
    names = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
    kinds = sorted({names.get(type(v), "array" if isinstance(v, list) else "object") for v in values})
    kinds = [kind for kind in kinds if kind != "integer" or "number" not in kinds]
    made: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    if items := [item for value in values if isinstance(value, list) for item in value]:
        made["items"] = types(items, f"{place}[]")
    if objects := [value for value in values if isinstance(value, dict)]:
        keys = dict.fromkeys(key for value in objects for key in value)
        made["properties"] = {
            key: types([value[key] for value in objects if key in value], f"{place}.{key}".strip("."))
            for key in keys
        }
        made["required"] = [key for key in keys if all(key in value for value in objects)]
    return made


def listed(schema: Mapping[str, Any], place: str = "", always: bool = True) -> Iterator[str]:
    """A line of the page for every key."""
    for key, part in schema.get("properties", {}).items():
        here = f"{place}.{key}".strip(".")
        there = always and key in schema["required"]
        kinds = part.get("type", "any")
        kinds = kinds if isinstance(kinds, str) else " or ".join(kinds)
        yield f"| `{here}` | {kinds} | {'always' if there else 'sometimes'} |"
        yield from listed(part, here, there)
        yield from listed(part.get("items", {}), f"{here}[]", there)


def page(commands: Mapping[str, Any]) -> str:
    """The page of the documentation."""
    lines = [
        "<!-- Written by `python3 dev test --update-golden tests/test_json.py` from real runs. -->",
        "# JSON output",
        "",
        "With `--json`, a command prints one object with the following keys; if it fails, one with `error`.",
        "[output.schema.json](output.schema.json) says the same as JSON Schema, with one definition per command.",
        "`scaffold schema` prints the schema of answer files.",
    ]
    for name, schema in commands.items():
        heading = "If it fails" if name == "error" else f"scaffold {name}"
        lines += ["", f"## {heading}", "", "| key | type | present |", "|---|---|---|", *listed(schema)]
    return "\n".join(lines) + "\n"


@pytest.mark.slow("runs every command, many with a plan")
@needs("terraform")
def test_the_published_schema_is_what_every_command_prints(
    monorepo: Monorepo, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    app = tmp_path / "parcel-api"
    subprocess.run(["git", "init", "--quiet", app], check=True)
    (tmp_path / "compose.yml").write_text(COMPOSE)
    (tmp_path / "wrong.yml").write_text("name: vault\ngate: open\nimag: nginx\nhomepage_group: ''\n")
    places = {
        "compose": tmp_path / "compose.yml", "wrong": tmp_path / "wrong.yml", "app": app,
    }  # fmt: skip
    told: dict[str, list[Any]] = {}
    for run in (*RUNS, *WRONG):
        words = [word.format(**places) for word in run]
        done = scaffold(*words, "--json", cwd=monorepo.root)
        failed = done.returncode if run in WRONG else done.returncode not in (0, 1)
        assert bool(failed) is (run in WRONG), (words, done.stdout, done.stderr)
        told.setdefault("error" if run in WRONG else run[0], []).append(json.loads(done.stdout))
    assert {*told, *WITHOUT} - {"error"} == set(COMMANDS)
    schemas = {name: types(values, "") for name, values in told.items()}
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": schemas}
    if request.config.getoption("--update-golden"):
        SCHEMA.write_text(json.dumps(whole, indent=1) + "\n")
        PAGE.write_text(page(schemas))
    assert json.loads(SCHEMA.read_text()) == whole
    assert PAGE.read_text() == page(schemas)


def test_the_published_schema_is_one_and_judges() -> None:
    whole = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(whole)
    error = Draft202012Validator({**whole, "$ref": "#/$defs/error"})
    assert list(error.iter_errors({"error": {"kind": "answers"}}))
    told = json.loads(scaffold("new-service", "--json").stdout)
    assert list(error.iter_errors(told)) == []

"""Malicious facts of a monorepo are refused, or give stacks like any others: none breaks the program.

`dev test --fuzz N` tries N of them.
"""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from support import ANSWERS, GOLDEN, ORIGIN, examples, git

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands import new_service
from scaffold.commands.pipeline import cloned, pipeline_of
from scaffold.errors import MissingError, ScaffoldError
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions

Place = tuple[str | int, ...]
HOSTILE = [
    "", "x", "a\nb", "\x1b[31m", '"', "${", "$${x}", "%{", "{{ x }}", "{% x %}", "'", "`id`", "$(id)", "../..", "(", "^(", "/", "-x", "8",
    "8Gi", "999999Gi", "x" * 10_000, "\u202e", 0, -1, 7, 2**70, 0.5, float("nan"), True, False, None, [], ["x"], [None], [[]], {}, {"x": "y"},
    {1: 2}, {"x": {"y": []}},
]  # fmt: skip
FILES = sorted(
    [*(ANSWERS / "valid").glob("*.yml"), *(GOLDEN.parent / "golden_service").glob("*/answers.yml")]
)


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in the defaults: of mappings, lists, and what is in them."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


@pytest.fixture(scope="module")
def own(pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """A monorepo whose facts are written anew for each example."""
    root = tmp_path_factory.mktemp("facts") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    git(root, "init", "--quiet", str(root / "app"))
    return Monorepo(root)


PLACES = sorted(list(places(dict(decisions.house())))[1:], key=str)


def spoilt(how: str, at: Place, hostile: Any) -> dict[str, Any]:
    """The fact at a place with something hostile in its stead or in it, or without it, as an override."""
    facts = copy.deepcopy(dict(decisions.house()))
    around: Any = facts
    for part in at[:-1]:
        around = around[part]
    inner = around[at[-1]]
    if how == "removed":
        del around[at[-1]]
    elif how == "added" and isinstance(inner, dict | list):
        around[at[-1]] = [*inner, hostile] if isinstance(inner, list) else {**inner, "more": hostile}
    else:
        around[at[-1]] = hostile
    return {key: value for key, value in facts.items() if key == at[0]}


def end(monorepo: Monorepo, path: Path) -> str:
    """How a Service ends in a monorepo: as a person is told, never as a defect."""
    given = from_yaml(path.read_bytes(), path.name)
    try:
        if path.name == "answers.yml":
            app = monorepo.root / "app"
            read = cloned(monorepo, given, app)
            pipeline_of(monorepo, read, overwrite=True, template_source=ORIGIN.source)
        else:
            new_service.prepare(monorepo, given, level=Level.STATIC, template_source=ORIGIN.source)
    except MissingError as error:
        for finding in error.findings:
            assert finding.line
            assert finding.fix
        return f"refused: {', '.join(finding.code for finding in error.findings) or error.message}"
    except ScaffoldError as error:
        return f"{error.kind.value}: {error.message}"
    return "taken"


@pytest.mark.slow("renders and verifies a stack for each")
@given(
    how=st.sampled_from(["replaced", "replaced", "replaced", "added", "removed"]),
    at=st.sampled_from(PLACES),
    hostile=st.sampled_from(HOSTILE),
    answers=st.sampled_from(FILES),
)
@examples(25)
def test_hostile_facts_are_refused_or_render(
    own: Monorepo, how: str, at: Place, hostile: Any, answers: Path
) -> None:
    facts = spoilt(how, at, hostile)
    (own.root / "scaffold.yml").write_text(yaml.safe_dump(facts, allow_unicode=True))
    event(re.sub(r"^(taken|\w+).*", r"\1", end(own, answers)))

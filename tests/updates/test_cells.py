"""Nineteen manual edits combined with nine changes of the templates: nothing gets lost silently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path, PurePosixPath

import history
import pytest
import yaml
from history import FIRST, RULES, version
from support import ANSWERS, needs

from scaffold.changes.change import Content
from scaffold.commands.sides import Sides
from scaffold.hcl.syntax import HclSyntaxError, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import template
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.templates.template import Origin
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import plan_stacks
from scaffold.updates.merge import State, merged
from scaffold.updates.oracle import Loss, losses
from scaffold.updates.versions import templates_of

MAIN, RUN = "main.tf", "terragrunt.hcl"
Files = dict[str, str]


@dataclass(frozen=True)
class Edit:
    """An edit by hand, and how it is seen in the stack afterwards, whatever its alignment."""

    do: Callable[[Files, Files], Files]
    there: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Verdict(Enum):
    GOOD = "good"
    CONFLICT = "conflict"
    SILENT = "silently wrong"


def _replaced(*pairs: tuple[str, str], file: str = MAIN) -> Callable[[Files, Files], Files]:
    def do(files: Files, _: Files) -> Files:
        text = files[file]
        for old, new in pairs:
            assert text.count(old) == 1, f"{old!r} is not there once"
            text = text.replace(old, new)
        return {**files, file: text}

    return do


def _split(files: Files, _: Files) -> Files:
    text = files[MAIN]
    start = text.index('resource "kubernetes_service"')
    end = text.index("# https://", start)
    return {**files, MAIN: text[:start] + text[end:], "service.tf": text[start:end]}


def _moved_file(files: Files, _: Files) -> Files:
    return {("stack.tf" if name == MAIN else name): text for name, text in files.items()}


def _moved_and_edited(files: Files, rule: Files) -> Files:
    return _moved_file(_replaced(('cpu    = "25m"', 'cpu    = "50m"'))(files, rule), rule)


def _the_rule_by_hand(_: Files, rule: Files) -> Files:
    """The same as the template, out of line."""
    name = next(name for name in rule if name.endswith(".tf"))
    text = rule[name].replace(", # KYVERNO", ",   # KYVERNO").replace("apiVersion = ", "apiVersion   = ")
    return {**rule, name: text.replace("replicas = ", "replicas   = ")}


EDITS = {
    "value": Edit(_replaced(("replicas = 1", "replicas = 2")), ("replicas = 2",), ("replicas = 1",)),
    "two-values": Edit(
        _replaced(
            (
                'cpu    = "25m"\n              memory = "512Mi"',
                'cpu    = "25m"\n              memory = "1Gi"',
            ),
            ('limits = {\n              memory = "512Mi"', 'limits = {\n              memory = "1Gi"'),
        ),
        ('cpu = "25m" memory = "1Gi"', 'limits = { memory = "1Gi"'),
    ),
    "comment": Edit(
        _replaced(("    replicas = 1\n", "    # By hand.\n    replicas = 1\n")), ("# By hand. replicas =",)
    ),
    "new-argument": Edit(
        _replaced(("    replicas = 1\n", "    replicas          = 1\n    min_ready_seconds = 5\n")),
        ("min_ready_seconds = 5",),
    ),
    "new-block": Edit(
        _replaced(
            (
                '          port {\n            name           = "http"',
                '          env {\n            name  = "OWN"\n            value = "x"\n          }\n'
                '          port {\n            name           = "http"',
            )
        ),
        ('env { name = "OWN" value = "x" }',),
    ),
    "environment": Edit(
        _replaced(('value = "/sync-logs"', 'value = "/logs"')),
        ('value = "/logs"',),
        ('value = "/sync-logs"',),
    ),
    "new-label": Edit(
        _replaced(
            (
                '      app  = "drone-logbook"\n      tier = local.tiers.aux\n',
                '      app    = "drone-logbook"\n      team   = "x"\n      tier   = local.tiers.aux\n',
            )
        ),
        ('team = "x"',),
    ),
    "annotation": Edit(_replaced(('"Drone Logbook"', '"Flights"')), ('"gethomepage.dev/name" = "Flights"',)),
    "own-resource": Edit(
        lambda files, _: {**files, MAIN: files[MAIN] + '\nresource "terraform_data" "own" {}\n'},
        ('resource "terraform_data" "own" {}',),
    ),
    "own-file": Edit(
        lambda files, _: {**files, "own.tf": 'resource "terraform_data" "own" {}\n'},
        ('resource "terraform_data" "own" {}',),
    ),
    "removed-block": Edit(
        _replaced(
            (
                '          env {\n            name  = "SYNC_LOGS_PATH"\n            value = "/sync-logs"\n'
                "          }\n",
                "",
            )
        ),
        gone=("SYNC_LOGS_PATH",),
    ),
    "removed-argument": Edit(
        _replaced(("    failed_jobs_history_limit     = 5\n", "")), gone=("failed_jobs_history_limit",)
    ),
    "dependency": Edit(
        _replaced(
            (
                'dependency "external-secrets"',
                'dependency "own" {\n  config_path = "../own"\n}\n\ndependency "external-secrets"',
            ),
            file=RUN,
        ),
        ('dependency "own" {',),
    ),
    "renamed-file": Edit(_moved_file),
    "renamed-and-edited": Edit(_moved_and_edited, ('cpu = "50m"',), ('cpu = "25m"',)),
    "split-file": Edit(_split, ('resource "kubernetes_service" "drone_logbook" {',)),
    "ignored": Edit(
        _replaced(
            (
                '      metadata[0].annotations["keel.sh/policy"],\n',
                '      metadata[0].annotations["keel.sh/policy"],\n      spec[0].replicas,\n',
            )
        ),
        ("spec[0].replicas,",),
    ),
    "script": Edit(
        _replaced(("started=$(date +%s)", "started=$(date -u +%s)")),
        ("started=$(date -u +%s)",),
        ("started=$(date +%s)",),
    ),
    "the-rule-by-hand": Edit(_the_rule_by_hand),
}

BOTH = {
    ("value", "value"),  # another number each
}
"""The cells, edit and rule, in which both changed the same thing in different ways."""
QUICK = [
    ("value", "argument"), ("value", "value"), ("renamed-and-edited", "renamed"), ("the-rule-by-hand", "value"),
    ("removed-block", "argument"), ("split-file", "renamed"),
]  # fmt: skip

PLANNED = [("two-values", "argument"), ("ignored", "argument"), ("the-rule-by-hand", "value")]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All nine versions; only for tests that do not write there."""
    return history.write(tmp_path_factory.mktemp("cells"))


@cache
def rendered(repository: Path, tag: str) -> Mapping[PurePosixPath, Content]:
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    with template.using(templates_of(str(repository), tag)):
        files = render(answers, {}, {}, Origin(str(repository), tag, updatable=True)).files
    return {path: content for path, content in files.items() if path.name != ANSWERS_FILE}


def texts(files: Mapping[PurePosixPath, Content]) -> Files:
    return {str(path): content.decode() for path, content in files.items() if isinstance(content, bytes)}


def contents(files: Files) -> dict[PurePosixPath, Content]:
    return {PurePosixPath(name): text.encode() for name, text in files.items()}


def verdict(repository: Path, edit: str, rule: str) -> Verdict:
    """What becomes of one cell, judged by what a reader sees of both in the end."""
    base, theirs = rendered(repository, FIRST), rendered(repository, version(rule))
    ours = EDITS[edit].do(texts(base), texts(theirs))
    found = merged(base, contents(ours), theirs)
    if found.state is State.CONFLICT:
        return Verdict.CONFLICT
    seen = {name: " ".join(text.split()) for name, text in texts(found.files).items()}
    whole = " ".join(seen.values())
    right = all(text in whole for text in (*EDITS[edit].there, *RULES[rule].there))
    right &= not any(text in whole for text in (*EDITS[edit].gone, *RULES[rule].gone))
    return Verdict.GOOD if right and _defined_once(found.files) else Verdict.SILENT


def _defined_once(files: Mapping[PurePosixPath, Content]) -> bool:
    try:
        blocks = [b for p, c in files.items() if p.suffix == ".tf" for b in parse(bytes(c)).body.blocks]  # type: ignore[arg-type]
    except HclSyntaxError:
        return False
    addresses = [block.address for block in blocks if block.labels]
    return len(addresses) == len({*addresses})


def cells() -> list[tuple[str, str]]:
    return [(edit, rule) for edit in EDITS for rule in RULES]


@pytest.mark.parametrize("edit,rule", QUICK, ids=[f"{edit}-{rule}" for edit, rule in QUICK])
def test_a_cell(templates: Path, edit: str, rule: str) -> None:
    both = (edit, rule) in BOTH
    assert verdict(templates, edit, rule) is (Verdict.CONFLICT if both else Verdict.GOOD)


@cache
def planned(monorepo: Monorepo, files: frozenset[tuple[PurePosixPath, Content]]) -> PlanResult:
    wanted = Sides("stacks/drone-logbook", "", {}, {}, {}).wanted(dict(files))
    (result,) = plan_stacks(
        monorepo.root, ["drone-logbook"], {str(path): content for path, content in wanted.items()}
    )
    assert result.ok, result.findings
    return result


def lost(monorepo: Monorepo, repository: Path, edit: str, rule: str) -> tuple[Loss, ...]:
    """What the plans of one cell tell to be lost, of the edit or of the rule."""
    base, theirs = rendered(repository, FIRST), rendered(repository, version(rule))
    ours = contents(EDITS[edit].do(texts(base), texts(theirs)))
    found = merged(base, ours, theirs)
    assert found.state is not State.CONFLICT
    plans = (planned(monorepo, frozenset(files.items())) for files in (base, theirs, ours, found.files))
    return losses(*plans)


@needs("terraform")
@pytest.mark.slow("four plans")
@pytest.mark.parametrize("edit,rule", PLANNED, ids=[f"{edit}-{rule}" for edit, rule in PLANNED])
def test_nothing_of_a_cell_is_lost_by_its_plans_either(
    pristine: Monorepo, templates: Path, edit: str, rule: str
) -> None:
    assert lost(pristine, templates, edit, rule) == ()


@pytest.mark.slow("171 merges")
def test_no_edit_and_no_rule_is_lost_in_silence(published: Path) -> None:
    found = {cell: verdict(published, *cell) for cell in cells()}
    assert len(found) == 171
    assert [cell for cell, one in found.items() if one is Verdict.SILENT] == []
    assert {cell for cell, one in found.items() if one is Verdict.CONFLICT} == BOTH

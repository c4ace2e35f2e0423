"""The render face of rules with an edit: the templates do what the edit does.

The edit leaves rendered stacks alone, and brings back what is taken out of one, as Terraform reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pytest
from support import GOLDEN

from scaffold.checks.ignoring import unignored
from scaffold.checks.lifecycle import LifecycleRule
from scaffold.checks.rule import Rule
from scaffold.checks.stack import CheckContext, parse_stack
from scaffold.commands.fix import with_fix
from scaffold.commands.rule import all_rules
from scaffold.hcl.place import block_at, path_of
from scaffold.hcl.syntax import Block, Document, parse
from scaffold.sweeps.edits import Remove
from scaffold.terraform.meta import ignoring

FIXABLE = [rule for rule in all_rules() if rule.fixes]
EXACT = {"LIF001", "LIF003", "LIF004", "POD005"}
"""The rules whose edit is the rendered text itself, comments and order included."""
CLAIM = "kubernetes_persistent_volume_claim"
TAKEN = {
    "STO003": (CLAIM, ["wait_until_bound"]),
    "STO004": (
        CLAIM,
        [f'metadata.annotations["resize.topolvm.io/{key}"]' for key in ("threshold", "increase")],
    ),
    "JOB001": ("kubernetes_cron_job", ["spec.job_template.spec.active_deadline_seconds"]),
    "ING006": ("module.ingress_", ["homepage_enabled"]),
}
"""What a rule over planned resources is about: blocks by how their address begins, and what it wants there."""


@dataclass(frozen=True)
class Case:
    """A rendered file, a block of it that a rule is about, and the file without what the rule wants."""

    document: Document
    line: int
    without: Document


FEW = ("drone-logbook", "field-guide", "meter-sync")
"""Rendered stacks in which each rule has something to say."""


@cache
def goldens(*names: str) -> Sequence[tuple[str, Document]]:
    """The rendered stacks of these names, or all."""
    files = sorted(file for file in GOLDEN.glob("*/stack/main.tf") if not names or file.parts[-3] in names)
    return [(file.parts[-3], parse(file.read_bytes(), f"stacks/{file.parts[-3]}/main.tf")) for file in files]


def taken_out(document: Document, line: int, paths: Sequence[str]) -> Document:
    for text in paths:
        block, path = block_at(document.body, line), path_of(text)
        assert block is not None and path is not None
        if (made := Remove(path).made(document, block, None)) is not None:
            document = parse(made, document.path)
    return document


def cases(rule: Rule, context: CheckContext, names: Sequence[str]) -> Iterator[Case]:
    for name, document in goldens(*names):
        for block in concerned(rule, name, document, context):
            if rule.code == "POD005":
                data = document.source.data
                part = data[block.start : block.end].replace(b'= "docker.io/library/', b'= "')
                part = part.replace(b'= "docker.io/', b'= "')
                without = parse(data[: block.start] + part + data[block.end :], document.path)
            else:
                paths = TAKEN[rule.code][1] if rule.code in TAKEN else ["lifecycle"]
                without = taken_out(document, block.line, paths)
            if without is not document and without.source.data != document.source.data:
                yield Case(document, block.line, without)


def concerned(rule: Rule, name: str, document: Document, context: CheckContext) -> Iterator[Block]:
    if not isinstance(rule, LifecycleRule):
        start = TAKEN.get(rule.code, ("kubernetes_",))[0]
        yield from (block for block in document.body.blocks if block.address.startswith(start))
        return
    stack = parse_stack(f"stacks/{name}", {document.path: document.source.data})
    assert not isinstance(stack, list)
    for found in rule.concerned(stack, context):
        block = block_at(document.body, found.line)
        assert block is not None
        rows = list(rule.wanted(document, block, context.facts))
        # What another rule wants as well would be missing afterwards.
        if not unignored(block, rows) and len(list(ignoring(block))) == len(rows):
            yield block


def meaning(document: Document) -> list[str]:
    """The lines without comments, alignment and order."""
    data = document.source.data
    for comment in reversed(document.comments):
        data = data[: comment.start] + data[comment.end :]
    return sorted("".join(line.split()).rstrip(",") for line in data.decode().splitlines() if line.strip())


def without_given(lines: list[str]) -> list[str]:
    """The lines without the one value that an answer may say otherwise: how long a job may run."""
    return [line.split("=")[0] if line.startswith("active_deadline_seconds=") else line for line in lines]


@pytest.mark.parametrize(
    "names",
    [pytest.param(FEW, id="few"), pytest.param((), id="all", marks=pytest.mark.slow("twenty stacks"))],
)
@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.code)
def test_the_edit_leaves_what_is_rendered_and_brings_back_what_is_taken_out(
    rule: Rule, names: Sequence[str], surroundings: CheckContext
) -> None:
    found, same = list(cases(rule, surroundings, names)), []
    for case in found:
        after = parse(with_fix(case.without, case.line, rule, surroundings.facts), case.document.path)
        assert with_fix(case.document, case.line, rule, surroundings.facts) == case.document.source.data
        assert meaning(case.without) != meaning(case.document)
        same.append(meaning(after) == meaning(case.document))
        assert without_given(meaning(after)) == without_given(meaning(case.document)), case.document.path
        if rule.code in EXACT:
            assert after.source.data == case.document.source.data
    assert any(same) or rule.code == "LIF005", "the house of the goldens marks no load balancer"
    assert all(same) or rule.code == "JOB001", "only there an answer may say another value"

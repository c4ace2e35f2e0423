"""Our reader of HCL against HashiCorp's: a heredoc that ends elsewhere, or a call that only Terraform sees,
would be a way out of the plan.

`dev test --fuzz N` reads N times as many documents.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from documents import Documents
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from support import examples, needs
from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source
from scaffold.hcl.syntax import Block, Body, Document, Expression, HclSyntaxError, parse

DOCUMENTS = 2000
"""How many are read for one seed, in one process."""
PROGRAM = Path(__file__).parent / "differential"
ENVIRONMENT = dict(os.environ)
"""Go keeps its modules at home, which is another place while a test runs."""
TEXTS = frozenset((g.STRING_LIT, g.QUOTED_TEMPLATE, g.HEREDOC_TEMPLATE))


@dataclass(frozen=True)
class Reading:
    """What a reader made of a valid document; places are bytes."""

    definitions: Sequence[tuple[int, int, tuple[str, ...]]]
    heredocs: Sequence[tuple[int, int]]
    strings: Mapping[int, str]
    calls: Sequence[tuple[int, str, tuple[int, ...]]]
    references: Sequence[tuple[int, str]]


def ours(source: bytes) -> Reading | str:
    """How we read a document, or why we refuse it."""
    try:
        document = parse(source)
    except HclSyntaxError as error:
        return error.problems[0].message
    nodes = list(_nodes(document.tree.root_node))
    return Reading(
        sorted(_definitions(document.body, 0)),
        sorted(_heredoc(document.source, node) for node in nodes if node.kind_id == g.HEREDOC_TEMPLATE),
        _strings(document.source, nodes),
        sorted(_call(call) for call in document.body.calls()),
        sorted(set(_references(document))),
    )


def _nodes(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        yield (node := stack.pop())
        stack += node.children


def _bodies(body: Body) -> Iterator[Body]:
    yield body
    for block in body.blocks:
        yield from _bodies(block.body)


def _definitions(body: Body, depth: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    for item in body.items:
        if isinstance(item, Block):
            yield item.start, depth, (item.type, *item.labels)
            yield from _definitions(item.body, depth + 1)
        else:
            yield item.start, depth, (item.name, "=")


def _heredoc(source: Source, node: Node) -> tuple[int, int]:
    return node.start_byte, source.line_starts[source.line_of(node.children[-1].start_byte) - 1]


def _strings(source: Source, nodes: Sequence[Node]) -> dict[int, str]:
    found = {}
    for node in nodes:
        if node.kind_id in (g.LITERAL_VALUE, g.TEMPLATE_EXPR) and node.children[0].kind_id in TEXTS:
            step = node.parent.parent if node.parent is not None else None
            text = Expression(source, (node,)).string()
            # A key in brackets is a part of the step for Go.
            if text is not None and (step is None or step.kind_id != g.NEW_INDEX):
                found[node.start_byte] = text
    return found


def _call(expression: Expression) -> tuple[int, str, tuple[int, ...]]:
    call = expression.call
    assert call is not None
    return expression.start, call.function, tuple(argument.start for argument in call.arguments)


def _references(document: Document) -> Iterator[tuple[int, str]]:
    for body in _bodies(document.body):
        for attribute in body.attributes.values():
            for reference in attribute.value.references():
                if not reference.bound:
                    yield reference.start, ".".join(reference.names)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our program over HashiCorp's module, built."""
    built = tmp_path_factory.mktemp("differential") / "read"
    command = ["go", "build", "-buildvcs=false", "-o", str(built), "."]
    subprocess.run(command, cwd=PROGRAM, env=ENVIRONMENT, check=True)
    return built


def theirs(program: Path, documents: Sequence[bytes]) -> list[tuple[Reading | None, frozenset[int]]]:
    """Of each document what Go reads, None where it refuses it, and the places of all that looks like a call."""
    asked = "".join(f'"{base64.b64encode(document).decode()}"\n' for document in documents)
    told = subprocess.run([program], input=asked.encode(), capture_output=True, check=True).stdout
    return [_told(json.loads(line)) for line in told.splitlines()]


def _told(said: dict[str, Any]) -> tuple[Reading | None, frozenset[int]]:
    called = frozenset(said["called"] or ())
    if not said["valid"]:
        return None, called
    read = Reading(
        [(d["at"], d["depth"], tuple(d["words"])) for d in said["definitions"] or ()],
        sorted((start, end) for start, end in said["heredocs"] or ()),
        {int(at): text for at, text in said["strings"].items()},
        sorted((c["at"], c["name"], tuple(c.get("arguments", ()))) for c in said["calls"] or ()),
        sorted({(r["at"], r["name"]) for r in said["references"] or ()}),
    )
    return read, called


@needs("go")
@pytest.mark.slow("builds a Go program, and reads 2,100 documents")
@given(seed=st.integers(0, 2**32))
@settings(examples(1), phases=(Phase.explicit, Phase.generate))
def test_our_reader_reads_what_terraform_reads(program: Path, seed: int) -> None:
    drawn = Documents(seed)
    documents = [drawn.document() for _ in range(DOCUMENTS)]
    documents += (drawn.nested() for _ in range(DOCUMENTS // 20))
    outcomes: Counter[str] = Counter()
    for number, (document, (go, called)) in enumerate(
        zip(documents, theirs(program, documents), strict=True)
    ):
        own = ours(document)
        if isinstance(own, str):
            outcomes["too strict" if go and number < DOCUMENTS else "refused"] += 1
            continue
        hidden = called - {at for at, *_ in own.calls}
        assert go is not None, (
            f"seed {seed}: Go refuses {document!r}, calls that we do not see: {hidden or 'none'}"
        )
        for part in fields(Reading):
            assert getattr(own, part.name) == getattr(go, part.name), (
                f"seed {seed}: {part.name} of {document!r}"
            )
        outcomes["the same"] += 1
        outcomes["the same, with a heredoc"] += bool(own.heredocs)
        outcomes["the same, with a call"] += bool(own.calls)
    event(str(dict(outcomes)))
    assert outcomes["the same, with a heredoc"] > DOCUMENTS / 10
    assert outcomes["the same, with a call"] > DOCUMENTS / 10
    assert outcomes["too strict"] <= outcomes["the same"] / 100, outcomes

"""Our HCL reader against HashiCorp's: a heredoc that ends elsewhere, or a call that only Terraform sees,
would be a way to escape the plan.

`dev test --fuzz N` reads N times as many documents.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from scaffold.hcl.syntax import Block, Body, Document, Expression, HclSyntaxError, parse, parse_template

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
        return _reading(parse(source))
    except HclSyntaxError as error:
        return error.problems[0].message


def ours_of_template(source: bytes) -> Reading | str:
    """How we read what the file of a template holds, or why we refuse it."""
    try:
        document, by = parse_template(source)
    except HclSyntaxError as error:
        return error.problems[0].message
    read = _reading(document)
    return Reading(
        (),
        [(start - by, end - by) for start, end in read.heredocs if start >= by],
        {at - by: text for at, text in read.strings.items() if at >= by},
        [(at - by, name, tuple(a - by for a in arguments)) for at, name, arguments in read.calls],
        [(at - by, name) for at, name in read.references],
    )


def _reading(document: Document) -> Reading:
    nodes = list(_nodes(document.tree.root_node))
    return Reading(
        tuple(sorted(_definitions(document.body, 0))),
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


def theirs(
    program: Path, documents: Sequence[bytes], *arguments: str
) -> list[tuple[Reading | None, frozenset[int]]]:
    """Of each document what Go reads, None where it refuses it, and the places of all that looks like a call."""
    asked = "".join(f'"{base64.b64encode(document).decode()}"\n' for document in documents)
    told = subprocess.run([program, *arguments], input=asked.encode(), capture_output=True, check=True).stdout
    return [_told(json.loads(line)) for line in told.splitlines()]


def _told(said: dict[str, Any]) -> tuple[Reading | None, frozenset[int]]:
    called = frozenset(said["called"] or ())
    if not said["valid"]:
        return None, called
    read = Reading(
        tuple((d["at"], d["depth"], tuple(d["words"])) for d in said["definitions"] or ()),
        sorted((start, end) for start, end in said["heredocs"] or ()),
        {int(at): text for at, text in said["strings"].items()},
        sorted((c["at"], c["name"], tuple(c.get("arguments", ()))) for c in said["calls"] or ()),
        sorted({(r["at"], r["name"]) for r in said["references"] or ()}),
    )
    return read, called


Compared = Iterable[tuple[bytes, Reading | str, Reading | None, frozenset[int]]]


def compare(seed: int, readings: Compared) -> Counter[str]:
    """How often both read the same, with calls and heredocs or not, and how often only we refuse.

    Never do both read something and not the same, and never do we take what Go refuses.
    """
    outcomes: Counter[str] = Counter()
    for source, own, go, called in readings:
        if isinstance(own, str):
            outcomes["both refuse" if go is None else "only we refuse"] += 1
            continue
        hidden = called - {at for at, *_ in own.calls}
        assert go, f"seed {seed}: Go refuses {source!r}, we do not and see no calls at {hidden or 'no place'}"
        for part in fields(Reading):
            read = getattr(own, part.name), getattr(go, part.name)
            assert read[0] == read[1], f"seed {seed}: {part.name} of {source!r}"
        outcomes["the same"] += 1
        outcomes["with a heredoc"] += bool(own.heredocs)
        outcomes["with a call"] += bool(own.calls)
    event(str(dict(outcomes)))
    return outcomes


def drawn_once(test: Callable[..., None]) -> Callable[..., None]:
    """One seed, unless fuzzing says how many; a smaller seed is no simpler one."""
    once = settings(examples(1), phases=(Phase.explicit, Phase.generate))
    return once(given(seed=st.integers(0, 2**32))(test))


@needs("go")
@pytest.mark.slow("builds a Go program, and reads 2,000 documents")
@drawn_once
def test_our_reader_reads_what_terraform_reads(program: Path, seed: int) -> None:
    drawn = Documents(seed)
    documents = [drawn.document() for _ in range(DOCUMENTS)]
    go = theirs(program, documents)
    outcomes = compare(seed, ((d, ours(d), *read) for d, read in zip(documents, go, strict=True)))
    assert min(outcomes["with a heredoc"], outcomes["with a call"]) > DOCUMENTS / 10
    assert outcomes["only we refuse"] <= outcomes["the same"] / 100, outcomes


@needs("go")
@pytest.mark.slow("reads 2,000 templates")
@drawn_once
def test_our_reader_reads_templates_as_terraform_does(program: Path, seed: int) -> None:
    drawn = Documents(seed)
    documents = [drawn.template() for _ in range(DOCUMENTS)]
    go = theirs(program, documents, "template")
    outcomes = compare(seed, ((d, ours_of_template(d), *read) for d, read in zip(documents, go, strict=True)))
    assert outcomes["with a call"] > DOCUMENTS / 10
    assert outcomes["only we refuse"] <= outcomes["the same"] / 100, outcomes


@needs("go")
@pytest.mark.slow("reads 200 long documents")
@drawn_once
def test_what_is_nested_too_deeply_for_the_grammar_is_refused(program: Path, seed: int) -> None:
    """Its scanner has a kilobyte for all that is open, and forgets everything where that is too little."""
    drawn = Documents(seed)
    documents = [drawn.nested() for _ in range(DOCUMENTS // 10)]
    go = theirs(program, documents)
    outcomes = compare(seed, ((d, ours(d), *read) for d, read in zip(documents, go, strict=True)))
    assert min(outcomes["the same"], outcomes["only we refuse"]) > DOCUMENTS / 100

"""The columns of definitions and comments, compared with ``terraform fmt``."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hcl_oracle import EVERY_KIND, FILES, formatted_by_terraform, needs_terraform

from scaffold.hcl.layout import out_of_line
from scaffold.hcl.syntax import parse, problems


def lined_up(source: bytes) -> bytes:
    """The source with every line laid out that is out of line."""
    document = parse(source)
    lines = source.decode("utf-8", "surrogateescape").split("\n")
    for first in range(1, len(lines) + 1):
        for number, text in out_of_line(document, first, first).items():
            lines[number - 1] = text
    return "\n".join(lines).encode("utf-8", "surrogateescape")


# What is written, and what terraform fmt makes of it.
CASES = {
    "equals signs of neighbours": ("a = 1\nbcd = 2\n", "a   = 1\nbcd = 2\n"),
    "too many spaces": ("a     = 1\nbcd   = 2\n", "a   = 1\nbcd = 2\n"),
    "a blank line ends a group": ("a = 1\n\nbcd = 2\n", "a = 1\n\nbcd = 2\n"),
    "a comment ends a group": ("a = 1\n# c\nbcd = 2\n", "a = 1\n# c\nbcd = 2\n"),
    "a value over lines ends a group": ("a = [\n  1,\n]\nbcd = 2\n", "a = [\n  1,\n]\nbcd = 2\n"),
    "a heredoc counts as a line": ("a = <<EOT\nx\nEOT\nbcd = 2\n", "a   = <<EOT\nx\nEOT\nbcd = 2\n"),
    "a heredoc with a blank line": (
        "bcd = 2\na = <<EOT\nx\n\nEOT\n",
        "bcd = 2\na   = <<EOT\nx\n\nEOT\n",
    ),
    "entries of a map": ("a = {\n  b = 1\n  (cd) = 2\n}\n", "a = {\n  b    = 1\n  (cd) = 2\n}\n"),
    "comments behind lines": ("a = 1 # x\nbcd = 22 # y\n", "a   = 1  # x\nbcd = 22 # y\n"),
    "comments behind elements": ("a = [\n  1, # x\n  22, # y\n]\n", "a = [\n  1,  # x\n  22, # y\n]\n"),
    "maps in a line": ("a = { b = 1 }\ncd = {}\n", "a  = { b = 1 }\ncd = {}\n"),
    "letters of more than a byte": ("é = 1\nab = 2\n", "é  = 1\nab = 2\n"),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_columns(source: str, expected: str) -> None:
    assert lined_up(source.encode()).decode() == expected
    assert lined_up(expected.encode()).decode() == expected


@needs_terraform
def test_the_cases_are_what_terraform_makes_of_them(tmp_path: Path) -> None:
    theirs = formatted_by_terraform([source.encode() for source, _ in CASES.values()], tmp_path)
    assert theirs == [expected.encode() for _, expected in CASES.values()]


def test_only_the_lines_around_are_looked_at() -> None:
    document = parse(b"a = 1\nbcd = 2\n\ne = 1\nfgh = 2\n")
    assert out_of_line(document, 5, 5) == {4: "e   = 1"}


@pytest.mark.parametrize("source", FILES)
def test_files_of_the_project_are_laid_out(source: bytes) -> None:
    assert lined_up(source) == source


def _columns(source: bytes) -> Iterator[int]:
    """Where a column may stand that was put out of line: of a whole definition, or of a comment behind code."""
    start = 0
    for line in source.splitlines(keepends=True):
        code = line.split(b" # ")[0].strip()
        if not code.startswith(b"#") and code[-1:] not in b"[{(" and b"{" not in line.split(b" = ")[0]:
            yield from (start + line.index(mark) for mark in (b" = ", b" # ") if mark in line and code)
        start += len(line)


@needs_terraform
def test_other_columns_are_put_right_as_terraform_does(tmp_path: Path) -> None:
    chance = random.Random(3)
    sources: list[bytes] = []
    while len(sources) < 100:
        source = chance.choice((EVERY_KIND, *FILES))
        for _ in range(chance.randrange(1, 5)):
            if columns := list(_columns(source)):
                at = chance.choice(columns)
                source = source[:at] + b" " * chance.randrange(4) + source[at:]
        if not problems(source):
            sources.append(source)
    theirs = formatted_by_terraform(sources, tmp_path)
    assert theirs != sources, "the files are not disarranged enough to prove anything"
    assert [lined_up(source) for source in sources] == theirs

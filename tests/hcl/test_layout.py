"""The layout of files, held against ``terraform fmt``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hcl_oracle import EVERY_KIND, FILES, formatted_by_terraform, needs_terraform

from scaffold.hcl.layout import formatted, misaligned
from scaffold.hcl.syntax import parse, problems

# What is written, and what terraform fmt makes of it.
CASES = {
    "equals signs of neighbours": ("a = 1\nbcd = 2\n", "a   = 1\nbcd = 2\n"),
    "a blank line ends a group": ("a = 1\n\nbcd = 2\n", "a = 1\n\nbcd = 2\n"),
    "a comment ends a group": ("a = 1\n# c\nbcd = 2\n", "a = 1\n# c\nbcd = 2\n"),
    "a value over lines ends a group": ("a = [\n1,\n]\nbcd = 2\n", "a = [\n  1,\n]\nbcd = 2\n"),
    "a heredoc counts as a line": ("a = <<EOT\nx\nEOT\nbcd = 2\n", "a   = <<EOT\nx\nEOT\nbcd = 2\n"),
    "entries of a map": ("a = {\nb = 1\n(cd) = 2\n}\n", "a = {\n  b    = 1\n  (cd) = 2\n}\n"),
    "entries with a colon": ('a = {\n"b": 1\n}\n', 'a = {\n  "b" : 1\n}\n'),
    "comments behind lines": ("a = 1 # x\nbcd = 22 # y\n", "a   = 1  # x\nbcd = 22 # y\n"),
    "a comment behind a brace": ("a {# x\n}\n", "a { # x\n}\n"),
    "indentation": ('a "b" {\nc {\nd = 1\n}\n}\n', 'a "b" {\n  c {\n    d = 1\n  }\n}\n'),
    "two brackets in a line": ("a = f({\nb = 1\n})\n", "a = f({\n  b = 1\n})\n"),
    "brackets closed apart": (
        "a = f({\nb = [{\nc = 1\n}]\n}\n)\n",
        "a = f({\n  b = [{\n    c = 1\n  }]\n  }\n)\n",
    ),
    "tabs": ("a {\n\tb\t=\t1\n}\n", "a {\n  b = 1\n}\n"),
    "white space at the end": ("a = 1  \n  \n", "a = 1\n\n"),
    "blank lines stay": ("\n\na = 1\n\n\n\nb = 2\n\n", "\n\na = 1\n\n\n\nb = 2\n\n"),
    "no line end at the end": ("a=1", "a = 1"),
    "white space at the end without a line end": ("a=1\t ", "a = 1  "),
    "operators": ("a = 1+2*-3 - - b\n", "a = 1 + 2 * -3 - -b\n"),
    "a minus as a sign": (
        "a = [ - 1, -b ]\nc = (- 1)\nd = e ? - 1:- 2\n",
        "a = [-1, -b]\nc = (-1)\nd = e ? -1 : -2\n",
    ),
    "a minus behind an arrow": ("a = { for b in c : b => -1 }\n", "a = { for b in c : b => - 1 }\n"),
    "a negation": ("a = ! b && ! (c)\n", "a = !b && !(c)\n"),
    "steps": ("a = b . c [ 0 ] . d\n", "a = b.c[0].d\n"),
    "calls": ("a = f ( b,c , d ... )\n", "a = f(b, c, d...)\n"),
    "braces in a line": ("a = {b=1,c=2}\nd = { }\n", "a = { b = 1, c = 2 }\nd = {}\n"),
    "for": ("a = [ for b in [c]:b if d ]\n", "a = [for b in [c] : b if d]\n"),
    "interpolations": ('a = "x ${ b } y ${~ c ~}"\n', 'a = "x ${b} y ${~c~}"\n'),
    "an interpolated map": ('a = "${ {b=1} } "\n', 'a = "${ { b = 1 } } "\n'),
    "text stays": ('a = "  x   y  "\n', 'a = "  x   y  "\n'),
    "a heredoc's text stays": ("a {\nb = <<-EOT\n x\n  EOT\n}\n", "a {\n  b = <<-EOT\n x\n  EOT\n}\n"),
    "letters of more than a byte": ('"é" = 1\n'.replace('"', "") + "ab = 2\n", "é  = 1\nab = 2\n"),
    "marks of no width": ('a = { "e\u0301" = 1 # x\n"bc" = 2 } # y\n', None),
    "carriage returns": ("a {\r\nb=1\r\n}\r\n", "a {\r\n  b = 1\r\n}\r\n"),
    "labels are written plainly": ('a "b\tc" "\\u0064" {\n}\n', 'a "b\\tc" "d" {\n}\n'),
    "letters of labels are composed": ('a "e\u0301" {\n}\n', 'a "é" {\n}\n'),
    "labels get quotes": ("a b c-d {\n}\n", 'a "b" "c-d" {\n}\n'),
    "a lone interpolation loses its wrapping": ('a = "${b.c}"\n', "a = b.c\n"),
    "two interpolations keep it": ('a = "${b}${c}"\n', 'a = "${b}${c}"\n'),
    "an interpolation with text keeps it": ('a = "${b} "\n', 'a = "${b} "\n'),
    "a nested template loses its outer wrapping": ('a = "${f("${b}")}"\n', 'a = f("${b}")\n'),
    "an entry of a map keeps its wrapping": ('a = { b = "${c}" }\n', 'a = { b = "${c}" }\n'),
    "a wrapping over lines": ('a = "${\nb\n}"\n', "a = b\n"),
    "a wrapped sum over lines": ('a = "${b +\nc}"\n', "a = (b +\nc)\n"),
    "types of old": ('variable "a" {\n  type = "list"\n}\n', 'variable "a" {\n  type = list(string)\n}\n'),
    "a bare collection": ('variable "a" {\n  type = map\n}\n', 'variable "a" {\n  type = map(any)\n}\n'),
    "a type elsewhere": ('a "b" {\n  type = "list"\n}\n', 'a "b" {\n  type = "list"\n}\n'),
}
SURE = {name: case for name, case in CASES.items() if case[1] is not None}


@pytest.mark.parametrize(("source", "expected"), SURE.values(), ids=SURE)
def test_layout(source: str, expected: str) -> None:
    assert formatted(parse(source.encode())).decode() == expected
    assert bool(misaligned(parse(source.encode()))) == (source != expected)


@pytest.mark.parametrize(("source", "expected"), SURE.values(), ids=SURE)
def test_a_layout_is_its_own_layout(source: str, expected: str) -> None:
    assert misaligned(parse(expected.encode())) == ()


@needs_terraform
def test_the_cases_are_what_terraform_makes_of_them(tmp_path: Path) -> None:
    theirs = formatted_by_terraform([source.encode() for source, _ in CASES.values()], tmp_path)
    ours = [formatted(parse(source.encode())) for source, _ in CASES.values()]
    assert dict(zip(CASES, ours, strict=True)) == dict(zip(CASES, theirs, strict=True))


def test_a_comment_that_is_no_utf_8_stays_as_it_is() -> None:
    assert formatted(parse(b"a=1 # caf\xe9\n")) == b"a = 1 # caf\xe9\n"
    assert misaligned(parse(b"a = 1 # caf\xe9\n")) == ()
    (found,) = misaligned(parse(b"a=1 # caf\xe9\n"))
    assert found.expected == "a = 1 # caf\ufffd"


def test_problems_name_the_line_and_what_would_be_right() -> None:
    found = misaligned(parse(b"a {\n   b = 1\n  cd = 2\n  e=3  \n}  \n"))
    assert [(p.line, p.expected) for p in found] == [(2, "  b  = 1"), (4, "  e  = 3"), (5, "}")]
    assert found[-1].message == "white space at the end of the line"
    (indented,) = misaligned(parse(b"a {\n    b = 1\n}\n"))
    assert indented.message == "indented by 4 instead of 2"
    (wrapped,) = misaligned(parse(b'a = "${b}"\n'))
    assert wrapped.message == "terraform fmt writes this otherwise"


def test_an_unwrapped_expression_over_lines_is_one_problem() -> None:
    (found,) = misaligned(parse(b'x = 1\n\na = "${\n  b\n}"\n\ny = 2\n'))
    assert (found.line, found.expected) == (3, "a = b")


@pytest.mark.parametrize("source", FILES)
def test_files_of_the_project_are_laid_out(source: bytes) -> None:
    assert misaligned(parse(source)) == ()


def _disarranged(source: bytes, chance: random.Random) -> bytes:
    """The source with other white space, and some tokens put in."""
    for _ in range(chance.randrange(1, 5)):
        places = [at for at, byte in enumerate(source) if byte in b' \n=,{}[]()."']
        at = chance.choice(places)
        source = source[:at] + chance.choice(WHITE_SPACE) + source[at + chance.randrange(2) :]
    return source


WHITE_SPACE = [
    *(b"", b" ", b"   ", b"\t", b"\n", b"  \n", b"\r\n", b" # c\n", b"/* c */", b" - 1", b"-1", b"!", b"[0]"),
    *(
        b"{}",
        b"${ a }",
        "é".encode(),
        "日本".encode(),
        b".*",
        b".0",
        b" b {}",
        b"{c=1}",
        b"\n[for x in [a]:x]",
    ),
]


@needs_terraform
def test_disarranged_files_are_laid_out_as_terraform_does(tmp_path: Path) -> None:
    chance = random.Random(3)
    sources: list[bytes] = []
    while len(sources) < 250:
        candidate = _disarranged(chance.choice((EVERY_KIND, *FILES)), chance)
        if not problems(candidate):
            sources.append(candidate)
    theirs = formatted_by_terraform(sources, tmp_path)
    assert theirs != sources, "the files are not disarranged enough to prove anything"
    wrong = [s for s, result in zip(sources, theirs, strict=True) if formatted(parse(s)) != result]
    assert not wrong

"""What is HCL and what is not, compared with Terraform."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hcl_oracle import EVERY_KIND, FILES, formatted_by_terraform, needs_terraform

from scaffold.errors import Kind
from scaffold.hcl.syntax import NOT_LITERAL, HclSyntaxError, parse, problems

BROKEN = {
    "two arguments in a line": (b"a = 1 b = 2\n", 1, 7, "two definitions on one line"),
    "two blocks in a line": (b"a {} b {}\n", 1, 6, "two definitions on one line"),
    "a comment over lines is no line end": (b"a = 1 /*\n*/ b = 2\n", 2, 4, "two definitions on one line"),
    "an argument twice": (b"a {\n  b = 1\n  b = 2\n}\n", 3, 3, "'b' was already set on line 2"),
    "a semicolon": (b"a {\n  b = 1; c = 2\n}\n", 2, 8, "unexpected '; c = 2'"),
    "a line end in a string": (b'a = "x\ny"\n', 1, 7, "a quoted string ends on its line"),
    "a line end in a directive's text": (
        b'a = "%{if b}\n%{endif}"\n',
        1,
        13,
        "a quoted string ends on its line",
    ),
    "an unknown escape": (b'a = "\\d"\n', 1, 6, "unknown escape sequence \\d"),
    "an unknown escape behind a template": (b'a = "\xc3\xa9${b}\\d"\n', 1, 11, "unknown escape sequence \\d"),
    "a short unicode escape": (b'a = "\\u12"\n', 1, 6, "unknown escape sequence \\u"),
    "half a surrogate pair": (b'a = "\\ud800"\n', 1, 6, "unknown escape sequence \\u"),
    "a brace in the next line": (b"a\n{\n}\n", 2, 1, "are on its first line"),
    "a label in the next line": (b'a\n"b" {}\n', 2, 1, "are on its first line"),
    "a block in a one-line block": (b"a { b {} }\n", 1, 5, "one argument and no block"),
    "two arguments in a one-line block": (b"a { b = 1, c = 2 }\n", 1, 12, "unexpected 'c = 2 }'"),
    "a closing brace behind an argument": (b"a {\n  b = 1 }\n", 2, 9, "needs a line of its own"),
    "a closing brace too late": (
        b"a { b = 1\n}\n",
        2,
        1,
        "a block whose content starts on its first line ends there too",
    ),
    "no equals sign": (b"a {\n  b 1\n}\n", 2, 5, "unexpected '1'"),
    "no value": (b"a =\n", 2, 1, "a value or a name is missing"),
    "a value in the next line": (b"a =\n1\n", 2, 1, "only inside brackets"),
    "an operator at the end of a line": (b"a = 1 +\n  2\n", 2, 3, "only inside brackets"),
    "an operator in a map in parentheses": (b"a = ({ b = 1 +\n 2 })\n", 2, 2, "only inside brackets"),
    "a condition over lines": (b"a = b ?\n 1 : 2\n", 2, 2, "only inside brackets"),
    "an operator over lines inside a condition": (b"a = b ? 1 +\n 2 : 3\n", 2, 2, "only inside brackets"),
    "a step in the next line": (b"a = (b)\n.c\n", 2, 1, "only inside brackets"),
    "a call whose bracket is in the next line": (b"a = f\n(1)\n", 2, 1, "only inside brackets"),
    "an unclosed block": (b'x = 1\na "b" {\n  c = 1\n', 4, 1, "missing '}' of what begins on line 2"),
    "an unclosed list": (b"a = [1\nb = 2\n", 2, 1, "missing ']' of what begins on line 1"),
    "an unclosed map": (b"a = {\n  b = 1\n", 1, 5, "'{' is never closed"),
    "an unclosed string": (b'a = "b\n', 2, 1, "missing the closing quote of what begins on line 1"),
    "a string closed in another line": (b'a = "b\nc = "d"\n', 1, 7, "a quoted string ends on its line"),
    "an unclosed heredoc": (b"a = <<EOT\nb\n", 3, 1, "missing the end marker of what begins on line 1"),
    "an unclosed comment": (b"a = 1\n/* b\n", 2, 2, "a value or a name is missing"),
    "a brace too many": (b"a {\n}}\n", 2, 2, "unexpected '}'"),
    "entries without a comma": (b"a = { b = 1 c = 2 }\n", 1, 13, "separated by a comma or a new line"),
    "a comma that begins a line": (b"a = {\n  b = 1\n  , c = 2\n}\n", 3, 3, "a comma is on the same line"),
    "two commas": (b"a = [1,,]\n", 1, 7, "unexpected ',,]'"),
    "a template in a label": (b'a "${b}" {}\n', 1, 3, "a label cannot contain a template"),
    "an empty interpolation": (b'a = "${}"\n', 1, 6, "an interpolation holds an expression"),
    "a strip mark apart": (b'a = "${ b ~ }"\n', 1, 11, "right beside the brace"),
    "a heredoc that starts in its line": (b"a = <<EOT b\nEOT\n", 1, 5, "marker of a heredoc"),
    "a heredoc named by a number": (b"a = <<1\nb\n1\n", 1, 5, "marker of a heredoc"),
    "a hexadecimal number": (b"a = 0x1f\n", 1, 5, "no hexadecimal numbers"),
    "a number with two exponents": (b"a = 1e3e3\n", 1, 5, "one exponent"),
    "a step with an exponent": (b"a = b.1e3\n", 1, 6, "consists of digits only"),
    "numbers as steps": (b"a = b.0.1\n", 1, 8, "write these indexes as [0][1]"),
    "a step behind a number": (b"a = 1.5.5\n", 1, 8, "two numbers in a row"),
    "a step that is not in the line of its dot": (b"a = (b).\n0\n", 1, 8, "on the line of its dot"),
    "a keyword that is no word": (b"a = [for b in c : b ifb]\n", 1, 21, "a space is missing"),
    "a keyword that is no word in a template": (b'a = "%{ ifb }c%{ endif }"\n', 1, 9, "a space is missing"),
    "a strip mark before a comment": (b'a = "${ b ~# c\n}"\n', 1, 11, "right beside the brace"),
    "a string that ends in a directive": (
        b'a = "%{ if b }" c "%{ endif }"\n',
        1,
        15,
        "ends inside a directive",
    ),
    "a function whose name is no word": (b"a = core::-b()\n", 1, 5, "only the name of a function"),
    "splats in a row": (b"a = b.*.c.*.d\n", 1, 10, "'.*' can be used only once"),
    "a word with colons": (b"a::b = 1\n", 1, 1, "only the name of a function"),
    "a space that is none": ("a =\u00a01\n".encode(), 1, 4, "is not white space in HCL"),
    "a lone carriage return": (b'a = "b\rc"\n', 1, 7, "is not white space in HCL"),
    "bytes that are no UTF-8": (b'a = "\xff"\n', 1, 6, "not valid UTF-8"),
    "a NUL": (b"a = 1 # \0\n", 1, 9, "a NUL byte"),
    "a value in place of definitions": (b"{ a = 1 }\n", 1, 1, "a file holds arguments and blocks"),
    "a byte order mark inside": (b"a = 1\n\xef\xbb\xbfb = 2\n", 2, 1, "is not white space in HCL"),
}
TERRAFORM_IS_LAXER = {"a NUL", "a step with an exponent"}

GOOD = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbfa = 1\n",
    "no line end at the end": b"a = 1 # b",
    "carriage returns": b'a {\r\n  b = "c"\r\n}\r\n',
    "an odd space in a string": 'a = "\u00a0" # \u2028\n'.encode(),
    "a comment that is no UTF-8": b"# \xff\na = 1\n",
    "a list in a one-line block": b"a { b = [\n1\n] }\n",
    "an empty block over lines": b"a {\n}\n",
    "a comment behind an opening brace": b"a { # b\n  c = 1\n}\n",
    "an expression over lines in brackets": b"a = [1 +\n 2, (b\n.c), d[\n0\n]]\n",
    "a line end in an interpolation": b'a = "${b\n.c}"\n',
    "arguments over lines": b"a = f(\n1\n,\n2,\n)\n",
    "commas and line ends in a map": b"a = { b = 1,\n c = 2\n\n d = 3, }\n",
    "a for over lines": b"a = {\n for b in c :\n b => b...\n if b }\n",
    "keywords as names": b"for = 1\nif = 2\na = { b = 1, for = 2, in = 3 }\n",
    "escaped markers in a label": b'a "$${b}" {}\n',
    "a heredoc in a list": b"a = [<<EOT\nb\nEOT\n, 1]\n",
    "a heredoc whose lines begin with its marker": b"a = <<E\nE${b}\n \tE %{ if c }d%{ endif }\nE $${\nEx\nE\n",
    "heredocs with one marker": b"a = <<E\n${\n(<<E\nb\n  E\n)}\nE\n",
    "dollars before an escape": b'a = "$$${ $$$${ %%%{ %%%%{"\n',
    "splats behind brackets": b'a = b.*.c["d"].*.e\n',
    "exponents": b"a = [1e3, 1E-3, 1e+3, 1.5e3, a1e3, x1e-3.y]\n",
    "a function of a provider": b"a = provider::b::c(1)\n",
    "dots and splats": b"a = b.0.c\nd = b.*.c[0]\ne = b[*].c.*.d\n",
    "spaces in templates": b'a = "${ b } ${~ c ~} %{ if d }e%{~ endif ~}"\n',
    "a template's dollar": b'a = "$ $$ $${ % %% %%{"\n',
}


@pytest.mark.parametrize(("source", "line", "column", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_input_is_refused_at_its_place(source: bytes, line: int, column: int, message: str) -> None:
    found = problems(source)
    assert found
    assert (found[0].line, found[0].column) == (line, column)
    assert message in found[0].message


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
def test_good_input_is_accepted(source: bytes) -> None:
    assert problems(source) == ()


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    found = problems(b"a = 1\na = 1 b = 2\nc = (d)\n.e\n")
    assert [(p.line, p.column) for p in found] == [(2, 1), (2, 7), (4, 1)]


def test_what_follows_from_an_error_is_not_told_as_another_one() -> None:
    found = problems(b'a {\n  b = "\\d"\n  c = "e"\n}\n')
    assert [(p.line, p.column) for p in found] == [(2, 8)]


def test_the_error_names_the_file_and_carries_all_findings() -> None:
    with pytest.raises(HclSyntaxError) as raised:
        parse(b"a = 1 b = 2\na = 3\n", "stacks/journal/main.tf")
    error = raised.value
    assert error.kind is Kind.REFUSED
    assert error.message.startswith("stacks/journal/main.tf is not valid HCL: line 1: two definitions")
    assert [f.location for f in error.findings] == [
        "stacks/journal/main.tf:1:7",
        "stacks/journal/main.tf:2:1",
    ]
    assert [f.code for f in error.findings] == ["HCL001", "HCL001"]


def test_a_file_may_be_nested_deeply_but_not_without_end() -> None:
    def nested(depth: int) -> bytes:
        return b"a = " + b"[{ b = " * depth + b"1" + b" }]" * depth + b"\n"

    document = parse(nested(40))
    assert document.body.attributes["a"].value.literal() != NOT_LITERAL
    assert document.body.attributes["a"].value.references() == ()
    assert problems(nested(1000))[0].message == "this is nested too deeply"


@needs_terraform
def test_the_tables_agree_with_terraform(tmp_path: Path) -> None:
    broken = {name: case[0] for name, case in BROKEN.items() if name not in TERRAFORM_IS_LAXER}
    verdicts = formatted_by_terraform([*broken.values(), *GOOD.values()], tmp_path)
    refused = {name for name, verdict in zip((*broken, *GOOD), verdicts, strict=True) if verdict is None}
    assert refused == set(broken)


PIECES = [
    *(bytes((c,)) for c in b";{}[]()\"=,\n #$%\\'|&.:?!-+*1a~@"),
    *(
        b"/*",
        b"*/",
        b"/* x */",
        b"# x\n",
        b"${",
        b"%{",
        b"<<EOT\n",
        b"EOT\n",
        b"...",
        b"=>",
        b"\\q",
        b"\\u12",
    ),
    *(b"::", b"0x1", b"a = 1\n", b"a {}\n", b", a = 1", b" b = 2", b"[*]", b".*", b".0", b"\r", b"\xff"),
]


_SIGNED_KEY = re.compile(rb"^ *[-!] *\w+ *=[^=]", re.MULTILINE)
"""A key that is an operation, ``{ -x = 1 }``: no map has one, and the grammar refuses it."""


def _mutant(source: bytes, chance: random.Random) -> bytes:
    """The source with one small thing wrong with it, or by luck nothing."""
    at = chance.randrange(len(source))
    lines = source.split(b"\n")
    line = chance.randrange(len(lines) - 1)
    match chance.randrange(7):
        case 0 | 1 | 2:
            return source[:at] + chance.choice(PIECES) + source[at:]
        case 3:
            return source[:at] + source[at + 1 :]
        case 4:  # two lines become one
            joined = lines[line] + chance.choice((b" ", b"; ", b", ")) + lines[line + 1].strip()
            return b"\n".join((*lines[:line], joined, *lines[line + 2 :]))
        case 5:  # a line stands twice
            return b"\n".join((*lines[: line + 1], *lines[line:]))
        case _:  # a line is broken at a space
            space = source.find(b" ", at)
            return source[:space] + b"\n" + source[space + 1 :]


@needs_terraform
def test_mutants_are_refused_exactly_where_terraform_refuses_them(tmp_path: Path) -> None:
    chance = random.Random(20260605)
    sources = [chance.choice((EVERY_KIND, *FILES)) for _ in range(400)]
    mutants = [_mutant(source, chance) for source in sources]
    verdicts = formatted_by_terraform(mutants, tmp_path)
    refused = [verdict is None for verdict in verdicts]
    assert set(refused) == {False, True}, "the mutants are too tame, or too wild, to prove anything"
    wrong = [
        (mutant, judged)
        for mutant, judged in zip(mutants, refused, strict=True)
        if bool(problems(mutant)) != judged and not _SIGNED_KEY.search(mutant)
    ]
    assert not wrong

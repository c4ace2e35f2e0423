"""What the text of HCL strings stands for."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from hcl_oracle import needs_terraform
from hypothesis import given
from hypothesis import strategies as st

from scaffold.hcl.strings import bad_escapes, has_template, heredoc_text, quote, unquote
from scaffold.hcl.syntax import parse, problems

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters='\n\r\t$%{\\"'))


@given(TEXT)
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)[1:-1]) == text


@given(TEXT)
def test_a_quoted_text_is_a_literal_of_a_file(text: str) -> None:
    value = parse(f"a = {quote(text)}\n".encode()).body.literal("a")
    assert value == text


@pytest.mark.parametrize(
    ("raw", "offsets"),
    [
        ("plain", []),
        (r"\n\"\\\u00e9\U0001F600", []),
        (r"\d", [0]),
        (r"a\\\q", [3]),
        (r"\u12", [0]),
        ("\\", [0]),
    ],
)
def test_bad_escapes(raw: str, offsets: list[int]) -> None:
    assert bad_escapes(raw) == offsets


@pytest.mark.parametrize(
    ("raw", "is_one"), [("${a}", True), ("%{a}", True), ("$${a}", False), ("$a{", False), ("$$${{", False)]
)
def test_has_template(raw: str, is_one: bool) -> None:
    assert has_template(raw) is is_one


def test_lines_of_white_space_do_not_count_for_the_indentation_of_a_heredoc() -> None:
    assert heredoc_text(["    a\n", "  \n", "      b\n"], flush=True) == "a\n  \n  b\n"
    assert heredoc_text(["    a\n"], flush=False) == "    a\n"
    assert heredoc_text([], flush=True) == ""


SAMPLES = [
    '"plain"',
    r'"a\tb\n\"\\\u00e9\U0001F600$${x}%%{y}$z%"',
    '"  lead and trail  "',
    '"$$"',
    '"$$${x}"',
    '"%%%{x}"',
    '"$$$${x}"',
    "<<EOT\na\r\n  b\r\nEOT",
    "<<EOT\nEOT $${x}\nEOT%%{\nEOT",
    r'"\\$${x}"',
    "<<EOT\n    a\n\n  b\n  EOT",
    "<<EOT\nEOT",
    "<<EOT\n\nEOT",
    "<<-EOT\n    a\n      b\n\n    c\n  EOT",
    "<<-EOT\n\n    a\n  EOT",
    "<<-EOT\n    a\n  \n      b\n  EOT",
    "<<-EOT\n  a\n      \n  b\n  EOT",
    "<<-EOT\n\ta\n\t\tb\nEOT",
    '<<-EOT\n  $${x} %%{y} \\n "q" $x\n  EOT',
    "<<-EOT\n      \n      \n    EOT",
    "<<-EOT\n   \u00e9\n  b\n EOT",
]


@needs_terraform
def test_literals_are_what_terraform_makes_of_them(tmp_path: Path) -> None:
    source = "locals {\n" + "".join(f"  v{i} = {text}\n" for i, text in enumerate(SAMPLES)) + "}\n"
    assert problems(source.encode()) == ()
    (tmp_path / "main.tf").write_text(source, "utf-8")
    asked = ", ".join(f"base64encode(local.v{i})" for i in range(len(SAMPLES)))
    done = subprocess.run(
        ["terraform", "console"],
        input=f"jsonencode([{asked}])\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    encoded = json.loads(json.loads(done.stdout.strip().splitlines()[-1]))
    theirs = [base64.b64decode(value).decode() for value in encoded]
    (block,) = parse(source.encode()).body.blocks
    assert [a.value.literal() for a in block.body.attributes.values()] == theirs

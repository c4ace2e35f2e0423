"""The second reader agrees on everything that is rendered, and counts where it does not."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest
from hcl_oracle import EVERY_KIND, FILES

from scaffold.hcl import second_reader
from scaffold.hcl.second_reader import SecondReading, read_again, read_edited
from scaffold.hcl.syntax import Document, parse

GOLDEN = Path(__file__).parents[1] / "golden"


def test_every_golden_reads_the_same() -> None:
    files = {str(f): f.read_bytes() for f in GOLDEN.glob("*/stack/*") if f.suffix in (".tf", ".hcl")}
    assert len(files) > 30
    said = read_again(files)
    assert said.findings == ()
    assert said.unread == ()


def test_the_sample_monorepo_reads_the_same() -> None:
    said = read_again({str(number): source for number, source in enumerate(FILES) if source != EVERY_KIND})
    assert said.findings == ()
    assert said.unread == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        ('a = "x"', 'a = "y"', "a"),
        ('a = "$${x}"', 'a = "$$${x}"', "a"),
        ('a = "\\n"', 'a = "\\\\n"', "a"),
        ("a = 1", 'a = "1"', "a"),
        ("a = true", 'a = "true"', "a"),
        ("a = null", "a = false", "a"),
        ("a = 1", "b = 1", "a"),
        ("a = 1", "a = 1\nb = 1", "b"),
        ("a = [1, 2]", "a = [1]", "a"),
        ("a = [1, [2]]", "a = [1, [3]]", "a"),
        ("a = { b = { c = 1 } }", "a = { b = { c = 2 } }", "a.b.c"),
        ("a = { b = 1 }", "a = { b = 1, c = 1 }", "a"),
        ("a = <<-E\n  x\n    y\nE", "a = <<-E\n  x\n  y\nE", "a"),
        ('a = <<-E\n  "x\\\nE', 'a = <<-E\n  "x\nE', "a"),
        ("a = <<E\nx\nE", "a = <<E\n x\nE", "a"),
        ('b "x" {}', 'b "y" {}', "the block b.x"),
        ("b {}\nb {}", "b {}", "the b blocks"),
        ("b {\n  c {\n    d = 1\n  }\n}", "b {\n  c {\n    d = 2\n  }\n}", "d"),
        ("b {}", "b = 1", "the b blocks"),
    ],
)
@pytest.mark.usefixtures("read_anew")
def test_a_difference_is_found(ours: str, theirs: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_otherwise(source: bytes, path: str) -> Document:
        return parse(f"{ours}\n".encode(), path)

    assert read_again({"main.tf": f"{ours}\n".encode()}).findings == ()
    monkeypatch.setattr(second_reader, "parse", read_otherwise)
    found = [finding.message for finding in read_again({"main.tf": f"{theirs}\n".encode()}).findings]
    assert any(f"reads {what} differently" in message for message in found), found


@pytest.mark.usefixtures("read_anew")
def test_of_an_edited_file_it_reads_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    before = b'a = "$${x"\n\nb {\n  c = 8\n}\n'
    after = before + b"\nb {\n  c = 8\n  d = 8\n}\n"
    assert read_edited({"main.tf": (before, after)}) == SecondReading()
    assert read_edited({"main.tf": (before, before + b'z = "$${y"\n')}).unread[0][0] == "main.tf"
    loads = hcl2.loads
    monkeypatch.setattr(hcl2, "loads", lambda text, **options: loads(text.replace("8", "9"), **options))
    # It disagreed on c before.
    (found,) = read_edited({"main.tf": (before.replace(b"$${", b""), after.replace(b"$${", b""))}).findings
    assert (found.path, found.line, found.message.split()[-2]) == ("main.tf", 9, "d")


def test_what_it_cannot_read_is_said_and_refuses_nothing() -> None:
    said = read_again({"main.tf": b'a = "$${x"\n', "other.tf": b"a = 1\n"})
    assert said.findings == ()
    ((path, why),) = said.unread
    assert path == "main.tf"
    assert why.startswith("python-hcl2: ")

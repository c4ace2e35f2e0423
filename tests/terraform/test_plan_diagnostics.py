"""Reading what Terraform says."""

from __future__ import annotations

import json

from scaffold.terraform.diagnostics import read


def said(*messages: object) -> bytes:
    return b"\n".join(json.dumps(message).encode() for message in messages)


def diagnostic(summary: str, severity: str = "error", **more: object) -> dict[str, object]:
    return {
        "type": "diagnostic",
        "diagnostic": {"severity": severity, "summary": summary, "detail": "", **more},
    }


def test_the_version_of_both_programs() -> None:
    assert read(said({"type": "version", "terraform": "1.12.2"})).version == "1.12.2"
    assert read(said({"type": "version", "tofu": "1.10.6"})).version == "1.10.6"
    assert read(b"").version == ""


def test_only_errors_each_once() -> None:
    output = read(said(diagnostic("a"), diagnostic("w", "warning"), diagnostic("a"), {"type": "log"}, [1]))
    assert [error.summary for error in output.errors] == ["a"]


def test_lines_that_are_no_json_are_passed_over() -> None:
    assert read(b"panic: x\n" + said(diagnostic("a")) + b"\n{").errors[0].summary == "a"


def test_the_place_and_the_text() -> None:
    place = {
        "filename": "main.tf",
        "start": {"line": 3, "column": 5, "byte": 40},
        "end": {"line": 3, "byte": 50},
    }
    (error,) = read(said(diagnostic("Bad", detail="so\n  bad", range=place, address="x.y"))).errors
    assert (error.file, error.line, error.start, error.address) == ("main.tf", 3, 40, "x.y")
    assert error.text == "Bad: so bad"


def test_what_only_repeats_the_others_is_left_out() -> None:
    general = diagnostic("Terraform encountered problems during initialisation, including problems")
    assert [e.summary for e in read(said(diagnostic("a"), general)).errors] == ["a"]
    assert len(read(said(general)).errors) == 1

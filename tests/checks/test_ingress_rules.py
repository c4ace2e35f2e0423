"""The gate of an ingress and its reason, compared with the house's own check where that is right."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import takewhile

import pytest

from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo

Check = Callable[..., list[Finding]]

MISSING = ["ING002"]


def ingress(auth: str, source: str = "../../modules/ingress_factory") -> str:
    return f'module "ingress" {{\n  source = "{source}"\n  name = "a"\n{auth}}}\n'


CASES = {
    # what the house's guard judges rightly
    "the full gate": (ingress('  auth = "required"\n'), [], True),
    "a reason": (ingress('  # auth = "app": logins of its own\n  auth = "app"\n'), [], True),
    "a reason over lines": (ingress('  # auth = "none": it is\n  # public\n  auth = "none"\n'), [], True),
    "a reason in a block of comments": (
        ingress('  # TODO\n  # auth = "app": x\n  # y\n  auth = "app"\n'),
        [],
        True,
    ),
    "open to guests": (ingress('  auth = "public"\n'), [], True),
    "no reason": (ingress('  auth = "app"\n'), MISSING, True),
    "a reason for another mode": (ingress('  # auth = "app": x\n  auth = "none"\n'), MISSING, True),
    "a reason above a blank line": (ingress('  # auth = "app": x\n\n  auth = "app"\n'), MISSING, True),
    "a reason above the module": ('# auth = "app": x\n' + ingress('  auth = "app"\n'), MISSING, True),
    "a reason below": (ingress('  auth = "app"\n  # auth = "app": x\n'), MISSING, True),
    # what it misses
    "a comment behind the line": (ingress('  auth = "none" # Anubis\n'), MISSING, False),
    "in parentheses": (ingress('  auth = ("none")\n'), MISSING, False),
    "a ternary": (ingress('  auth = true ? "none" : "required"\n'), MISSING, False),
    "no reason behind the colon": (ingress('  # auth = "none":\n  auth = "none"\n'), MISSING, False),
    "no colon": (ingress('  # auth = "none"\n  auth = "none"\n'), MISSING, False),
    "a mode mentioned only": (
        ingress('  # not auth = "none" any more: x\n  auth = "none"\n'),
        MISSING,
        False,
    ),
    "a heredoc as a value": (ingress("  auth = <<EOT\nnone\nEOT\n"), MISSING, False),
    "nothing said": (ingress(""), ["ING001"], False),
    # what it takes for a gate and is none
    "text in a heredoc": (
        "locals {\n  a = <<EOT\n" + ingress('  auth = "none"\n') + "EOT\n}\n",
        [],
        False,
    ),
    "another module": (ingress('  auth = "none"\n', "git::https://git.example.test/x.git"), [], False),
    "a comment over lines": ("/*\n" + ingress('  auth = "none"\n') + "*/\n", [], False),
    # more than one mode, and other ways to write a comment
    "both modes with reasons": (
        ingress('  # auth = "app": x\n  # auth = "none": y\n  auth = true ? "app" : "none"\n'),
        [],
        None,
    ),
    "one of two modes without": (
        ingress('  # auth = "app": x\n  auth = true ? "app" : "none"\n'),
        MISSING,
        None,
    ),
    "slashes": (ingress('  // auth = "app": x\n  auth = "app"\n'), [], None),
    "a block comment": (ingress('  /* auth = "app": x */\n  auth = "app"\n'), [], None),
    "the reason in the next line": (ingress('  # auth = "app":\n  # logins\n  auth = "app"\n'), [], None),
    "a computed mode": (ingress("  auth = local.mode\n") + 'locals {\n  mode = "app"\n}\n', [], None),
}


@pytest.mark.parametrize(("text", "found"), [case[:2] for case in CASES.values()], ids=CASES)
def test_the_gate_of_an_ingress(text: str, found: list[str], check: Check) -> None:
    assert [finding.code for finding in check(text)] == found


def _guard_by_lines(text: str) -> bool:
    """Whether a guard that reads lines, and no HCL, refuses the text: what a house can do without a parser."""
    gate, mode_in_comment = (
        re.compile(r'\s*auth\s*=\s*"(app|none)"\s*'),
        re.compile(r'auth\s*=\s*"(app|none)"'),
    )
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = gate.fullmatch(line)
        above = takewhile(lambda line: line.lstrip().startswith("#"), reversed(lines[:number]))
        if found and found[1] not in {m[1] for m in map(mode_in_comment.search, above) if m}:
            return True
    return False


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] is not None])
def test_a_guard_that_reads_lines_agrees_where_it_is_right(name: str, check: Check) -> None:
    text, _, agrees = CASES[name]
    assert (bool(check(text)) == _guard_by_lines(text)) is agrees


@pytest.mark.parametrize("stack", ["journal", "navidrome", "seed-log", "rain-report"])
def test_the_guard_of_the_sample_monorepo_agrees(stack: str, pristine: Monorepo) -> None:
    directory = pristine.stack_directory(stack)
    guard = [
        sys.executable,
        str(pristine.root / "scripts" / "check-ingress-auth-comments.py"),
        str(directory),
    ]
    refuses = subprocess.run(guard, capture_output=True, check=False).returncode
    files = {f"stacks/{stack}/main.tf": (directory / "main.tf").read_bytes()}
    parsed = parse_stack(f"stacks/{stack}", files)
    assert not isinstance(parsed, list)
    found = [f for f in run(parsed, CheckContext.of(pristine)) if f.code == "ING002"]
    assert bool(found) == bool(refuses)


@pytest.mark.parametrize(
    ("text", "line", "what", "fix"),
    [
        (ingress('  auth = "app"\n'), 4, 'auth = "app" gives no reason', "what gates it, or why it is open"),
        (
            '# auth = "app": x\n' + ingress('  auth = "app"\n'),
            5,
            'the reason for auth = "app" is above the module',
            "x",
        ),
        (
            ingress('  auth = "none" # Anubis in front\n  # More.\n'),
            4,
            'the reason for auth = "none" is at the end of the line',
            "Anubis in front",
        ),
    ],
)
def test_the_finding_says_where_the_reason_is_and_what_to_put_above_the_line(
    text: str, line: int, what: str, fix: str, check: Check
) -> None:
    (found,) = check(text)
    assert (found.location, found.message) == (f"stacks/app/main.tf:{line}:3", what)
    assert found.fix == f'put this right above the line: # auth = "{found.value}": {fix}'


def test_an_ingress_without_a_gate_is_told_at_its_call(check: Check) -> None:
    (silent,) = check(ingress(""))
    assert silent.location == "stacks/app/main.tf:1:1"


def test_a_file_that_is_no_utf_8_in_a_comment_is_judged_all_the_same(pristine: Monorepo) -> None:
    text = ingress('  auth = "app"\n', "../../modules/kubernetes/ingress_factory").encode()
    stack = parse_stack("stacks/app", {"stacks/app/main.tf": b"# caf\xe9\n" + text})
    assert not isinstance(stack, list)
    codes = {finding.code for finding in run(stack, CheckContext.of(pristine))}
    assert "ING002" in codes

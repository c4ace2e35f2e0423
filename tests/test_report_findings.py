"""How failures look: in a terminal no word is cut, and elsewhere each part of them is one line."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from scaffold.cli.group import refused
from scaffold.cli.output import print_error
from scaffold.errors import Finding, RefusedError
from scaffold.report.findings import error_text

COMMAND = "`scaffold change bees --set memory=1Gi --accept not-compared`"
ERROR = RefusedError(
    "What this does to running workloads is not known, and it would open a host; nothing was written.",
    f"If that is what you mean, run {COMMAND}.",
    [
        Finding(
            "stacks/bees/main.tf", 12, None, "ING001", "The gate of bees is not one that this monorepo has anywhere.",
            fix="Choose one that the ingress module accepts, or add it there.\ngit -C /a/long/path commit --all --message add",
            write="gate: required # and a long comment that stays where it is, since it is YAML",
        )
    ],
)  # fmt: skip
WRAPPED = """\
stacks/bees/main.tf:12: The gate of bees is not
one that this monorepo has anywhere. [ING001]
  fix:     Choose one that the ingress module
           accepts, or add it there.
           git -C /a/long/path commit --all --message add
  write:   gate: required # and a long comment that stays where it is, since it is YAML
error: What this does to running workloads is not
known, and it would open a host; nothing was
written.
If that is what you mean, run
`scaffold change bees --set memory=1Gi --accept not-compared`.
"""


def test_what_is_longer_than_the_terminal_is_wrapped_between_words_and_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((50, 20)))
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
    print_error(ERROR)
    assert capsys.readouterr().err == WRAPPED


def test_elsewhere_one_line_stays_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_error(ERROR)
    assert capsys.readouterr().err == error_text(ERROR) + "\n"
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((0, 0)))
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2, raising=False)
    print_error(ERROR)
    assert capsys.readouterr().err == error_text(ERROR) + "\n", "a terminal that does not know its width"


def test_where_nobody_can_be_told_the_exit_code_still_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as ended:
        refused(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), as_json=False)
    assert ended.value.code == 6
    assert len(error_text(ERROR).splitlines()) == 6

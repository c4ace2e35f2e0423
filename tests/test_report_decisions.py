"""The table of decisions, at the width of the terminal."""

from __future__ import annotations

import pytest

from scaffold.report.decisions import decisions_text
from scaffold.templates.decisions import Decision

DECISIONS = [
    Decision("names.claim", "linkboard-data-encrypted", "the name tells the class", "PVC template"),
    Decision("quota", False, "one Service has no quota of its own", "Quotas"),
    Decision("storage", "", "", "Storage Class Decision Rule"),
]


def test_a_wide_terminal_has_one_line_for_each_decision() -> None:
    assert (
        decisions_text(DECISIONS, 120)
        == """\
decision     value                     reason                               rule
names.claim  linkboard-data-encrypted  the name tells the class             PVC template
quota        no                        one Service has no quota of its own  Quotas
storage      –                                                              Storage Class Decision Rule"""
    )


def test_a_narrow_terminal_wraps_the_widest_columns_at_words_and_cuts_only_long_words() -> None:
    assert (
        decisions_text(DECISIONS[:2], 56)
        == """\
decision     value          reason          rule
names.claim  linkboard-dat  the name tells  PVC template
             a-encrypted    the class
quota        no             one Service     Quotas
                            has no quota
                            of its own"""
    )


@pytest.mark.parametrize("width", [1, 40, 56, 80, 119, 500])
def test_nothing_is_lost_and_nothing_is_wider_than_the_terminal(width: int) -> None:
    text = decisions_text(DECISIONS, width)
    assert max(map(len, text.splitlines())) <= max(width, 40)
    letters = sorted("".join(text.split()))
    assert letters == sorted("".join(decisions_text(DECISIONS, 500).split()))

"""Malicious answers are refused, or rendered as they are: none breaks the program, none breaks a stack.

Each set mixes the answers of several Services and writes hostile text into some of them. What is refused is
left out, as a person who tries again would, until the rest is taken. `dev test --fuzz N` tries N sets;
`--hypothesis-show-statistics` tells how they end.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import Phase, event, given, note, settings
from hypothesis import strategies as st
from support import ANSWERS, ORIGIN, examples, needs

from scaffold.answers import validation
from scaffold.answers.known import known
from scaffold.answers.sources import Answers, about, from_yaml
from scaffold.checks import verify
from scaffold.checks.verify import Level
from scaffold.commands import new_service
from scaffold.errors import AnswersError, Finding, RefusedError
from scaffold.hcl.second_reader import SecondReading
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import STACKS
from scaffold.report.findings import error_text
from scaffold.templates.render import ANSWERS_FILE
from scaffold.templates.template import FAST_LOADER

HOSTILE = [
    "", " ", "'", '"', "\\", '\\"', "\\n", "`id`", "$(id)", "${", "${var.x}", "$${", "$$${x}", "%{", "%{ if true }", "%%{ x }",
    "EOT", "EOT${", "<<-EOT", "a\nb", "a\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200b",
    "\ufeff", "\ud800", "e\u0301", "ﬁ", "{{ x }}", "{% raw %}", "{# x #}", "{{ ''.__class__ }}", "${{ secrets.X }}", "{host}", "{", "}",
    "x${host}", "{host}{host}", "*a", "&a", "!x", "@x", "|", ">", "- x", "a: b", "{a: b}", "[1]", "yes", "null", "~", "0x1f", "1e9", "007",
    "2026-01-01", "#", "a # b", "//", "/*", "*/", "/", "/..", "/a/../b", "/a//b", "../x", "/*b", "/`)||PathPrefix(`/", "--help", "-x", "x" * 300,
    "x" * 10_000, "a b", "a,b", "a;b", "a=b", "[x](y)", "| a |", "<b>", "<!-- x -->", "](http://x", "localhost", "127.0.0.1", "::1",
    "999.9.9.9", "postgres", "root", "default", "kube-system", "vault", "main", "kit", "own", "data", "*", "system:masters", "999999Gi", "0", "-1",
]  # fmt: skip
"""What HCL, YAML, Jinja, shells, Markdown, paths, names and quantities find special."""
NEEDED = {
    "name": "kit", "description": "d it", "image": "docker.io/library/nginx:1.29.0", "port": 8080, "backend": "192.0.2.7",
    "gate_reason": "guests look at it", "cron_jobs": [{"name": "nightly", "schedule": "5 1 * * *"}], "memory": "1Gi",
    "host": "kit.example.org", "dns": "none",
}  # fmt: skip
"""What is missing where a set's own was refused."""
ROUNDS = 12
PLANNED, READ_AGAIN = 50, 10
"""One set of so many is planned, and one is read by the second reader, which takes two thirds of a run."""


@cache
def sources() -> tuple[dict[str, Any], ...]:
    """The answers of every example, valid and not."""
    files = [path for kind in ("valid", "real", "invalid") for path in sorted((ANSWERS / kind).glob("*.yml"))]
    read = (from_yaml(path.read_bytes(), path.name).values for path in files)
    return tuple(dict(values) for values in read if values)


def mixed(seed: int) -> dict[str, Any]:
    """One set: a Service's answers, some of others', hostile text in up to half of the texts."""
    draw = random.Random(seed)
    values = dict(draw.choice(sources()))
    for _ in range(draw.randint(0, 14)):
        other = draw.choice(sources())
        name = draw.choice(sorted(other, key=str))
        values[name] = other[name]
    share = draw.choice([0.02, 0.1, 0.5])
    return {key: _spoilt(value, share, draw) for key, value in values.items()}


def _spoilt(value: Any, share: float, draw: random.Random) -> Any:
    if isinstance(value, dict):
        return {
            _spoilt(key, share / 10, draw) if isinstance(key, str) else key: _spoilt(item, share, draw)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_spoilt(item, share, draw) for item in value]
    if draw.random() >= share:
        return value
    if not isinstance(value, str):
        return draw.choice([value, draw.choice(HOSTILE), None, [], {}, -1, 2**63, 0.5])
    text = draw.choice(HOSTILE)
    return draw.choice(
        [text, value + text, text + value, value[: len(value) // 2] + text + value[len(value) // 2 :]]
    )


def told(error: Exception) -> None:
    """What a refusal owes: every finding names its answer and a way out, and nothing rules the terminal."""
    assert isinstance(error, AnswersError | RefusedError)
    text = error_text(error)
    assert all(character.isprintable() or character == "\n" for character in text), ascii(text)
    for finding in error.findings:
        assert finding.message
        assert finding.fix or finding.allowed, finding


def mended(answers: Answers, findings: Sequence[Finding]) -> Mapping[str, Any]:
    """The answers without what findings name, and with what they miss."""
    named = {str(about(finding.answer or "")[0]): finding.code for finding in findings if finding.answer}
    left = validation.valid_part(answers, findings).values
    if left == answers.values:  # what is wrong is named as a part that cannot be left out alone
        left = {name: value for name, value in left.items() if name not in named}
    missing = [name for name in NEEDED if name in named.keys() - answers.values.keys()]
    return {**left, **{name: NEEDED[name] for name in missing}}


def taken(monorepo: Monorepo, values: Mapping[str, Any], level: Level) -> tuple[str, Mapping[str, Any]]:
    """How a set ends, after what is refused was left out, and what is left of it."""
    for _ in range(ROUNDS):
        answers = Answers(values)
        try:
            prepared = new_service.prepare(monorepo, answers, level=level, template_source=ORIGIN.source)
        except AnswersError as error:
            told(error)
            assert error.findings
            values = mended(answers, error.findings)
        except RefusedError as error:
            told(error)
            return "refused for what exists", values
        else:
            assert prepared.stack is not None
            path = PurePosixPath(STACKS, prepared.service, ANSWERS_FILE)
            (recorded,) = (file.after for file in prepared.stack.change.changes if file.path == path)
            assert isinstance(recorded, bytes)
            exact = yaml.load(recorded, FAST_LOADER)
            more = known(values)
            for key, value in values.items():
                assert exact[key] == more.completed(key, value), "recorded as it was given"
            return f"taken, {prepared.stack.verified.level.value}", values
    return "refused in every round", values


@needs("terraform")
@pytest.mark.slow("renders and verifies a stack for each set")
@settings(examples(40), phases=[Phase.generate])
@given(seed=st.integers(0, 2**64))
def test_hostile_answers_are_refused_or_come_out_as_they_are(pristine: Monorepo, seed: int) -> None:
    values = mixed(seed)
    chance = zlib.crc32(json.dumps(values, default=str).encode())
    note(json.dumps(values, default=str))
    with pytest.MonkeyPatch.context() as patch:
        if chance % READ_AGAIN:
            patch.setattr(verify, "read_again", lambda _: SecondReading())
        level = Level.STATIC if chance % PLANNED else Level.PLAN
        end, left = taken(pristine, values, level)
    event(end)
    event(f"{end}, {'whole' if left == values else 'in part'}")

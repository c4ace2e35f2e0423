"""What the wizard does in the background while a person types."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Mapping

import pytest

from scaffold.errors import Finding
from scaffold.templates.questions import Value
from scaffold.wizard.judging import Judgements
from scaffold.wizard.terminal import attentive


def test_answers_that_are_being_judged_are_not_judged_twice() -> None:
    begun, ended = threading.Event(), threading.Event()
    judged: list[Mapping[str, Value]] = []

    def judge(values: Mapping[str, Value]) -> list[Finding]:
        judged.append(values)
        begun.set()
        assert ended.wait(60)
        return [Finding("answers.yml", None, None, "answers.missing", "name is missing.")]

    judgements = Judgements(judge)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(judgements.of({"build": "own"}))) for _ in "ab"]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    ended.set()
    for thread in threads:
        thread.join()
    assert len(judged) == 1 and len(found) == 2
    assert found[0] is found[1] is judgements.of({"build": "own"})
    judgements.of({"build": "upstream"})
    assert len(judged) == 2


def test_python_runs_as_before_once_the_wizard_is_closed() -> None:
    def settings() -> tuple[object, ...]:
        return gc.get_threshold(), sys.getswitchinterval(), gc.get_freeze_count() > 0

    gc.unfreeze()  # a wizard of another test may have frozen what was there
    before = settings()
    with pytest.raises(KeyboardInterrupt), attentive():
        assert all(now != then for now, then in zip(settings(), before, strict=True))
        raise KeyboardInterrupt
    assert settings() == before

"""A wizard's state as plain data, for a draft, and back."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.answers.sources import Path, parse, show
from scaffold.errors import ScaffoldError, UsageError
from scaffold.templates import questions
from scaffold.templates.questions import Value
from scaffold.wizard.state import State


def to_draft(state: State) -> dict[str, Value]:
    """What a draft stores."""
    return {
        "given": dict(state.given),
        "suggested": dict(state.suggested),
        "said": {show(path): value for path, value in state.said.items()},
        "accepted": sorted(show(path) for path in state.accepted),
        "forced": sorted(show(path) for path in state.forced),
    }


def from_draft(draft: Mapping[str, Value]) -> State:
    """The state that a draft stores; answers to questions that no longer exist are left out.

    Raises :class:`UsageError` for anything that :func:`to_draft` does not write.
    """
    try:
        return State(
            _known(draft["given"]),
            _known(draft["suggested"]),
            {
                path: value
                for text, value in draft["said"].items()
                if (path := parse(text))[0] in questions.asked()
            },
            _paths(draft["accepted"]),
            _paths(draft["forced"]),
        )
    except (KeyError, TypeError, AttributeError, ScaffoldError) as error:
        raise UsageError("The draft is damaged.", "Start again, without --resume.") from error


def _known(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in questions.asked()}


def _paths(texts: list[str]) -> frozenset[Path]:
    return frozenset(path for text in texts if (path := parse(text))[0] in questions.asked())

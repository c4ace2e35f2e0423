"""The templates in declarations: conditions, and texts that depend on answers."""

from __future__ import annotations

from collections.abc import Mapping

from scaffold.templates import decisions
from scaffold.templates.questions import Value


def holds(condition: str | bool, values: Mapping[str, Value]) -> bool:
    """Whether a condition holds for these values."""
    return condition if isinstance(condition, bool) else rendered(condition, values) == "True"


def rendered(text: str, values: Mapping[str, Value]) -> str:
    """A text of a declaration; most are no templates."""
    return decisions.compiled(text).render(values) if "{{" in text else text

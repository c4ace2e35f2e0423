"""A step: what a person has to do because no change of files can do it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class When(Enum):
    """When a step is taken."""

    FIRST = "first"
    """Before the files are changed."""
    NEXT = "next"
    AFTER_APPLY = "after-apply"
    """Once the stack is applied."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a person has to do, and the command for it, if there is one."""

    text: str
    command: str = ""
    when: When = When.NEXT
    every_time: bool = False
    """Whether every change of a Service asks for it again."""

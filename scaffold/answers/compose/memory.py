"""The memory that a program of a file is told to take: its container needs that, and some more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.answers.compose import facts
from scaffold.answers.compose.forms import mebibytes, quantity, words
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.sources import Path
from scaffold.reading import mapping
from scaffold.templates.questions import Value


def enough(part: Part, found: Mapping[str, Value], usual: str, ledger: Ledger) -> Mapping[str, Value]:
    """A container's resources, with no less memory than its program needs unless the file limits it.

    ``usual`` is what it gets where ``found`` says nothing. It is taken down at the variable or the command.
    """
    needs = needed(part)
    if needs <= (mebibytes(found.get("memory") or usual) or 0):
        return found
    size = quantity(f"{needs}m")
    most, at = max(_told(part))
    if at in ledger.entries:
        why = f"with {size} of memory, since it says that the program may take {quantity(f'{most}m')}"
        ledger.noted(at, why)
    return {"memory": size, **{answer: value for answer, value in found.items() if answer != "memory"}}


def needed(part: Part) -> int:
    """The Mi that a container has to have for its program; 0 if nothing says so, or the file limits it."""
    limits = mapping(mapping(mapping(part.body.get("deploy")).get("resources")).get("limits"))
    if limits.get("memory") or part.body.get("mem_limit"):
        return 0
    most, _ = max(_told(part), default=(0, ()))
    more: int = facts()["program_memory"]["more_percent"]
    return most * (100 + more) // 100


def _told(part: Part) -> Iterator[tuple[int, Path]]:
    """What variables and commands say that the program takes at most, in Mi, and where."""
    said: list[tuple[Path, str]]
    said = [(part.given(name), f"{name}={value}") for name, value in part.variables.items()]
    said += [((*part.at, key), " ".join(words(part.body.get(key)))) for key in ("entrypoint", "command")]
    for at, text in said:
        for pattern in facts()["program_memory"]["told"]:
            for found in re.finditer(pattern, text):
                number, unit = (*found.groups(), "m")[:2]
                yield mebibytes(f"{number}{unit}") or 0, at

"""The steps of a process that change something on disk, counted, so that it can be killed at any of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import wraps
from typing import Any

CHANGING = ("write", "fsync", "replace", "unlink", "mkdir", "rmdir", "symlink", "fchmod")


def counted(at: int, end: Callable[[], object]) -> Callable[[], int]:
    """Count this process's steps from now on, and call ``end`` just before the one numbered ``at``.

    To start a program is a step too, and there ``end`` comes right after. Returns what tells how many there
    were. For a process of one's own: nothing is put back.
    """
    taken = 0

    def is_due() -> bool:
        nonlocal taken
        taken += 1
        return taken == at

    def step(real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def taking(*arguments: Any, **named: Any) -> Any:
            if is_due():
                end()
            return real(*arguments, **named)

        return taking

    begin = subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def begun(*arguments: Any) -> None:
        begin(*arguments)
        if is_due():
            end()

    for name in CHANGING:
        setattr(os, name, step(getattr(os, name)))
    subprocess.Popen._execute_child = begun  # type: ignore[attr-defined]
    return lambda: taken

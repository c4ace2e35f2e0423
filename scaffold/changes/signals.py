"""Signals that ask a process to end become exceptions, so that what was begun is cleaned up."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""The signals by which others end a process."""
_MOMENT = 5.0
"""Seconds that ending may take. What asks again meanwhile would break the cleaning up off."""


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """While it runs, a signal that would end this process at once raises ``SystemExit`` in the main thread.

    It is raised once for all that come within a moment: who closes a window sends several.
    A signal that is ignored, or handled already, stays so; elsewhere than in the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked_at = float("-inf")

    def end(number: int, _: FrameType | None) -> None:
        nonlocal asked_at
        now = time.monotonic()
        if now - asked_at >= _MOMENT:
            asked_at = now
            raise SystemExit(128 + number)

    taken = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)

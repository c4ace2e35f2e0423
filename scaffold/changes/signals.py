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
    An interrupt raises ``KeyboardInterrupt`` as ever, but only the first does: another one would end what
    cleans up after it, up to the end of the process. A signal that is ignored, or handled already, stays
    so; elsewhere than in the main thread nothing is done.
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

    ours = {**dict.fromkeys(ENDING, end), signal.SIGINT: _interrupt}
    before = {number: signal.getsignal(number) for number in ours}
    usual = (signal.SIG_DFL, signal.default_int_handler)
    taken = [number for number in ours if before[number] in usual]
    for number in taken:
        signal.signal(number, ours[number])
    try:
        yield
    finally:
        for number in taken:
            if signal.getsignal(number) is ours[number]:
                signal.signal(number, before[number])


def no_more_interrupts() -> None:
    """From now on an interrupt changes nothing: this process ends already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(_: int, __: FrameType | None) -> None:
    no_more_interrupts()
    raise KeyboardInterrupt

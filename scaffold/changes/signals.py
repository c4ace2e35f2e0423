"""Signals that ask a process to end become exceptions, so that what was begun is cleaned up."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""The signals by which others end a process, and a key of the terminal while it is asked nothing."""
_MOMENT = 5.0
"""Seconds that ending may take. What asks again meanwhile would break the cleaning up off."""


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """While it is active, a signal that would end this process raises an exception in the main thread.

    An interrupt raises ``KeyboardInterrupt`` as usual, the others ``SystemExit``, once for all that arrive in
    a moment: a terminal that is closed sends several, and another one would end the cleaning up after the
    first. A signal that is ignored, or handled already, stays so; outside the main thread, nothing is done.
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
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    ours = dict.fromkeys((*ENDING, signal.SIGINT), end)
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
    """Ignore interrupts from now on: this process is already ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

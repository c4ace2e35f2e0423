"""Signals that ask a process to end become exceptions, so that what was begun is cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_by_exception() -> Iterator[None]:
    """While it runs, a signal that would end this process at once raises ``SystemExit`` in the main thread.

    An interrupt raises ``KeyboardInterrupt`` as ever, but only the first does: another one would end what
    cleans up after it, up to the end of the process. A signal that is ignored, or handled already, stays
    so; elsewhere than in the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = {signal.SIGTERM: _end, signal.SIGHUP: _end, signal.SIGINT: _interrupt}
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


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _interrupt(_: int, __: FrameType | None) -> None:
    no_more_interrupts()
    raise KeyboardInterrupt

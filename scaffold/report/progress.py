"""Saying that something takes a while: only in a terminal, and only after half a second."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_SECONDS = 0.5


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show ``text`` on standard error while the body runs, if it takes long, and remove it afterwards."""
    target = sys.stderr
    if not target.isatty():
        yield
        return
    moves = os.environ.get("TERM", "dumb") != "dumb"
    lock = threading.Lock()
    told = over = False

    def tell() -> None:
        nonlocal told
        with lock:
            if not over:
                target.write(text if moves else f"{text}\n")
                target.flush()
                told = True

    timer = threading.Timer(_PATIENCE_SECONDS, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            over = True
            if told and moves:
                target.write("\r\033[K")
                target.flush()

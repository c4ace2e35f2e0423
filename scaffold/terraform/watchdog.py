"""Beside a run: when the run is gone, whatever the reason, its processes and its directory go too.

Started as ``python -I -S watchdog.py DIRECTORY`` in a session of its own, so that neither Ctrl-C nor the end
of the terminal reaches it. Its standard input is a pipe that only the run holds: the end of the pipe is the
end of the run, even by SIGKILL. Lines on the pipe say which process groups belong to the run: ``+123`` from
now on, ``-123`` no longer. It imports nothing of the project, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

_ATTEMPTS = 50
_PAUSE = 0.02


def watch(directory: str) -> None:
    """Read the pipe to its end, then end the groups still named and remove the directory."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    # A killed process may still finish the system call it was in, and with it create a file.
    for _ in range(_ATTEMPTS):
        shutil.rmtree(directory, ignore_errors=True)
        if not os.path.lexists(directory):
            return
        time.sleep(_PAUSE)


if __name__ == "__main__":
    watch(sys.argv[1])

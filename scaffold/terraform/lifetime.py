"""The private directory of a run, which is removed with it.

The context manager ends the processes and removes the directory after success, errors, interrupts and the
signals that ask a process to end. If this process is killed, Terraform loses the providers that it serves and
ends by itself, and the next run removes the directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from scaffold.changes.signals import ended_by_exception
from scaffold.terraform.confine import Layer, confine

PREFIX = "scaffold-plan-"
_LOCK = "lock"
_NEW_LOCK = "lock.new"
_GRACE = 60.0
"""Seconds in which a directory may exist before its lock does."""
_LONGEST_PARENT = 60
"""A socket's path has room for about a hundred bytes, on macOS four less than on Linux."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended; ``code`` is negative where a signal ended it."""

    code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


@dataclass(slots=True, eq=False)
class Run:
    """One run: its directory, and the processes it starts."""

    directory: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _children: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _closed: bool = False
    _starter: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1))

    def confine(self, program: Path) -> frozenset[Layer]:
        """Confine what will be started, as far as the system can; returns what is kept from it.

        It is started by a thread of its own, which is confined so that nothing else of this process is.
        """
        return self._starter.submit(confine, program, self.directory).result()

    def result(
        self,
        argv: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        timeout: float,
        meanwhile: Callable[[], object] | None = None,
    ) -> Finished:
        """How a program ends, in a process group that ends with this run.

        After ``timeout`` seconds it is killed and ``timed_out`` set. ``meanwhile`` is called once it runs; an
        error there is not this one's. Raises ``OSError`` if it cannot start.
        """
        child = self._starter.submit(self._start, argv, cwd, environment).result()
        if meanwhile is not None:
            with contextlib.suppress(Exception):
                meanwhile()
        try:
            stdout, stderr = child.communicate(timeout=timeout)
            return Finished(child.returncode, stdout, stderr)
        except subprocess.TimeoutExpired:
            _kill(child)
            stdout, stderr = child.communicate()
            return Finished(child.returncode, stdout, stderr, timed_out=True)
        finally:
            # On an interrupt it still runs: then it stays with the run, which ends it.
            if child.returncode is not None:
                with self._lock:
                    self._children.discard(child)

    def _start(
        self, argv: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise RuntimeError("the run is over")
            child = subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
            self._children.add(child)
        return child

    def kill(self) -> None:
        """End what is still running, and start nothing more."""
        with self._lock:
            self._closed = True
            for child in self._children:
                _kill(child)

    def close(self) -> None:
        """End what is still running, and remove the directory."""
        self.kill()
        for child in list(self._children):
            child.wait()
        self._starter.shutdown(wait=False)
        shutil.rmtree(self.directory, ignore_errors=True)


_RUNNING: list[Run] = []


@contextmanager
def private_run() -> Iterator[Run]:
    """A run with a directory that only this user can enter; both are gone afterwards.

    Raises nothing of its own: directories of dead runs that cannot be swept are left to the next one.
    """
    parent = _parent()
    sweep(parent)
    # Without links in it: Terraform compares paths in it with what the system calls the current directory.
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
    with (directory / _NEW_LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Held before it has its name: the sweep of another run must never find it free.
        (directory / _NEW_LOCK).rename(directory / _LOCK)
        run = Run(directory)
        _RUNNING.append(run)
        with ended_by_exception():
            try:
                yield run
            finally:
                run.close()
                _RUNNING.remove(run)


def end_all() -> None:
    """End what runs in other threads: its result is not needed, and Python would wait for them."""
    for run in list(_RUNNING):
        run.kill()


def sweep(parent: Path | None = None) -> None:
    """Remove the directories of this user's runs that are no longer alive: nobody holds their lock."""
    for directory in (parent or _parent()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            status = directory.lstat()
            if status.st_uid == os.getuid() and not directory.is_symlink() and not _alive(directory, status):
                shutil.rmtree(directory, ignore_errors=True)


def _alive(directory: Path, status: os.stat_result) -> bool:
    try:
        with (directory / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return time.time() - status.st_mtime < _GRACE
    return False


def _parent() -> Path:
    chosen = Path(tempfile.gettempdir())
    return chosen if len(os.fsencode(chosen)) <= _LONGEST_PARENT else Path("/tmp")


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, 9)

"""What the system keeps from Terraform, whatever a stack makes it do: the network, and the user's files.

Linux confines single threads, without privileges, and what a thread starts inherits it: seccomp refuses every
socket but unix ones (the provider schemas come through one), Landlock every file except those of the run, the
program and its libraries. A network namespace would need a process of its own, as this one has threads, and
nine milliseconds for each command. If the system has neither, only the rewriting protects.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from enum import Enum
from pathlib import Path


class Layer(Enum):
    """One of the things that the system keeps from Terraform."""

    NETWORK = "network"
    FILES = "files"


_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_MACHINES = {"x86_64": (0xC000003E, 41, 62), "aarch64": (0xC00000B7, 198, 183)}
"""By machine: its number in the audit interface, that of the call ``socket``, and that in ELF files."""
_IO_URING_SETUP = 425
_AF_UNIX = 1
_REFUSE, _ALLOW = 0x00050000 | 13, 0x7FFF0000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights the versions of Landlock know; since the fifth there are sixteen."""
_LIBRARIES = ("/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache")


def confine(program: Path, directory: Path) -> frozenset[Layer]:
    """Confine this thread and everything that it starts: ``program``, with ``directory`` for its files.

    Returns what holds; nothing is raised where the system cannot do it. A script may start any program, so
    what that reads is not known.
    """
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or sys.maxsize < 2**32 or machine is None:
        return frozenset()
    try:
        with program.open("rb") as file:
            head = file.read(20)
        libc = ctypes.CDLL(None, use_errno=True)
        native = head[:5] == b"\x7fELF\x02" and head[18:20] == struct.pack("=H", machine[2])
        if not (native or head[:2] == b"#!") or libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return frozenset()
        held = {Layer.FILES} if native and _keep_files(libc, program, directory) else set()
        return frozenset(held | ({Layer.NETWORK} if _keep_network(libc, machine[0], machine[1]) else set()))
    except (OSError, AttributeError):
        return frozenset()


def _keep_network(libc: ctypes.CDLL, audit: int, socket: int) -> bool:
    """Refuse every socket that is not a unix socket, and what could make one past this filter."""
    code = (
        (_LOAD, 0, 0, 4),  # the machine
        (_EQUAL, 0, 5, audit),
        (_LOAD, 0, 0, 0),  # the call
        (_EQUAL, 3, 0, _IO_URING_SETUP),
        (_EQUAL, 0, 3, socket),
        (_LOAD, 0, 0, 16),  # its first argument
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )
    filter_ = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(filter_)))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _keep_files(libc: ctypes.CDLL, program: Path, directory: Path) -> bool:
    """Refuse every file but those of the run, the program and its libraries."""
    version = libc.syscall(_CREATE, None, 0, 1)
    if version < 1:
        return False
    every = (1 << _RIGHTS.get(version, 16)) - 1
    rules = libc.syscall(_CREATE, struct.pack("=Q", every), 8, 0)
    if rules < 0:
        return False
    try:
        allowed = {directory: every & ~_EXECUTE, program.resolve(): _EXECUTE | _READ}
        allowed[Path(os.devnull)] = _READ | _WRITE  # its standard input
        for path, rights in allowed.items():
            if not _allow(libc, rules, path, rights):
                return False
        for path in filter(Path.exists, map(Path, _LIBRARIES)):
            _allow(libc, rules, path, _EXECUTE | _READ | (_LIST if path.is_dir() else 0))
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> bool:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return bool(libc.syscall(_ADD, rules, 1, struct.pack("=Qi", rights, place), 0) == 0)
    finally:
        os.close(place)

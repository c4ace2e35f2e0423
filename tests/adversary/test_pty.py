"""Random keys, signals and windows: the wizard ends as it says, and leaves the terminal as it was.

`dev test --fuzz N` draws N sessions.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from support import ORIGIN, examples, keep_output

from scaffold.cli.group import DEFECT, INTERRUPTED
from scaffold.monorepo.repository import Monorepo

SHELL = ["-c", 'trap : TERM HUP INT QUIT; stty -g; "$@"; echo "ended $?"; stty -g', "sh"]
"""A shell that outlives the wizard, and tells how the terminal was before and is after it."""
CTRL_C, CTRL_Q, CTRL_U, ENTER = "\x03", "\x11", "\x15", "\r"
TYPED = [
    "a", "kit", "1", "99", "0", "-1", "/data=2Gi", "A=1 B=2", "docker.io/library/nginx:1.29.0", "8080", "yes", "n", "?", "Grüße", "你好",
    "👩‍👩‍👧", "e\u0301", "\u202e", "${x}", "{{ x }}", "'", '"', "\\", " ", "\t", "x" * 400, "s", "q", "~", "[", "{",
]  # fmt: skip
KEYS = [
    *[ENTER] * 12, *(f"\x1b[{key}" for key in ("A", "B", "C", "D", "H", "F", "Z", "3~", "5~", "6~", "1;5C", "15~", "200~x\r\x1b[201~", "999z")),
    "\x1bOP", "\x1b", "\x1b\x1b", "\x1bx", "\x1b\r", "\x1b[", *(chr(code) for code in range(1, 32) if chr(code) != CTRL_C), "\x7f", "\x80",
]  # fmt: skip
ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
TERMS = ["xterm-256color", "xterm", "screen", "linux", "vt100", "dumb", "ansi", "nonsense", ""]
PATIENCE = 60.0
"""Seconds for a wizard that was told to end."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is done in one terminal: each step is keys, a signal or a new width, after a pause."""

    columns: int
    term: str
    arguments: tuple[str, ...]
    steps: tuple[tuple[float, str | int | signal.Signals], ...]
    last: str | signal.Signals


def sessions() -> st.SearchStrategy[Session]:
    keys = st.sampled_from(KEYS) | st.sampled_from(TYPED).map(lambda text: CTRL_U + text + ENTER)
    widths = st.sampled_from([1, 2, 5, 20]) | st.integers(1, 300)
    pauses = st.sampled_from([0.0, 0.0, 0.05, 0.2])
    return st.builds(
        Session,
        widths,
        st.sampled_from(TERMS),
        st.sampled_from([(), (), (), ("--plain",), ("--set", "gate=app"), ("--set", "name=kit")]),
        st.lists(st.tuples(pauses, keys | keys | keys | widths), min_size=5, max_size=60).map(tuple),
        st.sampled_from([CTRL_C, *ENDS]),
    )


def played(monorepo: Path, session: Session, home: Path) -> str:
    """What a terminal has shown when the wizard, and the shell around it, have ended."""
    wizard = [
        sys.executable,
        "-m",
        "scaffold",
        "new-service",
        "--verify=static",
        f"--template-source={ORIGIN.source}",
    ]
    child = pexpect.spawn(
        "sh",
        [*SHELL, *wizard, *session.arguments],
        cwd=str(monorepo),
        env={**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home), "TERM": session.term},
        dimensions=(24, session.columns),
        encoding="utf-8",
        codec_errors="replace",
        preexec_fn=_as_from_a_shell,
    )
    child.delaybeforesend = None
    seen = ""

    def read(seconds: float) -> bool:
        nonlocal seen
        try:
            seen += child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True

    def begun() -> bool:
        return bool(re.search(r"\x1b\[\?2004h|Enter takes |ended ", seen))

    def until(done: Callable[[], bool]) -> None:
        start = time.monotonic()
        while not done() and read(0.05):
            assert time.monotonic() < start + PATIENCE, f"hangs after {seen[-500:]!r}"

    until(begun)
    for pause, step in session.steps:
        time.sleep(pause)
        if isinstance(step, str):
            child.send(step)
        else:
            child.setwinsize(24, step)
        if not read(0):
            break
    presses = 0
    start = time.monotonic()
    while read(0.3):
        if presses < 40 and "ended " not in seen:  # a key may be taken as typed, or for the end of a paste
            presses += 1
            if isinstance(session.last, str):
                child.send(CTRL_Q + "\x1b[201~" + session.last)  # Ctrl-S may have stopped the output
            else:
                child.send(CTRL_Q)
                os.killpg(child.pid, session.last)
        assert time.monotonic() < start + PATIENCE, f"hangs after {seen[-500:]!r}"
    child.close()
    return seen


def _as_from_a_shell() -> None:
    keep_output(0)
    for number in (*ENDS, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.slow("a whole wizard a session")
@settings(examples(12), phases=[Phase.generate])
@given(session=sessions())
def test_whatever_is_pressed_the_terminal_is_as_before(
    pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory, session: Session
) -> None:
    place = tmp_path_factory.mktemp("session")
    shutil.copytree(pristine.root, place / "monorepo", symlinks=True)
    seen = played(place / "monorepo", session, place)
    text = re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()].|[=>])", "", seen)
    assert not re.search("Traceback|Exception|defect", text), text[-3000:]
    ended = re.search(r"ended (\d+)", text)
    assert ended, text[-2000:]
    code = int(ended[1])
    assert code != DEFECT
    plain = "--plain" in session.arguments or "Number [" in text
    # The key of the last is the terminal's own wherever no prompt is drawn.
    ends = [*ENDS, signal.SIGQUIT]
    assert code in (0, 2, 3, 4, INTERRUPTED, *(128 + number for number in ends)), text[-2000:]
    modes = re.findall(r"[0-9a-f]+(?::[0-9a-f]+){20,}", text)
    assert modes[0] == modes[-1], "the modes of the terminal"
    for on, off in (
        ("\x1b[?25l", "\x1b[?25h"),
        ("\x1b[?2004h", "\x1b[?2004l"),
        ("\x1b[?1049h", "\x1b[?1049l"),
    ):
        assert seen.rfind(on) < seen.rfind(off) or on not in seen, f"{off!r} is missing"
    event(f"ended {code}, {'plain' if plain else 'drawn'}")
    shutil.rmtree(place)

"""The wizard in a real terminal: what is seen, what keys do, and what is written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml
from support import ANSWERS, GOLDEN, keep_output, needs, scaffold

from scaffold.monorepo.repository import Monorepo

ENTER, DOWN, ESC, CTRL_B, CTRL_C, CTRL_U, F1 = "\r", "\x1b[B", "\x1b", "\x02", "\x03", "\x15", "\x1bOP"
SOURCE = "--template-source=https://git.example.test/scaffold.git"
FILES = [".copier-answers.yml", "main.tf", "terragrunt.hcl"]
PATIENCE = 600.0
"""Seconds without what has to come: a loaded machine is slow, and only a failure waits so long."""
TERMINAL = "a process in a terminal; others like it are quick"
ANY = "\0"
NEXT = "A number changes that answer"

WHAT = [("How is it built", ENTER), ("What is it, seen from outside", ENTER)]
CORE = [
    ("What gates the app", ENTER),
    ("Paths with a gate", ENTER),
    ("Is its data sensitive", ENTER),
    ("Does it need RWX", ENTER),
]

DRONE = [
    *WHAT,
    ("The image, with its registry", "ghcr.io/arpanghosh8453/open-dronelog:1.0.0" + ENTER),
    ("The Service's name", CTRL_U + "drone-logbook" + ENTER),
    ("What it is, in a few words", "Flight log analyzer for DJI drones" + ENTER),
    *CORE,
    ("Environment variables", "KEEP_UPLOADED_FILES=true SYNC_LOGS_PATH=/sync-logs" + ENTER),
    ("What it keeps on disk", "/data/drone-logbook=2Gi /sync-logs" + ENTER),
    ("/data/drone-logbook: Whether several pods", ENTER),
    ("A database that the app keeps", DOWN + DOWN + ENTER),
    ("/sync-logs: Whether several pods", DOWN + DOWN + ENTER),
    ("Whether the app only reads", DOWN + ENTER),
    ("Secrets from Vault", "PROFILE_CREATION_PASS" + ENTER),
]
"""What a person presses for drone-logbook, up to the review."""
CHANGES = ["memory=512Mi", "host=dronelog", "homepage_group=Media & Entertainment"]
"""What a person changes there."""

IP_ECHO = [
    *WHAT,
    ("The image, with its registry", "docker.io/mpolden/echoip:2.0.1" + ENTER),
    ("The Service's name", CTRL_U + "ip-echo" + ENTER),
    ("What it is, in a few words", "Tells visitors their address" + ENTER),
    *CORE[:2],
    ("Is its data sensitive", "n" + ENTER),
    CORE[3],
    ("Environment variables", ENTER),
    ("What it keeps on disk", ENTER),
    ("Secrets from Vault", ENTER),
]

SKETCHPAD = [
    ("How is it built", DOWN + ENTER),
    WHAT[1],
    ("The Service's name", "wall-board" + ENTER),
    ("What it is, in a few words", "Boards to draw on" + ENTER),
    ("What gates the app", "a" + ENTER),
    ("Why is that safe", "Every board is behind a login of its own" + ENTER),
    *CORE[2:],
    ("What kind of app is it", ENTER),
    ("The Namespace tier", ENTER),
    ("The port that the app listens on", "8080" + ENTER),
    ("The path that answers", ENTER),
    ("Environment variables", ENTER),
    ("The memory limit", ENTER),
    ("Its host name", ENTER),
    ("Which DNS record", ENTER),
    ("How many requests", ENTER),
    ("What it keeps on disk", ENTER),
    ("Secrets from Vault", ENTER),
    ("a shared database host", ENTER),
    ("Where it serves metrics", ENTER),
    ("What has to pass before", ENTER),
    ("Where is the clone", ENTER),
]


def as_from_a_shell() -> None:
    """Undo what ``nohup`` or a job in the background has ignored: a terminal's program hears its keys."""
    keep_output(0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A wizard in a terminal of its own."""

    def __init__(
        self,
        monorepo: Monorepo,
        *arguments: str,
        columns: int = 100,
        within: Sequence[str] = (),
        **environment: str,
    ) -> None:
        wizard = [sys.executable, "-m", "scaffold", "new-service", SOURCE, "--verify=static", *arguments]
        command, *rest = [*within, *wizard]
        self.seen = self.unread = ""
        self.child = pexpect.spawn(
            command,
            rest,
            cwd=str(monorepo.root),
            env={**os.environ, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1", **environment},
            dimensions=(60, columns),
            encoding="utf-8",
            timeout=PATIENCE,
            preexec_fn=as_from_a_shell,
        )
        self.child.delaybeforesend = None

    def sees(self, text: str) -> str:
        """Wait for a text, and return what came up to it."""
        patience = time.monotonic() + PATIENCE
        while (at := found(text, self.unread)) is None:
            try:
                self.unread += self.child.read_nonblocking(4096, patience - time.monotonic())
            except (pexpect.TIMEOUT, pexpect.EOF):
                raise AssertionError(f"{text!r} is not seen in {plain(self.unread)[-2000:]!r}") from None
        before, self.unread = self.unread[: at.start], self.unread[at.stop :]
        self.seen += before + text
        return plain(before)

    def press(self, keys: str) -> None:
        self.child.send(keys)

    def answer(self, script: list[tuple[str, str]]) -> None:
        for title, keys in script:
            self.sees(title)
            self.press(keys)

    def ends(self, code: int) -> str:
        self.child.expect(pexpect.EOF)
        rest, self.unread = self.unread + self.child.before, ""
        self.seen += rest
        self.child.close()
        assert self.child.exitstatus == code, plain(self.seen)[-2000:]
        return plain(rest)


def found(text: str, output: str) -> slice | None:
    """Where a text is in a terminal's output.

    What is drawn over a former screen leaves out the few characters that stay as they are, and which those
    are depends on how much was drawn at once: a small move to the right stands for any characters. A blank may
    be where a line ends.
    """
    cells, places = "", []
    for piece in re.finditer(
        r"\x1b\[(\d*)C|\x1b\[[0-9;]*m|\x1b(?:\[[0-9;?]*[a-zA-Z]|[()].|[=>])|.", output, re.DOTALL
    ):
        shown = piece[0]
        if shown.endswith("m") and len(shown) > 1:
            continue
        if len(shown) > 1:
            skipped = int(piece[1] or 1) if piece[1] is not None else 0
            shown = ANY * skipped if skipped <= 3 else "\n"
        cells += shown or "\n"
        places += [piece.span()] * len(shown or "\n")
    pattern = re.compile(
        "".join(rf"(?:{ANY}|\s+)" if c == " " else f"(?:{re.escape(c)}|{ANY})" for c in text)
    )
    match = pattern.search(cells)
    while match is not None and match[0].count(ANY) * 2 > len(text):
        match = pattern.search(cells, match.start() + 1)
    return None if match is None else slice(places[match.start()][0], places[match.end() - 1][1])


def plain(text: str) -> str:
    # A carriage return alone begins the line anew, as the progress of a slow command does.
    return re.sub(r"\r+\n?", "\n", re.sub(r"\x1b(\[[0-9;?]*[a-zA-Z]|[()].|[=>])", "", text))


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("NO_COLOR", "ACCESSIBLE"):
        monkeypatch.delenv(name, raising=False)
    yield


def change(terminal: Terminal, name: str, title: str, text: str) -> None:
    """Change one answer in the review, by the number that the list of all gives it."""
    terminal.sees(NEXT)
    terminal.press("l" + ENTER)
    terminal.sees("Left empty")
    terminal.sees(NEXT)
    number = re.findall(rf"(\d+) {name} ", plain(terminal.seen))[-1]
    terminal.press(number + ENTER)
    terminal.sees(title)
    terminal.press(CTRL_U + text + ENTER)


def stack(monorepo: Monorepo, name: str) -> dict[str, bytes]:
    return {file: (monorepo.stack_directory(name) / file).read_bytes() for file in FILES}


def again(monorepo: Monorepo, answers: Path, name: str) -> dict[str, bytes]:
    """What the saved answers give in a monorepo without the stack."""
    for file in FILES:
        (monorepo.stack_directory(name) / file).unlink()
    monorepo.stack_directory(name).rmdir()
    done = scaffold("new-service", SOURCE, "--verify=static", "--answers", answers, cwd=monorepo.root)
    assert done.returncode == 0, done.stderr
    return stack(monorepo, name)


def test_drone_logbook_is_what_its_answer_file_gives(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo)
    terminal.answer(DRONE)
    change(terminal, "memory", "The memory limit", "512Mi")
    for setting in CHANGES[1:]:
        terminal.sees(NEXT)
        terminal.press(setting + ENTER)
    terminal.sees(NEXT)
    terminal.press("a" + ENTER)
    told = terminal.ends(0)
    assert "drone-logbook: written" in told
    assert "Each with its commands: scaffold next drone-logbook" in told
    golden = {name: (GOLDEN / "drone-logbook" / "stack" / name).read_bytes() for name in FILES}
    written = stack(monorepo, "drone-logbook")
    answers = ".copier-answers.yml"
    asked, told_at_once = (yaml.safe_load(files[answers]) for files in (written, golden))
    assert set(asked.pop("given")) == {*told_at_once.pop("given"), "rwx"}
    assert {**asked, "hash": ""} == {**told_at_once, "rwx": False, "hash": ""}
    assert {**written, answers: b""} == {**golden, answers: b""}
    saved = kept(told)
    assert again(monorepo, saved, "drone-logbook") == written


@pytest.mark.slow(TERMINAL)
@pytest.mark.parametrize(
    ("script", "name"), [(IP_ECHO, "ip-echo"), (SKETCHPAD, "wall-board")], ids=["required", "own image"]
)
def test_the_whole_way_gives_what_the_answers_give(monorepo: Monorepo, script: Any, name: str) -> None:
    terminal = Terminal(monorepo)
    terminal.answer(script)
    terminal.sees(NEXT)
    terminal.press("a" + ENTER)
    told = terminal.ends(0)
    written = stack(monorepo, name)
    answers = yaml.safe_load(written[".copier-answers.yml"])
    assert again(monorepo, kept(told), name) == written
    if name == "ip-echo":
        example = yaml.safe_load((ANSWERS / "valid" / "ip-echo.yml").read_text())
        same = example.keys() - {"memory", "title"}
        assert {key: answers[key] for key in same} == {key: example[key] for key in same}


def kept(told: str) -> Path:
    """The answer file that the result names."""
    return Path(re.findall(r"--answers (\S+)", told.replace("\n", ""))[0].split(".yml")[0] + ".yml")


GIVEN = {
    "gate": "required", "machine_clients": "[]", "sensitive": "yes", "rwx": "no", "build": "upstream",
    "shape": "web", "image": "docker.io/mpolden/echoip:2.0.1", "name": "ip-echo", "description": "Addresses",
    "env": "{}", "volumes": "[{path: /data, embedded_database: none}]", "secrets": "[]",
}  # fmt: skip
"""What is asked otherwise."""


@pytest.mark.slow(TERMINAL)
def test_a_long_list_is_filtered_and_any_field_is_changed(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo, *[f"--set={name}={value}" for name, value in GIVEN.items()])
    terminal.sees(NEXT)
    terminal.press("volumes" + ENTER)
    terminal.sees("type to filter")
    terminal.press("limit" + ENTER)
    terminal.sees("How far the autoresizer")
    terminal.press("lots" + ENTER)
    terminal.sees("a quantity in Mi or Gi")
    terminal.press(CTRL_U + "30Gi" + ENTER)
    terminal.sees("volumes[0].limit = 30Gi")
    terminal.press(ENTER)
    terminal.sees("limit 30Gi")
    terminal.sees(NEXT)
    terminal.press("env=A=1 'B=x y'" + ENTER)
    terminal.sees("A 1, B x y (asked)")
    terminal.sees(NEXT)
    terminal.press("q" + ENTER)
    terminal.ends(0)


def test_drone_logbook_takes_less_than_a_minute() -> None:
    """A person needs 0.7 s to read a question, and 0.12 s for a key."""
    presses = [keys for _, keys in DRONE] + [change + ENTER for change in CHANGES] + ["a" + ENTER]
    keys = sum(len(text.replace(DOWN, "↓")) for text in presses)
    assert len(presses) <= 20
    assert 0.7 * len(presses) + 0.12 * keys < 50


@pytest.mark.slow(TERMINAL)
def test_the_clone_of_the_app_s_repository_gets_the_pipeline_in_the_same_run(monorepo: Monorepo) -> None:
    clone = monorepo.root.parent / "wall-board"
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    (clone / ".woodpecker.yml").write_text("steps: []\n")
    terminal = Terminal(monorepo)
    terminal.answer(SKETCHPAD[:-1])
    terminal.sees("Where is the clone")
    terminal.sees("wall-board")
    terminal.press(CTRL_B)
    terminal.sees("What has to pass before")
    terminal.press(ENTER)
    # Left out by mistake: the review asks again.
    terminal.sees("Where is the clone")
    terminal.press(CTRL_U + ENTER)
    assert ".woodpecker.yml" not in terminal.sees(NEXT)
    terminal.press("p" + ENTER)
    terminal.sees("Where is the clone")
    terminal.press(CTRL_U + "/nonexistent" + ENTER)
    terminal.sees("is not the root of a Git repository")
    terminal.press(CTRL_U + str(clone) + ENTER)
    review = terminal.sees(NEXT)
    assert "create in stacks/wall-board: .copier-answers.yml, main.tf" in review
    assert "modify: .woodpecker.yml" in review
    # What a person wrote is not replaced without being shown.
    assert "-steps: []" in review
    assert not monorepo.stack_directory("wall-board").exists()
    terminal.press("a" + ENTER)
    told = terminal.ends(0)
    assert "The pipeline of wall-board: written" in told
    assert "deployment/wall-board" in (clone / ".woodpecker.yml").read_text()
    assert (monorepo.stack_directory("wall-board") / "main.tf").is_file()
    assert f"--app-repo={clone}" in told.replace("\n", "").replace(" ", "")


@pytest.mark.slow(TERMINAL)
def test_back_from_every_question(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo)
    former = None
    for number, (title, keys) in enumerate(DRONE):
        terminal.sees(title)
        if former is not None:
            terminal.press((ESC, CTRL_B)[number % 2])
            terminal.sees(former[0])
            terminal.press(former[1])
            terminal.sees(title)
        # Esc alone is told from an arrow key by what follows, so nothing is sent in one go with it.
        terminal.press(keys)
        former = (title, ENTER)
    terminal.sees(NEXT)
    terminal.press(ESC)
    terminal.sees("Secrets from Vault")
    terminal.press(ENTER)
    terminal.sees(NEXT)
    terminal.press("q" + ENTER)
    assert "--resume drone-logbook" in terminal.ends(0).replace("\n", "")


def test_back_from_an_answer_that_is_not_valid(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo)
    terminal.sees("How is it built")
    terminal.press(ESC)
    terminal.sees("This is the first question")
    terminal.answer(WHAT)
    terminal.sees("The image, with its registry")
    terminal.press("nginx" + ENTER)
    terminal.sees("Write the registry first")
    terminal.press(CTRL_B)
    terminal.sees("What is it, seen from outside")
    terminal.press(ENTER)
    terminal.answer(DRONE[2:3])
    terminal.sees("The Service's name")
    terminal.press(CTRL_U + "journal")
    terminal.sees("There is a stack journal already: stacks/journal")
    terminal.press(ENTER)
    terminal.sees("Not valid")
    terminal.press(CTRL_U + "music" + ENTER)
    terminal.answer([DRONE[4], *CORE, DRONE[9]])
    terminal.sees("Its host name")
    terminal.sees("music-2")
    terminal.press(CTRL_U + "music")
    terminal.sees("belongs to stacks/navidrome")
    terminal.press(CTRL_C)
    assert "--resume music" in terminal.ends(130).replace("\n", "")


@pytest.mark.slow(TERMINAL)
def test_a_draft_is_kept_and_resumed(monorepo: Monorepo, tmp_path: Path) -> None:
    terminal = Terminal(monorepo)
    terminal.answer(IP_ECHO[:2])
    terminal.sees("The image, with its registry")
    terminal.press(CTRL_C)
    told = terminal.ends(130)
    assert "nothing was written" in told
    assert "scaffold new-service --resume unnamed" in told
    another = Terminal(monorepo)
    assert "Drafts: unnamed." in another.sees("How is it built")
    another.answer([("", ENTER), WHAT[1]])
    another.sees("The image, with its registry")
    another.press(ENTER)
    another.sees("is missing")
    another.press(CTRL_C)
    assert "--resume unnamed-2" in another.ends(130)
    next((tmp_path / "state").rglob("unnamed-2.yml")).unlink()
    terminal = Terminal(monorepo, "--resume")
    terminal.answer(IP_ECHO[2:5])
    terminal.sees("What gates the app")
    terminal.press(CTRL_C)
    assert "--resume ip-echo" in terminal.ends(130).replace("\n", "")
    (draft,) = (tmp_path / "state").rglob("*.yml")
    assert draft.stat().st_mode & 0o77 == 0
    terminal = Terminal(monorepo, "--resume", "ip-echo")
    terminal.answer(IP_ECHO[5:])
    terminal.sees(NEXT)
    terminal.press("a" + ENTER)
    terminal.ends(0)
    assert b"echoip:2.0.1" in stack(monorepo, "ip-echo")["main.tf"]
    assert not draft.exists()


@pytest.mark.parametrize("key", ["?", pytest.param(F1, marks=pytest.mark.slow(TERMINAL))], ids=["?", "F1"])
def test_an_explanation_wherever_one_is(monorepo: Monorepo, key: str) -> None:
    terminal = Terminal(monorepo)
    terminal.sees("How is it built")
    terminal.press(key)
    terminal.sees("The rule: an upstream image is pinned")
    terminal.answer(WHAT)
    terminal.sees("The image, with its registry")
    terminal.press(key)
    terminal.sees("Allowed: an image reference")
    terminal.answer(DRONE[2:3])
    terminal.sees("The Service's name")
    terminal.press(CTRL_U + "photos" + ENTER)
    terminal.sees("What it is, in a few words")
    terminal.press("What" + "?" + ENTER)
    terminal.sees("What gates the app")
    terminal.press(CTRL_C)
    terminal.ends(130)


@pytest.mark.slow(TERMINAL)
def test_a_narrow_window_cuts_nothing_off(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo, columns=60)
    terminal.answer(IP_ECHO[:5])
    terminal.sees("What gates the app")
    terminal.sees("login of its own")
    terminal.press(DOWN)
    terminal.sees("the internet")
    terminal.press(DOWN)
    terminal.sees("JavaScript")
    terminal.press("\x1b[A\x1b[A" + ENTER)
    terminal.answer(IP_ECHO[6:])
    shown = terminal.sees(NEXT)
    review = shown.partition("Answers\n")[2]
    assert "ingress.dns = proxied" in review
    assert "…" in review, "a row of the review is cut, and l lists all of it"
    assert [line for line in review.splitlines() if len(line) > 60] == []
    terminal.press("q" + ENTER)
    terminal.ends(0)


@pytest.mark.slow(TERMINAL)
def test_no_color_takes_the_colour_only(monorepo: Monorepo) -> None:
    colour = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|38|48)(?:;|m)")
    for environment, expected in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = Terminal(monorepo, columns=100, **environment)
        terminal.answer(DRONE[:2])
        terminal.sees("The image, with its registry")
        assert (colour.search(terminal.seen) is not None) == expected
        terminal.press(CTRL_C)
        terminal.ends(130)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--plain"], {}),
        pytest.param([], {"TERM": "dumb"}, marks=pytest.mark.slow(TERMINAL)),
        pytest.param([], {"ACCESSIBLE": "1"}, marks=pytest.mark.slow(TERMINAL)),
    ],
    ids=["--plain", "TERM=dumb", "ACCESSIBLE=1"],
)
def test_plain_lines(monorepo: Monorepo, arguments: list[str], environment: dict[str, str]) -> None:
    terminal = Terminal(monorepo, *arguments, columns=100, **environment)
    terminal.sees("1. upstream")
    terminal.sees("Number [1]: ")
    terminal.press("9\n")
    terminal.sees("Not valid")
    terminal.press("git\n")
    terminal.sees("one of github-woodpecker, github-ghcr")
    terminal.press("?\n")
    terminal.sees("The rule: an upstream image is pinned")
    terminal.sees("Number [1]: ")
    terminal.press("for\n")
    terminal.sees("outside?")
    terminal.press("<\n")
    terminal.sees("How is it built")
    if not arguments:
        terminal.press(CTRL_C)
        terminal.ends(130)
        return
    for title, line in [
        ("Number", "1"), ("outside?", ""),
        ("The image", "nginx"), ("Write the registry first", "docker.io/mpolden/echoip:2.0.1"),
        ("The Service's name", "ip-echo"), ("What it is, in", "Tells visitors their address"),
        ("gates the app", ""), ("Paths with a gate", ""), ("Is its data", "n"), ("RWX", ""),
        ("NAME=value", ""), ("What it keeps", ""), ("Secrets from Vault", ""), (NEXT, "a"),
    ]:  # fmt: skip
        terminal.sees(title)
        terminal.press(line + "\n")
    terminal.ends(0)
    assert not set(re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]", terminal.seen)) - {"\x1b[K"}
    assert b"echoip:2.0.1" in stack(monorepo, "ip-echo")["main.tf"]


@pytest.mark.slow(TERMINAL)
def test_the_review_shows_and_changes(monorepo: Monorepo) -> None:
    terminal = Terminal(monorepo, "--set", "tier=edge", "--set", "gate=app")
    terminal.answer(
        [step for step in SKETCHPAD if step[0] not in ("What gates the app", "The Namespace tier")]
    )
    shown = terminal.sees(NEXT)
    assert re.search(r"tier +edge \(given\)", shown)
    assert re.search(r"gate_reason +Every board .* \(asked\)", shown)
    assert re.search(r"As proposed: .*\d+ memory 256Mi", shown)
    assert "create in stacks/wall-board: " in shown
    terminal.press("memry" + ENTER)
    terminal.sees("Did you mean memory?")
    terminal.press(CTRL_U + "? memory" + ENTER)
    terminal.sees("The rule: the memory request equals")
    terminal.sees(NEXT)
    terminal.press("l" + ENTER)
    shown = terminal.sees("Left empty") + terminal.sees(NEXT)
    assert re.search(r"replicas +1 \(default\)", shown)
    assert "create stacks/wall-board/main.tf (+" in shown
    terminal.press(CTRL_U + "d" + ENTER)
    terminal.sees("+++ b/stacks/wall-board/main.tf")
    terminal.sees(NEXT)
    terminal.press("gate" + ENTER)
    terminal.sees("What gates the app")
    terminal.press("r" + ENTER)
    terminal.sees("Paths with a gate")
    terminal.press(ENTER)
    assert "gate_reason" not in terminal.sees(NEXT)
    terminal.press("volumes" + ENTER)
    terminal.sees("the whole list on one line")
    terminal.press(DOWN + ENTER)
    terminal.answer(
        [("What it keeps", "/data" + ENTER), ("What it keeps", ENTER), ("A database that", ENTER)]
    )
    assert "storage.volumes[data].storage_class = proxmox-lvm-encrypted" in terminal.sees(NEXT)
    terminal.press("q" + ENTER)
    terminal.ends(0)
    assert not monorepo.stack_directory("wall-board").exists()


@pytest.mark.slow("a whole wizard, with a plan in the background")
@needs("terraform")
def test_a_terminal_that_is_closed_leaves_a_draft_and_nothing_of_its_plan(
    monorepo: Monorepo, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory() as scratch:  # a short path: Terraform's socket has to fit into it
        terminal = Terminal(monorepo, "--verify=plan", TMPDIR=scratch)
        terminal.answer(IP_ECHO)
        terminal.sees("Answers")
        while not list(Path(scratch).glob("scaffold-plan-*")):
            assert terminal.child.isalive()
            time.sleep(0.01)
        terminal.child.kill(signal.SIGHUP)
        terminal.ends(128 + signal.SIGHUP)
        assert list(Path(scratch).iterdir()) == []
    assert [draft.name for draft in (tmp_path / "state").rglob("*.yml")] == ["ip-echo.yml"]


SHELL = ["sh", "-c", 'trap : TERM HUP INT QUIT; stty -g; "$@"; echo "ended $?"; stty -g', "sh"]
"""A shell that outlives the wizard, and tells how the terminal was before and is after it."""
ENDING = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]


def signalled(terminal: Terminal, number: signal.Signals) -> None:
    """Send a signal to all that runs in the terminal, see that the terminal is as before, and a draft kept."""
    os.killpg(terminal.child.pid, number)
    terminal.sees(f"ended {128 + number}")
    after = terminal.ends(0).split()[0]
    assert plain(terminal.seen).split()[0] == after
    assert re.findall(r"\x1b\[\?25[hl]", terminal.seen)[-1] == "\x1b[?25h"
    assert re.findall(r"\x1b\[\?2004[hl]", terminal.seen)[-1] == "\x1b[?2004l"
    quiet(terminal)


def quiet(terminal: Terminal) -> None:
    assert not re.search("Traceback|Exception|failed", plain(terminal.seen)), plain(terminal.seen)[-2000:]


@pytest.mark.slow(TERMINAL)
@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
@pytest.mark.parametrize("pause", [None, 0.0, 0.02, 0.1], ids=["in a prompt", "0 s", "0.02 s", "0.1 s"])
def test_a_signal_leaves_the_terminal_as_it_was_and_a_draft(
    monorepo: Monorepo, tmp_path: Path, number: signal.Signals, pause: float | None
) -> None:
    terminal = Terminal(monorepo, within=SHELL)
    terminal.answer(WHAT[:1])
    terminal.sees("What is it, seen from outside")
    if pause is not None:  # somewhere between this prompt and the next
        terminal.press(ENTER)
        time.sleep(pause)
    signalled(terminal, number)
    assert [draft.name for draft in (tmp_path / "state").rglob("*.yml")] == ["unnamed.yml"]


@pytest.mark.slow(TERMINAL)
def test_a_window_that_is_closed_leaves_a_draft(monorepo: Monorepo, tmp_path: Path) -> None:
    terminal = Terminal(monorepo)
    terminal.answer(WHAT[:1])
    terminal.sees("What is it, seen from outside")
    os.close(terminal.child.child_fd)
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.child.pid, 0)[1]) == 128 + signal.SIGHUP
    assert [draft.name for draft in (tmp_path / "state").rglob("*.yml")] == ["unnamed.yml"]


@pytest.mark.slow(TERMINAL)
@pytest.mark.parametrize("key", ["\x0f", "\x12", "\x13", "\n", "\x1b\r"], ids=repr)
def test_no_key_of_an_editor_is_an_answer_of_a_menu(monorepo: Monorepo, key: str) -> None:
    terminal = Terminal(monorepo)
    terminal.sees("How is it built")
    terminal.press(key + CTRL_C + CTRL_C)
    terminal.ends(130)
    quiet(terminal)


@pytest.mark.slow(TERMINAL)
@pytest.mark.parametrize("columns", [1, 2, 3, 5])
def test_a_window_of_hardly_any_columns(monorepo: Monorepo, columns: int) -> None:
    terminal = Terminal(monorepo, columns=columns)
    terminal.child.expect_exact("\x1b[?2004h")  # the first prompt is there, whatever of it is legible
    terminal.press(DOWN + CTRL_C)
    terminal.ends(130)
    quiet(terminal)


@pytest.mark.slow("a whole wizard, with a plan in the background")
@needs("terraform")
def test_to_break_off_while_the_plan_runs_is_quiet(monorepo: Monorepo) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        terminal = Terminal(monorepo, "--verify=plan", TMPDIR=scratch)
        terminal.answer(IP_ECHO)
        terminal.sees("Answers")
        while not list(Path(scratch).glob("scaffold-plan-*")):
            assert terminal.child.isalive()
            time.sleep(0.01)
        terminal.press(CTRL_C)
        time.sleep(0.05)
        terminal.press(CTRL_C)
        assert "--resume ip-echo" in terminal.ends(130).replace("\n", "")
        quiet(terminal)
        assert list(Path(scratch).iterdir()) == []

"""Nothing outlives a run, however it ends; and two runs do not disturb each other."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from plan_house import NAMESPACE, House, fake_tool, small_house

from scaffold.terraform import lifetime, planned, schemas
from scaffold.terraform.lifetime import private_run, sweep
from scaffold.terraform.result import Reason
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tool import Tool

PATIENCE = 90.0
"""Only a defect takes as long: nothing waits for time to pass."""
PLAN = """
import signal, sys
# Whoever starts the tests may have these ignored, as nohup and shells in the background do.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from pathlib import Path
from scaffold.terraform import planned, schemas
from scaffold.terraform.tool import Tool
from scaffold.terraform.runner import plan_stacks
root, tool = Path(sys.argv[1]), Tool("terraform", sys.argv[2])
(result,) = plan_stacks(root, ["x"], workers=int(sys.argv[3]), tool=tool, known=schemas.load())
print(planned.to_json(result.resources) or result.findings)
"""
WAITING = 'echo $$ > "$HOME/../pid"; exec /bin/sleep 60'


def until(condition: Callable[[], object]) -> None:
    """Wait for something that has to happen; fail when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def processes_of(place: Path) -> list[str]:
    """The processes that name a directory in their arguments, or work in it."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    named = [
        line for line in listed.splitlines() if str(place) in line and str(os.getpid()) not in line.split()
    ]
    working = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            working += [str(link)] if str(place) in str(link.readlink()) else []
        except OSError:
            continue
    return named + working


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = small_house(tmp_path)
    house.stack("x", NAMESPACE)
    return house


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs put their directories, here and in processes that are started."""
    place = tmp_path / "t"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", str(place))
    # The directories of pytest are longer than a socket's path may be.
    monkeypatch.setattr(lifetime, "_LONGEST_PARENT", 1000)
    return place


def start(house: House, tool: Path, temporary: Path, workers: int = 1) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-c", PLAN.replace("root, tool", "from scaffold.terraform import lifetime\n"
         "lifetime._LONGEST_PARENT = 1000\nroot, tool", 1), str(house.root), str(tool), str(workers)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )  # fmt: skip


def begun(temporary: Path) -> list[Path]:
    return list(temporary.glob(f"{lifetime.PREFIX}*/pid"))


@pytest.fixture(params=[1, 2])
def running(
    request: pytest.FixtureRequest, house: House, tmp_path: Path, temporary: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A run that waits for a Terraform that does not end."""
    process = start(house, fake_tool(tmp_path, WAITING), temporary, request.param)
    until(lambda: begun(temporary))
    assert processes_of(temporary)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_after_a_signal_to_scaffold(
    running: subprocess.Popen[bytes], temporary: Path, number: signal.Signals
) -> None:
    os.killpg(running.pid, number)
    until(lambda: running.poll() is not None)
    until(lambda: not list(temporary.iterdir()))
    until(lambda: not processes_of(temporary))


def test_nothing_is_left_after_terraform_is_killed(running: subprocess.Popen[bytes], temporary: Path) -> None:
    (pid,) = begun(temporary)
    until(lambda: pid.read_text().strip())
    os.kill(int(pid.read_text()), signal.SIGKILL)
    stdout, stderr = running.communicate(timeout=PATIENCE)
    assert b"was ended by signal 9" in stdout, stderr
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


def test_the_next_run_sweeps_what_a_killed_one_left(
    running: subprocess.Popen[bytes], temporary: Path
) -> None:
    (pid,) = begun(temporary)
    until(lambda: pid.read_text().strip())
    for number in (running.pid, int(pid.read_text())):
        os.kill(number, signal.SIGKILL)
    running.communicate(timeout=PATIENCE)
    assert len(list(temporary.iterdir())) == 1
    with private_run() as run:
        assert list(temporary.iterdir()) == [run.directory]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_terraform_ends_when_scaffold_is_killed(house: House, temporary: Path) -> None:
    """It has lost the providers that scaffold served, and waits for nothing else."""
    house.stack("x", "".join(NAMESPACE.replace('"x"', f'"x{n}"') for n in range(200)))
    run = start(house, Path(shutil.which("terraform") or ""), temporary)
    until(lambda: any(" -json " in line for line in processes_of(temporary)))
    run.kill()
    run.communicate(timeout=PATIENCE)
    until(lambda: not processes_of(temporary))


def test_a_program_that_fails_is_a_finding(house: House, tmp_path: Path, temporary: Path) -> None:
    tool = Tool("terraform", str(fake_tool(tmp_path, "echo out of memory >&2; exit 3")))
    (result,) = plan_stacks(house.root, ["x"], tool=tool, known=schemas.load())
    (found,) = result.findings
    assert (found.code, found.path) == (Reason.TOOL.value, "stacks/x")
    assert "exit code 3: out of memory" in found.message
    assert list(temporary.iterdir()) == []


def test_a_program_that_is_too_slow_is_ended(
    house: House, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scaffold.terraform.attempt.TIMEOUT", 0.3)
    tool = Tool("terraform", str(fake_tool(tmp_path, WAITING)))
    (result,) = plan_stacks(house.root, ["x"], tool=tool, known=schemas.load())
    assert "was stopped after" in result.findings[0].message
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


def test_nothing_is_left_after_an_error(house: House, temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), private_run() as run:
        (run.directory / "file").write_text("x")
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


def test_a_run_is_private(temporary: Path) -> None:
    with private_run() as run:
        assert run.directory.stat().st_mode & 0o777 == 0o700
        (run.directory / "inner").mkdir()
    assert not run.directory.exists()


def test_the_directory_has_no_link_in_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "link"))
    monkeypatch.setattr(lifetime, "_LONGEST_PARENT", 1000)
    with private_run() as run:
        assert run.directory.parent == tmp_path / "real"
    assert list((tmp_path / "real").iterdir()) == []


def test_a_run_that_lives_is_not_swept(temporary: Path) -> None:
    with private_run() as first:
        (first.directory / "kept").touch()
        with private_run() as second:
            assert first.directory != second.directory
            assert (first.directory / "kept").exists()
    assert list(temporary.iterdir()) == []


def test_a_run_that_only_begins_is_not_swept(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run sweeps in the moment between the file of the lock and the lock."""
    lock = fcntl.flock

    def sweep_first(file: IO[bytes], operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            sweep(temporary)
        lock(file, operation)

    monkeypatch.setattr("fcntl.flock", sweep_first)
    with private_run() as run:
        assert run.directory.is_dir()


def test_only_what_is_stale_is_swept(temporary: Path) -> None:
    young = temporary / f"{lifetime.PREFIX}young"
    old = temporary / f"{lifetime.PREFIX}old"
    other = temporary / "other"
    for directory in (young, old, other):
        directory.mkdir()
    os.utime(old, (0, 0))
    link = temporary / f"{lifetime.PREFIX}link"
    link.symlink_to(other)
    sweep(temporary)
    assert sorted(path.name for path in temporary.iterdir()) == sorted([young.name, other.name, link.name])


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_two_runs_at_once_do_not_disturb_each_other(house: House, temporary: Path) -> None:
    terraform = Path(shutil.which("terraform") or "")
    (alone,) = plan_stacks(house.root, ["x"], known=schemas.load())
    runs = [start(house, terraform, temporary) for _ in range(2)]
    outputs = [run.communicate(timeout=PATIENCE) for run in runs]
    expected = str(planned.to_json(alone.resources)).encode()
    assert [stdout.strip() for stdout, _ in outputs] == [expected, expected], outputs
    assert json.dumps(planned.to_json(alone.resources)).count("address") == 1
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []

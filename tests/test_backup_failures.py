"""What goes wrong while a backup runs: the rendered script, executed as in ``test_backup``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ORIGIN
from test_backup import Place, database, executable, place_for, rows, script_of

from scaffold.answers.sources import from_yaml
from scaffold.hcl.syntax import parse
from scaffold.templates.render import render

__all__ = ["place_for"]
CASES = Path(__file__).parent / "cases"
THREE = """
name: shed
description: Three volumes
image: docker.io/library/nginx:1.29.0
port: 8080
volumes:
  - {purpose: notes, path: /notes, size: 1Gi, embedded_database: sqlite}
  - {purpose: inbox, path: /inbox, size: 1Gi}
  - {purpose: photos, path: /photos, size: 1Gi}
"""


def main_of(answers: str) -> bytes:
    files = render(from_yaml(answers.encode(), "answers").values, {}, {}, ORIGIN).files
    (content,) = [content for path, content in files.items() if str(path) == "main.tf"]
    assert isinstance(content, bytes)
    return content


def three_volumes(place_for: Callable[..., Place], answers: str = THREE) -> Place:
    """Two that hold something, and one with the directory of a new file system alone."""
    place = place_for("shed", main_of(answers))
    database(place.data / "notes" / "notes.db").close()
    (place.data / "inbox" / "lost+found").mkdir(parents=True)
    (place.data / "photos").mkdir()
    (place.data / "photos" / "shed.jpg").write_text("photo")
    return place


def test_an_empty_volume_fails_the_job_once_the_others_are_saved(place_for: Callable[..., Place]) -> None:
    place = three_volumes(place_for)
    old = place.backup / "2020-01-01T00-00-00"
    old.mkdir()
    os.utime(old, (0, 0))
    (place.backup / "2020-01-02T00-00-00.incomplete").mkdir()
    done = place.run()
    assert done.returncode != 0
    assert "/data/inbox is empty" in done.stderr and "not backed up: inbox" in done.stderr
    kept, made = place.made()
    assert (kept, made.suffix) == (old, ".incomplete"), "the newest is kept, and no old backup goes"
    assert {path.name for path in made.iterdir()} == {"notes", "photos.tar.gz"}
    assert rows(made / "notes" / "notes.db") == 100
    assert place.posted == "", "it has not succeeded"
    (place.data / "inbox" / "scan.pdf").write_text("scan")
    done = place.run()
    assert done.returncode == 0, done.stderr
    (whole,) = place.made()
    assert {path.name for path in whole.iterdir()} == {"notes", "inbox.tar.gz", "photos.tar.gz"}
    assert "backup_last_success_timestamp" in place.posted


def test_a_volume_that_may_be_empty_is_no_failure(place_for: Callable[..., Place]) -> None:
    place = three_volumes(place_for, THREE.replace("path: /inbox", "path: /inbox, may_be_empty: true"))
    for expected in ({"notes", "photos.tar.gz"}, {"notes", "inbox.tar.gz", "photos.tar.gz"}):
        done = place.run()
        assert done.returncode == 0, done.stderr
        (made,) = place.made()
        assert {path.name for path in made.iterdir()} == expected
        made.rename(place.data / f"{len(expected)} volumes")
        (place.data / "inbox" / "scan.pdf").write_text("scan")


def test_a_hanging_copy_ends_at_the_deadline_and_the_next_run_works(place_for: Callable[..., Place]) -> None:
    place = place_for("drone-logbook")
    (place.data / "data").mkdir()
    (place.data / "data" / "flight.txt").write_text("up")
    hanging = f'#!/bin/sh\n: >"{place.bin}/hangs"\nexec tail -f /dev/null\n'
    for end in (signal.SIGTERM, signal.SIGKILL):
        executable(place.bin / "tar", hanging)
        process = place.start()
        while not (place.bin / "hangs").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(end)
        code = process.wait()
        assert code == (143 if end is signal.SIGTERM else -end)
        os.killpg(process.pid, signal.SIGKILL)  # as with the container, all of its processes end
        process.communicate()
        assert [path.suffix for path in place.made()] == ([] if end is signal.SIGTERM else [".partial"])
        (place.bin / "hangs").unlink()
        (place.bin / "tar").unlink()
    (left,) = place.made()
    os.utime(left, (time.time() - 5 * 3600,) * 2)
    done = place.run()
    assert done.returncode == 0, done.stderr
    (made,) = place.made()
    assert made != left and made.suffix == "" and (made / "data.tar.gz").exists()


def test_a_locked_database_is_not_copied_as_it_lies_there(place_for: Callable[..., Place]) -> None:
    answers = THREE.replace("/notes, size", "/notes, backup: sqlite, size")
    place = place_for("shed", main_of(answers).replace(b"timeout=60", b"timeout=0.1"))
    held = database(place.data / "notes" / "notes.db", "delete")
    for purpose in ("inbox", "photos"):
        (place.data / purpose).mkdir()
        (place.data / purpose / "file").write_text("x")
    held.execute("BEGIN EXCLUSIVE")
    done = place.run()
    held.close()
    assert done.returncode != 0
    assert "locked" in done.stderr and "not backed up: notes" in done.stderr
    assert not list(place.backup.rglob("notes.db"))


def test_nothing_is_fetched_while_it_runs() -> None:
    script = script_of(parse(main_of(THREE)))
    assert not [word for word in ("apk ", "pip ", "apt", "curl", "git ") if word in script]
    assert script.count("http") == script.count("http://prometheus-prometheus-pushgateway.monitoring") == 1


@pytest.mark.parametrize("answered,schedule,deadline", [
    ("{}", "", 14400), ("{schedule: '*/20 * * * *'}", "*/20 * * * *", 1000),
    ("{schedule: 0 3 * * 0, active_deadline_seconds: 30000}", "0 3 * * 0", 30000),
])  # fmt: skip
def test_the_job_can_be_told_its_hour_and_its_limits(answered: str, schedule: str, deadline: int) -> None:
    text = main_of(f"{THREE}backup_job: {answered}\n").decode()
    job = text[text.index('resource "kubernetes_cron_job_v1" "backup"') :]
    assert f"active_deadline_seconds    = {deadline}\n" in job
    assert f'= "{schedule}"' in job or not schedule


def test_memory_and_retention_can_be_told() -> None:
    answers = f"{THREE}backup_job: {{memory: 1Gi, retention_days: 90, timezone: Europe/Sofia}}\n"
    text = main_of(answers).decode()
    job = text[text.index('resource "kubernetes_cron_job_v1" "backup"') :]
    assert job.count('memory = "1Gi"') == 2 and "-mtime +90 " in job
    assert 'timezone                      = "Europe/Sofia"' in job


def test_a_job_that_hangs_keeps_no_later_one_from_running() -> None:
    text = main_of((CASES / "cronjob-deadline" / "answers.yml").read_text()).decode()
    job = text[text.index('resource "kubernetes_cron_job_v1" "peek"') :]
    assert 'concurrency_policy            = "Forbid"' in job
    assert "active_deadline_seconds    = 1500\n" in job


@pytest.mark.parametrize("schedule,seconds", [
    ("*/30 * * * *", 1500), ("0 3 * * *", 72000), ("0 3 * * 0", 72000), ("* * * * *", 50), ("5,15 4 * * *", 500),
    ("0 0-23/6 * * *", 18000), ("10/20 * * * *", 1000), ("0 1,23 * * *", 6000), ("99 99 * * *", 72000),
])  # fmt: skip
def test_a_run_ends_before_the_next_one_is_due(schedule: str, seconds: int) -> None:
    from scaffold.templates import decisions

    given = from_yaml(
        f"{THREE}cron_jobs: [{{name: tidy, schedule: '{schedule}', command: [tidy]}}]\n".encode(), "answers"
    )
    (job,) = decisions.combine(given.values)["containers"]["cron_jobs"]
    assert job["deadline"]["value"] == seconds

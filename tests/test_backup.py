"""The rendered backup script, executed: the shell and the tools are real, only the paths are not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import GOLDEN, needs

from scaffold.hcl.syntax import Document, parse

IN_TWO = pytest.mark.slow("the same once more, in another shell")
SHELLS = [["sh"], pytest.param(["busybox", "ash"], marks=[needs("busybox"), IN_TWO])]


@dataclass(frozen=True)
class Place:
    data: Path
    backup: Path
    bin: Path
    start: Callable[[], subprocess.Popen[str]]

    def run(self) -> subprocess.CompletedProcess[str]:
        """The container, from its start to its end."""
        process = self.start()
        told, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, told, errors)

    @property
    def posted(self) -> str:
        path = self.bin / "posted"
        return path.read_text() if path.exists() else ""

    def made(self) -> list[Path]:
        return sorted(self.backup.iterdir())


def containers_of(document: Document) -> list[str]:
    """The scripts of the backup's containers, in the order in which they run."""
    block = document.body.block("resource", "kubernetes_cron_job_v1", "backup")
    assert block is not None
    for name in ("spec", "job_template", "spec", "template", "spec"):
        block = block.body.block(name)
        assert block is not None
    scripts = []
    for container in (*block.body.blocks_of("init_container"), *block.body.blocks_of("container")):
        command = container.body.value("command")
        assert command is not None
        script = command.elements[2].literal()
        assert isinstance(script, str)
        scripts.append(script)
    return scripts


def script_of(document: Document) -> str:
    (script,) = containers_of(document)
    return script


def applets(directory: Path, busybox: str) -> Path:
    """A directory with a link for each command that Busybox has."""
    directory.mkdir()
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        (directory / name).symlink_to(busybox)
    return directory


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def place_for(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Place]:
    def build(service: str, main: bytes = b"") -> Place:
        """Where the backup of a golden stack runs, or that of any other ``main``."""
        data, backup, tools = tmp_path / "data", tmp_path / "backup", tmp_path / "bin"
        for directory in (data, backup, tools):
            directory.mkdir()
        document = parse(main or (GOLDEN / service / "stack" / "main.tf").read_bytes())
        script = script_of(document).replace("/data/", f"{data}/").replace("/backup/", f"{backup}/")
        script = script.replace("find /backup", f"find {backup}").replace("/tmp/begun", f"{tools}/begun")
        executable(tools / "wget", f'#!/bin/sh\nshift 5\nprintf "%s" "$2" >"{tools}/posted"\n')
        # Busybox prefers its own applets to what is on PATH, but a function to both.
        stubs = "".join(
            f'{name}() {{ if [ -x "{tools}/{name}" ]; then "{tools}/{name}" "$@"; else command {name} "$@"; fi; }}\n'
            for name in ("wget", "tar", "sleep")
        )
        (tools / "python3").symlink_to(sys.executable)
        executable(tools / "sleep", "#!/bin/sh\n")
        shell = [shutil.which(request.param[0]) or "", *request.param[1:]]
        path = f"{tools}:{os.environ['PATH']}"
        if shell[1:]:  # Busybox has all that the image has beside Python, and finds nothing else here.
            path = f"{tools}:{applets(tmp_path / 'applets', shell[0])}"

        def start() -> subprocess.Popen[str]:
            return subprocess.Popen(
                [*shell, "-c", stubs + script], env={"PATH": path}, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
            )  # fmt: skip

        return Place(data, backup, tools, start)

    return build


def database(path: Path, journal: str = "wal", rows: int = 100) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.execute("CREATE TABLE note (text)")
    db.executemany("INSERT INTO note VALUES (?)", [(f"note {i}" * 50,) for i in range(rows)])
    db.commit()
    return db


def rows(path: Path) -> int:
    with sqlite3.connect(path) as db:
        return int(db.execute("SELECT count(*) FROM note").fetchone()[0])


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("closed", [True, False])
def test_sqlite_is_copied_whole_and_the_rest_archived(
    place_for: Callable[..., Place], journal: str, closed: bool
) -> None:
    place = place_for("vault-notes")
    db = database(place.data / "data" / "it's a db.sqlite", journal)
    (place.data / "data" / "keys").mkdir()
    (place.data / "data" / "keys" / "rsa.pem").write_text("key")
    if closed:
        db.close()
    begun = int(time.time())
    done = place.run()
    assert done.returncode == 0, done.stderr
    (made,) = place.made()
    copied = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert copied == {"data/it's a db.sqlite", "data/keys/rsa.pem"}
    assert rows(made / "data" / "it's a db.sqlite") == 100
    lines = dict(line.split() for line in place.posted.splitlines())
    assert begun <= int(lines["backup_last_success_timestamp"]) <= time.time()
    assert int(lines["backup_output_bytes"]) > 0
    assert int(lines["backup_duration_seconds"]) >= 0


def test_a_corrupt_database_fails_the_job_and_leaves_nothing(place_for: Callable[..., Place]) -> None:
    place = place_for("vault-notes")
    path = place.data / "data" / "notes.db"
    database(path, "delete").close()
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 2048] = b"\xff" * 2048
    path.write_bytes(content)
    old = place.backup / "2020-01-01T00-00-00"
    old.mkdir()
    os.utime(old, (0, 0))
    done = place.run()
    assert done.returncode != 0
    assert "integrity check" in done.stderr or "malformed" in done.stderr
    assert place.made() == [old], "a failed backup may neither leave a part nor remove an old one"
    assert place.posted == ""


def test_no_database_where_one_is_expected_fails(place_for: Callable[..., Place]) -> None:
    place = place_for("vault-notes")
    (place.data / "data").mkdir()
    (place.data / "data" / "other.txt").write_text("x")
    done = place.run()
    assert done.returncode != 0
    assert "no SQLite database" in done.stderr
    assert place.made() == []


def test_a_failing_metrics_push_does_not_fail_the_backup(place_for: Callable[..., Place]) -> None:
    place = place_for("drone-logbook")
    (place.data / "data").mkdir()
    (place.data / "data" / "flight.txt").write_text("up")
    executable(place.bin / "wget", "#!/bin/sh\nexit 4\n")
    done = place.run()
    assert done.returncode == 0
    assert "pushing the metrics failed" in done.stderr
    assert len(place.made()) == 1


def test_old_backups_go_and_young_ones_stay(place_for: Callable[..., Place]) -> None:
    place = place_for("drone-logbook")
    (place.data / "data").mkdir()
    (place.data / "data" / ".hidden").write_text("up")
    day = 24 * 3600
    for name, age in (("old", 32 * day), ("young", 29 * day)):
        (place.backup / name).mkdir()
        os.utime(place.backup / name, (time.time() - age, time.time() - age))
    done = place.run()
    assert done.returncode == 0, done.stderr
    names = [path.name for path in place.made()]
    assert "young" in names
    assert "old" not in names
    assert len(names) == 2
    new = next(path for path in place.made() if path.name != "young")
    with tarfile.open(new / "data.tar.gz") as archive:
        assert "./.hidden" in archive.getnames()


def test_an_archive_that_tears_is_made_again_and_fails_in_the_end(place_for: Callable[..., Place]) -> None:
    place = place_for("drone-logbook")
    (place.data / "data").mkdir()
    (place.data / "data" / "a").write_text("a")
    executable(place.bin / "tar", f'#!/bin/sh\necho call >>"{place.bin}/calls"\nexit 1\n')
    done = place.run()
    assert done.returncode != 0
    assert (place.bin / "calls").read_text().count("call") == 3
    assert place.made() == []


@pytest.mark.parametrize("times", [1, 3])
def test_what_is_written_meanwhile_is_archived_again(place_for: Callable[..., Place], times: int) -> None:
    place = place_for("drone-logbook")
    (place.data / "data").mkdir()
    (place.data / "data" / "flights.db").write_text("a")
    (place.bin / "sleep").unlink()
    tar = shutil.which("tar")
    executable(
        place.bin / "tar",
        f"""#!/bin/sh
case "$3" in -czf) echo call >>"{place.bin}/calls" ;; esac
"{tar}" "$@" || exit
if [ "$3" = -czf ] && [ "$(wc -l <"{place.bin}/calls")" -le {times} ]; then
  echo more >>"{place.data}/data/flights.db"
fi
""",
    )
    done = place.run()
    assert done.returncode == 0, done.stderr
    assert (place.bin / "calls").read_text().count("call") == min(times + 1, 3)
    assert done.stderr.count("files changed during the copy") == times
    (made,) = place.made()
    with tarfile.open(made / "data.tar.gz") as archive:
        content = archive.extractfile("./flights.db")
        assert content is not None
        assert content.read() == b"a" + b"more\n" * min(times, 2)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount read-only")
def test_the_source_may_be_read_only(place_for: Callable[..., Place]) -> None:
    place = place_for("vault-notes")
    database(place.data / "data" / "notes.db", "wal").close()
    source = str(place.data / "data")
    mounted = subprocess.run(
        ["mount", "--bind", "-o", "ro", source, source], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    subprocess.run(["mount", "-o", "remount,ro,bind", source], check=True)
    try:
        done = place.run()
    finally:
        subprocess.run(["umount", source], check=True)
    assert done.returncode == 0, done.stderr
    (made,) = place.made()
    assert rows(made / "data" / "notes.db") == 100

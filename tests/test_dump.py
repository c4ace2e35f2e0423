"""Dumps of database servers, and every restore, executed: server, client, shell and tools are real, only paths are not."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import ANSWERS, GOLDEN, demand
from test_backup import SHELLS, containers_of, database, executable, rows

from scaffold.answers.sources import from_yaml
from scaffold.commands import steps
from scaffold.hcl.syntax import parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions

PASSWORD = "of the test alone"


@dataclass(frozen=True)
class Server:
    """A server of its own, with a user and an empty database of the Service; ``sql`` asks it as that user."""

    port: int
    client: list[str]
    env: Mapping[str, str]
    administrator: tuple[str, ...] = ()

    def sql(self, text: str) -> str:
        done = subprocess.run(
            [*self.client, text], env={**os.environ, **self.env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> int:
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    # However long it takes on a loaded machine: one that cannot start ends by itself.
    while not ready():
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)


@contextmanager
def of_user(name: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A directory for a server, and the arguments by which it runs as its own user, for it refuses root.

    Not below the directories of pytest, which only the user of the tests may enter.
    """
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as made:
        own: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam(name)
            os.chown(made, user.pw_uid, user.pw_gid)
            own = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        yield Path(made), own


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    initdb = Path(demand("initdb"))
    with of_user("postgres") as (directory, own):
        yield from _postgres(initdb, directory, free_port(), own)


def _postgres(initdb: Path, directory: Path, port: int, own: dict[str, Any]) -> Iterator[Server]:
    secret = directory / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    subprocess.run(
        [initdb, "-D", directory / "data", "-U", "stamps", "-A", "scram-sha-256", f"--pwfile={secret}"],
        check=True, capture_output=True, cwd=directory, **own,
    )  # fmt: skip
    process = subprocess.Popen(
        [initdb.parent / "postgres", "-D", directory / "data", "-p", str(port), "-k", directory,
         "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
        cwd=directory, stderr=(directory / "log").open("wb"), **own,
    )  # fmt: skip
    try:
        place = ["-h", "127.0.0.1", "-p", str(port), "-U", "stamps"]
        until(
            lambda: subprocess.run(["pg_isready", *place], capture_output=True, check=False).returncode == 0,
            process,
            directory / "log",
        )
        client = ["psql", *place, "-d", "stamps", "-v", "ON_ERROR_STOP=1", "-At", "-c"]
        server = Server(port, client, {"PGPASSWORD": PASSWORD})
        create = ["createdb", *place, "stamps"]
        subprocess.run(create, env={**os.environ, **server.env}, check=True)
        yield server
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Server]:
    demand("mariadbd")
    with of_user("mysql") as (directory, own):
        yield from _mariadb(directory, free_port(), own)


def _mariadb(directory: Path, port: int, own: dict[str, Any]) -> Iterator[Server]:
    data, socket_file = directory / "data", directory / "socket"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"],
        check=True, capture_output=True, cwd=directory, **own,
    )  # fmt: skip
    process = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
         f"--socket={socket_file}", f"--pid-file={directory}/pid"],
        cwd=directory, stderr=(directory / "log").open("wb"), **own,
    )  # fmt: skip
    try:
        until(socket_file.exists, process, directory / "log")
        root = ["mariadb", "--no-defaults", f"--socket={socket_file}", "-u", "root", "-e"]
        until(
            lambda: subprocess.run([*root, "SELECT 1"], capture_output=True, check=False).returncode == 0,
            process,
            directory / "log",
        )
        made = (
            f"CREATE DATABASE toys; CREATE USER shop IDENTIFIED BY '{PASSWORD}'; "
            "GRANT ALL ON toys.* TO shop; DROP USER ''@'localhost'; FLUSH PRIVILEGES"
        )
        subprocess.run([*root, made], check=False, capture_output=True)
        client = [
            "mariadb",
            "--no-defaults",
            "-h",
            "127.0.0.1",
            "-P",
            str(port),
            "-u",
            "shop",
            "-N",
            "-B",
            "toys",
            "-e",
        ]
        yield Server(port, client, {"MYSQL_PWD": PASSWORD}, tuple(root[:-1]))
    finally:
        process.terminate()
        process.wait()


@dataclass(frozen=True)
class Place:
    """Where the scripts of a Service's backup and restore run: its volumes and its backup directory."""

    service: str
    shell: list[str]
    root: Path
    variables: dict[str, str]

    def made(self) -> list[Path]:
        return sorted(self.backup.iterdir())

    @property
    def backup(self) -> Path:
        return self.root / "backup"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    def volume(self, purpose: str) -> Path:
        return self.root / "data" / purpose

    def run(self, script: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One script, as the container would run it; ``data`` is what a restore has at ``/data``."""
        script = script.replace("/backup/", f"{self.backup}/").replace("find /backup", f"find {self.backup}")
        if data is None:
            script = script.replace("/data/", f"{self.root}/data/")
        else:
            script = (
                script.replace('"/data/', f'"{data}/')
                .replace(" /data ", f" {data} ")
                .replace(" /data/\n", f" {data}/\n")
            )
        # Busybox prefers its own applets to what is on PATH, but a function to both.
        stubs = f'wget() {{ "{self.bin}/wget" "$@"; }}\n'
        return subprocess.run(
            [*self.shell, "-c", stubs + script],
            env={**os.environ, **self.variables, "PATH": f"{self.bin}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def back_up(self) -> subprocess.CompletedProcess[str]:
        """The containers of the CronJob in their order, until one fails; what all of them say."""
        told = ""
        for script in containers_of(parse((GOLDEN / self.service / "stack" / "main.tf").read_bytes())):
            done = self.run(script)
            told += done.stderr
            if done.returncode:
                break
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout, told)

    def restore(self, purpose: str) -> subprocess.CompletedProcess[str]:
        """What the container of the next step does."""
        pod = restore_pod(self.service, purpose)
        (container,) = pod["spec"]["containers"]
        return self.run(container["command"][2], self.volume(purpose))


def restore_steps(service: str) -> dict[str, str]:
    """The commands that restore a Service's volumes, by their purpose."""
    given = from_yaml((ANSWERS / "valid" / f"{service}.yml").read_bytes(), service)
    return {
        step.text.split()[1]: step.command for step in steps.restore_steps(decisions.combine(given.values))
    }


def restore_pod(service: str, purpose: str) -> dict[str, Any]:
    words = shlex.split(restore_steps(service)[purpose].replace("\\\n", ""))
    (overrides,) = [word for word in words if word.startswith("--overrides=")]
    pod = json.loads(overrides.removeprefix("--overrides="))
    assert isinstance(pod, dict)
    return pod


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def place_for(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Place]:
    def build(service: str, **variables: str) -> Place:
        place = Place(service, request.param, tmp_path, variables)
        for directory in (place.backup, place.bin, tmp_path / "data"):
            directory.mkdir()
        executable(place.bin / "wget", f'#!/bin/sh\nshift 5\nprintf "%s" "$2" >"{place.bin}/posted"\n')
        return place

    return build


def stamp_album(place_for: Callable[..., Place], server: Server) -> Place:
    place = place_for(
        "stamp-album", PGHOST="127.0.0.1", PGPORT=str(server.port), PGUSER="stamps", PGDATABASE="stamps",
        PGPASSWORD=PASSWORD,
    )  # fmt: skip
    database(place.volume("catalogue") / "stamps.db").close()
    database(place.volume("catalogue") / "old albums" / "1954.db", "delete", 7).close()
    (place.volume("catalogue") / "thumbnails.tmp").write_text("not wanted")
    place.volume("scans").mkdir()
    (place.volume("scans") / "penny-black.tif").write_text("scan")
    server.sql("DROP TABLE IF EXISTS stamp; CREATE TABLE stamp (name text)")
    server.sql("INSERT INTO stamp SELECT 'stamp ' || i FROM generate_series(1, 5000) i")
    return place


def test_postgresql_is_dumped_and_restored(place_for: Callable[..., Place], postgres: Server) -> None:
    place = stamp_album(place_for, postgres)
    done = place.back_up()
    assert done.returncode == 0, done.stderr
    (made,) = place.made()
    kept = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert kept == {"postgres.dump", "catalogue/stamps.db", "catalogue/old albums/1954.db", "scans.tar.gz"}
    listed = subprocess.run(
        ["pg_restore", "--list", made / "postgres.dump"], capture_output=True, text=True, check=True
    )
    assert "TABLE DATA public stamp" in listed.stdout
    lines = dict(line.split() for line in (place.bin / "posted").read_text().splitlines())
    assert 0 <= int(lines["backup_duration_seconds"]) < 60

    postgres.sql("DELETE FROM stamp WHERE name <> 'stamp 1'; INSERT INTO stamp VALUES ('forged')")
    restored = place.restore("postgres")
    assert restored.returncode == 0, restored.stderr
    assert postgres.sql("SELECT count(*), max(name) FROM stamp") == "5000|stamp 999"


def test_named_sqlite_files_and_archives_are_restored(
    place_for: Callable[..., Place], postgres: Server
) -> None:
    place = stamp_album(place_for, postgres)
    assert place.back_up().returncode == 0
    catalogue, scans = place.volume("catalogue"), place.volume("scans")
    with sqlite3.connect(catalogue / "stamps.db") as db:
        db.execute("DELETE FROM note")
    (catalogue / "old albums" / "1954.db").write_text("broken")
    (catalogue / "old albums" / "1954.db-journal").write_text("of the broken one")
    (scans / "penny-black.tif").unlink()
    (scans / "forged.tif").write_text("forged")
    for purpose in ("catalogue", "scans"):
        done = place.restore(purpose)
        assert done.returncode == 0, done.stderr
    assert rows(catalogue / "stamps.db") == 100
    assert rows(catalogue / "old albums" / "1954.db") == 7
    assert not (catalogue / "old albums" / "1954.db-journal").exists()
    assert (catalogue / "thumbnails.tmp").exists(), "what is not backed up stays"
    assert [path.name for path in scans.iterdir()] == ["penny-black.tif"]


def test_each_volume_is_restored_from_the_newest_backup_that_has_it(
    place_for: Callable[..., Place], postgres: Server
) -> None:
    place = stamp_album(place_for, postgres)
    assert place.back_up().returncode == 0
    (whole,) = place.made()
    whole.rename(place.backup / "2026-01-01T00-00-00")
    catalogue, scans = place.volume("catalogue"), place.volume("scans")
    (catalogue / "stamps.db").unlink()
    (scans / "penny-blue.tif").write_text("a newer scan")
    assert "not backed up: catalogue\n" in place.back_up().stderr
    assert [path.suffix for path in place.made()] == ["", ".incomplete"]
    (scans / "penny-blue.tif").unlink()
    for purpose in ("catalogue", "scans"):
        done = place.restore(purpose)
        assert done.returncode == 0, done.stderr
    assert rows(catalogue / "stamps.db") == 100
    assert (scans / "penny-blue.tif").read_text() == "a newer scan"


def test_a_whole_sqlite_volume_is_restored_with_its_owner(place_for: Callable[..., Place]) -> None:
    place = place_for("vault-notes")
    data = place.volume("data")
    database(data / "notes.db").close()
    (data / "key.pem").write_text("key")
    if os.geteuid() == 0:
        os.chown(data / "notes.db", 1000, 1000)
    (data / "notes.db").chmod(0o640)
    before = (data / "notes.db").stat()
    done = place.back_up()
    assert done.returncode == 0, done.stderr
    (data / "notes.db").unlink()
    (data / "stray").write_text("x")
    done = place.restore("data")
    assert done.returncode == 0, done.stderr
    after = (data / "notes.db").stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert sorted(path.name for path in data.iterdir()) == ["key.pem", "notes.db"]
    assert rows(data / "notes.db") == 100


@pytest.mark.parametrize("wrong", ["password", "database", "empty", "file"])
def test_what_cannot_be_dumped_fails_the_job_and_leaves_nothing(
    place_for: Callable[..., Place], postgres: Server, wrong: str
) -> None:
    place = stamp_album(place_for, postgres)
    if wrong == "password":
        place.variables["PGPASSWORD"] = "another"
    elif wrong == "database":
        place.variables["PGDATABASE"] = "nobody"
    elif wrong == "empty":
        postgres.sql("DROP TABLE stamp")
    else:
        (place.volume("catalogue") / "stamps.db").unlink()
    (place.backup / "2020-01-01T00-00-00").mkdir()
    os.utime(place.backup / "2020-01-01T00-00-00", (0, 0))
    done = place.back_up()
    assert done.returncode != 0
    assert {
        "password": "authentication failed", "database": "does not exist", "empty": "has no table",
        "file": "is not an SQLite database",
    }[wrong] in done.stderr  # fmt: skip
    old, incomplete = place.made()
    assert old.name == "2020-01-01T00-00-00" and incomplete.suffix == ".incomplete"
    kept = {path.name for path in incomplete.iterdir()}
    assert kept == {"postgres.dump", "catalogue", "scans.tar.gz"} - {
        "catalogue" if wrong == "file" else "postgres.dump"
    }, "what fails leaves nothing that looks like a good one, and the others are saved"
    assert not (place.bin / "posted").exists()


def test_what_an_earlier_attempt_left_is_not_taken(place_for: Callable[..., Place], postgres: Server) -> None:
    place = stamp_album(place_for, postgres)
    (place.backup / ".dumps").mkdir()
    (place.backup / ".dumps" / "postgres.dump").write_text("of another night")
    place.variables["PGDATABASE"] = "nobody"
    assert place.back_up().returncode != 0
    assert not list(place.backup.rglob("postgres.dump*"))


def test_a_torn_dump_is_noticed(place_for: Callable[..., Place], postgres: Server) -> None:
    place = stamp_album(place_for, postgres)
    real = shutil.which("pg_dump")
    torn = f'#!/bin/sh\n{real} "$@" || exit\nfor word in "$@"; do file=${{word#--file=}}; done\ntruncate -s -4000 "$file"\n'
    executable(place.bin / "pg_dump", torn)
    done = place.back_up()
    assert done.returncode != 0
    assert "pg_restore: error" in done.stderr
    assert not list(place.backup.rglob("postgres.dump*"))


def toy_warehouse(place_for: Callable[..., Place], server: Server) -> Place:
    server.sql(
        "DROP TABLE IF EXISTS toy; CREATE TABLE toy (name varchar(99)); INSERT INTO toy VALUES ('té''s'), ('doll')"
    )
    return place_for(
        "toy-warehouse", MYSQL_HOST="127.0.0.1", MYSQL_TCP_PORT=str(server.port), MYSQL_USER="shop",
        MYSQL_DATABASE="toys", MYSQL_PWD=PASSWORD,
    )  # fmt: skip


def test_mysql_is_dumped_and_restored(place_for: Callable[..., Place], mariadb: Server) -> None:
    place = toy_warehouse(place_for, mariadb)
    done = place.back_up()
    assert done.returncode == 0, done.stderr
    (made,) = place.made()
    assert [path.name for path in made.iterdir()] == ["mariadb.sql.gz"]
    mariadb.sql("DELETE FROM toy; INSERT INTO toy VALUES ('broken')")
    restored = place.restore("mariadb")
    assert restored.returncode == 0, restored.stderr
    assert mariadb.sql("SELECT name FROM toy ORDER BY name").split("\n") == ["doll", "té's"]


def test_the_next_steps_make_a_database_on_mysql(mariadb: Server, pristine: Monorepo, tmp_path: Path) -> None:
    given = from_yaml((ANSWERS / "valid" / "ledger-bridge.yml").read_bytes(), "ledger-bridge")
    told = steps.stack_steps(pristine, decisions.combine(given.values), paths=[], manual=[], committed=True)
    (command,) = [step.command for step in told if step.text.startswith("Create the MySQL database")]
    executable(tmp_path / "kubectl", f"#!/bin/sh\nexec {shlex.join(mariadb.administrator)}\n")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for _ in range(2):
        subprocess.run(["sh", "-c", command], env=environment, check=True)
    asked = [*mariadb.administrator, "-N", "-B", "-e", "SHOW GRANTS FOR 'ledger_bridge'@'%'"]
    rights = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "GRANT ALL PRIVILEGES ON `ledger_bridge`.* TO `ledger_bridge`@`%`" in rights


@pytest.mark.parametrize("wrong", ["password", "empty", "torn"])
def test_a_mysql_dump_that_is_not_whole_fails(
    place_for: Callable[..., Place], mariadb: Server, wrong: str
) -> None:
    place = toy_warehouse(place_for, mariadb)
    if wrong == "password":
        place.variables["MYSQL_PWD"] = "another"
    elif wrong == "empty":
        mariadb.sql("DROP TABLE toy")
    else:
        real = shutil.which("mysqldump")
        torn = (
            f'#!/bin/sh\n{real} "$@" || exit\nfor word in "$@"; do case $word in --result-file=*) '
            'truncate -s -100 "${word#--result-file=}";; esac; done\n'
        )
        executable(place.bin / "mysqldump", torn)
    done = place.back_up()
    assert done.returncode != 0
    assert {"password": "Access denied", "empty": "has no tables", "torn": "is incomplete"}[
        wrong
    ] in done.stderr
    assert not [p for p in place.backup.rglob("*") if p.is_file() and p.name != "started"]


def test_the_dump_reads_its_password_from_a_secret() -> None:
    for service in ("stamp-album", "toy-warehouse"):
        text = (GOLDEN / service / "stack" / "main.tf").read_text()
        job = text[text.index('resource "kubernetes_cron_job_v1" "backup"') :]
        assert job.count("secret_key_ref") == 1
        given = from_yaml((ANSWERS / "valid" / f"{service}.yml").read_bytes(), service)
        (dump,) = decisions.combine(given.values)["dumps"]
        secrets = [row for row in dump["env"] if row["kind"] == "secret"]
        assert [row["name"] for row in secrets] in (["PGPASSWORD"], ["MYSQL_PWD"])


@pytest.mark.parametrize(
    ("service", "purpose"),
    [("vault-notes", "data"), ("stamp-album", "catalogue"), ("stamp-album", "scans")],
    ids=["a whole SQLite volume", "named SQLite files", "an archive"],
)
def test_without_a_backup_a_restore_touches_nothing(
    place_for: Callable[..., Place], service: str, purpose: str
) -> None:
    place = place_for(service)
    volume = place.volume(purpose)
    for path in (volume / "live.db", volume / purpose / "stamps.db"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("alive")
    # Neither one that was not finished nor one of other volumes is a backup of this one.
    (place.backup / "2026-01-01T00-00-00.partial" / purpose).mkdir(parents=True)
    (place.backup / "2026-01-01T00-00-00").mkdir()
    done = place.restore(purpose)
    assert done.returncode == 1
    assert "there is no backup" in done.stderr
    assert (volume / "live.db").read_text() == (volume / purpose / "stamps.db").read_text() == "alive"


def test_every_restore_stops_without_a_backup() -> None:
    for service in ("stamp-album", "toy-warehouse", "drone-logbook", "vault-notes"):
        for purpose in restore_steps(service):
            script = restore_pod(service, purpose)["spec"]["containers"][0]["command"][2]
            assert script.index("there is no backup") < script.rindex('"$saved')


def test_the_app_is_stopped_while_its_files_are_restored_and_runs_while_its_own_database_is() -> None:
    for service in ("stamp-album", "toy-warehouse", "vault-notes"):
        for purpose, command in restore_steps(service).items():
            dumped = purpose in ("postgres", "mariadb")
            assert ("--replicas=0" in command) != dumped
            assert ("--replicas=1" in command) != dumped
            assert ("rollout restart" in command) == dumped
            assert shlex.split(command)

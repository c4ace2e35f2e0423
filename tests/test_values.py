"""Single values of the right form: what Kubernetes or the network could not use is refused."""

from __future__ import annotations

import re

import pytest
from tables import refused

from scaffold.templates import questions

APP = "name: kit\ndescription: A kit\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"


UNREAD = [
    "*/0 * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 0 *", "* * * 13 *", "* * * * 7", "1 1 1 FOO *",
    "---,1 1 1 1 1", "30-5 * * * *", "* * * * fri-mon", "* * * dec-jan *", "*-5 * * * *",
]  # fmt: skip
READ = ["*/5 0-6/2 1,15 jan-MAR,7 SUN", "5/10 * * * mon-FRI", "07 3 31 12 6"]
NOBODYS = ["999.999.999.999", "1.2", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "010.1.1.1", "a.b.1"]
SOMEBODYS = ["192.0.2.1", "drive.example.org", "127.example.org"]


def jobs(schedules: list[str], zone: str = "") -> str:
    rows = [f"  - {{name: j{n}, schedule: '{s}', timezone: '{zone}'}}" for n, s in enumerate(schedules)]
    return "\n".join([APP + "cron_jobs:", *rows])


def test_a_schedule_that_kubernetes_does_not_read() -> None:
    assert refused(jobs(UNREAD)) == {
        (f"cron_jobs[{number}].schedule", "answers.schedule") for number in range(len(UNREAD))
    }
    assert refused(jobs(READ, "America/Argentina/Salta")) == set()


@pytest.mark.parametrize("zone", ["Foo/Bar", "europe/sofia", "Local"])
def test_a_time_zone_that_the_database_lacks(zone: str) -> None:
    assert refused(jobs(READ[:1], zone)) == {("cron_jobs[0].timezone", "answers.time-zone")}


def test_an_address_that_nobody_reaches() -> None:
    waits = [f"{address}:80" for address in NOBODYS] + [f"redis.redis:{port}" for port in (0, 65536, 99999)]
    volumes = [
        f"{{path: /{n}, purpose: v{n}, rwx: true, nfs_path: /srv/nfs/{n}, nfs_server: '{address}'}}"
        for n, address in enumerate(NOBODYS)
    ]
    assert refused(f"{APP}wait_for: {waits}\nvolumes: [{', '.join(volumes)}]") == {
        *((f"wait_for[{number}]", "answers.pattern") for number in range(len(waits))),
        *((f"volumes[{number}].nfs_server", "answers.pattern") for number in range(len(volumes))),
    }
    assert refused(f"{APP}wait_for: {[f'{address}:65535' for address in SOMEBODYS]}") == set()


@pytest.mark.parametrize("name", ["backend", "load_balancer"])
def test_what_is_reached_is_an_address(name: str) -> None:
    schema = questions.types()[name]
    pattern = schema.get("pattern") or schema["properties"]["address"]["pattern"]
    assert [address for address in NOBODYS if re.search(pattern, address)] == []
    assert re.search(pattern, SOMEBODYS[0])


SUMS = [
    ("memory: 3Gi\nhosts: [{host: x, auth: anubis, reason: guests look at it}]", "memory"),
    ("memory: 2900Mi\nvolumes: [{path: /a, backup: pg_dump, dump: {host: db, image: 'docker.io/library/postgres:16.4', "
     "password: {secret: a, key: b}}}]", "memory"),
    ("limit_range: {max_memory: 200Mi, default_memory: 128Mi}\nmemory: 128Mi\nvolumes: [{path: /a, backup: pg_dump, dump: {host: db, "
     "image: 'docker.io/library/postgres:16.4', password: {secret: a, key: b}}}]", "limit_range.max_memory"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "answer"), SUMS)
def test_what_runs_beside_the_app_counts(answers: str, answer: str) -> None:
    assert {found for found, _ in refused(APP + answers)} == {answer}


def test_memory_that_two_volumes_have_together() -> None:
    scratch = "scratch: [{path: /a, in_memory: true, size_limit: 100Mi}, {path: /b, name: b, in_memory: true, size_limit: %sMi}]"
    assert refused(APP + scratch % 100) == set()
    assert {answer for answer, _ in refused(APP + scratch % 156)} == {
        "scratch[0].size_limit",
        "scratch[1].size_limit",
    }


def test_only_a_block_volume_has_a_bound() -> None:
    assert (
        refused(APP + "volumes: [{path: /a, size: 3000Gi, rwx: true}, {path: /b, purpose: b, size: 2500Gi}]")
        == set()
    )


def test_files_of_one_config_map_are_counted_in_bytes() -> None:
    files = "files: [{path: /a, content: '%s'}, {path: /b, content: '%s'}]"
    few = APP + "sensed: {config_map_max: 8}\n"
    assert refused(few + files % ("1234", "1234")) == set()
    assert refused(few + files % ("123", "déjà")) == {("files[1].content", "answers.files-size")}

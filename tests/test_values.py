"""Single values of the right form: what Kubernetes or the network could not use is refused."""

from __future__ import annotations

import pytest
from tables import refused

APP = "name: kit\ndescription: A kit\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
ELSEWHERE = "name: kit\ndescription: A kit\nshape: external\nport: 80\n"


@pytest.mark.parametrize("schedule", [
    "*/0 * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 0 *", "* * * 13 *", "* * * * 7", "1 1 1 FOO BAR",
    ",,, --- /// * *", "30-5 * * * *", "* * * * fri-mon", "* * * dec-jan *", "*-5 * * * *",
])  # fmt: skip
def test_a_schedule_that_kubernetes_does_not_read(schedule: str) -> None:
    assert refused(APP + f"cron_jobs: [{{name: j, schedule: '{schedule}'}}]") == {
        ("cron_jobs[0].schedule", "answers.schedule")
    }


@pytest.mark.parametrize("schedule", ["*/5 0-6/2 1,15 jan-MAR,7 SUN", "5/10 * * * mon-FRI", "07 3 31 12 6"])
def test_a_schedule_that_kubernetes_reads(schedule: str) -> None:
    assert (
        refused(APP + f"cron_jobs: [{{name: j, schedule: '{schedule}', timezone: America/Argentina/Salta}}]")
        == set()
    )


@pytest.mark.parametrize("zone", ["Foo/Bar", "europe/sofia", "Local"])
def test_a_time_zone_that_the_database_lacks(zone: str) -> None:
    assert refused(APP + f"cron_jobs: [{{name: j, schedule: 1 1 * * *, timezone: {zone}}}]") == {
        ("cron_jobs[0].timezone", "answers.time-zone")
    }


@pytest.mark.parametrize("address", [
    "999.999.999.999", "1.2", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "010.1.1.1", "a.b.1",
])  # fmt: skip
def test_an_address_that_nobody_reaches(address: str) -> None:
    assert refused(ELSEWHERE + f"backend: '{address}'") == {("backend", "answers.pattern")}
    assert refused(APP + f"wait_for: ['{address}:80']") == {("wait_for[0]", "answers.pattern")}
    volume = f"volumes: [{{path: /a, rwx: true, nfs_path: /srv/nfs/a, nfs_server: '{address}'}}]"
    assert refused(APP + volume) == {("volumes[0].nfs_server", "answers.pattern")}


@pytest.mark.parametrize("address", ["192.0.2.1", "drive.example.org", "127.example.org"])
def test_an_address_that_others_reach(address: str) -> None:
    assert refused(ELSEWHERE + f"backend: '{address}'") == set()
    assert refused(APP + f"wait_for: ['{address}:65535']") == set()


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_is_none(port: str) -> None:
    assert refused(APP + f"wait_for: ['redis.redis:{port}']") == {("wait_for[0]", "answers.pattern")}


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

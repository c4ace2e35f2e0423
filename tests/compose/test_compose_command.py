"""``new-service --from-compose`` on the command line: the report, whatever becomes of the answers."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from support import ORIGIN, scaffold

from scaffold.monorepo.repository import Monorepo

FILE = """
services:
  ledger:
    image: ghcr.io/acme/ledger:2.1.0
    ports: ["9000:8080"]
    environment: {SESSION_KEY: swordfish-1, LOG: info}
    privileged: true
  rest: {image: 'acme/rest:1'}
"""
OPTIONS = ("--dry-run", "--verify=static", "--template-source", ORIGIN.source, "--set=description=Accounts")


def written(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "compose.yml"
    path.write_text(text)
    return path


def test_without_a_terminal_the_report_is_on_standard_error(monorepo: Monorepo, tmp_path: Path) -> None:
    path = written(tmp_path)
    done = scaffold("new-service", "--from-compose", path, *OPTIONS, "--set=port=9999", cwd=monorepo.root)
    assert done.returncode == 0, done.stderr
    assert "container_port = 9999" in done.stdout, "it lies below all other answers"
    told = done.stderr.splitlines()
    assert told[1] == "  ledger becomes the app, since it publishes ports and nothing else depends on it."
    assert "    services.ledger.environment.LOG → env.LOG" in told
    assert any("services.ledger.privileged: admission denies it" in line for line in told)
    assert f"--from-compose {path} --compose-service rest" in done.stderr
    assert "swordfish" not in done.stdout + done.stderr


def test_in_json_the_report_is_under_import_also_when_answers_are_refused(
    monorepo: Monorepo, tmp_path: Path
) -> None:
    path = written(tmp_path)
    command = ("new-service", "--from-compose", tmp_path, *OPTIONS, "--json")
    done = scaffold(*command, cwd=monorepo.root)
    assert done.returncode == 0 and not done.stderr
    found = json.loads(done.stdout)["import"]
    assert (found["file"], found["service"]) == (str(path), "ledger")
    assert [service["role"] for service in found["services"]] == ["the app", "a Service of its own"]
    assert {"key": "services.ledger.environment.LOG", "answer": "env.LOG", "why": ""} in found["taken"]
    assert [entry["key"] for entry in found["left"]] == ["services.ledger.privileged", "services.rest"]
    refused = scaffold(*command, "--set=image=latest", cwd=monorepo.root)
    assert refused.returncode == 3
    told = json.loads(refused.stdout)
    assert told["error"]["findings"] and told["import"] == found


def test_another_service_is_taken_by_its_name(monorepo: Monorepo, tmp_path: Path) -> None:
    command = ("new-service", "--from-compose", written(tmp_path), *OPTIONS, "--compose-service")
    done = scaffold(*command, "rest", "--set=port=80", cwd=monorepo.root)
    assert done.returncode == 0 and "docker.io/acme/rest:1" in done.stdout, done.stderr
    unknown = scaffold(*command, "gone", cwd=monorepo.root)
    assert unknown.returncode == 2 and "ledger, rest" in unknown.stderr
    alone = scaffold("new-service", *OPTIONS, "--compose-service", "rest", cwd=monorepo.root)
    assert alone.returncode == 2 and "--from-compose" in alone.stderr


def test_what_is_built_from_source_gets_the_usual_build(monorepo: Monorepo, tmp_path: Path) -> None:
    path = written(tmp_path, "services: {ledger: {build: ., ports: ['8080:8080']}}")
    done = scaffold("new-service", "--from-compose", path, *OPTIONS, "--json", cwd=monorepo.root)
    assert done.returncode == 0, done.stdout
    diffs = str([file["diff"] for file in json.loads(done.stdout)["files"]])
    assert "var.image_tag" in diffs and "build: " in diffs and "build: upstream" not in diffs


def test_in_a_terminal_it_asks_which_of_two_is_the_app_and_keeps_the_report(
    monorepo: Monorepo, tmp_path: Path
) -> None:
    more = "image: 'acme/rest:1', ports: ['1:1'], environment: {DB_HOST: db, DB_PASSWORD: swordfish-1}"
    path = written(tmp_path, FILE.replace("image: 'acme/rest:1'", more) + "  db: {image: 'postgres:17'}\n")
    done = scaffold(
        "new-service", "--plain", "--from-compose", path, *OPTIONS, "--set=name=rest", "--set=port=80",
        "--set=gate=required", "--set=sensitive=false", "--set=rwx=false", "--set=build=upstream",
        stdin="2\n" + "\n" * 20 + "database=none\ns\n", terminal=True, cwd=monorepo.root,
    )  # fmt: skip
    assert "Which service of the file is the app?" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    kept = Path(done.stdout.partition("The answers are in ")[2].partition(". To create")[0])
    text = kept.read_text()
    assert text.startswith(f"# {path}:\n#   rest becomes the app, since it was named.\n")
    assert yaml.safe_load(text)["image"] == "docker.io/acme/rest:1" and "database_env" not in yaml.safe_load(
        text
    )
    assert "environment.{DB_HOST, DB_PASSWORD}: the answers that were given leave no place" in text


def test_what_given_answers_leave_no_place_for_is_left_out_and_told(
    monorepo: Monorepo, tmp_path: Path
) -> None:
    text = (
        "services:\n  ledger: {image: 'ghcr.io/acme/ledger:2.1.0', ports: [8080], environment: {DB_HOST: db, DB_USER: a, "
        "DB_PASSWORD: swordfish-1, DB_NAME: a}}\n  db: {image: 'postgres:17'}\n"
    )
    path = written(tmp_path, text)
    command = ("new-service", "--from-compose", path, *OPTIONS, "--json", "--set=database=none")
    done = scaffold(*command, cwd=monorepo.root)
    assert done.returncode == 0, done.stdout
    left = {entry["key"]: entry["why"] for entry in json.loads(done.stdout)["import"]["left"]}
    assert left["services.ledger.environment.DB_HOST"] == "the answers that were given leave no place for it"
    assert "services.ledger.ports[0]" not in left


def test_a_setting_may_be_about_an_item_that_the_file_gives(monorepo: Monorepo, tmp_path: Path) -> None:
    text = "services:\n  ledger: {image: 'ghcr.io/acme/ledger:2.1.0', ports: [8080], volumes: ['kept:/kept', 'logs:/logs']}\n"
    command = ("new-service", "--from-compose", written(tmp_path, text), *OPTIONS, "--json")
    done = scaffold(*command, "--set=volumes[logs].size=7Gi", cwd=monorepo.root)
    assert done.returncode == 0, done.stdout
    diffs = str([file["diff"] for file in json.loads(done.stdout)["files"]])
    assert 'storage = "7Gi"' in diffs and "/kept" in diffs
    unknown = scaffold(*command, "--set=volumes[other].size=7Gi", cwd=monorepo.root)
    assert unknown.returncode == 3 and "volumes has no item called other" in unknown.stdout

"""`scaffold rename`: the stack, its host and the lists have another name; what holds data keeps its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import git, needs, scaffold

from scaffold.monorepo.repository import Monorepo

SOURCE = ("--template-source", "https://git.example.test/scaffold.git")
HIVES = """\
name: bee-notes
description: Notes on hives
gate: required
sensitive: true
build: upstream
image: docker.io/example/bee-notes:1.2.3
port: 8080
database: postgresql
secrets:
- env: API_KEY
volumes:
- path: /data
  size: 2Gi
  embedded_database: sqlite
- {path: /media, purpose: media, rwx: true, sensitive: false}
workloads:
- {name: worker, args: [work]}
- {name: search, image: docker.io/acme/finder:1.15.2, port: 7700}
"""
CATALOG = ".claude/reference/service-catalog.md"
ACCEPTED = ("--accept", "not-compared", "--accept", "opened")


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory, pristine: Monorepo) -> Path:
    """The sample with a Service that was made by its answers, and committed; nobody writes here."""
    root = tmp_path_factory.mktemp("born") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    made = ("--answers", "-", "--verify", "static", "--commit")
    done = scaffold("new-service", "--monorepo", root, *SOURCE, *made, stdin=HIVES)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def renamed(born: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The same with another name, committed, and what was told; nobody writes here."""
    root = tmp_path_factory.mktemp("renamed") / "monorepo"
    shutil.copytree(born, root, symlinks=True)
    script = root / "stacks/bee-notes/feed.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    catalog, row = root / CATALOG, "| bee-notes | Notes on hives | bee-notes |\n"
    catalog.write_text(catalog.read_text().replace(row, f"{row}| roses | Stands below | journal |\n"))
    git(root, "add", "-A")
    git(root, "commit", "-qm", "A script beside the stack, and a row below its own")
    done = rename(root, "hive-log", "--verify", "static", *ACCEPTED, "--commit", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return root, dict(json.loads(done.stdout))


def rename(root: Path, to: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return scaffold("rename", "bee-notes", to, "--monorepo", root, *arguments)


def test_what_holds_data_keeps_its_name(born: Path, renamed: tuple[Path, dict[str, Any]]) -> None:
    before = (born / "stacks/bee-notes/main.tf").read_text().splitlines()
    after = (renamed[0] / "stacks/hive-log/main.tf").read_text().splitlines()
    changed = {" ".join(line.split()) for line in {*before} ^ {*after}}
    assert changed == {
        "# Bee Notes: Notes on hives",
        "# Hive Log: Notes on hives",
        "# https://bee-notes.example.test",
        "# https://hive-log.example.test",
        'host = "hive-log"',
        '"gethomepage.dev/name" = "Bee Notes"',
        '"gethomepage.dev/name" = "Hive Log"',
    }


def test_the_stack_moves_with_all_that_people_put_beside_it(renamed: tuple[Path, dict[str, Any]]) -> None:
    root = renamed[0]
    assert not git(root, "ls-files", "stacks/bee-notes")
    assert (root / "stacks/hive-log/feed.sh").stat().st_mode & 0o111
    assert not git(root, "status", "--porcelain")
    answers = yaml.safe_load((root / "stacks/hive-log/.copier-answers.yml").read_text())
    assert answers["name"] == "hive-log"
    assert answers["recorded"]["names"]["namespace"] == answers["recorded"]["names"]["made_as"] == "bee-notes"


def test_every_list_has_the_new_name_where_the_old_one_stood(renamed: tuple[Path, dict[str, Any]]) -> None:
    root = renamed[0]
    for path in (CATALOG, "docs/architecture/backup-dr.md", "docs/architecture/storage.md"):
        before, after = git(root, "show", f"HEAD~1:{path}"), (root / path).read_text()
        assert "ee Notes" in before or "bee-notes" in before
        assert after == before.replace("Bee Notes", "Hive Log").replace("bee-notes", "hive-log")
    found = json.loads(scaffold("index", "--check", "--json", "--monorepo", root).stdout)["findings"]
    assert "| roses |" in git(root, "show", f"HEAD:{CATALOG}")
    assert [one for one in found if "bee" in json.dumps(one) or "hive" in json.dumps(one)] == []


def test_the_state_moves_before_anything_is_applied(renamed: tuple[Path, dict[str, Any]]) -> None:
    commands = [step["command"] or "" for step in renamed[1]["next_steps"]]
    moved = next(n for n, command in enumerate(commands) if "state push" in command)
    assert "cd stacks/bee-notes && ../../scripts/tg state pull" in commands[moved]
    assert not any(one in " ".join(commands[:moved]) for one in ("cd stacks/hive-log", "git push"))
    assert "vault kv patch" not in "".join(commands), "the secrets stay where they are"


@pytest.mark.slow("a status and a change beside the rename")
def test_it_lives_on_under_the_new_name(renamed: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root = tmp_path / "monorepo"
    shutil.copytree(renamed[0], root, symlinks=True)
    told = scaffold("status", "hive-log", "--json", "--monorepo", root)
    (stack,) = json.loads(told.stdout)["stacks"]
    assert not (stack["answers_edited"] or stack["invalid"] or stack["moved"] or stack["lists"])
    assert stack["findings"] == {"errors": 0, "warnings": 0}
    done = scaffold(
        "change",
        "hive-log",
        "--set",
        "volumes[+]=/drop=1Gi",
        "--monorepo",
        root,
        "--verify",
        "static",
        *ACCEPTED,
    )
    assert done.returncode == 0, done.stderr
    main = (root / "stacks/hive-log/main.tf").read_text()
    assert '"bee-notes-data-encrypted"' in main and '"hive-log-drop-encrypted"' in main
    assert 'name      = "bee-notes-backup"' in main


def test_the_host_stays_where_that_is_said(born: Path) -> None:
    done = rename(born, "hive-log", "--keep-host", "--verify", "static", "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert [one["path"] for one in told["answers"]] == ["name", "title"]
    assert told["was"] == "bee-notes" and not told["written"]
    assert told["kept"]["names.namespace"] == "bee-notes"
    assert told["kept"]["volumes.data.claim"] == "bee-notes-data-encrypted"
    assert told["kept"]["database.role"] == "pg-bee-notes"
    assert not git(born, "status", "--porcelain")


@pytest.mark.slow("renders and merges once more")
def test_a_dry_run_shows_what_differs_and_not_the_whole_stack(born: Path) -> None:
    told = rename(born, "hive-log", "--verify", "static", "--dry-run").stdout
    assert "bee-notes: would be renamed to hive-log" in told
    assert "-# Bee Notes: Notes on hives" in told and "+# Hive Log: Notes on hives" in told
    assert "-resource" not in told and "+resource" not in told


@pytest.mark.parametrize(
    "to,code,said",
    [
        ("Hive_Log", 3, "name"),
        ("vault", 3, "Tier 0"),
        ("journal", 4, "stacks/journal already exists"),
    ],
)
def test_a_name_that_is_wrong_or_taken_is_refused(born: Path, to: str, code: int, said: str) -> None:
    done = rename(born, to, "--verify", "static", *ACCEPTED)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not git(born, "status", "--porcelain")


def test_a_stack_that_others_depend_on_stays(born: Path, tmp_path: Path) -> None:
    root = tmp_path / "monorepo"
    shutil.copytree(born, root, symlinks=True)
    other = root / "stacks" / "kit"
    other.mkdir()
    (other / "main.tf").write_text("")
    (other / "terragrunt.hcl").write_text('dependency "bees" {\n  config_path = "../bee-notes"\n}\n')
    done = rename(root, "hive-log", "--verify", "static", *ACCEPTED)
    assert done.returncode == 4
    assert "kit depends on bee-notes" in done.stderr


def test_nothing_is_written_of_which_nobody_knows_what_it_does(born: Path) -> None:
    done = rename(born, "hive-log", "--verify", "static")
    assert done.returncode == 4
    assert "--accept not-compared" in done.stderr
    assert not git(born, "status", "--porcelain")


@needs("terraform")
@pytest.mark.slow("plans of both sides")
def test_the_plan_shows_that_only_the_host_and_the_tile_change(born: Path) -> None:
    told = json.loads(rename(born, "hive-log", "--dry-run", "--json").stdout)
    assert told["difference"]["added"] == told["difference"]["removed"] == []
    assert {one["type"] for one in told["difference"]["changed"]} <= {
        "kubernetes_ingress_v1", "cloudflare_record"
    }  # fmt: skip
    assert set(told["to_accept"]) <= {"replaced", "opened"}
    kept = json.loads(rename(born, "hive-log", "--keep-host", "--dry-run", "--json").stdout)
    assert kept["to_accept"] == []

"""`scaffold new-service` as a user runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import ANSWERS, GOLDEN, git, scaffold

from scaffold.monorepo.repository import Monorepo

DRONE = ANSWERS / "valid" / "drone-logbook.yml"
FILES = [".copier-answers.yml", "main.tf", "terragrunt.hcl"]
INDEXES = [
    ".claude/reference/service-catalog.md",
    ".claude/reference/upgrade-config.json",
    "docs/architecture/backup-dr.md",
    "docs/architecture/storage.md",
    "docs/runbooks/nfs-prerequisites.md",
]
SOURCE = ("--template-source", "https://git.example.test/scaffold.git")


def new_service(monorepo: Monorepo, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return scaffold("new-service", "--monorepo", monorepo.root, *SOURCE, *arguments, **more)


def tree(monorepo: Monorepo) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in monorepo.root.rglob("*") if p.is_file() and ".git/" not in str(p)}


def test_it_writes_what_the_golden_holds_and_nothing_else(monorepo: Monorepo) -> None:
    done = new_service(monorepo, "--answers", DRONE)
    assert done.returncode == 0, done.stderr
    written = git(monorepo.root, "status", "--porcelain", "--untracked-files=all").split()[1::2]
    assert written == INDEXES + [f"stacks/drone-logbook/{name}" for name in FILES]
    stack = monorepo.stack_directory("drone-logbook")
    for name in FILES:
        assert (stack / name).read_bytes() == (GOLDEN / "drone-logbook" / "stack" / name).read_bytes()
    assert "2. Put the secrets into Vault.\n" in done.stdout
    assert done.stdout.endswith("Each with its commands: scaffold next drone-logbook\n")


def test_a_dry_run_prints_the_diff_and_writes_nothing(monorepo: Monorepo) -> None:
    before = tree(monorepo)
    done = new_service(monorepo, "--answers", DRONE, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert tree(monorepo) == before
    stack = done.stdout[done.stdout.index("diff --git a/stacks/drone-logbook/") :]
    added = [line[1:] for line in stack.splitlines() if line.startswith("+") and not line.startswith("+++")]
    golden = "".join((GOLDEN / "drone-logbook" / "stack" / name).read_text() for name in FILES)
    assert added == golden.splitlines()


def test_the_same_answers_again_change_nothing_and_others_are_refused(monorepo: Monorepo) -> None:
    assert new_service(monorepo, "--answers", DRONE).returncode == 0
    main = monorepo.stack_directory("drone-logbook") / "main.tf"
    main.write_text(main.read_text() + "# by hand\n")
    before = tree(monorepo)
    again = new_service(monorepo, "--answers", DRONE)
    assert (again.returncode, again.stdout) == (
        0,
        "drone-logbook exists with these answers. Nothing to do.\n",
    )
    other = new_service(monorepo, "--answers", DRONE, "--set", "memory=1Gi")
    assert other.returncode == 4
    assert "scaffold change drone-logbook --set memory=1Gi" in other.stderr
    assert tree(monorepo) == before


def test_nothing_to_do_is_said_only_where_all_of_it_is_there(monorepo: Monorepo) -> None:
    assert new_service(monorepo, "--answers", DRONE).returncode == 0
    main = "stacks/drone-logbook/main.tf"
    whole = {path: (monorepo.root / path).read_bytes() for path in (*INDEXES, main)}
    git(monorepo.root, "checkout", "--quiet", ".")
    (monorepo.root / main).unlink()
    again = new_service(monorepo, "--answers", DRONE)
    assert (again.returncode, again.stdout) == (4, "")
    assert all(path in again.stderr for path in whole)
    assert "move stacks/drone-logbook aside and run this again" in again.stderr
    for path, content in whole.items():
        (monorepo.root / path).write_bytes(content)
    assert "Nothing to do" in new_service(monorepo, "--answers", DRONE).stdout
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "Add it")
    (monorepo.root / main).unlink()
    again = new_service(monorepo, "--answers", DRONE)
    assert again.returncode == 4
    assert f"git checkout HEAD -- {main}" in again.stderr
    assert not any(path in again.stderr for path in INDEXES)


def test_json_is_all_there_is_on_standard_output(monorepo: Monorepo) -> None:
    done = new_service(monorepo, "--answers", "-", "--dry-run", "--json", stdin=DRONE.read_text())
    result = json.loads(done.stdout)
    assert done.stderr == ""
    told = {
        "service",
        "written",
        "commit",
        "files",
        "decisions",
        "verified",
        "planned",
        "own_files",
        "next_steps",
        "restore",
        "template",
    }
    assert set(result) == told
    planned = result["planned"]
    assert planned["counts"] == {"create": result["verified"]["resources"], "import": 0}
    assert "kubernetes_deployment.drone_logbook" in planned["create"]
    assert planned["summary"]["hosts"] == [
        "dronelog.example.test, gate required, DNS proxied, monitored, tile Drone Logbook"
    ]
    assert planned["summary"]["storage"][0].startswith("drone-logbook-data-encrypted, 2Gi")
    assert result["service"] == "drone-logbook"
    assert [(f["path"], f["action"]) for f in result["files"]] == [
        *((path, "modify") for path in INDEXES),
        *((f"stacks/drone-logbook/{name}", "create") for name in FILES),
    ]
    assert all(f["diff"].count("\n+") >= f["lines"]["added"] > 0 for f in result["files"])
    decided = {d["name"]: d for d in result["decisions"]}
    assert decided["storage.volumes[data].storage_class"]["value"] == "proxmox-lvm-encrypted"
    assert all(d["reason"] and d["rule"] for d in result["decisions"])
    assert result["verified"]["level"] in ("static", "plan")
    assert all(step["text"] and step["command"] for step in result["next_steps"])


def test_a_commit_holds_exactly_the_new_files(monorepo: Monorepo) -> None:
    (monorepo.root / "README.md").write_text("staged by hand\n")
    git(monorepo.root, "add", "README.md")
    (monorepo.root / "AGENTS.md").write_text("dirty\n")
    done = new_service(monorepo, "--answers", DRONE, "--commit")
    assert done.returncode == 0, done.stderr
    listed = git(monorepo.root, "show", "--name-only", "--format=%s", "HEAD").split("\n")
    assert listed[0] == "drone-logbook: new Service"
    assert "[ci skip]" not in git(monorepo.root, "log", "-1", "--format=%B")
    assert listed[2:-1] == INDEXES + [f"stacks/drone-logbook/{name}" for name in FILES]
    assert git(monorepo.root, "status", "--porcelain") == " M AGENTS.md\nM  README.md\n"


def test_every_kind_of_failure_has_its_exit_code(monorepo: Monorepo, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("name: thing\nmemory: lots\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    cases: list[tuple[int, str, list[str | Path]]] = [
        (2, "usage", ["--no-such-option"]),
        (2, "usage", ["--answers", tmp_path / "absent.yml"]),
        (2, "usage", ["--answers", DRONE, "--set", "memory"]),
        (3, "answers", ["--answers", bad]),
        (4, "refused", ["--answers", DRONE, "--set", "name=journal"]),
        (6, "environment", ["--answers", DRONE, "--monorepo", outside]),
    ]
    before = tree(monorepo)
    for code, kind, arguments in cases:
        done = new_service(monorepo, *arguments, "--json")
        error = json.loads(done.stdout)["error"]
        assert (done.returncode, error["kind"]) == (code, kind), error
        assert error["message"]
        plain = new_service(monorepo, *arguments)
        assert plain.returncode == code
        assert plain.stdout == ""
        assert error["message"] in plain.stderr
    assert tree(monorepo) == before


def test_without_a_terminal_and_answers_it_says_what_to_do(monorepo: Monorepo) -> None:
    done = new_service(monorepo)
    assert done.returncode == 2
    assert "--answers" in done.stderr


def test_what_would_not_work_in_this_monorepo_is_not_written(monorepo: Monorepo) -> None:
    module = monorepo.root / "modules/kubernetes/ingress_factory/main.tf"
    text = module.read_text()
    assert text.count('variable "auth"') == 1
    module.write_text(text.replace('variable "auth"', 'variable "auths"').replace("var.auth", "var.auths"))
    before = tree(monorepo)
    done = new_service(monorepo, "--answers", DRONE, "--json")
    assert done.returncode == 5
    (finding,) = json.loads(done.stdout)["error"]["findings"]
    assert finding["path"] == "stacks/drone-logbook/main.tf"
    lines = (GOLDEN / "drone-logbook" / "stack" / "main.tf").read_text().splitlines()
    assert "auth" in lines[finding["line"] - 1]
    assert "answer" not in finding, "without the answer its default stands there, and fails as well"
    assert finding["fix"]
    assert tree(monorepo) == before


def test_the_facts_of_the_monorepo_hold_over_those_of_the_template(monorepo: Monorepo) -> None:
    (monorepo.root / "scaffold.yml").write_text("external_secret_api: external-secrets.io/v1\nkv_store: kv\n")
    assert new_service(monorepo, "--answers", DRONE).returncode == 0
    text = (monorepo.stack_directory("drone-logbook") / "main.tf").read_text()
    assert 'apiVersion = "external-secrets.io/v1"' in text
    assert 'name = "kv"' in text
    recorded = (monorepo.stack_directory("drone-logbook") / ".copier-answers.yml").read_text()
    assert "kv_store: kv" in recorded
    assert "database_store" not in recorded, "what equals the default is not recorded"
    (monorepo.root / "scaffold.yml").write_text("kv_stor: kv\n")
    done = new_service(monorepo, "--answers", DRONE)
    assert done.returncode == 6
    assert "kv_stor is not a fact" in done.stderr


@pytest.mark.parametrize("shell_home", ["", "/nonexistent"])
def test_it_needs_no_home(monorepo: Monorepo, shell_home: str) -> None:
    done = new_service(monorepo, "--answers", DRONE, env={"HOME": shell_home})
    assert done.returncode == 0, done.stderr


def test_an_unfinished_merge_is_not_written_over(monorepo: Monorepo) -> None:
    readme = monorepo.root / "README.md"
    for branch, text in (("other", "theirs\n"), ("main", "ours\n")):
        git(monorepo.root, "checkout", "--quiet", *(["-b"] if branch == "other" else []), branch)
        readme.write_text(text)
        git(monorepo.root, "-c", "commit.gpgSign=false", "commit", "--quiet", "--all", "--message", branch)
    merge = subprocess.run(["git", "merge", "other"], cwd=monorepo.root, capture_output=True, check=False)
    assert merge.returncode == 1
    before = tree(monorepo)
    done = new_service(monorepo, "--answers", DRONE)
    assert done.returncode == 4
    assert "A merge is unfinished in README.md." in done.stderr
    assert tree(monorepo) == before


def test_answers_of_a_stack_that_cannot_be_read_are_no_defect_of_ours(monorepo: Monorepo) -> None:
    assert new_service(monorepo, "--answers", DRONE, "--verify", "static").returncode == 0
    recorded = monorepo.stack_directory("drone-logbook") / ".copier-answers.yml"
    for text in ("<<<<<<< before\n:\n", "- a list\n"):
        recorded.write_text(text)
        done = new_service(monorepo, "--answers", DRONE)
        assert done.returncode == 4
        assert "Restore it from Git" in done.stderr


def test_an_index_can_be_left_out_and_one_that_lost_its_place_is_refused(monorepo: Monorepo) -> None:
    linkboard = ANSWERS / "valid" / "linkboard.yml"
    vault = monorepo.root / "stacks/vault/main.tf"
    vault.write_text(vault.read_text().replace("allowed_roles", "permitted_roles"))
    before = tree(monorepo)
    done = new_service(monorepo, "--answers", linkboard, "--verify", "static", "--json")
    assert done.returncode == 4
    assert {f["path"] for f in json.loads(done.stdout)["error"]["findings"]} == {"stacks/vault/main.tf"}
    assert tree(monorepo) == before
    done = new_service(
        monorepo, "--answers", linkboard, "--verify", "static", "--no-index", "vault-allowed-roles",
        "--no-index", "catalog", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    paths = {f["path"] for f in json.loads(done.stdout)["files"]}
    assert "stacks/dbaas/modules/dbaas/main.tf" in paths
    assert "| linkboard |" not in (monorepo.root / INDEXES[0]).read_text()
    unknown = new_service(monorepo, "--answers", DRONE, "--no-index", "katalog")
    assert unknown.returncode == 2


def test_every_stack_that_is_edited_is_applied_first(monorepo: Monorepo) -> None:
    """A database: dbaas before Vault, whose role needs the user. No ingress: the monitor inside."""
    for answers, stacks in (("linkboard", ("dbaas", "vault")), ("camera-eye", ("vault", "uptime-kuma"))):
        done = new_service(
            monorepo,
            "--answers",
            ANSWERS / "valid" / f"{answers}.yml",
            "--dry-run",
            "--verify",
            "static",
            "--json",
        )
        commands = [step["command"] for step in json.loads(done.stdout)["next_steps"]]
        assert (
            " && \\\n".join(f"(cd stacks/{stack} && ../../scripts/tg apply)" for stack in stacks) in commands
        )


def test_a_commit_that_would_take_in_other_changes_writes_nothing(monorepo: Monorepo) -> None:
    (monorepo.root / INDEXES[0]).write_text((monorepo.root / INDEXES[0]).read_text() + "\nby hand\n")
    before = tree(monorepo)
    done = new_service(monorepo, "--answers", DRONE, "--verify", "static", "--commit")
    assert done.returncode == 4 and INDEXES[0] in done.stderr
    assert tree(monorepo) == before
    assert new_service(monorepo, "--answers", DRONE, "--verify", "static").returncode == 0
    removed = scaffold("remove-service", "drone-logbook", "--write", "--commit", "--monorepo", monorepo.root)
    assert removed.returncode == 4 and INDEXES[0] in removed.stderr
    assert (monorepo.root / "stacks/drone-logbook/main.tf").exists()
    assert scaffold("remove-service", "x", "--commit", "--monorepo", monorepo.root).returncode == 2


def refusing_hook(root: Path) -> Path:
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no thanks >&2\nexit 1\n")
    hook.chmod(0o755)
    return hook


def test_a_commit_that_a_hook_refuses_is_told_and_told_again(monorepo: Monorepo) -> None:
    hook = refusing_hook(monorepo.root)
    arguments = ("--answers", DRONE, "--verify", "static", "--commit")
    done = new_service(monorepo, *arguments)
    assert done.returncode == 4
    assert "written, but not committed" in done.stderr and "no thanks" in done.stderr
    hook.unlink()
    again = new_service(monorepo, *arguments)
    assert again.returncode == 4 and "not committed" in again.stderr, "no silent success"
    command = done.stderr.partition("then run: `")[2].partition("`")[0]
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert git(monorepo.root, "status", "--porcelain") == ""
    assert new_service(monorepo, *arguments).returncode == 0


def test_files_beside_the_stack_that_are_no_utf_8_are_no_defect_of_ours(monorepo: Monorepo) -> None:
    directory = monorepo.stack_directory("drone-logbook")
    directory.mkdir()
    (directory / "extra.tf").write_bytes(b"# caf\xe9\nlocals {\n  x = local.nothing\n}\n")
    done = new_service(monorepo, "--answers", DRONE, "--verify", "static")
    assert done.returncode == 5, done.stderr
    assert "stacks/drone-logbook/extra.tf:3" in done.stderr


def test_a_link_that_leads_nowhere_in_a_module_is_no_defect_of_ours(monorepo: Monorepo) -> None:
    for module in ("ingress_factory", "nfs_volume"):
        (monorepo.root / "modules/kubernetes" / module / "gone.tf").symlink_to("nowhere.tf")
    done = new_service(monorepo, "--answers", DRONE, "--verify", "static")
    assert done.returncode == 0, done.stderr


def test_the_same_name_below_another_domain_is_free(monorepo: Monorepo) -> None:
    path = monorepo.stack_directory("journal") / "main.tf"
    call = 'module "ingress_other" {\n  source = "../../modules/kubernetes/ingress_factory"\n  name = "dronelog"\n%s}\n'
    text = path.read_text()
    for root_domain, code in (('  root_domain = "home.arpa"\n', 0), ("", 4)):
        path.write_text(text + call % root_domain)
        done = new_service(monorepo, "--answers", DRONE, "--verify", "static", "--dry-run")
        assert done.returncode == code, done.stderr

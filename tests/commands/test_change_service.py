"""`scaffold change`: the stack, the lists outside and what is reported follow other answers."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS, git, needs, scaffold

from scaffold.monorepo.repository import Monorepo

SOURCE = ("--template-source", "https://git.example.test/scaffold.git")
NOTES = """\
name: bee-notes
description: Notes on hives
gate: required
sensitive: false
build: upstream
image: docker.io/example/bee-notes:1.2.3
port: 8080
secrets:
- env: API_KEY
volumes:
- path: /data
  size: 2Gi
"""
OUTSIDE = (".claude/reference/service-catalog.md", "docs/architecture/backup-dr.md")
ACCEPTED = ("--accept", "not-compared", "--accept", "data-lost", "--accept", "opened")
CATALOG = Path(".claude/reference/service-catalog.md")


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory, pristine: Monorepo) -> Path:
    """The sample with a Service that was made by its answers, and committed; nobody writes here."""
    root = tmp_path_factory.mktemp("born") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    done = scaffold(
        "new-service",
        "--monorepo",
        root,
        *SOURCE,
        "--answers",
        "-",
        "--verify",
        "static",
        "--commit",
        stdin=NOTES,
    )
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def root(born: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(born, tmp_path / "monorepo", symlinks=True)
    yield tmp_path / "monorepo"


def change(root: Path, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return scaffold("change", "bee-notes", "--monorepo", root, *arguments, **more)


def static(root: Path, *arguments: str) -> dict[str, Any]:
    """A change that is not planned, written and committed; what it told."""
    asked = ("--verify", "static", *ACCEPTED, "--commit", "--json")
    done = change(root, *arguments, *asked)
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout))


def answers(root: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((root / "stacks/bee-notes/.copier-answers.yml").read_text()))


def disagreements(root: Path) -> list[str]:
    """What the lists and this Service do not agree on."""
    found = json.loads(scaffold("index", "--check", "--json", "--monorepo", root).stdout)["findings"]
    return [finding["message"] for finding in found if "bee" in json.dumps(finding)]


def untouched(root: Path) -> bool:
    return not git(root, "status", "--porcelain")


def main(root: Path) -> str:
    return (root / "stacks/bee-notes/main.tf").read_text()


def commands(told: dict[str, Any]) -> str:
    return "\n".join(step["command"] or step["text"] for step in told["next_steps"])


def test_one_more_secret_leaves_the_others_and_asks_for_its_key_alone(root: Path) -> None:
    told = static(root, "--set", "secrets[+]=API_TOKEN")
    assert main(root).count("API_TOKEN") and main(root).count("API_KEY")
    assert "api_token=…" in commands(told)
    assert "api_key" not in commands(told)
    assert [one["path"] for one in told["answers"]] == ["secrets[API_TOKEN]"]
    assert disagreements(root) == []


def test_one_more_volume_is_backed_up_and_listed(root: Path) -> None:
    told = static(root, "--set", "volumes[+]={path: /drop, rwx: true}")
    assert "/srv/nfs/bee-notes/drop" in commands(told)
    assert "bee-notes-backup " not in commands(told), "the directory of the backup is there"
    assert answers(root)["recorded"]["volumes"].keys() == {"data", "drop"}
    assert "/srv/nfs/bee-notes/drop" in (root / "docs/runbooks/nfs-prerequisites.md").read_text()
    assert disagreements(root) == []


def test_further_deployments_come_change_and_go(root: Path) -> None:
    added = "workloads=[{name: worker, args: [work]}, {name: search, image: 'docker.io/acme/finder:1.15.2', port: 7700}]"
    told = static(root, "--set", added, "--commit")
    assert "rollout status deployment/bee-notes-search" in commands(told)
    text = main(root)
    assert (
        text.count('resource "kubernetes_deployment"') == 3
        and text.count('resource "kubernetes_service"') == 2
    )
    told = static(root, "--set", "workloads[worker].memory=512Mi", "--unset", "workloads[search]")
    assert [one["path"] for one in told["answers"]] == ["workloads[worker].memory", "workloads[search]"]
    assert 'memory = "512Mi"' in main(root) and "finder" not in main(root)
    assert "deployment/bee-notes-worker" in commands(told) and "bee-notes-search" not in commands(told)


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_the_last_volume_takes_its_rows_along(root: Path) -> None:
    matrix = root / "docs/architecture/backup-dr.md"
    assert "Bee Notes" in matrix.read_text()
    static(root, "--unset", "volumes")
    assert "Bee Notes" not in matrix.read_text()
    assert answers(root)["recorded"]["volumes"] == {}
    assert disagreements(root) == []


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_a_database_comes_and_goes_with_all_its_lists(root: Path) -> None:
    before = {
        p: (root / p).read_bytes() for p in ("stacks/vault/main.tf", "stacks/dbaas/modules/dbaas/main.tf")
    }
    told = static(root, "--set", "database=postgresql")
    vault = (root / "stacks/vault/main.tf").read_text()
    assert vault.count('"pg-bee-notes"') == 2
    assert '"bee_notes"' in (root / "stacks/dbaas/modules/dbaas/main.tf").read_text()
    assert "bee-notes" in (root / ".claude/reference/upgrade-config.json").read_text()
    assert disagreements(root) == []
    applied = commands(told)
    assert (
        applied.index("stacks/dbaas") < applied.index("stacks/vault") < applied.index("stacks/bee-notes &&")
    )
    told = static(root, "--set", "database=none")
    assert "Drop the postgresql database bee_notes" in commands(told)
    assert commands(told).index("stacks/vault") < commands(told).index("stacks/dbaas")
    assert {path: (root / path).read_bytes() for path in before} == before
    assert disagreements(root) == []


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_a_database_is_fetched_by_the_version_of_the_operator_that_is_there_now(root: Path) -> None:
    """What stands there stays; what comes is of today."""
    for file in (root / "stacks").rglob("main.tf"):
        if file.parent.name != "bee-notes":
            file.write_text(file.read_text().replace("external-secrets.io/v1beta1", "external-secrets.io/v1"))
    git(root, "commit", "-qam", "newer operator")

    def versions() -> dict[str, str]:
        manifests = [
            part for part in main(root).split('resource "kubernetes_manifest" ') if "apiVersion" in part
        ]
        found = {part.split('"')[1]: part.partition("external-secrets.io/")[2] for part in manifests}
        return {name: text.partition('"')[0] for name, text in found.items()}

    assert versions() == {"external_secret": "v1beta1"}
    static(root, "--set", "database=postgresql")
    assert versions() == {"external_secret": "v1beta1", "db_external_secret": "v1"}
    assert answers(root)["database"] == "postgresql"


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_host_gate_and_paths_move_in_the_lists(root: Path) -> None:
    static(root, "--set", "host=bees", "--set", "dns=non-proxied")
    catalog = (root / CATALOG).read_text()
    proxied, direct = catalog.split("Non-Proxied")
    assert "bee-notes," not in proxied.partition("## Cloudflare Domains")[2]
    assert "bees" in direct
    setting = "{paths: [/hook/], auth: none, reason: A webhook that signs what it sends}"
    static(
        root,
        "--set",
        "gate=anubis",
        "--set",
        "gate_reason=A page for everybody",
        "--set",
        f"machine_clients[+]={setting}",
    )
    probe = "stacks/monitoring/modules/monitoring/authentik_walloff_probe.tf"
    assert "https://bees.example.test/hook/" in (root / probe).read_text()
    assert disagreements(root) == []
    static(root, "--set", "host=hive")
    assert "https://hive.example.test/hook/" in (root / probe).read_text()
    assert "bees" not in (root / probe).read_text() + (root / CATALOG).read_text()
    assert disagreements(root) == []


@pytest.mark.parametrize(
    "settings,answer,stays",
    [
        (
            ["sensitive=true"],
            "sensitive",
            "keeps its storage class; a new one would have proxmox-lvm-encrypted",
        ),
        (["rwx=true"], "rwx", "keeps its storage class; a new one would have nfs"),
        (["volumes[data].sensitive=true"], "volumes", "keeps its storage class"),
        (["volumes[data].size=1Gi"], "volumes", "no claim becomes smaller"),
        (
            ["object_names={namespace: bees}"],
            "object_names",
            "Nothing that exists of bee-notes can be renamed.",
        ),
        (
            ["name=wasp-notes"],
            "name",
            "Nothing that exists of bee-notes can be renamed; `scaffold rename bee-notes wasp-notes` renames",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_change_in_place_is_refused_with_the_steps(
    root: Path, settings: list[str], answer: str, stays: str
) -> None:
    done = change(root, *(part for setting in settings for part in ("--set", setting)), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["kind"]) == (4, "refused"), done.stdout
    (finding,) = error["findings"]
    assert (finding["code"], finding["answer"]) == ("change.in-place", answer)
    assert stays in finding["message"]
    assert finding["fix"].startswith("1. ") and "\n4. " in finding["fix"]
    assert untouched(root)


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_the_names_of_a_database_stay(root: Path) -> None:
    static(root, "--set", "database=postgresql")
    done = change(root, "--set", "database_name=hives", "--json")
    (finding,) = json.loads(done.stdout)["error"]["findings"]
    assert done.returncode == 4
    assert finding["message"] == "The database exists, and nothing renames it."
    assert finding["value"] == "database bee_notes, role pg-bee-notes, user bee_notes"
    static(root, "--set", "database=none")
    static(root, "--set", "database=postgresql", "--set", "database_name=hives")
    assert answers(root)["recorded"]["database"]["role"] == "pg-hives"
    assert disagreements(root) == []


def test_the_steps_that_move_a_volume_are_shell_that_runs(root: Path, tmp_path: Path) -> None:
    """With commands of the same names in place of those that they call, which note what they were told."""
    done = change(root, "--set", "sensitive=true", "--json")
    (finding,) = json.loads(done.stdout)["error"]["findings"]
    script = "\n".join(line[3:] for line in finding["fix"].splitlines() if line.startswith("   "))
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    tg = root / "scripts" / "tg"
    tg.parent.mkdir(exist_ok=True)
    note = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps([sys.argv[0].split('/')[-1], *sys.argv[1:]]))\n"
    for stub in (stubs / "kubectl", stubs / "scaffold", tg):
        stub.write_text(note)
        stub.chmod(0o755)
    command = ["bash", "-euo", "pipefail", "-c", script]
    path = f"{stubs}:{os.environ['PATH']}"
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={"PATH": path})
    assert (ran.returncode, ran.stderr) == (0, "")
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [words[0] for words in told].count("scaffold") == 4
    (copy,) = [words for words in told if words[:4] == ["kubectl", "-n", "bee-notes", "run"]]
    (given,) = [word.partition("=")[2] for word in copy if word.startswith("--overrides=")]
    volumes = json.loads(given)["spec"]["volumes"]
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in volumes]
    assert claims == ["bee-notes-data-proxmox", "bee-notes-data-new-encrypted"]
    assert any(words[3:6] == ["scale", "deployment/bee-notes", "--replicas=0"] for words in told)


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_the_steps_that_move_a_volume_can_be_taken(root: Path) -> None:
    """The refusal's own commands, from the new volume to what was asked for."""
    done = change(root, "--set", "sensitive=true", "--json")
    (finding,) = json.loads(done.stdout)["error"]["findings"]
    taken = [
        line.strip() for line in finding["fix"].splitlines() if line.strip().startswith("scaffold change")
    ]
    assert len(taken) == 4
    asked = f"--verify static {' '.join(ACCEPTED)} --commit"
    for line in taken:
        words = shlex.split(line.removesuffix("\\").removesuffix(" && "))[2:]
        words = [word for word in words if word not in ("--accept", "data-lost", "&&")]
        done = scaffold("change", *words, *asked.split(), "--monorepo", root)
        assert done.returncode == 0, done.stderr
    recorded = answers(root)["recorded"]["volumes"]
    assert list(recorded) == ["data-new"]
    assert recorded["data-new"]["storage_class"] == "proxmox-lvm-encrypted"
    assert answers(root)["sensitive"] is True
    assert disagreements(root) == []


def test_names_that_others_have_are_refused_and_own_ones_are_not(root: Path) -> None:
    done = change(root, "--set", "host=journal", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, [f["code"] for f in error["findings"]]) == (4, ["taken.host"])
    assert untouched(root)


def test_all_that_is_wrong_is_told_at_once(root: Path) -> None:
    done = change(
        root,
        "--set",
        "memry=1Gi",
        "--set",
        "volumes[dta].size=5Gi",
        "--set",
        "port=many",
        "--unset",
        "secrts",
        "--json",
    )
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 3
    told = {finding["path"]: finding["fix"] for finding in error["findings"]}
    assert told == {
        "--set memry": "Did you mean memory?",
        "--set volumes[dta].size": "Did you mean data?",
        "--set port": "Use the port that the app listens on.",
        "--unset secrts": "Did you mean secrets?",
    }
    assert untouched(root)


@pytest.mark.parametrize(
    "asked", [("--unset", "name"), ("--set", "sensed=5"), ("--set", "volumes=abc")], ids=str
)
def test_what_nothing_can_be_decided_from_is_a_wrong_answer(root: Path, asked: tuple[str, str]) -> None:
    assert change(root, *asked).returncode == 3


def test_an_edit_by_hand_is_kept(root: Path) -> None:
    file = root / "stacks/bee-notes/main.tf"
    file.write_text(main(root).replace("    spec {\n", "    # By hand.\n    spec {\n", 1))
    git(root, "commit", "-qam", "by hand")
    told = static(root, "--set", "memory=1Gi")
    assert "# By hand." in main(root)
    assert 'memory = "1Gi"' in main(root)
    assert told["merged"] == ["main.tf"]


@pytest.mark.slow("plans a stack as it was, as it stands and as it is about to")
@needs("terraform")
def test_an_edit_by_hand_that_is_merged_is_held_against_four_plans(root: Path) -> None:
    file = root / "stacks/bee-notes/main.tf"
    edited = main(root).replace("replicas = 1", "replicas = 2", 1)
    file.write_text(edited)
    assert edited.count("replicas = 2") == 1
    git(root, "commit", "-qam", "by hand")
    done = change(root, "--set", "memory=1Gi", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert told["merged"] == ["main.tf"]
    assert "replicas = 2" in main(root)
    changed = told["difference"]["changed"][0]["attributes"]
    assert {one["path"].rpartition(".")[2] for one in changed} == {"memory"}


def test_what_was_found_before_is_no_fault_of_the_change(root: Path) -> None:
    extra = root / "stacks/bee-notes/extra.tf"
    extra.write_text('output "hive" { value = kubernetes_service.hive.id }\n')
    git(root, "add", "--all")
    git(root, "commit", "-qm", "by hand")
    static(root, "--set", "port=9090")
    assert answers(root)["port"] == 9090


def test_a_conflict_writes_nothing(root: Path) -> None:
    file = root / "stacks/bee-notes/main.tf"
    file.write_text(main(root).replace('memory = "256Mi"', 'memory = "300Mi"'))
    git(root, "commit", "-qam", "by hand")
    done = change(root, "--set", "memory=1Gi", "--json")
    (finding,) = json.loads(done.stdout)["error"]["findings"]
    assert (done.returncode, finding["code"]) == (4, "change.conflict")
    assert untouched(root)


def test_what_is_not_committed_stands_in_the_way(root: Path) -> None:
    (root / "stacks/bee-notes/extra.tf").write_text("locals {}\n")
    done = change(root, "--set", "memory=1Gi", "--verify", "static", "--accept", "not-compared")
    assert done.returncode == 4
    assert "stacks/bee-notes/extra.tf" in done.stderr
    assert change(root, "--set", "memory=1Gi", "--verify", "static", "--dry-run").returncode == 0


@pytest.mark.slow("several changes, each of which reads the whole monorepo")
def test_what_changes_nothing_is_told(root: Path) -> None:
    assert change(root, "--set", "port=8080").stdout == "bee-notes has these answers. Nothing to do.\n"
    static(root, "--unset", "volumes")
    told = change(root, "--set", "rwx=true", "--verify", "static", "--commit")
    assert "They change nothing that is rendered, and are only recorded.\n" in told.stdout
    assert answers(root)["rwx"] is True


def test_without_a_plan_nothing_is_written_unless_that_is_accepted(root: Path) -> None:
    done = change(root, "--set", "memory=1Gi", "--verify", "static")
    assert done.returncode == 4
    assert "--accept not-compared" in done.stderr
    assert untouched(root)
    lost = ("--unset", "volumes[data]", "--verify", "static")
    done = change(root, *lost, "--accept", "not-compared")
    assert done.returncode == 4
    assert "claim bee-notes-data-proxmox: the data of the volume goes with it" in done.stderr
    shown = change(root, *lost, "--dry-run").stdout
    assert "What can be seen of it without a plan\n  data-lost" in shown
    assert "To write it: --accept data-lost --accept not-compared" in shown


@pytest.mark.slow("plans a stack as it stands and as it is about to")
@needs("terraform")
@pytest.mark.parametrize(
    "settings,code,what",
    [
        (["--unset", "volumes[data]"], "data-lost", "the data of the volume goes with it"),
        (["--set", "volumes[data].purpose=store"], "data-lost", "the data of the volume goes with it"),
        (["--set", "volumes=[{path: /x, purpose: x}]"], "data-lost", "the data of the volume goes with it"),
        (
            ["--set", "gate=none", "--set", "gate_reason=It is a public page"],
            "opened", "is open to the internet",
        ),
        (
            ["--set", "volumes[data].backup=none", "--set", "volumes[data].backup_reason=It can be made again"],
            "backup-lost", "stays, and nothing backs it up any more",
        ),
    ],
    ids=["a volume", "its purpose", "the list", "the gate", "its backup"],
)  # fmt: skip
def test_what_git_does_not_undo_wants_to_be_accepted(
    root: Path, settings: list[str], code: str, what: str
) -> None:
    done = change(root, *settings, "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 4, done.stdout
    assert error["hint"] == f"If that is meant: `--accept {code}`"
    assert [finding["code"] for finding in error["findings"]] == [code]
    assert what in error["findings"][0]["message"]
    assert untouched(root)
    done = change(root, *settings, "--accept", code, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (told["written"], told["to_accept"]) == (True, [code])
    assert disagreements(root) == []


@pytest.mark.slow("plans a stack as it stands and as it is about to")
@needs("terraform")
def test_a_size_that_terraform_ignores_is_told_with_the_step(root: Path) -> None:
    done = change(root, "--set", "volumes[data].size=5Gi")
    assert done.returncode == 0, done.stderr
    assert "  volumes[data].size: 2Gi → 5Gi\n" in done.stdout
    assert "not-applied" in done.stdout
    assert """patch pvc bee-notes-data-proxmox -p '{"spec": {"resources":""" in done.stdout


@pytest.mark.slow("plans a stack as it stands and as it is about to")
@needs("terraform")
def test_a_yes_in_the_terminal_accepts(root: Path) -> None:
    asked = ("--set", "gate=none", "--set", "gate_reason=It is a public page")
    no = change(root, *asked, stdin="n\n", terminal=True)
    assert no.returncode == 4
    assert "opened" in no.stdout
    assert untouched(root)
    yes = change(root, *asked, stdin="y\n", terminal=True)
    assert yes.returncode == 0, yes.stderr
    assert answers(root)["gate"] == "none"


@pytest.mark.slow("the wizard judges every answer")
def test_without_options_the_review_opens_on_the_present_answers(root: Path) -> None:
    options = ("--plain", "--verify", "static", *ACCEPTED, "--commit")
    typed = "gate=app\nIt has a login of its own\nmemory=1Gi\na\n"
    done = change(root, *options, stdin=typed, terminal=True)
    assert done.returncode == 0, done.stderr
    assert "Why is that safe?" in done.stdout
    said = answers(root)
    assert (said["gate"], said["memory"]) == ("app", "1Gi")
    assert "replicas" not in said, "what nobody said stays a default"
    quit_ = change(root, *options, stdin="memory=2Gi\nq\n", terminal=True)
    assert quit_.stdout.endswith("Nothing was written.\n")
    assert untouched(root)


def test_an_answers_file_that_was_edited_by_hand_is_refused(root: Path) -> None:
    file = root / "stacks/bee-notes/.copier-answers.yml"
    file.write_text(file.read_text().replace("size: 2Gi", "size: 3Gi"))
    done = change(root, "--set", "memory=1Gi")
    assert done.returncode == 4
    assert "was edited by hand" in done.stderr


def test_the_page_to_edit_holds_the_answers_and_the_help() -> None:
    from scaffold.answers.page import commented

    given = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    page = commented(given)
    assert yaml.safe_load(page) == given
    assert "#replicas: 1\n" in page
    everything = "".join(
        line.removeprefix("#") for line in page.splitlines(True) if not line.startswith("# ")
    )
    assert yaml.safe_load(everything).keys() > given.keys()


def test_an_editor_changes_the_answers(root: Path) -> None:
    editor = root.parent / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/^port: 8080/port: 9090/" "$1"\n')
    editor.chmod(0o755)
    asked = ("--edit", "--verify", "static", "--accept", "not-compared", "--commit")
    done = change(root, *asked, terminal=True, env={"EDITOR": str(editor), "VISUAL": ""})
    assert done.returncode == 0, done.stderr
    assert answers(root)["port"] == 9090


@pytest.mark.parametrize("again,code,port", [("y", 0, 9090), ("n", 0, 8080)], ids=["again", "enough"])
def test_the_editor_opens_again_on_what_was_typed_while_that_is_not_valid(
    root: Path, again: str, code: int, port: int
) -> None:
    editor = root.parent / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        'if grep -q "^port: many" "$1"; then to=9090; else to=many; fi\n'
        'sed -i "s/^port: .*/port: $to/" "$1"\n'
    )
    editor.chmod(0o755)
    asked = ("--edit", "--verify", "static", "--accept", "not-compared", "--commit")
    done = change(root, *asked, terminal=True, stdin=f"{again}\n", env={"EDITOR": str(editor), "VISUAL": ""})
    assert done.returncode == code, done.stderr
    assert "Use the port that the app listens on." in done.stderr
    assert answers(root)["port"] == port
    assert untouched(root)
    assert ("Nothing was written." in done.stdout) is (port == 8080)

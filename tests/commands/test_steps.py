"""What is left for a person to do: every printed command is read by a shell, and run as far as it can be here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import pytest
import yaml
from support import ANSWERS, scaffold

from scaffold.answers.sources import from_yaml
from scaffold.changes.step import Step, When
from scaffold.commands.steps import restore_steps, stack_steps
from scaffold.monorepo.repository import Monorepo
from scaffold.report.steps import brief_text, steps_text
from scaffold.templates import decisions

CASES = sorted(path.stem for path in (ANSWERS / "valid").glob("*.yml"))
CALLED = ("kubectl", "vault", "ssh", "curl", "xdg-open", "docker", "terragrunt", "scaffold", "gone")


def steps_of(case: str, monorepo: Monorepo, *manual: Step) -> tuple[Step, ...]:
    values = decisions.combine(from_yaml((ANSWERS / "valid" / f"{case}.yml").read_bytes(), case).values)
    paths = [f"stacks/{name}/main.tf" for name in (case, "vault", "dbaas")]
    return stack_steps(monorepo, values, paths=paths, manual=manual, committed=False)


def command_of(steps: Sequence[Step], beginning: str) -> str:
    (command,) = [step.command for step in steps if step.text.startswith(beginning)]
    return command


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """Commands that only tell that they were called, in a file beside them; a file of that name says how each ends."""
    directory = tmp_path / "stubs"
    directory.mkdir()
    for name in CALLED:
        (directory / name).write_text(
            f'#!/bin/sh\nprintf "%s\\n" "${{PWD##*/}}: {name} $*" >>{directory}/calls\n'
            f"[ ! -e {directory}/{name}.says ] || . {directory}/{name}.says\n"
        )
        (directory / name).chmod(0o755)
    return directory


def run(command: str, stubs: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """A command as it is printed, with its lines indented."""
    environment = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", "EDITOR": "true"}
    return subprocess.run(
        ["sh", "-c", indent(command, 5 * " ")],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def calls(stubs: Path) -> list[str]:
    """What was called, each once."""
    path = stubs / "calls"
    told = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return told


@pytest.mark.parametrize("case", CASES)
def test_a_shell_reads_every_command_and_the_short_form_fits(case: str, pristine: Monorepo) -> None:
    steps = steps_of(case, pristine)
    values = decisions.combine(from_yaml((ANSWERS / "valid" / f"{case}.yml").read_bytes(), case).values)
    commands = [step.command for step in (*steps, *restore_steps(values))]
    assert all(commands)
    for shell in ("sh", "bash"):
        read = subprocess.run(
            [shell, "-n"],
            input=indent("\n".join(commands), 5 * " "),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (read.returncode, read.stderr) == (0, "")
    shown = list(brief_text(steps, f"scaffold next {case}"))
    assert len(shown) <= 25 and max(map(len, shown)) <= 80
    assert len([line for line in shown if line.lstrip()[:1].isdigit()]) == len(steps)


def test_however_many_steps_there_are_the_short_form_fits() -> None:
    for number in range(60):
        steps = [Step(f"Do thing {n}. It helps.", f"do {n}") for n in range(number)]
        shown = list(brief_text(steps, "scaffold next thing"))
        assert len(shown) <= 25
        told = [line for line in shown if "Do thing" in line]
        assert len(told) == number or f"  … and {number - len(told)} more" in shown
        assert all("It helps" not in line for line in shown)


@pytest.mark.slow("every command of a stack is run, with the guard of the sample monorepo")
def test_the_steps_lead_from_the_login_to_a_restore(monorepo: Monorepo, stubs: Path) -> None:
    """Run in their order, with stubs for what is not here; what they print again later is the same."""
    remote = monorepo.root.parent / "remote"
    subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
    for setting in ("remote.origin.url", "push.autoSetupRemote"):
        value = str(remote) if "url" in setting else "true"
        subprocess.run(["git", "config", setting, value], cwd=monorepo.root, check=True)
    (stubs / "curl.says").write_text("echo 302 https://login.example.test\n")
    (stubs / "scaffold.says").write_text(f'exec {sys.executable} -m scaffold "$@"\n')
    file = ANSWERS / "valid" / "drone-logbook.yml"
    at: list[str | Path] = ["--monorepo", monorepo.root]
    done = scaffold("new-service", "--answers", file, *at, "--verify", "static", "--json")
    result = json.loads(done.stdout)
    told = json.loads(scaffold("next", "drone-logbook", *at, "--json").stdout)
    assert told == {"service": "drone-logbook", "next_steps": result["next_steps"]}
    for step in told["next_steps"]:
        ended = run(step["command"], stubs, monorepo.root)
        assert ended.returncode == 0, (step, ended.stderr)
    shown = [line.partition(": ")[2] for line in calls(stubs)]
    order = [
        "vault login -method=oidc", "vault kv patch secret/drone-logbook", "ssh root@", "ssh root@", "terragrunt plan",
        "terragrunt apply", "kubectl -n drone-logbook rollout status", "curl ", "xdg-open ",
        "kubectl -n drone-logbook delete", "kubectl -n drone-logbook create job drone-logbook-backup-first",
        "kubectl -n drone-logbook wait", "scaffold restore drone-logbook",
    ]  # fmt: skip
    assert [next((o for o in order if line.startswith(o)), line) for line in shown] == order
    log = subprocess.run(
        ["git", "log", "--all", "--oneline"], cwd=remote, capture_output=True, text=True, check=True
    )
    assert "drone-logbook: new Service" in log.stdout, "it is committed and pushed"
    texts = [step["text"] for step in result["next_steps"]]
    later = json.loads(scaffold("next", "drone-logbook", *at, "--json").stdout)["next_steps"]
    assert [step["text"] for step in later] == [text for text in texts if not text.startswith("Commit all")]


def test_a_secret_is_added_to_a_path_that_exists_and_never_replaces_one(
    pristine: Monorepo, stubs: Path
) -> None:
    command = command_of(steps_of("drone-logbook", pristine), "Put the secrets")
    (stubs / "vault.says").write_text("")
    assert run(command, stubs, pristine.root).returncode == 0
    assert [line.split()[1:4] for line in calls(stubs)] == [["vault", "kv", "patch"]]
    (stubs / "vault.says").write_text('[ "$2" = put ]\n')
    assert run(command, stubs, pristine.root).returncode == 0
    put = calls(stubs)[1].split()
    assert put[1:5] == ["vault", "kv", "put", "-cas=0"], "where there is a version already, this fails"
    assert put[5:] == ["secret/drone-logbook", "profile_creation_pass=…"]
    (stubs / "vault.says").write_text("false\n")
    assert run(command, stubs, pristine.root).returncode != 0


def test_single_keys_of_its_own_path_are_put_there_and_those_of_others_looked_for(pristine: Monorepo) -> None:
    steps = steps_of("camera-eye", pristine)
    assert "secret/camera-eye mqtt=… licence=…\n" in command_of(steps, "Put the secrets")
    looked = command_of(steps, "Check that the secrets of other Services")
    assert looked == "vault kv get -field=token secret/ntfy >/dev/null"


def test_after_a_failed_apply_nothing_else_is_applied(pristine: Monorepo, stubs: Path) -> None:
    steps = steps_of("linkboard", pristine)
    (stubs / "terragrunt.says").write_text("false\n")
    assert run(command_of(steps, "Apply the stacks"), stubs, pristine.root).returncode != 0
    assert calls(stubs) == ["dbaas: terragrunt apply"]
    assert run(command_of(steps, "Plan the stack"), stubs, pristine.root / "stacks").returncode != 0


def test_what_exists_is_planned_to_zero_before_it_is_applied(pristine: Monorepo) -> None:
    steps = [step for step in steps_of("toy-warehouse", pristine) if "tg " in step.command]
    assert ["tg plan" in step.command for step in steps[-2:]] == [True, False]
    assert "0 to add, 0 to change, 0 to destroy" in steps[-2].text
    assert "tg apply" in steps[-1].command


def test_a_host_behind_the_login_has_to_lead_there(pristine: Monorepo, stubs: Path) -> None:
    for case, code in (("drone-logbook", "302"), ("linkboard", "200")):
        command = command_of(steps_of(case, pristine), "Check that https://")
        for said in ("200", "302", "404"):
            (stubs / "curl.says").write_text(f"echo {said} https://login.example.test\n")
            assert (run(command, stubs, pristine.root).returncode == 0) == (said == code)


def test_the_database_on_mysql_is_made_by_a_command(pristine: Monorepo, stubs: Path) -> None:
    (stubs / "kubectl.says").write_text(f"cat >{stubs}/sql\n")
    command = command_of(steps_of("ledger-bridge", pristine), "Create the MySQL database")
    assert run(command, stubs, pristine.root).returncode == 0
    made, user, rights, *rest = (stubs / "sql").read_text().splitlines()
    assert made == "CREATE DATABASE IF NOT EXISTS ledger_bridge;"
    assert user.startswith("CREATE USER IF NOT EXISTS 'ledger_bridge'@'%' IDENTIFIED BY '")
    assert len(user.split("'")[5]) == 48, "a password of its own"
    assert (rights, rest) == ("GRANT ALL PRIVILEGES ON ledger_bridge.* TO 'ledger_bridge'@'%';", [])


def test_a_checkout_that_cannot_be_planned_is_noticed(
    monorepo: Monorepo, tmp_path: Path, stubs: Path
) -> None:
    def git(*arguments: str, at: Path = monorepo.root) -> str:
        command = ["git", "-c", "commit.gpgSign=false", *arguments]
        return subprocess.run(command, cwd=at, capture_output=True, text=True, check=True).stdout

    linked = tmp_path / "a linked one"
    git("worktree", "add", "--quiet", "-b", "notes", str(linked))
    for settings, head in ((b"\0GITCRYPT\0abc", "By hand"), (None, "On no branch")):
        (linked / "config.tfvars").unlink()
        if settings:
            (linked / "config.tfvars").write_bytes(settings)
        else:
            git("checkout", "--quiet", "--detach", at=linked)
        command = command_of(steps_of("linkboard", Monorepo(linked)), "Continue in the main worktree")
        git("commit", "--quiet", "--allow-empty", "--message", head, at=linked)
        assert run(command, stubs, linked).returncode == 0
        assert git("log", "-1", "--format=%s") == f"{head}\n"
    (monorepo.root / "config.tfvars").write_bytes(b"\0GITCRYPT\0abc")
    by_hand = Step("List the directory there.", "$EDITOR secrets/nfs_directories.txt")
    texts = [step.text for step in steps_of("linkboard", monorepo, by_hand)]
    commits, unlock, edit, push = (
        next(n for n, text in enumerate(texts) if text.startswith(beginning))
        for beginning in ("Commit all", "Unlock the clone", "List the directory", "Commit the manual edits")
    )
    assert commits < unlock < edit < push, (
        "only a clean tree is unlocked, and what is encrypted is edited then"
    )


def test_jobs_are_run_once_by_hand_and_nothing_is_asked_of_a_host(pristine: Monorepo) -> None:
    steps = steps_of("call-relay", pristine)
    after = [step.text for step in steps if step.when is When.AFTER_APPLY]
    values = decisions.combine(from_yaml((ANSWERS / "valid" / "call-relay.yml").read_bytes(), "x").values)
    runs = [text for text in after if text.startswith("Run the job")]
    assert len(runs) == (0 if values["stack"]["app"] else len(values["containers"]["cron_jobs"]))


def test_every_job_on_a_schedule_gets_an_alert_for_the_day_it_stops_to_succeed(pristine: Monorepo) -> None:
    for case in ("tide-station", "meter-sync"):
        values = decisions.combine(from_yaml((ANSWERS / "valid" / f"{case}.yml").read_bytes(), case).values)
        command = command_of(steps_of(case, pristine), "Add alerts")
        rules = yaml.safe_load("\n".join(line[2:] for line in command.splitlines() if line.startswith("# ")))
        jobs = [job["name"] for job in values["containers"]["cron_jobs"] if not job["suspended"]]
        jobs.append(f"{case}-backup")
        names = [rule["alert"] for rule in rules]
        assert len(set(names)) == len(names) == 2 * len(jobs)
        for job in jobs:
            about = [rule for rule in rules if f'cronjob="{job}", namespace="{case}"' in rule["expr"]]
            assert [rule["expr"].split("(")[0] for rule in about] == ["", "absent"]
            assert all(rule["for"] and rule["labels"] for rule in about)


def test_a_restore_is_told_at_any_time(monorepo: Monorepo) -> None:
    at: list[str | Path] = ["--monorepo", monorepo.root]
    for case, told in (("stamp-album", ["postgres", "catalogue", "scans"]), ("ip-echo", [])):
        file = ANSWERS / "valid" / f"{case}.yml"
        made = scaffold("new-service", "--answers", file, *at, "--verify", "static", "--json")
        restore = json.loads(scaffold("restore", case, *at, "--json").stdout)
        assert restore == {"service": case, "restore": json.loads(made.stdout)["restore"]}
        assert [step["text"].split()[1] for step in restore["restore"]] == told
        text = scaffold("restore", case, *at).stdout
        assert all(line.strip() in text for s in restore["restore"] for line in s["command"].splitlines())
    assert "no backup of its own" in text
    recorded = monorepo.stack_directory("stamp-album") / ".copier-answers.yml"
    recorded.write_text(recorded.read_text().replace("gate: required", "gate: app"))
    assert scaffold("restore", "stamp-album", *at).returncode == 0, "what newer rules refuse is restored too"
    recorded.write_text(recorded.read_text().replace("name: stamp-album", "title: x"))
    assert scaffold("restore", "stamp-album", *at).returncode == 3
    assert scaffold("restore", "journal", *at).returncode == 4
    assert scaffold("next", "nobody", *at).returncode == 6


def test_steps_are_wrapped_between_words_and_commands_are_not() -> None:
    command = "scaffold change a-service-with-quite-a-long-name --set 'adopt=[deployment, service]'"
    text = f"Plan the stack, and apply it. If an apply stops halfway, adopt what exists (`{command}`), and go on."
    long = f"git add {' '.join(f'stacks/service-{number}' for number in range(9))}"
    heading, *lines, last = steps_text([Step(text, long)])
    assert heading == "Next steps:" and last == f"     {long}"
    assert all(len(line) <= 80 for line in lines if command not in line)
    assert any(command in line for line in lines), "it can be copied"
    assert " ".join(line.strip() for line in lines) == f"1. {text}"

"""A house that differs in everything: its ``scaffold.yml`` alone is enough to create Services in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import needs, scaffold

from scaffold.checks.house import house_names, house_of
from scaffold.commands.check import Selection, all_rules, check
from scaffold.commands.doctor import diagnose
from scaffold.commands.service_entry import service_entry
from scaffold.commands.stored import stored_values, with_answers
from scaffold.commands.taken import judge
from scaffold.monorepo import features
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts, sense
from scaffold.templates import decisions
from scaffold.wizard.engine import Engine
from scaffold.wizard.state import State

WIKI = """\
name: wiki
description: What we know
image: docker.io/requarks/wiki:2.5.307
port: 3000
volumes:
  - {path: /pages, size: 2Gi, rwx: true}
gate: app
gate_reason: it has accounts of its own
"""
NOTES = {"name": "notes", "description": "Notes", "image": "docker.io/acme/notes:1.0.0", "port": 8000}
OWN = """\
name: chess
description: Games by mail
build: github-ghcr
repository: robin-lab/chess
app_kind: flask
port: 8080
"""


def commit(root: Path) -> None:
    who = ("-c", "user.name=Robin", "-c", "user.email=robin@example.test")
    for arguments in (("add", "--all"), ("commit", "--quiet", "--message", "work")):
        subprocess.run(["git", *who, *arguments], cwd=root, check=True)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The second house, in a clean repository."""
    root = tmp_path / "second"
    shutil.copytree(Path(__file__).parent / "houses/second", root)
    (tmp_path / "wiki.yml").write_text(WIKI)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    commit(root)
    return root


def new(root: Path, level: str = "static") -> str:
    done = scaffold("new-service", "--answers", root.parent / "wiki.yml", "--verify", level, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_service_lives_there(second: Path) -> None:
    told = new(second)
    assert "does not exist" not in told and "vault" not in told.lower() and "Kuma" not in told
    assert "(cd services/wiki && terragrunt plan && terragrunt apply)" in told
    assert "ssh root@tank.lab.example.org mkdir -p /tank/services/wiki/data" in told
    stack = (second / "services/wiki/main.tf").read_text()
    assert 'source          = "../../infra/parts/web_route"' in stack
    assert 'source     = "../../infra/parts/share"' in stack
    for foreign in (
        "keel",
        "KYVERNO",
        "tiers",
        "viktorbarzin",
        "ignore_changes = [spec[0].template[0].spec[0].dns",
    ):
        assert foreign not in stack
    assert 'find_in_parent_folders("root.hcl")' in (second / "services/wiki/terragrunt.hcl").read_text()
    commit(second)
    again = scaffold("new-service", "--answers", second.parent / "wiki.yml", "--verify", "static", cwd=second)
    assert again.returncode == 0, again.stderr
    changed = scaffold(
        "change", "wiki", "--set", "memory=1Gi", "--verify", "static", "--accept", "not-compared", cwd=second
    )
    assert changed.returncode == 0, changed.stderr
    commit(second)
    for arguments in (
        ("check", "--all", "--static"), ("check", "services/wiki/main.tf", "--static"), ("status", "wiki"),
        ("sweep", "HCL004", "--all"), ("index", "--check"), ("next", "wiki"), ("explain", "--answers", second.parent / "wiki.yml"),
    ):  # fmt: skip
        done = scaffold(*arguments, cwd=second / "services")
        assert done.returncode in (0, 2) if arguments[0] == "sweep" else done.returncode == 0, (
            arguments,
            done.stderr,
            done.stdout,
        )
    assert "1 stack, 1 made by scaffold" in scaffold("status", "wiki", cwd=second).stdout


def test_its_ingress_module_may_take_less(second: Path) -> None:
    module = second / "infra/parts/web_route/main.tf"
    text = module.read_text().replace("var.extra_annotations", "{}").replace("var.homepage_group", "null")
    for name in ("dns_type", "homepage_group", "extra_annotations"):
        begin = text.index(f'variable "{name}"')
        text = text[:begin] + text[text.index("\n}\n", begin) + 3 :]
    module.write_text(text.replace("var.dns_type", '"none"'))
    commit(second)
    new(second)
    stack = (second / "services/wiki/main.tf").read_text()
    assert not any(name in stack for name in ("dns_type", "homepage_group", "extra_annotations"))
    (second.parent / "wiki.yml").write_text(WIKI + "dns: proxied\nhomepage_group: Notes\n")
    asked = scaffold("explain", "--answers", second.parent / "wiki.yml", cwd=second)
    assert asked.returncode == 3 and "dns" in asked.stderr


@needs("terraform")
def test_a_module_that_takes_another_value_has_one_in_front(second: Path) -> None:
    """The module that the page about one's own house shows, in front of one that takes a truth value."""
    parts, page = second / "infra/parts", Path(__file__).parents[1] / "docs/how-to/own-house.md"
    (text,) = re.findall(r"(?ms)^```hcl\n(.*?)^```$", page.read_text())
    module = (parts / "web_route/main.tf").read_text().replace('var.auth == "required"', "var.protected")
    begin, end = module.index('variable "auth"'), module.index('variable "dns_type"')
    module = f'{module[:begin]}variable "protected" {{\n  type = bool\n}}\n\n{module[end:]}'
    module = module.replace("var.tls_secret_name", '"wildcard"')
    begin, end = module.index('variable "tls_secret_name"'), module.index('variable "protected"')
    module = module[:begin] + module[end:]
    (parts / "web_route/main.tf").write_text(module)
    (parts / "gate").mkdir()
    (parts / "gate/main.tf").write_text(text.replace("../web", "../web_route"))
    facts = second / "scaffold.yml"
    facts.write_text(facts.read_text().replace("ingress: web_route", "ingress: gate"))
    commit(second)
    told = new(second, "plan")
    assert "wiki.lab.example.org, gate app" in told
    assert 'auth = "app"' in (second / "services/wiki/main.tf").read_text()


def test_nothing_made_is_nothing_to_update(second: Path) -> None:
    done = scaffold("update", "--all", "--plan", cwd=second)
    assert done.returncode == 0, done.stderr


@needs("terraform")
def test_a_rule_is_rolled_out_where_the_stacks_are(second: Path) -> None:
    rule = second.parent / "no-tile.yml"
    rule.write_text(
        "code: no-tile\ntitle: Every route says that it has no tile\n"
        'select: {blocks: module.*, where: {source: "*/web_route"}}\n'
        "edits: [{set: homepage_enabled, value: false}]\ncontract: nothing\n"
    )
    done = scaffold("sweep", "--from", rule, "--all", cwd=second)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "homepage_enabled = false" in (second / "services/paste/main.tf").read_text()


@pytest.mark.slow("plans a stack, several times")
@needs("terraform")
def test_it_is_planned_and_updated_there(second: Path) -> None:
    assert "web_route" not in new(second, "plan")
    commit(second)
    for arguments in (
        ("plan", "--all"), ("check", "--all"), ("plan", "wiki", "--against", "HEAD"), ("update", "--all", "--plan"),
        ("change", "wiki", "--set", "memory=1Gi"),
    ):  # fmt: skip
        done = scaffold(*arguments, cwd=second)
        assert done.returncode == 0, (arguments, done.stderr, done.stdout)


def test_what_the_house_has_not_is_refused_with_the_reason(second: Path) -> None:
    done = scaffold(
        "new-service", "--answers", second.parent / "wiki.yml", "--set", "gate=anubis", "--set", "database=postgresql",
        "--set", "tls_secret=true", "--set", "hosts=[{host: guests, auth: public, reason: it is open}]",
        "--set", "machine_clients=[{paths: [/feed/], auth: public, reason: it is open}]", "--json", cwd=second,
    )  # fmt: skip
    assert done.returncode == 3
    found = json.loads(done.stdout)["error"]["findings"]
    told = {one["answer"] for one in found if one["code"] == "answers.not-here"}
    assert told == {"gate", "database", "tls_secret", "hosts[0].auth", "machine_clients[0].auth"}
    assert {one["allowed"] for one in found if one["answer"] == "gate"} == {"required, app, none"}


def test_secrets_need_something_that_fetches_them(second: Path) -> None:
    words = (
        "new-service",
        "--answers",
        second.parent / "wiki.yml",
        "--set",
        "secrets=[{env: WIKI_TOKEN}]",
        "--json",
    )
    done = scaffold(*words, "--verify", "static", cwd=second)
    (found,) = json.loads(done.stdout)["error"]["findings"]
    assert (found["code"], found["answer"]) == ("answers.not-here", "secrets")
    text = (second / "scaffold.yml").read_text()
    runs = "runs: {woodpecker: false, external_secrets: true}"
    (second / "scaffold.yml").write_text(text.replace("runs: {woodpecker: false}", runs))
    assert scaffold(*words, "--verify", "static", "--dry-run", cwd=second).returncode == 0


FOREIGN = ("vault", "authentik", "keel", "anubis", "kuma", "woodpecker", "[ci skip]", "stacks/", ".claude/")


def test_nothing_is_said_of_what_is_not_there(second: Path) -> None:
    """From the next steps of a Service to those of its removal."""
    new(second)
    commit(second)
    backed_up = ("change", "wiki", "--set", "volumes[data].backup=files", "--verify", "static")
    assert scaffold(*backed_up, "--accept", "not-compared", cwd=second).returncode == 0
    told = scaffold("next", "wiki", cwd=second).stdout + scaffold("remove-service", "wiki", cwd=second).stdout
    assert "After that:" not in told and "WikiBackupStale" in told
    assert [word for word in FOREIGN if word in told.lower()] == []
    assert "pushing" not in (second / "services/wiki/main.tf").read_text()
    commit(second)
    assert scaffold("remove-service", "wiki", "--write", cwd=second).returncode == 0
    assert not (second / "services/wiki").exists()


def test_agents_are_told_of_what_is_there(second: Path) -> None:
    told = scaffold("skill", cwd=second).stdout
    assert "a stack under services/" in told and "StorageClass longhorn-crypt" in told
    assert [word for word in FOREIGN if word in told.lower()] == []
    assert "`gate` is one of `app`, `none`" in told
    assert scaffold("skill", "--write", cwd=second).returncode == 0
    assert (second / ".claude/skills/new-service/SKILL.md").read_text() == told
    missing = json.loads(scaffold("doctor", "--json", cwd=second).stdout)["missing"]
    assert not [text for text in missing if "skill" in text]


def test_it_has_no_lists_until_it_says_so(second: Path) -> None:
    assert scaffold("index", cwd=second).stdout.startswith("This monorepo keeps no lists of its Services")
    for option in ("--check", "--fix"):
        assert scaffold("index", option, cwd=second).stdout.startswith("0 lists, no findings.")
    assert json.loads(scaffold("index", "--json", cwd=second).stdout)["indexes"] == []


def test_its_lists_are_where_it_says(second: Path) -> None:
    (second / "SERVICES.md").write_text(
        "# Optional\n\n| Service | Description | Stack |\n|---|---|---|\n\n"
        "## Known consumers\n\n| Consumer | NFS path | Owning stack |\n|---|---|---|\n"
    )
    with (second / "scaffold.yml").open("a") as facts:
        facts.write("lists: {catalog: SERVICES.md, nfs-consumers: SERVICES.md}\n")
    told = new(second)
    assert "| wiki | What we know | wiki |" in (second / "SERVICES.md").read_text()
    assert (
        "| `wiki-data` | `/tank/services/wiki/data` | `services/wiki/` |"
        in (second / "SERVICES.md").read_text()
    )
    assert "git add services/wiki SERVICES.md" in told and "does not exist" not in told
    listed = scaffold("index", cwd=second).stdout
    assert "SERVICES.md" in listed and ".claude" not in listed and "docs/" not in listed
    commit(second)
    assert "lists" not in (second / "services/wiki/.copier-answers.yml").read_text()
    assert scaffold("remove-service", "wiki", "--write", cwd=second).returncode == 0
    assert "wiki" not in (second / "SERVICES.md").read_text()


def test_the_wizard_offers_what_is_there(second: Path, pristine: Monorepo) -> None:
    def offered(monorepo: Monorepo, question: str) -> list[object]:
        sensed = sense(monorepo)
        step = Engine(judge(monorepo, sensed), sensed).step(State({}, {}), (question,))
        return [option.value for option in step.options]

    assert offered(Monorepo(second), "gate") == ["required", "app", "none"]
    assert offered(Monorepo(second), "build") == ["upstream", "github-ghcr"]
    assert offered(Monorepo(second), "database") == ["none"]
    sensed = sense(Monorepo(second))
    asked = {path[0] for path in Engine(judge(Monorepo(second), sensed), sensed).paths(State(NOTES, {}))}
    assert "env" in asked and "secrets" not in asked
    assert "anubis" in offered(pristine, "gate") and "woodpecker" in offered(pristine, "build")


@needs("terraform")
def test_a_volume_without_nfs_and_its_reason_pass(second: Path) -> None:
    """What the rule about backups cannot ask for there is no exception that nobody needs."""
    shutil.rmtree(second / "infra/parts/share")
    words = "{path: /pages, size: 2Gi, backup: none, backup_reason: Velero saves all volumes}"
    (second.parent / "wiki.yml").write_text(WIKI.replace("{path: /pages, size: 2Gi, rwx: true}", words))
    new(second)
    assert "# No backup: Velero saves all volumes" in (second / "services/wiki/main.tf").read_text()
    found = check(Monorepo(second), ["wiki"], Selection(select=("BAK002", "IGN003")))
    assert found.findings == () and found.unverified == ()


def test_its_pipeline_needs_nothing_but_github(second: Path, tmp_path: Path) -> None:
    app = tmp_path / "chess"
    app.mkdir()
    (app / "app.py").write_text("import flask\napp = flask.Flask(__name__)\n")
    (app / "requirements.txt").write_text("flask==3.0.0\n")
    subprocess.run(["git", "init", "--quiet", app], check=True)
    commit(app)
    (tmp_path / "own.yml").write_text(OWN)
    done = scaffold(
        "new-service", "--answers", tmp_path / "own.yml", "--app-repo", app, "--verify", "static", cwd=second
    )
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(app).as_posix() for path in app.rglob("*.yml")} - {".copier-answers.yml"}
    assert written == {".github/workflows/build.yml"}
    text = (app / ".github/workflows/build.yml").read_text()
    assert "oodpecker" not in text and "SLACK" not in text


def test_the_registry_of_the_first_own_app_is_known_from_its_answers(second: Path) -> None:
    """CI sets the tags of what is pushed there: no rule asks for a release of it."""
    facts_file, own = second / "scaffold.yml", "ghcr.io/robin-lab"
    facts_file.write_text(facts_file.read_text().replace(f"    registry: {own}\n", ""))
    beside = f"workloads:\n- {{name: worker, image: {own}/chess-worker:1.0.0, memory: 64Mi}}\n"
    stack = second / "services/chess"
    stack.mkdir()
    (stack / "main.tf").write_text("")
    monorepo = Monorepo(second)
    sensed = sense(monorepo)
    record = stack / ".copier-answers.yml"
    record.write_text(OWN + beside + json.dumps({"sensed": sensed})[1:-1])
    values = stored_values(monorepo, "chess")
    assert own not in house_of(monorepo, facts(monorepo)).own_registries
    assert own in house_names(monorepo, values).own_registries
    assert own in with_answers(house_of(monorepo, facts(monorepo)), monorepo, "chess").own_registries
    assert [image.repository for image in service_entry(values).built] == ["chess", "chess-worker"]
    record.write_text(record.read_text().replace("github-ghcr", "upstream", 1))
    assert own not in with_answers(house_of(monorepo, facts(monorepo)), monorepo, "chess").own_registries


def test_rules_about_what_is_not_there_say_nothing(second: Path) -> None:
    (second / "services/paste/terragrunt.hcl").unlink()
    told = scaffold("check", "--all", "--static", "--statistics", cwd=second)
    assert "HCL008" in told.stdout and told.returncode == 1
    assert "Off, because this monorepo does not have Keel: LIF002, POD012, POD013." in told.stdout
    (second / "root.hcl").unlink()
    plain = scaffold("check", "--all", "--static", "--json", cwd=second)
    assert plain.returncode == 0, plain.stdout
    assert {"rule": "HCL008", "feature": "Terragrunt"} in json.loads(plain.stdout)["off"]


def test_what_rules_need_are_features() -> None:
    assert {rule.needs for rule in all_rules()} - {""} <= features.names()
    assert features.names() >= decisions.house()["runs"].keys() - {"woodpecker"}


def test_doctor_tells_of_each_feature(second: Path, monorepo: Monorepo) -> None:
    found = {one.name: one.found for one in diagnose(Monorepo(second)).features}
    there = {name: place for name, place in found.items() if place}
    assert there == {"terragrunt": "root.hcl", "ingress": "infra/parts/web_route", "nfs": "infra/parts/share"}
    assert all(one.found for one in diagnose(monorepo).features if one.name != "variables")
    text = scaffold("doctor", cwd=second).stdout
    assert "– (looked for keel.sh/): images are pinned" in text


def test_without_shared_modules_what_only_reads_works(monorepo: Monorepo) -> None:
    shutil.rmtree(monorepo.root / "modules")
    for command in ("check --all --static", "status", "index --check", "sweep LIF001 --all --plan", "doctor"):
        done = scaffold(*command.split(), cwd=monorepo.root)
        assert done.returncode in (0, 1), (command, done.stderr)
    jobs = {"name": "tidy", "description": "Tidies", "shape": "internal", "port": "8080"}
    sets = [part for key, value in jobs.items() for part in ("--set", f"{key}={value}")]
    image = ("--set", "image=docker.io/library/nginx:1.29.0", "--verify", "static")
    made = scaffold("new-service", *sets, *image, cwd=monorepo.root)
    assert made.returncode == 0, made.stderr

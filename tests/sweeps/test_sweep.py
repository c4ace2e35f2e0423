"""``scaffold sweep`` from end to end: what keeps its contract is written, everything else is left and named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import history
import pytest
import yaml
from support import ANSWERS, git, needs, scaffold

from scaffold.commands.sweep import sweep
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.sweeps.file import declared
from scaffold.sweeps.worklist import Answers
from scaffold.templates import template
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.templates.template import Origin
from scaffold.updates import versions

pytestmark = [needs("terraform"), pytest.mark.slow("plans stacks on both sides of an edit")]

STACK = """\
resource "kubernetes_namespace" "beds" {
  metadata {
    name   = "%(name)s"
    labels = { tier = "%(tier)s" }
  }
}

# resource "kubernetes_manifest" "old" { manifest = { apiVersion = "external-secrets.io/v1beta1" } }
resource "kubernetes_manifest" "secret" {
  manifest = {
    apiVersion = "external-secrets.io/v1beta1"
    kind       = "ExternalSecret"
    metadata   = { name = "%(name)s", namespace = "%(name)s" }
    spec       = { refreshInterval = "15m" }
  }
}

%(more)s
"""
# What else hangs on the value that is edited.
HANGING = """\
resource "kubernetes_config_map" "version" {
  metadata {
    name = "version"
  }
  data = { version = kubernetes_manifest.secret.manifest.apiVersion }
}
"""
BROKEN = 'resource "kubernetes_config_map" "broken" {\n  metadata {\n    name = local.nowhere\n  }\n}\n'
BEDS = {"beds-a": ("4-aux", ""), "beds-b": ("0-core", ""), "beds-c": ("3-edge", HANGING)}
EXAMPLES = Path(__file__).parent / "examples"
API = EXAMPLES / "stable-api.yml"


@pytest.fixture
def beds(monorepo: Monorepo) -> Monorepo:
    """Three stacks by hand, committed; in one of them something else hangs on what is edited."""
    for name, (tier, more) in BEDS.items():
        directory = monorepo.stack_directory(name)
        directory.mkdir()
        (directory / "main.tf").write_text(STACK % {"name": name, "tier": tier, "more": more})
        (directory / "terragrunt.hcl").write_text('include "root" {\n  path = find_in_parent_folders()\n}\n')
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "Beds")
    return Monorepo(monorepo.root)


def run(monorepo: Monorepo, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return scaffold("sweep", *arguments, "--monorepo", monorepo.root, cwd=monorepo.root.parent)


def main_of(monorepo: Monorepo, stack: str) -> str:
    return (monorepo.stack_directory(stack) / "main.tf").read_text()


def test_what_holds_is_written_and_what_falls_outside_is_left_and_named(beds: Monorepo) -> None:
    before = {name: main_of(beds, name) for name in BEDS}
    shown = run(beds, "--from", API, *BEDS, "--plan", "--waves", "tier")
    assert git(beds.root, "status", "--porcelain") == ""
    done = run(beds, "--from", API, *BEDS, "--waves", "tier", "--commit", "per-stack")
    assert (shown.returncode, done.returncode) == (4, 4), done.stderr
    edited = '= "external-secrets.io/v1"\n    kind'
    for name in ("beds-a", "beds-b"):
        assert main_of(beds, name) == before[name].replace(
            '= "external-secrets.io/v1beta1"\n    kind', edited
        )
    assert main_of(beds, "beds-c") == before["beds-c"]
    for told in (shown.stdout, done.stdout):
        assert "stable-api: ExternalSecrets and their stores use the stable API" in told
        assert "beds-c: left as it is: something falls outside the contract" in told
        assert (
            "kubernetes_config_map.version: data.version would change from external-secrets.io/v1beta1"
            in told
        )
        assert "2 of 2 stacks differ" in told, "what is left is not among what changes"
        waves = told[told.index("To apply") :].splitlines()[1:5]
        assert [line.strip() for line in waves] == [
            "# wave 1: tier 4-aux", "(cd stacks/beds-a && ../../scripts/tg apply)",
            "# wave 2: tier 0-core", "(cd stacks/beds-b && ../../scripts/tg apply)",
        ]  # fmt: skip
    assert "2 edits in 2 stacks written, 1 stack left to a person." in done.stdout
    assert git(beds.root, "log", "-2", "--format=%s").splitlines() == [
        f"beds-{x}: ExternalSecrets and their stores use the stable API (stable-api)" for x in "ba"
    ]
    told = run(beds, "--from", API, "beds-a", "beds-b").stdout
    assert told.endswith(".\n\nNothing to do.\n") and "\n\n\n" not in told


def test_an_edit_that_breaks_its_own_contract_is_refused_and_named(beds: Monorepo) -> None:
    text = API.read_text().replace("to: external-secrets.io/v1}", "to: external-secrets.io/v2}")
    found = sweep(beds, declared("own.yml", text.encode()), list(BEDS), Answers())
    assert found.change.changes == ()
    assert {one.stack for one in found.left} == set(BEDS)
    for one in found.stacks:
        told = [f.message for f in one.outside if f.line == 9]
        assert told == [
            "kubernetes_manifest.secret: manifest.apiVersion would change from external-secrets.io/v1beta1 to "
            "external-secrets.io/v1."
        ]


def test_nothing_planned_is_told_and_not_applied(beds: Monorepo) -> None:
    told = json.loads(run(beds, "LIF001", "beds-a", "--json").stdout)
    assert told["written"] is True
    assert told["apply"] == []
    assert [one["path"] for one in told["changes"]] == ["stacks/beds-a/main.tf"]
    (changed,) = told["stacks"][0]["difference"]["changed"]
    assert (changed["attributes"], changed["meta"][0]["path"]) == ([], "lifecycle.ignore_changes")
    table = run(beds, "LIF001", "beds-b", "--plan", "--format", "markdown").stdout
    assert "| beds-b | 1 | 1 | 0-core | within the contract |" in table


def test_a_stack_that_cannot_be_planned_is_left(beds: Monorepo) -> None:
    for name in ("beds-a", "beds-c"):
        with (beds.stack_directory(name) / "main.tf").open("a") as file:
            file.write(BROKEN)
    git(beds.root, "commit", "--quiet", "--all", "--message", "Broken")
    done = run(beds, "--from", API, *BEDS)
    assert done.returncode == 4
    assert "beds-a, beds-c: left as it is: it cannot be planned\n" in done.stdout
    assert done.stdout.count("nobody knows what the edit changes") == 1
    assert git(beds.root, "diff", "--name-only").split() == ["stacks/beds-b/main.tf"]


def test_a_stack_that_is_not_clean_is_refused_before_anything_is_written(beds: Monorepo) -> None:
    with (beds.stack_directory("beds-b") / "main.tf").open("a") as file:
        file.write("# by hand\n")
    done = run(beds, "--from", API, "beds-a", "beds-b")
    assert (done.returncode, "not committed yet" in done.stderr) == (4, True)
    assert git(beds.root, "diff", "--name-only").split() == ["stacks/beds-b/main.tf"]


INGRESS = """\
module "web" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "beds-a"
  namespace       = "beds-a"
  tls_secret_name = "tls"
}
"""
ASKING = """\
code: gate
title: Every ingress says what gates it
select: {blocks: module.*, where: {source: "*/ingress_factory"}}
edits: [{set: auth, ask: "What gates it?", proposals: [required, none]}]
contract: nothing
"""


def test_questions_become_a_worklist_whose_answers_are_held_to_the_contract(
    beds: Monorepo, tmp_path: Path
) -> None:
    with (beds.stack_directory("beds-a") / "main.tf").open("a") as file:
        file.write(INGRESS + INGRESS.replace("web", "api").replace('"beds-a"', '"beds-a-api"'))
    git(beds.root, "commit", "--quiet", "--all", "--message", "Ingress")
    own, worklist = tmp_path / "gate.yml", tmp_path / "list.yml"
    own.write_text(ASKING)
    asked = run(beds, "--from", own, "beds-a", "--worklist", worklist)
    assert (asked.returncode, git(beds.root, "status", "--porcelain")) == (1, ""), asked.stderr
    then = f"Answer them there, then: scaffold sweep --from {own} beds-a --answers {worklist}\n"
    assert then in asked.stderr
    rows = yaml.safe_load(worklist.read_text())
    assert [(row["stack"], row["block"], row["proposals"]) for row in rows] == [
        ("beds-a", f"module.{name}", ["required", "none"]) for name in ("web", "api")
    ]
    assert run(beds, "--from", own, "beds-a", "--worklist", worklist).returncode == 4, "it is kept"

    def answered(*answers: str) -> subprocess.CompletedProcess[str]:
        given = [
            {**row, "answer": answer, "reason": "It asks."}
            for row, answer in zip(rows, answers, strict=False)
        ]
        worklist.write_text(yaml.safe_dump(given))
        return run(beds, "--from", own, "beds-a", "--answers", worklist)

    opened = answered("none")
    assert opened.returncode == 4, "a gate that opens is outside the contract"
    assert "left as it is" in opened.stdout
    assert answered("open").returncode == 3
    part = answered("required")
    assert (part.returncode, "1 question open" in part.stdout) == (1, True)
    assert '  # It asks.\n  auth = "required"\n}\nmodule "api"' in main_of(beds, "beds-a").replace(
        "  auth            =", "  auth ="
    )


@pytest.fixture
def made(monorepo: Monorepo, tmp_path: Path) -> tuple[Monorepo, Path]:
    """A stack of the first of two versions of the templates, committed, and the repository of those."""
    templates = history.write(tmp_path / "templates", ["argument", "value"])
    answers = yaml.safe_load((ANSWERS / "valid" / "ip-echo.yml").read_text())
    origin = Origin(str(templates), history.FIRST, updatable=True)
    for path, content in render(answers, sense(monorepo), {}, origin).files.items():
        assert isinstance(content, bytes)
        place = monorepo.stack_directory("ip-echo") / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "Stack")
    return Monorepo(monorepo.root), templates


SHARED = """\
code: shared
title: Processes of a pod do not see each other
select: {blocks: kubernetes_deployment.*}
edits: [{set: "spec[0].template[0].spec[0].share_process_namespace", value: false}]
contract: [{resource: kubernetes_deployment, attribute: "*share_process_namespace", to: false}]
"""


@pytest.mark.parametrize("rendered", [True, False])
def test_a_stack_that_scaffold_made_has_a_clean_update_afterwards(
    made: tuple[Monorepo, Path], rendered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monorepo, templates = made
    at_hand = history.version("argument") if rendered else history.FIRST
    with template.using(versions.templates_of(str(templates), at_hand)), monkeypatch.context() as patch:
        patch.setattr(template, "origin", lambda *_: Origin(str(templates), at_hand, updatable=True))
        (one,) = (
            found := sweep(monorepo, declared("own.yml", SHARED.encode()), ["ip-echo"], Answers())
        ).stacks
        assert (one.outside, one.version) == ((), at_hand if rendered else "")
        found.write(commits="one")
    assert "share_process_namespace = false" in main_of(monorepo, "ip-echo")
    said = yaml.safe_load((monorepo.stack_directory("ip-echo") / ANSWERS_FILE).read_text())
    assert said["_commit"] == at_hand
    done = scaffold(
        "update", "ip-echo", "--to", history.version("argument"), "--template-source", templates,
        "--verify", "static", "--monorepo", monorepo.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("Nothing to do.\n") is rendered
    assert main_of(monorepo, "ip-echo").count("share_process_namespace = false") == 1

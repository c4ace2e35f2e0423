"""A rule that a shared module breaks: one edit there, and every stack that calls it is planned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import git, needs, scaffold

from scaffold.commands import sweep as sweeping
from scaffold.commands.plan import StackPlan
from scaffold.errors import Finding, UsageError
from scaffold.monorepo.repository import Monorepo
from scaffold.report.sweep import sweep_markdown, sweep_text
from scaffold.sweeps.file import rule_from
from scaffold.sweeps.worklist import Answers
from scaffold.terraform.tool import Tool

MODULE = "modules/kubernetes/nfs_volume/main.tf"
CALLERS = ["navidrome", "rain-report", "silverbullet"]
RULE = """\
code: own-nfs
title: Volumes on NFS wait longer for the server
select: {{blocks: kubernetes_persistent_volume.*}}
edits: [{{set: "spec[0].storage_class_name", value: nfs-slow}}]
contract:
  - {{resource: kubernetes_persistent_volume, attribute: "spec[0].storage_class_name", from: {was}, to: nfs-slow}}
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    (tmp_path / "own.yml").write_text(RULE.format(was="nfs-host"))
    return tmp_path / "own.yml"


def test_modules_are_swept_for_all_stacks_or_none(monorepo: Monorepo, rule: Path) -> None:
    told = scaffold("sweep", "--from", rule, "navidrome", "--modules", "--monorepo", monorepo.root)
    assert (told.returncode, "--modules goes with --all" in told.stderr) == (2, True)


@needs("terraform")
@pytest.mark.slow("plans all stacks that call a module, on both sides of an edit")
def test_one_edit_in_a_module_is_planned_in_every_stack_that_calls_it(monorepo: Monorepo, rule: Path) -> None:
    before = (monorepo.root / MODULE).read_text()
    swept = ("sweep", "--from", rule, "--all", "--modules", "--monorepo", monorepo.root)
    done = scaffold(*swept, "--commit", "per-stack", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert (monorepo.root / MODULE).read_text() == before.replace('"nfs-host"', '"nfs-slow"', 1)
    assert git(monorepo.root, "show", "--name-only", "--format=").split() == [MODULE]
    assert told["modules"] == ["modules/kubernetes/nfs_volume"]
    assert [one["stack"] for one in told["stacks"]] == CALLERS
    assert all(one["held"] and one["difference"]["changed"] for one in told["stacks"])
    assert [f"(cd stacks/{name} && ../../scripts/tg apply)" for name in CALLERS] == told["apply"][0][
        "commands"
    ]
    again = scaffold(*swept)
    assert again.stdout.endswith("Nothing to do.\n")


@needs("terraform")
@pytest.mark.slow("plans all stacks that call a module, on both sides of an edit, twice")
def test_a_caller_that_cannot_be_planned_is_accepted_by_its_name(monorepo: Monorepo, rule: Path) -> None:
    broken = 'module "theirs" {\n  source = "git::https://example.test/theirs.git"\n}\n'
    with (monorepo.root / "stacks/navidrome/main.tf").open("a") as main:
        main.write(broken)
    git(monorepo.root, "commit", "--all", "--quiet", "--message", "A module from elsewhere")
    swept = ("sweep", "--from", rule, "--all", "--modules", "--monorepo", monorepo.root)
    done = scaffold(*swept)
    assert done.returncode == 4, done.stdout
    assert "navidrome: left as it is: it cannot be planned" in done.stdout
    assert "repeat this with `--accept navidrome`" in done.stdout and "all of its callers" in done.stdout
    assert git(monorepo.root, "status", "--porcelain") == ""
    told = json.loads(scaffold(*swept, "--accept", "navidrome", "--json").stdout)
    assert git(monorepo.root, "diff", "--name-only").split() == [MODULE]
    assert [one["what"] for one in told["not_verified"]] == ["what this changes in navidrome"]


def test_what_is_accepted_is_applied_and_told(
    monorepo: Monorepo, rule: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = Finding("stacks/navidrome", None, None, sweeping.UNKNOWN, "It cannot be planned.")
    found = ("navidrome", (sweeping.Way({}), StackPlan("navidrome", None), (unknown,)))
    monkeypatch.setattr(sweeping, "find_tool", lambda: Tool("terraform", "terraform"))
    monkeypatch.setattr(sweeping, "_held", lambda *_: iter([found]))

    def swept(*accepted: str) -> sweeping.Sweep:
        stacks, none = monorepo.stacks, Answers()
        return sweeping.sweep(monorepo, rule_from(rule), stacks, none, modules=True, accepted=accepted)

    assert swept().waves(by_tier=True) == ()
    accepted = swept("navidrome")
    assert accepted.waves(by_tier=True) == (("", ("navidrome",)),)
    table = "\n".join(sweep_markdown(accepted, by_tier=False))
    assert "| navidrome | 1 | 0 | – | accepted: it cannot be planned here |" in table
    assert "\nNot verified: what this changes in navidrome (it cannot be planned).\n" in table
    assert "(cd stacks/navidrome && " in "\n".join(sweep_text(accepted, written=True, by_tier=False))
    with pytest.raises(UsageError, match=r"of rain-report, as") as refused:
        swept("navidrome", "rain-report")
    assert refused.value.hint == "Leave out --accept rain-report; what may be accepted is navidrome."


def test_only_a_caller_of_a_module_is_accepted(monorepo: Monorepo, rule: Path) -> None:
    told = scaffold("sweep", "--from", rule, "--all", "--accept", "navidrome", "--monorepo", monorepo.root)
    assert (told.returncode, "--accept goes with --modules" in told.stderr) == (2, True)


@needs("terraform")
@pytest.mark.slow("plans all stacks that call a module, on both sides of an edit")
def test_a_module_is_left_as_it_is_where_one_stack_falls_outside(monorepo: Monorepo, rule: Path) -> None:
    hanging = """
resource "kubernetes_config_map" "where" {
  metadata {
    name      = "where"
    namespace = "navidrome"
  }
  data = { class = %s }
}
"""
    module = monorepo.root / MODULE
    told_too = 'output "class" { value = kubernetes_persistent_volume.this.spec[0].storage_class_name }\n'
    module.write_text(module.read_text() + told_too)
    main = monorepo.root / "stacks/navidrome/main.tf"
    called = next(line for line in main.read_text().splitlines() if line.startswith('module "nfs_'))
    main.write_text(main.read_text() + hanging % f"module.{called.split(chr(34))[1]}.class")
    git(monorepo.root, "commit", "--all", "--quiet", "--message", "It hangs on the class")
    done = scaffold("sweep", "--from", rule, "--all", "--modules", "--monorepo", monorepo.root)
    assert done.returncode == 4, done.stdout
    assert "kubernetes_config_map.where: data.class would change from nfs-host to nfs-slow" in done.stdout
    assert "navidrome: left as it is: something falls outside the contract" in done.stdout
    assert git(monorepo.root, "status", "--porcelain") == ""

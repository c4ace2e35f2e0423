"""``scaffold check`` and ``scaffold rule``: stacks of a monorepo against the rules."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support import needs, scaffold

from scaffold.commands.check import check, once, stacks_at
from scaffold.commands.rule import all_rules
from scaffold.errors import Finding, MissingError
from scaffold.monorepo.repository import Monorepo
from scaffold.terraform import runner

INGRESS = """
module "open" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "open"
  namespace       = "beds"
  tls_secret_name = var.tls_secret_name
  auth            = "app"
}
"""
REASON = '  auth            = "app"'


def stack(monorepo: Monorepo, text: str, name: str = "beds") -> Path:
    """A stack with a main.tf that no other has."""
    path = monorepo.stack_directory(name) / "main.tf"
    path.parent.mkdir(exist_ok=True)
    (path.parent / "terragrunt.hcl").write_text('include "root" {\n  path = find_in_parent_folders()\n}\n')
    path.write_text('variable "tls_secret_name" {\n  type = string\n}\n' + text)
    return path


def found(monorepo: Monorepo, *arguments: str) -> list[tuple[str, int]]:
    """The codes and lines that are told as JSON."""
    done = scaffold("check", "beds", "--static", "--json", *arguments, cwd=monorepo.root)
    told = json.loads(done.stdout)
    assert done.returncode == int(bool(told["findings"]))
    return [(finding["code"], finding["line"]) for finding in told["findings"]]


def test_what_people_wrote_in_the_sample_monorepo_is_found_in_syntax(pristine: Monorepo) -> None:
    done = scaffold("check", "--all", "--static", "--json", cwd=pristine.root)
    told = [(finding["path"], finding["code"]) for finding in json.loads(done.stdout)["findings"]]
    assert told == [("stacks/navidrome/main.tf", "ING002")]


@needs("terraform")
def test_and_in_what_would_exist(pristine: Monorepo) -> None:
    done = scaffold("check", "--all", "--json", cwd=pristine.root)
    result = json.loads(done.stdout)
    lists = {f["code"] for f in result["findings"] if f["code"].startswith("IDX")}
    assert lists == {"IDX001", "IDX002"}
    of_stacks = [f for f in result["findings"] if f["code"] not in lists]
    told = {(Path(f["path"]).parent.name, f["code"]) for f in of_stacks}
    wrong = ("BAK002", "ING002", "ING008", "POD001", "POD002", "STO004")
    assert told == {*(("navidrome", code) for code in wrong), ("rain-report", "POD001")}
    assert result["not_verified"] == []


@needs("terraform")
@pytest.mark.slow("plans every stack of the sample")
def test_where_nothing_has_changed_nothing_is_planned(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What shows a value that Git has decrypted is planned each time.
    (monorepo.root / "config.tfvars").write_bytes(b"\0GITCRYPT\0" + bytes(range(64)))
    first = check(monorepo, monorepo.stacks)
    assert any(plan.resources for plan in first.plans)

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(runner, "Planner", never)
    second = check(Monorepo(monorepo.root), monorepo.stacks)
    assert second.findings == first.findings
    assert all(plan.kept for plan in second.plans)


def test_a_finding_is_told_where_it_is(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    done = scaffold("check", "beds", "--static", cwd=monorepo.root)
    assert done.returncode == 1
    assert 'stacks/beds/main.tf:10:3: error: auth = "app" gives no reason [ING002]' in done.stdout
    assert "1 stack, 1 error." in done.stdout
    assert "Not verified: the plans" in done.stdout


def test_what_is_no_hcl_is_told_with_the_rest(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    stack(monorepo, "locals {", name="weeds")
    for chosen, told in ((), True), (("--select", "SVC"), False):
        done = scaffold("check", "beds", "weeds", "--static", *chosen, cwd=monorepo.root)
        assert "[HCL001]" in done.stdout, "nobody knows what else is wrong with it"
        assert ("[ING002]" in done.stdout) is told


def test_a_program_that_plans_nothing_says_nothing_of_the_stacks(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("SCAFFOLD_TERRAFORM", str(program))
    stack(monorepo, INGRESS)
    done = scaffold("check", "beds", cwd=monorepo.root)
    assert "[ING002]" in done.stdout
    assert "1 error" in done.stdout
    assert "Not verified: the plans" in done.stdout


def test_a_fault_of_a_module_is_told_once_however_many_stacks_call_it() -> None:
    fault = Finding("modules/x/main.tf", 3, 5, "plan-module", "Invalid operand")
    called = [replace(fault, fix=f"called from stacks/{name}/main.tf:1") for name in ("a", "b", "c")]
    other = Finding("stacks/a/main.tf", 1, 1, "STO001", "the same")
    again = replace(other, fix="in two ways")
    assert list(once([*called, other, again])) == [
        replace(fault, fix="called from stacks/a/main.tf:1 and 2 more"), other, again,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ((), ["ING002", "HCL004"]),
        (("--select", "ING"), ["ING002"]),
        (("--select", "ING,HCL004"), ["ING002", "HCL004"]),
        (("--ignore", "ING002"), ["HCL004"]),
        (("--select", "HCL", "--ignore", "HCL004"), []),
    ],
)
def test_rules_are_chosen_by_code_or_family(
    monorepo: Monorepo, options: tuple[str, ...], codes: list[str]
) -> None:
    stack(monorepo, INGRESS + "locals {\n  a = var.no\n}\n")
    assert [code for code, _ in found(monorepo, *options)] == codes


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_code_that_no_rule_has_is_refused(monorepo: Monorepo, option: str) -> None:
    done = scaffold("check", "--all", option, "ING020", cwd=monorepo.root)
    assert done.returncode == 2
    assert "Did you mean ING0" in done.stderr


def test_a_stack_that_is_not_there_is_refused(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    done = scaffold("check", "bed", cwd=monorepo.root)
    assert done.returncode == 6
    assert "Did you mean beds?" in done.stderr


# exceptions


@pytest.mark.parametrize(
    "text",
    [
        INGRESS.replace(REASON, f"  # scaffold: ignore ING002: a test\n{REASON}"),
        INGRESS.replace(REASON, f"{REASON} # scaffold: ignore ING002: a test"),
        INGRESS.replace(
            'module "open"', '# scaffold: ignore ING001, ING002: a test\n# It is one.\nmodule "open"'
        ),
    ],
    ids=["above the line", "in the line", "above the block"],
)
def test_an_exception_is_made_for_its_line_or_block(monorepo: Monorepo, text: str) -> None:
    stack(monorepo, text)
    assert [code for code, _ in found(monorepo, "--select", "ING")] == []


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# scaffold: ignore ING002", ["IGN002", "ING002"]),
        ("# scaffold: ignore ING002:", ["IGN002", "ING002"]),
        ("# scaffold: ignore: a test", ["IGN001", "ING002"]),
        ("# scaffold: ignore ING200: a test", ["IGN001", "ING002"]),
        ("# scaffold: ignore ING001: a test", ["IGN003", "ING002"]),
        ("# scaffold: ignore POD001: a test", ["ING002"]),  # no plan: nobody knows
    ],
)
def test_an_exception_names_a_rule_has_a_reason_and_is_needed(
    monorepo: Monorepo, comment: str, codes: list[str]
) -> None:
    stack(monorepo, INGRESS.replace(REASON, f"  {comment}\n{REASON}"))
    assert [code for code, _ in found(monorepo)] == codes


# the baseline


def test_only_new_findings_are_told_beside_a_baseline(monorepo: Monorepo) -> None:
    path = stack(monorepo, INGRESS)
    everything = ("--all", "--static", "--baseline", "known", "--update-baseline")
    told = scaffold("check", *everything, cwd=monorepo.root)
    assert told.returncode == 0, told.stderr
    lines = [line for line in (monorepo.root / "known").read_text().splitlines() if line[0] != "#"]
    what = 'main.tf: ING002: auth = "app" gives no reason'
    assert lines == [f"stacks/beds/{what}", f"stacks/navidrome/{what}"]
    assert found(monorepo, "--baseline", "known") == []
    path.write_text("\n\n" + path.read_text())  # moved
    assert found(monorepo, "--baseline", "known") == []
    path.write_text(path.read_text() + INGRESS.replace('"open"', '"second"'))
    assert [code for code, _ in found(monorepo, "--baseline", "known")] == ["ING002"]
    path.write_text(path.read_text().replace('"app"', '"required"'))
    gone = scaffold("check", "beds", "--static", "--baseline", "known", cwd=monorepo.root)
    assert "no findings (1 of the baseline gone)" in gone.stdout, "nobody looked at navidrome"
    other = scaffold("check", "beds", "--static", "--select=HCL", "--baseline=known", cwd=monorepo.root)
    assert "1 stack, no findings." in other.stdout, "nor by another rule"


@pytest.mark.parametrize("options", [("beds",), ("--all", "--select", "ING"), ("--all",)])
def test_a_baseline_is_of_every_stack_and_rule(monorepo: Monorepo, options: tuple[str, ...]) -> None:
    stack(monorepo, INGRESS)
    file = () if options == ("--all",) else ("--baseline", "known")
    done = scaffold("check", *options, "--static", "--update-baseline", *file, cwd=monorepo.root)
    assert done.returncode == 2
    assert not (monorepo.root / "known").exists()


def test_a_repository_of_an_app_is_checked_by_itself(monorepo: Monorepo) -> None:
    done = scaffold("check", "--pipelines", ".", "--all", cwd=monorepo.root)
    assert done.returncode == 2


def test_a_baseline_that_is_not_there_is_told(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    done = scaffold("check", "beds", "--static", "--baseline", "known", cwd=monorepo.root)
    assert done.returncode == 2
    assert "known cannot be read" in done.stderr


# forms


def test_annotations_of_github_escape_what_ends_them(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    done = scaffold("check", "beds", "--static", "--format", "github", cwd=monorepo.root)
    line, gap = done.stdout.splitlines()
    assert gap == "::notice title=Not verified::the plans (left out by --static)"
    assert line.startswith("::error file=stacks/beds/main.tf,line=10,col=3,title=ING002::auth = ")


def test_sarif_names_rules_and_places(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    done = scaffold("check", "beds", "--static", "--format", "sarif", cwd=monorepo.root)
    (run,) = json.loads(done.stdout)["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "ING002"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "Not verified: the plans (left out by --static)."
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 10, "startColumn": 3}


def test_markdown_and_statistics_count_by_rule(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS)
    page = scaffold("check", "beds", "--static", "--format", "markdown", cwd=monorepo.root).stdout
    assert "<code>ING002</code> An ingress without the full gate says why (1 error)</summary>" in page
    counted = scaffold("check", "beds", "--static", "--statistics", cwd=monorepo.root).stdout
    assert "    1  error    ING002  An ingress without the full gate says why\n" in counted


# what is named


@pytest.mark.parametrize(
    "named", ["beds", "beds/", "stacks/beds", "stacks/beds/main.tf", "{root}/stacks/beds/main.tf"]
)
def test_a_stack_goes_by_its_name_its_directory_or_its_files(monorepo: Monorepo, named: str) -> None:
    stack(monorepo, INGRESS)
    named = named.format(root=monorepo.root)
    assert stacks_at(monorepo, [named, "beds"]) == ("beds",)
    with contextlib.chdir(monorepo.root / "stacks" / "navidrome"):
        assert stacks_at(monorepo, ["beds"]) == ("beds",)
        assert stacks_at(monorepo, ["main.tf"]) == ("navidrome",)


def test_a_file_of_a_draft_names_no_stack(monorepo: Monorepo) -> None:
    stack(monorepo, INGRESS, name="_template")
    assert stacks_at(monorepo, [f"{monorepo.root}/stacks/_template/main.tf"]) == ()
    for wrong in ("stacks/_template", "stacks/beds/no.tf", "stacks", "README.md"):
        with pytest.raises(MissingError):
            stacks_at(monorepo, [wrong])


# rules


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_can_be_explained(rule: object) -> None:
    code = getattr(rule, "code", "")
    told = scaffold("rule", code.lower()).stdout
    assert told.startswith(f"### {code}: {getattr(rule, 'title', '')}\n")
    assert getattr(rule, "why", "") in told


def test_all_rules_are_listed_and_a_wrong_code_has_its_nearest() -> None:
    assert scaffold("rule", "--list").stdout.splitlines() == [f"{r.code}  {r.title}" for r in all_rules()]
    wrong = scaffold("rule", "ING09")
    assert wrong.returncode == 2
    assert "Did you mean ING0" in wrong.stderr

"""``scaffold status``: each stack compared with its answers, the templates, the rules and the lists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ANSWERS, git, scaffold

from scaffold.commands import status as command
from scaffold.monorepo.repository import Monorepo
from scaffold.report import status as report
from scaffold.templates import template
from scaffold.templates.render import ANSWERS_FILE

MADE = ("drone-logbook", "ip-echo")


@pytest.fixture(scope="module")
def made(pristine: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample monorepo with two stacks that this tool made: one has Secrets and volumes, one neither."""
    root = tmp_path_factory.mktemp("made") / "monorepo"
    shutil.copytree(pristine.root, root, symlinks=True)
    for name in MADE:
        answers = ANSWERS / "valid" / f"{name}.yml"
        done = scaffold("new-service", "--answers", answers, "--verify", "static", cwd=root)
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """The same, to write in."""
    return Path(shutil.copytree(made, tmp_path / "monorepo", symlinks=True))


def standing(root: Path, name: str) -> tuple[dict[str, Any], str]:
    """How a stack stands, as JSON and as a line."""
    found = command.status(Monorepo(root), (name,))
    (told,) = report.status_json(found)["stacks"]
    return told, next(report.status_text(found)).partition("  ")[2]


def edit(root: Path, name: str, file: str, before: str, after: str) -> None:
    path = root / "stacks" / name / file
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def recorded(version: str) -> str:
    """The line of an answers file with a version; quoted where a commit's name is all digits."""
    return yaml.safe_dump({"_commit": version}).strip()


def test_what_was_just_made_has_nothing_to_do(made: Path) -> None:
    done = scaffold("status", cwd=made)
    assert done.returncode == 0
    version = template.origin().version
    *lines, summary, _ = done.stdout.splitlines()
    assert [line.split() for line in lines] == [[name, version] for name in MADE]
    assert summary == f"2 stacks, 2 made by scaffold (now {version}), 0 by hand; 0 need attention."


def test_all_tells_of_those_made_by_hand_too_and_what_needs_attention_comes_first(made: Path) -> None:
    done = scaffold("status", "--all", "--json", cwd=made)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    stacks = {one["stack"]: one for one in told["stacks"]}
    assert len(stacks) == len(Monorepo(made).stacks)
    assert {name for name, one in stacks.items() if one["made_by"] == "scaffold"} == set(MADE)
    assert stacks["navidrome"]["findings"] == {"errors": 1, "warnings": 0}
    assert next(iter(stacks)) == "navidrome"
    attention = [one["needs_attention"] for one in told["stacks"]]
    assert attention == sorted(attention, reverse=True)
    assert told["attention"] == sum(attention) < len(stacks)
    assert told["astray"] > 0


def test_edits_by_hand_are_told_by_file_and_hunk_and_are_no_fault(root: Path) -> None:
    name = "drone-logbook"
    main = root / "stacks" / name / "main.tf"
    first, *lines, last = main.read_text().splitlines()
    main.write_text("\n".join(["# Mine.", first, *lines, last, "# Mine too.", ""]))
    (main.parent / "extra.tf").write_text('locals {\n  hue = "green"\n}\n')
    told, line = standing(root, name)
    assert not told["needs_attention"]
    assert told["edited"] == [
        {"path": f"stacks/{name}/extra.tf", "action": "create", "hunks": 1},
        {"path": f"stacks/{name}/main.tf", "action": "modify", "hunks": 2},
    ]
    assert line == f"{told['version']}; extra.tf added by hand; main.tf edited (2 hunks)"


def test_a_rendered_file_that_is_gone_wants_attention(root: Path) -> None:
    (root / "stacks" / "ip-echo" / "terragrunt.hcl").unlink()
    told, line = standing(root, "ip-echo")
    assert told["needs_attention"]
    assert [file["action"] for file in told["edited"]] == ["delete"]
    assert "; terragrunt.hcl is gone" in line


def test_a_fact_that_moved_is_told_of_the_stacks_that_it_changes(root: Path) -> None:
    (root / "scaffold.yml").write_text("external_secret_api: external-secrets.io/v1\n")
    secret, plain = command.status(Monorepo(root), MADE).stacks
    assert (secret.needs_attention, plain.needs_attention) == (True, False)
    assert secret.recorded is not None
    assert secret.recorded.edited == ()
    api = "external-secrets.io/v1"
    assert secret.recorded.moved == (command.Moved("external_secret_api", f"{api}beta1", api),)


def test_answers_that_are_no_longer_valid_are_told(root: Path) -> None:
    edit(root, "ip-echo", ANSWERS_FILE, "memory: 64Mi", "memory: plenty")
    assert "answers edited by hand" in standing(root, "ip-echo")[1]
    edit(root, "ip-echo", ANSWERS_FILE, "hash: ", "# ")
    told, line = standing(root, "ip-echo")
    assert told["needs_attention"]
    assert [(one["answer"], one["code"]) for one in told["invalid"]] == [("memory", "answers.pattern")]
    assert told["edited"] is None
    assert line.endswith("; no longer valid: memory")


def test_answers_that_cannot_be_read_come_before_all_else(root: Path) -> None:
    edit(root, "ip-echo", ANSWERS_FILE, "memory: 64Mi", "<<<<<<< before\nmemory: 64Mi")
    found = command.status(Monorepo(root), ("navidrome", *MADE))
    first = found.stacks[0]
    assert (first.stack, first.needs_attention) == ("ip-echo", True)
    assert first.recorded is not None
    assert f"stacks/ip-echo/{ANSWERS_FILE}:" in first.recorded.problem


def test_another_version_is_another_version(root: Path) -> None:
    edit(root, "ip-echo", ANSWERS_FILE, recorded(template.origin().version), "_commit: v0.0.1")
    told, line = standing(root, "ip-echo")
    assert told["needs_attention"]
    assert (told["version"], told["behind"], told["edited"]) == ("v0.0.1", None, None)
    assert line == "v0.0.1 (another version)"


def test_how_far_behind_is_counted_in_commits_of_the_templates(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    for number, name in enumerate(("copier.yml", "README.md", "templates/a", "copier.yml")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
        git(tmp_path, "add", name)
        git(tmp_path, "commit", "-qm", name)
        git(tmp_path, "tag", f"v{number}")
    origin = template.Origin(str(tmp_path), "v3", updatable=True)
    monkeypatch.setattr(template, "origin", lambda _=None: origin)
    house = command._House(Monorepo(made))
    assert [house.behind(v) for v in ("v0", "v1", "v2", "v3", "v9", "--all")] == [2, 2, 1, 0, None, None]


@pytest.mark.slow("commits the templates and compiles those of another version")
def test_an_older_stack_is_compared_with_what_its_version_rendered(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "templates"
    shutil.copytree(template.root() / "templates", old / "templates", symlinks=True)
    shutil.copy(template.root() / "copier.yml", old)
    source = old / "templates" / "stack" / "main.tf.jinja"
    source.write_text("# As it was.\n" + source.read_text())
    git(old, "init", "-q")
    git(old, "add", ".")
    git(old, "commit", "-qm", "old")
    git(old, "tag", "v0.0.1")
    main = root / "stacks" / "ip-echo" / "main.tf"
    main.write_text("# As it was.\n" + main.read_text())
    origin = template.origin()
    edit(root, "ip-echo", ANSWERS_FILE, recorded(origin.version), "_commit: v0.0.1")
    edit(root, "ip-echo", ANSWERS_FILE, f"_src_path: {origin.source}", f"_src_path: {old}")
    assert standing(root, "ip-echo")[0]["edited"] == []
    main.write_text(main.read_text() + "# By hand.\n")
    told, line = standing(root, "ip-echo")
    assert [(file["action"], file["hunks"]) for file in told["edited"]] == [("modify", 1)]
    assert line == "v0.0.1 (another version); main.tf edited (1 hunk)"


def test_an_answers_file_that_was_edited_is_told_before_anything_is_made_of_it(root: Path) -> None:
    edit(root, "ip-echo", ANSWERS_FILE, "memory: 64Mi", "memory: 65Mi")
    told, line = standing(root, "ip-echo")
    assert (told["needs_attention"], told["answers_edited"], told["edited"]) == (True, True, None)
    assert line.endswith("; answers edited by hand")


def test_findings_and_lists_are_counted(root: Path) -> None:
    (root / "stacks" / "ip-echo" / "own.tf").write_text("locals {\n  hue = var.none\n}\n")
    catalog = root / ".claude" / "reference" / "service-catalog.md"
    rows = [line for line in catalog.read_text().splitlines(keepends=True) if "| ip-echo " not in line]
    catalog.write_text("".join(rows))
    told, line = standing(root, "ip-echo")
    assert told["needs_attention"]
    assert told["findings"] == {"errors": 1, "warnings": 0}
    assert [finding["code"] for finding in told["lists"]] == ["IDX001"]
    assert line.endswith("; 1 error; 1 list entry missing")


def test_what_has_not_changed_is_not_found_again(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = command.status(Monorepo(made), MADE)

    def never(*_: object) -> None:
        raise AssertionError

    for name in ("_compared", "drift"):
        monkeypatch.setattr(command, name, never)
    assert command.status(Monorepo(made), MADE) == before


def test_stacks_are_named_or_all_are_meant(made: Path) -> None:
    done = scaffold("status", "ip-echo", "--all", cwd=made)
    assert done.returncode == 2
    assert scaffold("status", "ip-eco", cwd=made).returncode == 6


def test_where_scaffold_made_no_stack_that_is_what_is_told(pristine: Monorepo) -> None:
    done = scaffold("status", "--monorepo", pristine.root)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0, "No stack was made by scaffold; --all shows those that were written by hand.",
    )  # fmt: skip

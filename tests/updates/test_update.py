"""``scaffold update`` from end to end, mostly without plans."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import history
import pytest
import yaml
from history import FIRST, put_stacks, replace_in, version
from support import git, needs, scaffold

from scaffold.changes.change import Content
from scaffold.errors import MissingError
from scaffold.hcl.conflicts import conflict
from scaffold.monorepo.repository import Monorepo
from scaffold.templates.render import ANSWERS_FILE
from scaffold.updates import versions
from scaffold.updates.merge import Merged, State, Tree

GRACE = "share_process_namespace = false"


def update(
    fleet: Monorepo, templates: Path, *arguments: str, to: str = "argument"
) -> subprocess.CompletedProcess[str]:
    return scaffold(
        "update", *arguments, "--to", version(to), "--template-source", templates, "--verify", "static",
        "--monorepo", fleet.root,
    )  # fmt: skip


def main_of(fleet: Monorepo, stack: str = "drone-logbook") -> Path:
    return fleet.stack_directory(stack) / "main.tf"


def by_hand(fleet: Monorepo, old: str, new: str) -> None:
    replace_in(main_of(fleet), old, new)
    git(fleet.root, "commit", "--quiet", "--all", "--message", "By hand")


def test_all_stacks_are_brought_to_a_version_in_one_commit(fleet: Monorepo, templates: Path) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    done = update(fleet, templates, "--all", "--commit", "one")
    assert done.returncode == 0, done.stderr
    assert "drone-logbook: merged" in done.stdout and "ip-echo: updated" in done.stdout
    for stack in ("drone-logbook", "ip-echo"):
        assert GRACE in main_of(fleet, stack).read_text()
        said = yaml.safe_load((fleet.stack_directory(stack) / ANSWERS_FILE).read_text())
        assert said["_commit"] == version("argument")
    assert "replicas = 2" in main_of(fleet).read_text()
    assert git(fleet.root, "status", "--porcelain") == ""
    assert git(fleet.root, "log", "-1", "--format=%s").startswith("Update 2 stacks to v0.2.0")
    again = update(fleet, templates, "--all")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "Nothing to do.")


def test_a_commit_for_each_stack_has_its_files_alone(fleet: Monorepo, templates: Path) -> None:
    assert update(fleet, templates, "--all", "--commit", "per-stack").returncode == 0
    for stack, commit in (("ip-echo", "HEAD"), ("drone-logbook", "HEAD~")):
        assert git(fleet.root, "show", "--format=%s", "--name-only", commit).split("\n")[0].startswith(stack)
        changed = git(fleet.root, "show", "--format=", "--name-only", commit).split()
        assert {Path(path).parts[1] for path in changed} == {stack}


@pytest.mark.slow("renders five Deployments three times")
def test_further_deployments_get_the_rules_and_keep_what_was_edited(
    monorepo: Monorepo, templates: Path
) -> None:
    put_stacks(monorepo, templates, ["tape-archive"])
    main = main_of(monorepo, "tape-archive")
    head, _, tail = main.read_text().rpartition("replicas = 2")
    main.write_text(f"{head}replicas = 3{tail}")
    git(monorepo.root, "commit", "--quiet", "--all", "--message", "By hand")
    done = update(monorepo, templates, "tape-archive")
    assert done.returncode == 0, done.stderr
    text = " ".join(main.read_text().split())
    assert text.count(GRACE) == text.count('resource "kubernetes_deployment"') == 5
    assert "replicas = 3" in text


def test_a_stack_of_another_house_is_updated_there(tmp_path: Path, templates: Path) -> None:
    shutil.copytree(Path(__file__).parents[1] / "houses/second", tmp_path / "house")
    git(tmp_path, "init", "--quiet", "house")
    house = Monorepo(tmp_path / "house")
    put_stacks(house, templates, ["ip-echo"])
    done = update(house, templates, "ip-echo")
    assert done.returncode == 0, done.stderr
    text = (house.root / "services/ip-echo/main.tf").read_text()
    assert GRACE in text and "infra/parts/web_route" in text and "keel" not in text


def test_plan_only_shows(fleet: Monorepo, templates: Path) -> None:
    done = update(fleet, templates, "drone-logbook", "--plan")
    assert done.returncode == 0
    assert "1 stack would be written." in done.stdout
    assert git(fleet.root, "status", "--porcelain") == ""


def test_a_stack_with_a_conflict_is_left_and_the_others_are_written(fleet: Monorepo, templates: Path) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    before = main_of(fleet).read_text()
    done = update(fleet, templates, "--all", to="value")
    assert done.returncode == 4
    assert "drone-logbook is left as it is" in done.stdout
    assert "stacks/drone-logbook/main.tf" in done.stdout
    assert main_of(fleet).read_text() == before
    assert set(git(fleet.root, "diff", "--name-only").split()) == {
        f"stacks/ip-echo/{name}" for name in (ANSWERS_FILE, "main.tf")
    }


def test_conflicts_are_marked_where_that_is_asked_and_are_no_success(
    fleet: Monorepo, templates: Path
) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    done = update(fleet, templates, "drone-logbook", "--conflicts", to="value")
    assert done.returncode == 4
    assert conflict(main_of(fleet).read_bytes())
    assert update(fleet, templates, "drone-logbook", to="argument").returncode == 4


def test_json_has_the_state_and_the_findings_of_each_stack(fleet: Monorepo, templates: Path) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    told = json.loads(update(fleet, templates, "--all", "--plan", "--json", to="value").stdout)
    states = {one["stack"]: one["state"] for one in told["stacks"]}
    assert states == {"drone-logbook": "conflict", "ip-echo": "updated"}
    assert told["stacks"][0]["findings"][0]["code"] == "update.conflict"
    assert told["stacks"][0]["findings"][0]["path"] == "stacks/drone-logbook/main.tf"


def test_answers_that_were_edited_by_hand_keep_a_stack_as_it_is(fleet: Monorepo, templates: Path) -> None:
    answers = fleet.stack_directory("drone-logbook") / ANSWERS_FILE
    replace_in(answers, "memory: 512Mi", "memory: 768Mi")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "By hand")
    before = main_of(fleet).read_text()
    done = update(fleet, templates, "--all")
    assert done.returncode == 4
    assert "was edited by hand" in done.stdout
    assert main_of(fleet).read_text() == before
    assert GRACE in main_of(fleet, "ip-echo").read_text()


def test_a_stack_that_is_not_clean_is_refused_before_anything_is_written(
    fleet: Monorepo, templates: Path
) -> None:
    replace_in(main_of(fleet), "replicas = 1", "replicas = 2")
    done = update(fleet, templates, "--all")
    assert (done.returncode, "not committed yet" in done.stderr) == (4, True)
    assert git(fleet.root, "diff", "--name-only").split() == ["stacks/drone-logbook/main.tf"]


def test_edits_go_along_with_a_file_that_the_template_renames(fleet: Monorepo, templates: Path) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    assert update(fleet, templates, "drone-logbook", to="renamed").returncode == 0
    directory = fleet.stack_directory("drone-logbook")
    assert not (directory / "main.tf").exists()
    assert "replicas = 2" in (directory / "app.tf").read_text()


def test_a_file_that_a_person_renamed_gets_the_rules(fleet: Monorepo, templates: Path) -> None:
    git(fleet.root, "mv", "stacks/drone-logbook/main.tf", "stacks/drone-logbook/stack.tf")
    git(fleet.root, "commit", "--quiet", "--message", "By hand")
    assert update(fleet, templates, "drone-logbook").returncode == 0
    assert not main_of(fleet).exists()
    assert GRACE in (main_of(fleet).parent / "stack.tf").read_text()


def test_facts_are_sensed_anew(fleet: Monorepo, templates: Path) -> None:
    """A stack that was born before the operator's v1 comes to it when the monorepo does."""
    for path in fleet.root.glob("stacks/*/main.tf"):
        path.write_text(path.read_text().replace("external-secrets.io/v1beta1", "external-secrets.io/v1"))
    replace_in(main_of(fleet), "external-secrets.io/v1", "external-secrets.io/v1beta1")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "v1")
    done = scaffold(
        "update", "drone-logbook", "--to", FIRST, "--template-source", templates, "--verify", "static",
        "--monorepo", fleet.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'apiVersion = "external-secrets.io/v1"\n' in main_of(fleet).read_text()


@pytest.mark.slow("an update, a change and an update")
def test_a_change_by_newer_templates_leaves_the_rest_to_the_next_update(
    fleet: Monorepo, templates: Path
) -> None:
    """What it does not touch was rendered by the version that is recorded; the newer one is that at hand."""
    assert update(fleet, templates, "drone-logbook", "--commit", "one").returncode == 0
    asked = ("--verify", "static", "--accept", "not-compared", "--commit", "--monorepo", fleet.root)
    done = scaffold("change", "drone-logbook", "--set", "memory=768Mi", *asked)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((fleet.stack_directory("drone-logbook") / ANSWERS_FILE).read_text())
    assert (answers["_commit"], answers["memory"]) == (version("argument"), "768Mi")
    assert GRACE in main_of(fleet).read_text()
    done = scaffold(
        "update", "drone-logbook", "--to", FIRST, "--template-source", templates, "--verify", "static",
        "--monorepo", fleet.root,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0, f"drone-logbook: updated (updated: {ANSWERS_FILE}, main.tf)",
    )  # fmt: skip
    assert GRACE not in main_of(fleet).read_text()
    assert main_of(fleet).read_text().count('memory = "768Mi"') == 2


def test_answers_that_are_no_longer_valid_leave_the_stack_as_it_is(fleet: Monorepo, templates: Path) -> None:
    """As a newer version may have it; without its hash the file is one that an older version wrote."""
    answers = fleet.stack_directory("drone-logbook") / ANSWERS_FILE
    lines = answers.read_text().replace("memory: 512Mi\n", "memory: much\n").splitlines(keepends=True)
    answers.write_text("".join(line for line in lines if not line.startswith("hash:")))
    git(fleet.root, "commit", "--quiet", "--all", "--message", "By hand")
    done = update(fleet, templates, "--all")
    assert done.returncode == 4
    assert "memory" in done.stdout and "drone-logbook is left as it is" in done.stdout
    assert GRACE in main_of(fleet, "ip-echo").read_text()


def test_answers_that_were_edited_by_hand_are_noticed(fleet: Monorepo, templates: Path) -> None:
    """Else the new answer would be taken for what the stack was rendered from, and nothing would come of it."""
    replace_in(fleet.stack_directory("drone-logbook") / ANSWERS_FILE, "memory: 512Mi\n", "memory: 1Gi\n")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "By hand")
    done = update(fleet, templates, "drone-logbook")
    assert done.returncode == 4
    assert "was edited by hand" in done.stdout and "answers.edited" in done.stdout
    assert git(fleet.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("source,why", [("gone", "neither a Git URL"), ("here", "v0.1.0")])
def test_a_version_that_cannot_be_had_is_told(
    fleet: Monorepo, templates: Path, tmp_path: Path, source: str, why: str
) -> None:
    (tmp_path / "here").mkdir()
    git(tmp_path / "here", "init", "--quiet")
    answers = fleet.stack_directory("drone-logbook") / ANSWERS_FILE
    replace_in(answers, f"_src_path: {templates}", f"_src_path: {tmp_path / source}")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "Elsewhere")
    done = update(fleet, templates, "drone-logbook")
    assert done.returncode == 6
    assert why in done.stderr and "_src_path" in done.stderr


def test_the_templates_of_a_version_are_fetched_once(
    templates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = templates.as_uri()
    first = versions.templates_of(source, FIRST)
    monkeypatch.setattr(versions, "_unpack", None)
    assert versions.templates_of(source, FIRST) == first
    assert (first / "copier.yml").read_bytes() == (templates / "copier.yml").read_bytes()
    assert [path for path in (first / "templates" / "stack").iterdir() if path.is_symlink()]


def test_what_has_no_templates_leaves_nothing_between_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, source = tmp_path / "kept", tmp_path / "source"
    for directory in (kept, source):
        directory.mkdir()
    monkeypatch.setattr(versions, "_kept", lambda: kept)
    git(source, "init", "--quiet")
    who = ("-c", "user.name=Robin", "-c", "user.email=robin@example.test")
    git(source, *who, "commit", "--quiet", "--allow-empty", "--message", "Nothing yet")
    with pytest.raises(MissingError, match="has no templates"):
        versions.templates_of(str(source), "HEAD")
    assert list(kept.iterdir()) == []


def test_a_stack_whose_answers_cannot_be_read_stops_no_other(fleet: Monorepo, templates: Path) -> None:
    (fleet.stack_directory("drone-logbook") / ANSWERS_FILE).write_text("a: [\n")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "Broken")
    done = update(fleet, templates, "--all")
    assert done.returncode == 4
    assert "drone-logbook is left as it is" in done.stdout and "update.no-answers" in done.stdout
    assert GRACE in main_of(fleet, "ip-echo").read_text()


@pytest.fixture
def odd(templates: Path, tmp_path: Path) -> Path:
    """Templates with a version that renders nothing, and one that records stacks in another way."""
    there = tmp_path / "odd"
    git(tmp_path, "clone", "--quiet", str(templates), str(there))
    git(there, "checkout", "--quiet", FIRST)
    for name in ("name", "email"):
        git(there, "config", f"user.{name}", "robin@example.test")
    (there / "templates/stack/main.tf.jinja").write_text("{{ nothing }}")
    git(there, "commit", "--quiet", "--all", "--message", "Broken")
    git(there, "tag", "v0.1.1")
    git(there, "rm", "--quiet", "templates/questions/seal.jinja")
    git(there, "commit", "--quiet", "--message", "Old")
    git(there, "tag", "v0.0.9")
    return there


def test_what_the_recorded_version_cannot_render_is_left_as_it_is(
    fleet: Monorepo, templates: Path, odd: Path
) -> None:
    answers = fleet.stack_directory("drone-logbook") / ANSWERS_FILE
    replace_in(answers, f"_commit: {FIRST}\n_src_path: {templates}", f"_commit: v0.1.1\n_src_path: {odd}")
    git(fleet.root, "commit", "--quiet", "--all", "--message", "Elsewhere")
    done = update(fleet, templates, "--all")
    assert done.returncode == 4
    assert "update.not-rendered" in done.stdout and "nothing" in done.stdout
    assert GRACE in main_of(fleet, "ip-echo").read_text()


def test_a_version_that_records_stacks_in_another_way_is_refused(fleet: Monorepo, odd: Path) -> None:
    done = scaffold(
        "update", "--all", "--to", "v0.0.9", "--template-source", odd, "--monorepo", fleet.root,
    )  # fmt: skip
    assert done.returncode == 4
    assert "too old to update to" in done.stderr


def test_stacks_without_answers_and_wrong_uses_are_refused(fleet: Monorepo, templates: Path) -> None:
    assert update(fleet, templates, "navidrome").returncode == 4
    for wrong in (
        [],
        ["--all", "x"],
        ["x", "--plan", "--commit", "one"],
        ["x", "--commit", "one", "--conflicts"],
    ):
        assert update(fleet, templates, *wrong).returncode == 2, wrong


@needs("terraform")
@pytest.mark.slow("plans")
def test_the_planned_difference_is_shown_and_an_edit_is_kept(fleet: Monorepo, templates: Path) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    done = scaffold(
        "update", "--all", "--plan", "--to", version("argument"), "--template-source", templates,
        "--verify", "plan", "--monorepo", fleet.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 × kubernetes_deployment in 2 stacks" in done.stdout
    assert "share_process_namespace" in done.stdout and "replicas" not in done.stdout


def test_the_history_is_what_it_says() -> None:
    assert len(history.RULES) == 9


@needs("terraform")
@pytest.mark.slow("plans")
@pytest.mark.parametrize("code,text", [("edit", "replicas 2"), ("data-lost", "the data of the volume goes")])
def test_a_merge_that_loses_an_edit_or_data_is_refused_by_its_plans(
    fleet: Monorepo, templates: Path, monkeypatch: pytest.MonkeyPatch, code: str, text: str
) -> None:
    by_hand(fleet, "replicas = 1", "replicas = 2")
    main = PurePosixPath("main.tf")

    def wrong(_: Tree, ours: Tree, theirs: Tree) -> Merged:
        files = theirs if code == "edit" else {**ours, main: _without_claim(ours[main])}
        return Merged(files, {main: State.MERGED}, {})

    monkeypatch.setattr("scaffold.commands.update.merged", wrong)
    before = main_of(fleet).read_bytes()
    done = scaffold(
        "update", "drone-logbook", "--to", version("argument"), "--template-source", templates,
        "--verify", "plan", "--monorepo", fleet.root,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert f"update.{code}" in done.stdout and text in done.stdout
    assert main_of(fleet).read_bytes() == before


def _without_claim(content: Content) -> bytes:
    """The stack with another name of its claim: the old one goes, and the data with it."""
    assert isinstance(content, bytes)
    return content.replace(b'"drone-logbook-data-encrypted"', b'"drone-logbook-other-encrypted"')

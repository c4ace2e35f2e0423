"""What an update does outside the text of stacks: hosts that it opens, and the lists that follow."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from history import FIRST, replace_in
from support import ANSWERS, git, needs, scaffold

from scaffold.changes.change import ChangeSet, Files
from scaffold.commands.lists import Lists
from scaffold.commands.service_entry import service_entry
from scaffold.indexes.edits import insertions
from scaffold.indexes.upgrade_config import REPOSITORIES
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import decisions

NEXT = "v0.3.0"
CATALOG = ".claude/reference/service-catalog.md"


@pytest.fixture(scope="module")
def newer(templates: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates with a version that opens one Service, and has records of another kind for all."""
    there = tmp_path_factory.mktemp("newer") / "template"
    git(templates, "clone", "--quiet", str(templates), str(there))
    git(there, "checkout", "--quiet", FIRST)
    for name in ("name", "email"):
        git(there, "config", f"user.{name}", "robin@example.test")
    opened = "string('none' if name == 'ip-echo' else ingress.auth.value)"
    replace_in(
        there / "templates/partials/stack/ingress.jinja",
        "'auth', string(ingress.auth.value)",
        f"'auth', {opened}",
    )
    questions = there / "templates/questions/ingress.yml"
    head, dns, rest = questions.read_text().partition("\ndns:\n")
    assert "default: decided" in rest
    questions.write_text(head + dns + rest.replace("default: decided", "default: non-proxied", 1))
    git(there, "commit", "--quiet", "--all", "--message", "Newer")
    git(there, "tag", NEXT)
    return there


@pytest.fixture
def listed(fleet: Monorepo, templates: Path) -> Monorepo:
    """The fleet with its stacks in the lists, where they record the templates with the newer version."""
    for name in ("drone-logbook", "ip-echo"):
        given = yaml.safe_load((ANSWERS / "valid" / f"{name}.yml").read_text())
        entry = service_entry(decisions.combine({**given, "sensed": sense(fleet)}))
        for edit in insertions(Monorepo(fleet.root).files, entry).edits:
            (fleet.root / edit.path).write_bytes(edit.after)
    git(fleet.root, "commit", "--quiet", "--all", "--message", "Lists")
    return Monorepo(fleet.root)


def update(
    fleet: Monorepo,
    newer: Path,
    *arguments: str,
    stdin: str = "",
    terminal: bool = False,
    verify: str = "static",
) -> subprocess.CompletedProcess[str]:
    return scaffold(
        "update", *arguments, "--to", NEXT, "--template-source", newer, "--verify", verify,
        "--monorepo", fleet.root, stdin=stdin, terminal=terminal,
    )  # fmt: skip


def auth(fleet: Monorepo) -> str:
    text = (fleet.stack_directory("ip-echo") / "main.tf").read_text()
    return text.partition('auth            = "')[2].partition('"')[0]


def test_a_host_that_would_be_opened_is_left_as_it_is_until_that_is_accepted(
    listed: Monorepo, newer: Path
) -> None:
    done = update(listed, newer, "--all")
    assert done.returncode == 4, done.stderr
    assert "ip-echo is left as it is" in done.stdout and "update.opened" in done.stdout
    assert "is open to the internet (gate required → none)" in done.stdout
    assert "If that is meant: `--accept opened`" in done.stdout
    assert "Not verified: the plans" in done.stdout
    assert auth(listed) == "required"
    proxied, direct = records(listed)
    assert "ip-echo" in proxied and "dronelog" in direct
    assert set(git(listed.root, "diff", "--name-only", "--", "stacks").split()) == {
        f"stacks/drone-logbook/{name}" for name in (".copier-answers.yml", "main.tf")
    }
    told = json.loads(update(listed, newer, "ip-echo", "--plan", "--json").stdout)
    assert told["stacks"][0]["to_accept"] == ["opened"]
    assert update(listed, newer, "ip-echo", "--accept", "data-lost").returncode == 4
    assert update(listed, newer, "ip-echo", "--accept", "opened").returncode == 0
    assert auth(listed) == "none"


def test_a_yes_in_the_terminal_accepts(fleet: Monorepo, newer: Path) -> None:
    no = update(fleet, newer, "ip-echo", stdin="n\n", terminal=True)
    assert (no.returncode, auth(fleet)) == (4, "required")
    yes = update(fleet, newer, "ip-echo", stdin="y\n", terminal=True)
    assert (yes.returncode, auth(fleet)) == (0, "none"), yes.stderr


@needs("terraform")
@pytest.mark.slow("plans")
def test_the_plans_tell_what_has_to_be_accepted(fleet: Monorepo, newer: Path) -> None:
    no = update(fleet, newer, "--all", verify="plan")
    assert no.returncode == 4
    assert "update.opened" in no.stdout and "module.ingress.kubernetes_ingress_v1" in no.stdout
    assert auth(fleet) == "required"
    assert update(fleet, newer, "ip-echo", "--accept", "opened", verify="plan").returncode == 0
    assert auth(fleet) == "none"


def records(fleet: Monorepo) -> tuple[set[str], set[str]]:
    """The hosts that the catalog has as proxied, and as others."""
    domains = (fleet.root / CATALOG).read_text().partition("## Cloudflare Domains")[2]
    proxied, direct = domains.split("Non-Proxied")
    return tuple(set(part.replace(",", " ").split()) for part in (proxied, direct))  # type: ignore[return-value]


def test_the_lists_follow_each_stack_in_its_own_commit(listed: Monorepo, newer: Path) -> None:
    before = disagreements(listed)
    assert {"dronelog", "ip-echo"} <= records(listed)[0]
    done = update(listed, newer, "--all", "--accept", "opened", "--commit", "per-stack")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"lists: {CATALOG}" in done.stdout
    proxied, direct = records(listed)
    assert {"dronelog", "ip-echo"} <= direct and not {"dronelog", "ip-echo"} & proxied
    # That version opens it in the text alone, which its decisions know nothing of.
    assert set(disagreements(listed)) - set(before) == {"walloff of ip-echo: ip-echo is missing."}
    for stack, revision, host in (("ip-echo", "HEAD", "ip-echo"), ("drone-logbook", "HEAD~", "dronelog")):
        changed = git(listed.root, "show", "--format=", "--name-only", revision).split()
        assert {CATALOG, f"stacks/{stack}/main.tf"} <= set(changed)
        assert {path.split("/")[1] for path in changed if path.startswith("stacks/")} == {stack}
        assert host in git(listed.root, "show", "--format=", revision, "--", CATALOG)
    assert git(listed.root, "status", "--porcelain") == ""


def test_what_two_stacks_share_stays_in_a_list_until_the_last_of_them_gives_it_up(listed: Monorepo) -> None:
    entries = {}
    for name in ("drone-logbook", "ip-echo"):
        given = yaml.safe_load((ANSWERS / "valid" / f"{name}.yml").read_text())
        entries[name] = service_entry(decisions.combine({**given, "sensed": sense(listed)}))
    (image,) = entries["drone-logbook"].upstream_images
    replace_in(
        listed.stack_directory("ip-echo") / "main.tf",
        "docker.io/mpolden/echoip:2.0.1",
        f"{image.image}:1.0.0",
    )
    monorepo = Monorepo(listed.root)
    lists, files = Lists(monorepo), monorepo.files

    def given_up(name: str, files: Files) -> Files:
        before = replace(entries[name], upstream_images=(image,))
        found = lists.follow(files, before, replace(before, upstream_images=()))
        return files.after(ChangeSet.plan(files, {edit.path: edit.after for edit in found.edits}))

    def listed_in(files: Files) -> bool:
        content = files.read(REPOSITORIES.path)[0]
        assert isinstance(content, bytes)
        return image.image in REPOSITORIES.entries(content)

    assert listed_in(files)
    files = given_up("drone-logbook", files)
    assert listed_in(files)
    assert not listed_in(given_up("ip-echo", files))


def disagreements(fleet: Monorepo) -> list[str]:
    found = json.loads(scaffold("index", "--check", "--json", "--monorepo", fleet.root).stdout)["findings"]
    return sorted(finding["message"] for finding in found)

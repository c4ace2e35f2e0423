"""Removing a Service from the monorepo, with everything that is only its own."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.changes.apply import apply
from scaffold.changes.change import Action, ChangeSet, Files, Symlink
from scaffold.changes.git import git
from scaffold.changes.step import When
from scaffold.commands.remove_service import plan_removal, remove
from scaffold.errors import RefusedError, ScaffoldError
from scaffold.indexes.edits import insertions
from scaffold.indexes.entry import ServiceEntry
from scaffold.monorepo.repository import Monorepo
from scaffold.report.indexes import removal_text

STACK = """\
module "anubis" {
  source = "../../modules/kubernetes/anubis_instance"
}

module "ingress" {
  source       = "../../modules/kubernetes/ingress_factory"
  name         = "bee-log"
  host         = "bees"
  service_name = module.anubis.service_name
  dns_type     = "proxied"
}

module "ingress_hooks" {
  source   = "../../modules/kubernetes/ingress_factory"
  name     = "bee-hooks"
  dns_type = "non-proxied"
}

module "ingress_scale" {
  source       = "../../modules/kubernetes/ingress_factory"
  name         = "bee-log-scale"
  full_host    = "bees.example.test"
  ingress_path = ["/scale"]
  # auth = "none": the scale has a token.
  auth = "none"
}

resource "kubernetes_persistent_volume_claim" "data" {
  metadata {
    name = "bee-log-data"
  }
}

module "nfs_photos" {
  source   = "../../modules/kubernetes/nfs_volume"
  nfs_path = "/srv/nfs/bee-log"
}

resource "kubernetes_manifest" "credentials" {
  manifest = {
    secretStoreRef = { name = "vault-kv" }
    remoteRef      = { key = "static-creds/pg-bee-log" }
  }
}
"""


def tree(sample: Monorepo) -> dict[str, object]:
    listed = git(sample.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    found: dict[str, object] = {}
    for name in filter(None, listed):
        path = sample.root / name
        found[name] = path.readlink() if path.is_symlink() else path.read_bytes() if path.exists() else None
    return {name: content for name, content in found.items() if content is not None}


def add(sample: Monorepo, entry: ServiceEntry, stack: str = STACK) -> ChangeSet:
    """A new Service with its stack, as one change set."""
    wanted: dict[PurePosixPath, bytes | Symlink | None] = {
        PurePosixPath("stacks/bee-log/main.tf"): stack.encode(),
        PurePosixPath("stacks/bee-log/secrets"): Symlink("../../secrets"),
        PurePosixPath("stacks/bee-log/files/größe.txt"): b"\0\1",
    }
    wanted |= {edit.path: edit.after for edit in insertions(Files(sample.root), entry).edits}
    return ChangeSet.plan(Files(sample.root), wanted)


def test_added_and_removed_without_a_trace(sample: Monorepo, everything: ServiceEntry) -> None:
    before = tree(sample)
    apply(add(sample, everything))
    removal = plan_removal(Monorepo(sample.root), "bee-log")
    apply(removal.change)
    after = tree(sample)
    # The upstream image is not a name of the Service: whether others use it, nobody can tell.
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == {
        ".claude/reference/upgrade-config.json"
    }
    assert not (sample.root / "stacks/bee-log").exists()
    assert removal.mentions == ()
    assert not [step for step in removal.steps if step.command.startswith("$EDITOR")]


def test_steps_and_warnings(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    removal = plan_removal(Monorepo(sample.root), "bee-log")
    commands = [step.command for step in removal.steps]
    assert commands[1] == "(cd stacks/bee-log && ../../scripts/tg destroy)"
    # Vault first; and every stack of which a file changes.
    assert commands[2:-2] == [
        f"(cd stacks/{stack} && ../../scripts/tg apply)"
        for stack in ("vault", "dbaas", "kyverno", "monitoring", "uptime-kuma")
    ]
    assert commands[-1] == "vault kv metadata delete secret/bee-log"
    assert [step.when is When.FIRST for step in removal.steps] == [True, True, *[False] * 7]
    assert "Drop the postgresql database bee_log and its user bee_log" in removal.steps[-2].text
    assert removal.warnings == (
        "The volume of kubernetes_persistent_volume_claim.data goes with the stack, with all data on it.",
        "The NFS directory /srv/nfs/bee-log stays on the server.",
        "The DNS record of bees (proxied) goes with the stack.",
        "The DNS record of bee-hooks (non-proxied) goes with the stack.",
    )


def test_only_who_reads_secrets_has_any_to_delete(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything, STACK.replace("vault-kv", "vault-database")))
    steps = plan_removal(Monorepo(sample.root), "bee-log").steps
    assert steps and not [step for step in steps if "Vault" in step.text or "vault kv" in step.command]


def test_what_another_stack_uses_too_stays(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    other = sample.root / "stacks/journal/main.tf"
    other.write_text(other.read_text() + STACK.replace("bee-hooks", "honey"))
    removal = plan_removal(Monorepo(sample.root), "bee-log")
    changed = {str(file.path) for file in removal.change.changes if file.action is Action.MODIFY}
    assert not changed & {
        "stacks/vault/main.tf",
        "stacks/dbaas/modules/dbaas/main.tf",
        "stacks/monitoring/modules/monitoring/authentik_walloff_probe.tf",
    }
    apply(removal.change)
    catalog = (sample.root / ".claude/reference/service-catalog.md").read_text()
    assert "weather, bees\n" in catalog
    assert "bee-hooks" not in catalog


def test_mentions_that_nobody_can_attribute(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    (sample.root / "AGENTS.md").write_text("# Agents\nThe bee-log stack feeds old-bee-log and bee-log-2.\n")
    git(sample.root, "add", "--all")
    mentions = plan_removal(Monorepo(sample.root), "bee-log").mentions
    assert [(str(m.file), m.line) for m in mentions] == [("AGENTS.md", 2)]


def test_generated_files_are_left_to_git(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    (sample.root / ".gitignore").write_text("backend.tf\n")
    (sample.root / "stacks/bee-log/backend.tf").write_text("")
    paths = {str(file.path) for file in plan_removal(Monorepo(sample.root), "bee-log").change.changes}
    assert "stacks/bee-log/files/größe.txt" in paths
    assert "stacks/bee-log/backend.tf" not in paths


def test_rows_of_the_stack_under_other_names(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    path = sample.root / ".claude/reference/service-catalog.md"
    text = path.read_text()
    row = "| bee-log | Hives \\| weights and swarms | bee-log |\n"
    assert row in text
    path.write_text(text.replace(row, row + "| bee-cam | A camera | bee-log/cam |\n"))
    apply(plan_removal(Monorepo(sample.root), "bee-log").change)
    assert "bee-" not in path.read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [("nobody", "There is no stack nobody"), ("vault", "Tier 0"), ("../docs", "There is no stack")],
)
def test_refused(sample: Monorepo, name: str, message: str) -> None:
    with pytest.raises(ScaffoldError, match=message):
        plan_removal(sample, name)


def test_stack_that_others_depend_on_is_refused(sample: Monorepo) -> None:
    path = sample.root / "stacks/navidrome/terragrunt.hcl"
    path.write_text(path.read_text() + 'dependency "journal" {\n  config_path = "../journal"\n}\n')
    with pytest.raises(RefusedError, match="navidrome depends on journal"):
        plan_removal(sample, "journal")


def test_what_no_commit_has_is_kept(sample: Monorepo, everything: ServiceEntry) -> None:
    apply(add(sample, everything))
    git(sample.root, "add", "--all")
    git(sample.root, "commit", "--quiet", "--message", "bees")
    notes = sample.root / "stacks/bee-log/notes.txt"
    notes.write_text("only here\n")
    removal = plan_removal(Monorepo(sample.root), "bee-log")
    assert removal.unsaved == (PurePosixPath("stacks/bee-log/notes.txt"),)
    removed = remove(removal, commit=True)
    assert removed.commit is not None and not notes.exists()
    assert git(sample.root, "status", "--porcelain") == ""
    told = "\n".join(removal_text(removal, removed))
    assert f"git restore --source={removed.kept} -- stacks/bee-log\n" in told
    git(sample.root, "restore", f"--source={removed.kept}", "--", "stacks/bee-log")
    assert notes.read_text() == "only here\n"
    assert (sample.root / "stacks/bee-log/main.tf").read_text() == STACK
    assert (sample.root / "stacks/bee-log/secrets").is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        'dependencies {\n  paths = ["../vault", "../journal/"]\n}\n',
        'dependency "j" {\n  config_path = "${get_repo_root()}/stacks/journal"\n}\n',
    ],
)
def test_dependencies_in_every_spelling(sample: Monorepo, text: str) -> None:
    path = sample.root / "stacks/navidrome/terragrunt.hcl"
    path.write_text(path.read_text() + text)
    with pytest.raises(RefusedError, match="navidrome depends on journal"):
        plan_removal(sample, "journal")

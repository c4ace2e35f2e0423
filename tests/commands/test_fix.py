"""``scaffold check --fix``: what it writes, what it shows, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import scaffold

from scaffold.changes.git import git
from scaffold.errors import Finding
from scaffold.hcl.second_reader import SecondReading
from scaffold.monorepo.repository import Monorepo

TEXT = """\
/* resource "kubernetes_namespace" "old" {
  metadata {}
} */
resource "kubernetes_namespace"   "beds" {
  metadata {
    name = "beds"
  }
}

# resource "kubernetes_namespace" "older" {
# }
module "open" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "open"
  namespace       = "beds"
  tls_secret_name = "tls"
  auth            = "app"
}
"""
LINES = """\
  lifecycle {
    ignore_changes = [metadata[0].labels["goldilocks.fairwinds.com/vpa-update-mode"]] # KYVERNO_LIFECYCLE_V1
  }
"""
MENDED = TEXT.replace('    name = "beds"\n  }\n', '    name = "beds"\n  }\n' + LINES)


@pytest.fixture
def beds(monorepo: Monorepo) -> Path:
    """A stack with one mistake that a rule mends, and one that a person has to; it is committed."""
    path = monorepo.stack_directory("beds") / "main.tf"
    path.parent.mkdir()
    path.write_text(TEXT)
    (monorepo.root / ".git").is_dir() or git(monorepo.root, "init", "--quiet")
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "beds")
    return path


def test_what_can_be_mended_is_and_the_rest_is_told(beds: Path) -> None:
    done = scaffold("check", "beds", "--static", "--fix", cwd=beds.parent)
    assert done.returncode == 1
    assert beds.read_text() == MENDED
    assert "[ING002]" in done.stdout
    assert "LIF001" not in done.stdout
    assert "Fixed 1 finding in 1 file." in done.stdout
    git(beds.parent, "commit", "--quiet", "--all", "--message", "mended")
    again = scaffold("check", "beds", "--static", "--fix", cwd=beds.parent)
    assert again.returncode == 1
    assert "Fixed 0 findings in 0 files." in again.stdout
    assert beds.read_text() == MENDED


def test_nothing_is_left_of_what_was_asked(beds: Path) -> None:
    done = scaffold("check", "beds", "--static", "--fix", "--select", "LIF", "--json", cwd=beds.parent)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert [finding["code"] for finding in told["fixed"]] == ["LIF001"]
    assert told["findings"] == []
    assert [file["path"] for file in told["files"]] == ["stacks/beds/main.tf"]


@pytest.mark.parametrize("more", [(), ("--fix",)])
def test_a_diff_writes_nothing(beds: Path, more: tuple[str, ...]) -> None:
    done = scaffold("check", "beds", "--static", "--diff", *more, cwd=beds.parent)
    assert done.returncode == 1, "what it would mend stands there still"
    assert beds.read_text() == TEXT
    assert all(f"+{line}\n" in done.stdout for line in LINES.splitlines())
    assert "[ING002]" in done.stdout
    assert "Would fix 1 finding in 1 file." in done.stdout


def test_a_stack_with_changes_of_somebody_else_is_not_touched(beds: Path) -> None:
    (beds.parent / "notes.txt").write_text("mine")
    done = scaffold("check", "beds", "--static", "--fix", cwd=beds.parent)
    assert done.returncode == 4
    assert "stacks/beds/notes.txt" in done.stderr
    assert beds.read_text() == TEXT
    (beds.parent / "notes.txt").rename(beds.parent.parent / "elsewhere.txt")
    assert scaffold("check", "beds", "--static", "--fix", cwd=beds.parent).returncode == 1
    assert beds.read_text() == MENDED, "another stack is none of its business"


def test_an_edit_that_a_second_reader_reads_differently_is_not_written(
    beds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    misread = SecondReading((Finding("stacks/beds/main.tf", 4, 1, "second-reader", "otherwise"),))
    monkeypatch.setattr("scaffold.checks.verify.read_edited", lambda _: misread)
    done = scaffold("check", "beds", "--static", "--fix", cwd=beds.parent)
    assert done.returncode == 5
    assert beds.read_text() == TEXT
    assert "--ignore" in done.stderr


def test_an_exception_is_not_mended(beds: Path) -> None:
    kept = TEXT.replace(
        'resource "kubernetes_namespace"   "beds"',
        '# scaffold: ignore LIF001: nothing stamps it\nresource "kubernetes_namespace" "beds"',
    )
    beds.write_text(kept)
    git(beds.parent, "commit", "--quiet", "--all", "--message", "kept")
    scaffold("check", "beds", "--static", "--fix", cwd=beds.parent)
    assert beds.read_text() == kept


def test_what_does_not_go_together_is_refused(beds: Path) -> None:
    for given in (("--diff", "--format", "github"), ("--fix", "--baseline", "b", "--update-baseline")):
        done = scaffold("check", "--all", "--static", *given, cwd=beds.parent)
        assert done.returncode == 2

"""The rules over the syntax of many stacks: the same on one processor and on several, new and cached."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from scaffold.checks import static
from scaffold.checks.rule import Kind, rules
from scaffold.checks.stack import CheckContext, parse_stack
from scaffold.errors import Finding
from scaffold.monorepo.repository import Monorepo
from scaffold.terraform import kept

CODES = frozenset(rule.code for rule in rules("scaffold.checks", Kind.STACK))
CALL = """
module "files" {
  source = "../../modules/kubernetes/files"
  size   = 1
}
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "_directory", lambda: tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks that are parsed."""
    names: list[str] = []
    parse = parse_stack

    def counted(name: str, files: dict[str, bytes]) -> object:
        names.append(Path(name).name)
        return parse(name, files)

    monkeypatch.setattr(static, "parse_stack", counted)
    return names


def look(monorepo: Monorepo, *stacks: str, codes: frozenset[str] = CODES) -> list[Finding]:
    """What is found by a run of its own."""
    fresh = Monorepo(monorepo.root)
    return [found for of_stack in static.look(fresh, stacks, codes) for found in of_stack.findings]


def write(monorepo: Monorepo, path: str, text: str) -> None:
    (monorepo.root / path).parent.mkdir(parents=True, exist_ok=True)
    (monorepo.root / path).write_text(text)


def test_several_processes_find_the_same(
    monorepo: Monorepo, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(monorepo, "stacks/broken/main.tf", "locals {")
    stacks = Monorepo(monorepo.root).stacks
    alone = look(monorepo, *stacks)
    assert {finding.code for finding in alone} >= {"HCL001", "ING002"}
    for file in own_cache.iterdir():
        file.unlink()
    monkeypatch.setattr(static, "_FEW", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(static, "_look_at", _in_a_process(static._look_at))
    assert look(monorepo, *stacks) == alone
    assert len(list(own_cache.iterdir())) == len(stacks), "each process keeps what it found"


def test_what_was_read_before_a_fork_is_not_read_again(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, sources = os.getpid(), Monorepo.sources

    def read(self: Monorepo, stack: str) -> dict[str, bytes]:
        assert os.getpid() == own
        return sources(self, stack)

    monkeypatch.setattr(Monorepo, "sources", read)
    monkeypatch.setattr(static, "_FEW", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert {finding.code for finding in look(monorepo, *monorepo.stacks)} == {"ING002"}


def test_a_process_that_is_no_fork_reads_anew(monorepo: Monorepo) -> None:
    around = static._Surroundings(monorepo, CODES)
    assert around.files("navidrome")
    assert around.context.state
    other = pickle.loads(pickle.dumps(around))
    assert (other.monorepo.root, other.codes, other._files) == (monorepo.root, CODES, {})


def _in_a_process(look_at: Callable[..., object]) -> Callable[..., object]:
    here = os.getpid()

    def guarded(*arguments: object) -> object:
        assert os.getpid() != here
        return look_at(*arguments)

    return guarded


@pytest.mark.parametrize(
    ("path", "text", "again"),
    [
        ("stacks/other/main.tf", "# other\n", False),
        ("stacks/files/README.md", "text\n", False),
        ("modules/kubernetes/more/main.tf", "# another module\n", False),
        ("stacks/files/main.tf", CALL + "# more\n", True),
        ("stacks/files/modules/own/main.tf", "# new\n", True),
        ("modules/kubernetes/files/main.tf", 'variable "bytes" {}\n', True),
        ("config.tfvars", "new = 1\n", True),
        ("scaffold.yml", "ignored:\n  pod: {marker: OTHER}\n", True),
    ],
)
def test_a_stack_is_looked_at_again_where_something_changed_that_it_asks_for(
    monorepo: Monorepo, looked_at: list[str], path: str, text: str, again: bool
) -> None:
    write(monorepo, "modules/kubernetes/files/main.tf", 'variable "size" {}\n')
    write(monorepo, "stacks/files/main.tf", CALL)
    before = look(monorepo, "files")
    assert look(monorepo, "files") == before
    assert looked_at == ["files"]
    write(monorepo, path, text)
    after = look(monorepo, "files")
    assert looked_at == ["files"] * (1 + again)
    assert ("MOD002" in {f.code for f in after} - {f.code for f in before}) is path.startswith(
        "modules/kubernetes/files"
    )


def test_other_rules_are_asked_anew(monorepo: Monorepo, looked_at: list[str]) -> None:
    look(monorepo, "navidrome", codes=frozenset({"ING001"}))
    assert {f.code for f in look(monorepo, "navidrome")} == {"ING002"}
    assert looked_at == ["navidrome", "navidrome"]


def test_all_that_a_rule_may_ask_decides_on_what_is_kept() -> None:
    state = {"variables", "generated", "facts"}
    """What ``CheckContext.state`` tells."""
    asked = {"module", "list_modules", "enrols", "written", "exists", "lacks"}
    identity = {"schemas"}
    assert {field.name for field in fields(CheckContext)} == state | asked | identity

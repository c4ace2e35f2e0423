"""Results that are kept are valid for the same files, program and schemas, and for nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

import pytest
from plan_house import NAMESPACE, House, config_map, fake_tool, small_house

from scaffold.errors import Finding
from scaffold.terraform import kept, schemas
from scaffold.terraform.kept import AskedTree, KeptPlans
from scaffold.terraform.planned import Mark, PlannedResource
from scaffold.terraform.result import PlanResult, Reason
from scaffold.terraform.runner import Job, Planner, plan_jobs, plan_stacks
from scaffold.terraform.tool import Tool
from scaffold.terraform.tree import DiskTree, OverlayTree

STACK = "stacks/x"
RESULT = PlanResult(
    "x",
    Tool("terraform", "t", "1.11.4"),
    (PlannedResource("a.b", "a", "b", "", None, MappingProxyType({"c": (Mark.UNKNOWN, "d")})),),
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = small_house(tmp_path)
    house.stack("x", NAMESPACE)
    return house


@pytest.fixture
def program(tmp_path: Path) -> Tool:
    (tmp_path / "program").write_bytes(b"\x7fELF")
    return Tool("terraform", str(tmp_path / "program"))


@pytest.fixture
def opened(tmp_path: Path, program: Tool) -> Callable[[], KeptPlans]:
    """What another run would open."""
    return lambda: KeptPlans(program, schemas.load(), tmp_path / "kept")


def asked(house: House) -> AskedTree:
    """A tree that was asked what a plan asks: names, kinds and contents."""
    tree = AskedTree(DiskTree(house.root))
    for name in sorted(tree.names(STACK)):
        tree.kind(f"{STACK}/{name}")
        tree.read(f"{STACK}/{name}")
    tree.kind(f"{STACK}/missing.tf")
    return tree


def test_what_is_kept_is_found_by_the_next_run(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    assert opened().find(DiskTree(house.root), STACK) is None
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    assert opened().find(DiskTree(house.root), STACK) == RESULT
    assert opened().find(DiskTree(house.root), "stacks/y") is None
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("change", ["content", "new file", "missing file", "file gone"])
def test_any_other_answer_is_another_plan(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path, change: str
) -> None:
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    file = house.root / STACK / "main.tf"
    match change:
        case "content":
            file.write_text(NAMESPACE + "# more\n")
        case "new file":
            (file.parent / "other").touch()
        case "missing file":
            (file.parent / "missing.tf").touch()
        case _:
            file.unlink()
    assert opened().find(DiskTree(house.root), STACK) is None


def test_a_tree_with_the_same_files_has_the_same_plan(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    tree = DiskTree(house.root)
    same = OverlayTree(tree, {f"{STACK}/main.tf": (house.root / STACK / "main.tf").read_bytes()})
    other = OverlayTree(tree, {f"{STACK}/main.tf": b"# other\n"})
    assert opened().find(same, STACK) == RESULT
    assert opened().find(other, STACK) is None


def test_another_program_or_other_schemas_plan_again(
    house: House, opened: Callable[[], KeptPlans], program: Tool, tmp_path: Path
) -> None:
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    fewer = schemas.Schemas({"null": schemas.load().providers["null"]})
    assert KeptPlans(program, fewer, tmp_path / "kept").find(DiskTree(house.root), STACK) is None
    os.utime(program.path, (0, 0))
    assert opened().find(DiskTree(house.root), STACK) is None


def test_another_version_of_a_library_plans_again(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "a_library.py"
    library.write_text("VERSION = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(kept, "_LIBRARIES", (*kept._LIBRARIES, library.stem))
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    assert opened().find(DiskTree(house.root), STACK) == RESULT
    library.write_text("VERSION = 10\n")
    assert opened().find(DiskTree(house.root), STACK) is None


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("# plantimestamp()\n", RESULT),
        ("", PlanResult("x", RESULT.tool, findings=(Finding(STACK, None, None, Reason.TOOL.value, "slow"),))),
        (
            "",
            PlanResult(
                "x", RESULT.tool, findings=(Finding(STACK, 1, 1, "plan-stack", "x: no space left on device"),)
            ),
        ),
        ("", PlanResult("x", RESULT.tool, findings=(Finding(STACK, 1, 1, "plan-stack", "Cut off …"),))),
        ("", PlanResult("x", RESULT.tool, findings=(Finding(STACK, None, None, "plan-stack", "No place"),))),
        ("", PlanResult("x", Tool("terraform", "PLACE/copy"))),
    ],
    ids=[
        "the time",
        "a failure of the program",
        "a failure that is the machine's",
        "a failure of which not all is known",
        "a failure that is nowhere in the stack",
        "the place of the run",
    ],
)
def test_what_another_run_would_not_get_is_not_kept(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path, content: str, result: PlanResult
) -> None:
    (house.root / STACK / "more.tf").write_text(content)
    opened().keep(asked(house), STACK, result, Path("PLACE"))
    assert opened().find(DiskTree(house.root), STACK) is None


def test_a_failure_of_the_stack_itself_is_kept(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    wrong = Finding(f"{STACK}/main.tf", 1, 1, "plan-stack", "Unsupported argument")
    result = PlanResult("x", RESULT.tool, findings=(wrong,))
    opened().keep(asked(house), STACK, result, tmp_path / "run")
    assert opened().find(DiskTree(house.root), STACK) == result


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ('password = "hunter2"\n', False),
        ('nested = { list = ["hunter2"] }\n', False),
        ("unclear = upper(var.x)\n", False),
        ('other = "elsewhere"\nnumber = 3\n', True),
        ("\0GITCRYPT\0hunter2", True),
    ],
)
def test_what_holds_a_value_that_git_may_have_decrypted_is_not_kept(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path, values: str, found: bool
) -> None:
    (house.root / STACK / "terraform.tfvars").write_text(values)
    resource = PlannedResource("a.b", "a", "b", "", None, MappingProxyType({"c": "a hunter2 b"}))
    result = PlanResult("x", RESULT.tool, (resource,))
    opened().keep(asked(house), STACK, result, tmp_path / "run")
    assert opened().find(DiskTree(house.root), STACK) == (result if found else None)


def test_a_file_makes_nothing_but_results(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    opened().keep(asked(house), STACK, RESULT, tmp_path / "run")
    (file,) = (tmp_path / "kept").iterdir()
    evil = b"cscaffold.terraform.kept\nos.getcwd\n(tR."
    file.write_bytes(hashlib.sha256(evil).digest() + evil)
    assert opened().find(DiskTree(house.root), STACK) is None


def test_a_file_that_changes_meanwhile_is_not_kept(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    tree = asked(house)
    (house.root / STACK / "main.tf").write_text("# other\n")
    tree.read(f"{STACK}/main.tf")
    opened().keep(tree, STACK, RESULT, tmp_path / "place")
    assert list((tmp_path / "kept").glob("*")) == []


def test_a_script_may_start_any_version(house: House, tmp_path: Path) -> None:
    tool = Tool("terraform", str(fake_tool(tmp_path, "exit 0")))
    KeptPlans(tool, schemas.load(), tmp_path / "kept").keep(asked(house), STACK, RESULT, tmp_path / "place")
    assert not (tmp_path / "kept").exists()


def test_a_broken_file_is_no_result(house: House, opened: Callable[[], KeptPlans], tmp_path: Path) -> None:
    opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert opened().find(DiskTree(house.root), STACK) is None


def test_writers_at_the_same_time_leave_whole_files(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            pool.submit(lambda: opened().keep(asked(house), STACK, RESULT, tmp_path / "place"))
    assert opened().find(DiskTree(house.root), STACK) == RESULT
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_what_was_not_used_for_long_is_swept(
    house: House, opened: Callable[[], KeptPlans], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_MOST", 2)
    for number, name in enumerate("abc"):
        (house.root / STACK / "main.tf").write_text(f"# {name}\n")
        opened().keep(asked(house), STACK, RESULT, tmp_path / "place")
        for file in (tmp_path / "kept").iterdir():
            if file.stat().st_mtime > 1000:
                os.utime(file, (number, number))
    (house.root / STACK / "main.tf").write_text("# a\n")
    assert opened().find(DiskTree(house.root), STACK) == RESULT
    opened().sweep()
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert opened().find(DiskTree(house.root), STACK) == RESULT


def test_every_run_sweeps(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "kept"
    directory.mkdir()
    for name in ("old", "new"):
        (directory / name).touch()
    os.utime(directory / "old", (0, 0))
    monkeypatch.setattr(kept, "_MOST", 1)
    monkeypatch.setattr(kept, "_directory", lambda: directory)
    plan_jobs([], tool=Tool("terraform", str(directory / "none")))
    assert [file.name for file in directory.iterdir()] == ["new"]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_what_is_done_meanwhile_is_done_once_and_only_while_terraform_runs(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_directory", lambda: tmp_path / "kept")
    for stack in ("a", "b"):
        house.stack(stack, config_map('"1"'))
    done: list[str] = []

    def aside() -> None:
        done.append("once")
        raise ValueError("whoever needs it does it again")

    first = plan_stacks(house.root, ["a", "b"], meanwhile=aside)
    assert done == ["once"] and all(result.resources for result in first)
    (again,) = plan_stacks(house.root, ["a"], meanwhile=aside)
    assert again.kept and done == ["once"]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH")
def test_an_unchanged_stack_is_planned_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_directory", lambda: tmp_path / "kept")
    for module in ("a", "b"):
        house.stack(module, config_map('"1"'))
    first = plan_stacks(house.root, ["a", "b"])
    house.stack("b", config_map('"2"'))
    planned: list[str] = []
    plan = Planner.plan

    def counted(self: Planner, job: Job) -> PlanResult:
        planned.append(job.stack)
        return plan(self, job)

    monkeypatch.setattr(Planner, "plan", counted)
    second = plan_stacks(house.root, ["a", "b"])
    assert planned == ["b"]
    assert [result.kept for result in (*first, *second)] == [False, False, True, False]
    assert second[0].resources == first[0].resources and second[0].tool == first[0].tool
    assert second[1].resources[0].get("data") == {"x": "2"}

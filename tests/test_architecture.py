"""Dependencies point one way, and expensive modules are imported late."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import scaffold
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense

PACKAGE = Path(scaffold.__file__).parent
ORDER = [
    {"errors"},
    {"changes", "hcl", "reading"},
    {"demo", "templates"},
    {"answers", "monorepo"},
    {"terraform"},
    {"checks", "indexes"},
    {"pipelines"},
    {"updates", "sweeps"},
    {"adoption"},
    {"commands"},
    {"report"},
    {"wizard"},
    {"cli"},
    {"generate"},
    {"__main__"},
]
LAYER = {part: number for number, parts in enumerate(ORDER) for part in parts}
ONLY_THERE = {
    "copier": set(),
    "subprocess": {"changes", "generate", "pipelines", "terraform"},
    "tree_sitter": {"hcl"},
    "tree_sitter_hcl": {"hcl"},
    "grpc": {"terraform"},
    "google": {"terraform"},
    "pathspec": {"pipelines"},
    "questionary": {"wizard"},
    "click": {"cli"},
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "demo" / "monorepo" not in path.parents)


def part_of(path: Path) -> str:
    """The part of the project that a module belongs to: its package, or itself at the root."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "scaffold":
                found |= {f"scaffold.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            found |= {str(text.value) for text in node.args if isinstance(text, ast.Constant)}
    return found


def libraries() -> set[tuple[str, str]]:
    """Who imports which library, Python's own and ours among them."""
    return {(part_of(path), name.split(".")[0]) for path in FILES for name in imports(path)}


def test_every_part_has_its_place_in_the_order() -> None:
    assert {part_of(path) for path in FILES} == {"__init__", *LAYER}
    assert {path.name for path in FILES if path.parent == PACKAGE} == {
        "__init__.py",
        "__main__.py",
        "errors.py",
        "reading.py",
    }
    assert imports(PACKAGE / "__init__.py") <= {"__future__"}


def test_dependencies_point_one_way() -> None:
    own = {(part_of(path), name) for path in FILES for name in imports(path) if name.startswith("scaffold.")}
    uses = {(part, name.split(".")[1]) for part, name in own}
    assert [(part, other) for part, other in uses if part != other and LAYER[part] <= LAYER[other]] == []


def test_each_library_has_its_place() -> None:
    assert [
        (part, library) for part, library in libraries() if part not in ONLY_THERE.get(library, {part})
    ] == []


def test_what_is_imported_is_declared() -> None:
    """What only another package brings may go with its next version. Only ``generate`` needs those for development."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    run, more = project["dependencies"], project["optional-dependencies"]["dev"]
    of_module = packages_distributions()
    undeclared = {
        (part, name)
        for part, name in libraries()
        if name not in (*sys.stdlib_module_names, "scaffold")
        and not {
            canonicalize_name(Requirement(line).name)
            for line in (*run, *(more if part == "generate" else ()))
        }
        & {canonicalize_name(one) for one in of_module[name]}
    }
    assert undeclared == set()


def test_what_starts_processes_starts_no_copier() -> None:
    starting = [path for path in FILES if "subprocess" in imports(path)]
    constants = [node for path in starting for node in ast.walk(ast.parse(path.read_text()))]
    assert not [n.value for n in constants if isinstance(n, ast.Constant) and "copier" in str(n.value)]
    assert len(starting) > 2


ANSWERS = ["--answers", "tests/answers/valid/drone-logbook.yml"]
HEAVY = {"copier", "grpc", "questionary"}
PLANNING = {"scaffold.terraform.attempt", "multiprocessing"}
IMPORTING = {"scaffold.answers.compose", "scaffold.report.imported"}


@pytest.mark.parametrize(
    ("command", "late"),
    [
        (["--help"], {"click", "typing", "pathlib", "shutil", "tree_sitter", *HEAVY}),
        (["--version"], {"jinja2", "tree_sitter", *PLANNING, *IMPORTING, *HEAVY}),
        (["schema"], {"tree_sitter", *PLANNING, *IMPORTING, *HEAVY}),
        (["rule", "STO001"], {"jinja2", "scaffold.commands.check", *PLANNING, *IMPORTING, *HEAVY}),
        (["explain", *ANSWERS], {"tree_sitter", "subprocess", *PLANNING, *IMPORTING, *HEAVY}),
        (
            ["explain", *ANSWERS, "--monorepo", "DIR"],
            {"tree_sitter", "subprocess", "scaffold.monorepo.survey", *PLANNING, *IMPORTING, *HEAVY},
        ),
        (
            ["new-service", *ANSWERS, "--monorepo", "DIR", "--dry-run", "--verify", "static"],
            {"scaffold.terraform.runner", *PLANNING, *IMPORTING, *HEAVY},
        ),
        (
            ["check", "journal", "--monorepo", "DIR", "--static"],
            {"markdown_it", "hcl2", *PLANNING, *IMPORTING, *HEAVY},
        ),
    ],
    ids=["help", "version", "schema", "rule", "explain", "explain there", "new-service", "check"],
)
def test_quick_commands_import_nothing_that_costs(
    command: list[str], late: set[str], pristine: Monorepo
) -> None:
    program = (
        "import sys\nsys.argv[0] = 'scaffold'\nfrom scaffold.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"late = {late} & set(sys.modules)\nassert not late, late\n"
    )
    sense(pristine)  # it is kept: what follows is a second run
    given = [str(pristine.root) if part == "DIR" else part for part in command]
    subprocess.run(
        [sys.executable, "-c", program, *given], check=True, capture_output=True, cwd=PACKAGE.parent
    )

"""Dependencies point one way, and what costs is imported late."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import scaffold

PACKAGE = Path(scaffold.__file__).parent
LAYERS = [
    {"errors", "progress"},
    {"hcl"},
    {"change", "git"},
    {"journal", "template"},
    {"apply", "commit", "questions"},
    {"decisions", "monorepo"},
    {"answers", "collisions", "compose_environment", "drafts", "sensing", "terraform"},
    {"compose", "pruning"},
    {"validation"},
    {"checks", "indexes", "pipelines"},
    {"demo", "render", "update", "verify", "wizard"},
    {"commands"},
    {"report"},
    {"clone", "preview"},
    {"session"},
    {"cli", "generate"},
    {"__main__"},
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
PRINTERS = {"cli", "report"}
ONLY_THERE = {
    "copier": {"render", "update"},
    "tree_sitter": {"hcl"},
    "tree_sitter_hcl": {"hcl"},
    "grpc": {"terraform"},
    "questionary": {"wizard"},
    "click": {"cli"},
    "rich": {"report"},
}


def modules() -> list[tuple[str, Path]]:
    """Every module with the name of its part: a module of the package, or one of its directories."""
    files = [path for path in PACKAGE.rglob("*.py") if "monorepo/" not in path.as_posix()]
    return [(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path) for path in sorted(files)]


def imports(path: Path, *, top_only: bool) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in tree.body if top_only else ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "scaffold":
                found |= {f"scaffold.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node):
            found |= {str(text.value) for text in node.args if isinstance(text, ast.Constant)}
    return found


@pytest.mark.parametrize("part,path", modules(), ids=lambda value: str(value).rpartition("scaffold/")[2])
def test_dependencies_point_one_way(part: str, path: Path) -> None:
    if part == "__init__":
        assert imports(path, top_only=False) <= {"__future__"}
        return
    used = {name.split(".")[1] for name in imports(path, top_only=False) if name.startswith("scaffold.")}
    for other in used - {part}:
        assert LAYER[other] < LAYER[part] or (part, other) in {("report", "commands")}, (
            f"{part} imports {other}"
        )


@pytest.mark.parametrize("part,path", modules(), ids=lambda value: str(value).rpartition("scaffold/")[2])
def test_each_library_has_its_place(part: str, path: Path) -> None:
    for name in imports(path, top_only=False):
        library = name.split(".")[0]
        assert part in ONLY_THERE.get(library, {part}), f"{part} imports {library}"


@pytest.mark.parametrize(
    "command",
    [["--help"], ["schema"], ["explain", "--answers", "tests/answers/valid/drone-logbook.yml"]],
    ids=str,
)
def test_quick_commands_import_nothing_that_costs(command: list[str]) -> None:
    program = (
        "import sys\nsys.argv[0] = 'scaffold'\nfrom scaffold.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "late = {'copier', 'grpc', 'questionary', 'tree_sitter'} & set(sys.modules)\nassert not late, late\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, *command], check=True, capture_output=True, cwd=PACKAGE.parent
    )

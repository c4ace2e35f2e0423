"""What the clone of an app's repository shows: proposed if no answer says it, reported if one says otherwise."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from scaffold.answers.sources import Answers
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.commands.pipeline import cloned, pipeline_of
from scaffold.commands.prepared import Prepared
from scaffold.errors import AnswersError
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import facts
from scaffold.pipelines.clone.projects import projects, version
from scaffold.pipelines.clone.reading import Clone, read
from scaffold.pipelines.clone.remotes import remotes
from scaffold.pipelines.clone.tree import Tree
from scaffold.pipelines.substitution import substitute
from scaffold.report.prepared import clone_json, clone_text

APPS = Path(__file__).parents[2] / "benchmarks" / "apps"
SOURCE = "https://git.example.test/scaffold.git"
FORGE = "https://registry.example.test/robin"


def clone(root: Path, files: Mapping[str, str], origin: str = "", branch: str = "main") -> Path:
    """A clone with these files, that nothing is committed in."""
    subprocess.run(["git", "init", "--quiet", "-b", branch, root], check=True)
    if origin:
        subprocess.run(["git", "remote", "add", "origin", origin], cwd=root, check=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def proposed(found: Clone) -> dict[str, Any]:
    return {one.answer: one.value for one in found.proposals}


def reads(root: Path, monorepo: Monorepo, **given: Any) -> dict[str, Any]:
    return proposed(read(root, given, facts(monorepo)))


def rendered(prepared: Prepared) -> dict[str, str]:
    assert prepared.pipeline is not None
    changes = prepared.pipeline.change.changes
    return {str(file.path): file.after.decode() for file in changes if isinstance(file.after, bytes)}


def made(monorepo: Monorepo, root: Path, **given: Any) -> Prepared:
    return pipeline_of(monorepo, cloned(monorepo, Answers(given), root), template_source=SOURCE)


@pytest.mark.parametrize(
    "app,origin,expected",
    [
        ("hook-relay", FORGE, {"build": "forgejo-woodpecker", "app_kind": "go", "app_module": "./cmd/relay", "port": 8080, "health_path": "/healthz"}),
        ("meter-api", FORGE, {"app_kind": "fastapi-poetry", "description": "Reads the electricity meter", "port": 8000, "health_path": "/healthz"}),
        ("recipe-box", "git@github.com:Robin", {"build": "github-ghcr", "app_kind": "sveltekit-fastapi", "health_path": "/healthz"}),
        ("seed-swap", "git@github.com:Robin", {"build": "github-ghcr", "app_kind": "sveltekit-node", "port": 3000, "health_path": "/health"}),
        ("tap-bridge", FORGE, {"app_kind": "flask", "app_module": "api:app", "health_path": "/health"}),
        ("tide-table", FORGE, {"app_kind": "fastapi-uv", "health_path": "/healthz"}),
        ("travel-pages", FORGE, {"app_kind": "static", "port": 8080, "health_path": "/"}),
    ],
)  # fmt: skip
def test_a_sample_app_gets_its_pipeline_with_no_answer_but_the_name(
    app: str, origin: str, expected: dict[str, Any], pristine: Monorepo, tmp_path: Path
) -> None:
    root = tmp_path / "clone"
    shutil.copytree(APPS / app, root)
    clone(root, {}, f"{origin}/{app}.git")
    prepared = made(pristine, root, name=app, gate="required")
    taken = {one.answer: one.value for one in prepared.taken}
    owner = "Robin" if "Robin" in origin else "robin"
    assert {key: taken.get(key) for key in expected} == expected
    assert (taken["repository"], taken["branch"], bool(taken["description"])) == (
        f"{owner}/{app}", "main", True,
    )  # fmt: skip
    files = rendered(prepared)
    assert {"Dockerfile", ".dockerignore", ".copier-answers.yml"} < files.keys()
    assert not [text for text in files.values() if "viktorbarzin" in text.lower()]
    workflow = files.get(".woodpecker.yml") or files[".github/workflows/build.yml"]
    assert f"/robin/{app}:" in workflow or f"registry.example.test/apps/{app}" in workflow


def test_stack_and_pipeline_are_made_of_a_clone_and_again_the_same(
    monorepo: Monorepo, tmp_path: Path
) -> None:
    root = tmp_path / "clone"
    shutil.copytree(APPS / "hook-relay", root)
    clone(root, {"cmd/relay/main_test.go": "package main\n"}, f"{FORGE}/hook-relay.git")
    given = Answers({"gate": "required"})
    first = prepare(monorepo, given, root, level=Level.STATIC, template_source=SOURCE)
    assert first.service == "hook-relay"
    assert clone_json(first)["taken"][0] == {
        "answer": "build", "value": "forgejo-woodpecker", "source": "the remote origin",
    }  # fmt: skip
    first.apply(commit=False)
    again = prepare(Monorepo(monorepo.root), given, root, level=Level.STATIC, template_source=SOURCE)
    assert (again.unchanged, again.told) == (True, ())
    (root / "cmd/relay/main_test.go").unlink()  # the stack's answers stay, and what differs is told
    later = prepare(Monorepo(monorepo.root), given, root, level=Level.STATIC, template_source=SOURCE)
    assert (later.unchanged, later.taken) == (True, ())


def test_owner_and_name_are_those_of_the_origin(pristine: Monorepo, tmp_path: Path) -> None:
    """The case of a clone of somebody else's repository, in the house of a third."""
    root = clone(tmp_path / "clone", {}, "https://github.com/someone-else/hall-kiosk.git")
    given = {"name": "kiosk-board", "description": "Board in the hall", "build": "github-ghcr", "port": 3000}
    files = rendered(made(pristine, root, app_kind="sveltekit-node", **given))
    workflow = files[".github/workflows/build.yml"]
    assert "ghcr.io/someone-else/kiosk-board:latest" in workflow
    assert 'REPOSITORY: "someone-else/hall-kiosk"' in workflow
    assert '- "main"' in workflow
    with pytest.raises(AnswersError) as missing:
        made(pristine, clone(tmp_path / "new", {}), **given)
    assert {finding.answer for finding in missing.value.findings} == {"image", "repository"}


def test_what_contradicts_an_answer_is_told(pristine: Monorepo, tmp_path: Path) -> None:
    dockerfile = "FROM docker.io/library/alpine:3.22\nENV PORT=3000\nEXPOSE $PORT\nUSER 1234:1234\n"
    dockerfile += "HEALTHCHECK CMD wget -qO- http://localhost:$PORT/up || exit 1\n"
    root = clone(
        tmp_path / "clone", {"Dockerfile": dockerfile, ".dockerignore": ".git\n"}, f"{FORGE}/rain.git"
    )
    answers = {"name": "rain", "description": "Rain", "build": "forgejo-woodpecker"}
    assert reads(root, pristine, **answers) == {
        "build": "forgejo-woodpecker", "repository": "robin/rain", "branch": "main", "name": "rain",
        "port": 3000, "uid": 1234, "health_path": "/up",
    }  # fmt: skip
    told = made(pristine, root, port=8080, branch="master", repository="apps/rain", **answers)
    assert {(one.answer, one.location) for one in told.told} == {
        ("port", "Dockerfile:3"), ("branch", "the branch"), ("repository", "the remote origin"),
    }  # fmt: skip
    lines = list(clone_text(told))
    assert "  uid: 1234 (Dockerfile:4)" in lines
    assert any("port is 8080, and the clone says 3000." in line for line in lines)
    assert made(pristine, root, **answers).told == ()


def test_a_build_of_another_forge_is_told(pristine: Monorepo, tmp_path: Path) -> None:
    root = clone(tmp_path / "clone", {}, "ssh://git@registry.example.test:2222/robin/rain")
    given = {"name": "rain", "description": "Rain", "port": 8080, "repository": "robin/rain"}
    (told,) = made(pristine, root, build="github-ghcr", **given).told
    assert (told.answer, told.code) == ("build", "clone.forge")
    assert "github.com" in told.message and "registry.example.test" in told.message


@pytest.mark.parametrize(
    "url,expected",
    [
        ("git@github.com:robin/kit.git", ("github.com", "robin", "kit")),
        ("https://robin:ghp_x@forgejo.example.test:3000/robin/kit", ("forgejo.example.test", "robin", "kit")),
        ("ssh://git@forge.test:2222/robin/kit.js.git", ("forge.test", "robin", "kit.js")),
        ("/srv/git/robin/kit.git", None),
        ("../robin/kit", None),
        ("https://gitlab.test/group/sub/kit.git", None),
    ],
)
def test_a_remote_names_forge_owner_and_repository(
    url: str, expected: tuple[str, ...] | None, tmp_path: Path
) -> None:
    found = [(one.host, one.owner, one.name) for one in remotes(clone(tmp_path, {}, url))]
    assert found == ([expected] if expected else [])


def test_the_branch_is_the_forge_s_usual_one(pristine: Monorepo, tmp_path: Path) -> None:
    root = clone(tmp_path, {"a": ""}, f"{FORGE}/rain.git", "main")
    run: list[str] = ["git", "-c", "user.name=a", "-c", "user.email=a@b.test", "-C", str(root)]
    subprocess.run([*run, "commit", "--quiet", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*run, "checkout", "--quiet", "-b", "fix/rain"], check=True)
    assert reads(root, pristine)["branch"] == "main"
    subprocess.run([*run, "update-ref", "refs/remotes/origin/trunk", "HEAD"], check=True)
    head = ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]
    subprocess.run([*run, *head], check=True)
    assert reads(root, pristine)["branch"] == "trunk"


def test_a_new_repository_says_nothing_of_branch_and_owner(pristine: Monorepo, tmp_path: Path) -> None:
    assert reads(clone(tmp_path, {}), pristine) == {"build": "forgejo-woodpecker"}


PYPROJECT = """[project]
name = "kit"
description = "Tools of the house"
requires-python = "{}"
dependencies = ["FastAPI>=0.1"]
[dependency-groups]
dev = ["pytest", "ruff>=0.5"]
"""


def test_linter_and_tests_run_before_the_build(pristine: Monorepo, tmp_path: Path) -> None:
    package = {"scripts": {"lint": "eslint .", "test": 'echo "Error: no test specified" && exit 1'}}
    package["devDependencies"] = {"@sveltejs/kit": "2"}
    files = {
        "pyproject.toml": PYPROJECT.format(">=3.13"), "uv.lock": "", "kit/api.py": "api: FastAPI = FastAPI()\n",
        "tests/test_kit.py": "", "frontend/package.json": json.dumps(package),
        "frontend/package-lock.json": "", "README.md": "# kit\n\nAnother text.\n",
    }  # fmt: skip
    root = clone(tmp_path / "clone", files, f"{FORGE}/kit.git")
    found = reads(root, pristine)
    assert [found[key] for key in ("app_kind", "app_module", "app_version", "description")] == [
        "sveltekit-fastapi", "kit.api:api", "3.13", "Tools of the house",
    ]  # fmt: skip
    versions = facts(pristine)["base_images"]
    assert found["checks"] == [
        {
            "name": "test-python",
            "image": "docker.io/library/python:3.13-slim",
            "commands": [f"pip install uv=={versions['uv']}", "uv sync --frozen", "uv run ruff check .", "uv run pytest"],
        },
        {"name": "test-frontend", "image": versions["node"], "commands": ["cd frontend", "npm ci", "npm run lint"]},
    ]  # fmt: skip
    prepared = made(pristine, root)
    steps = yaml.safe_load(rendered(prepared)[".woodpecker.yml"])["steps"]
    assert [step["name"] for step in steps] == ["test-python", "test-frontend", "build-and-push", "deploy"]
    assert "FROM docker.io/library/python:3.13-slim\n" in rendered(prepared)["Dockerfile"]
    assert prepared.told == ()


@pytest.mark.parametrize("build", ["forgejo-woodpecker", "github-ghcr"])
def test_a_command_is_the_same_on_both_platforms(build: str, pristine: Monorepo, tmp_path: Path) -> None:
    commands = [r"""go test -run "^It's\w\\{2}$" ./a\/b""", "echo ${HOME:-x} $$ 'a: #b'", "- x"]
    checks = [{"name": "test", "image": "docker.io/library/golang:1.24-alpine", "commands": commands}]
    given = {"description": "Kit", "port": 8080, "repository": "robin/kit", "build": build}
    files = rendered(made(pristine, clone(tmp_path, {}), name="kit", checks=checks, **given))
    if build == "github-ghcr":
        jobs = yaml.safe_load(files[".github/workflows/build.yml"])["jobs"]
        assert jobs["test"]["steps"][1]["run"].splitlines() == commands
        assert (jobs["build"]["needs"], jobs["notify-failure"]["needs"]) == (
            ["test"],
            ["test", "build", "deploy"],
        )
    else:
        text = substitute(files[".woodpecker.yml"], {"CI_COMMIT_SHA": "0123456789"})
        assert yaml.safe_load(text)["steps"][0]["commands"] == commands


@pytest.mark.parametrize(
    "files,expected",
    [
        ({"pyproject.toml": PYPROJECT.format(">=3.11")}, ""),
        ({"pyproject.toml": PYPROJECT.format(">=3.11,<3.12")}, "3.11"),
        ({"pyproject.toml": PYPROJECT.format("==3.10.*")}, "3.10"),
        ({"pyproject.toml": PYPROJECT.format(">=3.11"), ".python-version": "3.13.1\n"}, "3.13"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.13"\n'}, "3.13"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.10"\n'}, ""),
        ({"pyproject.toml": PYPROJECT.format("whatever")}, ""),
        ({"package.json": '{"engines": {"node": "^18 || >=20.1"}}'}, ""),
        ({"package.json": '{"engines": {"node": "20.x"}}'}, "20"),
        ({"package.json": "[]", ".nvmrc": "v24\n"}, "24"),
        ({"go.mod": "module a.test/b\n\ngo 1.23 // x\n"}, ""),
        ({"go.mod": "module a.test/b\n\ngo 1.26.0\n"}, "1.26"),
    ],
)
def test_a_version_is_proposed_where_the_house_s_is_none(
    files: dict[str, str], expected: str, tmp_path: Path
) -> None:
    tree = Tree(clone(tmp_path, files))
    (found,) = projects(tree)
    usual = {"python": "3.12", "node": "22", "go": "1.24"}[found.base]
    assert version(tree, found, usual)[0] == expected


@pytest.mark.parametrize(
    "files,packager",
    [
        ({"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "flask\n"}, "pip"),
        ({"pyproject.toml": "[tool.poetry]\n", "uv.lock": ""}, "uv"),
        ({"pyproject.toml": "[tool.poetry]\n"}, "poetry"),
        ({"package.json": "{}", "pnpm-lock.yaml": ""}, "pnpm"),
        ({"package.json": "{}"}, "npm"),
    ],
)
def test_the_lock_file_tells_the_package_manager(
    files: dict[str, str], packager: str, tmp_path: Path
) -> None:
    assert [one.packager for one in projects(Tree(clone(tmp_path, files)))] == [packager]


def test_what_a_build_copies_and_is_not_there_is_told(pristine: Monorepo, tmp_path: Path) -> None:
    root = clone(tmp_path, {"pyproject.toml": PYPROJECT.format(">=3.11")}, f"{FORGE}/kit.git")
    (lacking,) = made(pristine, root).told
    assert (lacking.path, lacking.fix) == ("uv.lock", "Make it and commit it: uv lock")


def test_a_route_of_a_router_is_not_obvious(pristine: Monorepo, tmp_path: Path) -> None:
    text = 'router = APIRouter(prefix="/v1")\n@router.get("/health")\ndef health(): ...\n'
    files = {"pyproject.toml": PYPROJECT.format(">=3.11"), "app/main.py": f"app = FastAPI()\n{text}"}
    root = clone(tmp_path, files)
    assert "health_path" not in reads(root, pristine)
    (root / "app/main.py").write_text(text.replace("@router", "@app"))
    assert reads(root, pristine)["health_path"] == "/health"


def test_where_a_mirror_is_built_people_push_to_the_forge_of_the_house(
    pristine: Monorepo, tmp_path: Path
) -> None:
    house = facts(pristine)
    house = {**house, "mirror": {**house["mirror"], "there": True}, "own_build": "github-ghcr"}
    own = next(row["registry"] for row in house["builds"].values() if row.get("forge") == "own")
    root = clone(tmp_path, {}, f"git@{own.partition('/')[0]}:robin/rain.git", "master")
    found = read(root, {"build": "github-ghcr"}, house)
    assert (proposed(found).get("repository"), found.notes) == (None, ())
    assert proposed(read(root, {}, house))["build"] == "github-ghcr"
    elsewhere = read(
        clone(tmp_path / "b", {}, "git@github.com:robin/rain.git"), {"build": "github-ghcr"}, house
    )
    assert [note.code for note in elsewhere.notes] == ["clone.forge"]

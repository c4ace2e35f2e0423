"""Other people's repositories that were once misjudged, each in a folder: what is found in them, and nothing
else.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support import needs

from scaffold.pipelines.check import actionlint, check
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Repository, read_repository
from scaffold.templates import decisions

CASES = Path(__file__).parent / "cases"
FOUND = {
    "chained-workflows": [],
    "build-tried": [],
    "comment-variable": [],
    "commit-message": [(".woodpecker.yml", 7, "PIP033"), (".woodpecker.yml", 8, "PIP033")],
    "dockerfile-made-before": [],
    "list-merge": [],
    "matrix-variable": [],
    "old-syntax": [(".github/workflows/dependabot.yml", 2, "ACT001"), (".woodpecker.yml", 1, "PIP029")],
    "second-document": [(".woodpecker/ci.yml", 9, "PIP034")],
    "step-conditions": [],
}
CONTEXT = Context(decisions.house())


def found(repository: Repository) -> list[tuple[str, int | None, str]]:
    return [(finding.path, finding.line, finding.code) for finding in check(repository, CONTEXT)]


def changed(case: str, path: str, *changes: tuple[str, str]) -> list[tuple[str, int | None, str]]:
    """What is found in a case after some text of a file was replaced."""
    text = (CASES / case / path).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    ignored = CASES / case / "gitignore.txt"
    overlay = {".gitignore": ignored.read_bytes()} if ignored.is_file() else {}
    return found(read_repository(CASES / case, {**overlay, path: text.encode()}))


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_what_is_wrong_is_found_and_nothing_else(case: str) -> None:
    some = next(path for path in (CASES / case).rglob("*") if path.is_file())
    assert changed(case, some.relative_to(CASES / case).as_posix()) == FOUND[case]


def test_workflows_that_a_manual_run_starts_side_by_side_are_found() -> None:
    deploy = ".woodpecker/deploy.yml"
    assert {code for _, _, code in changed("chained-workflows", deploy, ("[ci]", "[other]"))} == {"PIP020"}


def test_a_variable_in_a_command_is_no_comment() -> None:
    into = ("'echo ok'", "'echo ok ${registry_token}'")
    assert changed("comment-variable", ".woodpecker.yml", into) == [(".woodpecker.yml", 10, "PIP024")]


def test_every_run_of_a_matrix_is_tried() -> None:
    values = ("[linux/amd64, linux/arm64]", "[one, 'two: three']")
    assert [code for *_, code in changed("matrix-variable", ".woodpecker.yml", values)] == ["PIP027"]


@pytest.mark.parametrize(
    "what,fine", [("[*guides]", True), ("{a: b}", False), ("[a, b]", True), ("text", False)]
)
def test_only_a_list_is_merged_into_a_list(what: str, fine: bool) -> None:
    codes = [code for *_, code in changed("list-merge", ".woodpecker/docs.yml", ("*sources", what))]
    assert codes == ([] if fine else ["PIP027"])


@pytest.mark.parametrize(
    "place,variable,is_found",
    [
        ("environment:\n      TEXT: ${}", "CI_COMMIT_MESSAGE", True),
        ("environment:\n      TEXT: '${}'", "CI_COMMIT_AUTHOR", True),
        ("environment:\n      TEXT: |\n        ${}", "CI_COMMIT_AUTHOR", False),
        ("environment:\n      TEXT: |\n        ${}", "CI_COMMIT_MESSAGE", True),
        ("environment:\n      TEXT: 'on ${}'", "CI_COMMIT_BRANCH", False),
        ("# by ${}", "CI_COMMIT_AUTHOR", False),
        ("# ${}", "CI_COMMIT_MESSAGE", True),
    ],
)
def test_what_people_write_is_tried_where_it_stands(place: str, variable: str, is_found: bool) -> None:
    commands = ("commands:\n      - echo \"${CI_COMMIT_MESSAGE}\"\n      - 'echo by ${CI_COMMIT_AUTHOR}'", "")
    text = (commands[0], place.replace("${}", f"${{{variable}}}") + "\n    commands: [ls]")
    codes = {code for *_, code in changed("commit-message", ".woodpecker.yml", text)}
    assert codes == ({"PIP033"} if is_found else set())


def test_any_branch_may_have_any_name() -> None:
    branch = ("${CI_COMMIT_MESSAGE}", "${CI_COMMIT_BRANCH}"), ("    - 'echo by ${CI_COMMIT_AUTHOR}'\n", "")
    assert changed("commit-message", ".woodpecker.yml", *branch) == []
    everywhere = changed("commit-message", ".woodpecker.yml", *branch, (", branch: main", ""))
    assert everywhere == [(".woodpecker.yml", 7, "PIP033")]


@pytest.mark.parametrize(
    "old,new",
    [
        ("      - run: npm ci && npm run build\n", ""),
        ("          context: .\n", ""),
        ("      - run: npm ci && npm run build\n      - uses", "      - uses"),
    ],
)
def test_what_nobody_makes_before_the_build_is_missing(old: str, new: str) -> None:
    workflow = ".github/workflows/ci.yml"
    assert changed("dockerfile-made-before", workflow, (old, new)) == [("Dockerfile", 2, "IMG002")]


@pytest.mark.parametrize(
    ("command", "is_made"),
    [
        ("go test ./... && go vet ./...", False),
        ("golangci-lint run | tee", True),
        ("pip install ruff\n# the rules\nuv run ruff check .\nCI=1 python -m pytest -q", False),
        ("go test ./... && go build -o server", True),
        ("./build.sh", True),
        ("go testing", True),
        ("echo made > server", True),
        ('echo a >> "$GITHUB_OUTPUT"', False),
        ("go test ./... > /dev/null 2>&1", False),
    ],
)
def test_a_check_before_the_build_makes_nothing(command: str, is_made: bool) -> None:
    run = ("    commands: [go build -o server]\n", f"    commands: [{json.dumps(command)}]\n")
    found = [code for *_, code in changed("build-tried", ".woodpecker/pr.yml", run)]
    assert found == ([] if is_made else ["IMG002"])
    on_github = (
        "npm ci && npm run build\n",
        f"|\n          {command.replace(chr(10), chr(10) + ' ' * 10)}\n",
    )
    found = [code for *_, code in changed("dockerfile-made-before", ".github/workflows/ci.yml", on_github)]
    assert found == ([] if is_made else ["IMG002"])


def test_what_a_package_manager_installed_is_there() -> None:
    workflow = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm ci && npm test\n"
    files = {
        ".github/workflows/ci.yml": f"on: push\n{workflow}      - uses: docker/build-push-action@v6\n"
        "        with: {context: ., tags: a/b}\n",
        "Dockerfile": "FROM scratch\nCOPY node_modules /n\nCOPY dist /d\nUSER 1\n",
        ".gitignore": "node_modules\ndist\n",
    }
    assert ("Dockerfile", 3, "IMG002") in found(Repository.of(files))
    assert ("Dockerfile", 2, "IMG002") not in found(Repository.of(files))


STEP = "  - {name: NAME, image: docker.io/library/alpine:3.22, commands: [ls]MORE}\n"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([("vendor", ""), ("web", ""), ("build", ", depends_on: [vendor, web]")], []),
        ([("vendor", ""), ("licence", ""), ("build", ", depends_on: [vendor]")], []),
        ([("test", ""), ("build", ", depends_on: [test]"), ("tell", "")], ["tell"]),
        ([("test", ""), ("build", ", depends_on: [test]"), ("tell", ", depends_on: []")], []),
        ([("test", ""), ("build", ", depends_on: [late]"), ("late", "")], []),
        ([("test", ""), ("push", ", settings: {a: b}"), ("tell", ", depends_on: [push]")], ["push"]),
    ],
)
def test_a_root_on_purpose_is_told_from_a_step_that_was_to_come_last(
    steps: list[tuple[str, str]], told: list[str]
) -> None:
    text = "when: {event: push, branch: main}\nskip_clone: true\nsteps:\n"
    for name, more in steps:
        step = STEP.replace("NAME", name).replace("MORE", more)
        text += step.replace("commands: [ls], settings", "settings")
    messages = [
        f.message for f in check(Repository.of({".woodpecker.yml": text}), CONTEXT) if f.code == "PIP031"
    ]
    assert messages == [f"The step {name} waits for nothing." for name in told]


def test_a_step_that_publishes_from_any_branch_is_found() -> None:
    branch = ("event: push, branch: main", "event: push")
    assert [code for *_, code in changed("step-conditions", ".woodpecker.yml", branch)] == ["PIP022"]


def test_what_is_pushed_needs_a_login_and_tags() -> None:
    pushes = changed("build-tried", ".woodpecker/pr.yml", ("      dry-run: true\n", ""))
    assert sorted(code for *_, code in pushes) == ["PIP007", "PIP008", "PIP008"]
    logins = ("      dry-run: true\n", "      docker-config-json: {from_secret: config}\n")
    has_logins = changed("build-tried", ".woodpecker/pr.yml", logins)
    assert sorted(code for *_, code in has_logins) == ["PIP008", "PIP008"]
    plugin = changed("build-tried", ".woodpecker/pr.yml", ("    commands: [docker version]\n", ""))
    assert "PIP005" in {code for *_, code in plugin}


def test_an_artefact_has_to_be_made_before_kaniko_takes_it_in() -> None:
    moved = ("    commands: [go build -o server]\n", "    commands: []\n")
    assert ("Dockerfile", 3, "IMG002") in changed("build-tried", ".woodpecker/pr.yml", moved)


@pytest.mark.parametrize(
    "command,is_found",
    [
        ("npm install -g pnpm", False),
        ("npm i --global pnpm && npm ci", True),
        ("npm ci", True),
        ("npm i", True),
    ],
)
def test_a_tool_for_the_whole_image_is_no_dependency(command: str, is_found: bool) -> None:
    text = f"FROM docker.io/library/node:22-alpine\nENV NODE_ENV=production\nRUN {command}\nUSER 10001\n"
    codes = {code for *_, code in found(Repository.of({"Dockerfile": text}))}
    assert codes == ({"IMG003"} if is_found else set())


def test_labels_of_one_s_own_runners_are_known_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "jobs:\n  a: {runs-on: [self-hosted, rust]}\n  b: {runs-on: ubuntu-lates}\n"
    problems = [
        {"message": f'label "{label}" is unknown. x', "line": 2, "column": 1}
        for label in ("rust", "ubuntu-lates")
    ]
    done = subprocess.CompletedProcess([], 1, json.dumps(problems), "")
    monkeypatch.setattr("scaffold.pipelines.check.shutil.which", lambda _: "actionlint")
    monkeypatch.setattr("scaffold.pipelines.check.subprocess.run", lambda *_, **__: done)
    (told,) = actionlint(Repository.of({".github/workflows/a.yml": text})).findings
    assert "ubuntu-lates" in told.message


@needs("actionlint")
def test_the_port_of_a_service_container_may_be_asked_for_by_its_number() -> None:
    text = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    services: {db: {image: 'postgres:17', ports: ['5432']}}\n"
        "    steps:\n      - run: test\n        env: {PORT: '${{ job.services.db.ports[5432] }}', NO: '${{ oops.x }}'}\n"
    )
    (told,) = actionlint(Repository.of({".github/workflows/a.yml": text})).findings
    assert "oops" in told.message


def test_of_a_file_that_does_nothing_that_alone_is_told() -> None:
    text = "clone: {git: {image: a}}\npipeline:\n  a: {image: b, commands: [echo ${X}]}\nbranches: ${Y}\n"
    (told,) = check(Repository.of({".woodpecker.yml": text}), CONTEXT)
    assert (told.code, told.line) == ("PIP029", 2)


def test_a_key_that_nothing_reads_is_named() -> None:
    text = "kind: pipeline\nwhen:\n  - event: cron\nskip_clone: true\nsteps:\n  - {name: a, image: b, commands: [c]}\n"
    (told,) = check(Repository.of({".woodpecker.yml": text}), CONTEXT)
    assert told.message == "There is no key kind here, and nothing reads it."
    (told,) = check(Repository.of({".woodpecker.yml": f"name: x\n{text}"}), CONTEXT)
    assert told.message == "There are no keys kind and name here, and nothing reads them."


@pytest.mark.parametrize(
    ("image", "settings", "logins"),
    [
        ("woodpeckerci/plugin-kaniko", "registry: https://forge.test, repo: own/app", 0),
        ("woodpeckerci/plugin-docker-buildx", "registry: forge.test, repo: own/app", 1),
        ("docker.io/woodpeckerci/plugin-docker-buildx:6", "registry: forge.test, repo: own/app", 1),
        ("woodpeckerci/plugin-docker-buildx", "registry: '${CI_FORGE_URL##https://}', repo: '${CI_FORGE_URL##https://}/${CI_REPO}'", 0),
    ],
)  # fmt: skip
def test_the_registry_of_an_image_is_known(image: str, settings: str, logins: int) -> None:
    step = f"{{name: a, image: '{image}', settings: {{{settings}, password: {{from_secret: p}}}}}}"
    text = f"when: [{{event: push}}]\nskip_clone: true\nsteps:\n  - {step}\n"
    told = check(Repository.of({".woodpecker.yml": text}), CONTEXT)
    assert [finding.value for finding in told if finding.code == "PIP007"] == ["own/app"] * logins


@pytest.mark.parametrize(
    ("text", "is_root"),
    [
        ("FROM gcr.io/distroless/static-debian12:nonroot\n", False),
        ("FROM golang:1.25 AS make\nUSER 10001\nFROM make AS last\n", False),
        ("FROM golang:1.25 AS make\nUSER 10001\nFROM alpine:3.22\nCOPY --from=make /a /a\n", True),
        ("FROM nginxinc/nginx-unprivileged:1.29 AS web\nFROM --platform=linux/amd64 web\nUSER root\n", True),
        ("FROM alpine:3.22\nARG UID=1000 GID=1000\nUSER ${UID}:$GID\n", False),
        ("FROM alpine:3.22\nARG UID=1000\nFROM alpine:3.22\nARG UID\nUSER $UID\n", True),
    ],
)
def test_the_user_of_an_image_may_be_that_of_what_it_begins_with(text: str, is_root: bool) -> None:
    codes = [code for *_, code in found(Repository.of({"Dockerfile": text}))]
    assert codes == (["IMG001"] if is_root else [])


def test_nobody_builds_the_image_of_a_development_container() -> None:
    text = "FROM docker.io/library/node:22\n"
    assert found(Repository.of({".devcontainer/Dockerfile": text})) == []
    assert [code for *_, code in found(Repository.of({"web/Dockerfile": text}))] == ["IMG001"]


@pytest.mark.parametrize(
    ("build", "is_made"),
    [
        ("docker build -t a/b:1 .", True),
        ("docker buildx build --push -t a/b web", False),  # of another Dockerfile
        ("buildctl build --local context=. \\\n  --opt filename=Dockerfile", True),
        ("/kaniko/executor --dockerfile=./Dockerfile --destination=a/b", True),
    ],
)
def test_what_a_step_made_is_there_for_a_command_that_builds(build: str, is_made: bool) -> None:
    step = "  - name: {}\n    image: docker.io/library/alpine:3.22\n    commands: [{}]\n"
    head = "when: {event: push, branch: main}\nskip_clone: true\nsteps:\n"
    make, run = step.format("make", "make web"), step.format("build", json.dumps(build))
    files = {"Dockerfile": "FROM scratch\nCOPY dist /d\nUSER 1\n", "web/Dockerfile": "FROM scratch\nUSER 1\n"}
    files |= {".gitignore": "dist\n", ".woodpecker.yml": head + make + run}
    told = [("Dockerfile", 2, "IMG002")]
    if is_made:
        assert found(Repository.of(files)) == []
        assert found(Repository.of({**files, ".woodpecker.yml": head + run + make})) == told
        github = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        on_github = github + f"      - run: make web\n      - run: {json.dumps(build)}\n"
        del files[".woodpecker.yml"]
        assert found(Repository.of({**files, ".github/workflows/a.yml": on_github})) == []
    else:
        assert found(Repository.of(files)) == []  # only the other one is built


def test_a_key_for_trusted_repositories_is_told_once_and_what_is_written_is_shown() -> None:
    text = (
        "when: {event: push, branch: main}\nskip_clone: true\nsteps:\n"
        "  - name: a\n    image: b\n    commands: [c]\n    extra_hosts: ['d:192.0.2.1']\n"
        "  - name: e\n    image: plugins/docker\n    settings: {repo: f/g, tags: '${CI_COMMIT_TAG}', password: h}\n"
        "  - {name: i, image: b, commands: [j]}\n"
    )
    told = {(f.line, f.code): f for f in check(Repository.of({".woodpecker.yml": text}), CONTEXT)}
    assert [code for line, code in told if line == 4] == ["PIP030"]
    assert told[10, "PIP008"].value == "${CI_COMMIT_TAG}"

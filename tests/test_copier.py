"""Stock Copier on the template and on rendered stacks: no trust, no help from this project."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from hypothesis import given
from strategies import valid_answers
from support import ANSWERS, GOLDEN, examples, scaffold

from scaffold.changes.change import Content, Symlink
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, questions, template
from scaffold.templates.questions import Role
from scaffold.templates.render import ANSWERS_FILE, render
from scaffold.templates.template import Origin

GOLDEN_SERVICE = GOLDEN.parent / "golden_service"
SENSED = {"domain": "example.test"}


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout


def commit(directory: Path, message: str, tag: str = "") -> None:
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)
    if tag:
        git(directory, "tag", tag)


def run_copier(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "copier", *arguments], cwd=directory, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's repository with the tag v0.1.0. Copy it before adding to it."""
    directory = tmp_path_factory.mktemp("published") / "template"
    directory.mkdir()
    shutil.copy(template.root() / "copier.yml", directory)
    shutil.copytree(template.root() / "templates", directory / "templates", symlinks=True)
    os.environ.setdefault("GIT_AUTHOR_NAME", "Robin Gardener")
    git(directory, "init", "--quiet", "--initial-branch=main")
    git(directory, "config", "user.name", "Robin Gardener")
    git(directory, "config", "user.email", "robin@example.test")
    commit(directory, "Version 0.1.0", "v0.1.0")
    return directory


@pytest.fixture
def repository(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "template", symlinks=True))


@pytest.fixture(params=[{}])
def stack(repository: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A stack in a monorepo, rendered by this project from the tagged template; maybe with more answers."""
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text()) | request.param
    directory = tmp_path / "monorepo" / "stacks" / "drone-logbook"
    write(directory, render(answers, SENSED, {}, Origin(str(repository), "v0.1.0", updatable=True)).files)
    git(tmp_path / "monorepo", "init", "--quiet")
    git(tmp_path / "monorepo", "config", "user.name", "Robin Gardener")
    git(tmp_path / "monorepo", "config", "user.email", "robin@example.test")
    commit(tmp_path / "monorepo", "A stack")
    return directory


def write(directory: Path, files: Mapping[Any, Content]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            (directory / path).symlink_to(content.target)
        else:
            (directory / path).write_bytes(content)


def tree(directory: Path) -> dict[str, Content]:
    """Every file and link below a directory."""
    return {
        p.relative_to(directory).as_posix(): Symlink(str(p.readlink())) if p.is_symlink() else p.read_bytes()
        for p in directory.rglob("*")
        if p.is_symlink() or p.is_file()
    }


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is not there once"
    path.write_text(text.replace(old, new))


def same(
    published: Path,
    answers: dict[str, Any],
    target: str,
    directory: Path,
    sensed: Mapping[str, Any] | None = None,
    recorded: Mapping[str, Any] | None = None,
) -> dict[str, Content]:
    """What stock Copier makes of answers, asserted to be what we make of them: every file, every value."""
    told = answers if target == "stack" else {**answers, "template": target}
    told = {**told, **({"sensed": sensed} if sensed else {}), **({"recorded": recorded} if recorded else {})}
    worker = copier.run_copy(
        str(published), directory / "tag", told, vcs_ref="v0.1.0", defaults=True, quiet=True,
        settings=copier.Settings(),
    )  # fmt: skip
    rendered = render(
        answers, sensed or {}, recorded or {}, Origin(str(published), "v0.1.0", updatable=True), target
    )
    write(directory / "package", rendered.files)
    files = tree(directory / "package")
    assert files == tree(directory / "tag")
    names = {question.name for question in questions.all_questions()}
    assert {k: v for k, v in worker.answers.combined.items() if k in names} == rendered.values
    return files


EVERY = "a second for each answer set, rendered by Copier"


def with_goldens(*quick: str) -> list[Any]:
    """Every golden's answers with the template that they are for; all but some are slow."""
    files = [*(ANSWERS / "valid").glob("*.yml"), *GOLDEN_SERVICE.glob("*/answers.yml")]
    cases = {path.stem if path.parent.name == "valid" else path.parent.name: path for path in sorted(files)}
    return [
        pytest.param(
            path, "stack" if path.parent.name == "valid" else "service", id=case,
            marks=() if case in quick else pytest.mark.slow(EVERY),
        )
        for case, path in cases.items()
    ]  # fmt: skip


@pytest.mark.parametrize("file,target", with_goldens("tide-table"))
def test_package_and_tag_render_the_same(file: Path, target: str, published: Path, tmp_path: Path) -> None:
    answers = yaml.safe_load(file.read_text())
    files = same(published, answers, target, tmp_path)
    golden = GOLDEN / file.stem / "stack" if target == "stack" else file.parent / "repository"
    assert files.keys() == tree(golden).keys()


@pytest.mark.slow(EVERY)
@pytest.mark.parametrize("target", ["stack", "service"])
def test_sensed_and_recorded_facts_render_the_same(target: str, published: Path, tmp_path: Path) -> None:
    """As in a monorepo that exists, and with a whole number that YAML has as a float."""
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    first = render(answers, {}, {}, Origin(str(published), "v0.1.0", updatable=True), target)
    recorded = (
        first.values["recorded_now"]
        if target == "stack"
        else {"names": first.values["recorded_now"]["names"]}
    )
    files = same(
        published, {**answers, "port": 80.0}, target, tmp_path, {**SENSED, "force_conflicts": True}, recorded
    )
    told = yaml.safe_load(files[ANSWERS_FILE])  # type: ignore[arg-type]
    assert told["sensed"]["domain"] == "example.test" and repr(told["port"]) == "80"


def test_what_copier_leaves_out_is_left_out(
    published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(published, tmp_path / "template", symlinks=True)
    (tmp_path / "template" / "templates" / "stack" / ".DS_Store").write_bytes(b"x")
    monkeypatch.setattr(template, "root", lambda: tmp_path / "template")
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    files = render(answers, {}, {}, Origin("x", "v0.1.0", updatable=True)).files
    assert {str(path) for path in files} == {ANSWERS_FILE, "main.tf", "terragrunt.hcl"}


@pytest.mark.slow("runs Copier itself")
def test_the_command_renders_the_same(published: Path, tmp_path: Path) -> None:
    file = ANSWERS / "valid" / "drone-logbook.yml"
    options = ["--quiet", "--defaults", "--vcs-ref=v0.1.0", f"--data-file={file}"]
    done = run_copier(tmp_path, "copy", *options, str(published), "tag")
    assert done.returncode == 0, done.stderr
    origin = Origin(str(published), "v0.1.0", updatable=True)
    write(tmp_path / "package", render(yaml.safe_load(file.read_text()), {}, {}, origin).files)
    assert tree(tmp_path / "package") == tree(tmp_path / "tag")


@pytest.mark.slow(EVERY)
@examples(50)
@given(answers=valid_answers())
def test_package_and_tag_render_the_same_for_any_answers(
    answers: dict[str, Any], published: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("any")
    for target in ("stack", "service"):
        same(published, answers, target, directory / target)


def test_copier_takes_our_own_keys_of_a_question() -> None:
    documents = (template.root() / "copier.yml").read_text()
    assert "_tasks" not in documents
    assert "_jinja_extensions" not in documents
    assert {q.role for q in questions.all_questions()} == set(Role)


@pytest.mark.slow("copier update renders the template three times")
@pytest.mark.parametrize("stack", [{"workloads": [{"name": "work", "args": ["work"]}]}], indirect=True)
def test_update_keeps_hand_edits_and_brings_new_facts(repository: Path, stack: Path) -> None:
    """The edit is in the last Deployment, which is not the app's."""
    replace_in(
        repository / "templates/decisions/house.yml", "external_secret_api: external-secrets.io/v1beta1",
        "external_secret_api: external-secrets.io/v1",
    )  # fmt: skip
    replace_in(
        repository / "templates/decisions/house.yml", "force_conflicts: false", "force_conflicts: true"
    )
    commit(repository, "The operator's v1 API", "v0.2.0")
    main = stack / "main.tf"
    head, _, tail = main.read_text().rpartition("    replicas = 1\n")
    main.write_text(f"{head}    # Two, by hand.\n    replicas = 2\n{tail}")
    commit(stack, "By hand")
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode == 0, done.stderr
    text = main.read_text()
    assert 'apiVersion = "external-secrets.io/v1"\n' in text
    assert "force_conflicts = true" in text
    assert "    # Two, by hand.\n    replicas = 2\n" in text
    assert "<<<<<<<" not in text
    assert yaml.safe_load((stack / ANSWERS_FILE).read_text())["_commit"] == "v0.2.0"


@pytest.mark.slow("copier update renders the template three times")
def test_update_keeps_what_stands_beside_and_brings_the_link_with_its_module(
    repository: Path, stack: Path
) -> None:
    own = 'resource "terraform_data" "own" {}\n'
    (stack / "own.tf").write_text(own)
    commit(stack, "By hand")
    for answer in ("tls_secret=true", "memory=1Gi"):
        done = run_copier(stack, "update", "--defaults", "--quiet", "--vcs-ref=:current:", "-d", answer)
        assert done.returncode == 0, done.stderr
        assert (stack / "secrets").readlink() == Path("../../secrets")
        assert 'module "tls_secret"' in (stack / "main.tf").read_text()
        assert (stack / "own.tf").read_text() == own
        commit(stack, "Updated")


@pytest.mark.slow("copier update renders the template three times")
def test_the_update_commands_of_the_documentation_work_in_their_order(repository: Path, stack: Path) -> None:
    """From a checkout without a tag. The first one has nothing to do, so it changes nothing."""
    git(repository, "tag", "--delete", "v0.1.0")
    origin = template._of_checkout(repository)
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    write(stack, render(answers, SENSED, {}, origin).files)
    commit(stack, "From a checkout")
    page = (Path(__file__).parent.parent / "docs/life.md").read_text()
    commands = re.findall(r"copier update --defaults[^`\n]*", page)
    assert len(commands) == 1
    for command in commands:
        assert git(stack, "status", "--porcelain") == "", "an update wants a clean tree"
        done = run_copier(stack, *shlex.split(command)[1:])
        assert done.returncode == 0, done.stderr
    assert git(stack, "status", "--porcelain") == ""


@pytest.mark.slow("two changes, each in a process of its own")
def test_the_command_for_a_stack_that_exists_works_as_it_is_printed(
    repository: Path, monorepo: Monorepo
) -> None:
    """Answers that did not apply before are in it, and those that apply no more are not."""
    root, answers = monorepo.root, ANSWERS / "valid" / "drone-logbook.yml"
    first: list[str | Path] = ["new-service", "--answers", answers, "--verify", "static"]
    first += ["--template-source", repository, "--monorepo", root]
    assert scaffold(*first, "--commit").returncode == 0
    more = [
        "gate=app",
        "gate_reason=it has a login of its own",
        "database=postgresql",
        "database_env.dsn=DB_URL",
    ]
    for settings in (more, []):
        told = [part for text in settings for part in ("--set", text)]
        refused = scaffold(*first, *told)
        assert refused.returncode == 4
        command = refused.stderr.partition("Change it in place: `")[2].partition("`")[0]
        assert ("gate_reason" in command) == ("database_env" in command) == bool(settings)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        unplanned = f"{command} --verify static --accept not-compared --accept opened"
        done = subprocess.run(
            ["sh", "-c", unplanned], cwd=root, env={**os.environ, "PATH": path}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        again = scaffold(*first, *told, "--no-index", "catalog")
        assert "exists with other answers" not in again.stderr
        commit(root, "Changed")


@pytest.mark.slow("copier update renders the template three times")
def test_a_changed_rule_does_not_move_a_volume_that_exists(repository: Path, stack: Path) -> None:
    replace_in(
        repository / "templates/decisions/house.yml",
        "storage_encrypted: proxmox-lvm-encrypted",
        "storage_encrypted: vault-lvm",
    )
    replace_in(
        repository / "templates/decisions/house.yml",
        "storage_encrypted_suffix: -encrypted",
        "storage_encrypted_suffix: -vault",
    )
    replace_in(
        repository / "templates/decisions/rows/storage.jinja",
        "(called) ~ '-host'",
        "(called) ~ '-nfs'",
    )
    commit(repository, "Another class for sensitive data", "v0.2.0")
    before = (stack / "main.tf").read_text()
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode == 0, done.stderr
    assert (stack / "main.tf").read_text() == before

    commit(stack, "Updated")
    recorded = yaml.safe_load((stack / ANSWERS_FILE).read_text())
    more = [*recorded["volumes"], {"purpose": "later", "path": "/later"}]
    done = run_copier(
        stack,
        "update",
        "--defaults",
        "--quiet",
        "--vcs-ref=:current:",
        "-d",
        f"volumes={more!r}".replace("True", "true"),
    )
    assert done.returncode == 0, done.stderr
    text = (stack / "main.tf").read_text()
    assert 'storage_class_name = "proxmox-lvm-encrypted"' in text
    assert '"drone-logbook-data-encrypted"' in text
    assert '"drone-logbook-sync-logs-host"' in text
    assert 'storage_class_name = "vault-lvm"' in text
    assert '"drone-logbook-later-vault"' in text
    kept = yaml.safe_load((stack / ANSWERS_FILE).read_text())["recorded"]["volumes"]
    assert {name: entry["storage_class"] for name, entry in kept.items()} == {
        "data": "proxmox-lvm-encrypted", "sync-logs": "nfs", "later": "vault-lvm",
    }  # fmt: skip


def new_default(repository: Path, old: str, new: str, tag: str) -> None:
    replace_in(repository / "templates/questions/workload.yml", f"default: {old}", f"default: {new}")
    replace_in(repository / "templates/questions/usual_answers.jinja", f"'cpu': '{old}'", f"'cpu': '{new}'")
    commit(repository, f"More of it: {new}", tag)


def recorded(stack: Path) -> dict[str, Any]:
    said: dict[str, Any] = yaml.safe_load((stack / ANSWERS_FILE).read_text())
    return said


def update(stack: Path, *more: str) -> None:
    done = run_copier(stack, "update", "--defaults", "--quiet", *more)
    assert done.returncode == 0, done.stderr
    commit(stack, "Updated")


@pytest.mark.slow("copier update renders the template three times")
def test_a_later_default_arrives_by_stock_update_where_nobody_chose(repository: Path, stack: Path) -> None:
    """Twice in a row: the first one must not write the default back. What was chosen stays, by `-d` too."""
    commit(repository, "Nothing new", "v0.2.0")
    update(stack)
    assert not {"cpu", "keel"} & recorded(stack).keys()
    new_default(repository, "25m", "30m", "v0.3.0")
    update(stack)
    assert 'cpu    = "30m"' in (stack / "main.tf").read_text()
    assert "cpu" not in recorded(stack)
    update(stack, "--vcs-ref=:current:", "-d", "cpu=30m", "-d", "port=9090")
    assert (recorded(stack)["cpu"], recorded(stack)["port"]) == ("30m", 9090)
    new_default(repository, "30m", "35m", "v0.4.0")
    update(stack)
    assert 'cpu    = "30m"' in (stack / "main.tf").read_text()
    said = recorded(stack)
    assert {"cpu", "port"} < set(said["given"])
    assert said["hash"] == decisions.seal(said)


@pytest.mark.slow("copier update renders the template three times")
def test_a_stock_update_of_edited_answers_is_refused(repository: Path, stack: Path) -> None:
    """Copier would take the new answer for what the stack was rendered from, and change nothing, with exit 0."""
    commit(repository, "Nothing new", "v0.2.0")
    file = stack / ANSWERS_FILE
    before = file.read_text()
    file.write_text(before.replace("memory: 512Mi\n", "memory: 768Mi\n"))
    commit(stack, "By hand")
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode != 0
    assert "was edited by hand" in done.stderr
    assert "768Mi" not in (stack / "main.tf").read_text()
    file.write_text(before)
    commit(stack, "Taken back")
    update(stack, "-d", "memory=768Mi")
    assert 'memory = "768Mi"' in (stack / "main.tf").read_text()


@pytest.mark.slow("copier update renders the template three times")
def test_names_that_exist_are_kept(repository: Path, stack: Path) -> None:
    replace_in(
        repository / "templates/decisions/names.jinja",
        "or name, deployment=deployment, service=object_names.service | default('') or name, selector=name)",
        "or 'svc-' ~ name, deployment='svc-' ~ deployment, service='svc-' ~ name, selector='svc-' ~ name)",
    )
    commit(repository, "Another name for everything", "v0.2.0")
    before = (stack / "main.tf").read_text()
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode == 0, done.stderr
    assert (stack / "main.tf").read_text() == before


@pytest.mark.slow("copier update renders the template three times")
def test_what_was_recorded_and_does_not_apply_is_forgotten(repository: Path, tmp_path: Path) -> None:
    """Stacks of versions whose questions said less about when they apply have such answers, defaults or not."""
    (repository / "templates/questions/unasked.jinja").write_text("")
    for file in (repository / "templates/questions").glob("*.yml"):
        asked_always = [
            line for line in file.read_text().splitlines(keepends=True) if '  when: "{{ shape' not in line
        ]
        file.write_text("".join(asked_always))
    commit(repository, "Every question is for every shape", "v0.1.1")
    answers = yaml.safe_load((ANSWERS / "valid" / "cloud-drive.yml").read_text())
    directory = tmp_path / "monorepo" / "stacks" / "cloud-drive"
    write(directory, render(answers, SENSED, {}, Origin(str(repository), "v0.1.1", updatable=True)).files)
    recorded = directory / ANSWERS_FILE
    kept = re.sub(r"(?m)^(given|hash): .*\n?", "", recorded.read_text())
    recorded.write_text(kept + "memory: 256Mi\nenv: {A: b}\nreplicas: 2\n")
    before = (directory / "main.tf").read_text()
    git(tmp_path / "monorepo", "init", "--quiet")
    git(tmp_path / "monorepo", "config", "user.name", "Robin Gardener")
    git(tmp_path / "monorepo", "config", "user.email", "robin@example.test")
    commit(tmp_path / "monorepo", "A stack")
    git(repository, "checkout", "v0.1.0", "--", ".")
    commit(repository, "Each says its shapes", "v0.2.0")
    done = run_copier(directory, "update", "--defaults", "--quiet")
    assert done.returncode == 0, done.stderr
    assert not {"memory", "env", "replicas"} & yaml.safe_load(recorded.read_text()).keys()
    assert (directory / "main.tf").read_text() == before
    commit(tmp_path / "monorepo", "Updated")
    done = run_copier(directory, "update", "--defaults", "--quiet", "--vcs-ref=:current:", "-d", "memory=1Gi")
    assert "memory: applies only where shape is one of web, internal" in done.stderr


@pytest.mark.slow("copier update renders the template three times")
def test_a_tightened_schema_never_empties_a_recorded_list(repository: Path, stack: Path) -> None:
    types = repository / "templates/questions/types.yml"
    replace_in(types, "enum: [none, sqlite, duckdb, rocksdb, other]", "enum: [none, sqlite]")
    commit(repository, "Fewer databases", "v0.2.0")
    before = tree(stack)
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode != 0
    assert "volumes[0].embedded_database" in done.stderr
    assert tree(stack) == before


def test_stock_copier_refuses_what_we_refuse(published: Path, tmp_path: Path) -> None:
    answers = yaml.safe_load((ANSWERS / "valid" / "drone-logbook.yml").read_text())
    answers["volumes"][0]["rwx"] = True
    with pytest.raises(ValueError, match="embedded database on NFS"):
        copier.run_copy(
            str(published), tmp_path / "out", answers, vcs_ref="v0.1.0", defaults=True, quiet=True,
            settings=copier.Settings(),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.slow("copier update renders the template three times")
def test_a_conflict_exits_with_0_which_readme_warns_of(repository: Path, stack: Path) -> None:
    replace_in(
        repository / "templates/partials/stack/deployment.jinja", "replicas = {{ replicas }}", "replicas = 3"
    )
    commit(repository, "Three of everything", "v0.2.0")
    replace_in(stack / "main.tf", "replicas = 1", "replicas = 2")
    commit(stack, "By hand")
    done = run_copier(stack, "update", "--defaults", "--quiet")
    assert done.returncode == 0
    assert "<<<<<<<" in (stack / "main.tf").read_text()
    assert "exits 0" in (Path(__file__).parent.parent / "docs/life.md").read_text()


VALUES: list[Any] = [
    None, True, 3, 0, 70000, "", "a", "A", "a\n", "/x", "1Gi", "25m", "192.0.2.7", [], ["a"], {}, {"a": "b"}, {"path": "/x"}, [{"path": "/x"}],
    [{"path": 1}], [{}], [{"env": "X", "no": 1}], b"", [("a", "b")], 80.5, [{"env": "X", "vault": "x"}], {"dsn": ""}, {"dsn": "1"}, [{"paths": [], "reason": "a b"}],
]  # fmt: skip
BY_SCHEMA = {
    "type", "pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "unknown", "missing",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=() if kind in ("volumes", "port") else pytest.mark.slow("24 values judged twice"))
        for kind in questions.types()
    ],
)  # fmt: skip
def test_the_verdict_of_the_macro_is_that_of_jsonschema(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right values and wrong ones of a type: judged alike by stock Copier's macro and by jsonschema."""
    from scaffold.answers import validation
    from scaffold.answers.sources import Answers

    monkeypatch.setattr(validation, "_right", lambda _: False)  # so that jsonschema judges each
    macro = decisions.environment().from_string(
        "{% from 'templates/questions/problems.jinja' import problems %}{{ problems('x', value, schema) }}"
    )
    question = questions.asked()[kind]
    applies = {
        other: next(
            value
            for value in [
                wanted.get("const"),
                *wanted.get("enum", ()),
                *(o.value for o in questions.asked()[other].options),
                ["x"],
                "x",
            ]
            if value is not None and questions.fits(value, wanted)
        )
        for other, wanted in questions.condition(question).items()
    }
    verdicts = {}
    for value in VALUES:
        told = macro.render(value=value, schema=questions.types()[kind]).strip()
        found = [
            finding
            for finding in validation.problems(Answers({**applies, question.name: value}), {}, {})
            if (finding.answer or "").startswith(question.name) and finding.code.split(".")[1] in BY_SCHEMA
        ]
        assert bool(told) == bool(found), (value, told, found)
        verdicts[repr(value)] = bool(told)
    assert verdicts["[{'env': 'X', 'no': 1}]"], "this is of no type"
    assert not all(verdicts.values()), "no value is right, so nothing is known of those"


@pytest.mark.slow("runs Copier itself")
def test_copier_refuses_a_literal_secret_and_does_not_show_it(published: Path, tmp_path: Path) -> None:
    data = "name: kit\ndescription: d it\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"
    (tmp_path / "a.yml").write_text(f"{data}env: {{ADMIN_PW: mellonmellon}}\n")
    arguments = (
        "copy",
        "--trust",
        "--defaults",
        "--data-file",
        "a.yml",
        str(published),
        str(tmp_path / "kit"),
    )
    done = run_copier(tmp_path, *arguments)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "env.ADMIN_PW: looks like a literal secret" in told
    assert "mellonmellon" not in told
    assert not (tmp_path / "kit" / "main.tf").exists()

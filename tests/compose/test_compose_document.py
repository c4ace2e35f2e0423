"""A compose file as a whole: other files, overrides, anchors, YAML 1.2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.answers.compose import document
from scaffold.errors import UsageError

Files = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Writes files, the first of them the compose file."""

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path / next(iter(texts)).replace("_DOT_", ".")

    return write


def test_texts_are_those_of_yaml_1_2(files: Files) -> None:
    path = files(
        compose_DOT_yml="services: {a: {image: x, ports: [22:22], user: 0644, x-1: [yes, 1.10, 2024-01-01, true, ~]}}"
    )
    body = document.read(path).services["a"]
    assert body["ports"] == ["22:22"] and body["user"] == "0644"
    assert body["x-1"] == ["yes", "1.10", "2024-01-01", True, None]


def test_the_values_of_env_beside_the_file_are_filled_in(files: Files) -> None:
    env = "TAG=2.0\nexport NAME='a $TAG'\nBOTH=\"$TAG-x\" # a comment\n\n"
    path = files(
        compose_DOT_yml="services: {a: {image: 'x:${TAG}', labels: ['n=$NAME', b=$BOTH]}}", _DOT_env=env
    )
    assert document.read(path).services["a"] == {"image": "x:2.0", "labels": {"n": "a $TAG", "b": "2.0-x"}}


def test_a_service_is_laid_over_what_it_extends(files: Files) -> None:
    path = files(
        compose_DOT_yml="services:\n  a: {extends: {file: common.yml, service: base}, command: [run], environment: [B=2]}\n"
        "  c: {extends: a, volumes: ['other:/data']}\n",
        common_DOT_yml="services:\n  base: {image: x, command: [serve, now], environment: {A: '1', B: '1'},"
        " volumes: ['data:/data', 'media:/media'], ports: ['1:1']}\n",
    )
    services = document.read(path).services
    assert services["a"]["command"] == ["run"] and services["a"]["environment"] == {"A": "1", "B": "2"}
    assert services["c"]["volumes"] == ["media:/media", "other:/data"] and services["c"]["ports"] == ["1:1"]


def test_what_it_includes_is_read_with_its_own_variables(files: Files) -> None:
    path = files(
        compose_DOT_yml="include: [sub/part.yml, {path: [gone.yml]}, 'oci://x/y']\nservices: {a: {image: x}}",
        sub__part_DOT_yml="services: {b: {image: 'y:${TAG}'}}",
        sub___DOT_env="TAG=3\n",
    )
    project = document.read(path)
    assert project.services == {"b": {"image": "y:3"}, "a": {"image": "x"}}
    assert set(project.unread) == {("include", 1), ("include", 2)} and project.followed == {("include", 0)}


def test_an_include_without_a_path_is_told_and_an_empty_list_of_them_names_nothing(files: Files) -> None:
    path = files(
        compose_DOT_yml="include: [{path: []}, {env_file: x.env}, {path: ''}]\nservices: {a: {image: x}}"
    )
    project = document.read(path)
    assert set(project.unread) == {("include", 1), ("include", 2)} and not project.followed


def test_a_directory_is_its_file_with_the_override(files: Files) -> None:
    path = files(
        compose_DOT_yaml="services: {a: {image: x, ports: ['1:1'], user: '1', command: [a]}}",
        compose_DOT_override_DOT_yml="services: {a: {ports: !override ['2:2'], user: !reset null, command: [b]}}",
        docker_compose_DOT_yml="services: {other: {image: y}}",
    )
    assert document.read(path.parent).services == {"a": {"image": "x", "ports": ["2:2"], "command": ["b"]}}
    assert document.read(path).services["a"]["user"] == "1", "a file that is named is taken alone"
    with pytest.raises(UsageError, match="no compose file"):
        document.read(Path(__file__).parent)


def test_files_that_name_each_other_end(files: Files) -> None:
    path = files(
        compose_DOT_yml="include: [other.yml]\nservices: {a: {image: x, extends: b}, b: {image: y, extends: a}}",
        other_DOT_yml="include: [compose.yml]\nservices: {c: {extends: {file: compose.yml, service: a}}}",
    )
    assert set(document.read(path).services) == {"a", "b", "c"}


def test_anchors_and_merge_keys_hold(files: Files) -> None:
    path = files(
        compose_DOT_yml="x-env: &env {A: '1', B: '2'}\nservices: {a: {image: x, environment: {<<: *env, B: '3'}}}"
    )
    assert document.read(path).services["a"]["environment"] == {"A": "1", "B": "3"}


@pytest.mark.parametrize(
    "text",
    [
        b"services: {a: {image: x, environment: {TOKEN: swordfish}",
        b"services:\n  a: *swordfish\n",
        b"services: {a: !swordfish 1}",
        b"- swordfish",
        b"services: [swordfish]",
        b"\xff\xfeswordfish",
        b"",
    ],
)
def test_what_is_no_compose_file_is_refused_without_its_content(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_bytes(text)
    with pytest.raises(UsageError) as error:
        document.read(tmp_path / "compose.yml")
    assert error.value.hint and "compose.yml" in error.value.message
    assert "swordfish" not in f"{error.value.message} {error.value.hint} {error.value.findings}"
    assert error.value.__cause__ is None or "swordfish" not in str(error.value.__cause__)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.yml is not a file"):
        document.read(tmp_path / "gone.yml")

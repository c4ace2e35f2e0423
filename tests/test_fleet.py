"""The stacks of a monorepo: read once, cached by content, seen through locals and namespaces."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from scaffold.monorepo import fleet
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.shared import SharedModules
from scaffold.monorepo.stack import Stack, read_stack
from scaffold.templates import template
from scaffold.templates.image import ImageReference

MAIN = "stacks/app/main.tf"


def namespaces(stack: Stack) -> list[str]:
    return [use.name for use in stack.uses if use.kind == "namespace"]


def namespace(name: str, label: str = "this") -> str:
    return f'resource "kubernetes_namespace_v1" "{label}" {{\n  metadata {{\n    name = {name}\n  }}\n}}\n'


def kept() -> list[Path]:
    directory = template.cache_directory("fleet")
    assert directory is not None
    return sorted(directory.iterdir())


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks that are not found among what is kept between runs, by the directory of their first file."""
    seen: list[str] = []

    def reading(sources: tuple[tuple[str, bytes], ...], shared: SharedModules) -> Stack:
        seen.append(sources[0][0].split("/")[1])
        return read_stack(dict(sources), shared)

    monkeypatch.setattr(fleet, "_read", reading)
    return seen


def test_copies_of_a_monorepo_are_read_once(
    monorepo: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet._read.cache_clear()
    first = monorepo.fleet
    shutil.copytree(monorepo.root, tmp_path / "copy", symlinks=True)
    monkeypatch.setattr(fleet, "read_stack", lambda *_: Stack())
    assert Monorepo(tmp_path / "copy").fleet == first
    (tmp_path / "copy" / MAIN).parent.mkdir()
    (tmp_path / "copy" / MAIN).write_text(namespace('"bees"'))
    assert Monorepo(tmp_path / "copy").fleet == {**first, "app": Stack()}
    fleet._read.cache_clear()


def test_only_what_changed_is_read_again(monorepo: Monorepo, readings: list[str]) -> None:
    first = Monorepo(monorepo.root).fleet
    assert sorted(readings) == sorted(first)
    readings.clear()
    assert Monorepo(monorepo.root).fleet == first
    assert readings == []
    name = monorepo.stacks[0]
    (monorepo.stack_directory(name) / "more.tf").write_text(namespace('"bees"'))
    assert "bees" in namespaces(Monorepo(monorepo.root).fleet[name])
    assert readings == [name]
    (monorepo.stack_directory(name) / "more.tf").unlink()
    assert Monorepo(monorepo.root).fleet == first


def parts(kind: object) -> set[type]:
    """The dataclasses that a type consists of, itself among them."""
    inner = {part for argument in get_args(kind) for part in parts(argument)}
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return inner
    return {kind, *inner, *(part for hint in get_type_hints(kind).values() for part in parts(hint))}


def test_whatever_a_stack_consists_of_is_kept() -> None:
    assert {part.__module__ for part in parts(Stack)} == fleet._PARTS


def test_a_stack_with_a_route_is_read_once(monorepo: Monorepo, readings: list[str]) -> None:
    name = monorepo.stacks[0]
    (monorepo.stack_directory(name) / "route.tf").write_text(
        'resource "kubernetes_manifest" "route" {\n  manifest = {\n    kind = "IngressRoute"\n'
        '    spec = { routes = [{ match = "Host(`a.example.test`)" }] }\n  }\n}\n'
    )
    assert Monorepo(monorepo.root).fleet[name].routes
    readings.clear()
    assert Monorepo(monorepo.root).fleet[name].routes
    assert readings == []


class Foreign:
    """What a file of somebody else could hold: it would leave a trace when it is made."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("trace"),)  # type: ignore[return-value]


DOTTED = b"cscaffold.monorepo.stack\nposixpath.os.getcwd\n(tR."
"""What asks a class's module for what that module imports."""


@pytest.mark.parametrize("content", [b"", b"\x80\x05", pickle.dumps(["x"]), pickle.dumps(Foreign()), DOTTED])
def test_what_is_kept_is_trusted_only_as_far_as_it_is_a_stack(
    monorepo: Monorepo,
    readings: list[str],
    content: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    first = Monorepo(monorepo.root).fleet
    for file in kept():
        file.write_bytes(content)
    readings.clear()
    assert Monorepo(monorepo.root).fleet == first
    assert sorted(readings) == sorted(first)
    assert not (tmp_path / "trace").exists()


def test_another_version_reads_anew(
    monorepo: Monorepo, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Monorepo(monorepo.root).fleet
    monkeypatch.setattr(template, "facts_text", lambda name: "modules: {}")
    readings.clear()
    assert Monorepo(monorepo.root).fleet == first
    assert sorted(readings) == sorted(first)


def test_without_a_place_to_keep_it_everything_works(
    monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Monorepo(monorepo.root).fleet
    monkeypatch.setattr(template, "cache_directory", lambda name: None)
    assert Monorepo(monorepo.root).fleet == first


def test_names_are_seen_through_locals_and_namespaces_of_the_module() -> None:
    claim = (
        'resource "kubernetes_persistent_volume_claim" "data" {\n  metadata {\n    name = "data"\n'
        "    namespace = kubernetes_namespace_v1.that.metadata[0].name\n  }\n}\n"
    )
    sources = {
        MAIN: (namespace("local.name") + claim).encode(),
        "stacks/app/locals.tf": b'locals {\n  name = "bees"\n}\n' + namespace('"hive"', "that").encode(),
        "stacks/app/modules/other/main.tf": namespace("local.name").encode(),
    }
    stack = read_stack(sources)
    assert namespaces(stack) == ["bees", "hive"]
    assert [use.place for use in stack.uses if use.kind == "claim"] == ["hive"]


@pytest.mark.parametrize(
    "text",
    ["resource {", "resource {\n}\n", 'resource "kubernetes_deployment" {\n}\n', "module {\n}\n",
     'module "x" {\n  source = "../../modules/kubernetes/ingress_factory"\n  name = 1\n}\n', "\0", "\xff",
     'resource "kubernetes_namespace" {\n  metadata {\n    name = "x"\n    name = "y"\n  }\n}\n'],
)  # fmt: skip
def test_what_others_wrote_never_stops_the_reading(text: str) -> None:
    sources = {MAIN: text.encode("latin-1"), "stacks/app/good.tf": namespace('"bees"').encode()}
    assert namespaces(read_stack(sources))[-1] == "bees"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nginx", ("", "nginx", "", "")),
        ("nginx:1.29", ("", "nginx", "1.29", "")),
        ("library/nginx@sha256:ab", ("", "library/nginx", "", "sha256:ab")),
        ("registry.test:5000/own/app", ("registry.test:5000", "own/app", "", "")),
        ("registry.test:5000/own/app:a1@sha256:ab", ("registry.test:5000", "own/app", "a1", "sha256:ab")),
        ("registry.test/app:${var.image_tag}", ("registry.test", "app", "${var.image_tag}", "")),
    ],
)
def test_image_references(text: str, parts: tuple[str, str, str, str]) -> None:
    image = ImageReference.parse(text)
    assert (image.registry, image.repository, image.tag, image.digest) == parts
    assert str(image) == text


def test_docker_hub_may_be_written_or_not() -> None:
    bare, full = ImageReference.parse("own/app:1"), ImageReference.parse("docker.io/own/app:2")
    assert bare.is_same(full)
    assert not bare.is_same(ImageReference.parse("ghcr.io/own/app:1"))
    assert (full.name, full.base, full.home, bare.host) == (
        "docker.io/own/app",
        "app",
        "docker.io/own",
        "docker.io",
    )

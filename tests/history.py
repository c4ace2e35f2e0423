"""A tagged history of the templates: one version, and one with each change that a later one may bring."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from support import ANSWERS, git

from scaffold.changes.change import Symlink
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates import template
from scaffold.templates.render import render
from scaffold.templates.template import Origin

FIRST = "v0.1.0"
_STACK = "templates/partials/stack"


@dataclass(frozen=True)
class Rule:
    """A change of the templates: what stands in place of what, in which file, or a file's new name.

    ``there`` and ``gone`` are how it is seen in a stack, whatever its alignment.
    """

    edits: tuple[tuple[str, str, str], ...] = ()
    renamed: tuple[str, str] | None = None
    there: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


RULES = {
    "fact": Rule(
        (
            ("templates/decisions/house.yml", "external-secrets.io/v1beta1\n", "external-secrets.io/v1\n"),
            ("templates/decisions/house.yml", "force_conflicts: false", "force_conflicts: true"),
        ),
        there=('apiVersion = "external-secrets.io/v1"', "force_conflicts = true"),
        gone=("external-secrets.io/v1beta1",),
    ),
    "comment": Rule(
        (
            (
                f"{_STACK}/deployment.jinja",
                "# The pod cannot start until its Secrets exist.",
                "# Its Secrets have to exist before the pod starts.",
            ),
        ),
        there=("# Its Secrets have to exist before the pod starts.",),
        gone=("# The pod cannot start",),
    ),
    "argument": Rule(
        (
            (
                f"{_STACK}/deployment.jinja",
                "  service_links,\n",
                "  service_links,\n  ['share_process_namespace', 'false'],\n",
            ),
        ),
        there=("share_process_namespace = false",),
    ),
    "value": Rule(
        ((f"{_STACK}/deployment.jinja", "replicas = {{ replicas }}", "replicas = {{ replicas + 2 }}"),),
        there=("replicas = 3",),
        gone=("replicas = 1",),
    ),
    "block": Rule(
        (
            (
                f"{_STACK}/deployment.jinja",
                "          port {\n",
                "          security_context {\n            run_as_non_root = true\n          }\n          port {\n",
            ),
        ),
        there=("run_as_non_root = true",),
    ),
    "resource": Rule(
        (
            (
                f"{_STACK}/service.jinja",
                'resource "kubernetes_service" "{{ names.label }}" {',
                'resource "terraform_data" "known" {\n  input = "known"\n}\n\n'
                'resource "kubernetes_service" "{{ names.label }}" {',
            ),
        ),
        there=('resource "terraform_data" "known" {',),
    ),
    "removed": Rule(
        ((f"{_STACK}/backup.jinja", "  ['successful_jobs_history_limit', 3],\n", ""),),
        gone=("successful_jobs_history_limit",),
    ),
    "lifecycle": Rule(
        (
            (
                "templates/decisions/house.yml",
                """    - {path: 'metadata[0].annotations["deployment.kubernetes.io/revision"]', of: deployment, marker: "", comment: ""}\n""",
                """    - {path: 'metadata[0].annotations["example.test/seen"]', marker: "", comment: SEEN}\n""",
            ),
        ),
        there=('metadata[0].annotations["example.test/seen"], # SEEN',),
        gone=("deployment.kubernetes.io/revision",),
    ),
    "renamed": Rule(renamed=("templates/stack/main.tf.jinja", "templates/stack/app.tf.jinja")),
}
"""Nine changes, each in a version of its own after the first one."""


def write(directory: Path, rules: Sequence[str] = tuple(RULES)) -> Path:
    """A repository with the templates at hand as ``v0.1.0``, and each rule as a version; returns it."""
    repository = directory / "template"
    repository.mkdir(parents=True)
    shutil.copy(template.root() / "copier.yml", repository)
    shutil.copytree(template.root() / "templates", repository / "templates", symlinks=True)
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "config", "user.name", "Robin Gardener")
    git(repository, "config", "user.email", "robin@example.test")
    _commit(repository, FIRST)
    for name in rules:
        git(repository, "checkout", "--quiet", FIRST)
        for path, old, new in RULES[name].edits:
            replace_in(repository / path, old, new)
        if renamed := RULES[name].renamed:
            git(repository, "mv", *renamed)
        _commit(repository, version(name))
    return repository


def version(rule: str) -> str:
    """The tag of the version that brings a rule."""
    return f"v0.2.0-{rule}"


def _commit(repository: Path, tag: str) -> None:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", tag)
    git(repository, "tag", tag)


def replace_in(path: Path, old: str, new: str) -> None:
    """Put one text in place of another, which has to stand there once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is not once in {path}"
    path.write_text(text.replace(old, new))


def put_stacks(monorepo: Monorepo, templates: Path, stacks: Iterable[str]) -> None:
    """Render stacks by the first version, and commit them."""
    for name in stacks:
        answers = yaml.safe_load((ANSWERS / "valid" / f"{name}.yml").read_text())
        origin = Origin(str(templates), FIRST, updatable=True)
        for path, content in render(answers, sense(monorepo), {}, origin).files.items():
            place = monorepo.stack_directory(name) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Symlink):
                place.symlink_to(content.target)
            else:
                place.write_bytes(content)
    git(monorepo.root, "add", "--all")
    git(monorepo.root, "commit", "--quiet", "--message", "Stacks")

"""All rules over an app's repository, and running them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scaffold.checks.rule import Kind, Rule, rules
from scaffold.errors import Finding
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Actions, Repository
from scaffold.reading import mapping, part


def check(repository: Repository, context: Context, chosen: Iterable[Rule] | None = None) -> list[Finding]:
    """What the rules find, sorted by place."""
    asked = rules(__package__, Kind.PIPELINE) if chosen is None else chosen
    found = {finding for rule in asked for finding in rule.check_pipeline(repository, context)}
    return sorted(found, key=lambda f: (f.path, f.line or 0, f.code, f.message, f.value or ""))


# GitHub's own documentation asks for the port of a service container by its number: job.services.db.ports[5432].
_NO_MISTAKE = 'property access of object must be type of string but got "number"'
_ACTIONLINT = ("-no-color", "-shellcheck=", "-pyflakes=", "-ignore", _NO_MISTAKE, "-format", "{{json .}}")


@dataclass(frozen=True, slots=True)
class Linted:
    """What ``actionlint`` said, or why it said nothing."""

    findings: tuple[Finding, ...] = ()
    failure: str = ""


def actionlint(repository: Repository) -> Linted:
    """What ``actionlint`` says about the workflows of GitHub Actions."""
    import json

    tool = shutil.which("actionlint")
    if tool is None:
        return Linted(failure="it is not on PATH")
    found: list[Finding] = []
    for workflow in repository.actions:
        try:
            done = subprocess.run(
                [tool, *_ACTIONLINT, "-stdin-filename", workflow.path, "-"],
                input=workflow.raw,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            return Linted(failure=f"it cannot be run: {error.strerror}")
        if done.returncode not in (0, 1):
            return Linted(failure=f"it failed: {done.stderr.strip() or f'exit {done.returncode}'}")
        try:
            problems: list[dict[str, Any]] = json.loads(done.stdout or "[]")
            own = _own_labels(workflow)
            found += [
                Finding(workflow.path, problem["line"], problem["column"], "actionlint", problem["message"])
                for problem in problems
                if not any(problem["message"].startswith(f'label "{label}" is unknown') for label in own)
            ]
        except (ValueError, KeyError, TypeError):
            return Linted(failure=f"it prints no list of problems: {done.stdout.strip()[:200]}")
    return Linted(tuple(found))


def _own_labels(workflow: Actions) -> set[str]:
    """The labels of self-hosted runners, whose names only their owner knows."""
    jobs = mapping(part(workflow.document.value, "jobs")).values()
    wanted = [part(job, "runs-on") for job in jobs]
    return {
        str(label)
        for labels in wanted
        if isinstance(labels, list) and "self-hosted" in labels
        for label in labels
    }

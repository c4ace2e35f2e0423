"""``scaffold next`` and ``scaffold restore``: what is left for a person to do, at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from scaffold.changes.change import is_ciphertext
from scaffold.changes.git import git
from scaffold.changes.step import Step, When
from scaffold.commands.service_entry import service_entry
from scaffold.commands.stored import stored_values
from scaffold.errors import MissingError
from scaffold.indexes.edits import insertions, lists_of
from scaffold.indexes.places import LISTS, file_of
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, template
from scaffold.templates.questions import Value

SETTINGS = "config.tfvars"


def next_steps(monorepo: Monorepo, name: str) -> tuple[Step, ...]:
    """What remains to be done until a Service with a stack runs, according to its recorded answers.

    Raises what :func:`~scaffold.commands.stored.stored_values` raises.
    """
    values = stored_values(monorepo, name)
    entry = service_entry(values)
    paths = [str(path) for path in lists_of(monorepo.files, entry)]
    manual = insertions(monorepo.files, entry).steps
    committed = False
    with suppress(MissingError):  # a monorepo that is no Git repository
        committed = not git(monorepo.root, "status", "--porcelain", "--", f"{monorepo.place(name)}", *paths)
    return stack_steps(monorepo, values, paths=paths, manual=manual, committed=committed)


def restore_steps(values: Mapping[str, Value]) -> tuple[Step, ...]:
    """How the volumes and databases of a Service with these combined values are restored, one step each."""
    return steps_of("restore", values)


def stack_steps(
    monorepo: Monorepo,
    values: Mapping[str, Value],
    *,
    paths: Iterable[str],
    manual: Iterable[Step],
    committed: bool,
    piped: bool = False,
    message: str = "",
    before: Mapping[str, Value] | None = None,
) -> tuple[Step, ...]:
    """What remains to be done until a stack with these combined values runs.

    ``paths`` are the files that it changes, ``manual`` what a person does elsewhere in the monorepo, and
    ``piped`` tells that the pipeline of its image is made along. ``message`` is that of the commit. Of a
    Service that had other values ``before``, only what is new is left, and what every apply asks for.
    """
    context = {
        **values,
        "operations": template.facts("operations"),
        "lists": {name: _there(monorepo, name) for name in decisions.house()[LISTS]},
        "nfs_server": monorepo.variable(values["facts"]["nfs_variable"]) or "",
        "checkout": _checkout(monorepo),
        "committed": committed,
        "paths": list(paths),
        "manual": [{"text": step.text, "command": step.command} for step in manual],
        "piped": piped,
        "message": message or f"{values['name']}: new Service",
        "had": before or {},
    }
    # By the current name: a renamed stack is not asked again for what it has.
    had = {**context, **(before or {}), "name": values["name"], "had": {}, "paths": [], "manual": []}
    done = steps_of("next_steps", had) if before else ()
    return tuple(step for step in steps_of("next_steps", context) if step.every_time or step not in done)


def _there(monorepo: Monorepo, lists: str) -> str:
    """The file with some lists, by its path from the root; empty if there is none."""
    path = file_of(monorepo.root, lists)
    return str(path) if path and (monorepo.root / path).exists() else ""


def steps_of(table: str, context: Mapping[str, Value]) -> tuple[Step, ...]:
    """The steps that a file of the decisions prints, given the values that it reads."""
    rows = decisions.evaluate(f"templates/decisions/{table}.jinja", context)
    return tuple(
        Step(
            row["text"],
            row["command"],
            When.AFTER_APPLY if row.get("after_apply") else When.NEXT,
            row.get("every_time", False),
        )
        for row in rows
    )


def _checkout(monorepo: Monorepo) -> dict[str, Value]:
    """If Terraform can read no settings here: the worktree to continue in, and this one."""
    here = {"locked": False, "elsewhere": "", "root": str(monorepo.root)}
    settings = monorepo.root / SETTINGS
    if settings.is_file() and not is_ciphertext(settings.read_bytes()):
        return here
    with suppress(MissingError):
        first = git(monorepo.root, "worktree", "list", "--porcelain", "-z").split("\0")[0]
        main = first.removeprefix("worktree ")
        here["elsewhere"] = main if main != here["root"] else ""
    return {**here, "locked": settings.is_file() or bool(here["elsewhere"])}

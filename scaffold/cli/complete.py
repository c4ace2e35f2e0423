"""What a shell completes: names of stacks, keys of answers, codes of rules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from scaffold.errors import ScaffoldError


def stacks(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The stacks of the monorepo that the command is about."""
    from scaffold.monorepo.root import find_root, stacks_home

    try:
        root = find_root(Path(context.params.get("monorepo_at") or Path.cwd()))
        return _fitting(
            (entry.name for entry in (root / stacks_home(root)).iterdir() if entry.is_dir()), incomplete
        )
    except (ScaffoldError, OSError):
        return []


def settings(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The keys of answers, ready for a value."""
    from scaffold.templates.questions import asked

    return _fitting((f"{name}=" for name in asked()), incomplete)


def codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The codes of rules, after those that stand there with a comma."""
    from scaffold.commands.rule import all_rules

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{code}" for code in _fitting((rule.code for rule in all_rules()), last.upper())]


def codes_and_stacks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The codes of rules that have an edit where the first word is one, then stacks."""
    from scaffold.commands.rule import all_rules

    if context.params.get("file") or context.params.get("named"):
        return stacks(context, parameter, incomplete)
    return _fitting((rule.code for rule in all_rules() if rule.fixes), incomplete.upper())


def drafts(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The names of the drafts for the monorepo that the command is about."""
    from scaffold.monorepo.root import find_root
    from scaffold.wizard.drafts import Drafts

    try:
        root = find_root(Path(context.params.get("monorepo_at") or Path.cwd()))
        return _fitting(Drafts.of(root).names, incomplete)
    except (ScaffoldError, OSError):
        return []


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})

"""The command ``sweep``: options to one call, its result to text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import complete, options, output
from scaffold.errors import Kind, RefusedError, UsageError, number_of

if TYPE_CHECKING:
    from scaffold.checks.rule import Rule


@click.command()
@click.argument("named", nargs=-1, metavar="CODE|STACK…", shell_complete=complete.codes_and_stacks)
@click.option(
    "--from", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="A rule of your own instead of CODE: declared in YAML, or a Python class.",
)  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@click.option(
    "--modules", is_flag=True,
    help="With --all: edit the shared modules instead, once for all stacks that call them.",
)  # fmt: skip
@click.option(
    "--accept", "accepted", multiple=True, metavar="STACK", shell_complete=complete.stacks,
    help="With --modules: edit them although this stack cannot be planned here; read its own plan.",
)  # fmt: skip
@click.option("--plan", "preview", is_flag=True, help="Only show what would change, and write nothing.")
@click.option(
    "--commit", "commits", type=click.Choice(["per-stack", "one"]), help="Commit only these changes."
)
@click.option(
    "--waves",
    type=click.Choice(["tier"]),
    help="Print what to apply in waves, the least critical tier first.",
)
@click.option(
    "--answers", "answered", type=click.Path(path_type=Path), metavar="FILE",
    help="A worklist with the answers that only a person can give.",
)  # fmt: skip
@click.option(
    "--worklist", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to write open questions; by default, sweep-CODE.yml in this directory.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(("text", "markdown")), default="text", help="The output format."
)
@options.monorepo
@options.as_json
def sweep(
    named: Sequence[str],
    file: Path | None,
    every: bool,
    modules: bool,
    accepted: Sequence[str],
    preview: bool,
    commits: str | None,
    waves: str | None,
    answered: Path | None,
    worklist: Path | None,
    form: str,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Roll out a rule to many stacks, within its contract.

    It exits with 4 if a stack is left to a person, and with 1 if only questions are open.

    For example: scaffold sweep LIF001 --all --plan
    """
    from scaffold.checks.rule import Kind as RuleKind
    from scaffold.cli.group import EXIT_CODES
    from scaffold.commands.check import stacks_at
    from scaffold.commands.sweep import sweep as prepare
    from scaffold.report import sweep as report
    from scaffold.report.progress import waiting
    from scaffold.sweeps import worklist as questions
    from scaffold.terraform.runner import at_once

    rule, named = _rule(named, file)
    if bool(named) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold sweep LIF001 --all --plan")
    if modules and not every:
        raise UsageError(
            "--modules goes with --all: an edit there reaches every stack that calls the module."
        )
    if accepted and not modules:
        raise UsageError("--accept goes with --modules: without it, such a stack is left and others are not.")
    if modules and rule.kind is not RuleKind.STACK:
        raise UsageError(f"{rule.code} is about planned resources.", "Leave out --modules.")
    if preview and commits:
        raise UsageError("--plan writes nothing.", "Leave out --commit.")
    answers = questions.Answers()
    if answered:
        answers = questions.read(answered.name, options.content(str(answered), "Name a worklist."))
    monorepo = options.find(monorepo_at, writes=not preview)
    stacks = monorepo.stacks if every else stacks_at(monorepo, named)
    allowed = stacks_at(monorepo, accepted) if accepted else ()
    with waiting("Sweeping …"):
        found = prepare(monorepo, rule, stacks, answers, modules=modules, accepted=allowed, workers=at_once())
    writes_list = bool(found.open) and not preview and answered is None
    target = worklist or Path(f"sweep-{rule.code}.yml")
    if writes_list and target.exists():
        raise RefusedError(
            f"{target} exists.", "Give its answers with --answers, or name another file with --worklist."
        )
    made = () if preview else found.write(commits=commits)
    if writes_list:
        again = ["scaffold", "sweep", *(["--from", str(file)] if file else [rule.code])]
        again += [*(["--all"] if every else named), *(["--modules"] if modules else [])]
        again += [word for stack in accepted for word in ("--accept", stack)]
        again += ["--answers", str(target)]
        target.write_text(questions.text(found.open, shlex.join(again)), "utf-8")
        asked = number_of(len(found.open), "question")
        told = f"{target}: {asked}. Answer them there, then: {shlex.join(again)}"
        output.print_lines([told], beside=True)
    by_tier, written = waves is not None, not preview
    listed = str(target) if writes_list else ""
    output.print_either(
        report.sweep_json(found, written=written, by_tier=by_tier, commits=made, worklist=listed),
        report.sweep_markdown(found, by_tier=by_tier)
        if form == "markdown"
        else report.sweep_text(found, written=written, by_tier=by_tier, commits=made),
        as_json=as_json,
    )
    return EXIT_CODES[Kind.REFUSED] if found.left else EXIT_CODES[Kind.FINDINGS] if found.open else 0


def _rule(named: Sequence[str], file: Path | None) -> tuple[Rule, Sequence[str]]:
    """The rule, and the stacks that are named beside it."""
    from scaffold.commands.rule import find
    from scaffold.sweeps.file import rule_from

    if file is not None:
        return rule_from(file), named
    if not named:
        raise UsageError(
            "Name a rule, or give a file with --from.", "For example: scaffold sweep LIF001 --all"
        )
    rule = find(named[0])
    if not rule.fixes:
        raise UsageError(
            f"{rule.code} has no automatic edit.",
            f"Fix it by hand (`scaffold rule {rule.code}`), or give your own edit with --from.",
        )
    return rule, named[1:]

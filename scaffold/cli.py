"""The command line: options to one command call, results to text, errors to exit codes.

Everything that costs is imported by the command that needs it, so that ``--help`` stays quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scaffold.errors import Kind, ScaffoldError, UsageError

if TYPE_CHECKING:
    from scaffold import compose
    from scaffold.answers import Answers
    from scaffold.monorepo import Monorepo

EXIT_CODES = {
    Kind.FINDINGS: 1,
    Kind.USAGE: 2,
    Kind.ANSWERS: 3,
    Kind.REFUSED: 4,
    Kind.VERIFICATION: 5,
    Kind.ENVIRONMENT: 6,
}
DEFECT = 70
INTERRUPTED = 130

_monorepo = click.option(
    "--monorepo", "monorepo_at", type=click.Path(path_type=Path), metavar="DIR",
    help="The monorepo; otherwise the one around the current directory.",
)  # fmt: skip
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
_answers = click.option(
    "--answers", "answer_files", multiple=True, metavar="FILE",
    help="An answer file, - for standard input. May be repeated; later ones hold over earlier ones.",
)  # fmt: skip
_settings = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE",
    help="One answer, such as memory=512Mi or volumes[0].size=2Gi. Holds over every file.",
)  # fmt: skip


_app_repo = click.option(
    "--app-repo", type=click.Path(path_type=Path), metavar="DIR",
    help="The clone of the app's own repository, for its pipeline.",
)  # fmt: skip
_overwrite = click.option(
    "--overwrite", is_flag=True, help="Replace files that the app's repository has; --dry-run shows the diff."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="homelab-scaffold", prog_name="scaffold")
def cli() -> None:
    """Scaffold new Services of a Terragrunt and Kubernetes monorepo."""


@cli.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Make a small sample monorepo in DIRECTORY, to try everything on."""
    from scaffold.demo import write

    write(directory)
    click.echo(f"A sample monorepo is in {directory}.")


@cli.command("new-service")
@_answers
@_settings
@_monorepo
@click.option("--dry-run", is_flag=True, help="Show the diff, write nothing.")
@click.option(
    "--verify",
    "level",
    type=click.Choice(["static", "plan"]),
    help="How far: static leaves the plan out, plan demands it. Otherwise the stack is planned where "
    "terraform or tofu is at hand.",
)
@click.option(
    "--no-index",
    "without_indexes",
    multiple=True,
    metavar="NAME",
    help="Leave one index alone; `scaffold index` lists them. May be repeated.",
)
@click.option("--commit", is_flag=True, help="Commit exactly the written files.")
@click.option("--template-source", metavar="URL", help="The template's Git URL that the stack records.")
@_app_repo
@_overwrite
@click.option("--plain", is_flag=True, help="Ask with numbered lines, for screen readers.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Go on with a draft: that of NAME, or the newest.",
)
@click.option(
    "--from-compose",
    "compose_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take defaults of answers from a docker-compose file; of secrets the names only.",
)
@_json
def new_service(
    answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None, dry_run: bool,
    level: str | None, without_indexes: Sequence[str], commit: bool, template_source: str | None,
    plain: bool, resume: str | None, compose_file: Path | None,
    app_repo: Path | None, overwrite: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make everything that a new Service needs. In a terminal without --answers it asks."""
    from scaffold import report
    from scaffold.commands.new_service import apply, prepare
    from scaffold.progress import waiting
    from scaffold.verify import Level

    monorepo = _find(monorepo_at)
    if not dry_run:
        _recover(monorepo, quiet=as_json)
    verify = Level(level) if level else None
    closing: tuple[str, ...] = ()
    asked = None
    given = _given(answer_files, settings)
    start = _compose(compose_file)
    if _asks(answer_files, settings, start is not None and resume is None, as_json=as_json):
        from scaffold import session

        place = [f"--monorepo={monorepo_at.resolve()}"] if monorepo_at else []
        place += [f"--template-source={template_source}"] if template_source else []
        place += [f"--no-index={name}" for name in without_indexes]
        options = session.Options(
            plain, resume, verify, template_source, tuple(without_indexes), tuple(place)
        )
        asked = session.run(monorepo, given, start, options)
        closing = asked.closing
        if asked.prepared is None:
            for line in closing:
                click.echo(line)
            return
        prepared, given = asked.prepared, asked.given
    elif resume is not None:
        raise UsageError(
            "--resume goes on with questions; answers on the command line leave none.", "Leave one out."
        )
    else:
        with waiting("Rendering, checking and planning …"):
            given = given.over(_defaults(start)) if start else given
            prepared = prepare(
                monorepo,
                given,
                level=verify,
                template_source=template_source,
                without_indexes=without_indexes,
            )
    if app_repo is not None:
        from scaffold.commands.new_service import with_pipeline
        from scaffold.commands.pipeline import app_root

        if not dry_run:
            _recover_at(app_root(app_repo), quiet=as_json)
        both = with_pipeline(
            monorepo,
            prepared,
            given,
            app_repo,
            overwrite=overwrite or dry_run,
            template_source=template_source,
        )
        made_both = None if dry_run else both.apply(commit=commit)
        for line in report.both(both, monorepo, written=not dry_run, commits=made_both, as_json=as_json):
            click.echo(line)
        return
    made = None if dry_run else apply(prepared, commit=commit)
    if asked is not None and not dry_run:
        session.forget(monorepo, asked.service)
    steps = prepared.next_steps(monorepo, committed=made is not None)
    if as_json:
        _print_json(report.service_json(prepared, steps, written=not dry_run, commit=made))
        return
    if dry_run and not prepared.unchanged:
        from scaffold.change import diff

        click.echo(diff(prepared.change), nl=False)
    for line in (*report.service_text(prepared, steps, written=not dry_run, commit=made), *closing):
        click.echo(line)


@cli.command()
@click.option("--service", metavar="NAME", help="Take the answers that this stack records.")
@_answers
@_settings
@_monorepo
@_app_repo
@click.option("--dry-run", is_flag=True, help="Show the diff, write nothing.")
@_overwrite
@click.option("--commit", is_flag=True, help="Commit exactly the written files.")
@click.option("--template-source", metavar="URL", help="The template's Git URL that the repository records.")
@_json
def pipeline(
    service: str | None, answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None,
    app_repo: Path | None, dry_run: bool, overwrite: bool, commit: bool, template_source: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make the pipeline of the app's own repository, from the answers of its Service."""
    from scaffold import report
    from scaffold.commands.pipeline import answers_of, app_root, apply_pipeline, prepare_pipeline

    if app_repo is None:
        raise UsageError("The app's repository is missing.", "Name its clone with --app-repo DIR.")
    monorepo = _find(monorepo_at)
    if not (answer_files or settings or service):
        raise UsageError(
            "No answers were given.", "Give --answers FILE, or --service NAME for those of a stack."
        )
    given = _given(answer_files, settings)
    if service:
        given = given.over(answers_of(monorepo, service))
    if not dry_run:
        _recover_at(app_root(app_repo), quiet=as_json)
    prepared = prepare_pipeline(
        monorepo, given, app_repo, overwrite=overwrite or dry_run, template_source=template_source
    )
    made = None if dry_run else apply_pipeline(prepared, commit=commit)
    if as_json:
        _print_json(report.pipeline_json(prepared, written=not dry_run, commit=made))
        return
    if dry_run and not prepared.unchanged:
        from scaffold.change import diff

        click.echo(diff(prepared.change), nl=False)
    for line in report.pipeline_text(prepared, written=not dry_run, commit=made):
        click.echo(line)


@cli.command()
@click.option(
    "--pipelines", type=click.Path(path_type=Path), metavar="DIR", required=True,
    help="An app's repository: its pipelines and Dockerfiles.",
)  # fmt: skip
@_json
def check(pipelines: Path, as_json: bool) -> int:
    """Hold what stands in a repository against the rules; exit 1 where something is found."""
    from scaffold import report
    from scaffold.commands.check_pipelines import check_pipelines

    found = check_pipelines(pipelines)
    if as_json:
        _print_json(report.pipeline_report_json(found))
    else:
        for line in report.pipeline_report_text(found):
            click.echo(line)
    return int(bool(found.findings))


@cli.command()
@_answers
@_settings
@_monorepo
@_json
def explain(
    answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None, as_json: bool
) -> None:
    """Show what is decided from answers, and why."""
    from scaffold import report
    from scaffold.commands.explain import explain as decide

    given = _given(answer_files, settings)
    made = decide(given, _find(monorepo_at) if monorepo_at else None)
    if as_json:
        _print_json({"decisions": [report.decision_json(decision) for decision in made]})
    else:
        import shutil

        click.echo(report.decisions_text(made, shutil.get_terminal_size((120, 24)).columns))


@cli.command()
@click.option("--format", "form", type=click.Choice(["json", "markdown"]), default="json", show_default=True)
def schema(form: str) -> None:
    """Print the JSON Schema of answer files, or the same as documentation."""
    from scaffold.commands.schema import markdown
    from scaffold.questions import schema as build

    if form == "markdown":
        click.echo(markdown(), nl=False)
    else:
        _print_json(build())


@cli.command()
@click.argument("stacks", nargs=-1, metavar="STACK…")
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@click.option("--against", metavar="REV", help="Show the difference from a Git revision.")
@click.option("--exit-code", is_flag=True, help="With --against: exit 1 where there is a difference.")
@_monorepo
@_json
def plan(
    stacks: Sequence[str],
    every: bool,
    against: str | None,
    exit_code: bool,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Show what Terraform would create for stacks: no cluster, no credentials, no provider binaries."""
    import os

    from scaffold.commands.plan import plan as plan_stacks

    monorepo = _find(monorepo_at)
    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold plan drone-logbook")
    names = monorepo.stacks if every else stacks
    plans = plan_stacks(monorepo.root, names, against=against, workers=min(len(names), os.cpu_count() or 1))
    if as_json:
        _print_json(plans.to_json())
    else:
        click.echo(plans.to_text(), nl=False)
    return int(not plans.ok or (exit_code and plans.differs))


@cli.command()
@click.option(
    "--schemas",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the provider schemas that `terraform providers schema -json` printed.",
)
@_monorepo
@_json
def doctor(file: Path | None, monorepo_at: Path | None, as_json: bool) -> None:
    """Show what is at hand: tools, templates, monorepo, versions of the provider schemas."""
    from scaffold import report
    from scaffold.commands.doctor import diagnose, store_schemas

    stored = store_schemas(file) if file else ()
    try:
        monorepo = _find(monorepo_at)
    except ScaffoldError:
        if monorepo_at:
            raise
        monorepo = None
    found = diagnose(monorepo)
    if as_json:
        _print_json(report.diagnosis_json(found))
        return
    for schema in stored:
        click.echo(f"{schema.provider} {schema.version or '(version unknown)'}: schema stored.")
    for line in report.diagnosis_text(found):
        click.echo(line)


@cli.command()
@click.option(
    "--check", "check_only", is_flag=True, help="Compare with all stacks; exit 1 where they disagree."
)
@click.option("--fix", is_flag=True, help="Add what is missing and certain, and list the rest.")
@_monorepo
@_json
def index(check_only: bool, fix: bool, monorepo_at: Path | None, as_json: bool) -> int:
    """Show the lists outside the stacks that Services belong in, and where they drift from the stacks."""
    from scaffold import report_indexes as report
    from scaffold.commands import index as command

    monorepo = _find(monorepo_at)
    if not check_only and not fix:
        states = command.show(monorepo)
        _print(report.states_json(states), report.states_text(states), as_json=as_json)
        return 0
    if fix:
        from scaffold.apply import apply

        _recover(monorepo, quiet=as_json)
        mended = command.fix(monorepo)
        apply(mended.change)
        found = mended.rest
    else:
        found = command.check(monorepo)
    _print(report.drift_json(found), report.drift_text(found), as_json=as_json)
    return int(bool(found))


@cli.command("remove-service")
@click.argument("name")
@click.option("--write", is_flag=True, help="Do it. Otherwise it is only shown.")
@click.option("--commit", is_flag=True, help="With --write: commit exactly these changes.")
@_monorepo
@_json
def remove_service(name: str, write: bool, commit: bool, monorepo_at: Path | None, as_json: bool) -> None:
    """Take a Service out: its stack, and what the indexes say of it and of nobody else."""
    from scaffold import report_indexes as report
    from scaffold import template
    from scaffold.apply import apply
    from scaffold.commands.remove_service import plan_removal
    from scaffold.commit import commit as record

    monorepo = _find(monorepo_at)
    if write:
        _recover(monorepo, quiet=as_json)
    removal = plan_removal(monorepo, name, template.facts("operations")["apply"])
    if write:
        apply(removal.change)
        if commit:
            record(removal.change, f"{name}: removed")
    _print(
        report.removal_json(removal, written=write),
        report.removal_text(removal, written=write),
        as_json=as_json,
    )


def main() -> NoReturn:
    """Run the command line and exit with the code that the kind of its outcome has."""
    as_json = "--json" in sys.argv[1:]
    try:
        result: Any = cli.main(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except ScaffoldError as error:
        _fail(error, as_json)
    except click.UsageError as error:
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else ""
        _fail(UsageError(error.format_message(), hint), as_json)
    except (click.Abort, KeyboardInterrupt) as stop:
        click.echo("Interrupted; nothing was written.", err=True)
        if command := getattr(stop.__cause__ or stop, "command", ""):
            click.echo(f"A draft is kept. To go on:\n  {command}", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # the last resort: a defect is told as one
        import traceback

        traceback.print_exc()
        click.echo(
            f"This is a defect of scaffold ({type(error).__name__}); no file is half-written. "
            "Please report it with the lines above.",
            err=True,
        )
        sys.exit(DEFECT)


def _fail(error: ScaffoldError, as_json: bool) -> NoReturn:
    from scaffold import report

    if as_json:
        _print_json(report.error_json(error))
    else:
        click.echo(report.error_text(error), err=True)
    sys.exit(EXIT_CODES[error.kind])


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print(value: object, lines: Iterable[str], *, as_json: bool) -> None:
    """One of the two forms of a result."""
    if as_json:
        _print_json(value)
    else:
        for line in lines:
            click.echo(line)


def _find(monorepo_at: Path | None) -> Monorepo:
    from scaffold.monorepo import Monorepo

    return Monorepo.find(monorepo_at or Path.cwd())


def _recover(monorepo: Monorepo, *, quiet: bool) -> None:
    """Finish or undo what an interrupted run left behind, before anything new is written."""
    _recover_at(monorepo.root, quiet=quiet)


def _recover_at(root: Path, *, quiet: bool) -> None:
    from scaffold.apply import recover

    reached = recover(root)
    if reached is not None and not quiet:
        click.echo(f"An interrupted change was found; now every file is {reached.value}.", err=True)


def _given(answer_files: Iterable[str], settings: Sequence[str]) -> Answers:
    """The answers of all files and settings."""
    from scaffold.answers import read

    return read([_read(name) for name in answer_files], settings)


def _compose(path: Path | None) -> compose.Draft | None:
    if path is None:
        return None
    from scaffold.session import starting_point

    return starting_point(path)


def _defaults(start: compose.Draft) -> Answers:
    """What a compose file gives, as answers below all others."""
    from scaffold.answers import Answers, Place

    return Answers(start.answers, {(name,): Place("the compose file") for name in start.answers})


def _asks(answer_files: Sequence[str], settings: Sequence[str], start: bool, *, as_json: bool) -> bool:
    """Whether to ask questions: without an answer file, in a terminal. Without one it is an error."""
    if answer_files or as_json:
        return False
    if sys.stdin.isatty() and sys.stdout.isatty():
        return True
    if settings or start:
        return False
    raise UsageError(
        "There is no terminal to ask questions in.",
        "Give --answers FILE (or - for standard input); `scaffold schema` tells what belongs in it.",
    )


def _read(name: str) -> tuple[str, bytes]:
    if name == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return name, Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.", "Name an answer file.") from error

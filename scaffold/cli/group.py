"""All commands as one group of click's, and what becomes of their outcome: the exit code, the error's text.

Each command is a module of this package, imported when it is needed; what costs is imported by the
command that needs it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from scaffold import errors
from scaffold.changes.signals import ended_by_exception, no_more_interrupts
from scaffold.errors import MissingError, ScaffoldError, UsageError, nearest

COMMANDS = (
    "demo",
    "init",
    "new-service",
    "change",
    "rename",
    "next",
    "restore",
    "explain",
    "schema",
    "pipeline",
    "plan",
    "status",
    "check",
    "rule",
    "sweep",
    "index",
    "update",
    "adopt",
    "remove-service",
    "drafts",
    "doctor",
    "skill",
    "completion",
    "template",
)
"""The commands in the order of the help. Each is a function of its own name in a module of its own name."""

EXIT_CODES = {kind: failure.code for kind, failure in errors.FAILURES.items()}
DEFECT = errors.DEFECT.code
INTERRUPTED = errors.INTERRUPTED.code


class LazyGroup(click.Group):
    """A group whose commands are imported when they are looked up."""

    def list_commands(self, context: click.Context) -> list[str]:
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """All commands with the whole first sentence of their help, however narrow the terminal is."""
        found = ((name, self.get_command(context, name)) for name in COMMANDS)
        with formatter.section("Commands"):
            formatter.write_dl([(name, made.get_short_help_str(200)) for name, made in found if made])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or nothing where there is none."""
        if name not in COMMANDS:
            return None
        function = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"scaffold.cli.{function}"), function)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does. Raises :class:`UsageError` for a command that is none, with the nearest one."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(
                f"There is no command {args[0]}.", nearest(args[0], COMMANDS) or "See `scaffold --help`."
            )
        return super().resolve_command(context, args)


def _versions(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """What a report of a defect needs: the versions of the product, of its templates and of Terraform."""
    if not asked:
        return
    from scaffold.templates import template
    from scaffold.terraform.runner import find_tool, with_version

    origin = template.origin()
    click.echo(f"scaffold {template.version()}")
    click.echo(f"templates {origin.version} from {origin.source}")
    try:
        tool = with_version(find_tool())
        click.echo(f"{tool.name} {tool.version}")
    except MissingError as error:
        click.echo(f"terraform: {error.message}")
    context.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_versions,
    help="Show versions (scaffold, templates, Terraform) and exit.",
)  # fmt: skip
@click.pass_context
def cli(context: click.Context) -> None:
    """Create, change and check the Services of a homelab monorepo.

    For example: scaffold new-service --set name=kit --set image=own/kit:1.2.0
    """
    if context.invoked_subcommand is not None:
        return
    if sys.stdout.isatty():
        from scaffold.cli.output import print_lines
        from scaffold.cli.overview import overview

        print_lines(overview())
    else:
        click.echo(context.get_help())


def run() -> NoReturn:
    """Run the command line and exit with the code that the kind of its outcome has."""
    _prepare_streams()
    with ended_by_exception():
        _main("--json" in sys.argv[1:])


def _main(as_json: bool) -> NoReturn:
    try:
        result: Any = cli.main(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(result if isinstance(result, int) else 0)
    except ScaffoldError as error:
        _fail(error, as_json)
    except OSError as error:
        refused(error, as_json=as_json)
    except click.UsageError as error:
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else ""
        _fail(UsageError(error.format_message(), hint), as_json)
    except (click.Abort, KeyboardInterrupt) as stop:
        no_more_interrupts()  # what waits for threads stays quiet
        command = getattr(stop.__cause__ or stop, "command", None)
        # In the middle of the questions, nothing has begun; elsewhere, a whole change may be written.
        state = "nothing was written" if command is not None else "no file is half-written"
        click.echo(f"Interrupted; {state}.", err=True)
        if command:
            click.echo(f"A draft is kept. To go on:\n  {command}", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:  # the last resort: a defect is reported as one
        import traceback

        traceback.print_exc()
        click.echo(
            f"This is a defect of scaffold ({type(error).__name__}); no file is half-written. "
            "Please report it with the lines above.",
            err=True,
        )
        sys.exit(DEFECT)


def _prepare_streams() -> None:
    """Whatever the caller has closed, or takes no Unicode: what is told hurts nobody who cannot hear it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (until the end)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def refused(error: OSError, *, as_json: bool) -> NoReturn:
    """Tell what the system refused as what is wrong outside, for nothing of it is ours to fix, and exit."""
    what = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        problem = MissingError(f"{os.fsdecode(error.filename)}: {what}.", "Check that file or directory.")
    else:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "Free some disk space." if full else "Check this machine."
        problem = MissingError(f"The system reports: {what}.", hint)
    _fail(problem, as_json)


def _fail(error: ScaffoldError, as_json: bool) -> NoReturn:
    from scaffold.cli.output import print_error, print_json
    from scaffold.report.findings import error_json

    with suppress(OSError):  # nobody may be listening; the exit code still counts
        if as_json:
            print_json(error_json(error))
        else:
            print_error(error)
    sys.exit(EXIT_CODES[error.kind])

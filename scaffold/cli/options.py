"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scaffold.cli import complete, output
from scaffold.errors import MissingError, UsageError

if TYPE_CHECKING:
    from scaffold.answers.sources import Answers
    from scaffold.monorepo.repository import Monorepo

_F = TypeVar("_F", bound="Callable[..., Any]")

monorepo = click.option(
    "--monorepo", "monorepo_at", type=click.Path(path_type=Path), metavar="DIR",
    help="The monorepo; by default, the one around the current directory.",
)  # fmt: skip
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
answers = click.option(
    "--answers", "answer_files", multiple=True, metavar="FILE",
    help="An answer file, or - for standard input. May be repeated; later files override earlier ones.",
)  # fmt: skip
settings = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", shell_complete=complete.settings,
    help="One answer, such as memory=512Mi, volumes[thumbs].size=2Gi or volumes[+]=/x=2Gi. Overrides files.",
)  # fmt: skip
app_repo = click.option(
    "--app-repo", type=click.Path(path_type=Path), metavar="DIR",
    help="The clone of the app's own repository, for its pipeline.",
)  # fmt: skip
level = click.option(
    "--verify", "level", type=click.Choice(["static", "plan"]),
    help="How thoroughly: static skips the plan, plan requires it. By default, the stack is planned if "
    "terraform or tofu is available.",
)  # fmt: skip


def accept(*codes: str) -> Callable[[_F], _F]:
    """The option ``--accept`` with these codes."""
    return click.option(
        "--accept", "accepted", multiple=True, metavar="CODE", type=click.Choice(codes),
        help=f"Allow {', '.join(codes)}. The message that asks for it names the code.",
    )  # fmt: skip


def in_terminal() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


without_indexes = click.option(
    "--no-index", "without_indexes", multiple=True, metavar="NAME",
    help="Leave one index alone; `scaffold index` lists them. May be repeated.",
)  # fmt: skip
plain = click.option("--plain", is_flag=True, help="Ask with numbered lines, for screen readers.")


def _source(_: click.Context, __: click.Parameter, source: str | None) -> str | None:
    from scaffold.templates.template import checked_source

    return None if source is None else checked_source(source)


template_source = click.option(
    "--template-source", metavar="URL", callback=_source,
    help="The Git URL or directory of the templates, recorded for stock Copier.",
)  # fmt: skip
select = click.option(
    "--select", multiple=True, metavar="CODES", shell_complete=complete.codes,
    help="Only these rules or families of rules, such as ING,STO002.",
)  # fmt: skip
ignore = click.option(
    "--ignore", multiple=True, metavar="CODES", shell_complete=complete.codes,
    help="Skip these rules or families of rules.",
)  # fmt: skip
baseline = click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Leave out the findings listed there."
)
update_baseline = click.option("--update-baseline", is_flag=True, help="Write all findings to the baseline.")
overwrite = click.option(
    "--overwrite", is_flag=True,
    help="Replace existing files in the app's repository; --dry-run shows the diff.",
)  # fmt: skip


def codes(given: Iterable[str]) -> tuple[str, ...]:
    """The codes of ``--select`` or ``--ignore``."""
    return tuple(code.strip() for text in given for code in text.split(",") if code.strip())


def find(monorepo_at: Path | None, *, writes: bool = False) -> Monorepo:
    """The monorepo that ``--monorepo`` names, or the one around the current directory.

    A command that ``writes`` holds it until its end; any other is told where it is half-written.
    """
    from scaffold.monorepo.repository import Monorepo

    found = Monorepo.find(monorepo_at or Path.cwd())
    opened(found.root, writes=writes)
    return found


def around(monorepo_at: Path | None) -> Monorepo | None:
    """The same, for a command that works without one too: nothing where there is none to find."""
    from scaffold.monorepo.root import find_root

    if monorepo_at is None:
        try:
            find_root(Path.cwd())
        except MissingError:
            return None
    return find(monorepo_at)


def opened(root: Path, *, writes: bool) -> None:
    """Begin to work in a repository, until the end of the command: hold it, or tell what is wrong with it."""
    if writes:
        click.get_current_context().with_resource(output.writing(root))
    else:
        output.reading(root)


def given(answer_files: Iterable[str], settings: Sequence[str]) -> Answers:
    """The answers of all files and settings. Raises :class:`UsageError` for a file that is not there."""
    from scaffold.answers.settings import read

    return read([_read(name) for name in answer_files], settings)


def over(answer_files: Iterable[str], settings: Sequence[str]) -> Callable[[Answers], Answers]:
    """What lays files and settings over answers that are there; a setting may be about a part of those."""
    from scaffold.answers.settings import from_settings

    files = given(answer_files, ())
    from_settings(settings, files)  # a key that no answer could have is reported before anything is planned
    return lambda present: from_settings(settings, files.over(present))


def _read(name: str) -> tuple[str, bytes]:
    if name == "-":
        if sys.stdin is None:
            raise UsageError("Standard input is closed.", "Give the answers there, or name an answer file.")
        return "standard input", sys.stdin.buffer.read()
    return name, content(name, "Name an answer file.")


def content(name: str, hint: str) -> bytes:
    """What a file holds. Raises :class:`UsageError` with the hint for one that cannot be read."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.", hint) from error

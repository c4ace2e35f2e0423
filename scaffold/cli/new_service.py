"""The command ``new-service``: from an answer file, or from questions in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import options, output
from scaffold.errors import ScaffoldError, UsageError

if TYPE_CHECKING:
    from scaffold.answers.compose.report import Report
    from scaffold.answers.compose.translation import Draft
    from scaffold.answers.sources import Answers
    from scaffold.monorepo.repository import Monorepo


@click.command("new-service")
@click.argument("name", required=False)
@options.answers
@options.settings
@options.monorepo
@click.option("--dry-run", is_flag=True, help="Show the diff, and write nothing.")
@options.level
@options.without_indexes
@click.option("--commit", is_flag=True, help="Commit only the written files.")
@options.template_source
@click.option(
    "--beside", "own_paths", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="A Terraform file of your own, for what no answer can say: it is copied into the stack, and "
    "verified and planned with it. May be repeated.",
)  # fmt: skip
@options.app_repo
@options.overwrite
@options.plain
@click.option(
    "--resume", is_flag=False, flag_value="", metavar="[NAME]",
    help="Resume a draft: that of NAME, or the newest.",
)  # fmt: skip
@click.option(
    "--from-compose", "compose_file", type=click.Path(path_type=Path), metavar="FILE",
    help="Take default answers from a docker-compose file, or a directory that has one; of secrets, only "
    "the names.",
)  # fmt: skip
@click.option(
    "--compose-service",
    metavar="NAME",
    help="The service in that file that is the app, if not the one that visitors reach.",
)
@options.as_json
def new_service(
    name: str | None, answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None,
    dry_run: bool, level: str | None, without_indexes: Sequence[str], commit: bool,
    template_source: str | None, plain: bool, resume: str | None, compose_file: Path | None,
    compose_service: str | None, own_paths: Sequence[Path], app_repo: Path | None, overwrite: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Create everything that a new Service needs. In a terminal, without --answers, it asks.

    For example: scaffold new-service --answers kit.yml --dry-run
    """
    from scaffold.changes.commit import demand_identity
    from scaffold.checks.verify import Level
    from scaffold.commands.beside import read

    settings = (*settings, *([f"name={name}"] if name is not None else ()))
    over = options.over(answer_files, settings)
    asks = _asks(answer_files, settings, compose_file is not None and resume is None, as_json=as_json)
    start = _starting_point(compose_file, compose_service, asks=asks, plain=plain)
    given = _given(start, over)
    start = start.beside(given.values) if start else None
    # While a person answers, others may write: then the change is refused if they wrote the same files.
    held = not (dry_run or asks)
    monorepo = options.find(monorepo_at, writes=held)
    roots = [monorepo.root]
    if app_repo is not None:
        from scaffold.commands.pipeline import app_root

        roots.append(app_root(app_repo))
        options.opened(roots[-1], writes=held)
    own_files = read(own_paths)
    how = Level(level) if level else None
    imported = start.report if start else None
    finish = partial(output.finish, monorepo, write=not dry_run, as_json=as_json, imported=imported)
    if asks:
        from scaffold.wizard import session

        for root in roots if not dry_run else ():
            if commit:
                demand_identity(root)
            with output.writing(root):
                pass
        arguments = _arguments(monorepo_at, template_source, level, without_indexes, own_paths, commit=commit)
        wizard = session.Options(
            plain, resume, how, template_source, tuple(without_indexes), tuple(arguments), app_repo, own_files
        )
        asked = session.run(monorepo, given, start, wizard)
        if asked.prepared is not None:
            finish(asked.prepared, commit=commit or asked.commit)
            if not dry_run:
                session.forget(monorepo, asked.service)
        output.print_lines(asked.closing)
        return
    if resume is not None:
        raise UsageError(
            "--resume continues with questions and cannot be combined with --answers.",
            "Leave one of them out.",
        )
    from scaffold.commands.new_service import prepare
    from scaffold.report.progress import waiting

    given = given.over(_defaults(start, monorepo)) if start else given
    with _telling_of_the_import(imported, as_json=as_json):
        with waiting("Rendering, checking and planning …"):
            prepared = prepare(
                monorepo, given, app_repo, overwrite=overwrite or dry_run, level=how,
                template_source=template_source, without_indexes=without_indexes, own_files=own_files,
            )  # fmt: skip
        finish(prepared, commit=commit)


@contextmanager
def _telling_of_the_import(imported: Report | None, *, as_json: bool) -> Iterator[None]:
    """Tell what became of the compose file, if one was read, whatever becomes of the answers."""
    if imported is None:
        yield
        return
    from scaffold.report.imported import import_json, import_text

    if not as_json:
        output.print_lines(import_text(imported), beside=True)
    try:
        yield
    except ScaffoldError as error:
        error.beside = {"import": import_json(imported)}
        raise


def _arguments(
    place: Path | None, template_source: str | None, level: str | None, without_indexes: Sequence[str],
    own_paths: Sequence[Path], *, commit: bool,
) -> Iterator[str]:  # fmt: skip
    """The options of this run that are no answers, for the command that goes on or does it again."""
    if place:
        yield f"--monorepo={place.resolve()}"
    if template_source:
        yield f"--template-source={template_source}"
    if level:
        yield f"--verify={level}"
    yield from (f"--no-index={name}" for name in without_indexes)
    yield from (f"--beside={path.resolve()}" for path in own_paths)
    if commit:
        yield "--commit"


def _starting_point(path: Path | None, service: str | None, *, asks: bool, plain: bool) -> Draft | None:
    """What a compose file gives; where several services are as likely the app, a person says which it is."""
    if path is None:
        if service is not None:
            raise UsageError(
                "--compose-service names a service of a compose file.", "Give --from-compose FILE."
            )
        return None
    from scaffold.answers.compose.translation import translate

    start = translate(path, service)
    if asks and len(start.likely) > 1:
        from scaffold.wizard.session import likely_app

        start = translate(path, likely_app(start, plain=plain))
    return start


def _given(start: Draft | None, over: Callable[[Answers], Answers]) -> Answers:
    """What files and settings say; a setting may be about an item that a compose file gives."""
    from scaffold.answers.sources import Answers

    below = start.answers if start else {}
    found = over(Answers(dict(below)))
    values = {n: v for n, v in found.values.items() if n not in below or v != below[n]}
    places = {path: at for path, at in found.places.items() if not path or path[0] in values}
    return replace(found, values=values, places=places)


def _defaults(start: Draft, monorepo: Monorepo) -> Answers:
    """What a compose file gives, as answers below all others; what is built from source is built as usual."""
    from scaffold.answers.sources import Answers, Place
    from scaffold.commands.pipeline import usual_build
    from scaffold.monorepo.sensing import sense

    answers = Answers(start.answers, {(name,): Place("the compose file") for name in start.answers})
    if start.from_source:
        build = {"build": usual_build(sense(monorepo))}
        return answers.over(Answers(build, {("build",): Place("the monorepo")}))
    return answers


def _asks(answer_files: Sequence[str], settings: Sequence[str], start: bool, *, as_json: bool) -> bool:
    """Whether to ask questions: without an answer file, in a terminal. Without one it is an error."""
    if answer_files or as_json:
        return False
    if options.in_terminal():
        return True
    if settings or start:
        return False
    raise UsageError(
        "There is no terminal to ask questions in.",
        "Give --answers FILE (or - for standard input); `scaffold schema` describes it.",
    )

"""The command ``new-service``: from an answer file, or from questions in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import options, output
from scaffold.errors import ScaffoldError, UsageError
from scaffold.frozen import dataclass

if TYPE_CHECKING:
    from scaffold.answers.compose.report import Report
    from scaffold.answers.compose.translation import Draft
    from scaffold.answers.sources import Answers
    from scaffold.checks.verify import Level
    from scaffold.commands.beside import OwnFile
    from scaffold.commands.prepared import Prepared
    from scaffold.monorepo.repository import Monorepo
    from scaffold.wizard import session


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
    making = Making(
        monorepo,
        Level(level) if level else None,
        template_source,
        tuple(without_indexes),
        read(own_paths),
        app_repo,
        dry_run=dry_run,
        commit=commit,
        as_json=as_json,
        imported=start.report if start else None,
    )
    if asks:
        for root in roots if not dry_run else ():
            if commit:
                demand_identity(root)
            with output.writing(root):
                pass
        making.ask(given, start, plain=plain, resume=resume, place=monorepo_at)
    elif resume is not None:
        raise UsageError(
            "--resume continues with questions and cannot be combined with --answers.",
            "Leave one of them out.",
        )
    else:
        given = given.over(_defaults(start, monorepo)) if start else given
        with making.telling_of_the_import():
            making.finish(making.prepare(given, overwrite=overwrite))


@dataclass(frozen=True, slots=True)
class Making:
    """What every way of ``new-service`` needs."""

    monorepo: Monorepo
    level: Level | None
    template_source: str | None
    without_indexes: tuple[str, ...]
    own_files: tuple[OwnFile, ...]
    app_repo: Path | None
    dry_run: bool
    commit: bool
    as_json: bool
    imported: Report | None = None
    """What became of a compose file, if one was read."""

    @contextmanager
    def telling_of_the_import(self) -> Iterator[None]:
        """Tell what became of the compose file, whatever becomes of the answers."""
        if self.imported is None:
            yield
            return
        from scaffold.report.imported import import_json, import_text

        if not self.as_json:
            output.print_notes(import_text(self.imported))
        try:
            yield
        except ScaffoldError as error:
            error.beside = {"import": import_json(self.imported)}
            raise

    def prepare(self, given: Answers, *, overwrite: bool) -> Prepared:
        """The change that the answers lead to."""
        from scaffold.commands.new_service import prepare
        from scaffold.report.progress import waiting

        with waiting("Rendering, checking and planning …"):
            return prepare(
                self.monorepo,
                given,
                self.app_repo,
                overwrite=overwrite or self.dry_run,
                level=self.level,
                template_source=self.template_source,
                without_indexes=self.without_indexes,
                own_files=self.own_files,
            )

    def ask(
        self,
        given: Answers,
        start: Draft | None,
        *,
        plain: bool,
        resume: str | None,
        place: Path | None,
    ) -> None:
        """Ask in the terminal, then write what was applied."""
        from scaffold.wizard import session

        asked = session.run(
            self.monorepo,
            given,
            start,
            session.Options(
                plain,
                resume,
                self.level,
                self.template_source,
                self.without_indexes,
                tuple(self._arguments(place)),
                self.app_repo,
                self.own_files,
            ),
        )
        if asked.prepared is None:
            output.print_lines(asked.closing)
        else:
            replace(self, commit=self.commit or asked.commit).finish(asked.prepared, asked)

    def _arguments(self, place: Path | None) -> Iterator[str]:
        """The options of this run that are no answers, for the command that goes on or does it again."""
        if place:
            yield f"--monorepo={place.resolve()}"
        if self.template_source:
            yield f"--template-source={self.template_source}"
        if self.level:
            yield f"--verify={self.level.value}"
        yield from (f"--no-index={name}" for name in self.without_indexes)
        yield from (f"--beside={file.source.resolve()}" for file in self.own_files)
        if self.commit:
            yield "--commit"

    def finish(self, prepared: Prepared, asked: session.Asked | None = None) -> None:
        """Write what is prepared, in one repository or in both, and tell of it."""
        output.finish(
            self.monorepo,
            prepared,
            write=not self.dry_run,
            commit=self.commit,
            as_json=self.as_json,
            imported=self.imported,
        )
        if asked is not None and not self.dry_run:
            from scaffold.wizard.session import forget

            forget(self.monorepo, asked.service)
        output.print_lines(asked.closing if asked else ())


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
    from scaffold.commands.pipeline import with_own_build
    from scaffold.monorepo.sensing import sense

    answers = Answers(start.answers, {(name,): Place("the compose file") for name in start.answers})
    return with_own_build(answers, sense(monorepo)) if start.from_source else answers


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

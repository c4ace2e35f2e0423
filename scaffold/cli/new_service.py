"""The command ``new-service``: from an answer file, or from questions in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import options, output
from scaffold.errors import UsageError

if TYPE_CHECKING:
    from scaffold.answers import compose
    from scaffold.answers.sources import Answers
    from scaffold.checks.verify import Level
    from scaffold.commands.prepared import Prepared
    from scaffold.monorepo.repository import Monorepo
    from scaffold.wizard import session


@click.command("new-service")
@options.answers
@options.settings
@options.monorepo
@click.option("--dry-run", is_flag=True, help="Show the diff, write nothing.")
@options.level
@options.without_indexes
@click.option("--commit", is_flag=True, help="Commit exactly the written files.")
@options.template_source
@options.app_repo
@options.overwrite
@options.plain
@click.option(
    "--resume", is_flag=False, flag_value="", metavar="[NAME]",
    help="Go on with a draft: that of NAME, or the newest.",
)  # fmt: skip
@click.option(
    "--from-compose", "compose_file", type=click.Path(path_type=Path), metavar="FILE",
    help="Take defaults of answers from a docker-compose file; of secrets the names only.",
)  # fmt: skip
@options.as_json
def new_service(
    answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None, dry_run: bool,
    level: str | None, without_indexes: Sequence[str], commit: bool, template_source: str | None,
    plain: bool, resume: str | None, compose_file: Path | None,
    app_repo: Path | None, overwrite: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make everything that a new Service needs. In a terminal without --answers it asks."""
    from scaffold.checks.verify import Level

    given = options.given(answer_files, settings)
    start = _starting_point(compose_file)
    asks = _asks(answer_files, settings, start is not None and resume is None, as_json=as_json)
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
        app_repo,
        dry_run=dry_run,
        commit=commit,
        as_json=as_json,
    )
    if asks:
        for root in roots if not dry_run else ():
            with output.writing(root):
                pass
        making.ask(given, start, plain=plain, resume=resume, place=monorepo_at)
    elif resume is not None:
        raise UsageError(
            "--resume goes on with questions; answers on the command line leave none.", "Leave one out."
        )
    else:
        given = given.over(_defaults(start)) if start else given
        making.finish(making.prepare(given, overwrite=overwrite))


@dataclass(frozen=True, slots=True)
class Making:
    """What every way of ``new-service`` needs."""

    monorepo: Monorepo
    level: Level | None
    template_source: str | None
    without_indexes: tuple[str, ...]
    app_repo: Path | None
    dry_run: bool
    commit: bool
    as_json: bool

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
            )

    def ask(
        self,
        given: Answers,
        start: compose.Draft | None,
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
            ),
        )
        if asked.prepared is None:
            output.print_lines(asked.closing)
        else:
            self.finish(asked.prepared, asked)

    def _arguments(self, place: Path | None) -> Iterator[str]:
        """The options of this run that are no answers, for the command that goes on or does it again."""
        if place:
            yield f"--monorepo={place.resolve()}"
        if self.template_source:
            yield f"--template-source={self.template_source}"
        if self.level:
            yield f"--verify={self.level.value}"
        yield from (f"--no-index={name}" for name in self.without_indexes)
        if self.commit:
            yield "--commit"

    def finish(self, prepared: Prepared, asked: session.Asked | None = None) -> None:
        """Write what is prepared, in one repository or in both, and tell of it."""
        output.finish(
            self.monorepo, prepared, write=not self.dry_run, commit=self.commit, as_json=self.as_json
        )
        if asked is not None and not self.dry_run:
            from scaffold.wizard.session import forget

            forget(self.monorepo, asked.service)
        output.print_lines(asked.closing if asked else ())


def _starting_point(path: Path | None) -> compose.Draft | None:
    if path is None:
        return None
    from scaffold.wizard.session import starting_point

    return starting_point(path)


def _defaults(start: compose.Draft) -> Answers:
    """What a compose file gives, as answers below all others."""
    from scaffold.answers.sources import Answers, Place

    return Answers(start.answers, {(name,): Place("the compose file") for name in start.answers})


def _asks(answer_files: Sequence[str], settings: Sequence[str], start: bool, *, as_json: bool) -> bool:
    """Whether to ask questions: without an answer file, in a terminal. Without one it is an error."""
    if answer_files or as_json:
        return False
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        return True
    if settings or start:
        return False
    raise UsageError(
        "There is no terminal to ask questions in.",
        "Give --answers FILE (or - for standard input); `scaffold schema` tells what belongs in it.",
    )

"""What answers lead to, prepared in the background while a person reads the review."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import PurePosixPath
from typing import Protocol

from scaffold.answers.sources import Answers
from scaffold.changes.change import diff
from scaffold.changes.commit import demand_own
from scaffold.checks.verify import Level
from scaffold.commands.prepared import Prepared
from scaffold.errors import ScaffoldError
from scaffold.report.changes import files_text
from scaffold.report.decisions import decision_line
from scaffold.report.findings import error_text
from scaffold.report.prepared import clone_text, exists_text, pipeline_text, verified_text
from scaffold.report.progress import waiting
from scaffold.templates import decisions
from scaffold.templates.questions import Value


class Make(Protocol):
    """Renders and verifies answers, as :func:`~scaffold.commands.new_service.prepare` does."""

    def __call__(self, given: Answers, /, *, level: Level | None) -> Prepared:
        """The change that the answers lead to."""


class Previews:
    """Makes previews one after the other: a new one skips whatever its predecessor has not begun."""

    def __init__(
        self,
        make: Make,
        facts: Mapping[str, Value],
        level: Level | None,
        tell: Callable[[Prepared], Iterable[str]] | None = None,
    ) -> None:
        self._make = make
        self._facts = facts
        self._level = level
        self._tell = tell or _resources
        self._worker = ThreadPoolExecutor(1, "preview")
        self._last: Preview | None = None

    def ahead(self, task: Callable[[], object]) -> None:
        """Do something in the background before a preview is asked for."""
        self._worker.submit(task)

    def of(self, values: Mapping[str, Value]) -> Preview:
        """The preview for these answers."""
        if self._last is not None:
            self._last.cancel()
        given = Answers(dict(values))

        def at(level: Level | None) -> Prepared:
            return self._make(given, level=level)

        rendered = self._worker.submit(at, Level.STATIC)
        planned = rendered if self._level is Level.STATIC else self._worker.submit(at, self._level)
        self._last = Preview(decisions.defaults({**values, **self._facts}), rendered, planned, self._tell)
        return self._last

    def prepared(self) -> Prepared:
        """What the newest preview leads to; waits for its plan. Raises what ``make`` raises."""
        assert self._last is not None
        with waiting("Planning …"):
            return self._last.planned.result()

    def close(self) -> None:
        """Skip what has not begun, and end what has."""
        from scaffold.terraform.lifetime import end_all

        self._worker.shutdown(wait=False, cancel_futures=True)
        end_all()


class Preview:
    """What one set of answers leads to."""

    def __init__(
        self,
        values: Mapping[str, Value],
        rendered: Future[Prepared],
        planned: Future[Prepared],
        tell: Callable[[Prepared], Iterable[str]],
    ) -> None:
        self._tell = tell
        self._values = values
        self._rendered = rendered
        self.planned = planned

    @property
    def failed(self) -> bool:
        """Whether it is already known that nothing can be written."""
        done = self.planned if self.planned.done() else self._rendered
        return done.done() and done.exception() is not None

    def ready(self) -> bool:
        """Whether the plan is done."""
        return self.planned.done()

    def decisions(self, *, whole: bool = True) -> Iterator[str]:
        """The decisions or, without ``whole``, those that matter, with similar ones together.

        What is decided to be empty is left to `explain`.
        """
        made = [d for d in decisions.table(decisions.combine(self._values)) if d.value not in ("", None)]
        told = made if whole else sorted(filter(decisions.matters, made), key=_subject)
        for _, alike in groupby(told, key=lambda decision: (decision.value, decision.reason)):
            first, *others = alike
            names = _together([first.name, *(decision.name for decision in others)])
            yield decision_line(replace(first, name=names))

    def files(self, *, whole: bool = True) -> Iterator[str]:
        """The files with their line counts, or why there are none; waits for the rendering.

        Without ``whole`` they are told by what happens to them.
        """
        yield from self._told(self._rendered, _files if whole else _files_in_short)

    def diff(self) -> Iterator[str]:
        """The whole change as a diff; waits for the rendering."""
        yield from self._told(self._rendered, lambda made: "".join(map(diff, made.changes)).splitlines())

    def resources(self, *, whole: bool = True) -> Iterator[str]:
        """What will exist, or what happens to what exists, or why it cannot; waits for the plan."""
        in_short = _exists if self._tell is _resources and not whole else self._tell
        yield from self._told(self.planned, in_short)

    def uncommittable(self) -> str:
        """Why Git could not commit it, or nothing; waits for the rendering."""
        try:
            for change in self._rendered.result().changes:
                demand_own(change)
        except ScaffoldError as error:
            return error.message
        return ""

    def cancel(self) -> None:
        """Skip what has not begun."""
        self._rendered.cancel()
        self.planned.cancel()

    @staticmethod
    def _told(future: Future[Prepared], tell: Callable[[Prepared], Iterable[str]]) -> Iterable[str]:
        try:
            with waiting("Rendering, checking and planning …"):
                made = future.result()
        except ScaffoldError as error:
            return error_text(error).splitlines()
        return tell(made)


def _files(made: Prepared) -> Iterator[str]:
    """The files of both repositories; what a person wrote and would lose is shown whole."""
    if made.stack is not None:
        yield from files_text(made.stack.change)
    yield from clone_text(made)
    if made.pipeline is not None:
        yield from pipeline_text(made.service, made.pipeline, written=False)
        yield from diff(made.pipeline.replaced).splitlines()


def _files_in_short(made: Prepared) -> Iterator[str]:
    """How many files are created and changed; what a person wrote and would lose is shown whole."""
    parts = [part for part in (made.stack, made.pipeline) if part is not None]
    for part in parts:
        files = sorted(part.change.changes, key=lambda file: file.action.value)
        for action, some in groupby(files, key=lambda file: file.action.value):
            paths = [file.path for file in some]
            above = {path.parent for path in paths}
            place = f" in {above.pop()}" if len(above) == 1 and above != {PurePosixPath()} else ""
            yield f"{action}{place}: {', '.join(path.name for path in paths)}"
    yield from clone_text(made)
    if made.pipeline is not None:
        yield from diff(made.pipeline.replaced).splitlines()


def _subject(decision: decisions.Decision) -> tuple[str, str]:
    """What a decision is about, so that those about the items of a list are together."""
    return decision.name.partition(".")[0], decision.name.rpartition(".")[2]


def _together(names: Sequence[str]) -> str:
    """Names of similar decisions; those about the items of one list share what surrounds the item."""
    around = {(name.partition("[")[0], name.partition("]")[2]) for name in names}
    if len(names) == 1 or len(around) > 1:
        return ", ".join(names)
    ((before, after),) = around
    return f"{before}[{', '.join(name.partition('[')[2].partition(']')[0] for name in names)}]{after}"


def _exists(made: Prepared) -> Iterable[str]:
    return exists_text(made.stack.verified) if made.stack is not None else ()


def _resources(made: Prepared) -> Iterable[str]:
    return verified_text(made.stack.verified) if made.stack is not None else ()

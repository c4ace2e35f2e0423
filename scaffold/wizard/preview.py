"""What answers lead to, prepared in the background while a person reads the review."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from typing import Protocol

from scaffold.answers.sources import Answers
from scaffold.changes.change import diff
from scaffold.checks.verify import Level
from scaffold.commands.prepared import Prepared
from scaffold.errors import ScaffoldError
from scaffold.report.changes import files_text
from scaffold.report.decisions import decision_line
from scaffold.report.findings import error_text
from scaffold.report.prepared import clone_text, pipeline_text, verified_text
from scaffold.report.progress import waiting
from scaffold.templates import decisions
from scaffold.templates.questions import Value


class Make(Protocol):
    """Renders and verifies answers, as :func:`~scaffold.commands.new_service.prepare` does."""

    def __call__(self, given: Answers, /, *, level: Level | None) -> Prepared:
        """The change that the answers lead to."""


class Previews:
    """Makes previews one after the other: a new one leaves out what its predecessor has not begun."""

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
        """Leave out what has not begun, and end what has."""
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
        """Whether it is known by now that nothing can be written."""
        done = self.planned if self.planned.done() else self._rendered
        return done.done() and done.exception() is not None

    def ready(self) -> bool:
        """Whether the plan is done."""
        return self.planned.done()

    def decisions(self) -> Iterator[str]:
        """The decisions, those together that are alike. What is decided to be empty is left to `explain`."""
        made = [d for d in decisions.table(decisions.combine(self._values)) if d.value not in ("", None)]
        for _, alike in groupby(made, key=lambda decision: (decision.value, decision.reason)):
            first, *others = alike
            names = ", ".join([first.name, *(decision.name for decision in others)])
            yield decision_line(replace(first, name=names))

    def files(self) -> Iterator[str]:
        """The files with their line counts, or why there are none; waits for the rendering."""
        yield from self._told(self._rendered, _files)

    def diff(self) -> Iterator[str]:
        """The whole change as a diff; waits for the rendering."""
        yield from self._told(self._rendered, lambda made: "".join(map(diff, made.changes)).splitlines())

    def resources(self) -> Iterator[str]:
        """What will exist, or what happens to what does, or why it cannot; waits for the plan."""
        yield from self._told(self.planned, self._tell)

    def cancel(self) -> None:
        """Leave out what has not begun."""
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
    """The files of both repositories; what a person wrote and loses is shown whole."""
    if made.stack is not None:
        yield from files_text(made.stack.change)
    yield from clone_text(made)
    if made.pipeline is not None:
        yield from pipeline_text(made.service, made.pipeline, written=False)
        yield from diff(made.pipeline.replaced).splitlines()


def _resources(made: Prepared) -> Iterable[str]:
    return verified_text(made.stack.verified) if made.stack is not None else ()

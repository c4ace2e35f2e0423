"""One run of the wizard: drafts, a starting point, questions, review."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.answers import validation
from scaffold.answers.compose.translation import Draft
from scaffold.answers.sources import Answers, about
from scaffold.checks.verify import Level
from scaffold.commands.beside import OwnFile
from scaffold.commands.new_service import prepare
from scaffold.commands.pipeline import cloned, usual_build
from scaffold.commands.prepared import Prepared
from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.report.imported import import_text
from scaffold.report.progress import waiting
from scaffold.templates.questions import Value
from scaffold.wizard import drafts
from scaffold.wizard.clone import Clone
from scaffold.wizard.draft import from_draft, to_draft
from scaffold.wizard.drafts import Drafts
from scaffold.wizard.engine import Engine
from scaffold.wizard.kept import answers_text, keep_beside
from scaffold.wizard.preview import Preview, Previews
from scaffold.wizard.review import Outcome, review
from scaffold.wizard.screen import Choice, Screen
from scaffold.wizard.state import State
from scaffold.wizard.walk import walk


@dataclass(frozen=True, slots=True)
class Options:
    """How the wizard runs."""

    plain: bool = False
    resume: str | None = None
    """The draft to go on with: a name, or nothing for the newest."""
    level: Level | None = None
    template_source: str | None = None
    without_indexes: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """What a command that goes on needs of the options of this run: ``--monorepo=DIR`` and the like."""
    app_repo: Path | None = None
    """The clone of the app's repository, where the command line names it."""
    own_files: tuple[OwnFile, ...] = ()
    """What the stack takes along."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How it ended: the change to write, or what to print instead."""

    prepared: Prepared | None
    closing: tuple[str, ...]
    service: str = ""
    commit: bool = False
    """Whether the person wants what is written committed."""


class Paused(KeyboardInterrupt):
    """The person stopped; a draft is kept."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command


def likely_app(start: Draft, *, plain: bool) -> str:
    """Ask which of a compose file's services is the app, if several are equally likely."""
    screen = open_screen(plain)
    choices = [Choice(name, name) for name in start.likely]
    while True:
        reply = screen.choose("Which service of the file is the app?", choices, start.likely[0])
        if isinstance(reply, str):
            return reply
        screen.show(["The others become sidecars, or Services of their own."])


def run(monorepo: Monorepo, given: Answers, start: Draft | None, options: Options) -> Asked:
    """Ask in the terminal until the person applies, saves or quits.

    Raises :class:`Paused` on Ctrl-C, after keeping a draft, and :class:`~scaffold.errors.AnswersError`
    for given answers that are refused.
    """
    with waiting("Reading the monorepo …"):
        sensed = sense(monorepo)
    engine = Engine(judge(monorepo, sensed, own_files=options.own_files), sensed)
    store = Drafts.of(monorepo.root)
    own = start is not None and start.from_source
    outside = {**({"build": usual_build(sensed)} if own else {}), **(start.answers if start else {})}
    if options.app_repo is not None:
        outside = {**cloned(monorepo, given, options.app_repo).answers.values, **outside}
    kept = store.names
    resumed = options.resume or next(iter(kept), "") if options.resume is not None else None
    state = _begin(engine, given, outside, store, resumed)
    screen = open_screen(options.plain)
    clone = Clone(options.app_repo, monorepo.root.parent)
    unnamed = resumed if resumed and resumed.startswith(drafts.UNNAMED) else store.unnamed()
    keeper = _Keeper(engine, store, state, clone, unnamed)

    def is_own(known: Mapping[str, Value]) -> bool:
        return bool(known["facts"]["builds"][known["build"]]["owned"])

    def make(given: Answers, /, *, level: Level | None) -> Prepared:
        return prepare(
            Monorepo(monorepo.root),  # as it is by now: another stack may have come meanwhile
            given,
            clone.path if is_own(engine.known(given.values)) else None,
            overwrite=True,  # the review shows what would be replaced
            proposes=False,  # a person has answered
            level=level,
            template_source=options.template_source,
            without_indexes=options.without_indexes,
            own_files=options.own_files,
        )

    previews = Previews(make, {"sensed": sensed}, options.level)
    # While the first question is read: the first judgements, of what is right and of what is wrong, import,
    # compile and read what all others need.
    previews.ahead(lambda: engine.first_open(state))
    previews.ahead(lambda: engine.problem(state, ("name",), ""))
    previews.ahead(gc.freeze)  # what stays for the whole run is not looked through again while a key is drawn

    def preview_of(values: Mapping[str, Value]) -> Preview | None:
        known = engine.known(values)
        if is_own(known) and not clone.settled:
            repository = known["repository"].rpartition("/")[2] or known["name"]
            if not clone.ask(screen, repository):
                return None
        return previews.of(values)

    def clone_again(values: Mapping[str, Value]) -> Callable[[], None] | None:
        return clone.forget if is_own(engine.known(values)) else None

    try:
        with screen.opened():
            found = f"Drafts: {', '.join(kept)}. --resume NAME goes on with one."
            others = [found] if kept and not resumed else []
            screen.show([screen.keys, *others, *(import_text(start.report) if start else ())])
            first = engine.first_open(state)
            state = walk(engine, state, screen, keeper.keep, first.path if first else None)
            outcome, state = review(engine, state, screen, preview_of, keeper.keep, clone_again)
        return _end(engine, state, outcome, previews, store, options, clone, start)
    except KeyboardInterrupt:
        keeper.save()
        raise Paused(keeper.resume_command(options)) from None
    finally:
        previews.close()


def _command(first: str, value: str, options: Options, clone: Clone, *more: str) -> str:
    """The command that continues with a draft or with answers, with the options of this run."""
    repository = [f"--app-repo={clone.path}"] if clone.path else []
    return shlex.join(["scaffold", "new-service", first, value, *options.arguments, *repository, *more])


def _resume(name: str, options: Options, clone: Clone) -> str:
    return _command("--resume", name, options, clone, *(["--plain"] if options.plain else []))


class _Keeper:
    """Keeps a draft of the newest state, if one can be kept."""

    def __init__(self, engine: Engine, store: Drafts, state: State, clone: Clone, unnamed: str) -> None:
        self._engine = engine
        self._unnamed = unnamed
        self._clone = clone
        self._store = store
        self._state = state
        self._able = drafts.writable(store)

    @property
    def name(self) -> str:
        state = self._state
        said = state.said.get(("name",), state.given.get("name"))
        if said is None and ("name",) in state.accepted:
            said = self._engine.values(state).get("name")
        return str(said) if said else self._unnamed

    @property
    def _answered(self) -> bool:
        """Whether there is anything to continue with: a start that answered nothing leaves no draft."""
        state = self._state
        return bool(state.said or state.accepted or state.given or state.suggested)

    def keep(self, state: State) -> None:
        """Save a new state. A draft under the Service's former name is removed."""
        former = self.name
        self._state = state
        if former != self.name and self._able:
            self._store.drop(former)
        self.save()

    def save(self) -> None:
        if self._able and self._answered:
            self._store.save(self.name, to_draft(self._state))

    def resume_command(self, options: Options) -> str:
        if not (self._able and self._answered):
            return ""
        return _resume(self.name, options, self._clone)


def _begin(
    engine: Engine, given: Answers, outside: Mapping[str, Value], store: Drafts, resumed: str | None
) -> State:
    _refuse(engine, given)
    if resumed is None:
        return State(given.values, outside)
    state = from_draft(store.load(resumed))
    return State(
        {**state.given, **given.values},
        {**state.suggested, **outside},
        {path: value for path, value in state.said.items() if path[0] not in given.values},
        state.accepted,
        state.forced,
    )


def _refuse(engine: Engine, given: Answers) -> None:
    """Refuse given answers that are wrong in themselves, before the first question."""
    found = [f for f in given.problems if f.answer not in given.values] + [
        finding
        for finding in validation.problems(given, {}, {})
        if finding.answer and about(finding.answer)[0] in given.values
    ]
    if found:
        raise validation.refused(list(dict.fromkeys(found)))


def open_screen(plain: bool) -> Screen:
    """The screen to ask on: plain lines if they are wanted, or if the terminal can do no more."""
    if plain or os.environ.get("ACCESSIBLE") == "1" or os.environ.get("TERM", "dumb") == "dumb":
        from scaffold.wizard.plain import PlainScreen

        return PlainScreen(sys.stdin, sys.stdout)
    from scaffold.wizard.terminal import TerminalScreen

    return TerminalScreen(sys.stdout)


def _end(
    engine: Engine,
    state: State,
    outcome: Outcome,
    previews: Previews,
    store: Drafts,
    options: Options,
    clone: Clone,
    start: Draft | None,
) -> Asked:
    values = engine.result(state)
    name = str(values["name"])
    if outcome is Outcome.QUIT:
        return Asked(None, ("Nothing was written. To go on:", f"  {_resume(name, options, clone)}"))
    # What was answered otherwise may leave no place for what the file gave.
    told = "".join(f"# {line}\n" for line in (import_text(start.beside(values).report) if start else ()))
    text = told + answers_text(values)
    if outcome is Outcome.SAVE:
        path = store.keep_answers(name, text) if drafts.writable(store) else keep_beside(name, text)
        store.drop(name)
        command = _command("--answers", str(path), options, clone)
        return Asked(None, (f"The answers are in {path}. To create the Service:", f"  {command}"))
    prepared = previews.prepared()
    closing: tuple[str, ...] = ()
    if drafts.writable(store):
        kept = store.keep_answers(name, text)
        replaces = prepared.pipeline is not None and prepared.pipeline.replaced.changes
        commits = outcome is Outcome.COMMIT and "--commit" not in options.arguments
        more = (*["--overwrite"] * bool(replaces), *["--commit"] * commits)
        again = _command("--answers", str(kept), options, clone, *more)
        closing = ("The answers are kept. The same without questions:", f"  {again}")
    return Asked(prepared, closing, name, outcome is Outcome.COMMIT)


def forget(monorepo: Monorepo, name: str) -> None:
    """Drop the draft of a Service that is written."""
    Drafts.of(monorepo.root).drop(name)

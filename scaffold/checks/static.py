"""The rules over the syntax of many stacks: on all processors, and only for stacks that have changed."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import cast

from scaffold.checks.exceptions import Ignore, ignores
from scaffold.checks.rule import Kind, rules
from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.errors import Finding
from scaffold.hcl.modules import ModuleContract, terraform_files
from scaffold.monorepo.fleet import digest_of as digest_of_files
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import template
from scaffold.terraform.kept import Answers, Kept, digest_of, identity

_FEW = 12
"""The number of stacks below which starting another process takes longer than judging them."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the syntax rules find in a stack, and the exceptions that its files make."""

    findings: tuple[Finding, ...]
    exceptions: tuple[Ignore, ...] = ()


def look(monorepo: Monorepo, stacks: Sequence[str], codes: Collection[str]) -> list[Looked]:
    """What the rules with these codes find in the syntax of each stack; what is not HCL is found alone.

    A stack is not looked at again if nothing has changed that an earlier run asked for.
    """
    around = _Surroundings(monorepo, frozenset(codes))
    found = {name: cast("Looked | None", around.kept.result(around, name)) for name in stacks}
    fresh = dict(_fresh(around, [name for name, looked in found.items() if looked is None]))
    around.kept.sweep()
    return [fresh[name] if (looked := found[name]) is None else looked for name in stacks]


def _fresh(around: _Surroundings, stacks: Sequence[str]) -> Iterable[tuple[str, Looked]]:
    workers = min(os.cpu_count() or 1, len(stacks) // _FEW)
    if workers < 2:
        return _look_at(around, stacks)
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Those with most to read are dealt out first, so that all are done at about the same time.
    ordered = sorted(stacks, key=lambda name: sum(map(len, around.files(name).values())))
    parts = [ordered[number::workers] for number in range(workers)]
    how = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(workers, how, _begin, (around,)) as pool:
        return [of_stack for part in pool.map(_look_in_process, parts) for of_stack in part]


_inherited: list[_Surroundings] = []
"""What a process has from the one that began it: a fork need not read anything again."""


def _begin(around: _Surroundings) -> None:
    """Start in a worker process, which ignores interrupts: those are for the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _inherited.append(around)


def _look_in_process(stacks: Sequence[str]) -> list[tuple[str, Looked]]:
    return _look_at(_inherited[-1], stacks)


def _look_at(around: _Surroundings, stacks: Sequence[str]) -> list[tuple[str, Looked]]:
    asked = [rule for rule in rules(__package__, Kind.STACK) if rule.code in around.codes]
    found = []
    with _without_collector():
        for name in stacks:
            noted = _Noted(around)
            parsed = parse_stack(around.monorepo.place(name), noted.sources(name))
            if isinstance(parsed, list):
                looked = Looked(tuple(parsed))
            else:
                made = tuple(ignores(parsed.documents.values()))
                looked = Looked(tuple(run(parsed, noted.context(), asked)), made)
            around.kept.store(noted.answers, name, pickle.dumps(looked))
            found.append((name, looked))
    return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing that is parsed contains cycles, and looking for them takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(frozen=True)
class _Surroundings:
    """A monorepo as a set of questions: findings stay valid for as long as the answers stay the same."""

    monorepo: Monorepo
    codes: frozenset[str]
    _files: dict[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)

    def __reduce__(self) -> tuple[type[_Surroundings], tuple[Monorepo, frozenset[str]]]:
        """What a process that is not a fork needs in order to read the rest itself."""
        return _Surroundings, (Monorepo(self.monorepo.root), self.codes)

    @cached_property
    def context(self) -> CheckContext:
        """What rules may ask."""
        return CheckContext.of(self.monorepo)

    @cached_property
    def kept(self) -> Kept:
        """What earlier runs kept for these rules in their current version."""
        facts = (template.root() / "templates").rglob("*.yml")
        schemas = (provider.file for provider in self.context.schemas.providers.values())
        base = identity(("",), (*schemas, *facts))
        return Kept(base and "\0".join((str(self.monorepo.root), *sorted(self.codes), base)))

    def files(self, stack: str) -> Mapping[str, bytes]:
        """The files of a stack, read once."""
        if stack not in self._files:
            self._files[stack] = self.monorepo.sources(stack)
        return self._files[stack]

    def sources(self, stack: str) -> bytes:
        """The digest of the files of a stack."""
        return digest_of_files(self.files(stack))

    def state(self, _: str) -> str:
        """Everything that is the same for every stack."""
        return self.context.state

    def module(self, directory: str) -> bytes:
        """The files of a module."""
        files = terraform_files(self.monorepo.root / directory)
        return digest_of_files({path.name: path.read_bytes() for path in files})

    def holds(self, question: str) -> bool:
        """What the context answers to one of its own questions: its name, and what it is about."""
        what, _, about = question.partition(" ")
        return bool(getattr(self.context, what)(about))

    def modules(self, parent: str) -> frozenset[str]:
        """The modules below a directory."""
        return frozenset(self.context.list_modules(parent))


@dataclass(frozen=True)
class _Noted:
    """The surroundings of one stack, which record what is asked of them."""

    around: _Surroundings
    answers: Answers = field(default_factory=dict)

    def sources(self, stack: str) -> Mapping[str, bytes]:
        """The files of the stack."""
        self.answers["sources", stack] = digest_of(self.around.sources(stack))
        return self.around.files(stack)

    def context(self) -> CheckContext:
        """What rules may ask."""
        self.answers["state", ""] = digest_of(self.around.state(""))
        return replace(
            self.around.context,
            module=cache(self._module),
            list_modules=self._modules,
            enrols=partial(self._holds, "enrols"),
            written=partial(self._holds, "written"),
            exists=partial(self._holds, "exists"),
            lacks=partial(self._holds, "lacks"),
        )

    def _holds(self, what: str, about: str) -> bool:
        question = f"{what} {about}"
        answer = self.around.holds(question)
        self.answers["holds", question] = digest_of(answer)
        return answer

    def _module(self, directory: str) -> ModuleContract | None:
        self.answers["module", directory] = digest_of(self.around.module(directory))
        return self.around.context.module(directory)

    def _modules(self, parent: str) -> tuple[str, ...]:
        self.answers["modules", parent] = digest_of(self.around.modules(parent))
        return self.around.context.list_modules(parent)

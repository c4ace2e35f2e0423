"""The worklist: what only a person can decide, block by block, as a file to fill in and return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from scaffold.checks.rule import Answer, Question
from scaffold.sweeps.yaml_file import YamlFile

Site: TypeAlias = tuple[str, str]
"""A file and the address of a block in it: they stay when lines move."""


@dataclass(frozen=True, slots=True)
class Open:
    """A question about one block of a stack that nobody has answered yet."""

    stack: str
    site: Site
    line: int
    question: Question

    @property
    def row(self) -> Mapping[str, object]:
        """What a person needs to know to answer it."""
        return {
            "stack": self.stack,
            "file": self.site[0],
            "line": self.line,
            "block": self.site[1],
            "question": self.question.text,
            "proposals": list(self.question.proposals),
        }


class Answers:
    """The answers in a worklist, by what they are about."""

    def __init__(self, file: YamlFile | None = None) -> None:
        self._file = file or YamlFile("worklist", b"[]")
        self._numbers: dict[Site, int] = {}
        self._given: dict[Site, tuple[str | None, Answer]] = {}
        for number, said in enumerate(self._file.value or ()):
            site = (said["file"], said["block"])
            if site in self._numbers:
                self._file.wrong((number, "block"), "is answered twice", fix="Remove one of the answers.")
            self._numbers[site] = number
            if said["answer"] is not None:
                text = str(said["answer"])
                value = text.lower() if isinstance(said["answer"], bool) else text
                self._given[site] = said.get("question"), Answer(value, said.get("reason") or "")

    @property
    def paths(self) -> frozenset[str]:
        """The files that answers are about."""
        return frozenset(path for path, _ in self._given)

    def of(self, site: Site, question: Question) -> Answer | None:
        """The answer to a question about a block; one that is not among the proposals is noted.

        An answer to what the block was asked before is none to what it is asked now.
        """
        asked, answer = self._given.get(site, (None, None))
        if answer is None or asked not in (None, question.text):
            return None
        if question.proposals and answer.value not in question.proposals:
            allowed = ", ".join(question.proposals)
            self._file.wrong((self._numbers[site], "answer"), "is none of the proposals", allowed=allowed)
            return None
        return answer

    def demand(self, known: Iterable[Site]) -> None:
        """Raise :class:`~scaffold.errors.AnswersError` with all that is wrong; ``known`` are all blocks."""
        for site in self._given.keys() - set(known):
            fix = "Correct `file` and `block`, or remove the answer."
            self._file.wrong(
                (self._numbers[site], "block"), "is not a block of the stacks that are swept", fix=fix
            )
        self._file.demand()


def read(name: str, source: bytes) -> Answers:
    """The answers of a worklist. Raises :class:`~scaffold.errors.AnswersError` with all that is wrong."""
    file = YamlFile(name, source)
    file.against("worklist")
    file.demand()
    return Answers(file)


def text(open_: Iterable[Open], command: str) -> str:
    """The worklist of open questions, and how to return it."""
    rows = [{**one.row, "answer": None, "reason": None} for one in open_]
    body = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=110)
    return f"# Answer each question (a reason becomes a comment). Then: {command}\n{body}"

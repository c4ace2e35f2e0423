"""A rule that a file declares: which blocks it is about, how to edit each, and the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

from scaffold.checks.contract import Contract
from scaffold.checks.rule import Answer, Question, Rule, Severity
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.place import block_at
from scaffold.hcl.source import at
from scaffold.hcl.splice import EditError
from scaffold.hcl.syntax import Block, Document, parse
from scaffold.sweeps.edits import Edit
from scaffold.sweeps.selector import Selector
from scaffold.templates.questions import Value

_Outcome: TypeAlias = tuple[bytes | None, Question | None]
"""The file after edits, None if nothing changes, and what is asked before the next one."""


class DeclaredRule(Rule):
    """The rule of a file: a block breaks it if an edit is left to make, or a question to ask."""

    severity = Severity.WARNING

    def __init__(
        self, code: str, title: str, selector: Selector, edits: tuple[Edit, ...], contract: Contract
    ) -> None:
        self.code = code  # type: ignore[misc]
        self.title = title  # type: ignore[misc]
        self._selector, self._edits, self._contract = selector, edits, contract
        self._last: tuple[tuple[bytes, int, Answer | None], _Outcome] | None = None

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """The selected blocks that are not as the edits make them."""
        for documents in stack.modules.values():
            for document in documents:
                for block in self._selector.of(document.body):
                    if self._is_left(document, block):
                        yield at(block, self.code, f"{block.address}: {self.title}")

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after all edits of a block; None while one of them asks something."""
        after, question = self._edited(document, block, None)
        return None if question else after

    def question(self, document: Document, block: Block, facts: Mapping[str, Value]) -> Question | None:
        """What the edits ask about a block: one question at a time."""
        with suppress(EditError):
            return self._edited(document, block, None)[1]
        return None

    def answered(self, document: Document, block: Block, answer: Answer) -> bytes | None:
        """The file after the edits of a block, as far as they ask nothing else."""
        return self._edited(document, block, answer)[0]

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """The contract that the file gives."""
        return self._contract

    def _is_left(self, document: Document, block: Block) -> bool:
        try:
            return self._edited(document, block, None) != (None, None)
        except EditError:
            return True

    def _edited(self, document: Document, block: Block, answer: Answer | None) -> _Outcome:
        """The edits of a block until one asks; for the question and then for the edit, they are made once."""
        key = (document.source.data, block.line, answer)
        if self._last is None or self._last[0] != key:
            self._last = key, self._made(document, block, answer)
        return self._last[1]

    def _made(self, document: Document, block: Block, answer: Answer | None) -> _Outcome:
        """The same; no edit moves a line above the block."""
        before = document
        question = None
        for edit in self._edits if self._selector.fits(block) else ():
            now = block_at(document.body, block.line)
            assert now is not None
            question = edit.asks(now)
            if question is not None and answer is None:
                break
            made = edit.made(document, now, answer if question else None)
            document = parse(made, document.path) if made is not None else document
            answer, question = None if question else answer, None
        return None if document is before else document.source.data, question

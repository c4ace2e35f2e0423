"""A rule that a file declares: which blocks it is about, how to edit each, and the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Declared:
    """What the file says."""

    code: str
    title: str
    selector: Selector
    edits: tuple[Edit, ...]
    contract: Contract


class DeclaredRule(Rule):
    """The resulting rule: a block breaks it if an edit is left to make, or a question to ask."""

    severity = Severity.WARNING

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._last: tuple[tuple[bytes, int, Answer | None], tuple[bytes | None, Question | None]] | None = (
            None
        )

    @property
    def code(self) -> str:  # type: ignore[override]
        """The code that the file gives."""
        return self._declared.code

    @property
    def title(self) -> str:  # type: ignore[override]
        """The title that the file gives."""
        return self._declared.title

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """The selected blocks that are not as the edits make them."""
        for documents in stack.modules.values():
            for document in documents:
                for block in self._declared.selector.of(document.body):
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
        return self._declared.contract

    def _is_left(self, document: Document, block: Block) -> bool:
        try:
            return self._edited(document, block, None) != (None, None)
        except EditError:
            return True

    def _edited(
        self, document: Document, block: Block, answer: Answer | None
    ) -> tuple[bytes | None, Question | None]:
        """The file after the edits of a block until one asks, None if nothing changes.

        What is asked for again, as for the question and then for the edit, is not made again.
        """
        key = (document.source.data, block.line, answer)
        if self._last is None or self._last[0] != key:
            self._last = key, self._made(document, block, answer)
        return self._last[1]

    def _made(
        self, document: Document, block: Block, answer: Answer | None
    ) -> tuple[bytes | None, Question | None]:
        """The same; no edit moves a line above the block."""
        before = document
        question = None
        for edit in self._declared.edits if self._declared.selector.fits(block) else ():
            now = block_at(document.body, block.line)
            assert now is not None
            question = edit.asks(now)
            if question is not None and answer is None:
                break
            made = edit.made(document, now, answer if question else None)
            document = parse(made, document.path) if made is not None else document
            answer, question = None if question else answer, None
        return None if document is before else document.source.data, question

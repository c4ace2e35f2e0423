"""The edits that a file can declare, each of one block; one that is already made does nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from scaffold.checks.ignoring import Ignored, is_marked, line_of, unignored, with_ignored
from scaffold.checks.rule import Answer, Question
from scaffold.hcl.amend import (
    insert_argument,
    insert_comment,
    insert_first,
    remove_argument,
    rename_argument,
    replace,
)
from scaffold.hcl.edit import insert_block, insert_entry, remove_block, remove_entry
from scaffold.hcl.expressions import Entry
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.place import Steps, block_at, find
from scaffold.hcl.splice import EditError
from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import Attribute, Block, Document, parse
from scaffold.sweeps.selector import as_text
from scaffold.terraform.planned import path_text


class Edit(ABC):
    """One edit of a block."""

    __slots__ = ()

    def asks(self, block: Block) -> Question | None:
        """What a person has to decide before it is made; most edits ask nothing."""
        return None

    @abstractmethod
    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file after the edit; None if there is nothing to do. Raises ``EditError``."""


@dataclass(frozen=True, slots=True)
class Set(Edit):
    """An argument, or an entry of a map, gets a value: ``text``, which is HCL, or what a person answers.

    With a ``question``, what is set already stays. ``comment`` stands above an argument that is new, which is
    below the argument ``after``, if there is that.
    """

    path: Steps
    text: str = ""
    question: Question | None = None
    comment: str = ""
    after: str = ""

    def asks(self, block: Block) -> Question | None:
        """Which value to set, if none is set."""
        return self.question if find(block.body, self.path) is None else None

    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file with the value."""
        found = find(block.body, self.path)
        if self.question is not None and (found is not None or answer is None):
            return None
        text = quote(answer.value) if answer else self.text
        if isinstance(found, Block):
            raise EditError(f"{path_text(self.path)} on line {found.line} is a block")
        if found is not None:
            return None if found.value.text == text else replace(document, found.value, text)
        return self._new(document, block, text, answer.reason if answer else self.comment)

    def _new(self, document: Document, block: Block, text: str, comment: str) -> bytes:
        above, name = self.path[:-1], str(self.path[-1])
        if above and not name.isidentifier() and find(block.body, above) is None:
            # Only the key of a map has to be quoted: what is missing is no block.
            return (
                Set(above, f"{{\n  {quote(name)} = {text}\n}}", None, comment).made(document, block, None)
                or b""
            )
        holder = _found(block, above)
        if isinstance(holder, Block):
            lines = f"# {comment}\n" if comment else ""
            return insert_argument(document, holder, f"{lines}{name} = {text}", self.after)
        if holder.value.kind is not ExprKind.MAP:
            raise EditError(
                f"{path_text(above)} on line {holder.value.line} is not a map that is written out"
            )
        return insert_entry(
            document, holder.value, name if name.isidentifier() else quote(name), text, comment
        )


@dataclass(frozen=True, slots=True)
class Add(Edit):
    """One more argument or block, unless there is one of its name; ``first`` puts it at the block's top."""

    text: str
    within: Steps = ()
    first: bool = False

    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file with it."""
        holder = _found(block, self.within)
        if not isinstance(holder, Block):
            raise EditError(f"{path_text(self.within)} on line {holder.value.line} is not a block")
        (new,) = parse(self.text.encode()).body.items
        if isinstance(new, Attribute):
            there = new.name in holder.body.attributes
            return None if there else insert_argument(document, holder, self.text)
        if holder.body.block(new.type, *new.labels) is not None:
            return None
        if self.first or not holder.body.items:
            return insert_first(document, holder, self.text)
        return insert_block(document, self.text, after=holder.body.items[-1])


@dataclass(frozen=True, slots=True)
class Remove(Edit):
    """An argument, an entry of a map or a block is removed, with the comments directly above it."""

    path: Steps

    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file without it."""
        match find(block.body, self.path):
            case Block() as found:
                return remove_block(document, found)
            case Attribute() as found:
                holder = _found(block, self.path[:-1])
                assert isinstance(holder, Block)
                return remove_argument(document, holder, found.name)
            case Entry() as entry:
                holder = _found(block, self.path[:-1])
                assert not isinstance(holder, Block)
                return remove_entry(document, holder.value, str(entry.name))
            case None:
                return None


@dataclass(frozen=True, slots=True)
class Ignore(Edit):
    """A path is added to ``ignore_changes``, with its comment."""

    row: Ignored

    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file in which the path, or one above it, is ignored."""
        if not unignored(block, [self.row]):
            return None
        document = parse(with_ignored(document, block, [self.row]), document.path)
        now = block_at(document.body, block.line)
        if now is None or is_marked(document, now, self.row):
            return document.source.data
        return insert_comment(document, line_of(now, self.row), self.row.comment)


@dataclass(frozen=True, slots=True)
class Rename(Edit):
    """An argument gets another name, and a value that follows from the old one.

    ``values`` are HCL by the old value as text; without any the value stays. What is not among them is asked
    for by the ``question``, or is left to a person.
    """

    old: str
    new: str
    values: Mapping[str, str] = field(default_factory=dict)
    question: Question | None = None

    def asks(self, block: Block) -> Question | None:
        """Which value to set, if none follows."""
        value = block.body.value(self.old)
        follows = value is None or not self.values or as_text(value) in self.values
        return None if follows else self.question

    def made(self, document: Document, block: Block, answer: Answer | None) -> bytes | None:
        """The file with the new name."""
        argument = block.body.attributes.get(self.old)
        if argument is None:
            return None
        if self.new in block.body.attributes:
            raise EditError(f"the block on line {block.line} has both {self.old} and {self.new}")
        value = as_text(argument.value)
        if answer is not None:
            return rename_argument(document, argument, self.new, quote(answer.value))
        if self.values and value not in self.values:
            raise EditError(f"nothing says what {self.old} = {value} on line {argument.line} becomes")
        return rename_argument(document, argument, self.new, self.values.get(value, argument.value.text))


def _found(block: Block, path: Steps) -> Block | Attribute | Entry:
    found = find(block.body, path) if path else block
    if found is None:
        raise EditError(f"the block on line {block.line} has no {path_text(path)}")
    return found

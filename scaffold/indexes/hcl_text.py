"""Lists and families of blocks in HCL files: where they are, and adding or removing one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scaffold.hcl.edit import insert_block, insert_element, remove_block, remove_part
from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import Block, Document, Expression, ExprKind, HclSyntaxError, parse
from scaffold.indexes.base import MissingAnchorError


def document(text: str) -> Document:
    """The parsed text. Raises ``MissingAnchorError`` if it is not HCL, as if the file lacked its list."""
    try:
        return parse(text.encode())
    except HclSyntaxError as error:
        first = error.problems[0]
        raise MissingAnchorError(f"valid HCL (line {first.line}: {first.message})") from error


def local(name: str) -> Callable[[Document], Expression | None]:
    """A finder of the value of ``local.<name>``."""

    def find(doc: Document) -> Expression | None:
        values = (block.body.value(name) for block in doc.body.blocks_of("locals"))
        return next(filter(None, values), None)

    return find


def string_at(value: Expression | None, key: str) -> str:
    """The string under a key of a map; empty if there is none."""
    found = value.at(key) if value else None
    return (found.string() if found else None) or ""


def list_at(what: str, find: Callable[[Document], Expression | None]) -> Callable[[str], StringList]:
    """What opens the list of strings that ``find`` finds. ``what`` names it for people."""

    def opened(text: str) -> StringList:
        doc = document(text)
        value = find(doc)
        if value is None or value.kind is not ExprKind.LIST:
            raise MissingAnchorError(what)
        return StringList(doc, value)

    return opened


@dataclass(frozen=True, slots=True)
class Collection:
    """A list or a map of a file."""

    doc: Document
    value: Expression

    def without(self, number: int) -> str:
        """The text without one element or entry, and its comment."""
        return remove_part(self.doc, self.value, number).decode()


class StringList(Collection):
    """A list of strings; a value is the string and a comment."""

    @property
    def keys(self) -> Sequence[str]:
        """The strings."""
        return [element.string() or "" for element in self.value.elements]

    def append(self, value: tuple[str, str]) -> str:
        """The text with one more string, under a comment where the strings have lines of their own."""
        return insert_element(self.doc, self.value, quote(value[0]), value[1]).decode()


@dataclass(frozen=True, slots=True)
class BlockFamily:
    """Blocks of a file that differ only in their names, each with a key."""

    doc: Document
    blocks: tuple[Block, ...]
    keys: tuple[str, ...]

    def insert(self, new: str, after: Block, comment: str = "") -> str:
        """The text with one more block."""
        text = f"# {comment}\n{new}" if comment else new
        return insert_block(self.doc, text, after).decode()

    def without(self, number: int) -> str:
        """The text without one block, its comments, and the blank lines before."""
        return remove_block(self.doc, self.blocks[number]).decode()


def copied(block: Block, spans: Iterable[tuple[int, int, str]]) -> str:
    """The text of a block in which some ranges of the file are replaced.

    A new block of a family is a copy of a sibling, so that nothing that this house writes into its
    blocks has to be known here.
    """
    data, pieces, at = block.source.data, [], block.start
    for start, end, text in sorted(spans):
        pieces += [data[at:start], text.encode()]
        at = end
    return b"".join([*pieces, data[at : block.end]]).decode().replace("\r\n", "\n")


def exchanged(text: str, words: dict[str, str]) -> str:
    """The text with whole words replaced; letters, digits, ``_`` and ``-`` make up words."""
    result, word = [], ""
    for character in [*text, ""]:
        if character and (character.isalnum() or character in "_-"):
            word += character
        else:
            result += [words.get(word, word), character]
            word = ""
    return "".join(result)

"""Three versions of one text merged: HCL definition by definition, without its alignment.

Git merges lines, and takes changes to neighbouring lines for one. In HCL, two definitions are two things,
wherever they are, and the columns of ``=`` mean nothing. So definitions are separated and unaligned before
the merge, and aligned after it; lines that a person left unaligned stay so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import PurePosixPath

from scaffold.changes.git import merge_file
from scaffold.hcl import layout
from scaffold.hcl.syntax import HclSyntaxError, parse

_MARKS = ("<<<<<<< ", "||||||| ", "=======", ">>>>>>> ")
_APART = "\x1f"
"""A line that no HCL has; it stands between definitions, so that no two of them are neighbours."""


def merged_text(path: PurePosixPath, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """Both changes in one text, and whether it has no conflicts; conflicts have their markers."""
    versions = [_Hcl.of(path, content) for content in (base, ours, theirs)]
    if None in versions:
        return merge_file(base, ours, theirs)
    known = [version for version in versions if version is not None]
    merged, _ = merge_file(*(version.apart for version in known), with_base=True)
    text, clean = _settled(merged.decode())
    here, there = known[1], known[2]
    lines = [here.written.get(line, there.written.get(line, line)) for line in text.split("\n")]
    return _aligned("\n".join(lines).encode(), here) if clean else ("\n".join(lines).encode(), False)


def _settled(merged: str) -> tuple[str, bool]:
    """The text with both changes where those of a conflict do not overlap; and whether none is left."""
    lines: list[str] = []
    conflict: list[list[str]] = []
    clean = True
    for line in merged.split("\n"):
        if not line.startswith(_MARKS[len(conflict)]):
            (conflict[-1] if conflict else lines).append(line)
        elif len(conflict) < len(_MARKS) - 1:
            conflict.append([])
        else:
            here, base, there = map(_definitions, conflict)
            both = _both(here, base, there)
            clean &= both is not None
            lines += both if both is not None else [f"{_MARKS[0]}here", *here, _MARKS[2], *there, line]
            conflict = []
    return "\n".join(line for line in lines if line != _APART), clean


def _definitions(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    last: list[str] = []
    for line in lines:
        if line == _APART:
            found.append("\n".join(last))
            last = []
        else:
            last.append(line)
    return [*found, "\n".join(last)] if last else found


def _both(here: Sequence[str], base: Sequence[str], there: Sequence[str]) -> list[str] | None:
    """Both changes made, or None if they overlap, or if it is not clear which comes first."""
    found = dict.fromkeys(edit for side in (here, there) for edit in _edits(base, side))
    edits = sorted(found, key=lambda edit: (edit.start, edit.end))
    if not all(edit.end <= later.start and _apart(base, edit, later) for edit, later in pairwise(edits)):
        return None
    made = list(base)
    for edit in reversed(edits):
        made[edit.start : edit.end] = edit.text
    return made


@dataclass(frozen=True, slots=True)
class _Edit:
    """What stands in place of the definitions from ``start`` to before ``end``."""

    start: int
    end: int
    text: tuple[str, ...]


def _edits(before: Sequence[str], after: Sequence[str]) -> Iterator[_Edit]:
    for tag, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield _Edit(start, end, tuple(after[first:last]))


def _apart(base: Sequence[str], edit: _Edit, later: _Edit) -> bool:
    """Whether two edits do not touch, or their order does not matter.

    Where something comes in beside the other one, both have to be of whole definitions (half a block could
    be half of another one), and they may not define the same: blocks of one kind are a list.
    """
    if edit.end < later.start or (edit.start < edit.end and later.start < later.end):
        return True
    before = (_defined(base[one.start : one.end]) for one in (edit, later))
    one, other = _defined(edit.text), _defined(later.text)
    return None not in before and one is not None and other is not None and not one & other


def _defined(lines: Sequence[str]) -> frozenset[tuple[str, ...]] | None:
    """What these lines define, by name; None if they are not whole definitions."""
    try:
        body = parse("".join(f"{line}\n" for line in lines).encode()).body
    except HclSyntaxError:
        return None
    return frozenset((name,) for name in body.attributes) | {(b.type, *b.labels) for b in body.blocks}


class _Hcl:
    """An HCL file taken apart: ``apart`` is merged; ``written`` has each line of it as it was lined up.

    ``own`` are those of its lines that are out of line.
    """

    def __init__(self, content: bytes) -> None:
        document = parse(content)
        bare = layout.unaligned(document)
        lines = content.decode().removesuffix("\n").split("\n")
        self.written: Mapping[str, str] = {bare[number]: lines[number - 1] for number in bare}
        self.own = frozenset(lines[number - 1] for number in layout.out_of_line(document, 1, len(lines)))
        texts = (
            "\n".join(bare.get(number, lines[number - 1]) for number in range(first, last + 1))
            for first, last in layout.definitions(document)
            if first <= len(lines)
        )
        self.apart = "".join(f"{text}\n{_APART}\n" for text in texts).encode()

    @classmethod
    def of(cls, path: PurePosixPath, content: bytes) -> _Hcl | None:
        """The file, if it is HCL that can be taken apart."""
        if path.suffix not in (".tf", ".hcl") or not content.endswith(b"\n") or b"\r" in content:
            return None
        try:
            return cls(content)
        except (HclSyntaxError, UnicodeDecodeError):
            return None


def _aligned(content: bytes, here: _Hcl) -> tuple[bytes, bool]:
    """The text aligned, and whether it is HCL: two changes that are right alone may not fit together."""
    try:
        document = parse(content)
    except HclSyntaxError:
        return content, False
    lines = content.decode().split("\n")
    for number, line in layout.out_of_line(document, 1, len(lines)).items():
        if lines[number - 1] not in here.own:
            lines[number - 1] = line
    return "\n".join(lines).encode(), True

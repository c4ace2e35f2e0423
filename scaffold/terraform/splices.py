"""Replacing byte ranges of a file, and finding the way back from a place in the result."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes that stand in place of the range from ``start`` to ``end``; an insertion has an empty range."""

    start: int
    end: int
    text: bytes


def insertion(at: int, text: bytes) -> Splice:
    """A splice that only adds."""
    return Splice(at, at, text)


def blank(source: bytes, start: int, end: int) -> Splice:
    """A splice that leaves nothing of a range but its line ends, so that no line moves."""
    return Splice(start, end, b"".join(b"\n" if byte == 10 else b" " for byte in source[start:end]))


@dataclass(frozen=True, slots=True)
class Spliced:
    """The result, and where each of its bytes comes from."""

    data: bytes
    _at: tuple[int, ...]
    _from: tuple[int, ...]
    _moves: tuple[bool, ...]

    def origin(self, offset: int) -> int:
        """The byte of the source that a byte of the result comes from.

        A byte that was spliced in comes from the place where it was.
        """
        piece = bisect_right(self._at, offset) - 1
        return self._from[piece] + (offset - self._at[piece] if self._moves[piece] else 0)


def apply(source: bytes, splices: Iterable[Splice]) -> Spliced:
    """The source with all splices made.

    Splices at one place keep their order; one that lies within another that replaces more is dropped,
    because what it would have changed is gone. Raises ``ValueError`` where two overlap in part.
    """
    data = bytearray()
    at, origins, moves = [0], [0], [True]
    done = 0

    def piece(origin: int, *, copied: bool) -> None:
        at.append(len(data))
        origins.append(origin)
        moves.append(copied)

    for splice in _outermost(splices):
        if splice.start < done:
            raise ValueError(f"two splices overlap at byte {splice.start}")
        data += source[done : splice.start]
        piece(splice.start, copied=False)
        data += splice.text
        done = splice.end
        piece(done, copied=True)
    data += source[done:]
    return Spliced(bytes(data), tuple(at), tuple(origins), tuple(moves))


def _outermost(splices: Iterable[Splice]) -> list[Splice]:
    kept: list[Splice] = []
    for splice in sorted(splices, key=lambda s: (s.start, s.end != s.start, -s.end)):
        if (
            kept
            and kept[-1].end >= splice.end
            and splice.start < kept[-1].end
            and splice.start >= kept[-1].start
        ):
            continue
        kept.append(splice)
    return kept

"""The parts of a source that the grammar misreads, hidden from it.

Its scanner takes what follows the end marker of a heredoc on a line for text if the marker ends nothing, and
the escape in ``$$${`` for the beginning of an interpolation. Both would hide code, or turn text into code.
And it does not know an exponent of a number without a fraction (``1e3``).
"""

from __future__ import annotations

_ESCAPES = ((b"$$${", b"_$${"), (b"%%%{", b"_%%{"))
_EXPONENTS = (b"0e", b"0E")
DIGITS_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")
"""So that what follows or precedes any digit is found by one search."""
_NO_MARK = b"'"
"""What no end mark of a heredoc begins with."""


def masked(source: bytes) -> bytes:
    """The source as the grammar may see it: every part keeps its place, some texts are replaced."""
    for misread, read in _ESCAPES:
        source = source.replace(misread, read)
    source = _without_exponents(source)
    marks = tuple({_mark(behind) for behind in source.split(b"<<")[1:]} - {b""})
    return b"\n".join(_without_mark(line, marks) for line in source.split(b"\n")) if marks else source


def _without_exponents(source: bytes) -> bytes:
    """Digits in place of what makes an exponent."""
    data, zeros = bytearray(source), source.translate(DIGITS_AS_ZERO)
    for mark in _EXPONENTS:
        at = zeros.find(mark)
        while at != -1:
            end = at + 2 + source.startswith((b"-", b"+"), at + 2)
            if source[end : end + 1].isdigit() and _ends_number(source, at):
                data[at + 1 : end] = b"0" * (end - at - 1)
            at = zeros.find(mark, end)
    return bytes(data)


def _ends_number(source: bytes, at: int) -> bool:
    """Whether a digit belongs to a number and not to a name, which may contain digits and dashes too."""
    start = at
    while start and (
        source[start - 1 : start].isalnum() or source[start - 1] in b"_-" or source[start - 1] > 127
    ):
        start -= 1
    return source[start : at + 1].lstrip(b"-")[:1].isdigit()


def _mark(behind: bytes) -> bytes:
    """The end marker of a heredoc, from what follows its ``<<``; empty if it has none."""
    word = behind.partition(b"\n")[0].removeprefix(b"-").removesuffix(b"\r")
    return word if word.replace(b"-", b"_").decode("ascii", "replace").isidentifier() else b""


def _without_mark(line: bytes, marks: tuple[bytes, ...]) -> bytes:
    """A line whose first word is no end mark, where it is one and a template may follow."""
    text = line.lstrip()
    if text.startswith(marks):
        for mark in marks:
            if text.startswith(mark) and text[len(mark) :].lstrip().startswith((b"$", b"%")):
                return line[: -len(text)] + _NO_MARK + text[1:]
    return line

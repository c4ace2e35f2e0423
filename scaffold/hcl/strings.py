"""The text of HCL strings: escape sequences of quoted ones, indentation of heredocs.

Follows "Template Expressions" of the HCL native syntax specification: a quoted template knows the
escapes ``\\n \\r \\t \\" \\\\ \\uNNNN \\UNNNNNNNN``; a heredoc knows none; ``$${`` and ``%%{`` stand for
``${`` and ``%{`` in both.
"""

from __future__ import annotations

_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_UNICODE = {"u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")


def bad_escapes(raw: str) -> list[int]:
    """Offsets of the backslashes in the raw text of a quoted string that start no known escape."""
    if "\\" not in raw:
        return []
    return [offset for offset, _, value in _escapes(raw) if value is None]


def unquote(raw: str) -> str:
    """The text that the raw contents of a quoted string (without its quotes) stand for.

    Unknown escapes are kept as they are: the strict parser refuses them anyway.
    """
    if "\\" in raw:
        pieces: list[str] = []
        done = 0
        for offset, size, value in _escapes(raw):
            pieces += (raw[done:offset], raw[offset : offset + size] if value is None else value)
            done = offset + size
        raw = "".join((*pieces, raw[done:]))
    return unescape_markers(raw)


def quote(text: str) -> str:
    """The quoted HCL string that stands for exactly this text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for letter, character in (("n", "\n"), ("r", "\r"), ("t", "\t")):
        escaped = escaped.replace(character, "\\" + letter)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def unescape_markers(text: str) -> str:
    """``$${`` and ``%%{`` as the ``${`` and ``%{`` they stand for."""
    return text.replace("$${", "${").replace("%%{", "%{") if "{" in text else text


def has_template(raw: str) -> bool:
    """Whether the raw text of a string has an interpolation or a directive in it."""
    return "{" in raw and ("${" in raw.replace("$${", " ") or "%{" in raw.replace("%%{", " "))


def heredoc_text(lines: list[str], *, flush: bool) -> str:
    """The text of a heredoc without interpolation, from its lines (with their line ends).

    ``flush`` is the ``<<-`` form: the smallest indentation of all lines is taken from each. Lines of
    white space alone do not count, and stay as they are.
    """
    if flush:
        indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
        cut = min(indents, default=0)
        lines = [line[cut:] if line.strip() else line for line in lines]
    return unescape_markers("".join(lines))


def _escapes(raw: str) -> list[tuple[int, int, str | None]]:
    """Each backslash sequence: its offset, its size and its value (None if it is unknown)."""
    found: list[tuple[int, int, str | None]] = []
    offset = raw.find("\\")
    while offset != -1:
        letter = raw[offset + 1 : offset + 2]
        size, value = 2, _SIMPLE.get(letter)
        if letter in _UNICODE:
            digits = raw[offset + 2 : offset + 2 + _UNICODE[letter]]
            if len(digits) == _UNICODE[letter] and set(digits) <= _HEX:
                size, code = 2 + len(digits), int(digits, 16)
                value = None if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)
        found.append((offset, size, value))
        offset = raw.find("\\", offset + size)
    return found

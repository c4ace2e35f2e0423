"""What Woodpecker does first with a file: substitution on its raw text, comments included.

Woodpecker 3 gives the text to ``drone/envsubst`` 1.0.3 before any YAML is parsed. Only ``${…}`` is
substituted; ``$NAME`` is left for the shell. Outside of ``${…}`` two dollars become one, and a backslash
before a slash or another backslash goes. A name that is not set is empty text.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NAME_ERROR = "unable to parse variable name"
BRACE_ERROR = "missing closing brace"
PARAMETER_ERROR = "unable to parse substitution within function"
BAD = "bad substitution"

_NAME = re.compile(r"\w+")
_INTEGER = re.compile(r"[+-]?[0-9]+")


class SubstitutionError(ValueError):
    """Text that Woodpecker refuses; ``offset`` is where the ``${`` stands."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Use:
    """One ``${NAME…}`` in a text, from its ``$`` to after its brace."""

    name: str
    offset: int
    end: int


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """The text with every ``${…}`` replaced. Raises :class:`SubstitutionError` as Woodpecker would."""
    return _Scanner(text, environment).run()[0]


def uses(text: str) -> tuple[Use, ...]:
    """Every variable that the text reads through ``${…}``. Raises :class:`SubstitutionError`."""
    return tuple(_Scanner(text, {}).run()[1])


class _Scanner:
    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.environment = environment
        self.at = 0
        self.start = 0
        self.found: list[Use] = []

    def run(self) -> tuple[str, list[Use]]:
        parts = []
        while self.at < len(self.text):
            if self._opens():
                parts.append(self._function())
            else:
                parts.append(self._plain(lambda _: True, escapes=True))
        return "".join(parts), self.found

    def _opens(self) -> bool:
        return self.text.startswith("${", self.at)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _plain(self, accepts: Callable[[str], bool], *, escapes: bool) -> str:
        """Text up to the next ``${`` or the first character that is not accepted."""
        parts = []
        while self.at < len(self.text) and not self._opens():
            pair = self.text[self.at : self.at + 2]
            if escapes and pair in ("$$", "\\/", "\\\\"):
                parts.append(pair[1])
                self.at += 2
                continue
            if not accepts(pair[0]):
                break
            parts.append(pair[0])
            self.at += 1
        return "".join(parts)

    def _fail(self, message: str) -> SubstitutionError:
        return SubstitutionError(message, self.start)

    def _function(self) -> str:
        outer, self.start = self.start, self.at
        self.at += 2
        is_length = self._peek() == "#"
        if is_length:
            self.at += 1
        name = _NAME.match(self.text, self.at)
        if name is None:
            raise self._fail(BAD if is_length else NAME_ERROR)
        begin, place = self.start, len(self.found)
        self.at = name.end()
        value = self.environment.get(name[0], "")
        result = str(len(value.encode())) if is_length else self._apply(value)
        if self._peek() != "}":
            raise self._fail(BAD)
        self.at += 1
        self.found.insert(place, Use(name[0], begin, self.at))
        self.start = outer
        return result

    def _apply(self, value: str) -> str:
        """The function after the name, up to the closing brace."""
        sign = self._peek()
        if sign in tuple(":="):
            is_default = sign == "=" or self.text[self.at + 1 : self.at + 2] in tuple("=-?+")
            self.at += 2 if sign == ":" and is_default else 1
            return self._default(value) if is_default else self._substring(value)
        if sign in tuple(",^"):
            return self._casing(value)
        if sign == "/":
            return self._replace(value)
        if sign in tuple("#%"):
            return self._remove(value, sign)
        if sign != "}":
            raise self._fail(BRACE_ERROR)
        return value

    def _parameter(self, accepts: Callable[[str], bool], *, escapes: bool = False) -> str:
        if self._opens():
            return self._function()
        before = self.at
        text = self._plain(accepts, escapes=escapes)
        if self.at == before:
            raise self._fail(PARAMETER_ERROR)
        return text

    def _default(self, value: str) -> str:
        parts = []
        while self._peek() != "}":
            parts.append(self._parameter(lambda sign: sign != "}"))
        return value or "".join(parts)

    def _substring(self, value: str) -> str:
        if not self._peek():
            raise self._fail(BAD)
        position = self._parameter(lambda sign: sign not in ":}")
        length = None
        if self._peek() == ":":
            while self._peek() == ":":
                self.at += 1
            length = self._parameter(lambda sign: sign != "}")
        if self._peek() != "}":
            raise self._fail(BAD)
        if not _INTEGER.fullmatch(position) or (length is not None and not _INTEGER.fullmatch(length)):
            return value
        data = value.encode()
        begin = int(position)
        begin = max(0, len(data) + begin) if begin < 0 else begin
        end = len(data) if length is None else begin + int(length)
        return data[begin:end].decode(errors="replace") if end >= begin else ""

    def _casing(self, value: str) -> str:
        sign = self._peek()
        doubled = self.text.startswith(sign * 2, self.at)
        self.at += 2 if doubled else 1
        change = str.lower if sign == "," else str.upper
        return change(value) if doubled else change(value[:1]) + value[1:]

    def _replace(self, value: str) -> str:
        form = self.text[self.at + 1 : self.at + 2]
        form = form if form in tuple("/#%") else ""
        self.at += 1 + len(form)
        old = self._parameter(lambda sign: sign != "/", escapes=True)
        if self._peek() != "/":
            raise self._fail(BAD)
        while self._peek() == "/":
            self.at += 1
        new = ""
        if self._peek() != "}":
            new = self._parameter(lambda sign: sign != "}", escapes=True)
        if form == "#":
            return new + value[len(old) :] if value.startswith(old) else value
        if form == "%":
            return value[: len(value) - len(old)] + new if value.endswith(old) else value
        return value.replace(old, new) if form == "/" else value.replace(old, new, 1)

    def _remove(self, value: str, sign: str) -> str:
        doubled = self.text.startswith(sign * 2, self.at)
        self.at += 2 if doubled else 1
        pattern = self._parameter(lambda other: other != "}")
        lengths = range(1, len(value) + 1)
        for length in reversed(lengths) if doubled else lengths:
            part = value[:length] if sign == "#" else value[-length:]
            if fnmatch.fnmatchcase(part, pattern):
                return value[length:] if sign == "#" else value[:-length]
        return value

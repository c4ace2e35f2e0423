"""Random HCL documents: some that are correct, some that nearly are, and some that are soup.

They have what readers of HCL disagree about: where a heredoc ends, what is escaped in a template, which line
ends count.
"""

from __future__ import annotations

from random import Random

_MARKS = ("E", "EOT", "E_T", "a-b", "_")
_NAMES = ("a", "b1", "c_d", "e-f", "for", "E", "EOT")
_ROOTS = ("a", "var", "local", "each", "E")
_LITERALS = (
    "1",
    "1.5",
    "-1",
    "1e3",
    "n1e+3",
    "2E-1",
    "a-1e+3",
    "b-1e-3",
    "a.n2e+1",
    "!true",
    "null",
    '""',
    '"x"',
    "{}",
)
_FUNCTIONS = ("f", "provider::a::f", "file", "core::file", "EOT", "jsondecode")
_OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||")
_TEXTS = (
    *("x", "é", " ", "  ", "\t", "$", "%", "$$", "%%", "$${", "%%{", "$$${", "{", "}", "~", "#", "//", "/*", "*/"),
    *("<<E", "<<-EOT", "EOT", "E", "a-b", "(", ")", "f(", "=", "file(a)", "'", "`", ","),
)  # fmt: skip
_QUOTED = ("\\n", "\\\\", '\\"', "\\t", "\\u00e9", "\\\\\\n")
_RAW = ('"', "\\", "\\n", '\\"', "\n", "\r\n", "\n\n", "\n  ", "\n\t")
_SOUP = (
    *_TEXTS, *_QUOTED, *_RAW, *_NAMES, *_OPERATORS, "${", "%{", "${~", "~}", "%{ if a }", "%{ else }",
    "%{ endif }", "%{ for a in b }", "%{ endfor }", "a = ", "\na = ", "<<E\n", "<<-E\n", "<<EOT\r\n", "\nE\n",
    "\n  EOT\n", "\r\nE\r\n", "E\n", "E${", "\nE${f(a)}\n", "\nEOT %{ if f(a) }", "\nE $${", "[", "]", "?", ":",
    "::", ".", "[*]", ".*", "1", "0x", "...", "=>", "!", "b {", "\n}\n", "true", "null", "\u00a0", "\u2003",
)  # fmt: skip


class Documents:
    """Documents that a seed gives."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._pick = self._random.choice

    def document(self) -> bytes:
        """The next one."""
        kind = self._random.random()
        if kind < 0.1:
            text = "".join(self._pick(_SOUP) for _ in range(self._random.randint(1, 40)))
        else:
            text = "".join(self._definition(2) for _ in range(self._random.randint(1, 3)))
            if kind > 0.55:
                text = self._mutated(text)
        if self._chance(0.1):
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return text.encode()

    def template(self) -> bytes:
        """What a template's file may hold."""
        texts = (*_TEXTS, *_RAW, *self._ends("TEMPLATE"))
        text = "".join(self._part(3, texts) for _ in range(self._random.randint(1, 6)))
        return (self._mutated(text) if self._chance(0.5) else text).encode()

    def nested(self) -> bytes:
        """A document whose templates are nested so deeply that a scanner with little memory forgets where it is."""
        opened, closed = "", ""
        longest = self._pick((1, 30, 60, 100))
        for _ in range(self._pick((3, 8, 15, 60, 130))):
            mark = "L" * self._random.randint(1, longest)
            start, end = self._pick((
                ('"${', '}"'), ('"$${ ${', '} {"'), ('"%{ if ', ' }%{ endif }"'),
                (f"(<<{mark}\n{self._pick(('', 'x', f'{mark}x'))}\n${{", f"}}\n{mark}\n)"),
                (f"(<<{mark}\n/*\n${{", f"}}\n*/\n{mark}\n)"),
            ))  # fmt: skip
            opened, closed = opened + start, end + closed
        return f"a = {opened}f(b){closed}\n".encode()

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _mutated(self, text: str) -> str:
        for _ in range(self._random.randint(1, 3)):
            start = self._random.randint(0, len(text))
            end = min(len(text), start + self._random.choice((0, 0, 1, 2, 10)))
            text = text[:start] + self._pick((self._pick(_SOUP), "", text[start:end] * 2)) + text[end:]
        return text

    def _definition(self, depth: int) -> str:
        if depth and self._chance(0.2):
            labels = self._pick(("", ' "l"', ' "$${l}" m', " l"))
            inner = "".join(self._definition(depth - 1) for _ in range(self._random.randint(0, 2)))
            return f"b{labels} {{\n{inner}}}\n"
        name = f"{self._pick(_NAMES)}{self._random.randint(0, 999)}"
        comment = self._pick(("", "", "", " # f(a)", " // <<E", " /* ${f(a)} */"))
        value = self._expression(3)
        return f"{name} = {value}{'' if value.endswith(chr(10)) else comment + chr(10)}"

    # expressions

    def _expression(self, depth: int) -> str:
        if depth == 0:
            return self._pick((*_LITERALS, self._reference()))
        inner = depth - 1
        kind = self._random.randrange(15)
        if kind < 4:
            return self._heredoc(inner)
        if kind < 7:
            return f'"{self._template(inner, _TEXTS + _QUOTED)}"'
        if kind == 7:
            arguments = self._list(inner)
            return f"{self._pick(_FUNCTIONS)}({arguments}{self._pick(('', '', '...')) if arguments else ''})"
        if kind == 8:
            return f"[{self._space()}{self._list(inner)}]"
        if kind == 9:
            return self._map(inner)
        if kind == 10:
            return f"{self._closed(inner)} {self._pick(_OPERATORS)} {self._closed(inner)}"
        if kind == 11:
            return f"{self._closed(inner)} ? {self._closed(inner)} : {self._closed(inner)}"
        if kind == 12:
            return self._for(inner)
        if kind == 13:
            operator = self._pick((*_OPERATORS, "? a :", "\n?", ".x +"))
            return (
                f"({self._space()}{self._pick(('', '!', '-'))}{self._closed(inner)}{self._space()}{operator}\n"
                f"{self._space()}{self._closed(inner)}{self._space()})"
            )
        steps = "".join(self._pick((".x", '["y"]', "[0]", "[*].z", "[f(a)]", ".0", ".*.w")) for _ in "12")
        return f"({self._closed(inner)}){steps}"

    def _map(self, depth: int) -> str:
        keys = ("a", '"k"', "(f(a))", "(b)", '"${f(a)}"', "for", "1", "true", "a.b")
        entries = [
            f"{self._pick(keys)} {self._pick('=:')} {self._expression(depth)}"
            for _ in range(self._random.randint(0, 3))
        ]
        # A heredoc ends with its line, and the entry with it.
        joined = "".join(
            entry if entry.endswith("\n") else entry + self._pick((", ", "\n", " # f(a)\n", ",\n"))
            for entry in entries
        )
        return "{" + self._pick(("", "\n")) + joined + "}"

    def _for(self, depth: int) -> str:
        names, condition = self._pick(("k, a", "a")), self._pick(("", " if a", " if f(k)"))
        head = f"for {names} in {self._closed(depth)}{self._space()}:"
        if self._chance(0.5):
            return f"[{self._space()}{head} {self._closed(depth)}{condition}{self._space()}]"
        return f"{{{self._space()}{head} {self._closed(depth)} => {self._closed(depth)}{self._pick(('', '...'))}{condition}}}"

    def _closed(self, depth: int) -> str:
        """An expression that something may follow in its line."""
        value = self._expression(depth)
        return f"({value})" if value.endswith("\n") else value

    def _list(self, depth: int) -> str:
        comma = self._pick((", ", ",\n", " , "))
        return comma.join(self._expression(depth) for _ in range(self._random.randint(0, 3)))

    def _reference(self) -> str:
        return self._pick(_ROOTS) + "".join(
            self._pick((".x", ".y", '["k"]', "[0]", "[*]", ".*.y", "")) for _ in "12"
        )

    def _space(self) -> str:
        return self._pick(("", " ", "\n", " # f(a)\n", " /* ) */ "))

    # templates

    def _heredoc(self, depth: int) -> str:
        mark = self._pick(_MARKS)
        dash = self._pick(("", "-"))
        end = self._pick(("\n", "\n", "\n", "\r\n"))
        body = self._template(depth, (*_TEXTS, *_RAW, *self._ends(mark)))
        # Most end in a line of their own; what follows the mark ends it no more.
        last = self._pick(("", "", "  ", "\t")) + mark + self._pick(("", "", "", "", " ", "\t", "$", " x"))
        return f"<<{dash}{mark}{end}{body}{end if body else ''}{last}{end}"

    def _ends(self, mark: str) -> tuple[str, ...]:
        behind = ("x", "$", "$$", "%", "$${", "%%{", " $${", "-", "\\", '"', "}", " ")
        return (*(f"\n{mark}{text}" for text in behind), f"\n \t{mark} ${{f(a)}}", f"\n{mark}${{f(a)}}",
                f"\n  {mark}%{{ if f(a) }}x%{{ endif }}", f"x{mark}\n", f"${{a}}{mark}\n")  # fmt: skip

    def _template(self, depth: int, texts: tuple[str, ...]) -> str:
        return "".join(self._part(depth, texts) for _ in range(self._random.randint(0, 5)))

    def _part(self, depth: int, texts: tuple[str, ...]) -> str:
        if depth == 0 or self._chance(0.6):
            return self._pick(texts)
        left, right, inner = self._pick(("", "~")), self._pick(("", "~")), depth - 1
        if self._chance(0.6):
            return f"${{{left}{self._space()}{self._closed(inner)}{self._space()}{right}}}"
        body = self._template(inner, texts)
        if self._chance(0.5):
            return f"%{{{left} for k in {self._closed(inner)} {right}}}{body}%{{ endfor }}"
        other = self._pick(("", f"%{{ else {right}}}{body}"))
        return f"%{{ if {self._closed(inner)} {right}}}{body}{other}%{{{left} endif }}"

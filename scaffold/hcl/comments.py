"""Comments of an HCL file, with their places."""

from __future__ import annotations

from scaffold.hcl.source import View


class Comment(View):
    """One ``#``, ``//`` or ``/* */`` comment."""

    @property
    def text(self) -> str:
        """What it says, without its markers."""
        raw = super().text
        if raw.startswith("/*"):
            return raw[2:-2].strip()
        return raw.removeprefix("//" if raw.startswith("//") else "#").strip()

    @property
    def lines(self) -> list[str]:
        """What it says, line by line, without the stars that begin the lines of a block comment."""
        return [line.strip().removeprefix("*").strip() for line in self.text.split("\n")]

    @property
    def own_line(self) -> bool:
        """Whether no code stands before it in its line."""
        return not self.source.data[self.source.line_starts[self.line - 1] : self.start].strip()

"""The pictures of README, recorded from a real run: ``.venv/bin/python -m scaffold.generate.pictures``.

It wants terraform. One SVG each, light or dark as the reader's browser asks; text stays text, in the reader's
own monospaced font.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from scaffold import demo
from scaffold.answers.sources import Answers
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.commands.prepared import Prepared
from scaffold.commands.taken import judge
from scaffold.monorepo.repository import Monorepo
from scaffold.report.prepared import exists_text
from scaffold.templates import template
from scaffold.templates.questions import Value
from scaffold.wizard import window
from scaffold.wizard.engine import Engine
from scaffold.wizard.preview import Previews
from scaffold.wizard.review import review
from scaffold.wizard.screen import Typed
from scaffold.wizard.state import State

PLACE = Path("docs", "pictures")
_SOURCE = "https://git.example.test/scaffold.git"
_EXAMPLE = Path("tests", "answers", "valid", "drone-logbook.yml")
_COLUMNS = 96
_WIDE, _HIGH = 7.8, 18
"""Pixels of a column and of a row, at the size of the font."""
_STYLE = """\
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #d1d9e0 } .heading { fill: #0550ae; font-weight: bold }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } rect { fill: #0d1117; stroke: #3d444d } .heading { fill: #79c0ff }
}"""


class _Recorder:
    """A screen that records what it shows, for somebody who looks at the review and quits."""

    keys = ""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def opened(self) -> AbstractContextManager[None]:
        """Nothing needs to be set up."""
        return nullcontext()

    def show(self, lines: Iterable[str], *, verbatim: bool = False, fit: bool = False) -> None:
        """Record lines as a terminal of our width shows them."""
        for line in lines:
            text = line if verbatim else (window.cut if fit else window.wrapped)(line, _COLUMNS)
            self.lines += text.splitlines() or [""]

    def choose(self, title: str, choices: object, default: Value, ahead: object = None) -> Value:
        """Accept what is proposed."""
        return default

    def line(
        self,
        title: str,
        default: object,
        problem: object,
        *,
        explains: bool = True,
        until: Callable[[], bool] | None = None,
    ) -> str | Typed:
        """Wait for the plan, then quit."""
        if until is not None:
            while not until():
                time.sleep(0.05)
            return Typed(None, "")
        self.show([f"? {title}", " >"])
        return "q"


def record() -> Iterator[tuple[Path, str]]:
    """Each picture, by its path in the checkout, with the text that it should have."""
    answers = yaml.safe_load((template.root() / _EXAMPLE).read_text("utf-8"))
    with TemporaryDirectory() as scratch:
        root = Path(scratch, "monorepo")
        demo.write(root)
        monorepo = Monorepo(root)
        made: list[Prepared] = []

        def make(given: Answers, /, *, level: Level | None) -> Prepared:
            made.append(prepare(monorepo, given, None, level=level, template_source=_SOURCE))
            return made[-1]

        engine, state = Engine(judge(monorepo, {}), {}), State()
        for name, value in answers.items():
            state = engine.answer(state, (name,), value)
        screen, previews = _Recorder(), Previews(make, {"sensed": {}}, None)
        try:
            review(engine, state, screen, previews.of, lambda _: None)
        finally:
            previews.close()
    yield PLACE / "review.svg", _svg(screen.lines[1:])
    yield PLACE / "stack.svg", _svg([*_excerpt(made[-1]), "", *_planned(made[-1])])


def _excerpt(made: Prepared) -> Iterator[str]:
    """The volume and the ingress of the stack, as they are rendered."""
    assert made.stack is not None
    (main,) = (file for file in made.stack.change.changes if file.path.name == "main.tf")
    assert isinstance(main.after, bytes)
    lines = main.after.decode().splitlines()
    yield str(main.path)
    for head in ('resource "kubernetes_persistent_volume_claim"', 'module "ingress"'):
        start = next(number for number, line in enumerate(lines) if line.startswith(head))
        end = lines.index("}", start)
        yield from ("", *(window.cut(f"  {line}", _COLUMNS) for line in lines[start : end + 1]))


def _planned(made: Prepared) -> Iterator[str]:
    assert made.stack is not None
    yield from (window.cut(line, _COLUMNS) for line in exists_text(made.stack.verified))


def _svg(lines: Sequence[str]) -> str:
    width, height = round(_COLUMNS * _WIDE) + 24, len(lines) * _HIGH + 20
    rows = [
        f'<text x="12" y="{number * _HIGH + 10 - 4}"{_as(line)} textLength="{round(len(line) * _WIDE)}"'
        f' xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    frame = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>'
    return "\n".join([head, f"<style>\n{_STYLE}\n</style>", frame, *rows, "</svg>", ""])


def _as(line: str) -> str:
    return "" if line.startswith((" ", "?")) else ' class="heading"'


if __name__ == "__main__":
    for path, text in record():
        (template.root() / path).write_text(text, "utf-8")

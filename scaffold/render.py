"""Answers to files, by Copier, in a staging place. What it renders is what is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from scaffold import template
from scaffold.change import Content, Symlink
from scaffold.errors import AnswersError
from scaffold.questions import Value, all_questions

ANSWERS_FILE = ".copier-answers.yml"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Copier made of answers: the files by their path below its root, and every combined value."""

    files: Mapping[PurePosixPath, Content]
    values: Mapping[str, Value]


def warm_up() -> None:
    """Import what rendering needs, half a second, while nobody waits for it."""
    import copier  # noqa: F401


def render(
    answers: Mapping[str, Value],
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value],
    origin: template.Origin,
    target: str = "stack",
) -> Rendered:
    """The files and values that the template gives for these answers.

    ``target`` is which of the two templates: ``stack``, or ``service`` for the app's repository.

    ``answers`` hold only what was given; defaults are Copier's matter, as in a stock ``copier copy``.
    Raises :class:`AnswersError` where Copier refuses answers that should have been found wrong before.
    """
    # In the order in which they were given, for they are recorded in it.
    given = json.dumps([answers, sensed, recorded], ensure_ascii=False)
    return _rendered(given, origin, target)


@lru_cache(2)
def _rendered(given: str, origin: template.Origin, target: str) -> Rendered:
    """The wizard renders the same answers twice: to show the files at once, and for the plan."""
    import copier

    answers, sensed, recorded = json.loads(given)
    data: dict[str, Value] = dict(answers)
    if target != "stack":
        data["template"] = target
    if sensed:
        data["sensed"] = dict(sensed)
    if recorded:
        data["recorded"] = dict(recorded)
    data["_origin"] = {"_src_path": origin.source, "_commit": origin.version}
    with template.plain_directory() as source, TemporaryDirectory(prefix="scaffold-render-") as scratch:
        try:
            worker = copier.run_copy(
                str(source),
                scratch,
                data,
                defaults=True,
                quiet=True,
                overwrite=True,
                settings=copier.Settings(),
            )
        except ValueError as error:
            raise AnswersError(f"Copier refuses these answers: {error}") from error
        combined = worker.answers.combined
        values = {q.name: combined[q.name] for q in all_questions() if q.name in combined}
        # A wheel holds no links, so those of an installed package's template come from its decisions.
        links = values["stack"]["links"] if target == "stack" else {}
        linked = {PurePosixPath(path): Symlink(aim) for path, aim in links.items()}
        return Rendered({**_files(Path(scratch)), **linked}, values)


def _files(directory: Path) -> dict[PurePosixPath, Content]:
    result: dict[PurePosixPath, Content] = {}
    for path in sorted(directory.rglob("*")):
        relative = PurePosixPath(path.relative_to(directory).as_posix())
        if path.is_symlink():
            result[relative] = Symlink(str(path.readlink()))
        elif path.is_file():
            result[relative] = path.read_bytes()
    return result

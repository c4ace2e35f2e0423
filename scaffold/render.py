"""Answers to files, by Copier, in a staging place. What it renders is what is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from scaffold import template
from scaffold.change import Content, Symlink
from scaffold.errors import AnswersError
from scaffold.questions import Value

ANSWERS_FILE = ".copier-answers.yml"


def render(
    answers: Mapping[str, Value],
    sensed: Mapping[str, Value],
    recorded: Mapping[str, Value],
    origin: template.Origin,
) -> dict[PurePosixPath, Content]:
    """The files that the template gives for these answers, by their path below the stack.

    ``answers`` hold only what was given; defaults are Copier's matter, as in a stock ``copier copy``.
    Raises :class:`AnswersError` where Copier refuses answers that should have been found wrong before.
    """
    import copier

    data: dict[str, Value] = dict(answers)
    if sensed:
        data["sensed"] = dict(sensed)
    if recorded:
        data["recorded"] = dict(recorded)
    data["_origin"] = {"_src_path": origin.source, "_commit": origin.version}
    with template.plain_directory() as source, TemporaryDirectory(prefix="scaffold-render-") as scratch:
        try:
            copier.run_copy(
                str(source), scratch, data, defaults=True, quiet=True, overwrite=True, settings=copier.Settings()
            )
        except ValueError as error:
            raise AnswersError(f"Copier refuses these answers: {error}") from error
        return _files(Path(scratch))


def _files(directory: Path) -> dict[PurePosixPath, Content]:
    result: dict[PurePosixPath, Content] = {}
    for path in sorted(directory.rglob("*")):
        relative = PurePosixPath(path.relative_to(directory).as_posix())
        if path.is_symlink():
            result[relative] = Symlink(str(path.readlink()))
        elif path.is_file():
            result[relative] = path.read_bytes()
    return result

"""A YAML file, checked against a part of ``sweep.yml``: every error, with its line and its fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

import yaml

from scaffold.errors import AnswersError, Finding, nearest
from scaffold.reading import Text, YamlError, read
from scaffold.templates.questions import Value
from scaffold.templates.template import FAST_LOADER

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path: TypeAlias = tuple[str | int, ...]


class YamlFile:
    """A file, and everything that is wrong with it."""

    def __init__(self, name: str, source: bytes) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self._text = Text(None, ())
        try:
            self._text = read(source)
        except YamlError as error:
            found = Finding(
                name, error.line, error.column, "sweep.yaml", f"The file {error.message}.", fix=error.fix
            )
            self.findings.append(found)
        for place in self._text.places:
            if place.twice:
                self.wrong(place.path, "is given twice", fix="Remove one of them.")

    @property
    def value(self) -> Value:
        """What the file holds."""
        return self._text.value

    def wrong(self, path: Path, what: str, *, allowed: str = "", fix: str = "Correct the value.") -> None:
        """Note what is wrong with the value at a path."""
        places = {place.path: place for place in self._text.places}
        at = next((places[path[:end]] for end in range(len(path), -1, -1) if path[:end] in places), None)
        name = ".".join(map(str, path)) or "the file"
        value = self._at(path)
        shown = None if value is None or isinstance(value, dict | list) else str(value)
        line, column = (at.line, at.column) if at else (None, None)
        found = Finding(self.name, line, column, "sweep.file", f"{name} {what}.", shown, allowed or None, fix)
        if found not in self.findings:
            self.findings.append(found)

    def demand(self) -> None:
        """Raise :class:`AnswersError` with everything that is wrong, if anything is."""
        if self.findings:
            ordered = sorted(self.findings, key=lambda f: (f.line or 0, f.column or 0, f.message))
            raise AnswersError(
                f"{self.name} is not valid.", "Nothing was written. See docs/sweep.md.", ordered
            )

    def against(self, part: str, path: Path = ()) -> bool:
        """Whether the value at a path fits a part of the schema; what does not is noted."""
        before = len(self.findings)
        for error in _validator(part).iter_errors(self._at(path)):
            self._note(path, error)
        return len(self.findings) == before

    def _at(self, path: Path) -> Value:
        value = self.value
        for step in path:
            if isinstance(value, Mapping):
                value = next((inner for key, inner in value.items() if _key(key) == step), None)
            else:
                inside = isinstance(value, list) and isinstance(step, int) and step < len(value)
                value = value[step] if inside else None
        return value

    def _note(self, path: Path, error: ValidationError) -> None:
        part, here = error.schema, (*path, *(_key(step) for step in error.absolute_path))
        assert isinstance(part, Mapping)
        if error.validator == "additionalProperties":
            known = list(part["properties"])
            for key in _keys(error.instance):
                if key not in known:
                    fix = nearest(key, known) or "Remove it."
                    self.wrong((*here, key), "is not a key here", allowed=", ".join(known), fix=fix)
        elif error.validator == "required":
            for key in part["required"]:
                if key not in _keys(error.instance):
                    self.wrong((*here, key), "is missing", fix="Write it.")
        else:
            self.wrong(here, "has the wrong form", allowed=str(part.get("allowed", "")))


def _keys(value: Value) -> Iterator[str]:
    return (str(_key(key)) for key in value)


def _key(key: Value) -> str | int:
    """A key as it is written: YAML reads some keys as something other than text."""
    return str(key).lower() if isinstance(key, bool) else key if isinstance(key, int) else str(key)


@cache
def _validator(part: str) -> Value:
    from jsonschema import Draft202012Validator

    schemas = yaml.load(files("scaffold.sweeps").joinpath("sweep.yml").read_text("utf-8"), FAST_LOADER)
    found = schemas
    for step in part.split("."):
        found = found[step]
    return Draft202012Validator({**found, "$defs": schemas["$defs"]})

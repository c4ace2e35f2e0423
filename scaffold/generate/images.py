"""Known images, compiled for the Jinja that Copier and the command line evaluate.

Each row of ``images.yml`` is checked: its keys, that each value is allowed for the answer that it proposes,
and that no repository is listed twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import yaml

from scaffold.generate.expressions import RowsError
from scaffold.templates import questions
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value

_NEEDED = ("images", "name", "title", "source")
_GITHUB = {"type": "string", "pattern": r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$"}


def compiled(source: str) -> str:
    """The Jinja of ``images.yml``: the rows, and the row numbers by repository and by ending.

    An ending is the last part of a repository; one that says nothing, or that several images share, is left
    out. Raises :class:`RowsError` for the first row that is wrong.
    """
    known = yaml.safe_load(source)
    rows: Sequence[Mapping[str, Value]] = known["images"]
    _check(rows)
    by_repository = {image: number for number, row in enumerate(rows) for image in row["images"]}
    endings = Counter(ending for row in rows for ending in {_ending(image) for image in row["images"]})
    by_ending = {
        _ending(image): number
        for image, number in by_repository.items()
        if endings[_ending(image)] == 1 and _ending(image) not in known["says_nothing"]
    }
    # As text that is read: Jinja takes a second to compile as many literals.
    lines = ["{# Generated from images.yml by `python3 dev generate`; change it there. #}"]
    for name, value in (
        ("known_rows", rows),
        ("known_repositories", by_repository),
        ("known_endings", by_ending),
        ("same", known["same"]),
        ("server_paths", known["server_paths"]),
        ("says_nothing", known["says_nothing"]),
    ):
        lines += [
            f"{{% set {name} %}}",
            _text(value),
            "{% endset %}",
            f"{{% set {name} = {name} | from_json %}}",
        ]
    return "\n".join(lines) + "\n"


def _ending(image: str) -> str:
    return ImageReference.parse(image).base


def _text(value: Value) -> str:
    """JSON with one line per item."""
    if isinstance(value, str):
        return json.dumps(value)
    around = "[]" if isinstance(value, list) else "{}"
    if isinstance(value, list):
        items = [json.dumps(item, ensure_ascii=False) for item in value]
    else:
        items = [f"{json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
    return f"{around[0]}\n" + ",\n".join(items) + f"\n{around[1]}"


def _check(rows: Sequence[Mapping[str, Value]]) -> None:
    for row in rows:
        for problem in _problems(row):
            raise RowsError(f"images.yml: {', '.join(row.get('images', ['a row']))}: {problem}")
    for image, times in Counter(image for row in rows for image in row["images"]).items():
        if times > 1:
            raise RowsError(f"images.yml: {image} is known twice")


def _problems(row: Mapping[str, Value]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    yield from (f"{key} is missing" for key in _NEEDED if key not in row)
    for key, value in row.items():
        if key not in _keys():
            yield f"{key} is no key; there are {', '.join(_keys())}"
        elif error := next(Draft202012Validator(_keys()[key]).iter_errors(value), None):
            yield f"{key}: {error.message}"
    for key, needed in (("embedded_database", "path"), ("server_dump", "server_path")):
        if key in row and needed not in row:
            yield f"{key} needs a {needed}"


@cache
def _keys() -> Mapping[str, Value]:
    """What a row may contain, each key with the JSON Schema of the answer that it proposes."""
    types = questions.types()
    volume = types["volumes"]["items"]["properties"]
    full = {**types["image"], "pattern": r"^[a-z0-9.-]+\.[a-z]+(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$"}
    return {
        "images": {"type": "array", "minItems": 1, "items": full},
        **{key: types[key] for key in ("name", "title", "port", "health_path", "memory")},
        "icon": types["homepage_icon"],
        "uid": {**types["uid"], "type": "integer"},
        "gate": {"enum": ["app", "required"]},
        "sensitive": {"type": "boolean"},
        "rate_limit": {"enum": ["raised"]},
        "path": {**volume["path"], "not": {"pattern": "/$"}},
        "server_path": {**volume["path"], "not": {"pattern": "/$"}},
        "owners": {
            "type": "object",
            "propertyNames": volume["path"],
            "additionalProperties": volume["owner"],
        },
        "server_dump": {"type": "string", "pattern": r"^[a-z][a-z -]*$"},
        "database": {"enum": ["postgresql", "mysql"]},
        "embedded_database": {"enum": ["sqlite", "duckdb", "rocksdb", "other"]},
        "upstream": _GITHUB,
        "source": {"type": "string", "pattern": "^https://[^ ]+$"},
    }

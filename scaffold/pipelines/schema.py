"""Our own schemas for pipeline files, according to the documentation of Woodpecker and GitHub."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from scaffold.templates.schema import KINDS
from scaffold.templates.template import FAST_LOADER

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_WORDS = {**KINDS, "null": "empty"}


def schema_errors(name: str, value: object) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a value by the schema ``name`` (a file of ``schemas``), sorted by place."""
    found = set()
    for error in _validator(name).iter_errors(value):
        cause = _deepest(error)
        found.add((tuple(cause.absolute_path), _message(cause)))
    return sorted(found, key=str)


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = files("scaffold.pipelines").joinpath("schemas", f"{name}.yml").read_text("utf-8")
    return Draft202012Validator(yaml.load(text, FAST_LOADER))


def _deepest(error: ValidationError) -> ValidationError:
    """If all alternatives failed, the error that got deepest into the file."""
    return max(map(_deepest, error.context), key=lambda e: len(e.absolute_path)) if error.context else error


def _message(cause: ValidationError) -> str:
    if cause.validator == "not":  # what the schema rules out entirely
        return f"{cause.absolute_path[-1]} is not allowed here."
    if cause.validator == "additionalProperties":
        keys = re.findall(r"'([^']+)'", cause.message.rpartition("(")[2])
        if len(keys) == 1:
            return f"There is no key {keys[0]} here, and nothing reads it."
        return f"There are no keys {', '.join(keys[:-1])} and {keys[-1]} here, and nothing reads them."
    name = next((str(key) for key in reversed(cause.absolute_path) if isinstance(key, str)), "the file")
    wanted: Any = cause.validator_value
    if cause.validator == "enum":
        return f"{name} has to be one of {', '.join(map(str, wanted))}."
    if cause.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        return f"{name} has to be {' or '.join(_WORDS[kind] for kind in kinds)}."
    message: str = cause.message
    return (message if len(message) <= 200 else message[:80] + " … " + message[-100:]) + "."

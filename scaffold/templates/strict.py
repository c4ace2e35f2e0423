"""JSON Schema as the template applies it, where the standard is laxer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from scaffold.templates.questions import Value


def validator(schema: Mapping[str, Value], **options: Value) -> Value:
    """jsonschema's validator for a schema; importing it costs more than all else that valid answers need."""
    return _of_the_template()(schema, **options)


@cache
def _of_the_template() -> Value:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Value, regex: str, value: Value, __: Value) -> Iterator[ValidationError]:
        # `$` would also match before a line break at the end.
        if isinstance(value, str) and not re.search(f"(?:{regex})(?!\n)", value):
            yield ValidationError("pattern")

    def integer(_: Value, value: Value) -> bool:
        # By JSON Schema 80.0 is a whole number too; Copier takes only 80.
        return isinstance(value, int) and not isinstance(value, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", integer)
    return extend(Draft202012Validator, {"pattern": pattern}, type_checker=types)  # type: ignore[no-untyped-call]

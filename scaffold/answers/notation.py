"""Values as a person types them on one line, according to the schema of the question.

Text is taken as it is. A list is written as words, and a mapping as ``NAME=value``, with quotes around
anything that contains blanks. An item with ``x-line`` in its schema is one word: the fields named there,
joined by ``=``. What has no short form (line breaks, items with more fields) is written as JSON or as YAML on
one line.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from scaffold.errors import UsageError
from scaffold.reading import YamlError, load
from scaffold.templates.questions import Value

Schema = Mapping[str, Value]
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


def kinds(schema: Schema) -> Sequence[str]:
    """The JSON types that a schema allows."""
    found = schema.get("type", ())
    return [found] if isinstance(found, str) else list(found)


def below(schema: Schema, part: str | int) -> Schema:
    """The schema of one part of a value: of a key, or of every item. Empty if nothing is known about it."""
    if isinstance(part, int):
        found = schema.get("items")
    else:
        found = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
    return found if isinstance(found, Mapping) else {}


def called(schema: Schema, item: Value) -> str:
    """What an item is called, by the schema of its list: ``x-called``, or else its first required field."""
    known = below(schema, 0)
    name = known.get("x-called") or next(iter(known.get("required", ())), "")
    if not isinstance(item, Mapping):
        return str(item)
    return str(item.get(name, below(known, name).get("default", "")))


def read(schema: Schema, text: str) -> Value:
    """The value that a line means. Whether it is allowed is left to the validation.

    Raises :class:`UsageError` for a quotation mark that is not closed and the like.
    """
    text = text.strip()
    allowed = kinds(schema)
    if "array" in allowed:
        return _list(schema.get("items", {}), text)
    if "object" in allowed and "string" not in allowed:
        return _mapping(schema, text)
    if text.startswith("{") and "object" in allowed and _is_reference(schema, text):
        return _flow(text)
    if "string" in allowed or "enum" in schema:
        return _text(text)
    if not allowed:
        return _flow(text) if text else None
    if text == "":
        return None
    if "boolean" in allowed:
        return _TRUTH.get(text.lower(), text)
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text


def write(schema: Schema, value: Value) -> str:
    """The line that :func:`read` reads as this value: the short form if it means the same, else JSON."""
    short = _short(schema, value)
    if value is None:
        return ""
    if short.isprintable():
        try:
            if _same(read(schema, short), value):
                return short
        except UsageError:
            pass
    return json.dumps(value, ensure_ascii=False)


def alike(value: Value) -> Iterator[str]:
    """Values that may be right if a value is not: a quantity doubled, a name with a number appended."""
    if not isinstance(value, str) or not value:
        return
    quantity = re.fullmatch(r"([1-9][0-9]{0,5})(Mi|Gi)", value)
    for number in range(2, 10):
        if quantity is None:
            yield f"{value}-{number}"
        else:
            mebibytes = (int(quantity[1]) << 10 * (quantity[2] == "Gi")) << (number - 1)
            yield f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes // 1024}Gi"


def form(schema: Schema) -> str:
    """How a list or a mapping is typed, in one sentence; nothing for anything else."""
    allowed = kinds(schema)
    if "array" in allowed:
        items = schema.get("items", {})
        names = [name.upper() for name in _line(items)]
        forms = " or ".join(dict.fromkeys([*names[:1], "=".join(names)]))
        if not forms:
            return "Separate several with spaces."
        more = (
            ""
            if "x-line" in items or len(items["properties"]) == 1
            else f" For more keys, YAML: [{{{_line(items)[0]}: …, …}}]."
        )
        return f"Type {forms}; separate several with spaces.{more}"
    if "object" in allowed and "string" not in allowed:
        names = list(schema.get("properties", {})) or ["NAME"]
        return f"Type {names[0]}=value; separate several with spaces, and quote a value that contains spaces."
    return ""


def _short(schema: Schema, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items = schema.get("items", {})
        return " ".join(_quoted(_word(items, item)) for item in value)
    if isinstance(value, Mapping):
        if "string" in kinds(schema):
            return json.dumps(value, ensure_ascii=False)
        return " ".join(_quoted(f"{key}={write(below(schema, key), v)}") for key, v in value.items())
    return str(value)


def _quoted(word: str) -> str:
    """A word in quotes where it needs them, as :func:`_words` reads it."""
    return shlex.quote(word) if not word or re.search(r"[\s'\"]", word) else word


def _word(schema: Schema, value: Value) -> str:
    names = _line(schema)
    if not names or not isinstance(value, Mapping):
        return write(schema, value)
    return "=".join(write(below(schema, name), value[name]) for name in names if name in value)


def _line(schema: Schema) -> Sequence[str]:
    """The fields of an item that its word holds: ``x-line``, or else its first required field."""
    named: Sequence[str] = schema.get("x-line") or schema.get("required", [])[:1]
    return named if schema.get("properties") else ()


def _list(items: Schema, text: str) -> Value:
    if text.startswith("["):
        return _flow(text)
    found: list[Value] = []
    for word in _words(text):
        bare = word.rstrip(",")
        one = item(items, bare)
        if "," in bare and not _fits(items, one):
            found += [item(items, part) for part in bare.split(",") if part]
        elif bare or not word:
            found.append(one)
    return found


def item(schema: Schema, word: str) -> Value:
    """The item of a list that a word means, by the schema of items."""
    names = _line(schema)
    if not names:
        return read(schema, word)
    parts = word.split("=", len(names) - 1)
    return {name: read(below(schema, name), part) for name, part in zip(names, parts, strict=False)}


def _mapping(schema: Schema, text: str) -> Value:
    if text.startswith("{"):
        return _flow(text)
    return {key: read(below(schema, key), value) for key, value in _pairs(text)}


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for word in _words(text):
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError("It contains no =.", "Write NAME=value, in quotes if it contains spaces.")
        yield key, value


def _words(text: str) -> list[str]:
    words = shlex.shlex(text, posix=True)
    words.whitespace_split = True
    # Paths and regular expressions keep their backslashes; nothing is a comment.
    words.escape = words.commenters = ""
    try:
        return list(words)
    except ValueError:
        raise UsageError("A quotation mark is not closed.", "Close it.") from None


def _text(text: str) -> str:
    if text.startswith('"'):
        try:
            decoded = json.loads(text)
        except ValueError:
            return text
        return decoded if isinstance(decoded, str) else text
    return text


def _is_reference(schema: Schema, text: str) -> bool:
    """Whether a text in braces is a mapping that this schema knows, and not text that looks like one."""
    try:
        found = _flow(text)
    except UsageError:
        return False
    return isinstance(found, dict) and bool(found) and set(found) <= set(schema.get("properties", ()))


def _flow(text: str) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return load(text)
    except YamlError as error:
        told = error.message.partition(":")[0]
        raise UsageError(f"It {told}.", "Close every quotation mark and bracket.") from None


def _fits(schema: Schema, value: Value) -> bool:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema).is_valid(value)


def _same(one: Value, other: Value) -> bool:
    # As JSON: in Python, 1 equals True.
    return json.dumps(one, default=str) == json.dumps(other, default=str)

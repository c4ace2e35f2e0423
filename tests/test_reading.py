"""YAML that others wrote: read within limits, and errors have their place."""

from __future__ import annotations

import pytest

from scaffold.reading import YamlError, load, read

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{former}'] * 9)}]\n"
    for former, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: &a [*a]", 1, "has an alias that holds itself"),
        ("x: 1\na: &a {b: *a}", 2, "has an alias that holds itself"),
        ("a: " + "[" * 100_000, 1, "is nested too deeply"),
        ("\n".join(" " * level + "a:" for level in range(500)), 50, "is nested too deeply"),
        ("? " * 500 + "a", 1, "is nested too deeply"),
        (LAUGHS, 5, "holds more than 20000 values"),
        (LAUGHS.replace("[x, x, x, x, x, x, x, x, x]", "{x: 1}").replace("[*", "{<<: [*").replace("]\n", "]}\n"),
         5, "holds more than 20000 values"),
        ("a:\n" + "".join(f"  A{number}: b\n" for number in range(20_000)), 10_000, "holds more than"),
        ("a: !!timestamp soon", 1, "is not YAML: this is no timestamp"),
        ("a: 1\nb: !!int ''", 2, "is not YAML: this is no int"),
        ("a: !!bool perhaps", 1, "is not YAML: this is no bool"),
        ("a: 2024-13-45", 1, "is not YAML: this is no timestamp"),
        ("a: " + "9" * 5000, 1, "is not YAML: this is no int"),
        ("a: !!python/object/apply:os.system [id]", 1, "is not YAML: could not determine a constructor"),
        ("a: 1\n---\nb: 2", 2, "is not YAML: found another document"),
        ("? [a]\n: b", 1, "is not YAML: found unhashable key"),
        ("a: \0", None, "is not YAML: unacceptable character"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(text: str, line: int | None, message: str) -> None:
    with pytest.raises(YamlError) as refused:
        load(text)
    assert (refused.value.line, refused.value.message[: len(message)]) == (line, message)
    assert refused.value.fix.endswith(".")


def test_an_alias_stands_for_its_value_and_keeps_its_own_place() -> None:
    found = read("a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n")
    assert found.value == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}
    assert ("b",) in {place.path for place in found.places}


def test_nothing_is_none_without_a_place() -> None:
    assert read("# nothing\n").value is None
    assert read("# nothing\n").places == ()

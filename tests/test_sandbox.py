"""The sandbox that evaluates the tables gives the same results as Jinja's own, and forbids the same."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from jinja2.sandbox import SandboxedEnvironment

from scaffold.templates.sandbox import CompiledTexts, Sandbox

MACRO = "{% macro m(a, b=2) %}{{ a }}-{{ b }}{{ caller() if caller is defined }}{{ varargs | join }}{% endmacro %}"
SEEN = {
    "d": {"a": 1, "items": 2, "_p": 3, "format": "x", "n": {"b": None}},
    "l": [3, 1, 2],
    "s": "a{0}b",
    "f": len,
    "g": lambda: "called",
}


@pytest.mark.parametrize(
    "text",
    [
        "{{ d.a }} {{ d['a'] }} {{ d.n.b }} {{ d._p }} {{ d.format }}",
        "{{ d.missing }}",
        "{{ d.missing is defined }} {{ d.missing | default('y') }}",
        "{{ d.items }}",
        "{% for k, v in d.items() %}{{ loop.index }}{{ loop.last }}{{ k }}{{ v }} {% endfor %}",
        "{% for i in l %}{{ loop.missing is defined }}{{ loop._iterator is defined }}{% endfor %}",
        "{% set _ = l.append(4) %}{{ l.pop() }}{{ l.index(1) }}{{ l.missing is defined }}",
        "{{ l.index(9) }}",
        "{% set n = namespace(a=1, _b=2) %}{% set n.a = n.a + 1 %}{{ n.a }}{{ n._b is defined }}{{ n.c is defined }}",
        "{{ dict(d, a=2).a }}{{ s.upper() }}{{ s.missing is defined }}{{ f(l) }}{{ g() }}{{ range(3) | list }}",
        "{{ s.format(1) }}{{ 'x{a}'.format_map({'a': 1}) }}",
        "{{ '{0.__class__}'.format(l) }}",
        "{{ s.__class__ }}",
        "{{ d.__class__.__mro__ }}",
        "{{ l['__len__']() }}",
        "{{ g.__globals__ }}",
        "{{ s() }}",
        MACRO + "{{ m(1) }} {{ m(1, b=3) }} {{ m(1, 2, 3) }} {% call m(5) %}inside{% endcall %}{{ m.name }}",
        MACRO + "{{ m(c=1) }}",
        MACRO + "{% for i in l %}{% set j = i %}{{ m(j) }}{% endfor %}",
        "{{ range(10 ** 9) }}",
    ],
)
@pytest.mark.parametrize("undefined", [jinja2.Undefined, jinja2.StrictUndefined])
def test_it_gives_what_that_of_jinja_gives(text: str, undefined: type[jinja2.Undefined]) -> None:
    def given(sandbox: type[SandboxedEnvironment]) -> str:
        seen = {**SEEN, "l": [3, 1, 2]}
        try:
            return sandbox(undefined=undefined).from_string(text).render(seen)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    assert given(Sandbox) == given(SandboxedEnvironment)


def test_a_text_is_compiled_once_and_anew_where_what_is_kept_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rendered() -> str:
        made = Sandbox(loader=jinja2.DictLoader({"a": "{{ 1 + x }}"}), bytecode_cache=CompiledTexts(tmp_path))
        return made.get_template("a").render(x=1)

    assert rendered() == "2"
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "compile", None)
        assert rendered() == "2"
    for content in (b"", kept.read_bytes()[:-9]):
        kept.write_bytes(content)
        assert rendered() == "2"

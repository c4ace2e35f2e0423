"""The views of a file: bodies, expressions, values, references and comments, with their places."""

from __future__ import annotations

import pytest
from hcl_oracle import EVERY_KIND, FILES

from scaffold.hcl.references import Splat
from scaffold.hcl.syntax import (
    NOT_LITERAL,
    Attr,
    Attribute,
    Block,
    Body,
    Expression,
    ExprKind,
    Index,
    parse,
)


def expression(text: str) -> Expression:
    return parse(f"value = {text}\n".encode()).body.attributes["value"].value


def test_bodies_keep_the_order_and_the_places_of_what_they_hold() -> None:
    document = parse(b'a = 1\nb "c" d {\n  e = [\n    2,\n  ]\n}\n', "x.tf")
    first, block = document.body.items
    assert isinstance(first, Attribute)
    assert isinstance(block, Block)
    assert (first.name, first.line, first.end_line, first.column) == ("a", 1, 1, 1)
    assert (block.type, block.labels, block.address) == ("b", ("c", "d"), "b.c.d")
    assert (block.line, block.end_line, block.source.data[block.brace : block.brace + 1]) == (2, 6, b"{")
    inner = block.body.attributes["e"]
    assert (inner.line, inner.end_line, inner.column) == (3, 5, 3)
    assert document.source.data[inner.start : inner.end] == b"e = [\n    2,\n  ]"
    assert document.path == "x.tf"


def test_blocks_are_found_by_type_and_first_labels() -> None:
    body = parse(b'r "a" "b" {}\nr "a" "c" {}\nr "d" "b" {}\ns "a" {}\n').body
    assert [b.labels for b in body.blocks_of("r")] == [("a", "b"), ("a", "c"), ("d", "b")]
    assert [b.labels for b in body.blocks_of("r", "a")] == [("a", "b"), ("a", "c")]
    found = body.block("r", "a", "c")
    assert found is not None
    assert found.labels == ("a", "c")
    assert body.block("r", "x") is None


def test_a_value_that_is_not_set_is_told_from_null() -> None:
    body = parse(b"a = null\n").body
    assert body.literal("a") is None
    assert body.literal("b") is NOT_LITERAL
    assert body.value("b") is None


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1", ExprKind.NUMBER, 1),
        ("1.5", ExprKind.NUMBER, 1.5),
        ("1e3", ExprKind.NUMBER, 1000.0),
        ("2E-1", ExprKind.NUMBER, 0.2),
        ("-2", ExprKind.OPERATION, -2),
        ("true", ExprKind.BOOL, True),
        ("null", ExprKind.NULL, None),
        ('"a"', ExprKind.STRING, "a"),
        ('""', ExprKind.STRING, ""),
        ('"  a\\n\\u00e9$${b}"', ExprKind.STRING, "  a\né${b}"),
        ('("none")', ExprKind.PARENTHESES, "none"),
        ("<<EOT\n  a\nEOT", ExprKind.HEREDOC, "  a\n"),
        ("<<-EOT\n    a\n      b\n  EOT", ExprKind.HEREDOC, "a\n  b\n"),
        ("[]", ExprKind.LIST, []),
        ('["a", [1, null]]', ExprKind.LIST, ["a", [1, None]]),
        ("{}", ExprKind.MAP, {}),
        ('{ a = 1, "b c" : 2, 3 = 4, true = 5 }', ExprKind.MAP, {"a": 1, "b c": 2, "3": 4, "true": 5}),
        ("{ (a) = 1 }", ExprKind.MAP, NOT_LITERAL),
        ("[a]", ExprKind.LIST, NOT_LITERAL),
        ("a.b", ExprKind.TRAVERSAL, NOT_LITERAL),
        ('"a ${b}"', ExprKind.TEMPLATE, NOT_LITERAL),
        ("<<EOT\n${b}\nEOT", ExprKind.HEREDOC, NOT_LITERAL),
        ("f(1)", ExprKind.CALL, NOT_LITERAL),
        ("f(1).a", ExprKind.ACCESS, NOT_LITERAL),
        ("(a).b", ExprKind.ACCESS, NOT_LITERAL),
        ("1 + 2", ExprKind.OPERATION, NOT_LITERAL),
        ("!true", ExprKind.OPERATION, NOT_LITERAL),
        ("!1", ExprKind.OPERATION, NOT_LITERAL),
        ("-true", ExprKind.OPERATION, NOT_LITERAL),
        ('-"1"', ExprKind.OPERATION, NOT_LITERAL),
        ("a ? 1 : 2", ExprKind.CONDITIONAL, NOT_LITERAL),
        ("[for a in b : a]", ExprKind.FOR, NOT_LITERAL),
    ],
)
def test_kind_and_literal_value(text: str, kind: ExprKind, value: object) -> None:
    found = expression(text)
    assert found.kind is kind
    assert found.literal() == value
    assert type(found.literal()) is type(value)
    assert found.text == text


def test_parts_of_expressions() -> None:
    conditional = expression("a.b == 1 && !c ? f(d, e...) : ({ g = 2, (h) = 3 })")
    condition, call, other = conditional.operands
    assert condition.operator == "&&"
    left, right = condition.operands
    assert (left.operator, right.operator) == ("==", "!")
    assert [operand.text for operand in left.operands] == ["a.b", "1"]
    assert call.call is not None
    assert (call.call.function, [a.text for a in call.call.arguments]) == ("f", ["d", "e"])
    assert call.call.expanded
    entries = other.bare.entries
    assert [(e.name, e.key.text, e.value.literal()) for e in entries] == [("g", "g", 2), (None, "(h)", 3)]
    entry = other.bare.entry("g")
    assert entry is not None
    assert other.bare.entry("h") is None


def test_an_expression_over_lines_starts_in_one_and_ends_in_another() -> None:
    value = parse(b"a = 1\nb = c[\n  0\n].d\n").body.attributes["b"].value
    assert (value.line, value.end_line, value.column) == (2, 4, 5)


def test_the_last_of_two_equal_keys_counts() -> None:
    entry = expression("{ a = 1, a = 2 }").entry("a")
    assert entry is not None
    assert entry.value.literal() == 2


def test_calls_are_seen_where_the_grammar_alone_takes_them_for_text() -> None:
    texts = (
        "$$${ /*\n${f(a)}\n*/ 1}",
        "E${f(a)}",
        " \tE %{ if f(a) }x%{ endif }",
        "%%%{ /*\n${f(a)}\n*/ if b }",
    )
    for text in texts:
        body = parse(f"a = <<E\n{text}\nE\n".encode()).body
        assert [call.text for call in body.calls()] == ["f(a)"], text
        assert [str(reference) for reference in body.attributes["a"].value.references()] == ["a"]


def test_templates_come_apart_into_text_and_expressions() -> None:
    def pieces(text: str) -> list[object]:
        return [p.text if isinstance(p, Expression) else p for p in expression(text).template]

    assert pieces('" a\\t${b.c} $${d} ${e}"') == [" a\t", "b.c", " ${d} ", "e"]
    assert pieces('"plain"') == ["plain"]
    assert pieces("<<-EOT\n    a ${b}\n      ${c}\n\n  EOT") == ["a ", "b", "\n  ", "c", "\n\n"]
    assert pieces('"%{if a}b%{endif}${~ c ~} d"') == [None, None, " d"]
    assert pieces("a") == []


def references(text: str) -> list[str]:
    return [f"{'bound ' if r.bound else ''}{r}" for r in expression(text).references()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", ["a"]),
        ('a.b[0]["c"].d', ['a.b[0]["c"].d']),
        ("a.b.0.c", ["a.b[0].c"]),
        ("a[*].b.*.c", ["a[*].b[*].c"]),
        ("a[b.c].d", ["a[…].d", "b.c"]),
        ('"x ${a.b} ${c}"', ["a.b", "c"]),
        ("<<EOT\n${a}\n%{ for x in b.c ~}${x}%{ endfor }\nEOT", ["a", "b.c", "bound x"]),
        ("f(a, g(b)...)", ["a", "b"]),
        ("f(a).b", ["a"]),
        ("{ a = b, (c) = d, e.f = 1 }", ["b", "c", "d", "e.f"]),
        ("[for a, b in a.c : b if a != d]", ["a.c", "bound b", "bound a", "d"]),
        ("{ for k in x : k => [for v in k.y : k.z] }", ["x", "bound k", "bound k.y", "bound k.z"]),
        ("[for a in b : a][a]", ["b", "bound a", "a"]),
        ("a ? b : c - d", ["a", "b", "c", "d"]),
        ('"no ${"b"}"', []),
        ("a /* b */ .c + (d # e\n.f)", ["a.c", "d.f"]),
        ("[a1e+3, b-1e-3, c.d1E+1, 1e+3]", ["a1e", "b-1e-3", "c.d1E"]),
    ],
)
def test_references(text: str, found: list[str]) -> None:
    assert references(text) == found


def test_a_reference_knows_its_steps_and_its_place() -> None:
    source = 'é = "x"\nb = [\n  v.w["k"][*].z,\n]\n'.encode()
    (reference,) = parse(source).body.attributes["b"].value.references()
    assert reference.names == ("v", "w")
    assert reference.steps == (Attr("w"), Index("k"), Splat(), Attr("z"))
    assert reference.source.position(reference.start) == (3, 3)
    assert source[reference.start : reference.end] == b'v.w["k"][*].z'


def test_comments_above_and_behind_a_line() -> None:
    document = parse(
        b"# far\n\n# one\n// two\n/* three\n   four */\na = 1 # behind\nb = [\n  # inside\n  1, /* x */ 2,\n]\n"
    )
    assert [c.text for c in document.comments_above(7)] == ["one", "two", "three\n   four"]
    assert [c.lines for c in document.comments_above(7)] == [["one"], ["two"], ["three", "four"]]
    assert document.comments_above(8) == ()
    assert [c.text for c in document.comments_above(10)] == ["inside"]
    (behind,) = (c for c in document.comments if c.line == 7)
    assert (behind.text, behind.column, behind.own_line) == ("behind", 7, False)
    assert [(c.line, c.end_line) for c in document.comments][:4] == [(1, 1), (3, 3), (4, 4), (5, 6)]


def test_what_looks_like_a_comment_in_a_string_is_none() -> None:
    document = parse(b'a = "# no ${b} # no"\nc = <<EOT\n# no\n${d} // no\n/* no */\nEOT\n')
    assert document.comments == ()


def _all(body: Body) -> list[Expression]:
    found: list[Expression] = []
    for item in body.items:
        found += [item.value] if isinstance(item, Attribute) else _all(item.body)
    return found


@pytest.mark.parametrize("source", FILES)
def test_all_views_of_all_files_answer(source: bytes) -> None:
    document = parse(source)
    for value in _all(document.body):
        assert value.text.encode() == source[value.start : value.end]
        assert value.end_line >= value.line
        for reference in value.references():
            assert value.start <= reference.start < reference.end <= value.end
            assert source[reference.start : reference.end].startswith(reference.root.encode())
    for comment in document.comments:
        assert source[comment.start : comment.start + 1] in (b"#", b"/")


def test_every_kind_of_expression_is_in_the_sample() -> None:
    def kinds(value: Expression) -> set[ExprKind]:
        inner = [*value.elements, *value.operands, *(e.value for e in value.entries)]
        if value.kind is ExprKind.PARENTHESES:
            inner.append(value.bare)
        return {value.kind}.union(*map(kinds, inner))

    found = set[ExprKind]().union(*map(kinds, _all(parse(EVERY_KIND).body)))
    assert found == set(ExprKind) - {ExprKind.ACCESS}

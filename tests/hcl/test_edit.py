"""Edits in place: exactly one thing is added or removed, in the style of what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hcl_oracle import EVERY_KIND, FILES, formatted_by_terraform, needs_terraform
from hypothesis import given
from hypothesis import strategies as st

from scaffold.hcl.edit import (
    insert_block,
    insert_element,
    insert_entry,
    remove_block,
    remove_entry,
    remove_part,
)
from scaffold.hcl.layout import out_of_line
from scaffold.hcl.splice import EditError
from scaffold.hcl.syntax import Attribute, Block, Body, Document, Expression, ExprKind, parse


def value(document: Document) -> Expression:
    return next(iter(document.body.attributes.values())).value


def edited(text: str, edit: Callable[[Document, Expression], bytes]) -> str:
    document = parse(text.encode())
    return edit(document, value(document)).decode()


LISTS = {
    "in a line": ('a = ["x"]\n', 'a = ["x", "new"]\n'),
    "in a line with a comma": ('a = ["x", ]\n', 'a = ["x", "new", ]\n'),
    "empty": ("a = []\n", 'a = ["new"]\n'),
    "empty with a space": ("a = [ ]\n", 'a = ["new"]\n'),
    "empty over lines": ("a = [\n]\n", 'a = [\n  "new",\n]\n'),
    "a comment over lines": ("a = [\n  # none yet\n]\n", 'a = [\n  # none yet\n  "new",\n]\n'),
    "over lines": ('a = [\n  "x",\n  "y",\n]\n', 'a = [\n  "x",\n  "y",\n  "new",\n]\n'),
    "over lines, no comma": ('a = [\n  "x",\n  "y"\n]\n', 'a = [\n  "x",\n  "y",\n  "new"\n]\n'),
    "a comment behind": ('a = [\n  "x" # y\n]\n', 'a = [\n  "x", # y\n  "new"\n]\n'),
    "brackets beside the ends": ('a = ["x",\n"y"]\n', 'a = ["x",\n"y", "new"]\n'),
    "a heredoc with a comma": (
        "a = [\n  <<EOT\nx\nEOT\n  ,\n]\n",
        'a = [\n  <<EOT\nx\nEOT\n  ,\n  "new",\n]\n',
    ),
    "a heredoc": ("a = [\n  <<EOT\nx\nEOT\n]\n", 'a = [\n  <<EOT\nx\nEOT\n  ,\n  "new"\n]\n'),
    "carriage returns": ('a = [\r\n  "x",\r\n]\r\n', 'a = [\r\n  "x",\r\n  "new",\r\n]\r\n'),
    "another indentation": ('a = [\n     "x",\n]\n', 'a = [\n     "x",\n     "new",\n]\n'),
}
MAPS = {
    "in a line": ("a = { x = 1 }\n", "a = { x = 1, new = 2 }\n"),
    "empty": ("a = {}\n", "a = { new = 2 }\n"),
    "empty over lines": ("a = {\n}\n", "a = {\n  new = 2\n}\n"),
    "over lines": ("a = {\n  x = 1\n}\n", "a = {\n  x   = 1\n  new = 2\n}\n"),
    "over lines with commas": ("a = {\n  x = 1,\n}\n", "a = {\n  x   = 1,\n  new = 2,\n}\n"),
    "commas between": ("a = {\n  x = 1,\n  y = 2\n}\n", "a = {\n  x   = 1,\n  y   = 2,\n  new = 2\n}\n"),
    "longer keys": ("a = {\n  long = 1\n}\n", "a = {\n  long = 1\n  new  = 2\n}\n"),
    "comments behind": ("a = {\n  x = 1 # y\n}\n", "a = {\n  x   = 1 # y\n  new = 2\n}\n"),
    "another group": (
        "a = {\n  x = 1\n\n  y = 1\n}\n",
        "a = {\n  x = 1\n\n  y   = 1\n  new = 2\n}\n",
    ),
    "out of line before": ("a = {\n  x    = 1\n}\n", "a = {\n  x    = 1\n  new = 2\n}\n"),
    "a value over lines": ("a = {\n  x = [\n    1,\n  ]\n}\n", "a = {\n  x = [\n    1,\n  ]\n  new = 2\n}\n"),
    "a heredoc": ("a = {\n  x = <<EOT\ny\nEOT\n}\n", "a = {\n  x   = <<EOT\ny\nEOT\n  new = 2\n}\n"),
    "carriage returns": ("a = {\r\n  x = 1\r\n}\r\n", "a = {\r\n  x   = 1\r\n  new = 2\r\n}\r\n"),
}
# Taking the new one away again takes the comment above it too, and writes empty brackets as fmt does.
NOT_UNDONE = {"empty with a space": "a = []\n", "a comment over lines": "a = [\n]\n"}


@pytest.mark.parametrize("name", LISTS)
def test_an_element_is_inserted_and_removed(name: str) -> None:
    before, after = LISTS[name]
    assert edited(before, lambda d, e: insert_element(d, e, '"new"')) == after
    back = edited(after, lambda d, e: remove_part(d, e, len(e.elements) - 1))
    assert back == NOT_UNDONE.get(name, before)


@pytest.mark.parametrize("name", MAPS)
def test_an_entry_is_inserted_and_removed(name: str) -> None:
    before, after = MAPS[name]
    assert edited(before, lambda d, e: insert_entry(d, e, "new", "2")) == after
    assert edited(after, lambda d, e: remove_entry(d, e, "new")) == before


def test_a_comment_goes_above_what_has_lines_of_its_own() -> None:
    inserted = edited("a = [\n  1,\n]\n", lambda d, e: insert_element(d, e, "2", "because"))
    assert inserted == "a = [\n  1,\n  # because\n  2,\n]\n"
    assert edited(inserted, lambda d, e: remove_part(d, e, 1)) == "a = [\n  1,\n]\n"
    assert edited("a = [1]\n", lambda d, e: insert_element(d, e, "2", "because")) == "a = [1, 2]\n"
    assert (
        edited("a = {\n}\n", lambda d, e: insert_entry(d, e, "b", "2", "so")) == "a = {\n  # so\n  b = 2\n}\n"
    )


@pytest.mark.parametrize(
    ("before", "position", "after"),
    [
        ("a = [1, 2, 3]\n", 0, "a = [2, 3]\n"),
        ("a = [1, 2, 3]\n", 1, "a = [1, 3]\n"),
        ("a = [1, 2, 3]\n", 2, "a = [1, 2]\n"),
        ("a = [1, 2, ]\n", 1, "a = [1, ]\n"),
        ("a = [\n  1,\n  2, # two\n  3,\n]\n", 1, "a = [\n  1,\n  3,\n]\n"),
        ("a = [\n  1,\n  # about two\n  2,\n]\n", 1, "a = [\n  1,\n]\n"),
        ("a = [\n  1,\n  2\n]\n", 0, "a = [\n  2\n]\n"),
        ("a = [\n  1, 2,\n  3\n]\n", 1, "a = [\n  1, 3\n]\n"),
    ],
)
def test_any_element_can_be_removed(before: str, position: int, after: str) -> None:
    assert edited(before, lambda d, e: remove_part(d, e, position)) == after


def test_what_has_no_parts_has_none_to_remove() -> None:
    with pytest.raises(EditError, match="has no part 0"):
        edited("a = [for x in y : x]\n", lambda d, e: remove_part(d, e, 0))


def test_a_comment_that_is_no_utf_8_is_not_touched() -> None:
    document = parse(b"a = {\n  b = 1 # caf\xe9\n}\n")
    with pytest.raises(EditError, match="more than it is meant to"):
        insert_entry(document, value(document), "long", "2")
    document = parse(b"# caf\xe9\na = {\n  b = 1\n}\n")
    assert insert_entry(document, value(document), "cd", "2") == b"# caf\xe9\na = {\n  b  = 1\n  cd = 2\n}\n"


def test_what_is_inserted_may_have_lines_of_its_own() -> None:
    new = '{\n  "x" = 1\n  yy  = <<-EOT\n      z\n  EOT\n}'
    inserted = edited(
        "a = {\n  b = [\n    1,\n  ]\n}\n", lambda d, e: insert_element(d, e.entries[0].value, new)
    )
    expected = (
        'a = {\n  b = [\n    1,\n    {\n      "x" = 1\n      yy  = <<-EOT\n      z\n  EOT\n    },\n  ]\n}\n'
    )
    assert inserted == expected


def test_the_comma_of_a_heredoc_stands_in_the_next_line() -> None:
    inserted = edited("a = [\n  1,\n]\n", lambda d, e: insert_element(d, e, "<<-EOT\n    b\nEOT"))
    assert inserted == "a = [\n  1,\n  <<-EOT\n    b\nEOT\n  ,\n]\n"
    assert edited(inserted, lambda d, e: remove_part(d, e, 1)) == "a = [\n  1,\n]\n"


BLOCKS = {
    "in a file": ("a {\n}\n", 0, "a {\n}\n\n# why\nn {\n  x = 1\n}\n"),
    "between blocks": ("a {\n}\n\nb {\n}\n", 0, "a {\n}\n\n# why\nn {\n  x = 1\n}\n\nb {\n}\n"),
    "at the end": ("a {\n}\n", None, "a {\n}\n\n# why\nn {\n  x = 1\n}\n"),
    "no line end": ("a {\n}", None, "a {\n}\n\n# why\nn {\n  x = 1\n}\n"),
    "an empty file": ("", None, "# why\nn {\n  x = 1\n}\n"),
    "carriage returns": ("a {\r\n}\r\n", 0, "a {\r\n}\r\n\r\n# why\r\nn {\r\n  x = 1\r\n}\r\n"),
    "a comment behind": ("a {\n} # b\n", 0, "a {\n} # b\n\n# why\nn {\n  x = 1\n}\n"),
}
NOT_UNDONE_BLOCKS = {"no line end": "a {\n}\n"}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_inserted_and_removed(name: str) -> None:
    before, after, expected = BLOCKS[name]
    document = parse(before.encode())
    sibling = document.body.blocks[after] if after is not None else None
    inserted = insert_block(document, "# why\nn {\n  x = 1\n}\n", sibling)
    assert inserted.decode() == expected
    changed = parse(inserted)
    new = changed.body.block("n")
    assert new is not None
    assert remove_block(changed, new).decode() == NOT_UNDONE_BLOCKS.get(name, before)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("  b {\n  }\n  c {\n  }\n", "  b {\n  }\n  c {\n  }\n  n {\n    x = 1\n  }\n"),
        (
            "  b {\n  }\n\n  # 1\n  # 2\n  c {\n  }\n",
            "  b {\n  }\n\n  # 1\n  # 2\n  c {\n  }\n\n  n {\n    x = 1\n  }\n",
        ),
        ("  b {\n  }\n\n  c {\n  }\n", "  b {\n  }\n\n  c {\n  }\n\n  n {\n    x = 1\n  }\n"),
    ],
)
def test_a_nested_block_is_set_apart_as_its_neighbours_are(inside: str, expected: str) -> None:
    document = parse(f"a {{\n{inside}}}\n".encode())
    sibling = document.body.blocks[0].body.blocks[-1]
    assert insert_block(document, "n {\n  x = 1\n}", sibling).decode() == f"a {{\n{expected}}}\n"


def test_the_first_block_of_a_file_goes_with_the_blank_lines_behind_it() -> None:
    document = parse(b"# why\na {\n}\n\nb {\n}\n")
    assert remove_block(document, document.body.blocks[0]) == b"b {\n}\n"


@pytest.mark.parametrize(
    ("text", "edit", "message"),
    [
        ("a = {}\n", lambda d, e: insert_element(d, e, "1"), "not hold a list expression"),
        ("a = []\n", lambda d, e: insert_entry(d, e, "b", "1"), "not hold a map expression"),
        ("a = { b = 1 }\n", lambda d, e: insert_entry(d, e, "b", "2"), "already has the key b"),
        ("a = { b = 1 }\n", lambda d, e: insert_entry(d, e, '"b"', "2"), "already"),
        ("a = { b = 1 }\n", lambda d, e: remove_entry(d, e, "c"), "has no key c"),
        ("a = [1]\n", lambda d, e: remove_part(d, e, 1), "has no part 1"),
        ("a = [1]\n", lambda d, e: insert_element(d, e, "2, ]"), "is not HCL"),
        ("a = [1, <<EOT\nb\nEOT\n]\n", lambda d, e: insert_element(d, e, "2"), "heredoc on line 1"),
        ("a = [ /* b */ ]\n", lambda d, e: insert_element(d, e, "2"), "more than it is meant to"),
        ("a = [1, /* b */ 2]\n", lambda d, e: remove_part(d, e, 0), "more than it is meant to"),
        ("a = [1]\n", lambda d, e: insert_block(d, "b {"), "is not HCL"),
    ],
)
def test_what_cannot_be_done_is_refused(
    text: str, edit: Callable[[Document, Expression], bytes], message: str
) -> None:
    with pytest.raises(EditError, match=message):
        edited(text, edit)


def _collections(body: Body) -> Iterator[Expression]:
    for item in body.items:
        if isinstance(item, Attribute):
            yield from _inside(item.value)
        else:
            yield from _collections(item.body)


def _inside(expression: Expression) -> Iterator[Expression]:
    if expression.kind in (ExprKind.LIST, ExprKind.MAP):
        yield expression
    for inner in (*expression.elements, *(entry.value for entry in expression.entries)):
        yield from _inside(inner)


def _blocks(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        yield block
        yield from _blocks(block.body)


def _inserted(document: Document, target: Expression, key: str, new: str, comment: str) -> bytes | None:
    """The file with one more part; None where a heredoc leaves no place for it, or is what has no place."""
    try:
        if target.kind is ExprKind.LIST:
            return insert_element(document, target, new, comment)
        return insert_entry(document, target, key, new, comment)
    except EditError:
        assert "<<" in new + target.text
        return None


ELEMENTS = st.sampled_from(['"new"', "var.new", "{\n  a = 1\n}", "[1, 2]", "<<-EOT\n  new\nEOT"])
KEYS = st.sampled_from(["zz_new", '"new.example.test/a-long-key"'])
SOURCES = st.sampled_from([EVERY_KIND, *FILES])


@given(SOURCES, st.data(), st.booleans())
def test_inserting_and_removing_leaves_a_file_as_it_was(
    source: bytes, data: st.DataObject, crlf: bool
) -> None:
    if crlf:
        source = source.replace(b"\n", b"\r\n")
    document = parse(source)
    targets = list(_collections(document.body))
    if not targets:
        return
    at = data.draw(st.integers(0, len(targets) - 1))
    key, new, comment = data.draw(KEYS), data.draw(ELEMENTS), data.draw(st.sampled_from(["", "why"]))
    result = _inserted(document, targets[at], key, new, comment)
    if result is None:
        return
    changed = parse(result)
    target = list(_collections(changed.body))[at]
    if target.kind is ExprKind.LIST:
        assert [e.text for e in target.elements[:-1]] == [e.text for e in targets[at].elements]
        back = remove_part(changed, target, len(target.elements) - 1)
    else:
        assert [e.key.text for e in target.entries[:-1]] == [e.key.text for e in targets[at].entries]
        back = remove_entry(changed, target, target.entries[-1].name or "")
    assert not out_of_line(changed, 1, len(changed.source.line_starts))
    assert back == source
    assert not crlf or b"\n" not in changed.source.data.replace(b"\r\n", b"")


@given(SOURCES, st.data())
def test_a_block_can_be_inserted_below_any_other_and_removed(source: bytes, data: st.DataObject) -> None:
    document = parse(source)
    blocks = list(_blocks(document.body))
    if not blocks:
        return
    at = data.draw(st.integers(0, len(blocks) - 1))
    changed = parse(
        insert_block(document, '# why\nnew "block" {\n  a = <<-EOT\n    b\n  EOT\n}\n', blocks[at])
    )
    assert not out_of_line(changed, 1, len(changed.source.line_starts))
    (new,) = [b for b in _blocks(changed.body) if b.type == "new"]
    assert remove_block(changed, new) == source


@needs_terraform
def test_edited_files_stay_as_terraform_lays_them_out(tmp_path: Path) -> None:
    results: list[bytes] = []
    for source in (EVERY_KIND, *FILES):
        document = parse(source)
        for target in _collections(document.body):
            result = _inserted(document, target, "quite_a_long_new_key", '"new"', "why")
            if result is not None:
                results.append(result)
    kinds = {target.kind for target in _collections(parse(EVERY_KIND).body)}
    assert kinds == {ExprKind.LIST, ExprKind.MAP}
    assert formatted_by_terraform(results, tmp_path) == results

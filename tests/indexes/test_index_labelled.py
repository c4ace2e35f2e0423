"""Finding lists after labels, in all the ways in which the house writes them."""

from __future__ import annotations

from html import escape

import pytest
from markdown_it import MarkdownIt

from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.comma_list import CommaList
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import Markdown, cells, key_of, row, text

GHA = Labelled(("Moved", "Migrated apps"))


def added(place: Labelled, text: str, value: str = "new") -> str:
    opened = place(text)
    after = opened.append(value)
    assert isinstance(after, str), after
    again = place(after)
    assert again.keys == (*opened.keys, key_of(value))
    assert again.without(len(opened.keys)) == text
    return after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("**Moved** (2): a, b\n", "**Moved** (3): a, b, new\n"),
        ("**Moved (2 apps)**: a, b.\n", "**Moved (3 apps)**: a, b, new.\n"),
        ("**Moved:** a, b. More.\n", "**Moved:** a, b, new. More.\n"),
        ("**Moved** (to: x, y): a\n**Other**: b\n", "**Moved** (to: x, y): a, new\n**Other**: b\n"),
        ("**Moved**: a — plus b. C\n", "**Moved**: a, new — plus b. C\n"),
        ("**Moved**: a, **b** (c, d),\n**e**. F\n", "**Moved**: a, **b** (c, d),\n**e**, new. F\n"),
        ("- **Moved**: `a`, v1.2\n- other\n", "- **Moved**: `a`, v1.2, new\n- other\n"),
        ("**Moved**:\n- a\n- b (c)\n\nText\n", "**Moved**:\n- a\n- b (c)\n- new\n\nText\n"),
        ("**Moved (1)**:\n\n* a\n  more\n* 3 in all\n", "**Moved (2)**:\n\n* a\n  more\n* new\n* 3 in all\n"),
        (
            "**Moved (2020-01-31 audit):**\na, b (c)\n\nText\n",
            "**Moved (2020-01-31 audit):**\na, b (c), new\n\nText\n",
        ),
        ("**Moved**:\n\nText\n", "**Moved**:\n- new\n\nText\n"),
        ("**Moved**:\n- a", "**Moved**:\n- a\n- new"),
        ("**Moved**: none. Else\n", "**Moved**: new. Else\n"),
        ("**Migrated apps (#1):** a,\nb\n", "**Migrated apps (#1):** a,\nb, new\n"),
    ],
)
def test_after_a_label(before: str, after: str) -> None:
    assert added(GHA, before) == after


def test_wrapped_text_is_wrapped_again() -> None:
    names = "alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india"
    text = f"**Moved** (all of it, and over a long time, from there to here):\n{names}.\nMore.\n"
    assert added(GHA, text, "juliett").split("\n")[1:3] == [f"{names},", "juliett."]
    indented = f"- **Moved**:\n  {names}.\n"
    assert added(GHA, indented, "juliett") == f"- **Moved**:\n  {names},\n  juliett.\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- **Rule** x. Active on: a.\n", "- **Rule** x. Active on: a, new.\n"),
        ("- **Rule** Active on 1 stacks: a.\n", "- **Rule** Active on 2 stacks: a, new.\n"),
        ("- **Rule** Active on some: Active on: a.\n", "- **Rule** Active on some: Active on: a, new.\n"),
        ("**Rule**: x\nActive on: a\n", "**Rule**: x\nActive on: a, new\n"),
    ],
)
def test_after_a_marker(before: str, after: str) -> None:
    assert added(Labelled(("Rule",), marker="Active on"), before) == after


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Moved: a, b\n",
        "**Moving**: a\n",
        "**Moved** to there.\n",
        "```\n**Moved**: a\n```\n",
        "    **Moved**: a\n",
        "**Moved",
    ],
)
def test_no_such_list(text: str) -> None:
    with pytest.raises(MissingAnchorError):
        GHA(text)


def test_empty_list_in_a_sentence_has_no_place() -> None:
    opened = Labelled(("Rule",), marker="on")("**Rule** on: . More\n")
    with pytest.raises(MissingAnchorError):
        opened.append("new")


def test_only_in_its_section() -> None:
    text = "## MySQL\n**Used by**:\n- a\n\n## PostgreSQL (here)\n**Used by**:\n- b\n"
    place = Labelled(("Used by",), section="PostgreSQL")
    assert added(place, text) == text + "- new\n"
    with pytest.raises(MissingAnchorError):
        Labelled(("Used by",), section="Postgre")(text)


def test_the_only_item_of_a_sentence_leaves_none() -> None:
    opened = GHA("**Moved**: a. More\n")
    assert opened.without(0) == "**Moved**: none. More\n"


def test_first_of_a_wrapped_list() -> None:
    assert CommaList.read("a,\nb, c", 0, 7).without(0) == "b, c"
    assert CommaList.read("a,\nb, c", 0, 7).without(1) == "a, c"


def test_headings_in_fences_are_none() -> None:
    markdown = Markdown("```\n# A\n```\n# B #\ntext\n## C\nmore\n# D\n")
    section = markdown.section("b")
    assert section is not None
    assert markdown.lines[section.start : section.end] == ["# B #\n", "text\n", "## C\n", "more\n"]
    assert markdown.section("A") is None
    assert markdown.section("C") is not None


def test_cells() -> None:
    assert cells("| a \\| b | `c` | |\n") == ("a \\| b", "`c`", "")
    assert cells("a | b") == ("a", "b")
    assert row("a | b", "c") == "| a \\| b | c |"


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("`claude_memory` (remark)", "claude-memory"),
        ("**Uptime Kuma**", "uptime-kuma"),
        ("seed-log=8", "seed-log"),
        ("`travel_blog`: 5.7GB", "travel-blog"),
        ("~~netbox~~", "netbox"),
    ],
)
def test_keys(item: str, key: str) -> None:
    assert key_of(item) == key


def test_prose_behind_a_wrapped_list_stays_with_it() -> None:
    """One line changes, even if it grows longer than the others: nothing is torn apart."""
    text = (
        "**Built** (elsewhere): the-first-of-them, the-second-of-them, the-third-of-all-of-them,\n"
        "the-fourth — and more of them. What is said after that fills the rest of this line.\n"
        "And it goes on.\n"
    )
    opened = Labelled(("Built",))(text)
    after = opened.append("the-fifth")
    assert after == text.replace("the-fourth —", "the-fourth, the-fifth —")
    again = Labelled(("Built",))(str(after))
    assert again.without(4) == text


@pytest.mark.parametrize(
    "value", ["x <!-- y", "![i](http://a.test/i.png)", "[a](javascript:x) | b", "a \\", "<b>1</b> & 2"]
)
def test_a_text_is_shown_as_it_is(value: str) -> None:
    html = (
        MarkdownIt("commonmark")
        .enable("table")
        .render(f"| a | b |\n|---|---|\n{row(text(value), 'after')}\n")
    )
    assert f"<td>{escape(value)}</td>\n<td>after</td>" in html

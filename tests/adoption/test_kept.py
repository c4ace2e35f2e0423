"""What stays of a stack's own text beside what is rendered."""

from __future__ import annotations

from scaffold.adoption.kept import Kept, kept, left_out
from scaffold.hcl.syntax import parse

OWN = """# Whose it is.
resource "x_thing" "box" {
  name = "other"
}

output "name" {
  value = x_thing.box.name
}
"""
RENDERED = 'resource "x_thing" "box" {\n  name = "new"\n}\n'


def left(rendered: str, *standing: str) -> Kept:
    return kept([parse(OWN.encode(), "stacks/kit/main.tf")], [], [parse(rendered.encode())], set(standing))


def test_a_block_whose_name_is_free_keeps_it() -> None:
    found = left(RENDERED.replace("box", "lid"), "x_thing.box")
    assert OWN in found.text.decode()
    assert found.taken == ()


def test_a_block_of_which_nothing_exists_gives_way_to_the_rendered_one() -> None:
    found = left(RENDERED)
    assert 'resource "x_thing"' not in found.text.decode() and found.taken == ()
    assert 'resource "x_thing" "box"' in left("").text.decode()


def test_an_object_whose_name_another_one_gets_is_told() -> None:
    # Terraform refuses to move what is still declared under its old name.
    assert left(RENDERED, "x_thing.box").taken == ("x_thing.box",)


def test_comments_that_no_file_has_any_longer_are_told_by_their_lines() -> None:
    old = """# =====
# Why it is here,
# and for whom.
a = 1 # short
b = <<-EOT
  # part of a script
EOT
# What stays.
c = 2
"""
    new = parse(b"# This is what it says: What stays.\nc = 2\n")
    assert list(left_out([parse(old.encode(), "main.tf")], [new])) == ["main.tf:2-4"]
    assert not list(left_out([new], [parse(old.encode()), new]))


def test_two_comments_in_a_line_are_told_once() -> None:
    both, alone = b"a = 1 /* foo */ # bar\n", b"# baz\n"
    for text, places in ((both, "main.tf:1"), (both + alone, "main.tf:1-2"), (alone + both, "main.tf:1-2")):
        assert list(left_out([parse(text, "main.tf")], [])) == [places]


def test_a_comment_that_is_part_of_another_is_not_there() -> None:
    new = parse(b"# The website.\n# No backup: it is made again.\n")
    assert list(left_out([parse(b"# web\n# it is made again\n", "main.tf")], [new])) == ["main.tf:1"]

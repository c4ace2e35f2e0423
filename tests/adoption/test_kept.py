"""What stays of a stack's own text, and under which name, beside what is rendered."""

from __future__ import annotations

from scaffold.adoption.kept import Kept, aside, kept, moves
from scaffold.hcl.syntax import parse
from scaffold.terraform.planned import PlannedResource

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


def resource(address: str) -> PlannedResource:
    return PlannedResource(address, "x_thing", "box", "", "a", {})


def test_a_block_whose_name_is_taken_gets_another_and_its_objects_move() -> None:
    found = left(RENDERED, "x_thing.box")
    text = found.text.decode()
    assert '# Whose it is.\nresource "x_thing" "box_kept" {\n  name = "other"\n}\n' in text
    assert "value = x_thing.box_kept.name\n" in text
    moved = moves(list(aside(found, [resource('x_thing.box["a"]'), resource("x_thing.more")]))).decode()
    assert 'from = x_thing.box["a"]\n  to   = x_thing.box_kept["a"]\n' in moved
    assert moved.count("moved {") == 1


def test_a_block_whose_name_is_free_keeps_it() -> None:
    found = left(RENDERED.replace("box", "lid"), "x_thing.box")
    assert OWN in found.text.decode()
    assert list(aside(found, [resource("x_thing.box")])) == []


def test_a_block_of_which_nothing_exists_gives_way_to_the_rendered_one() -> None:
    assert 'resource "x_thing"' not in left(RENDERED).text.decode()
    assert 'resource "x_thing" "box"' in left("").text.decode()

"""The Terragrunt settings of an adopted stack: what only a person has written stays."""

from __future__ import annotations

from scaffold.adoption.kept import joined, without

RENDERED = b"""include "root" {
  path = find_in_parent_folders()
}

inputs = {
  image_tag = "latest"
}
"""
STANDING = b"""include "root" {
  path = find_in_parent_folders()
}

inputs = {
  # The server of this stack alone.
  server = "own"
  old    = true
}
"""


def test_inputs_stay_as_they_were_written_and_what_is_rendered_is_added() -> None:
    both = joined(RENDERED, STANDING)
    assert b"# The server of this stack alone.\n" in both
    assert [b'"own"' in both, b'image_tag = "latest"' in both] == [True, True]
    assert both.count(b"inputs = {") == both.count(b"include") == 1


def test_an_input_goes_with_its_variable() -> None:
    left = without(STANDING, ["old"])
    assert b"  old" not in left
    assert b'server = "own"' in left

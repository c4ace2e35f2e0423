from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest
from support import GOLDEN

from scaffold.changes.change import Content, Symlink
from scaffold.hcl.conflicts import conflict
from scaffold.updates.merge import Merged, State, merged

MAIN = """\
# A stack.
locals {
  port = 8080 # where it listens
  path = "/health"
}

resource "kubernetes_deployment" "app" {
  metadata {
    name      = "app"
    namespace = "app"
  }
  spec {
    replicas = 1
    script   = <<-EOT
      one
      two
      three
    EOT
  }
}
"""
SECOND = "".join(f'variable "v{number}" {{}}\n' for number in range(9))


def tree(**files: str | Symlink) -> dict[PurePosixPath, Content]:
    return {
        PurePosixPath(f"{name}.tf"): text if isinstance(text, Symlink) else text.encode()
        for name, text in files.items()
    }


def edited(*pairs: tuple[str, str], text: str = MAIN) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def of_main(ours: str, theirs: str) -> tuple[State, str]:
    found = merged(tree(main=MAIN), tree(main=ours), tree(main=theirs))
    return found.state, text_of(found, "main")


def text_of(found: Merged, name: str) -> str:
    content = found.files[PurePosixPath(f"{name}.tf")]
    assert isinstance(content, bytes)
    return content.decode()


ONE = ("replicas = 1", "replicas = 2")
OTHER = ('"/health"', '"/healthz"')


def test_only_one_side_changed() -> None:
    assert of_main(edited(ONE), MAIN) == (State.KEPT, edited(ONE))
    assert of_main(MAIN, edited(ONE)) == (State.UPDATED, edited(ONE))
    assert of_main(edited(ONE), edited(ONE)) == (State.KEPT, edited(ONE))


def test_both_changed_different_things() -> None:
    assert of_main(edited(ONE), edited(OTHER)) == (State.MERGED, edited(ONE, OTHER))


def test_neighbouring_definitions_are_two_things() -> None:
    assert of_main(edited(("8080", "80")), edited(OTHER)) == (State.MERGED, edited(("8080", "80"), OTHER))


def test_neighbouring_lines_of_a_heredoc_are_one() -> None:
    state, text = of_main(edited(("      one", "      uno")), edited(("      two", "      due")))
    assert state is State.CONFLICT
    assert conflict(text.encode())


def test_the_same_place_in_two_ways_is_a_conflict_with_marks() -> None:
    state, text = of_main(edited(ONE), edited(("replicas = 1", "replicas = 3")))
    assert state is State.CONFLICT
    assert conflict(text.encode())
    assert "replicas = 2" in text and "replicas = 3" in text
    assert "    name      = " in text, "what is no conflict stays lined up"


def test_the_same_change_with_another_alignment_is_none() -> None:
    longer = ('"/health"\n', '"/health"\n  timeout_seconds = 3\n')
    by_hand = edited(longer)
    rendered = edited(
        longer,
        ("port = 8080 #", "port            = 8080 #"),
        ('path = "/health"', 'path            = "/health"'),
    )
    assert of_main(by_hand, rendered)[0] is not State.CONFLICT
    assert of_main(rendered, by_hand)[0] is not State.CONFLICT


def test_what_is_merged_is_lined_up() -> None:
    ours = edited(("    replicas = 1\n", "    replicas = 1\n    min_ready_seconds = 5\n"))
    ours = ours.replace("    replicas = 1\n    min", "    replicas          = 1\n    min")
    ours = ours.replace("    script   = <<", "    script            = <<")
    state, text = of_main(ours, edited(("    replicas = 1\n", "    replicas = 2\n")))
    assert state is State.MERGED
    assert text == ours.replace("replicas          = 1", "replicas          = 2")


def test_what_a_person_left_out_of_line_stays_so() -> None:
    ours = edited(('name      = "app"', 'name = "app"'))
    assert of_main(ours, edited(ONE)) == (State.MERGED, edited(ONE, ('name      = "app"', 'name = "app"')))


def test_two_changes_that_are_no_hcl_together_are_a_conflict() -> None:
    ours = edited(('  path = "/health"\n', '  path = "/health"\n  mode = "a"\n'))
    theirs = edited(("locals {\n", 'locals {\n  mode = "b"\n'))
    assert of_main(ours, theirs)[0] is State.CONFLICT


def test_a_file_that_the_template_renames_takes_its_edits_along() -> None:
    ours = {**tree(main=edited(ONE)), **tree(own=SECOND)}
    found = merged(tree(main=MAIN), ours, tree(app=edited(OTHER)))
    assert found.files == {**tree(app=edited(ONE, OTHER)), **tree(own=SECOND)}
    assert found.states[PurePosixPath("main.tf")] is State.UPDATED
    assert not found.conflicts


def test_a_file_that_a_person_renamed_is_found_by_its_content() -> None:
    found = merged(
        tree(main=MAIN, second=SECOND), tree(app=edited(ONE), second=SECOND), tree(main=edited(OTHER))
    )
    assert found.files == tree(app=edited(ONE, OTHER))
    assert found.states[PurePosixPath("second.tf")] is State.UPDATED


def test_both_renamed_it() -> None:
    found = merged(tree(main=MAIN), tree(app=edited(ONE)), tree(workload=edited(OTHER)))
    assert found.files == tree(app=edited(ONE, OTHER))


def test_a_name_that_is_taken_is_no_renamed_file() -> None:
    """The edits stay where they are, and both files are told."""
    found = merged(tree(main=MAIN), tree(main=edited(ONE), app=SECOND), tree(app=edited(OTHER)))
    assert set(found.conflicts) == {PurePosixPath("main.tf"), PurePosixPath("app.tf")}


@pytest.mark.parametrize(
    "ours,theirs", [({}, tree(main=edited(ONE))), (tree(main=edited(ONE)), {})], ids=["here", "there"]
)
def test_a_file_that_is_gone_on_one_side_and_differs_on_the_other(
    ours: Mapping[PurePosixPath, Content], theirs: Mapping[PurePosixPath, Content]
) -> None:
    found = merged(tree(main=MAIN), ours, theirs)
    assert found.files == ours
    assert found.state is State.CONFLICT
    assert "new version" in found.conflicts[PurePosixPath("main.tf")]


def test_a_file_that_is_gone_on_one_side_and_the_same_on_the_other() -> None:
    assert merged(tree(main=MAIN), {}, tree(main=MAIN)).files == {}
    found = merged(tree(main=MAIN), tree(main=MAIN), {})
    assert (dict(found.files), dict(found.states)) == ({}, {PurePosixPath("main.tf"): State.UPDATED})


def test_links_are_merged_as_a_whole() -> None:
    link, other = tree(secrets=Symlink("../../secrets")), tree(secrets=Symlink("../x"))
    assert merged({}, {}, link).files == link
    assert merged(link, link, {}).files == {}
    assert merged(link, other, {}).state is State.CONFLICT
    assert merged({}, other, link).state is State.CONFLICT


def test_what_is_no_text_is_never_merged() -> None:
    base, ours, theirs = (tree(main=f"a\0{n}\n") for n in range(3))
    found = merged(base, ours, theirs)
    assert (found.files, found.state) == (ours, State.CONFLICT)


@pytest.mark.parametrize("stack", ["cloud-drive", "ip-echo", "drone-logbook"])
def test_apart_and_together_again_is_what_was_rendered(stack: str) -> None:
    """Every definition of a golden stack, its alignment included."""
    text = (GOLDEN / stack / "stack" / "main.tf").read_text()
    ours, theirs = text.replace("\n\n", "\n\n# By hand.\n", 1), text + '\nvariable "new" {}\n'
    found = merged(tree(main=text), tree(main=ours), tree(main=theirs))
    assert found.state is State.MERGED
    assert text_of(found, "main") == ours + '\nvariable "new" {}\n'


def test_two_neighbours_are_taken_out_one_by_each() -> None:
    text = MAIN.replace('  path = "/health"\n', '  path = "/health"\n  mode = "a"\n')
    ours, theirs = text.replace('  path = "/health"\n', ""), text.replace('  mode = "a"\n', "")
    found = merged(tree(main=text), tree(main=ours), tree(main=theirs))
    assert (found.state, text_of(found, "main")) == (State.MERGED, MAIN.replace('  path = "/health"\n', ""))


def test_what_both_put_in_the_same_place_is_a_conflict() -> None:
    ours, theirs = (edited(("locals {\n", f"locals {{\n  one = {value}\n")) for value in (1, 2))
    state, text = of_main(ours, theirs)
    assert state is State.CONFLICT
    assert "|||||||" not in text and "\x1f" not in text


def test_both_renamed_it_alike_with_another_alignment() -> None:
    ours = edited(("port = 8080 #", "port = 8080   #"))
    assert merged(tree(main=MAIN), tree(app=ours), tree(app=MAIN)).files == tree(app=ours)


def test_different_definitions_in_the_same_place_are_two_things() -> None:
    ours, theirs = (edited(("locals {\n", f"locals {{\n  {name} = 1\n")) for name in ("mode", "size"))
    both = edited(("locals {\n", "locals {\n  mode = 1\n  size = 1\n"))
    assert of_main(ours, theirs) == (State.MERGED, both)


def test_a_comment_above_what_changes_and_a_definition_beside_what_goes_are_kept() -> None:
    comment = ("    replicas = 1\n", "    # By hand.\n    replicas = 1\n")
    state, text = of_main(edited(comment), edited(("replicas = 1", "replicas = 3")))
    assert (state, text) == (State.MERGED, edited(comment, ("replicas = 1", "replicas = 3")))
    block = '  metadata {\n    name      = "app"\n    namespace = "app"\n  }\n'
    new = '  timeouts {\n    create = "5m"\n  }\n'
    state, text = of_main(edited((block, "")), edited((block, new + block)))
    assert (state, text) == (State.MERGED, edited((block, new)))


def test_half_a_block_beside_the_other_change_is_a_conflict() -> None:
    """Two blocks of a kind: which of them is gone is told by where the lines are, and so is what comes in."""
    blocks = 'r "a" "b" {\n  env {\n    one = 1\n  }\n  env {\n    two = 2\n  }\n}\n'
    ours, theirs = (
        edited(("    one = 1\n  }\n  env {\n", ""), text=blocks),
        edited(("    one = 1\n", "    new = 3\n    one = 1\n"), text=blocks),
    )
    found = merged(tree(main=blocks), tree(main=ours), tree(main=theirs))
    assert found.state is State.CONFLICT


def test_two_blocks_of_a_kind_in_the_same_place_are_a_list_whose_order_nobody_knows() -> None:
    ours, theirs = (
        edited(("  spec {\n", f'  env {{\n    name = "{name}"\n  }}\n  spec {{\n')) for name in ("own", "new")
    )
    assert of_main(ours, theirs)[0] is State.CONFLICT

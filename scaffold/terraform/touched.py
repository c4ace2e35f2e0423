"""Which stacks a difference between two trees can affect, without planning any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.terraform.kept import AskedTree, same_answers
from scaffold.terraform.mends import from_the_start
from scaffold.terraform.runner import Job
from scaffold.terraform.tree import Tree
from scaffold.terraform.workspace import Workspace


def touched(now: Tree, then: Tree, stacks: Iterable[str]) -> Iterator[str]:
    """The stacks that both trees have and whose plans may differ, because something that a plan reads does.

    What a plan reads is what its working copy is made of: that is made, and Terraform is not started.
    """
    for stack in stacks:
        asked = AskedTree(now)
        with TemporaryDirectory(prefix="scaffold-") as place:
            workspace = Workspace(asked, Path(place), Job(now, stack).directory, "none")
            workspace.compose()
            workspace.write(from_the_start(workspace))
        if not same_answers(then, asked.answers):
            yield stack

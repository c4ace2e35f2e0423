"""What one stack of a run shows about a module that others call: they are not tried in vain, and report the
same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from plan_house import config_map, small_house
from support import needs

from scaffold.terraform import schemas
from scaffold.terraform.attempt import Attempt
from scaffold.terraform.lifetime import Finished
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tool import find_tool, with_version

MODULE = "modules/kubernetes/scaled/main.tf"
SCALED = """\
variable "scale" {
  type    = object({ mode = optional(string) })
  default = null
  validation {
    condition     = var.scale == null || contains(["quiet"], coalesce(var.scale.mode, "quiet"))
    error_message = "quiet."
  }
}
"""
CALL = 'module "%s" {\n  source = "../../modules/kubernetes/scaled"\n%s}\n'
PLAIN = CALL % ("a", "")
SET = CALL % ("a", "  scale = {}\n")


@needs("terraform")
def test_what_fails_at_every_such_call_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = Counter[str]()
    terraform = Attempt._terraform

    def counted(self: Attempt, arguments: Sequence[str], reattach: str) -> Finished:
        tried[self._workspace.stack] += arguments[0] in ("plan", "test")
        return terraform(self, arguments, reattach)

    monkeypatch.setattr(Attempt, "_terraform", counted)
    house = small_house(tmp_path)
    house.write(
        {
            MODULE: SCALED,
            "modules/kubernetes/outer/main.tf": PLAIN.replace("../../modules/kubernetes/", "../"),
        }
    )
    inner = CALL.replace("scaled", "outer") % ("a", "  count = 0\n")
    for name, calls in {"first": PLAIN, "second": inner, "third": SET}.items():
        house.stack(name, config_map('"x"', calls))
    results = plan_stacks(house.root, ["first", "second", "third"], known=schemas.load())
    assert [result.ok for result in results] == [True] * 3
    tool = with_version(find_tool())
    old = tool.name == "terraform" and tuple(map(int, tool.version.split(".")[:2])) < (1, 12)
    assert dict(tried) == {"stacks/first": 2 if old else 1, "stacks/second": 1, "stacks/third": 1}
    told = [MODULE] if old else []
    assert [[notice.path for notice in result.notices] for result in results] == [told, told, []]

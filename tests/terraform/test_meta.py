"""What a stack's blocks say besides values, read from real plans."""

from __future__ import annotations

from pathlib import Path

from plan_house import small_house
from support import needs

from scaffold.terraform import schemas
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import plan_stacks

MAIN = """
resource "terraform_data" "now" {
  input      = "x"
  depends_on = [terraform_data.other, module.shared]
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [input, triggers_replace["a b"], triggers_replace[0].x] # why
    postcondition {
      condition     = self.id != ""
      error_message = "no"
    }
  }
}
resource "terraform_data" "other" {
  lifecycle { ignore_changes = all }
}
module "shared" { source = "../../modules/shared" }
moved {
  from = terraform_data.before
  to   = terraform_data.between
}
moved {
  from = terraform_data.between
  to   = terraform_data.now
}
removed {
  from = terraform_data.given_up
  lifecycle { destroy = false }
}
removed {
  from = terraform_data.destroyed
  lifecycle { destroy = true }
}
"""
SHARED = """
resource "terraform_data" "in" {}
moved {
  from = terraform_data.was
  to   = terraform_data.in
}
"""


def planned(root: Path) -> PlanResult:
    house = small_house(root)
    house.write({"modules/shared/main.tf": SHARED})
    house.stack("app", MAIN)
    return plan_stacks(house.root, ["app"], known=schemas.load())[0]


@needs("terraform")
def test_lifecycle_order_and_moves_are_known(tmp_path: Path) -> None:
    result = planned(tmp_path)
    assert result.ok, result.findings
    sites = {resource.address: resource.site for resource in result.resources}
    assert sites["terraform_data.now"].meta == {
        "depends_on": ("module.shared", "terraform_data.other"),
        "lifecycle.prevent_destroy": ("true",),
        "lifecycle.ignore_changes": ("input", 'triggers_replace["a b"]', "triggers_replace[0].x"),
        "lifecycle.postcondition": ('self.id != ""',),
    }
    assert sites["terraform_data.now"].ignored == (
        ("input",), ("triggers_replace", "a b"), ("triggers_replace", 0, "x"),
    )  # fmt: skip
    assert sites["terraform_data.other"].ignored == ((),)
    assert sites["module.shared.terraform_data.in"].meta == {}
    moves = result.moves
    assert moves.now("terraform_data.before") == moves.now("terraform_data.between") == "terraform_data.now"
    assert moves.now("terraform_data.before[0]") == "terraform_data.now[0]"
    assert moves.now("module.shared.terraform_data.was") == "module.shared.terraform_data.in"
    assert moves.now("terraform_data.beforehand") == "terraform_data.beforehand"
    assert moves.forgets('terraform_data.given_up["x"]') and not moves.forgets("terraform_data.destroyed")

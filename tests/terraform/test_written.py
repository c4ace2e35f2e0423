"""A test plans a stack in one process, and gives what a plan that is shown gives; or the plan is asked too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from plan_house import NAMESPACE, House, config_map, small_house
from support import needs

from scaffold.terraform import schemas
from scaffold.terraform.attempt import Attempt
from scaffold.terraform.lifetime import Finished
from scaffold.terraform.result import PlanResult
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tool import find_tool

pytestmark = needs("terraform")
MODULE = "modules/kubernetes/shop/main.tf"
VARIABLES = {
    "text": 'type = string\ndefault = "\\u00e9 $${x}\\n"',
    "accent": 'default = "e\\u0301"',
    "long": "default = <<-EOT\n    one\n      two\n  EOT",
    "count_as_text": "type = string\ndefault = 3",
    "yes_as_text": "type = string\ndefault = true",
    "yes": 'type = bool\ndefault = "true"',
    "number": "type = number\ndefault = 1.0",
    "half": "default = -0.5",
    "nothing": "type = string\ndefault = null",
    "needed": "type = string",
    "items": "type = list(string)\ndefault = [1, true]",
    "names": 'type = set(string)\ndefault = ["b", "a", "b"]',
    "pairs": "type = map(number)\ndefault = { z = 1, a = 2 }",
    "pair": "type = tuple([string, number])\ndefault = [1, 2]",
    "anything": 'type = any\ndefault = { z = [1, "a"], a = null }',
    "all_alike": 'type = list(any)\ndefault = ["a", "b"]',
    "whole": """type = object({
        size  = optional(string, 5)
        left  = optional(number)
        inner = optional(object({ on = optional(bool, true) }), {})
        name  = string
    })
    default = { name = "x", more = 1 }""",
}
GIVEN = {
    "given_text": '"a"',
    "given_map": '{ "b" = [1.50, null], a = "x" }',
    "given_name": "local.name",
    "given_call": 'upper("a")',
    "given_template": '"a-${local.name}"',
    "given_parts": "{ a = 1, b = local.name }",
    "given_key": "{ (local.name) = 1 }",
    "given_both": 'local.name == "" && local.name != "n"',
    "given_choice": 'local.name == "" ? "a" : "b"',
}
DEPLOYED = """
resource "kubernetes_config_map" "in_module" {
  metadata {
    name = "in-module"
  }
  data = { text = var.text }
}
"""
SERVED = """
resource "kubernetes_service" "x" {
  metadata {
    name      = "x"
    namespace = kubernetes_config_map.x.id
  }
  spec {
    cluster_ip = kubernetes_config_map.x.id
    port {
      port      = 80
      node_port = 30080
    }
    dynamic "port" {
      for_each = toset(["a"])
      content {
        port      = 81
        node_port = 30081
      }
    }
  }
}
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = small_house(tmp_path)
    declared = {**VARIABLES, **dict.fromkeys(GIVEN, "default = null")}
    blocks = "".join(f'variable "{name}" {{\n{body}\n}}\n' for name, body in declared.items())
    house.write({MODULE: blocks + DEPLOYED})
    return house


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The commands that Terraform gets; other tests plan the same, which nothing here may know."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    commands: list[str] = []
    terraform = Attempt._terraform

    def noted(self: Attempt, arguments: Sequence[str], reattach: str) -> Finished:
        commands.append(arguments[0])
        return terraform(self, arguments, reattach)

    monkeypatch.setattr(Attempt, "_terraform", noted)
    return commands


def result(house: House) -> PlanResult:
    (found,) = plan_stacks(house.root, ["x"], known=schemas.load())
    return replace(found, seconds=0.0, kept=False)


def shown(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PlanResult:
    """The same stack as a plan shows it, planned by a run that knows of no other."""
    monkeypatch.setattr(Attempt, "_tested", lambda *_: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other-cache"))
    return result(house)


def call(**given: str) -> str:
    lines = "".join(f"  {name} = {value}\n" for name, value in {"needed": '"n"', **given}.items())
    return f'module "shop" {{\n  source = "../../modules/kubernetes/shop"\n{lines}}}\nlocals {{\n  name = "n"\n}}\n'


def test_a_test_gives_what_a_plan_gives_with_one_process(
    house: House, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.stack("x", config_map('"x"') + SERVED + call(**GIVEN))
    tested = result(house)
    assert tested.ok and asked == ["test"]
    assert tested == shown(house, monkeypatch, tmp_path)
    assert asked == ["test", "plan", "show"]
    (inside,) = [resource for resource in tested.resources if resource.module]
    assert inside.settings["whole"] == {"inner": {"on": True}, "left": None, "name": "x", "size": "5"}
    assert {name for name in GIVEN if name in inside.settings} == {"given_text", "given_map"}


@pytest.mark.parametrize(
    ("stack", "commands"),
    [
        pytest.param(call(given_text='true ? "a" : local.name'), ["plan", "show"], id="short cut"),
        pytest.param(call(given_text='false && local.name == "n"'), ["plan", "show"], id="decided"),
        pytest.param(call(given_text="1 + 1"), ["plan", "show"], id="sum"),
        pytest.param(call(given_text="[for x in [1] : local.name]"), ["plan", "show"], id="loop"),
        pytest.param(call() + 'output "x" {\n  value = sensitive("x")\n}\n', ["test", "plan"], id="output"),
        pytest.param(NAMESPACE + config_map("local.missing"), ["test", "plan"], id="failing"),
        pytest.param(
            NAMESPACE + 'import {\n  to = kubernetes_namespace.x\n  id = "x"\n}\n', ["test"], id="import"
        ),
    ],
)
def test_where_a_test_does_not_do_the_plan_is_asked(
    stack: str,
    commands: Sequence[str],
    house: House,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    house.stack("x", stack)
    tested = result(house)
    assert asked == commands
    assert tested == shown(house, monkeypatch, tmp_path)
    assert tested.ok is ("show" in commands or commands == ["test"])


@pytest.mark.parametrize(
    "default",
    [
        'type = number\ndefault = "1"',
        "type = set(number)\ndefault = [2, 1]",
        'type = list(any)\ndefault = [1, "a"]',
    ],
)
def test_a_default_that_only_terraform_can_convert(
    default: str, house: House, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.write(
        {
            MODULE: f'variable "needed" {{}}\nvariable "x" {{\n{default}\n}}\n{DEPLOYED}'.replace(
                "var.text", '"a"'
            )
        }
    )
    house.stack("x", call())
    assert result(house) == shown(house, monkeypatch, tmp_path)
    assert asked == ["plan", "show", "plan", "show"]


@pytest.mark.parametrize("name", ["own.tftest.hcl", "main_override.tf"])
def test_tests_of_the_stack_and_merged_blocks_are_left_to_the_plan(
    name: str, house: House, asked: list[str]
) -> None:
    files = {"own.tftest.hcl": 'run "own" {\n  command = apply\n}\n', "main_override.tf": "locals {}\n"}
    house.stack("x", NAMESPACE, **{name: files[name]})
    assert result(house).ok and asked == ["plan", "show"]


def test_other_programs_are_not_known_to_do_it(house: House, asked: list[str], tmp_path: Path) -> None:
    house.stack("x", NAMESPACE)
    tool = replace(find_tool(), name="tofu")
    (found,) = plan_stacks(house.root, ["x"], known=schemas.load(), tool=tool)
    assert found.ok and asked == ["plan", "show"]


def test_a_module_has_what_it_does_not_take_from_the_one_in_front_of_it(
    house: House, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    front = 'variable "needed" {}\nvariable "auth" {\n  default = "required"\n}\n'
    inner = call(needed="var.needed").replace('"../../', '"../../../')
    house.stack(
        "x",
        'module "front" {\n  source = "./front"\n  needed = "n"\n  auth = "app"\n}\n'
        + config_map('"x"')
        + SERVED,
    )
    place = house.root / "stacks/x/front/main.tf"
    place.parent.mkdir()
    place.write_text(front + inner)
    tested = result(house)
    assert tested.ok, tested.findings
    assert tested == shown(house, monkeypatch, tmp_path) and asked[1:] == ["plan", "show"]
    inside = [resource for resource in tested.resources if resource.module == "module.front.module.shop"]
    assert {resource.settings["auth"] for resource in inside} == {"app"}
    assert all("needed" not in resource.settings for resource in inside), "what is passed on is not constant"

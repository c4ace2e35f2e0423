"""What is taken over from terragrunt."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.hcl.syntax import HclSyntaxError
from scaffold.terraform.terragrunt import Generated, read
from scaffold.terraform.tree import DiskTree, OverlayTree

ROOT = """\
locals {
  name = "x"
}

generate "tiers" {
  path      = "tiers.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<EOF
locals {
  price = "$${0}"
}
EOF
}

generate "guessed" {
  path      = "guessed.tf"
  if_exists = "skip"
  contents  = "locals { a = \\"${local.name}\\" }"
}

generate "elsewhere" {
  path     = "../../x.tf"
  contents = "x"
}

inputs = {
  a = "root"
  b = ["root"]
}

terraform {
  extra_arguments "values" {
    required_var_files = ["${get_repo_root()}/config.tfvars", "${get_env("HOME")}/x.tfvars"]
    optional_var_files = ["${get_parent_terragrunt_dir()}/more.tfvars"]
  }
}
"""


def given(own: str | None, root: str = ROOT, name: str = "terragrunt.hcl") -> Generated:
    files = {name: root.encode()}
    if own is not None:
        files["stacks/x/terragrunt.hcl"] = own.encode()
    return read(OverlayTree(DiskTree(Path("/nonexistent")), files), "stacks/x")


INCLUDE = 'include "root" {\n  path = find_in_parent_folders()\n}\n'


def test_generated_files() -> None:
    tiers, guessed = given(INCLUDE).files
    assert (tiers.name, tiers.origin, tiers.line, tiers.overwrites, tiers.guessed) == (
        "tiers.tf",
        "terragrunt.hcl",
        9,
        True,
        False,
    )
    assert tiers.content == b'locals {\n  price = "${0}"\n}\n'
    assert guessed.guessed and not guessed.overwrites
    assert guessed.content == b'locals { a = "scaffold-stand-in" }'


def test_inputs_of_the_stack_win() -> None:
    own = INCLUDE + "inputs = {\n  a = true\n  c = dependency.x.outputs.y\n}\n"
    assert given(own).inputs == {"a": True, "b": ["root"]}


def test_files_of_values() -> None:
    assert given(INCLUDE).var_files == ("config.tfvars", "more.tfvars")


def test_only_what_is_included() -> None:
    assert given("inputs = {\n  own = 1\n}\n") == Generated(inputs={"own": 1})


def test_a_stack_without_a_file_is_read_as_if_it_included_the_nearest() -> None:
    assert given(None).var_files == ("config.tfvars", "more.tfvars")


def test_another_name_of_the_root() -> None:
    include = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
    assert given(include, name="root.hcl").inputs["a"] == "root"
    by_path = 'include "root" {\n  path = "${get_repo_root()}/root.hcl"\n}\n'
    assert given(by_path, name="root.hcl").inputs["a"] == "root"


def test_a_module_from_elsewhere() -> None:
    source = given('terraform {\n  source = "../../modules/x"\n}\n').source
    assert source is not None and source.string() == "../../modules/x"


def test_a_file_that_is_not_hcl() -> None:
    with pytest.raises(HclSyntaxError):
        given("include {{")

"""Module contracts, read from directories and compared with python-hcl2's reading of the same files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import hcl2
import pytest

from scaffold import demo
from scaffold.errors import MissingError
from scaffold.hcl.modules import ModuleContract, contract_of, read_module
from scaffold.hcl.syntax import NOT_LITERAL, HclSyntaxError, parse

MODULES = Path(demo.__file__).parent / "monorepo" / "modules" / "kubernetes"


def contract(text: str) -> ModuleContract:
    return contract_of([parse(text.encode(), "main.tf")])


def test_everything_that_a_variable_says() -> None:
    variables = contract(
        """
variable "bare" {}
variable "full" {
  type        = list( string )
  default     = ["/"]
  nullable    = false
  sensitive   = true
  description = "Paths."
}
variable "null" { default = null }
variable "computed" { default = [for x in [1] : x] }
"""
    ).variables
    bare, full = variables["bare"], variables["full"]
    assert (bare.has_default, bare.default, str(bare.type)) == (False, NOT_LITERAL, "any")
    assert (full.has_default, full.default, str(full.type)) == (True, ["/"], "list(string)")
    assert full.nullable is False
    assert bare.nullable is True
    assert (variables["null"].has_default, variables["null"].default) == (True, None)
    assert (variables["computed"].has_default, variables["computed"].default) == (True, NOT_LITERAL)


@pytest.mark.parametrize(
    "condition",
    [
        'contains(["a", "b"], var.x)',
        '(contains(["a", "b"], var.x))',
        'var.x == null || contains(["a", "b"], var.x)',
        'contains(["a", "b"], var.x) || null == var.x',
        'var.x == null ? true : contains(["a", "b"], var.x)',
    ],
)
def test_a_list_of_allowed_values_is_found_behind_its_guard(condition: str) -> None:
    text = f'variable "x" {{\n  validation {{\n    condition = {condition}\n    error_message = "a or b"\n  }}\n}}\n'
    variable = contract(text).variables["x"]
    assert variable.allowed == ("a", "b")
    broken = variable.broken_by("c")
    assert broken is not None
    assert broken.message == "a or b"
    assert variable.broken_by("a") is None


@pytest.mark.parametrize(
    "condition", ['can(regex("^[0-9]+$", var.x))', 'var.x == null || can(regex("^[0-9]+$", var.x))']
)
def test_a_pattern_is_held_against_values_behind_its_guard(condition: str) -> None:
    variable = contract(
        f'variable "x" {{\n  validation {{\n    condition = {condition}\n  }}\n}}\n'
    ).variables["x"]
    assert variable.allowed is None
    assert variable.broken_by("12") is None
    assert variable.broken_by("a") is variable.validations[0]


@pytest.mark.parametrize(
    "condition",
    [
        'contains(["a", "b"], var.y)',
        "contains(var.y, var.x)",
        'var.y == null || contains(["a"], var.y)',
        'length(regexall("a", var.x)) > 0',
        'var.x != null || contains(["a", "b"], var.x)',
    ],
)
def test_what_is_no_common_form_has_no_list(condition: str) -> None:
    variable = contract(
        f'variable "x" {{\n  validation {{\n    condition = {condition}\n  }}\n}}\n'
    ).variables["x"]
    assert variable.allowed is None


def test_a_condition_that_cannot_be_judged_refuses_nothing() -> None:
    text = 'variable "x" {\n  validation {\n    condition = length(regexall("a", var.x)) > 0\n  }\n}\n'
    variable = contract(text).variables["x"]
    assert variable.validations[0].holds("b") is None
    assert variable.broken_by("b") is None


def test_null_for_a_variable_that_takes_none_is_its_default() -> None:
    text = (
        'variable "x" {\n  nullable = false\n  default = "a"\n'
        '  validation {\n    condition = contains(["a"], var.x)\n  }\n}\n'
    )
    assert contract(text).variables["x"].broken_by(None) is None
    assert contract(text.replace("false", "true")).variables["x"].broken_by(None) is not None


def test_outputs_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('variable "x" {}\n')
    (tmp_path / "b.tf").write_text('output "y" {\n  value     = var.x\n  sensitive = true\n}\n')
    (tmp_path / "c.txt").write_text("no HCL")
    found = read_module(tmp_path)
    assert [name for name, variable in found.variables.items() if not variable.has_default] == ["x"]
    assert found.outputs == ("y",)


def test_a_directory_without_a_module_and_a_broken_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no \.tf file"):
        read_module(tmp_path)
    (tmp_path / "main.tf").write_text("variable {")
    with pytest.raises(HclSyntaxError) as raised:
        read_module(tmp_path)
    assert raised.value.path == str(tmp_path / "main.tf")


def _python_hcl2(directory: Path) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for file in directory.glob("*.tf"):
        options = hcl2.SerializationOptions(strip_string_quotes=True)
        for block in hcl2.load(io.StringIO(file.read_text("utf-8")), serialization_options=options).get(
            "variable", []
        ):
            for name, body in block.items():
                variables[name.strip('"')] = body
    return variables


@pytest.mark.parametrize("directory", sorted(MODULES.iterdir()), ids=lambda path: path.name)
def test_names_types_and_defaults_are_those_that_another_parser_reads(directory: Path) -> None:
    ours = read_module(directory).variables
    theirs = _python_hcl2(directory)
    assert set(ours) == set(theirs)
    for name, variable in ours.items():
        spec = theirs[name]
        assert variable.has_default == ("default" in spec)
        if isinstance(variable.default, str | bool | int) or variable.default == []:
            assert spec["default"] == variable.default
        if variable.type.name in ("string", "number", "bool"):
            assert variable.type.name in str(spec["type"])

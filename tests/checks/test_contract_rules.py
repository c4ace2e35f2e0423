"""Calls of modules, checked against what the modules declare."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scaffold.errors import Finding

Check = Callable[..., list[Finding]]
Codes = Callable[..., list[str]]


def call(*arguments: str, source: str = "../../modules/disk") -> str:
    lines = [f'source = "{source}"', *arguments]
    return 'module "disk" {\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (['name = "a"'], []),
        (['name = "a"', "size = 2", 'labels = { a = "b" }', 'mode = "ro"'], []),
        (['name = "a"', "count = 2", "depends_on = []", "providers = {}", 'version = "1"'], []),
        ([], ["MOD003"]),
        (["size = 2"], ["MOD003"]),
        (['name = "a"', "sise = 2"], ["MOD002"]),
        (['name = "a"', "labels {\n  }"], ["MOD002"]),
        (["name = []"], ["MOD004"]),
        (["name = { a = path.module }"], ["MOD004"]),
        (['name = "a"', 'size = "big"'], ["MOD004"]),
        (['name = "a"', 'size = "2"'], []),
        (['name = "a"', "size = null"], []),
        (['name = "a"', "size = 0"], ["MOD005"]),
        (['name = "a"', 'mode = "rx"'], ["MOD005"]),
        (["name = path.module", "size = length(path.module)"], []),
    ],
)
def test_a_call_is_held_against_the_contract(arguments: list[str], found: list[str], codes: Codes) -> None:
    assert codes(call(*arguments)) == found


def test_findings_say_where_and_what_instead(check: Check) -> None:
    (misspelt,) = check(call('name = "a"', "sise = 2"))
    assert (misspelt.location, misspelt.value) == ("stacks/app/main.tf:4:3", "sise")
    assert misspelt.fix == "Did you mean size?"
    (refused,) = check(call('name = "a"', 'mode = "rx"'))
    assert (refused.location, refused.value, refused.allowed) == ("stacks/app/main.tf:4:10", '"rx"', "rw, ro")
    (small,) = check(call('name = "a"', "size = 0"))
    assert small.message == "A disk has a size."
    (block,) = check(call('name = "a"', "labels {\n  }"))
    assert block.fix == "write labels = { … }"
    (unknown,) = check(call('name = "a"', "labls {\n  }"))
    assert unknown.fix is None
    (missing,) = check(call())
    assert (missing.location, missing.message) == ("stacks/app/main.tf:1:1", "the module disk needs name")


def test_a_module_that_is_not_there_is_told_with_those_that_are(check: Check) -> None:
    (found,) = check(call(source="../../modules/disc"))
    assert (found.code, found.location) == ("MOD001", "stacks/app/main.tf:2:12")
    assert found.message == "there is no module in modules/disc"
    assert (found.allowed, found.fix) == ("disk, ingress_factory", "Did you mean disk?")


@pytest.mark.parametrize("source", ["terraform-aws-modules/vpc/aws", "git::https://git.example.test/x.git"])
def test_a_module_from_elsewhere_is_not_judged(source: str, codes: Codes) -> None:
    assert codes(call("anything = 1", source=source)) == []


def test_a_module_inside_the_stack_is_read_from_the_stack(codes: Codes) -> None:
    inner = {"inner/main.tf": 'variable "a" {}\n'}
    assert codes(call("a = 1", source="./inner"), inner) == []
    assert codes(call("b = 1", source="./inner"), inner) == ["MOD003", "MOD002"]


def test_a_call_inside_a_module_of_the_stack_is_judged_too(check: Check) -> None:
    files = {"inner/main.tf": call("size = 1", source="../../../modules/disk")}
    (found,) = check(call(source="./inner"), files)
    assert (found.code, found.path) == ("MOD003", "stacks/app/inner/main.tf")

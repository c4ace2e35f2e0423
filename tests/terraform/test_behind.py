"""What is behind values that no plan knows: the same expression, wherever its parts are written."""

from __future__ import annotations

import pytest

from scaffold.hcl.syntax import parse
from scaffold.terraform.behind import Scope
from scaffold.terraform.modules import Module
from scaffold.terraform.planned import Path

SECRET = """data "vault_kv_secret_v2" "{name}" {{
  mount = "secret"
  name  = "{of}"
}}
"""
INNER = """resource "x_thing" "a" {
  data = { token = var.token, both = "${var.token}-${var.other}" }
}
output "token" { value = var.token }
variable "token" {}
variable "other" { default = "o" }
"""


def behind(text: str, *path: str | int, module: str = "", inner: str = INNER) -> str:
    stack, called = parse(text.encode(), "stacks/web/main.tf"), parse(inner.encode(), "modules/m/main.tf")
    calls = {block.labels[0]: ("modules/m", block) for block in stack.body.blocks_of("module")}
    modules = {
        "stacks/web": Module("stacks/web", {"main.tf": stack}, calls),
        "modules/m": Module("modules/m", {"main.tf": called}, {}),
    }
    scope: Scope | None = Scope(modules, modules["stacks/web"])
    assert scope is not None
    scope = scope.called(module) if module else scope
    assert scope is not None
    block = next(b for b in scope.module.blocks("resource") if b.labels == ("x_thing", "a"))
    return scope.behind(block, path)


def thing(value: str, more: str = "", name: str = "s", of: str = "web") -> str:
    return f'resource "x_thing" "a" {{\n  value = {value}\n}}\n{more}{SECRET.format(name=name, of=of)}'


PLAIN = behind(thing('data.vault_kv_secret_v2.s.data["a"]'), "value")


@pytest.mark.parametrize(
    "text",
    [
        thing('data.vault_kv_secret_v2.s.data["a"] # why'),
        thing('data.vault_kv_secret_v2.other.data["a"]', name="other"),
        thing("local.a", 'locals {\n  a = data.vault_kv_secret_v2.s.data["a"]\n}\n'),
        thing('local.all["a"]', "locals {\n  all = data.vault_kv_secret_v2.s.data\n}\n"),
        thing("local.all.b.c", 'locals {\n  all = { b = { c = data.vault_kv_secret_v2.s.data["a"] } }\n}\n'),
        thing("module.m.token", 'module "m" {\n  token = data.vault_kv_secret_v2.s.data["a"]\n}\n'),
        thing(
            'data.vault_kv_secret_v2.s.data["a"]',
            'resource "x_name" "n" {\n  name = "web"\n}\n',
            of='${x_name.n.name}',
        ).replace('"${x_name.n.name}"', "x_name.n.name"),
    ],
)  # fmt: skip
def test_where_its_parts_are_written_changes_nothing(text: str) -> None:
    assert behind(text, "value") == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        thing('data.vault_kv_secret_v2.s.data["b"]'),
        thing('data.vault_kv_secret_v2.s.data["a"]', of="mail"),
        thing('upper(data.vault_kv_secret_v2.s.data["a"])'),
        thing("x_other.y.id"),
        thing("module.m.token", 'module "m" {\n  token = "t"\n}\n'),
    ],
)
def test_another_expression_is_another_value(text: str) -> None:
    assert behind(text, "value") != PLAIN


def test_an_argument_of_a_module_is_what_the_call_says() -> None:
    call = thing('"v"', 'module "m" {\n  token = data.vault_kv_secret_v2.s.data["a"]\n}\n')
    assert behind(call, "data", "token", module="m") == PLAIN
    assert behind(call, "data", "both", module="m") != PLAIN
    assert behind(thing('"v"', 'module "m" {}\n'), "data", "token", module="m") == "var.token"


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ("spec {\n  env { value = x_a.b.id }\n  env { value = x_c.d.id }\n}", ("spec", 0, "env", 1, "value"), "x_c.d.id"),
        ('spec {\n  dynamic "env" {\n    for_each = x_a.b.all\n  }\n}', ("spec", 0, "env", 1, "value"),
         "dynamic env {for_each = x_a.b.all}"),
        ("for_each = x_a.b.all\nvalue = each.value", ("value",), "each.value for each of x_a.b.all"),
        ("value = [for one in x_a.b.all : one.id]", ("value", 3), "[for one in x_a.b.all : one.id]"),
        ("other = 1", ("value",), "{other = 1}"),
    ],
)  # fmt: skip
def test_it_is_the_innermost_part_that_has_the_value(body: str, path: Path, expected: str) -> None:
    assert behind(f'resource "x_thing" "a" {{\n{body}\n}}\n', *path) == expected


def test_what_a_call_leaves_out_is_what_the_type_says() -> None:
    inner = (
        INNER.replace("var.token,", "var.more.how,")
        .replace(
            '"token" {}',
            """"more" {
  type = object({ how = optional(string, "so"), why = optional(string) })
}""",
        )
        .replace("${var.token}", "${var.more.why}")
        .replace("value = var.token", "value = 1")
    )

    def told(given: str, key: str) -> str:
        return behind(
            thing('"v"', f'module "m" {{\n  more = {given}\n}}\n'), "data", key, module="m", inner=inner
        )

    assert told("{}", "token") == told('{ how = "so" }', "token") == '"so"' != told('{ how = "no" }', "token")
    assert told("{}", "both") == told("{ why = null }", "both")


def test_a_long_one_is_told_by_its_beginning_and_still_told_apart() -> None:
    def local(end: str) -> str:
        return behind(thing("local.a", f'locals {{\n  a = "{"x" * 900}{end}"\n}}\n'), "value")

    assert local("1") == local("1") != local("2")
    assert len(local("1")) < 500


MERGED = """resource "x_thing" "a" {
  value = merge({ gate = var.gate }, var.gate == null ? {} : { host = "h" }, local.usual, var.more, null)
}
locals { usual = { port = 80 } }
variable "gate" { default = null }
variable "more" { default = {} }
"""


def test_of_maps_that_are_merged_the_last_one_with_the_key_counts() -> None:
    def told(given: str, key: str) -> str:
        return behind(f'module "m" {{\n{given}\n}}\n', "value", key, module="m", inner=MERGED)

    token = 'more = { token = data.vault_kv_secret_v2.s.data["a"], (local.k) = 1 }'
    token_alone = 'more = { token = data.vault_kv_secret_v2.s.data["a"] }'
    assert told(token_alone, "token") == 'data.vault_kv_secret_v2.s.data["a"]'
    assert told(f'gate = "app"\n{token_alone}', "token") == told(token_alone, "token")
    assert told("more = { port = x_a.b.id }", "port") == "x_a.b.id"
    assert told("", "port") == "80"
    # Which map has the key is not known: it may depend on all of them.
    for unclear in (
        told(token, "token"),
        told("", "host"),
        told("more = x_a.b", "token"),
        told("", "nothing"),
    ):
        assert unclear.startswith("merge({ gate")

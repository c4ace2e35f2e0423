"""References that point at nothing, and names that are defined twice or not set."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scaffold.errors import Finding

Check = Callable[..., list[Finding]]
Codes = Callable[..., list[str]]

DEFINITIONS = """
variable "v" { default = 1 }
locals {
  l    = 1
  map  = { a = { b = 1 } }
  open = merge({}, { a = 1 })
  keyed = { (local.l) = 1 }
}
resource "kubernetes_service" "one" {
  metadata { name = "one" }
  spec {}
}
resource "kubernetes_service" "many" {
  count = 2
  metadata { name = "many" }
  spec {}
}
resource "terraform_data" "unknown" {}
data "kubernetes_secret" "s" {
  metadata { name = "s" }
}
module "disk" {
  source = "../../modules/disk"
  name   = "d"
}
module "disks" {
  source   = "../../modules/disk"
  for_each = { a = 1 }
  name     = each.key
}
module "far" { source = "git::https://git.example.test/x.git" }
"""


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("var.v", None),
        ("local.l + local.open.zzz", None),
        ('local.map.a.b + local.map["a"]["b"]', None),
        ("local.keyed.x", None),
        ("local.tiers.aux", None),
        ("path.module + terraform.workspace", None),
        ("kubernetes_service.one.metadata[0].name", None),
        ("kubernetes_service.one.metadata.0.name", None),
        ("kubernetes_service.one.spec[0].port[*].node_port", None),
        ("kubernetes_service.one.id", None),
        ("kubernetes_service.one", None),
        ("kubernetes_service.one[*].id", None),
        ("kubernetes_service.many[0].id", None),
        ("kubernetes_service.many[*].metadata[0].name", None),
        ("kubernetes_service.many", None),
        ("terraform_data.unknown.anything", None),
        ("data.kubernetes_secret.s.data", None),
        ('data.kubernetes_secret.s.data["k"]', None),
        ("module.disk.path", None),
        ("module.disk", None),
        ('module.disks["a"].path', None),
        ("module.far.anything", None),
        ("[for v in [1] : v]", None),
        ("[for zzz in [{ a = 1 }] : zzz.a]", None),
        ("{ zzz = 1 }", None),
        ("provider::x::f(1)", None),
        ("var.w", ("HCL004", "this stack has no variable var.w", "var.w")),
        ("local.m", ("HCL004", "this stack has no local value local.m", "local.m")),
        ('"${var.w}"', ("HCL004", "this stack has no variable var.w", "var.w")),
        ("module.disc.path", ("HCL004", "this stack has no module module.disc", "module.disc")),
        ("data.kubernetes_secret.t.data", ("HCL004", None, "data.kubernetes_secret.t")),
        ("kubernetes_service.two.id", ("HCL004", None, "kubernetes_service.two")),
        ("kubernetes_sevice.one.id", ("HCL004", None, "kubernetes_sevice.one")),
        ("[for v in [w.x] : v]", ("HCL004", None, "w.x")),
        ("word", ("HCL004", "word refers to nothing", "word")),
        ("var", ("HCL004", "var refers to nothing", "var")),
        ("data.kubernetes_secret", ("HCL004", None, "data.kubernetes_secret")),
        ("local.tiers.apps", ("HCL006", "local.tiers has no key apps", "apps")),
        ("local.map.b", ("HCL006", "local.map has no key b", "b")),
        ("local.map.a.c", ("HCL006", "local.map has no key c", "c")),
        ("module.disk.paths", ("HCL007", "the module disk has no output paths", "paths")),
        ('module.disks["a"].paths', ("HCL007", "the module disks has no output paths", "paths")),
        (
            "kubernetes_service.one.nam",
            ("HCL005", "kubernetes_service.one has no attribute nam", None),
        ),
        ("kubernetes_service.one.metadata[0].nam", ("HCL005", None, None)),
        ("kubernetes_service.one.spec[0].port[0].prt", ("HCL005", None, None)),
        ("kubernetes_service.one.metadata.name", ("HCL005", None, None)),
        ("kubernetes_service.one[0].id", ("HCL005", None, None)),
        ('kubernetes_service.one["metadata"].name', ("HCL005", None, None)),
        ("kubernetes_service.many.id", ("HCL005", None, None)),
        ("kubernetes_service.many[*].nam", ("HCL005", None, None)),
        ("data.kubernetes_secret.s.dta", ("HCL005", None, None)),
    ],
)
def test_a_reference(expression: str, found: tuple[str, str | None, str | None] | None, check: Check) -> None:
    findings = check(f'{DEFINITIONS}\noutput "o" {{\n  value = {expression}\n}}\n')
    if found is None:
        assert findings == []
        return
    code, message, value = found
    (finding,) = findings
    assert finding.code == code
    assert finding.line == DEFINITIONS.count("\n") + 3
    assert message in (None, finding.message)
    assert value in (None, finding.value)


def test_hints_name_what_is_near(check: Check) -> None:
    def hint(expression: str) -> str | None:
        (finding,) = check(f'{DEFINITIONS}\noutput "o" {{\n  value = {expression}\n}}\n')
        return finding.fix

    assert hint("kubernetes_service.ones.id") == "Did you mean one?"
    assert hint("kubernetes_service.one.metadata.name") == "write metadata[0].name"
    assert hint("kubernetes_service.one.metadata[0].nme") == "Did you mean name?"
    assert hint("kubernetes_service.one[0].id") == "drop the index"
    assert hint("local.tiers.au") == "Did you mean aux?"
    assert hint("word") == 'write "word" if it is meant to be text'


OWN_WORDS = """
resource "kubernetes_service" "a" {
  for_each = toset(["b"])
  provider = kubernetes.other
  metadata { name = each.key }
  spec {
    dynamic "port" {
      for_each = [1]
      iterator = it
      content { port = it.value }
    }
    dynamic "port" {
      for_each = [1]
      content { port = port.value }
    }
  }
  lifecycle {
    ignore_changes       = [metadata[0].annotations["x"], spec]
    replace_triggered_by = [terraform_data.b]
    precondition {
      condition     = self.id != ""
      error_message = "x"
    }
  }
  provisioner "local-exec" {
    when       = destroy
    on_failure = continue
    command    = "echo ${self.id}"
  }
}
resource "terraform_data" "b" {
  lifecycle { ignore_changes = all }
}
variable "c" {
  type    = list(object({ a = string }))
  default = []
  validation {
    condition     = var.c != null
    error_message = "x"
  }
}
module "disk" {
  source    = "../../modules/disk"
  providers = { kubernetes = kubernetes.other }
  name      = "d"
}
moved {
  from = kubernetes_service.gone
  to   = kubernetes_service.a
}
import {
  to = module.disk.kubernetes_service.inside
  id = "x"
}
check "d" {
  data "kubernetes_secret" "e" {
    metadata { name = "e" }
  }
  assert {
    condition     = data.kubernetes_secret.e.id != ""
    error_message = "x"
  }
}
terraform {
  required_providers { kubernetes = { source = "hashicorp/kubernetes", configuration_aliases = [kubernetes.other] } }
}
"""


def test_words_that_are_no_references_are_not_taken_for_any(check: Check) -> None:
    assert check(OWN_WORDS) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("content { port = port.value }", "content { port = prt.value }", "HCL004"),
        ("content { port = it.value }", "content { port = port.value }", "HCL004"),
        ("for_each = toset", "for_each = port.x == 1 ? [] : toset", "HCL004"),
        ('annotations["x"]', 'anotations["x"]', "HCL005"),
        (
            "replace_triggered_by = [terraform_data.b]",
            "replace_triggered_by = [terraform_data.c]",
            "HCL004",
        ),
        (
            "to = module.disk.kubernetes_service.inside",
            "to = module.disc.kubernetes_service.inside",
            "HCL004",
        ),
        ("condition     = var.c != null", "condition     = var.d != null", "HCL004"),
    ],
)
def test_but_a_wrong_one_among_them_is_found(before: str, after: str, code: str, codes: Codes) -> None:
    assert before in OWN_WORDS
    assert codes(OWN_WORDS.replace(before, after)) == [code]


def test_a_module_inside_the_stack_has_names_of_its_own(check: Check) -> None:
    files = {"inner/main.tf": 'output "a" {\n  value = [var.v, local.tiers]\n}\n'}
    found = check('variable "v" { default = 1 }\nmodule "i" { source = "./inner" }\n', files)
    assert [(f.code, f.value) for f in found] == [("HCL004", "var.v"), ("HCL004", "local.tiers")]
    assert found[0].message == "stacks/app/inner has no variable var.v"


def test_names_are_shared_by_the_files_of_a_module(codes: Codes) -> None:
    assert codes("locals {\n  a = local.b\n}\n", {"other.tf": "locals {\n  b = 1\n}\n"}) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('variable "a" { default = 1 }\n', "var.a"),
        ("locals {\n  a = 1\n}\n", "local.a"),
        ('output "a" { value = 1 }\n', "output.a"),
        ('resource "terraform_data" "a" {}\n', "terraform_data.a"),
        ('data "kubernetes_nodes" "a" {}\n', "data.kubernetes_nodes.a"),
        ('module "a" { source = "git::x" }\n', "module.a"),
    ],
)
def test_a_second_definition_is_told_with_the_place_of_the_first(text: str, name: str, check: Check) -> None:
    (found,) = check(text, {"other.tf": text})
    assert (found.code, found.path, found.value) == ("HCL002", "stacks/app/other.tf", name)
    assert found.message.startswith(f"{name} is already defined in stacks/app/main.tf, line ")


def test_what_terragrunt_generates_counts_as_defined(check: Check) -> None:
    (found,) = check('locals {\n  tiers = { aux = "4-aux" }\n}\n')
    assert (found.code, found.path) == ("HCL002", "stacks/app/main.tf")
    assert check("", {"tiers.tf": 'locals {\n  tiers = { aux = "4-aux" }\n}\n'}) == []


def test_what_the_stack_itself_lets_terragrunt_generate_counts_too(codes: Codes) -> None:
    text = 'output "o" {\n  value = local.more\n}\n'
    generate = 'generate "x" {\n  path     = "x.tf"\n  contents = <<EOT\nlocals {\n  more = 1\n}\nEOT\n}\n'
    assert codes(text) == ["HCL004"]
    assert codes(text, {"terragrunt.hcl": generate}) == []


@pytest.mark.parametrize(
    ("terragrunt", "variables", "found"),
    [
        ("", frozenset({"a"}), []),
        ("", frozenset({"b"}), ["HCL003"]),
        ('inputs = { a = "x" }\n', frozenset(), []),
        ('inputs = { b = "x" }\n', frozenset(), ["HCL003"]),
        ("inputs = merge({}, {})\n", frozenset(), []),
        ("", None, []),
    ],
)
def test_a_variable_needs_a_value(
    terragrunt: str, variables: frozenset[str] | None, found: list[str], codes: Codes
) -> None:
    text = 'variable "a" {}\nvariable "c" { default = 1 }\n'
    files = {"terragrunt.hcl": terragrunt, "inner/main.tf": 'variable "z" {}\n'}
    assert codes(text, files, variables=variables) == found

"""Resources and data sources, checked against the schemas of their providers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scaffold.errors import Finding

Check = Callable[..., list[Finding]]
Codes = Callable[..., list[str]]

CONFIG_MAP = """
resource "kubernetes_config_map" "a" {{
  metadata {{
    name = "a"
    {metadata}
  }}
  {rest}
}}
"""


@pytest.mark.parametrize(
    ("metadata", "rest", "found"),
    [
        ("", "", []),
        ("", 'data = { a = "b" }', []),
        ("", "count = 1\n  provider = kubernetes.other\n  depends_on = []", []),
        ("", "for_each = {}\n  lifecycle {\n    prevent_destroy = true\n  }", []),
        ("", 'provisioner "local-exec" {\n    command = "x"\n  }\n  connection {\n  }', []),
        ("", "timeouts {\n  }", ["RES002"]),
        ("", "dta = {}", ["RES002"]),
        ("lables = {}", "", ["RES002"]),
        ("for_each = {}", "", ["RES002"]),
        ("lifecycle {\n  }", "", ["RES002"]),
        ("", "data {\n    a = 1\n  }", ["RES002"]),
        ("", "metadata = {}", ["RES002"]),
        ("", "data = []", ["RES005"]),
        ("", "data = { a = [path.module] }", ["RES005"]),
        ("", "immutable = 7", ["RES005"]),
        ("", 'immutable = "true"', []),
        ("", "immutable = path.module", []),
        ("resource_version = 1", "", ["RES006"]),
        ("", "metadata {\n  }", ["RES004"]),
    ],
)
def test_a_resource_is_held_against_its_schema(
    metadata: str, rest: str, found: list[str], codes: Codes
) -> None:
    assert codes(CONFIG_MAP.format(metadata=metadata, rest=rest)) == found


def test_missing_arguments_and_blocks_are_told_at_their_block(check: Check) -> None:
    (found,) = check('resource "kubernetes_config_map" "a" {\n}\n')
    assert (found.code, found.location) == ("RES004", "stacks/app/main.tf:1:1")
    assert found.message == "kubernetes_config_map needs 1 metadata block(s) and has 0"
    text = (
        'resource "kubernetes_role_binding" "a" {\n  metadata {\n  }\n  role_ref {\n    kind = "Role"\n    name = "b"\n'
        '  }\n  subject {\n    kind = "User"\n    name = "c"\n  }\n}\n'
    )
    (found,) = check(text)
    assert (found.code, found.location) == ("RES003", "stacks/app/main.tf:4:3")
    assert found.message == "kubernetes_role_binding.role_ref needs the argument api_group"


def test_hints(check: Check) -> None:
    (block,) = check(CONFIG_MAP.format(metadata="", rest="metadata = {}"))
    assert block.fix == "metadata is a block: write metadata { … } without the equals sign"
    (argument,) = check(CONFIG_MAP.format(metadata="", rest="data {\n  }"))
    assert argument.fix == "data is an argument: write data = { … }"
    (misspelt,) = check(CONFIG_MAP.format(metadata="lables = {}", rest=""))
    assert (misspelt.fix, misspelt.location) == ("Did you mean labels?", "stacks/app/main.tf:5:5")
    (value,) = check(CONFIG_MAP.format(metadata="", rest="data = []"))
    assert (value.allowed, value.value) == ("map(string)", "[]")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('resource "kubernetes_config_mapp" "a" {\n}\n', "Did you mean kubernetes_config_map?"),
        ('data "kubernetes_deployment" "a" {\n}\n', "kubernetes_deployment is a resource"),
        ('resource "kubernetes_nodes" "a" {\n}\n', "kubernetes_nodes is a data source"),
    ],
)
def test_an_unknown_type(text: str, hint: str, check: Check) -> None:
    (found,) = check(text)
    assert (found.code, found.fix) == ("RES001", hint)


def test_a_provider_without_a_schema_is_not_judged(codes: Codes) -> None:
    assert codes('resource "proxmox_vm_qemu" "a" {\n  anything = 1\n}\n') == []
    assert codes('resource "terraform_data" "a" {\n  input = 1\n}\n') == []


def test_data_sources_have_their_own_schema(codes: Codes) -> None:
    good = 'data "vault_kv_secret_v2" "a" {\n  mount = "secret"\n  name  = "a"\n}\n'
    assert codes(good) == []
    assert codes(good.replace("  name  =", "  nam   =")) == ["RES003", "RES002"]


DYNAMIC = """
resource "kubernetes_service" "a" {
  metadata {
    name = "a"
  }
  spec {
    dynamic "port" {
      for_each = [80]
      iterator = each_port
      content {
        port = each_port.value
      }
    }
  }
}
"""


def test_the_content_of_dynamic_blocks_is_judged(check: Check) -> None:
    assert check(DYNAMIC) == []
    missing, misspelt = check(DYNAMIC.replace("        port =", "        prot ="))
    assert (missing.code, missing.fix) == ("RES003", "set port")
    assert (misspelt.code, misspelt.fix) == ("RES002", "Did you mean port?")
    (unknown,) = check(DYNAMIC.replace('dynamic "port"', 'dynamic "ports"'))
    assert (unknown.code, unknown.fix) == ("RES002", "Did you mean port?")


def test_a_dynamic_block_counts_as_enough_of_a_required_one(codes: Codes) -> None:
    text = (
        'resource "kubernetes_config_map" "a" {\n  dynamic "metadata" {\n    for_each = [1]\n    content {\n'
        '      name = "a"\n    }\n  }\n}\n'
    )
    assert codes(text) == []


def test_a_list_of_objects_may_be_written_as_blocks(codes: Codes) -> None:
    text = (
        'resource "vault_auth_backend" "a" {\n  type = "oidc"\n  tune {\n    max_lease_ttl = "1h"\n  }\n}\n'
    )
    assert codes(text) == []
    assert codes(text.replace("tune {", "path {")) == ["RES002"]


def test_modules_inside_the_stack_are_judged_too(check: Check) -> None:
    (found,) = check("", {"inner/main.tf": 'resource "null_resource" "a" {\n  trigers = {}\n}\n'})
    assert (found.code, found.location) == ("RES002", "stacks/app/inner/main.tf:2:3")


def test_every_attribute_named_description_is_known(codes: Codes) -> None:
    text = 'resource "kubernetes_priority_class" "a" {\n  metadata {\n    name = "a"\n  }\n  value = 1\n  description = "b"\n}\n'
    assert codes(text) == []

"""Which providers a stack needs, and the schema that is served for each."""

from __future__ import annotations

from typing import Any

from scaffold.hcl.syntax import Document, parse
from scaffold.terraform import schemas
from scaffold.terraform.diagnostics import Diagnostic
from scaffold.terraform.providers import addresses, assumed_schema, known_schema, required
from scaffold.terraform.schemas import RawSchema
from scaffold.terraform.trim import is_missed, trimmed, words


def documents(*texts: str) -> list[Document]:
    return [parse(text.encode(), f"{n}.tf") for n, text in enumerate(texts)]


def get(tree: Any, *path: str) -> Any:
    """What is at a path of a schema."""
    for step in path:
        tree = tree[step]
    return tree


def test_named_and_implied_providers() -> None:
    root = documents(
        'terraform {\n  required_providers {\n    cloud = {\n      source = "Example/cloud"\n    }\n    old = "~> 1"\n'
        '    far = { source = "registry.example.test/a/far" }\n'
        '    known = { source = "registry.terraform.io/hashicorp/known" }\n  }\n}\n',
        'provider "given" {\n}\nresource "cloud_machine" "x" {\n}\nresource "terraform_data" "x" {\n}\n'
        'resource "odd_thing" "x" {\n  provider = cloud.alias\n}\n',
    )
    module = documents('data "http" "x" {\n}\ncheck "c" {\n  data "cloud_state" "y" {\n  }\n}\n')
    found = required([root, module])
    assert {address: requirement.named for address, requirement in found.items()} == {
        "Example/cloud": True,
        "hashicorp/old": True,
        "registry.example.test/a/far": True,
        "hashicorp/known": True,
        "hashicorp/given": True,
        "hashicorp/http": False,
        "hashicorp/cloud": False,
    }
    assert [block.address for block in found["Example/cloud"].blocks] == [
        "cloud_machine.x",
        "odd_thing.x",
    ]
    assert [block.address for block in found["hashicorp/cloud"].blocks] == ["data.cloud_state.y"]


def test_both_programs_find_a_provider() -> None:
    assert addresses("a/b") == ("registry.terraform.io/a/b", "registry.opentofu.org/a/b")
    assert addresses("registry.example.test/a/b") == ("registry.example.test/a/b",)


def test_a_schema_is_that_of_the_vendor() -> None:
    known = schemas.load()
    assert known_schema(known, "gavinbunney/kubectl") is known.providers["kubectl"].raw
    assert known_schema(known, "hashicorp/kubectl") is None
    assert known_schema(known, "hashicorp/nothing") is None


def part_of(content: str) -> tuple[RawSchema, RawSchema]:
    """What is served to a module of the provider kubernetes, and all of it."""
    module = documents(content)
    raw = schemas.load().providers["kubernetes"].raw
    return trimmed(raw, required([module])["hashicorp/kubernetes"], words(module)), raw


def test_only_what_is_used_is_served() -> None:
    content = (
        'resource "kubernetes_deployment" "a" {\n  metadata {\n    name = "a"\n  }\n  spec {\n    template {\n'
        '      spec {\n        dynamic "volume" {\n          for_each = []\n        }\n      }\n    }\n  }\n}\n'
        'output "x" {\n  value = kubernetes_deployment.a["metadata"][0].uid\n}\n'
        'data "kubernetes_service" "b" {\n}\n'
    )
    part, _ = part_of(content)
    assert get(part, "data_source_schemas").keys() == {"kubernetes_service"}
    assert get(part, "resource_schemas").keys() == {"kubernetes_deployment"}
    block = get(part, "resource_schemas", "kubernetes_deployment", "block")
    assert block["attributes"].keys() == set()
    assert block["block_types"].keys() == {"metadata", "spec"}
    assert get(block, "block_types", "metadata", "block", "attributes").keys() == {"name", "uid"}
    pod = get(
        block,
        "block_types",
        "spec",
        "block",
        "block_types",
        "template",
        "block",
        "block_types",
        "spec",
        "block",
    )
    assert pod["block_types"].keys() == {"volume"}
    # Required, so Terraform misses it.
    assert get(part, "data_source_schemas", "kubernetes_service", "block", "block_types").keys() == {
        "metadata"
    }


def test_all_is_served_where_a_type_does_not_exist() -> None:
    part, raw = part_of('resource "kubernetes_secrt" "a" {\n}\n')
    assert part is raw


def test_errors_about_names_are_asked_again_with_all() -> None:
    assert is_missed([Diagnostic("Invalid value", ""), Diagnostic("Invalid index", "of a computed key")])
    assert not is_missed([Diagnostic("Invalid value", "")])


def test_blocks_of_a_set_keep_what_tells_them_apart() -> None:
    computed = {"type": "string", "computed": True}
    block = {"attributes": {"id": computed}}
    rows = {
        "rows": {"nesting_mode": "set", "block": block},
        "lines": {"nesting_mode": "list", "block": block},
    }
    schema = {"resource_schemas": {"cloud_table": {"block": {"block_types": rows}}}}
    module = documents('resource "cloud_table" "a" {\n  rows {}\n  lines {}\n}\n')
    part = trimmed(schema, required([module])["hashicorp/cloud"], words(module))
    blocks = get(part, "resource_schemas", "cloud_table", "block", "block_types")
    assert blocks["rows"]["block"]["attributes"] == {"id": computed}
    assert blocks["lines"]["block"]["attributes"] == {}


def test_a_schema_made_from_what_is_written_and_read() -> None:
    module = documents(
        'provider "cloud" {\n  region = "x"\n  login {\n    user = "u"\n  }\n}\n'
        'resource "cloud_machine" "x" {\n  count = 2\n  size = 1\n  network {\n    name = "a"\n  }\n'
        '  dynamic "disk" {\n    for_each = []\n    content {\n      label = "l"\n      part {\n        n = 1\n      }\n'
        "    }\n  }\n  lifecycle {\n    ignore_changes = [tags]\n  }\n}\n"
        'data "cloud_image" "i" {\n  name = "n"\n}\n'
        "locals {\n  a = cloud_machine.x[0].address\n  b = cloud_machine.x[*].network[0].ip\n"
        "  c = data.cloud_image.i.id\n  d = cloud_machine.x\n  e = [for m in cloud_machine.x : m.other]\n}\n"
    )
    schema: Any = assumed_schema(required([module])["hashicorp/cloud"], module)
    machine = schema["resource_schemas"]["cloud_machine"]["block"]
    assert sorted(machine["attributes"]) == ["address", "size"]
    assert sorted(machine["block_types"]) == ["disk", "network"]
    assert sorted(machine["block_types"]["network"]["block"]["attributes"]) == ["ip", "name"]
    disk = machine["block_types"]["disk"]["block"]
    assert (sorted(disk["attributes"]), sorted(disk["block_types"])) == (["label"], ["part"])
    assert machine["attributes"]["size"] == {"type": "dynamic", "optional": True, "computed": True}
    assert sorted(schema["data_source_schemas"]["cloud_image"]["block"]["attributes"]) == ["id", "name"]
    provider = schema["provider"]["block"]
    assert (sorted(provider["attributes"]), sorted(provider["block_types"])) == (["region"], ["login"])

"""Which providers a stack needs, and the schema that is served of each."""

from __future__ import annotations

from typing import Any

from scaffold.hcl.syntax import Document, parse
from scaffold.terraform import schemas
from scaffold.terraform.providers import addresses, assumed_schema, known_schema, required, trimmed


def documents(*texts: str) -> list[Document]:
    return [parse(text.encode(), f"{n}.tf") for n, text in enumerate(texts)]


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


def test_only_what_is_used_is_served() -> None:
    module = documents('resource "kubernetes_secret" "a" {\n}\ndata "kubernetes_service" "b" {\n}\n')
    raw = schemas.load().providers["kubernetes"].raw
    part = trimmed(raw, required([module])["hashicorp/kubernetes"])
    assert {name: list(section) for name, section in part.items() if name != "provider"} == {  # type: ignore[call-overload]
        "resource_schemas": ["kubernetes_secret"],
        "data_source_schemas": ["kubernetes_service"],
    }
    assert part["provider"] == raw["provider"]


def test_all_is_served_where_a_type_does_not_exist() -> None:
    module = documents('resource "kubernetes_secrt" "a" {\n}\n')
    raw = schemas.load().providers["kubernetes"].raw
    assert trimmed(raw, required([module])["hashicorp/kubernetes"]) is raw


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

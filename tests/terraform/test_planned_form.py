"""Planned resources: from `terraform show -json`, and as JSON that people compare."""

from __future__ import annotations

from typing import Any

from scaffold.terraform import plan_json, planned
from scaffold.terraform.plan_json import without_keys
from scaffold.terraform.planned import (
    Mark,
    Placeholder,
    PlannedResource,
    Site,
    get,
    leaves,
    path_text,
)
from scaffold.terraform.schemas import BlockSchema

STRING = {"type": "string", "optional": True}
COMPUTED = {"type": "string", "computed": True}
BOTH = {"type": "string", "optional": True, "computed": True}
SCHEMA = BlockSchema(
    {
        "attributes": {
            "id": COMPUTED,
            "name": BOTH,
            "note": STRING,
            "tags": {"type": ["map", "string"], "optional": True},
        },
        "block_types": {
            "spec": {
                "nesting_mode": "list",
                "block": {"attributes": {"ip": BOTH, "port": BOTH, "uid": COMPUTED}},
            },
            "keyed": {"nesting_mode": "map", "block": {"attributes": {"ip": BOTH}}},
        },
    }
)


def read(change: dict[str, Any], expressions: dict[str, Any] | None = None) -> PlannedResource:
    (resource,) = plan_json.read(
        {
            "resource_changes": [
                {
                    "address": "module.m[0].x_thing.a",
                    "module_address": "module.m[0]",
                    "mode": "managed",
                    "type": "x_thing",
                    "name": "a",
                    "provider_name": "registry.example.test/x/x",
                    "change": change,
                },
                {"mode": "data", "type": "x_state", "name": "d"},
                {"mode": "managed", "type": "terraform_data", "name": "helper"},
            ],
            "configuration": {
                "root_module": {
                    "module_calls": {
                        "m": {
                            "expressions": {
                                "auth": {"constant_value": "none"},
                                "host": {"references": ["var.h"]},
                            },
                            "module": {
                                "variables": {
                                    "auth": {"default": "required"},
                                    "port": {"default": 80},
                                    "host": {},
                                },
                                "resources": [{"address": "x_thing.a", "expressions": expressions or {}}],
                            },
                        }
                    }
                }
            },
        },
        "helper",
        lambda provider, type_: SCHEMA if provider.endswith("/x/x") else None,
        lambda module, type_, name, unknown: Site("main.tf", 7),
    )
    return resource


def test_the_parts_of_a_resource() -> None:
    resource = read({"after": {"name": "n"}, "after_unknown": {"id": True}})
    assert (resource.address, resource.module, resource.site.line) == (
        "module.m[0].x_thing.a",
        "module.m[0]",
        7,
    )
    assert resource.settings == {"auth": "none", "port": 80}
    # What the schema has and nobody set is there as nothing; what the provider computes is not.
    assert resource.values == {"name": "n", "note": None, "tags": None, "spec": (), "keyed": {}}


def test_what_is_unknown_in_the_configuration_is_told_from_what_the_provider_computes() -> None:
    unknown = {"id": True, "name": True, "note": True, "spec": [{"ip": True, "port": True, "uid": True}]}
    expressions = {"name": {"references": ["data.x"]}, "spec": [{"port": {"references": ["data.x"]}}]}
    resource = read({"after": {"spec": [{}]}, "after_unknown": unknown}, expressions)
    assert resource.marked(Mark.UNKNOWN) == ("name", "note", "spec[0].port")


def test_marks_inside_of_values() -> None:
    resource = read(
        {
            "after": {
                "name": "secret",
                "note": "url://scaffold-stand-in.var.host/x",
                "tags": {"a": "open", "c": "scaffold-stand-in.var.x"},
                "keyed": {"k": {"ip": "1"}},
            },
            "after_unknown": {"tags": {"b": True}},
            "after_sensitive": {"name": True, "note": True, "tags": {"c": True}},
        }
    )
    assert resource.get("name") is Mark.SENSITIVE
    assert resource.get("note") == Placeholder("url://scaffold-stand-in.var.host/x")
    assert resource.get("tags") == {
        "a": "open",
        "b": Mark.UNKNOWN,
        "c": Placeholder("scaffold-stand-in.var.x"),
    }
    assert resource.get("keyed", "k", "ip") == "1"
    assert planned.to_json([resource]) == [
        {
            "address": "module.m[0].x_thing.a",
            "type": "x_thing",
            "values": {"keyed": {"k": {"ip": "1"}}, "tags": {"a": "open"}},
            "unknown": ["tags.b"],
            "sensitive": ["name"],
            "stand_in": {"note": "url://scaffold-stand-in.var.host/x", "tags.c": "scaffold-stand-in.var.x"},
        }
    ]


def test_a_whole_tree_that_is_sensitive_or_unknown() -> None:
    resource = read(
        {
            "after": {"tags": {"a": "1", "b": None}},
            "after_unknown": {"spec": True},
            "after_sensitive": {"tags": True},
        }
    )
    assert resource.get("tags") == {"a": Mark.SENSITIVE, "b": None}
    assert resource.get("spec") is Mark.UNKNOWN


def test_json_is_sorted_and_without_what_is_not_set() -> None:
    def resource(address: str, **values: planned.Tree) -> PlannedResource:
        return PlannedResource(address, "t", "n", "", None, values)

    result = planned.to_json([resource("b", z=None, a=({},), e=()), resource("a", list=(1, None, True))])
    assert [entry["address"] for entry in result] == ["a", "b"]
    assert result[0]["values"] == {"list": [1, None, True]}
    assert result[1]["values"] == {"a": [{}]}


def test_paths_as_hcl_writes_them() -> None:
    assert path_text(("spec", 0, "labels", "a.b/c", "x-y", "1st")) == 'spec[0].labels["a.b/c"].x-y["1st"]'


def test_leaves_and_values_at_paths() -> None:
    tree: planned.Tree = {"b": ({"x": None}, "s"), "a": 0, "c": None}
    assert list(leaves(tree)) == [(("a",), 0), (("b", 0), Mark.EMPTY), (("b", 1), "s")]
    assert get(tree, "b", 1) == "s" and get(tree, "b", 7) is None and get(tree, "a", "x") is None


def test_addresses_without_keys() -> None:
    assert without_keys('module.a["x].y"].module.b[0]') == "module.a.module.b"
    assert without_keys('module.a["q\\"]"].module.b') == "module.a.module.b"

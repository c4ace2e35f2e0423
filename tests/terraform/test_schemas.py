"""The packaged provider schemas, and those that are laid over them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from scaffold.errors import MissingError
from scaffold.terraform import schemas
from scaffold.terraform.schemas import BlockSchema, Nesting


def test_the_packaged_providers_and_their_versions() -> None:
    versions = schemas.load().provider_versions()
    assert set(versions) == {
        *("authentik", "cloudflare", "helm", "kubectl", "kubernetes", "null", "random", "vault"),
    }
    assert all(version.count(".") == 2 for version in versions.values())


@pytest.mark.parametrize("name", schemas.load().providers)
def test_every_schema_of_every_provider_can_be_read(name: str) -> None:
    provider = schemas.load().providers[name]
    assert provider.address.endswith(f"/{name}")
    assert provider.types("resource")
    for kind in ("resource", "data"):
        for type_ in provider.types(kind):
            assert type_ == name or type_.startswith(f"{name}_")
            block = provider.block(kind, type_)
            assert block is not None
            _read(block)


def _read(block: BlockSchema) -> None:
    for attribute in block.attributes.values():
        assert attribute.settable or attribute.computed
        assert not (attribute.required and attribute.optional)
        assert str(attribute.type)
    for nested in block.blocks.values():
        assert nested.max_items >= nested.min_items or nested.max_items == 0
        _read(nested.block)


@pytest.mark.parametrize(
    "type_",
    [
        *("kubernetes_priority_class", "kubernetes_priority_class_v1", "helm_release", "vault_mount"),
        *("cloudflare_ruleset", "cloudflare_zero_trust_dex_test", "authentik_token"),
    ],
)
def test_an_argument_may_be_called_description(type_: str) -> None:
    """What is only prose in a schema has that name too, and is left out of the package."""
    resource = schemas.load().block("resource", type_)
    assert resource is not None
    assert str(resource.attributes["description"].type) == "string"


def test_attributes_and_blocks_are_typed() -> None:
    deployment = schemas.load().block("resource", "kubernetes_deployment")
    assert deployment is not None
    metadata = deployment.blocks["metadata"]
    assert (metadata.nesting, metadata.min_items, metadata.max_items) == (Nesting.LIST, 1, 1)
    labels = metadata.block.attributes["labels"]
    assert (str(labels.type), labels.settable, labels.required) == ("map(string)", True, False)
    uid = metadata.block.attributes["uid"]
    assert (uid.settable, uid.computed) == (False, True)
    assert [name for name, _ in deployment.limited] == ["metadata", "spec", "timeouts"]
    pod = deployment.blocks["spec"].block.blocks["template"].block.blocks["spec"].block
    assert {"affinity", "volume"} & {name for name, _ in pod.limited} == {"affinity"}
    reference = schemas.load().block("resource", "kubernetes_role_binding")
    assert reference is not None
    assert reference.blocks["role_ref"].block.required == ("api_group", "kind", "name")


def test_a_nested_attribute_type_is_a_type_and_takes_no_blocks() -> None:
    release = schemas.load().block("resource", "helm_release")
    assert release is not None
    values = release.attributes["set"]
    assert values.type.name == "list"
    assert not values.takes_blocks
    assert values.type.element is not None
    optional = {name: is_optional for name, _, is_optional in values.type.element.attributes}
    assert (optional["name"], optional["type"]) == (False, True)


def test_resources_and_data_sources_are_told_apart() -> None:
    loaded = schemas.load()
    assert loaded.block("resource", "kubernetes_nodes") is None
    assert loaded.block("data", "kubernetes_nodes") is not None
    assert loaded.block("data", "kubernetes_deployment") is None
    assert loaded.block("resource", "proxmox_vm_qemu") is None
    assert loaded.provider_of("proxmox_vm_qemu") is None


def test_a_file_is_decoded_once_and_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    schemas.load.cache_clear()
    schemas._providers_in.cache_clear()
    decoded: list[int] = []
    decompress = gzip.decompress

    def counted(data: bytes) -> bytes:
        decoded.append(len(data))
        return decompress(data)

    monkeypatch.setattr(gzip, "decompress", counted)
    loaded = schemas.load()
    assert decoded == []
    loaded.block("resource", "kubernetes_service")
    loaded.block("data", "kubernetes_secret")
    assert loaded.block("resource", "kubernetes_service") is loaded.block("resource", "kubernetes_service")
    assert schemas.load() is loaded
    assert len(decoded) == 1


def test_the_raw_schema_is_that_of_terraform(tmp_path: Path) -> None:
    raw = schemas.load().providers["null"].raw
    assert set(raw) >= {"provider", "resource_schemas"}


def _schema(*providers: str) -> dict[str, object]:
    block = {"block": {"attributes": {"size": {"type": "number", "required": True}}}, "version": 0}
    return {
        "format_version": "1.0",
        "provider_schemas": {
            f"registry.terraform.io/example/{name}": {"resource_schemas": {f"{name}_thing": block}}
            for name in providers
        },
    }


def test_a_directory_of_newer_schemas_is_laid_over_the_packaged_ones(tmp_path: Path) -> None:
    (tmp_path / "null-9.0.0.json").write_text(json.dumps(_schema("null")))
    (tmp_path / "all.json.gz").write_bytes(gzip.compress(json.dumps(_schema("disk", "tape")).encode()))
    loaded = schemas.load(tmp_path)
    assert loaded.provider_versions()["null"] == "9.0.0"
    assert loaded.provider_versions()["disk"] == ""
    assert loaded.providers["tape"].address == "registry.terraform.io/example/tape"
    thing = loaded.block("resource", "tape_thing")
    assert thing is not None
    assert thing.required == ("size",)
    assert loaded.block("resource", "null_resource") is None
    assert loaded.block("data", "tape_thing") is None
    assert loaded.block("resource", "kubernetes_service") is not None
    assert schemas.load().block("resource", "null_resource") is not None


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]", b"\x1f\x8b broken"])
def test_a_file_that_is_no_schema_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(MissingError) as raised:
        schemas.load(tmp_path)
    assert raised.value.hint == "write it with `terraform providers schema -json`"


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("kubernetes_priority_class", "resource"),
        ("helm_release", "resource"),
        ("vault_mount", "resource"),
        ("cloudflare_ruleset", "resource"),
        ("authentik_token", "resource"),
        ("vault_auth_backend", "data"),
    ],
)
def test_an_attribute_whose_name_is_description_is_an_attribute(type_: str, kind: str) -> None:
    block = schemas.load().block(kind, type_)
    assert block is not None
    assert str(block.attributes["description"].type) == "string"

"""The part of a provider's schema that a stack uses: Terraform decodes and carries everything that it gets.

A Deployment has some nine hundred arguments and blocks, of which a stack sets fifty. Each of the others is
decoded, proposed as null, validated and planned, in every resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import cast

from scaffold.hcl.syntax import Document
from scaffold.terraform.diagnostics import Diagnostic
from scaffold.terraform.providers import Requirement
from scaffold.terraform.schemas import SECTIONS, RawSchema

_LACKS = ("Unsupported argument", "Unsupported block type", "Unsupported attribute", "Invalid index")
"""What Terraform says of such a name; the last of one that is computed, which no file has to show."""
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_APART = bytes(byte if byte in _NAME else ord(" ") for byte in range(256))


def words(documents: Iterable[Document]) -> frozenset[str]:
    """Everything in some files that may be a name, wherever it is: in code, texts, keys and comments.

    What is not among them, no expression can read and no block can set.
    """
    found: set[bytes] = set()
    for document in documents:
        found.update(document.source.data.translate(_APART).split())
    return frozenset(word.decode("ascii") for word in found)


def trimmed(schema: RawSchema, requirement: Requirement, used: Set[str]) -> RawSchema:
    """The types that a stack has, each with the arguments and blocks that are among the words ``used``.

    What is required stays, so that it is missed. Where the stack names a type that does not exist it is the
    whole schema, so that Terraform can say what was meant.
    """
    provider = cast("dict[str, RawSchema]", schema.get("provider", {}))
    kept: dict[str, object] = {"provider": {**provider, "block": _block(provider.get("block", {}), used)}}
    for kind, section in SECTIONS.items():
        known = cast("dict[str, dict[str, RawSchema]]", schema.get(section, {}))
        types = {block.labels[0] for block in requirement.blocks if block.type == kind}
        if not types <= known.keys():
            return schema
        kept[section] = {
            name: {**known[name], "block": _block(known[name]["block"], used)} for name in sorted(types)
        }
    return kept


def is_missed(errors: Iterable[Diagnostic]) -> bool:
    """Whether one of Terraform's errors is about a name that a schema lacks: the trimming may be to blame.

    With the whole schema Terraform also says which name was meant.
    """
    return any(error.summary in _LACKS for error in errors)


def _block(block: RawSchema, used: Set[str], *, in_set: bool = False) -> RawSchema:
    attributes = cast("dict[str, RawSchema]", block.get("attributes", {}))
    blocks = cast("dict[str, RawSchema]", block.get("block_types", {}))
    return {
        "attributes": {
            name: attribute
            for name, attribute in attributes.items()
            # In a set, what is computed keeps blocks apart that are written alike.
            if name in used or attribute.get("required") or (in_set and attribute.get("computed"))
        },
        "block_types": {
            name: {**nested, "block": _block(cast("RawSchema", nested["block"]), used, in_set=inside)}
            for name, nested in blocks.items()
            for inside in [in_set or nested["nesting_mode"] == "set"]
            if name in used or nested.get("min_items") or nested["nesting_mode"] == "group"
        },
    }

"""A stack's variables: where a value is known, and what stands in for it if none is."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scaffold.hcl import types
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.syntax import Block, Document, HclSyntaxError, parse
from scaffold.hcl.types import Type
from scaffold.terraform.planned import STAND_IN
from scaffold.terraform.tree import Tree, names_in

_OVERRIDE = "scaffold_override.tf.json"


def override_name(own: Iterable[str]) -> str:
    """The name of the file that gives the variables their values, beside the stack's own overrides.

    Terraform merges overrides into the blocks of the other files, argument by argument, in the order of their
    names: this one comes behind all others.
    """
    last = max(own, default="").removesuffix(".tf")
    return f"{last}_{_OVERRIDE}" if last else _OVERRIDE


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a stack's own module.

    ``placeholders`` are those without a value; ``inputs`` are values from terragrunt, which Terraform's own
    files of values take precedence over.
    """

    placeholders: Mapping[str, Block] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)

    def override(self, documents: Iterable[Document]) -> str:
        """The file that gives the variables their values.

        Placeholders are marked as sensitive: Terraform then follows them through every expression and says of
        each planned value whether one is in it. An output of the stack that could hold one is marked as well,
        since Terraform wants that.
        """
        variables: dict[str, dict[str, object]] = {
            name: {"default": value} for name, value in self.inputs.items()
        }
        for name, block in self.placeholders.items():
            value = placeholder(types.of_expression(block.body.value("type")), name)
            variables[name] = {"default": value, "sensitive": True}
        outputs = {
            block.labels[0]: {"sensitive": True}
            for document in documents
            for block in document.body.blocks_of("output")
            if block.labels
        }
        content = {"variable": variables, "output": outputs if self.placeholders else {}}
        return json.dumps({key: value for key, value in content.items() if value})


def find(documents: Iterable[Document], inputs: Mapping[str, object], known: frozenset[str]) -> Variables:
    """The variables that need a value from us.

    ``documents`` are the module's, overrides last; ``inputs`` are terragrunt's; ``known`` are the names that
    a file of values sets. Of a variable that needs a value, the block that says its type stands for it.
    """
    declared: dict[str, list[Block]] = {}
    for document in documents:
        for block in document.body.blocks_of("variable"):
            if block.labels:
                declared.setdefault(block.labels[0], []).append(block)
    return Variables(
        placeholders={
            name: next((block for block in reversed(blocks) if block.body.value("type")), blocks[0])
            for name, blocks in declared.items()
            if not any(block.body.value("default") for block in blocks)
            and name not in known
            and name not in inputs
        },
        inputs={name: value for name, value in inputs.items() if name in declared},
    )


def automatic(tree: Tree, stack: str) -> Iterator[str]:
    """The files of values that Terraform reads by itself."""
    for name in sorted(names_in(tree, stack)):
        if name.endswith((".auto.tfvars", ".auto.tfvars.json")) or name in (
            "terraform.tfvars",
            "terraform.tfvars.json",
        ):
            yield posixpath.join(stack, name)


def names_set(path: str, content: bytes) -> set[str]:
    """The variables that a file of values sets."""
    if not path.endswith(".json"):
        return set(parse(content, path).body.attributes)
    try:
        decoded = json.loads(content)
    except ValueError:
        return set()
    return set(decoded) if isinstance(decoded, dict) else set()


def texts_set(path: str, content: bytes) -> Iterator[str | None]:
    """The texts that a file of values sets, at any depth; None if they cannot be determined."""
    try:
        if path.endswith(".json"):
            yield from _texts(json.loads(content))
        else:
            for attribute in parse(content, path).body.attributes.values():
                yield from _texts(attribute.value.bare.literal())
    except (ValueError, HclSyntaxError):
        yield None


def _texts(value: object) -> Iterator[str | None]:
    if value is NOT_LITERAL:
        yield None
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def placeholder(type_: Type, name: str) -> object:
    """A value of the type that cannot be mistaken for a real one, as far as the type allows."""
    match type_.name:
        case "number":
            return 1
        case "bool":
            return False
        case "list" | "set":
            return []
        case "map":
            return {}
        case "tuple":
            return [placeholder(element, name) for element in type_.elements]
        case "object":
            return {
                key: placeholder(inner, name) for key, inner, optional in type_.attributes if not optional
            }
    return f"{STAND_IN}.var.{name}"

"""Planned resources: what would exist, as a tree of values in which nothing unknown or made up looks real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import cast

from scaffold.terraform.schemas import BlockSchema, NestedBlock, Nesting, RawSchema

STAND_IN = "scaffold-stand-in"
"""The text that marks a placeholder: it is part of every string that stands in for a real one."""
INSTANCE = "(known after apply)"
"""The key of the one instance that stands for all where ``for_each`` is not known."""
HELPER = "scaffold_stand_in"
"""The name of the resource in the working copy from which unknown values come."""


class Mark(Enum):
    """What stands at the place of a value that is not to be shown."""

    UNKNOWN = "(known after apply)"
    SENSITIVE = "(sensitive)"
    EMPTY = "{}"
    """A block, or a map, in which nothing is set."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A string that holds a placeholder; ``text`` is never real."""

    text: str

    def __str__(self) -> str:
        return self.text


Leaf = str | int | float | bool | None | Mark | Placeholder
Tree = Leaf | Mapping[str, "Tree"] | tuple["Tree", ...]
"""A frozen JSON tree with marks."""
Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where in the stack's files a resource is written, or the call of the module that holds it.

    ``stands_for_many`` marks the one instance that is shown where their number is not known.
    """

    path: str
    line: int | None
    stands_for_many: bool = False


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """One resource instance that would be created.

    ``module`` is the address of the module it is in, empty for the stack's own. ``instance`` is its key in
    ``count`` or ``for_each``. ``values`` holds what the configuration says; what only the provider computes
    is left out. ``settings`` are the arguments of that module, as far as they are constant.
    """

    address: str
    type: str
    name: str
    module: str
    instance: str | int | None
    values: Mapping[str, Tree]
    settings: Mapping[str, object] = field(default_factory=dict)
    site: Site = Site("", None)

    def get(self, *path: Step) -> Tree:
        """The value at a path; None where nothing is set."""
        return get(self.values, *path)

    def leaves(self) -> Iterator[tuple[Path, Leaf]]:
        """Every value that is set, with its path, in order."""
        return leaves(self.values)

    def marked(self, mark: Mark) -> tuple[str, ...]:
        """The paths of the values with this mark."""
        return tuple(path_text(path) for path, leaf in self.leaves() if leaf is mark)

    @property
    def placeholders(self) -> Mapping[str, str]:
        """The strings that hold a placeholder, by their paths."""
        return {path_text(path): leaf.text for path, leaf in self.leaves() if isinstance(leaf, Placeholder)}


def get(tree: Tree, *path: Step) -> Tree:
    """The value at a path below a tree; None where nothing is set."""
    for step in path:
        if isinstance(step, str) and isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(step, int) and isinstance(tree, tuple) and -len(tree) <= step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def leaves(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Leaf]]:
    """Every leaf below a tree that is not None, with its path. What is empty is a leaf, empty lists are none."""
    if isinstance(tree, Mapping):
        below = [leaf for key in sorted(tree) for leaf in leaves(tree[key], (*path, key))]
        yield from below or [(path, Mark.EMPTY)]
    elif isinstance(tree, tuple):
        for index, item in enumerate(tree):
            yield from leaves(item, (*path, index))
    elif tree is not None:
        yield path, tree


def path_text(path: Path) -> str:
    """``spec[0].labels["a.b"]``: a path as it is written in HCL."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.replace("_", "a").replace("-", "a").isalnum() and not step[0].isdigit():
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f'["{step}"]')
    return "".join(parts)


# to JSON


def to_json(resources: Sequence[PlannedResource]) -> list[dict[str, object]]:
    """The resources as plain JSON data, sorted by address: address, type, values and what is not in them."""
    return [_resource_json(resource) for resource in sorted(resources, key=lambda r: r.address)]


def _resource_json(resource: PlannedResource) -> dict[str, object]:
    entry: dict[str, object] = {
        "address": resource.address,
        "type": resource.type,
        "values": _plain(resource.values),
        "unknown": list(resource.marked(Mark.UNKNOWN)),
    }
    if sensitive := resource.marked(Mark.SENSITIVE):
        entry["sensitive"] = list(sensitive)
    if placeholders := resource.placeholders:
        entry["stand_in"] = dict(placeholders)
    if resource.site.stands_for_many:
        entry["stands_for_many"] = True
    return entry


def _plain(tree: Tree) -> object:
    """The tree without marks, nulls and what is empty; a block that stands there stays."""
    if isinstance(tree, Mapping):
        below = {key: _plain(tree[key]) for key in sorted(tree)}
        return {key: value for key, value in below.items() if value is not None and value != []}
    if isinstance(tree, tuple):
        return [_plain(item) for item in tree]
    return None if isinstance(tree, Mark | Placeholder) else tree


# from `terraform show -json`


Schema = Callable[[str, str], BlockSchema | None]
"""Finds the schema of a resource type of a provider, by the provider's full address."""
Sited = Callable[[str, str, str], Site]
"""Finds the site of a resource by module address, type and name."""


def read(plan: RawSchema, schema_of: Schema, site_of: Sited) -> tuple[PlannedResource, ...]:
    """The managed resources of a plan, sorted by address.

    ``plan`` is the decoded output of ``terraform show -json PLANFILE``.
    """
    changes = cast("Sequence[RawSchema]", plan.get("resource_changes", ()))
    root = cast("RawSchema", cast("RawSchema", plan.get("configuration", {})).get("root_module", {}))
    found = [
        _resource(change, root, schema_of, site_of)
        for change in changes
        if change["mode"] == "managed" and change["name"] != HELPER
    ]
    return tuple(sorted(found, key=lambda resource: resource.address))


def _resource(change: RawSchema, root: RawSchema, schema_of: Schema, site_of: Sited) -> PlannedResource:
    type_, name, module = str(change["type"]), str(change["name"]), str(change.get("module_address", ""))
    actual = cast("RawSchema", change["change"])
    configuration, settings = _configuration(root, module)
    values = _block(
        cast("RawSchema", actual["after"]),
        actual.get("after_unknown"),
        actual.get("after_sensitive"),
        schema_of(str(change["provider_name"]), type_),
        _expressions(configuration, f"{type_}.{name}"),
    )
    return PlannedResource(
        address=str(change["address"]),
        type=type_,
        name=name,
        module=module,
        instance=cast("str | int | None", change.get("index")),
        values=values,
        settings=settings,
        site=site_of(module, type_, name),
    )


def without_keys(address: str) -> str:
    """A module's address without the keys of its instances: ``module.a["x"].module.b`` is ``module.a.module.b``."""
    kept, depth, quoted = [], 0, False
    previous = ""
    for character in address:
        if character == '"' and previous != "\\" and depth:
            quoted = not quoted
        if character == "[" and not quoted:
            depth += 1
        if not depth:
            kept.append(character)
        if character == "]" and not quoted:
            depth -= 1
        previous = character
    return "".join(kept)


def _configuration(root: RawSchema, module: str) -> tuple[RawSchema, Mapping[str, object]]:
    """What the configuration says of a module, and its constant arguments: defaults, and what the call sets."""
    here, settings = root, dict[str, object]()
    for name in without_keys(module).split(".")[1::2]:
        call = cast("Mapping[str, RawSchema]", here.get("module_calls", {})).get(name, {})
        here = cast("RawSchema", call.get("module", {}))
        variables = cast("Mapping[str, RawSchema]", here.get("variables", {}))
        given = cast("Mapping[str, RawSchema]", call.get("expressions", {}))
        settings = {key: spec.get("default") for key, spec in variables.items() if key not in given}
        settings |= {key: spec["constant_value"] for key, spec in given.items() if "constant_value" in spec}
    return here, MappingProxyType(settings)


def _expressions(module: RawSchema, resource: str) -> RawSchema:
    """What the configuration says about a resource of a module: expressions by argument."""
    for candidate in cast("Sequence[RawSchema]", module.get("resources", ())):
        if candidate["address"] == resource:
            return cast("RawSchema", candidate.get("expressions", {}))
    return {}


def _block(
    after: RawSchema, unknown: object, sensitive: object, schema: BlockSchema | None, expressions: object
) -> Mapping[str, Tree]:
    """The values of a block. What is unknown only because the provider computes it is left out."""
    values: dict[str, Tree] = {}
    nested = schema.blocks if schema is not None else {}
    configured = expressions if isinstance(expressions, Mapping) else {}
    for name in sorted({*after, *(unknown if isinstance(unknown, Mapping) else ())}):
        args = after.get(name), _part(unknown, name), _part(sensitive, name)
        if name in nested:
            values[name] = _blocks(*args, nested[name], configured.get(name))
            continue
        attribute = schema.attributes.get(name) if schema is not None else None
        if args[1] is True and name not in configured and (attribute is None or attribute.computed):
            continue
        values[name] = _value(*args)
    return MappingProxyType(values)


def _blocks(
    after: object, unknown: object, sensitive: object, schema: NestedBlock, expressions: object
) -> Tree:
    def one(step: Step) -> Tree:
        item = cast("RawSchema", _part(after, step, None) or {})
        return _block(
            item, _part(unknown, step), _part(sensitive, step), schema.block, _part(expressions, step, None)
        )

    if unknown is True:
        return Mark.UNKNOWN
    if isinstance(after, Sequence) and not isinstance(after, str):
        return tuple(one(i) for i in range(len(after)))
    if isinstance(after, Mapping) and schema.nesting is Nesting.MAP:
        return MappingProxyType({key: one(key) for key in sorted(after)})
    if isinstance(after, Mapping):
        return _block(after, unknown, sensitive, schema.block, expressions)
    return None


def _value(after: object, unknown: object, sensitive: object) -> Tree:
    """A value with its marks. A placeholder is no secret and stays readable."""
    if unknown is True:
        return Mark.UNKNOWN
    if isinstance(after, str) and (STAND_IN in after or INSTANCE in after):
        return Placeholder(after)
    if isinstance(after, Mapping):
        keys = {*after, *(unknown if isinstance(unknown, Mapping) else ())}
        return MappingProxyType(
            {key: _value(after.get(key), _part(unknown, key), _part(sensitive, key)) for key in sorted(keys)}
        )
    if isinstance(after, Sequence) and not isinstance(after, str):
        size = max(len(after), len(unknown) if isinstance(unknown, Sequence) else 0)
        return tuple(
            _value(_part(after, i, None), _part(unknown, i), _part(sensitive, i)) for i in range(size)
        )
    if sensitive is True and after is not None:
        return Mark.SENSITIVE
    return cast("Leaf", after)


def _part(tree: object, step: Step, default: object = False) -> object:
    """The part of ``after_unknown`` or ``after_sensitive`` at a step: ``true`` holds for all that is below."""
    if isinstance(tree, bool):
        return tree
    if isinstance(tree, Mapping):
        return tree.get(step, default)
    if (
        isinstance(tree, Sequence)
        and not isinstance(tree, str)
        and isinstance(step, int)
        and step < len(tree)
    ):
        return tree[step]
    return default

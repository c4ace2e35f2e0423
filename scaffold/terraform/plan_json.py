"""Planned resources, from what ``terraform show -json`` or ``terraform test -json`` prints about a plan."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TypeGuard, cast

from scaffold.terraform.planned import (
    INSTANCE,
    STAND_IN,
    Leaf,
    Mark,
    Path,
    Placeholder,
    PlannedResource,
    Site,
    Step,
    Tree,
    leaves,
)
from scaffold.terraform.schemas import BlockSchema, NestedBlock, Nesting, RawSchema

Schema = Callable[[str, str], BlockSchema | None]
"""Finds the schema of a resource type of a provider, by the provider's full address."""
Sited = Callable[[str, str, str, Sequence[Path]], Site]
"""Finds the site of a resource by module address, type and name, and the paths of values that are unknown."""
Configured = Callable[[str, str, str, BlockSchema | None], tuple[Mapping[str, object], Mapping[str, object]]]
"""What the configuration says of a resource, by module address, type, name and schema.

First what the resource sets, by argument, and of blocks in a list; then the constant arguments of its module:
defaults, and what a call sets.
"""

_HIDDEN = (Mark.UNKNOWN, Mark.SENSITIVE)
_CHANGE = {"address": str, "mode": str, "type": str, "name": str, "provider_name": str, "change": dict}
"""What Terraform says of every resource that it plans."""


def parsed(shown: bytes) -> RawSchema | None:
    """What ``terraform show -json PLANFILE`` printed, or nothing if a program printed something else."""
    try:
        plan = json.loads(shown)
    except (ValueError, RecursionError):
        return None
    if not _is_plan(plan) or not all(isinstance(plan.get(key), str) for key in _VERSIONS):
        return None
    return plan if isinstance(plan.get("configuration"), dict) else None


def tested(plan: object) -> RawSchema | None:
    """The plan that a test of ``terraform test -json -verbose`` printed, or nothing if it is none.

    It has the resources, and nothing of the configuration.
    """
    return plan if _is_plan(plan) and isinstance(plan.get("plan_format_version"), str) else None


def _is_plan(plan: object) -> TypeGuard[RawSchema]:
    changes = plan.get("resource_changes", []) if isinstance(plan, dict) else None
    return isinstance(changes, list) and all(map(_is_change, changes))


_VERSIONS = ("format_version", "terraform_version")


def _is_change(change: object) -> bool:
    return (
        isinstance(change, dict)
        and all(isinstance(change.get(key), kind) for key, kind in _CHANGE.items())
        and isinstance(change["change"].get("after"), dict | None)
    )


def read(
    plan: RawSchema, helper: str, schema_of: Schema, site_of: Sited, configured: Configured | None = None
) -> tuple[PlannedResource, ...]:
    """The managed resources of a plan, sorted by address.

    ``plan`` comes from :func:`parsed` or :func:`tested`; the resource ``helper`` is none of the stack's.
    Without ``configured`` the plan says itself what was configured.
    """
    changes = cast("Sequence[RawSchema]", plan.get("resource_changes", ()))
    said = configured or partial(_shown, plan)
    found = [
        _resource(change, said, schema_of, site_of)
        for change in changes
        if change["mode"] == "managed" and change["name"] != helper
    ]
    return tuple(sorted(found, key=lambda resource: resource.address))


def _resource(
    change: RawSchema, configured: Configured, schema_of: Schema, site_of: Sited
) -> PlannedResource:
    type_, name, module = str(change["type"]), str(change["name"]), str(change.get("module_address", ""))
    actual = cast("RawSchema", change["change"])
    schema = schema_of(str(change["provider_name"]), type_)
    expressions, settings = configured(module, type_, name, schema)
    values = _block(
        cast("RawSchema", actual["after"]),
        actual.get("after_unknown"),
        actual.get("after_sensitive"),
        schema,
        expressions,
    )
    return PlannedResource(
        address=str(change["address"]),
        type=type_,
        name=name,
        module=module,
        instance=cast("str | int | None", change.get("index")),
        values=values,
        settings=settings,
        site=site_of(module, type_, name, [path for path, leaf in leaves(values) if leaf in _HIDDEN]),
    )


def without_keys(address: str) -> str:
    """A module's address without instance keys: ``module.a.module.b`` for ``module.a[0].module.b``.

    It is for addresses, in which no key holds another.
    """
    return _KEY.sub("", address)


_KEY = re.compile(r"""\[(?:"(?:[^"\\]|\\.)*"?|[^"\]]*)\]?""")
"""A key; of one that a message breaks off, what there is of it."""


def _shown(
    plan: RawSchema, module: str, type_: str, name: str, schema: BlockSchema | None
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """What a plan that was shown says itself about the configuration; see :data:`Configured`.

    What a module does not take itself it has from the module around it, which may only stand in front of it.
    """
    here = cast("RawSchema", cast("RawSchema", plan.get("configuration", {})).get("root_module", {}))
    settings: dict[str, object] = {}
    for called in without_keys(module).split(".")[1::2]:
        call = cast("Mapping[str, RawSchema]", here.get("module_calls", {})).get(called, {})
        here = cast("RawSchema", call.get("module", {}))
        variables = cast("Mapping[str, RawSchema]", here.get("variables", {}))
        given = cast("Mapping[str, RawSchema]", call.get("expressions", {}))
        settings = {key: value for key, value in settings.items() if key not in variables}
        settings |= {key: spec.get("default") for key, spec in variables.items() if key not in given}
        settings |= {key: spec["constant_value"] for key, spec in given.items() if "constant_value" in spec}
    resources = cast("Sequence[RawSchema]", here.get("resources", ()))
    own = (one.get("expressions", {}) for one in resources if one["address"] == f"{type_}.{name}")
    return cast("RawSchema", next(own, {})), MappingProxyType(settings)


def _block(
    after: RawSchema, unknown: object, sensitive: object, schema: BlockSchema | None, expressions: object
) -> Mapping[str, Tree]:
    """The values of a block, in which everything that its schema has and the stack does not use is nothing.

    What is unknown only because the provider computes it is left out.
    """
    values: dict[str, Tree] = {**schema.unset} if schema is not None else {}
    nested = schema.blocks if schema is not None else {}
    configured = expressions if isinstance(expressions, Mapping) else {}
    for name in {*after, *(unknown if isinstance(unknown, Mapping) else ())}:
        args = after.get(name), _part(unknown, name), _part(sensitive, name)
        if name in nested:
            values[name] = _blocks(*args, nested[name], configured.get(name))
            continue
        attribute = schema.attributes.get(name) if schema is not None else None
        if args[1] is True and name not in configured and (attribute is None or attribute.computed):
            values.pop(name, None)
            continue
        values[name] = _value(*args)
    return MappingProxyType(dict(sorted(values.items())))


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
    """A value with its marks. A placeholder is not a secret and stays readable."""
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
    """The part of ``after_unknown`` or ``after_sensitive`` at a step; ``true`` is so for all below it."""
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

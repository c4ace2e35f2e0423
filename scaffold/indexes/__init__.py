"""The lists outside a stack that a Service belongs in: each module with an ``Index`` adds its own."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from scaffold.indexes import places
from scaffold.indexes.base import Index


def all_indexes(root: Path | None = None) -> tuple[Index[Any], ...]:
    """Every :class:`Index` in a module of this package, in the order of the modules and of their text.

    Edits of one file are made in this order. Those of the house at ``root`` are where it has them, without
    those that it does not keep. Raises what :func:`~scaffold.monorepo.facts.overrides` does.
    """
    if root is None or not (moved := places.moved(root)):
        return _declared()
    there = ((index, moved.get(index.name, index.path)) for index in _declared())
    return tuple(replace(index, place=path) for index, path in there if path is not None)


@cache
def _declared() -> tuple[Index[Any], ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Index))
    return tuple({index.name: index for index in found}.values())

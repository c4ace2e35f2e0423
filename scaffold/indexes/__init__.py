"""The lists outside a stack that a Service belongs in: each module with an ``Index`` in it adds its own."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from scaffold.indexes.base import Index


@cache
def all_indexes() -> tuple[Index[Any], ...]:
    """Every :class:`Index` in a module of this package, by the modules' names and then as the text has them.

    Edits of one file are made in this order.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Index))
    return tuple({index.name: index for index in found}.values())

"""Frozen dataclasses as those of the standard library, made in a third of the time.

A command makes up to two hundred classes before it begins, and the standard library compiles six methods of
each. Here that is only ``__init__``; what is not frozen, ordered or has ``__post_init__`` is left to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

__all__ = ["dataclass"]
T = TypeVar("T")


def _dataclass(
    cls: type[T] | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    order: bool = False,
) -> Any:
    """What :func:`dataclasses.dataclass` returns for the same options."""
    if cls is not None:
        return dataclasses.dataclass(cls)
    usual = dataclasses.dataclass(frozen=frozen, slots=slots, eq=eq, order=order)
    if not frozen or order:
        return usual
    return lambda made: usual(made) if hasattr(made, "__post_init__") else _quick(made, slots=slots, eq=eq)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


def _quick(cls: type[T], *, slots: bool, eq: bool) -> type[T]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # else a signature is computed for it
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    fields = dataclasses.fields(made)  # type: ignore[arg-type]
    methods: dict[str, Any] = {
        "__init__": _init(cls.__qualname__, fields),
        "__repr__": _repr(tuple(field.name for field in fields if field.repr)),
        "__setattr__": _setattr,
        "__delattr__": _delattr,
    }
    if eq:
        methods["__eq__"] = _eq(_values([field.name for field in fields if field.compare]))
        hashed = (f.name for f in fields if (f.compare if f.hash is None else f.hash))
        methods["__hash__"] = _hash(_values(list(hashed)))
    if slots:
        names = tuple(field.name for field in fields)
        methods["__getstate__"], methods["__setstate__"] = _getstate(_values(list(names))), _setstate(names)
    own = vars(cls)
    for name, method in methods.items():
        # Python itself has put None there where a class compares in its own way.
        if name not in own or (name == "__hash__" and own[name] is None):
            setattr(made, name, method)
    return made


def _init(of: str, fields: tuple[dataclasses.Field[Any], ...]) -> Callable[..., None]:
    """The only method that is compiled: Python itself tells best what is missing."""
    given: dict[str, Any] = {"_set": object.__setattr__, "_not_given": MISSING}
    parameters, lines = ["self"], []
    for number, field in enumerate(fields):
        name, parameter, value = field.name, field.name, field.name
        if field.default is not MISSING:
            given[f"_{number}"] = field.default
            parameter += f"=_{number}"
            value = name if field.init else f"_{number}"
        elif field.default_factory is not MISSING:
            given[f"_{number}"] = field.default_factory
            parameter += "=_not_given"
            value = f"_{number}() if {name} is _not_given else {name}" if field.init else f"_{number}()"
        elif not field.init:
            continue
        parameters += [parameter] if field.init else []
        lines.append(f' _set(self,"{name}",{value})\n')
    exec(f"def __init__({','.join(parameters)}):\n{''.join(lines) or ' pass'}", given)
    made: Callable[..., None] = given["__init__"]
    made.__qualname__ = f"{of}.__init__"
    return made


def _values(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """What gives the values of fields as one tuple, which for less than two ``attrgetter`` does not."""
    if len(names) > 1:
        return attrgetter(*names)
    return (lambda made: (getattr(made, names[0]),)) if names else (lambda _: ())


def _repr(names: tuple[str, ...]) -> Callable[[object], str]:
    @recursive_repr()
    def shown(self: object) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({told})"

    return shown


def _eq(values: Callable[[object], tuple[Any, ...]]) -> Callable[[object, object], bool]:
    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _hash(values: Callable[[object], tuple[Any, ...]]) -> Callable[[object], int]:
    def hashed(self: object) -> int:
        return hash(values(self))

    return hashed


def _getstate(values: Callable[[object], tuple[Any, ...]]) -> Callable[[object], list[Any]]:
    def state_of(self: object) -> list[Any]:
        return list(values(self))

    return state_of


def _setstate(names: tuple[str, ...]) -> Callable[[object, list[Any]], None]:
    def restore(self: object, state: list[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    return restore


def _setattr(_: object, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")

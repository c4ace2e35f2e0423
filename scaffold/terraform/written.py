"""What a configuration says before it is evaluated: constant arguments of modules, and what resources set.

Terraform tells it of a plan that it shows, and it needs a process of its own for that. Here it is read from
the syntax, as Terraform reads it: an expression is evaluated without any names, and an argument is constant
where that gives a value. What only Terraform can evaluate is said to be unclear, and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from unicodedata import normalize

from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.syntax import Block, Body, Expression, ExprKind
from scaffold.terraform.modules import Module, overrides
from scaffold.terraform.plan_json import without_keys
from scaffold.terraform.schemas import BlockSchema, Nesting

_LARGEST = 2**53
"""Up to here, whole numbers are the same in every notation."""


class UnclearError(Exception):
    """Only Terraform can tell the value."""


class Written:
    """What a stack and the modules that it calls say of their resources."""

    def __init__(self, modules: Mapping[str, Module], stack: str) -> None:
        """``stack`` is the directory of the stack. Raises :class:`UnclearError`."""
        self._modules = modules
        self._called: dict[str, tuple[Module, Mapping[str, object]]] = {
            "": (modules[stack], MappingProxyType({}))
        }
        for module in modules.values():
            if any(map(overrides, module.documents)):
                raise UnclearError  # of blocks that are merged
        waiting = [("", modules[stack])]
        while waiting:
            above, module = waiting.pop()
            for name, (directory, call) in module.calls.items():
                called, address = modules[directory], f"{above}module.{name}"
                around = self._called[above.removesuffix(".")][1]
                self._called[address] = called, _settings(called, call, around)
                waiting.append((f"{address}.", called))

    def configured(
        self, module: str, type_: str, name: str, schema: BlockSchema | None
    ) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """What a resource sets, and the constant arguments of its module; see ``plan_json.Configured``."""
        inside, settings = self._called[without_keys(module)]
        own = (block for block in inside.blocks("resource") if block.labels == (type_, name))
        return expressions(next(own).body, schema), settings


def _settings(called: Module, call: Block, around: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments of a module that are constant: what a call sets, and the defaults of what it does not.

    What it does not take itself it has from the module ``around`` it.
    """
    given = {name: attribute.value for name, attribute in call.body.attributes.items()}
    variables = {block.labels[0]: block for block in called.blocks("variable") if block.labels}
    usual = {name: _usual(block) for name, block in sorted(variables.items()) if name not in given}
    said = {name: _constant(value) for name, value in sorted(given.items()) if name in variables}
    outer = {name: value for name, value in around.items() if name not in variables}
    inner = usual | {name: value for name, value in said.items() if value is not NOT_LITERAL}
    return MappingProxyType(outer | inner)


def expressions(body: Body, schema: BlockSchema | None) -> Mapping[str, object]:
    """What a block sets: its arguments, and those of the blocks in it by their nesting.

    Blocks that ``dynamic`` makes do not count, as in what Terraform shows.
    """
    nested = schema.blocks if schema is not None else {}
    found: dict[str, object] = dict.fromkeys(body.attributes)
    for type_ in dict.fromkeys(block.type for block in body.blocks):
        blocks = body.blocks_of(type_)
        inside = nested.get(type_)
        if inside is None:
            found[type_] = None  # the blocks stand for a list of objects
        elif inside.nesting is Nesting.MAP:
            found[type_] = {block.labels[0]: expressions(block.body, inside.block) for block in blocks}
        elif inside.nesting in (Nesting.LIST, Nesting.SET):
            found[type_] = [expressions(block.body, inside.block) for block in blocks]
        else:
            found[type_] = expressions(blocks[0].body, inside.block)
    return found


def _constant(value: Expression) -> object:
    """The value of an expression that depends on nothing; else ``NOT_LITERAL``."""
    known = value.literal()
    if known is NOT_LITERAL and not _is_open(value):
        raise UnclearError
    return known if known is NOT_LITERAL else _plain(known)


def _is_open(value: Expression) -> bool:
    """Whether an expression has no value without names and functions, whatever the rest of it is."""
    match value.kind:
        case ExprKind.TRAVERSAL | ExprKind.CALL:
            return True
        case ExprKind.PARENTHESES:
            return _is_open(value.bare)
        case ExprKind.LIST:
            return any(map(_is_open, value.elements))
        case ExprKind.MAP:
            return any(
                _is_open(entry.value) or (entry.name is None and _is_open(entry.key))
                for entry in value.entries
            )
        case ExprKind.TEMPLATE | ExprKind.HEREDOC:
            pieces = value.template
            return None not in pieces and any(
                isinstance(piece, Expression) and _is_open(piece) for piece in pieces
            )
        case ExprKind.CONDITIONAL:
            return _is_open(value.operands[0])
        case ExprKind.OPERATION:
            # Newer versions do not look at both operands of && and || where one of them decides.
            every = value.operator in ("&&", "||")
            return (all if every else any)(map(_is_open, value.operands))
    return False


def _plain(value: object) -> object:
    """A literal as Terraform writes it into JSON."""
    if isinstance(value, str):
        return normalize("NFC", value)
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
    if isinstance(value, int | float) and abs(value) > _LARGEST:
        raise UnclearError
    if isinstance(value, list):
        return list(map(_plain, value))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in sorted(value.items())}
    return value


def _usual(variable: Block) -> object:
    """The default of a variable, as it is once Terraform has made it fit the type; null without one."""
    default = variable.body.value("default")
    if default is None:
        return None
    value = default.literal()
    if value is NOT_LITERAL:
        raise UnclearError
    return _converted(_plain(value), variable.body.value("type"))


def _converted(value: object, type_: Expression | None) -> object:
    if value is None or type_ is None or type_.text == "any":
        return value
    call = type_.call
    if call is None:
        return _primitive(value, type_.text)
    inner = call.arguments[0]
    match call.function:
        case "list" if isinstance(value, list):
            return _alike([_converted(item, inner) for item in value], inner)
        case "set" if isinstance(value, list):
            items = [_converted(item, inner) for item in value]
            if not all(isinstance(item, str) for item in items):
                raise UnclearError  # which order they get
            return sorted(set(map(str, items)))
        case "map" if isinstance(value, dict):
            alike = _alike([_converted(item, inner) for item in value.values()], inner)
            return dict(zip(value, alike, strict=True))
        case "tuple" if isinstance(value, list) and len(value) == len(inner.elements):
            return [_converted(item, part) for item, part in zip(value, inner.elements, strict=True)]
        case "object" if isinstance(value, dict):
            parts = sorted((entry.name or "", entry.value) for entry in inner.entries)
            return {name: _part(value, name, part) for name, part in parts}
    raise UnclearError


def _part(value: Mapping[str, object], name: str, type_: Expression) -> object:
    """One part of an object, which may be optional and have a default of its own."""
    call = type_.call
    if call is None or call.function != "optional":
        if name not in value:
            raise UnclearError
        return _converted(value[name], type_)
    given = value.get(name)
    if given is None and len(call.arguments) > 1:
        given = call.arguments[1].literal()
        if given is NOT_LITERAL:
            raise UnclearError
        given = _plain(given)
    return _converted(given, call.arguments[0])


def _alike(items: Sequence[object], type_: Expression) -> Sequence[object]:
    """The items of a list or map: where its type leaves theirs open, Terraform finds one for all of them."""
    open_ = type_.text == "any" and not all(type(item) is type(items[0]) for item in items)
    if open_ or (type_.text == "any" and any(isinstance(item, list | dict) for item in items)):
        raise UnclearError
    return items


def _primitive(value: object, type_: str) -> object:
    match value, type_:
        case bool(), "string":
            return str(value).lower()
        case int(), "string":
            return str(value)
        case "true" | "false", "bool":
            return value == "true"
        case (str(), "string") | (bool(), "bool"):
            return value
        case (int() | float(), "number") if not isinstance(value, bool):
            return value
    raise UnclearError

"""What is behind values that no plan knows: the expressions, with names replaced by what they stand for.

Two such values are the same only if their expressions are, wherever those are written: a local, an argument
of a module or a data source with another name changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from scaffold.hcl.references import Attr, Reference, Step
from scaffold.hcl.syntax import Attribute, Block, Body, Expression, ExprKind
from scaffold.hcl.types import optional_defaults
from scaffold.terraform.modules import Module
from scaffold.terraform.planned import Path

_DEEP = 24
_LONG = 400
_ORDER = ("depends_on", "lifecycle")
"""What of a data source says nothing of what it reads."""
_MERGE = ("merge", "core::merge")
_Part: TypeAlias = tuple[Expression | Block, Sequence[str | int]]
_WHOLE = (ExprKind.CONDITIONAL, ExprKind.OPERATION, ExprKind.FOR)
"""Expressions that need parentheses in the place of a name."""


@dataclass(frozen=True)
class Scope:
    """One module of a stack, and the call that sets its arguments; the stack itself has none."""

    modules: Mapping[str, Module]
    module: Module
    call: Block | None = None
    caller: Scope | None = None
    depth: int = 0

    def called(self, name: str) -> Scope | None:
        """The module that a call with this name refers to."""
        directory, block = self.module.calls.get(name, ("", None))
        there = self.modules.get(directory)
        return None if there is None else replace(self, module=there, call=block, caller=self)

    def behind(self, block: Block, path: Path) -> str:
        """The expression behind a value of one of this module's resources, or the innermost part with it."""
        found = "; ".join(self._reached(*part) for part in _at(block.body, path)) or self._body(block.body)
        each = block.body.value("for_each")
        return f"{found} for each of {self._text(each)}" if each is not None and "each." in found else found

    def _reached(self, part: Expression | Block, left: Sequence[str | int]) -> str:
        """A part, or what ``left`` leads to in the maps that it merges."""
        entry = self._entry(part, left) if isinstance(part, Expression) else None
        if entry is None:
            return self._text(part)
        scope, value = entry
        return scope._reached(*_inside(value, left[1:]))

    def _entry(self, value: Expression, left: Sequence[str | int]) -> tuple[Scope, Expression] | None:
        """The entry that the first step leads to, with its module; None if that is not known."""
        key = next(iter(left), None)
        there = (
            self._merged(value, key) if isinstance(key, str) and value.bare.kind is ExprKind.CALL else None
        )
        return there[0] if there else None

    def _merged(self, value: Expression, key: str) -> list[tuple[Scope, Expression]] | None:
        """The entry with a key of the maps that an expression merges: one, or none; None if not known."""
        value, unknown = value.bare, None
        if self.depth >= _DEEP:
            return unknown
        match value.kind:
            case ExprKind.NULL:
                return []
            case ExprKind.MAP:
                entry = value.entry(key)
                known = all(one.name is not None for one in value.entries)
                return ([(self, entry.value)] if entry is not None else []) if known else unknown
            case ExprKind.CONDITIONAL:
                return [] if all(self._merged(one, key) == [] for one in value.operands[1:]) else unknown
            case ExprKind.TRAVERSAL if value.traversal is not None and len(value.traversal.steps) == 1:
                scope, given = self._given(value.traversal)
                return scope._merged(given, key) if given is not None else unknown
        if value.call is None or value.call.expanded or value.call.function not in _MERGE:
            return unknown
        for argument in reversed(value.call.arguments):
            if (found := self._merged(argument, key)) != []:
                return found
        return []

    def _given(self, reference: Reference) -> tuple[Scope, Expression | None]:
        """The expression of a local or an argument, with the module that it is written in."""
        deeper = self.depth + 1
        if reference.root == "var" and self.call is not None and self.caller is not None:
            given = self.call.body.value(reference.names[1])
            if given is not None:
                return replace(self.caller, depth=deeper), given
        found = self.module.definition(".".join(reference.names))
        usual = found.body.value("default") if isinstance(found, Block) and reference.root == "var" else None
        return replace(self, depth=deeper), found.value if isinstance(found, Attribute) else usual

    def _text(self, part: Expression | Block) -> str:
        if isinstance(part, Block):
            return f"{' '.join((part.type, *part.labels))} {self._body(part.body)}"
        if part.bare.kind is ExprKind.MAP:  # a map has no order
            entries = sorted(f"{self._text(e.key)} = {self._text(e.value)}" for e in part.bare.entries)
            return f"{{{'; '.join(entries)}}}"
        texts, at = [], part.start
        for reference in part.references():
            if not reference.bound and reference.start >= at:
                texts += [part.source.text(at, reference.start), self._resolved(reference)]
                at = reference.end
        return " ".join("".join((*texts, part.source.text(at, part.end))).split())

    def _body(self, body: Body) -> str:
        texts = (
            self._text(item) if isinstance(item, Block) else f"{item.name} = {self._text(item.value)}"
            for item in body.items
            if (item.type if isinstance(item, Block) else item.name) not in _ORDER
        )
        return f"{{{'; '.join(texts)}}}"

    def _resolved(self, reference: Reference) -> str:
        """What a reference stands for; its own text if that is not written anywhere."""
        deeper = replace(self, depth=self.depth + 1)
        found = deeper._written(reference) if self.depth < _DEEP else None
        text = str(reference) if found is None else found
        digest = hashlib.sha256(text.encode()).hexdigest()[:12] if len(text) > _LONG else ""
        return f"{text[:_LONG]}…{digest}" if digest else text

    def _written(self, reference: Reference) -> str | None:
        kind, steps = reference.root, reference.steps
        name = next((step.name for step in steps[:1] if isinstance(step, Attr)), "")
        if kind == "var":
            given = self.call.body.value(name) if self.call is not None else None
            if given is not None and (usual := self._left_out(name, given, steps[1:])) is not None:
                return usual
            outside = self.caller and replace(self.caller, depth=self.depth)
            return outside._value(given, steps[1:]) if given is not None and outside is not None else None
        if kind == "module":
            inside = self.called(name)
            attribute = next((n for n, step in enumerate(steps[1:], 1) if isinstance(step, Attr)), 0)
            output = inside.module.definition(f"output{steps[attribute]}") if inside and attribute else None
            value = output.body.value("value") if isinstance(output, Block) else None
            return inside._value(value, steps[attribute + 1 :]) if inside and value is not None else None
        names = reference.names
        found = self.module.definition(".".join(names[: 3 if kind == "data" else 2]))
        if isinstance(found, Attribute):
            return self._value(found.value, steps[1:])
        if not isinstance(found, Block):
            return None
        if kind == "data":
            return f"data.{names[1]} {self._body(found.body)}{_joined(steps[2:])}"
        parts = _at(found.body, tuple(map(_step, steps[1:])), exact=True)
        return self._text(parts[0][0]) if parts else None

    def _left_out(self, name: str, given: Expression, steps: Sequence[Step]) -> str | None:
        """What a part of an argument is if a call leaves it out, according to the type of the variable."""
        variable = self.module.definition(f"var.{name}")
        part = steps[0].name if steps and isinstance(steps[0], Attr) else ""
        if not isinstance(variable, Block) or given.bare.kind is not ExprKind.MAP or given.bare.entry(part):
            return None
        parts = optional_defaults(variable.body.value("type"))
        usual = parts.get(part)
        return self._text(usual) if usual is not None else "null" if part in parts else None

    def _value(self, value: Expression, steps: Sequence[Step]) -> str:
        inner, rest = _inside(value, tuple(map(_step, steps)))
        if (entry := self._entry(inner, rest)) is not None:
            return entry[0]._value(entry[1], steps[len(steps) - len(rest) + 1 :])
        text = self._text(inner)
        text = f"({text})" if inner.bare.kind in _WHOLE else text
        return text + _joined(steps[len(steps) - len(rest) :])


def _step(step: Step) -> str | int:
    return "" if step.key is None else step.key


def _joined(steps: Sequence[Step]) -> str:
    return "".join(map(str, steps))


def _at(body: Body, path: Path, *, exact: bool = False) -> tuple[_Part, ...]:
    """The expression of a value, or the blocks that have it where none can be told from the others.

    Each with the rest of the path.
    """
    name, rest = str(path[0]) if path else "", path[1:]
    if (value := body.value(name)) is not None:
        inner, left = _inside(value, rest)
        return () if exact and left else ((inner, left),)
    blocks, dynamic = body.blocks_of(name), body.blocks_of("dynamic", name)
    index = rest[0] if len(rest) > 1 else None
    if isinstance(index, int) and index < len(blocks) and not dynamic:
        return _at(blocks[index].body, rest[1:], exact=exact)
    return () if exact else tuple((one, ()) for one in (*blocks, *dynamic))


def _inside(value: Expression, path: Sequence[str | int]) -> tuple[Expression, Sequence[str | int]]:
    """The part of a list or map that a path leads to, and the rest of the path that leads into none."""
    left = list(path)
    while left:
        step, bare = left[0], value.bare
        inner = bare.at(step) if isinstance(step, str) else next(iter(bare.elements[step : step + 1]), None)
        if inner is None:
            break
        value = inner
        left.pop(0)
    return value, left

"""What is behind values that no plan knows: the expressions, with names replaced by what they stand for.

Two such values are the same only if their expressions are, wherever those are written: a local, an argument
of a module or a data source with another name changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scaffold.hcl.references import Attr, Index, Reference, Step
from scaffold.hcl.syntax import Attribute, Block, Body, Expression, ExprKind
from scaffold.hcl.types import optional_defaults
from scaffold.terraform.modules import Module
from scaffold.terraform.planned import Path

_DEEP = 24
_LONG = 400
_ORDER = ("depends_on", "lifecycle")
"""What of a data source says nothing of what it reads."""
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
        found = "; ".join(map(self._text, _at(block.body, path))) or self._body(block.body)
        each = block.body.value("for_each")
        return f"{found} for each of {self._text(each)}" if each is not None and "each." in found else found

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
        return self._text(parts[0]) if parts else None

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
        text = self._text(inner)
        text = f"({text})" if inner.bare.kind in _WHOLE else text
        return text + _joined(steps[len(steps) - len(rest) :])


def _step(step: Step) -> str | int:
    key = step.name if isinstance(step, Attr) else step.key if isinstance(step, Index) else None
    return "" if key is None else key


def _joined(steps: Sequence[Step]) -> str:
    return "".join(map(str, steps))


def _at(body: Body, path: Path, *, exact: bool = False) -> tuple[Expression | Block, ...]:
    """The expression of a value, or the blocks that have it where none can be told from the others."""
    name, rest = str(path[0]) if path else "", path[1:]
    if (value := body.value(name)) is not None:
        inner, left = _inside(value, rest)
        return () if exact and left else (inner,)
    blocks, dynamic = body.blocks_of(name), body.blocks_of("dynamic", name)
    index = rest[0] if len(rest) > 1 else None
    if isinstance(index, int) and index < len(blocks) and not dynamic:
        return _at(blocks[index].body, rest[1:], exact=exact)
    return () if exact else (*blocks, *dynamic)


def _inside(value: Expression, path: Sequence[str | int]) -> tuple[Expression, Sequence[str | int]]:
    """The part of a list or map that a path leads to, and the rest of the path that leads into none."""
    left = list(path)
    while left:
        parts = list(_parts(value.bare, left[0]))
        if not parts:
            break
        value = parts[-1]
        left.pop(0)
    return value, left


def _parts(value: Expression, step: str | int) -> Iterator[Expression]:
    if isinstance(step, int):
        yield from value.elements[step : step + 1]
    elif (entry := value.entry(step)) is not None:
        yield entry.value

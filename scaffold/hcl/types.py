"""Terraform's type constraints, and whether a literal fits one.

Both spellings are read: the ``type`` expression of a variable, and the JSON form of provider schemas
(``["map", "string"]``). The conversions are those of "Type Conversion" in Terraform's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from scaffold.hcl.expressions import Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.literals import NOT_LITERAL

_COLLECTIONS = frozenset(("list", "set", "map"))


@dataclass(frozen=True, slots=True)
class Type:
    """A type constraint; ``name`` is its outermost word (``string``, ``list``, ``object``, ``any`` …)."""

    name: str
    element: Type | None = None
    """Of a list, set or map."""
    elements: tuple[Type, ...] = ()
    """Of a tuple."""
    attributes: tuple[tuple[str, Type, bool], ...] = ()
    """Of an object: name, type, and whether it may be left out."""

    def __str__(self) -> str:
        """The constraint as it is written in HCL."""
        if self.name == "tuple":
            return f"tuple([{', '.join(map(str, self.elements))}])"
        if self.name == "object":
            fields = (f"{n} = optional({t})" if o else f"{n} = {t}" for n, t, o in self.attributes)
            return f"object({{{', '.join(fields)}}})"
        return f"{self.name}({self.element})" if self.element is not None else self.name

    def fits(self, expression: Expression) -> bool:
        """Whether Terraform can convert an expression to the type, as far as it is literal.

        ``null`` fits every type.
        """
        expression = expression.bare
        if expression.kind is ExprKind.LIST:
            return self._fits_list(expression)
        if expression.kind is ExprKind.MAP:
            return self._fits_map(expression)
        if self.name in ("any", "string"):
            return True  # which anything else can be converted to
        value = expression.literal()
        return value is NOT_LITERAL or value is None or _converts(value, self.name)

    def _fits_list(self, expression: Expression) -> bool:
        if self.name in ("list", "set") and self.element is not None:
            return all(map(self.element.fits, expression.elements))
        if self.name == "tuple" and len(self.elements) == len(expression.elements):
            return all(t.fits(e) for t, e in zip(self.elements, expression.elements, strict=True))
        return self.name == "any"

    def _fits_map(self, expression: Expression) -> bool:
        if self.name == "map" and self.element is not None:
            return all(self.element.fits(entry.value) for entry in expression.entries)
        if self.name != "object":
            return self.name == "any"
        given = {entry.name: entry.value for entry in expression.entries}
        computed_keys = None in given
        return all(
            t.fits(given[name]) if name in given else optional or computed_keys
            for name, t, optional in self.attributes
        )


ANY = Type("any")


def _converts(value: object, name: str) -> bool:
    """Whether a text, a number or a bool can be converted to a number or a bool, and to nothing else."""
    if name == "bool":
        return isinstance(value, bool) or value in ("true", "false")
    if name == "number" and isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return value.strip() == value
    return name == "number" and not isinstance(value, bool)


def of_expression(expression: Expression | None) -> Type:
    """The type that a variable's ``type`` expression names; ``any`` if there is none."""
    if expression is None:
        return ANY
    if expression.kind is ExprKind.STRING:  # the quoted form of Terraform 0.11
        word = expression.string() or ""
        return Type(word, ANY) if word in _COLLECTIONS else Type(word or "any")
    call = expression.call
    if call is None:
        return Type(expression.text, ANY) if expression.text in _COLLECTIONS else Type(expression.text)
    inner = call.arguments[0] if call.arguments else None
    if call.function == "object" and inner is not None:
        return Type("object", attributes=tuple(_attribute(e.name or "", e.value) for e in inner.entries))
    if call.function == "tuple" and inner is not None:
        return Type("tuple", elements=tuple(map(of_expression, inner.elements)))
    return Type(call.function, of_expression(inner))


def _attribute(name: str, value: Expression) -> tuple[str, Type, bool]:
    call = value.call
    if call is not None and call.function == "optional" and call.arguments:
        return name, of_expression(call.arguments[0]), True
    return name, of_expression(value), False


def optional_defaults(expression: Expression | None) -> Mapping[str, Expression | None]:
    """What an object of this ``type`` expression has where a part is left out: ``optional(T, DEFAULT)``.

    None stands for null.
    """
    call = expression.call if expression is not None else None
    parts = call.arguments[0].entries if call and call.function == "object" and call.arguments else ()
    calls = {part.name: part.value.call for part in parts if part.name}
    return {
        name: call.arguments[1] if len(call.arguments) > 1 else None
        for name, call in calls.items()
        if call is not None and call.function == "optional"
    }


def of_json(spec: object) -> Type:
    """The type that a provider schema's JSON names."""
    if isinstance(spec, str):
        return ANY if spec == "dynamic" else Type(spec)
    if not isinstance(spec, list):
        return ANY
    name, inner = spec[0], spec[1]
    if name == "object":
        optional = frozenset(cast("list[str]", spec[2]) if len(spec) > 2 else ())
        fields = cast("Mapping[str, object]", inner)
        return Type("object", attributes=tuple((n, of_json(t), n in optional) for n, t in fields.items()))
    if name == "tuple":
        return Type("tuple", elements=tuple(of_json(t) for t in inner))
    return Type(name, of_json(inner))

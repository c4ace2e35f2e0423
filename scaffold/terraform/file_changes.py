"""One HCL file of the working copy: what is changed in it, and the way back to what a person wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.hcl.splice import Splice, Spliced, blank, insertion
from scaffold.hcl.syntax import Attribute, Block, Body, Expression, Source
from scaffold.terraform.result import Reason, StandIn, StandInKind

_KEPT_SETTINGS = frozenset(("required_providers", "required_version"))


@dataclass(slots=True)
class Changes:
    """What is changed in one file."""

    splices: list[Splice] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    needs_helper: bool = False
    reads_as_is: bool = False
    """Whether it reads the bytes of a file, which may be one that is changed."""

    def refuse(
        self, place: Expression | Block, message: str, fix: str = "", reason: Reason = Reason.OUTSIDE
    ) -> None:
        """Note why the file cannot be planned: by default, because it reaches out of the copy, or may."""
        self.findings.append(at(place, reason.value, message, fix=fix or None))

    def stand_in(self, place: Expression | Block | Attribute, kind: StandInKind, what: str) -> None:
        """Note that something is not real."""
        self.stand_ins.append(StandIn(kind, what, f"{place.source.path}:{place.line}"))

    def replace(self, expression: Expression, text: str) -> None:
        """Another text in place of an expression."""
        self.splices.append(Splice(expression.start, expression.end, text.encode()))

    def hide(self, body: Body, names: frozenset[tuple[str, ...]], unknown: str) -> None:
        """An unknown value wherever one of the names is used, each a root and what follows it."""
        for reference in body.references():
            if reference.names[:2] in names:
                end = reference.start + len(".".join(reference.names[:2]))
                self.splices.append(Splice(reference.start, end, unknown.encode()))
                self.unknown.append((reference.start, end))
                self.needs_helper = True

    def only_versions(self, block: Block) -> None:
        """Only those settings that concern providers and versions: no state, no cloud, no key program."""
        for item in block.body.items:
            name = item.name if isinstance(item, Attribute) else item.type
            if name in _KEPT_SETTINGS:
                continue
            self.splices.append(blank(block.source.data, item.start, item.end))
            if name in ("backend", "cloud"):
                self.stand_in(item, StandInKind.BACKEND, "state: planned as if nothing existed")

    def split_operators(self, body: Body) -> None:
        """``a || b`` as ``a ? true : b``, ``a && b`` as ``a ? b : false``: an unneeded operand may fail."""
        replaced = [(splice.start, splice.end) for splice in self.splices if splice.start < splice.end]
        for operation in reversed(list(body.operations())):
            if operation.operator not in ("||", "&&") or len(operation.operands) != 2:
                continue
            if any(start <= operation.start and operation.end <= end for start, end in replaced):
                continue
            left, right = operation.operands
            either = operation.operator == "||"
            self.splices += [
                insertion(operation.start, b"("),
                Splice(left.end, right.start, b" ? true : " if either else b" ? "),
                insertion(operation.end, b")" if either else b" : false)"),
            ]
            self.stand_in(operation, StandInKind.OPERATOR, operation.operator)


@dataclass(frozen=True)
class Placed:
    """An HCL file of the working copy: what a person wrote, and the way back from its bytes.

    ``unknown`` are the ranges of the source in whose place an unknown value stands.
    """

    source: Source
    spliced: Spliced
    unknown: tuple[tuple[int, int], ...] = ()

    def origin(self, offset: int) -> int:
        """The byte of the source that a byte of the working copy comes from."""
        return min(self.spliced.origin(offset), len(self.source.data))

"""The contract of a Terraform module: its variables and its outputs, read from its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scaffold.errors import MissingError
from scaffold.hcl import types
from scaffold.hcl.evaluate import evaluate
from scaffold.hcl.expressions import Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.syntax import NOT_LITERAL, Block, Document, parse
from scaffold.hcl.types import Type


@dataclass(frozen=True, slots=True)
class Validation:
    """One ``validation`` block of a variable.

    ``allowed`` is what the condition lists where it is ``contains([…], var.x)``, maybe with a guard against
    null.
    """

    variable: str
    condition: Expression
    message: str
    allowed: tuple[object, ...] | None = None

    def holds(self, value: object) -> bool | None:
        """Whether a literal value passes; None if that cannot be determined without Terraform."""
        verdict = evaluate(self.condition, {("var", self.variable): value})
        return verdict if isinstance(verdict, bool) else None


@dataclass(frozen=True, slots=True)
class Variable:
    """One ``variable`` block; ``default`` is ``NOT_LITERAL`` if there is none."""

    name: str
    type: Type
    has_default: bool
    default: object = NOT_LITERAL
    nullable: bool = True
    validations: tuple[Validation, ...] = ()
    parts: Mapping[str, object] = field(default_factory=dict)
    """Of an object what its parts are where they are left out, as far as that is literal."""

    @property
    def allowed(self) -> tuple[object, ...] | None:
        """The values that a validation lists, if one does."""
        return next((v.allowed for v in self.validations if v.allowed is not None), None)

    def broken_by(self, value: object) -> Validation | None:
        """The first validation that a literal value does not pass."""
        if value is None and not self.nullable:
            return None  # Terraform takes the default instead
        return next((v for v in self.validations if v.holds(value) is False), None)


@dataclass(frozen=True, slots=True)
class ModuleContract:
    """What a module takes and gives."""

    variables: Mapping[str, Variable]
    outputs: tuple[str, ...]
    resources: tuple[str, ...] = ()
    """The addresses of its resources."""


def terraform_files(directory: Path) -> list[Path]:
    """The files that Terraform reads in a directory, sorted; a broken link is left out."""
    return sorted(file for file in directory.glob("*.tf") if file.is_file())


def read_module(directory: Path) -> ModuleContract:
    """The contract of the module in a directory.

    Raises ``MissingError`` if there is no module, ``HclSyntaxError`` where a file of it is broken.
    """
    files = terraform_files(directory)
    if not files:
        raise MissingError(f"{directory} is not a Terraform module: it has no .tf file")
    return contract_of(parse(file.read_bytes(), str(file)) for file in files)


def contract_of(documents: Iterable[Document]) -> ModuleContract:
    """The contract that the files of one module define together."""
    every = [block for document in documents for block in document.body.blocks]
    blocks = [block for block in every if len(block.labels) == 1]
    return ModuleContract(
        variables={b.labels[0]: variable_of(b) for b in blocks if b.type == "variable"},
        outputs=tuple(b.labels[0] for b in blocks if b.type == "output"),
        resources=tuple(".".join(b.labels) for b in every if b.type == "resource"),
    )


def variable_of(block: Block) -> Variable:
    """What a ``variable`` block declares."""
    body, name = block.body, block.labels[0]
    return Variable(
        name=name,
        type=types.of_expression(body.value("type")),
        has_default="default" in body.attributes,
        default=body.literal("default"),
        nullable=body.literal("nullable") is not False,
        validations=tuple(_validations(block)),
        parts={
            name: value.literal() if value is not None else None
            for name, value in types.optional_defaults(body.value("type")).items()
        },
    )


def _validations(block: Block) -> Iterator[Validation]:
    variable = block.labels[0]
    for validation in block.body.blocks_of("validation"):
        condition = validation.body.value("condition")
        message = validation.body.value("error_message")
        if condition is None:
            continue
        core = _without_null_guard(condition, variable)
        yield Validation(
            variable,
            condition,
            (message.string() or "") if message is not None else "",
            allowed=_allowed(core, variable),
        )


def _without_null_guard(condition: Expression, variable: str) -> Expression:
    """What is demanded of a value other than null: ``var.x == null || c``, ``var.x == null ? true : c``."""
    condition = condition.bare
    if condition.kind is ExprKind.OPERATION and condition.operator == "||":
        left, right = condition.operands
        if _is_null_test(left.bare, variable):
            return right.bare
        if _is_null_test(right.bare, variable):
            return left.bare
    if condition.kind is ExprKind.CONDITIONAL:
        test, then, otherwise = condition.operands
        if _is_null_test(test.bare, variable) and then.literal() is True:
            return otherwise.bare
    return condition


def _is_null_test(test: Expression, variable: str) -> bool:
    if test.kind is not ExprKind.OPERATION or test.operator != "==":
        return False
    left, right = test.operands
    return (_names(left, variable) and right.kind is ExprKind.NULL) or (
        _names(right, variable) and left.kind is ExprKind.NULL
    )


def _names(expression: Expression, variable: str) -> bool:
    return str(expression.traversal) == f"var.{variable}"


def _allowed(condition: Expression, variable: str) -> tuple[object, ...] | None:
    call = condition.call
    if call is None or call.function != "contains" or len(call.arguments) != 2:
        return None
    values = call.arguments[0].literal()
    return tuple(values) if isinstance(values, list) and _names(call.arguments[1], variable) else None

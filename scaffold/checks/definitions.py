"""Files that are no HCL, names that are defined twice, and variables without a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scaffold.checks.rule import Example, FamilyRule, Rule
from scaffold.checks.scope import scopes
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding, nearest
from scaffold.hcl.source import at
from scaffold.hcl.syntax import ExprKind


def _repeated(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    """Names of a module that are defined more than once."""
    for scope in stack.once(scopes, context):
        own = {document.path for document in scope.documents}
        for name, places in scope.definitions.items():
            for again in places[1:]:
                item, other = (again, places[0]) if again.source.path in own else (places[0], again)
                written = ".".join(name)
                what = f"{written} is already defined in {other.source.path}, line {other.line}"
                yield at(item, "HCL002", what, value=written)


def _unset(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    """The stack's variables that have no default and that nothing sets."""
    inputs = _inputs(stack)
    if context.variables is None or inputs is None:
        return
    given = context.variables | inputs
    for document in stack.modules.get(stack.directory, ()):
        for block in document.body.blocks_of("variable"):
            if block.labels and "default" not in block.body.attributes and block.labels[0] not in given:
                name = block.labels[0]
                fix = nearest(name, given) or "give it a default, or inputs in terragrunt.hcl"
                message = f"nothing gives the variable {name} a value"
                yield at(block, "HCL003", message, value=name, fix=fix)


def _inputs(stack: ParsedStack) -> frozenset[str] | None:
    """The variables that the stack's ``terragrunt.hcl`` sets; None if only terragrunt can tell."""
    value = stack.terragrunt.body.value("inputs") if stack.terragrunt is not None else None
    if value is None:
        return frozenset()
    names = [entry.name for entry in value.entries]
    known = frozenset(name for name in names if name is not None)
    return known if value.kind is ExprKind.MAP and len(known) == len(names) else None


def _unrooted(stack: ParsedStack, context: CheckContext) -> list[Finding]:
    """A stack that terragrunt would not find, or would apply without the house's state and providers."""
    settings, path = stack.terragrunt, f"{stack.directory}/terragrunt.hcl"
    if stack.directory not in stack.modules or (settings and settings.body.blocks_of("include")):
        return []
    what = "includes no other file" if settings else "is missing"
    fix = 'include "root" { path = find_in_parent_folders() }, on lines of their own, and its dependencies'
    return [Finding(path, 1, None, "HCL008", f"the stack's terragrunt.hcl {what}", fix=f"write {fix}")]


_ROOT = """\
include "root" {
  path = find_in_parent_folders()
}
"""
_VARIABLE = 'variable "nfs_server" {\n  type = string\n}\n'


class Syntax(Rule):
    """A file is valid HCL."""

    code = "HCL001"
    why = "Terraform and terragrunt refuse a broken file, often with a message about another place."
    bad = """\
variable "nfs_server" { type = string; sensitive = true }
"""
    good = """\
variable "nfs_server" {
  type      = string
  sensitive = true
}
"""

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Nothing: a parsed stack is well formed."""
        return iter(())


class DuplicateDefinition(FamilyRule, family=_repeated):
    """A name is defined once."""

    code = "HCL002"
    why = "Terraform refuses a module that defines a resource, variable, local, module or output twice."
    bad = _VARIABLE + _VARIABLE
    good = _VARIABLE


class VariableUnset(FamilyRule, family=_unset):
    """A variable has a default or is given a value."""

    code = "HCL003"
    needs = "variables"
    why = "Terraform asks for it, and in a pipeline nobody answers."
    bad = _VARIABLE.replace("server", "sever")
    good = _VARIABLE


class Unrooted(FamilyRule, family=_unrooted):
    """A stack includes the root's terragrunt.hcl."""

    code = "HCL008"
    needs = "terragrunt"
    why = "Without it, the stack has no state, no providers and no variables, and CI skips it."
    rule = "Terraform State — Two-Tier Backend"
    bad: ClassVar[Example] = {"main.tf": "locals {\n  a = 1\n}\n", "terragrunt.hcl": "inputs = {}\n"}
    good: ClassVar[Example] = {"main.tf": "locals {\n  a = 1\n}\n", "terragrunt.hcl": _ROOT}

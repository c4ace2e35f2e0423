"""Calls of modules, checked against what the modules themselves declare and read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from scaffold.checks.rule import Example, FamilyRule, Rule
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding, nearest
from scaffold.hcl.modules import ModuleContract, Variable, contract_of
from scaffold.hcl.source import at
from scaffold.hcl.syntax import NOT_LITERAL, Attribute, Block
from scaffold.monorepo.shared import SharedModules
from scaffold.templates import template

META_ARGUMENTS = frozenset(("source", "version", "providers", "count", "for_each", "depends_on"))


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A ``module`` block, and the directory its source names (None if that is not in the monorepo)."""

    block: Block
    directory: str | None
    contract: ModuleContract | None

    @property
    def name(self) -> str:
        """The name by which the stack refers to it."""
        return self.block.labels[0]


def module_calls(stack: ParsedStack, context: CheckContext) -> list[ModuleCall]:
    """The calls of modules in a stack, those of its own modules included."""
    own = {directory: contract_of(documents) for directory, documents in stack.modules.items()}
    calls: list[ModuleCall] = []
    for directory, documents in stack.modules.items():
        for block in (b for d in documents for b in d.body.blocks_of("module") if b.labels):
            source = block.body.literal("source")
            local = isinstance(source, str) and source.startswith(("./", "../"))
            target = posixpath.normpath(posixpath.join(directory, str(source))) if local else None
            contract = own.get(target) or context.module(target) if target is not None else None
            calls.append(ModuleCall(block, target, contract))
    return calls


def _findings(stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
    for call in stack.once(module_calls, context):
        if call.contract is not None:
            yield from _held_against(call, call.contract)
        elif call.directory is not None:
            yield _no_such_module(call, call.directory, context)


def _no_such_module(call: ModuleCall, directory: str, context: CheckContext) -> Finding:
    source = call.block.body.attributes["source"].value
    known = context.list_modules(posixpath.dirname(directory))
    what, fix = f"there is no module in {directory}", nearest(posixpath.basename(directory), known)
    return at(source, "MOD001", what, value=source.string(), allowed=known, fix=fix)


def _held_against(call: ModuleCall, contract: ModuleContract) -> Iterator[Finding]:
    block = call.block
    for nested in block.body.blocks:
        what = f"a module call has arguments only: {nested.type} is a block"
        fix = f"write {nested.type} = {{ … }}" if nested.type in contract.variables else None
        yield at(nested, "MOD002", what, fix=fix)
    for name, attribute in block.body.attributes.items():
        if name in META_ARGUMENTS:
            continue
        variable = contract.variables.get(name)
        if variable is None:
            what, fix = f"the module {call.name} has no variable {name}", nearest(name, contract.variables)
            yield at(attribute, "MOD002", what, value=name, fix=fix)
        else:
            yield from _value(attribute, variable)
    for name, variable in contract.variables.items():
        if not variable.has_default and name not in block.body.attributes:
            fix = f"set {name} ({variable.type})"
            yield at(block, "MOD003", f"the module {call.name} needs {name}", fix=fix)


def _value(attribute: Attribute, variable: Variable) -> Iterator[Finding]:
    value = attribute.value
    if not variable.type.fits(value):
        message = f"{variable.name} is a {variable.type}"
        yield at(value, "MOD004", message, value=value.text, allowed=[variable.type])
        return
    literal = value.literal() if variable.validations else NOT_LITERAL
    broken = variable.broken_by(literal) if literal is not NOT_LITERAL else None
    if broken is not None:
        message = broken.message or f"the module refuses this {variable.name}"
        yield at(value, "MOD005", message, value=value.text, allowed=broken.allowed)


_CALL = """\
module "media" {
  source       = "../../modules/kubernetes/nfs_volume"
  name         = "journal-media-host"
  namespace    = "journal"
  nfs_server   = "nfs.internal"
  nfs_path     = "/srv/media"
  access_modes = ["ReadOnlyMany"]
}
"""
_INGRESS = """\
module "ingress" {
  source          = "../../modules/kubernetes/ingress_factory"
  name            = "journal"
  namespace       = "journal"
  tls_secret_name = "tls"
  auth            = "required"
  dns_type        = "proxied"
}
"""


class ModuleSource(FamilyRule, family=_findings):
    """The called module exists."""

    code = "MOD001"
    why = "Terraform fails at init when the directory that `source` names holds no module."
    bad = _CALL.replace("/nfs_volume", "/nfs_volumes")
    good = _CALL


class ModuleArgument(FamilyRule, family=_findings):
    """A module is given arguments that it has."""

    code = "MOD002"
    why = "Modules change: an argument that was removed or never existed stops every plan of the stack."
    bad = _CALL.replace("access_modes", "access_mode ")
    good = _CALL


class ModuleRequired(FamilyRule, family=_findings):
    """A module is given everything it needs."""

    code = "MOD003"
    why = "A variable without a default has to be set by every call."
    bad = _CALL.replace('  nfs_path     = "/srv/media"\n', "")
    good = _CALL


class ModuleType(FamilyRule, family=_findings):
    """A literal has the type of the module's variable."""

    code = "MOD004"
    why = "Terraform refuses a value that it cannot convert to the variable's type."
    bad = _CALL.replace('["ReadOnlyMany"]', '"ReadOnlyMany"')
    good = _CALL


class ModuleValue(FamilyRule, family=_findings):
    """A literal passes the module's own validation."""

    code = "MOD005"
    why = "The module refuses it at plan time; this reports it at once, with what the module accepts."
    bad = _INGRESS.replace("proxied", "cloudflare")
    good = _INGRESS


_CERTIFICATE = """
module "tls_secret" {
  source          = "../../modules/kubernetes/setup_tls_secret"
  namespace       = "journal"
  tls_secret_name = "journal-tls"
}
"""


class LinkedCertificate(Rule):
    """A stack that copies the certificate has the link to it."""

    code = "MOD006"
    needs = "tls"
    why = "The module reads it from the stack's own directory: without the link, nothing can be applied."
    bad: ClassVar[Example] = "locals {}\n" + _CERTIFICATE
    good: ClassVar[Example] = "locals {}\n"

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """Calls of the module without a certificate of their own, where the link is not there."""
        shared = SharedModules.of(context.facts)
        wanted = shared.path(shared.tls)
        link = template.facts("operations")["certificate_link"]
        if context.exists(f"{stack.directory}/{link['name']}"):
            return
        for call in stack.once(module_calls, context):
            if call.directory == wanted and call.block.body.value("tls_crt") is None:
                fix = f"ln -s {link['target']} {stack.directory}/{link['name']}"
                yield at(call.block, self.code, f"the stack has no link {link['name']}", fix=fix)

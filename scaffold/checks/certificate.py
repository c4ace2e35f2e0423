"""The house's certificate, which a shared module reads from the directory of the stack that calls it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from scaffold.checks.contracts import module_calls
from scaffold.checks.rule import Example, Rule
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.monorepo.shared import SharedModules
from scaffold.templates import template

_CALL = """
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
    bad: ClassVar[Example] = "locals {}\n" + _CALL
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

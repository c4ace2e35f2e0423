"""HCL that is well formed."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding


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

"""HCL that is well formed, and laid out as ``terraform fmt`` would."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.checks.stack import CheckContext, ParsedStack
from scaffold.errors import Finding
from scaffold.hcl.layout import misaligned


class Syntax(Rule):
    """A file that is no HCL. ``parse_stack`` reports it: what is broken never becomes a stack."""

    code = "syntax"
    title = "A file is valid HCL"
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


class Layout(Rule):
    """A line that ``terraform fmt`` would write otherwise."""

    code = "layout"
    title = "A file is laid out as terraform fmt would"
    why = "One layout keeps differences small: what is rendered and what people format by hand stay alike."
    bad = """\
variable "nfs_server" {
  type = string
  sensitive = true
}
"""
    good = Syntax.good

    def check_stack(self, stack: ParsedStack, context: CheckContext) -> Iterator[Finding]:
        """One finding for each line."""
        for path, document in stack.documents.items():
            for problem in misaligned(document):
                fix = f"terraform fmt writes: {problem.expected.strip()}"
                yield Finding(path, problem.line, None, self.code, problem.message, fix=fix)

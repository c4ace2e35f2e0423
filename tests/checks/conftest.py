from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from scaffold.checks.stack import CheckContext, parse_stack, run
from scaffold.errors import Finding
from scaffold.hcl.modules import contract_of
from scaffold.hcl.syntax import parse
from scaffold.monorepo.repository import Monorepo
from scaffold.terraform import schemas

MODULES = {
    "modules/disk": """
variable "name" { type = string }
variable "size" {
  type    = number
  default = 1
  validation {
    condition     = var.size > 0
    error_message = "A disk has a size."
  }
}
variable "labels" { default = {} }
variable "mode" {
  default = "rw"
  validation { condition = contains(["rw", "ro"], var.mode) }
}
output "path" { value = var.name }
""",
    "modules/ingress_factory": """
variable "auth" { default = "required" }
variable "name" {}
""",
}
ROOT = 'include "root" {\n  path = find_in_parent_folders()\n}\n'
TIERS = 'locals {\n  tiers = {\n    core = "0-core"\n    aux  = "4-aux"\n  }\n}\n'

Check = Callable[..., list[Finding]]


@pytest.fixture(scope="session")
def surroundings(pristine: Monorepo) -> CheckContext:
    """What the rules know of the whole house around a stack."""
    return CheckContext.of(pristine)


@pytest.fixture
def check() -> Check:
    """Run all rules over a stack: a ``main.tf``, and other files by name."""

    def findings(
        text: str = "", files: Mapping[str, str] | None = None, variables: frozenset[str] | None = None
    ) -> list[Finding]:
        contracts = {path: contract_of([parse(t.encode())]) for path, t in MODULES.items()}
        context = CheckContext(
            schemas=schemas.load(),
            module=contracts.get,
            list_modules=lambda parent: tuple(
                path.rpartition("/")[2] for path in contracts if path.rpartition("/")[0] == parent
            ),
            variables=variables,
            generated={"tiers.tf": parse(TIERS.encode(), "terragrunt.hcl (tiers.tf)")},
        )
        named = {"main.tf": text, "terragrunt.hcl": "", **(files or {})}
        named["terragrunt.hcl"] += ROOT
        stack = parse_stack("stacks/app", {f"stacks/app/{name}": t.encode() for name, t in named.items()})
        assert not isinstance(stack, list), stack
        return run(stack, context)

    return findings


@pytest.fixture
def codes(check: Check) -> Callable[..., list[str]]:
    """The codes of what the rules find."""
    return lambda *args, **kwargs: [finding.code for finding in check(*args, **kwargs)]

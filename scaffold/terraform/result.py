"""What a plan yields: planned resources or problems, and everything that stood in for something real."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from enum import Enum

from scaffold.errors import Finding
from scaffold.terraform.confine import Layer
from scaffold.terraform.planned import PlannedResource, is_within


class StandInKind(Enum):
    """What was not available, or was left out on purpose."""

    VARIABLE = "variable"
    """A variable without a value that could be read: a placeholder of its type."""
    DATA = "data"
    """A data source: nothing is read, all of it is unknown."""
    FILE = "file"
    """A file that is ciphertext or a secret: its contents are unknown."""
    IMPORT = "import"
    """An ``import`` block: the object is planned as if it were new."""
    BACKEND = "backend"
    """Where the state is kept: no state is read."""
    GENERATED = "generated"
    """A part of what terragrunt generates that only terragrunt can evaluate."""
    FUNCTION = "function"
    """A function of a provider: what it returns is unknown."""
    PROVIDER = "provider"
    """A provider without a schema: whatever the stack writes is assumed to be right."""
    INSTANCES = "instances"
    """``count`` or ``for_each`` over something that stands in: one instance stands for all."""
    OPERATOR = "operator"
    """``&&`` and ``||`` that were evaluated as Terraform 1.12 does, by an older one."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """One stand-in: ``what`` it is, and ``where`` the stack asks for it."""

    kind: StandInKind
    what: str
    where: str


class Reason(Enum):
    """Why a stack cannot be planned; the value is the code of the finding."""

    STACK = "plan-stack"
    """The stack is wrong."""
    MODULE = "plan-module"
    """A shared module is wrong, whichever stack calls it."""
    GENERATED = "plan-generated"
    """What the monorepo lets terragrunt generate is wrong."""
    SYNTAX = "plan-syntax"
    """A file is not HCL."""
    TERRAFORM_TOO_OLD = "plan-terraform-too-old"
    """The installed Terraform is older than the monorepo's modules need."""
    MISSING_FILE = "plan-missing-file"
    """A file that the stack reads does not exist."""
    CIPHERTEXT = "plan-ciphertext"
    """A file that has to be read is ciphertext."""
    STAND_IN = "plan-stand-in"
    """The real value may be right: what stood in for it does not fit."""
    OUTSIDE = "plan-outside"
    """The stack reaches out of the monorepo, or may."""
    REMOTE_MODULE = "plan-remote-module"
    """A module would have to be downloaded."""
    NO_SCHEMA = "plan-no-schema"
    """A provider that nobody names and whose schema is not known."""
    TWO_APPLIES = "plan-two-applies"
    """A notice: a part has to exist before the rest can be planned, so the first apply needs a target."""
    TOOL = "plan-tool"
    """Terraform itself failed: killed, too slow, or not able to do this."""


def without_caller(finding: Finding) -> Finding:
    """A finding in a form that is the same for every stack: in a shared module, the fix names the caller."""
    return replace(finding, fix=None) if finding.code == Reason.MODULE.value else finding


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that plans: ``terraform`` or ``tofu``, where it is, and its version once it has said so."""

    name: str
    path: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Moves:
    """Which addresses have changed, the latest first, and which are given up without being destroyed."""

    moved: tuple[tuple[str, str], ...] = ()
    forgotten: frozenset[str] = frozenset()

    def now(self, address: str) -> str:
        """The present address of what had this one."""
        for before, after in self.moved:
            if is_within(address, before):
                return after + address[len(before) :]
        return address

    def forgets(self, address: str) -> bool:
        """Whether the object stays when its resource goes."""
        return any(is_within(address, given_up) for given_up in self.forgotten)


NO_MOVES = Moves()


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan of one stack. It is good where ``findings`` is empty.

    ``notices`` say what a person should know although the stack can be planned, ``open`` what the system
    could not keep from Terraform: there only what was rewritten holds. ``moves`` are the addresses that
    became others.
    """

    stack: str
    tool: Tool
    resources: tuple[PlannedResource, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    findings: tuple[Finding, ...] = ()
    notices: tuple[Finding, ...] = ()
    seconds: float = 0.0
    open: tuple[Layer, ...] = ()
    moves: Moves = NO_MOVES
    kept: bool = False
    """Whether it was planned by an earlier run, from the same files."""

    @property
    def ok(self) -> bool:
        """Whether the stack could be planned."""
        return not self.findings

    @property
    def lasting(self) -> bool:
        """Whether the same files give the same result again: it shows no trouble with the machine."""
        return all(
            finding.line is not None and finding.code != Reason.TOOL.value and not _of_the_machine(finding)
            for finding in self.findings
        )

    @property
    def unable(self) -> bool:
        """Whether the program cannot plan this monorepo at all, which says nothing about the stack."""
        codes = {Reason.TERRAFORM_TOO_OLD.value, Reason.TOOL.value}
        return bool(self.findings) and all(finding.code in codes for finding in self.findings)


_OF_FILES = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR))
"""What the system says of the monorepo itself, and not of the machine."""
_TROUBLES = tuple(os.strerror(number).lower() for number in errno.errorcode if number not in _OF_FILES)


def _of_the_machine(finding: Finding) -> bool:
    """Whether an error of the operating system is shown, or may be in what was cut off."""
    message = finding.message.lower()
    return message.endswith("…") or any(trouble in message for trouble in _TROUBLES)

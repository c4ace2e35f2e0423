"""What Terraform says, translated to the monorepo: the line that a person wrote, and whose fault it is."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from scaffold.errors import Finding
from scaffold.hcl.syntax import Attribute, Block, Expression
from scaffold.terraform.dependencies import Dependencies
from scaffold.terraform.file_changes import Placed
from scaffold.terraform.plan_json import without_keys
from scaffold.terraform.planned import STAND_IN
from scaffold.terraform.result import Reason
from scaffold.terraform.rewrite import REFUSED
from scaffold.terraform.workspace import Workspace

_MOST_DETAIL = 400


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error of Terraform; ``start`` is a byte of the file in the working copy."""

    summary: str
    detail: str
    file: str = ""
    line: int | None = None
    start: int = 0
    address: str = ""

    @property
    def text(self) -> str:
        """Summary and detail."""
        return f"{self.summary}: {self.detail}" if self.detail else self.summary


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed with ``-json``: the tool's version, the errors, and the plan of a test."""

    version: str
    errors: tuple[Diagnostic, ...]
    plan: object = None


def read(stdout: bytes) -> Output:
    """The machine-readable output of ``plan -json`` or ``test -json``; lines other than JSON are skipped."""
    version, plan = "", None
    errors: list[Diagnostic] = []
    for line in stdout.splitlines():
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(message, dict):
            continue
        if message.get("type") == "version":
            version = str(message.get("terraform") or message.get("tofu") or "")
        elif message.get("type") == "test_plan":
            plan = message.get("test_plan")
        elif message.get("type") == "diagnostic":
            raw = message.get("diagnostic")
            if isinstance(raw, dict) and raw.get("severity") == "error":
                errors.append(_diagnostic(raw))
    # Said once more of all that was said before it.
    errors = [error for error in errors if "encountered problems during init" not in error.summary] or errors
    return Output(version, tuple(dict.fromkeys(errors)), plan)


def _diagnostic(raw: Mapping[str, object]) -> Diagnostic:
    place = cast("Mapping[str, object]", raw.get("range") or {})
    start = cast("Mapping[str, int]", place.get("start") or {})
    return Diagnostic(
        summary=str(raw.get("summary", "")),
        detail=" ".join(str(raw.get("detail", "")).split()),
        file=str(place.get("filename", "")),
        line=start.get("line"),
        start=start.get("byte", 0),
        address=str(raw.get("address", "")),
    )


@dataclass(frozen=True)
class Located:
    """A diagnostic and its place: the file of the working copy, and the byte in what a person wrote."""

    diagnostic: Diagnostic
    path: str = ""
    placed: Placed | None = None
    start: int = 0

    @property
    def origin(self) -> str:
        """The file that a person wrote, from the monorepo's root."""
        return self.placed.source.path if self.placed is not None else self.path

    def position(self) -> tuple[int | None, int | None]:
        """Line and column in that file."""
        if self.placed is None:
            return self.diagnostic.line, None
        return self.placed.source.position(self.start)


def locate(diagnostic: Diagnostic, workspace: Workspace) -> Located:
    """The real place of a diagnostic."""
    if not diagnostic.file:
        return Located(diagnostic)
    path = posixpath.normpath(posixpath.join(workspace.stack, diagnostic.file))
    path = path.removeprefix(str(workspace.root).rstrip("/") + "/")
    placed = workspace.placed.get(path)
    if placed is None:
        return Located(diagnostic, path)
    return Located(diagnostic, path, placed, placed.origin(diagnostic.start))


def explain(located: Located, workspace: Workspace, version: str) -> Finding:
    """The finding that a person reads: whose fault it is, where, what, and what to do."""
    reason = _reason(located, workspace)
    path, (line, column) = located.origin or workspace.stack, located.position()
    if not located.path and (named := _named(located.diagnostic, workspace)) is not None:
        path, line, column = named.source.path, named.line, named.column
    if reason is Reason.GENERATED and (earlier := _earlier(located.diagnostic)) is not None:
        # What is generated was there first, whatever the order of the files' names.
        reason, path, line, column = Reason.STACK, f"{workspace.stack}/{earlier[0]}", earlier[1], None
    message, fix = _message(located, workspace, reason), _FIXES.get(reason, "").format(version=version)
    call = _call_of(located, workspace) if not path.startswith(f"{workspace.stack}/") else None
    if call is not None and reason is Reason.MODULE:
        fix = f"called from {call.source.path}:{call.line}"
    elif call is not None and reason in (Reason.MISSING_FILE, Reason.OUTSIDE):
        # The module does what it is for: which file it reads is up to the stack.
        message = f"{message} (read in {path}:{line})"
        path, line, column = call.source.path, call.line, call.column
    return Finding(path, line, column, reason.value, message, fix=fix or None)


_FIXES = {
    Reason.TERRAFORM_TOO_OLD: "install a newer Terraform: this is {version}",
    Reason.MISSING_FILE: "add the file, or the link that leads to it",
    Reason.OUTSIDE: "a stack reads only files of its monorepo",
    Reason.STAND_IN: "unlock the repository, so that the real values can be read",
}


_OF_PLUGINS = frozenset(("Request cancelled", "Plugin did not respond", "Plugin error"))
"""What Terraform says at a line of the stack where it was broken off, or its conversation with a provider."""


def _reason(located: Located, workspace: Workspace) -> Reason:
    diagnostic = located.diagnostic
    text = diagnostic.text
    if diagnostic.summary in _OF_PLUGINS:
        return Reason.TOOL
    if workspace.helper + REFUSED in text:
        return Reason.OUTSIDE
    if diagnostic.summary.startswith("Unsupported") and diagnostic.summary.endswith("Core version"):
        return Reason.TERRAFORM_TOO_OLD
    if "no file exists at" in text or "no such file or directory" in text:
        return Reason.MISSING_FILE
    if located.placed is not None and unfit(located, workspace):
        return Reason.STAND_IN
    if located.origin.endswith((".hcl", ".tfvars", ".tfvars.json")):
        return Reason.GENERATED
    if located.placed is None and located.path:
        return Reason.STAND_IN
    if not located.path or located.origin.startswith(workspace.stack + "/"):
        return Reason.STACK
    return Reason.MODULE


def _message(located: Located, workspace: Workspace, reason: Reason) -> str:
    if reason is Reason.OUTSIDE:
        return "a path that is read here leads out of the monorepo"
    text = located.diagnostic.text.replace(str(workspace.root) + "/", "").replace(workspace.helper, STAND_IN)
    if reason is Reason.MISSING_FILE:
        text = text.partition("; this function works only")[0]
    return text if len(text) <= _MOST_DETAIL else text[:_MOST_DETAIL].rsplit(" ", 1)[0] + " …"


def _named(diagnostic: Diagnostic, workspace: Workspace) -> Block | Attribute | None:
    """The first named definition, for an error without a place: a cycle only has the addresses in it."""
    own = workspace.modules[workspace.stack]
    words = diagnostic.text.replace(",", " ").replace(":", " ").split()
    named = (own.definition(without_keys(word)) for word in words)
    return next((definition for definition in named if definition is not None), None)


def _earlier(diagnostic: Diagnostic) -> tuple[str, int] | None:
    """The other place, if Terraform says that one of two is too many: ``… at main.tf:7,3-21.``."""
    file, _, place = diagnostic.detail.rpartition(" at ")[2].partition(":")
    line = place.partition(",")[0]
    return (file, int(line)) if diagnostic.summary.startswith("Duplicate") and line.isdigit() else None


def _call_of(located: Located, workspace: Workspace) -> Block | None:
    """Where the module that a diagnostic is in is called."""
    names = located.diagnostic.address.split(".")
    calls = [call for _, call in workspace.calls_of(posixpath.dirname(located.path))]
    return next((call for call in calls if call.labels[0] in names), calls[0] if calls else None)


def expression_at(located: Located, workspace: Workspace) -> Iterator[Expression]:
    """The expressions of arguments in whose place a diagnostic is."""
    if located.placed is None:
        return
    document = workspace.module_of(located.path).documents[located.path]
    for argument in document.body.arguments():
        if argument.start <= located.start < argument.end:
            yield argument.value


def unfit(located: Located, workspace: Workspace) -> frozenset[str]:
    """The variables whose placeholders an error may be about."""
    if not located.diagnostic.summary.startswith(_OF_VALUES):
        return frozenset()
    dependencies = Dependencies(workspace)
    module = workspace.module_of(located.path)
    return frozenset(
        name
        for expression in expression_at(located, workspace)
        for name in dependencies.of(module, expression).placeholders
    )


_OF_VALUES = (
    "Error in function call",
    "Invalid function argument",
    "Invalid index",
    "Unsupported attribute",
    "Invalid value for",
    "Incorrect attribute value type",
    "Inappropriate value for attribute",
    "Iteration over non-iterable value",
)
"""Errors that come from a value, and not from what is written."""

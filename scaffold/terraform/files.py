"""The files of a working copy that are not HCL: never a link, nothing executable, no contents of secrets."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from scaffold.changes.change import is_ciphertext
from scaffold.errors import Finding
from scaffold.hcl.conflicts import SETTLE, conflict
from scaffold.terraform.planned import STAND_IN
from scaffold.terraform.result import Reason
from scaffold.terraform.tree import Kind, OutsideError, Tree, names_in, resolve

_NOT_COPIED = frozenset((".git", ".terraform", ".terragrunt-cache", "terraform.d", ".terraform.lock.hcl"))
_STATE = (".tfstate", ".tfstate.backup", ".tfstate.lock.info")
VALUES = (".tfvars", ".tfvars.json")
"""What the files end in that give variables their values."""


@dataclass
class Files:
    """Copies from a tree to ``root``; paths are from the monorepo's root.

    ``hcl`` are the files that are written in another way; ``copied`` are those that were copied, and what
    could not be is in ``findings``.
    """

    tree: Tree
    root: Path
    hcl: Collection[str] = ()
    copied: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def is_secret(self, path: str) -> bool:
        """Whether a file's contents may not, or cannot, be read: keys, certificates, ciphertext."""
        if _is_state(path):
            return True
        parts = path.split("/")
        target = resolve(self.tree, path)
        if self.tree.kind(target) is not Kind.FILE:
            return False
        return "secrets" in parts[:-1] or is_ciphertext(self.tree.read(target))

    def copy_directory(
        self, path: str, target: str | None = None, above: frozenset[str] = frozenset()
    ) -> None:
        """Copy a directory and all below it, links followed; ``target`` is where it really is."""
        target = resolve(self.tree, path) if target is None else target
        if target in above:
            return
        for name in sorted(names_in(self.tree, target) - _NOT_COPIED):
            here = posixpath.join(path, name)
            try:
                there = resolve(self.tree, posixpath.join(target, name))
            except OutsideError:
                message = "the link leads out of the monorepo"
                self.findings.append(Finding(here, None, None, Reason.OUTSIDE.value, message))
                continue
            if self.tree.kind(there) is Kind.DIRECTORY:
                self.copy_directory(here, there, above | {target})
            elif self.tree.kind(there) is Kind.FILE and not name.endswith(_STATE):
                self.copy_file(here, there)

    def copy_file(self, path: str, target: str) -> None:
        """Copy one file; of a secret one only the place, not the contents."""
        if path in self.copied or path in self.hcl:
            return
        self.copied.add(path)
        if not self.is_secret(target) and not self.is_secret(path):
            content = self.tree.read(target)
            if (line := conflict(content)) is not None:
                message = "a merge left a conflict here"
                self.findings.append(Finding(path, line, None, Reason.SYNTAX.value, message, fix=SETTLE))
            self.put(path, content)
        elif not path.endswith(VALUES) and not _is_state(path):
            self.put(path, f"{STAND_IN}.file.{path}\n".encode())

    def put(self, path: str, content: bytes) -> None:
        """Write a file, without a mode that lets anything be started: Terraform looks for plugins here."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(content)


def _is_state(path: str) -> bool:
    """Whether Terraform or Git keep files of their own there, which influence what they do."""
    return path.endswith(_STATE) or not _NOT_COPIED.isdisjoint(path.split("/"))


def no_template(content: str) -> bytes:
    """JSON in which no text of the stack is a template, in case the stack uses the file as one."""
    return content.replace("$", "\\u0024").replace("%", "\\u0025").encode()

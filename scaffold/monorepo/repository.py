"""The monorepo in front of us: its stacks, its files, and what every stack gets from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from scaffold.errors import MissingError, nearest
from scaffold.monorepo.facts import said
from scaffold.monorepo.root import find_root, place, root_file, stack_in, stacks_home
from scaffold.monorepo.shared import SharedModules

if TYPE_CHECKING:  # where nothing is parsed, what parses is not imported
    from scaffold.changes.change import Content, Files
    from scaffold.hcl.modules import ModuleContract
    from scaffold.hcl.syntax import Body, Document
    from scaffold.monorepo.stack import Stack
    from scaffold.monorepo.uses import Use

SCRIPTS = "scripts"
GENERATED = (".git", ".terraform", ".terragrunt-cache")
_LOCK = ".terraform.lock.hcl"


@dataclass(frozen=True)
class Monorepo:
    """A checkout of the infra repository."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> Monorepo:
        """The monorepo that contains ``start``.

        Raises what :func:`~scaffold.monorepo.root.find_root` does.
        """
        return cls(find_root(start))

    @cached_property
    def root_file(self) -> str:
        """The name of the root's settings file, which every stack includes; empty without Terragrunt."""
        return root_file(self.root)

    @cached_property
    def stacks_home(self) -> str:
        """The directory of the stacks, by its path from the root."""
        return stacks_home(self.root)

    def place(self, stack: str) -> str:
        """The directory of a stack, by its path from the root."""
        return place(self.root, stack)

    @cached_property
    def files(self) -> Files:
        """The files that are edited: what is read of them is what is replaced."""
        from scaffold.changes.change import Files

        return Files(self.root)

    @cached_property
    def stacks(self) -> tuple[str, ...]:
        """The names of all stacks, sorted; directories that begin with ``_`` or ``.`` are not stacks."""
        return tuple(
            sorted(
                entry.name
                for entry in (self.root / self.stacks_home).iterdir()
                if entry.is_dir() and entry.name[0] not in "._" and next(entry.glob("*.tf"), None)
            )
        )

    def stack_directory(self, name: str) -> Path:
        """Where a stack is, or would be."""
        return self.root / self.place(name)

    def stack_of(self, path: Path) -> str:
        """The stack that a file belongs to; empty if it is in none."""
        return stack_in(path.relative_to(self.root).as_posix(), self.stacks_home)

    def no_stack(self, name: str) -> MissingError:
        """The error for a stack that does not exist, with the nearest one."""
        hint = f"Name a directory below {self.stacks_home}/."
        return MissingError(f"There is no stack {name}.", nearest(name, self.stacks) or hint)

    @cached_property
    def fleet(self) -> Mapping[str, Stack]:
        """Every stack, read once; also directories that are not stacks to apply, such as drafts."""
        from scaffold.monorepo.fleet import read_fleet

        return read_fleet(self.root, self.terraform_files(""), self.root / self.stacks_home, self.shared)

    @cached_property
    def scripts_roles(self) -> tuple[Use, ...]:
        """The Vault roles that the house's own scripts read, above all for Terraform's state."""
        from scaffold.monorepo.uses import DATABASE_ROLE, Use, roles

        paths = sorted(path for path in self.root.glob(f"{SCRIPTS}/*") if path.is_file())
        texts = ((path, path.read_bytes().decode(errors="replace")) for path in paths)
        return tuple(
            Use(DATABASE_ROLE, role, path.relative_to(self.root).as_posix(), line)
            for path, text in texts
            for role, line in roles(text)
        )

    @cached_property
    def shared(self) -> SharedModules:
        """The shared modules, as ``scaffold.yml`` names them or by default."""
        return SharedModules.of(said(self.root))

    def has_module(self, name: str) -> bool:
        """Whether there is a shared module of this name."""
        from scaffold.hcl.modules import terraform_files

        return bool(name) and bool(terraform_files(self.root / self.shared.path(name)))

    @cached_property
    def ingress_module(self) -> ModuleContract:
        """The contract of the shared ingress module; without variables if there is no such module.

        The variables have the names that the templates use for them.
        """
        return self._contract(self.shared.ingress)

    def _contract(self, name: str) -> ModuleContract:
        from scaffold.hcl.modules import ModuleContract, read_module

        if not self.has_module(name):
            return ModuleContract({}, ())
        found = read_module(self.root / self.shared.path(name))
        return replace(found, variables=self.shared.as_usual(name, found.variables))

    @cached_property
    def anubis_module(self) -> ModuleContract:
        """The contract of the shared module for Anubis, in the same way."""
        return self._contract(self.shared.anubis)

    @property
    def domain(self) -> str | None:
        """The domain of hosts: the default of the ingress module, if it has one."""
        variable = self.ingress_module.variables.get("root_domain")
        return variable.default if variable and isinstance(variable.default, str) else None

    def terraform_files(self, *containing: str) -> Iterator[tuple[Path, bytes]]:
        """Every ``.tf`` file below the stacks that contains one of these texts, with its content."""
        wanted = [text.encode() for text in containing]
        for path, content in self._read:
            if any(text in content for text in wanted):
                yield path, content

    @cached_property
    def _read(self) -> tuple[tuple[Path, bytes], ...]:
        found: list[tuple[Path, bytes]] = []
        for path in files_below(self.root / self.stacks_home, ".tf"):
            with suppress(OSError):
                found.append((path, path.read_bytes()))
        return tuple(sorted(found, key=lambda file: file[0].parts))  # comparing two paths takes longer

    def sources(self, stack: str) -> dict[str, bytes]:
        """The HCL files of a stack and of its own modules, by their path from the root."""
        files = files_below(self.stack_directory(stack), ".tf", ".hcl")
        found = {path.relative_to(self.root).as_posix(): path for path in files if path.name != _LOCK}
        return {path: found[path].read_bytes() for path in sorted(found)}

    def own_files(self, *stacks: str) -> Mapping[str, dict[PurePosixPath, Content]]:
        """The files of stacks by their path below each, without those that Git ignores as generated."""
        from scaffold.changes.git import git, names

        found: dict[str, dict[PurePosixPath, Content]] = {stack: {} for stack in stacks}
        if not found:  # without a path, Git would list the whole repository
            return found
        paths = map(self.place, stacks)
        for path in names(git(self.root, "ls-files", "-coz", "--exclude-standard", "--", *paths)):
            content, _ = self.files.read(path)
            if content is not None:
                stack = stack_in(path, self.stacks_home)
                found[stack][path.relative_to(self.place(stack))] = content
        return found

    def document(self, path: Path, content: bytes) -> Document | None:
        """A parsed file of the monorepo, or nothing if it is not HCL, which is not judged here."""
        from scaffold.hcl.syntax import read

        return read(content, path.relative_to(self.root).as_posix())

    @cached_property
    def settings(self) -> Document:
        """The settings in the root: ``terragrunt.hcl`` or ``root.hcl``, or empty ones without Terragrunt.

        Raises :class:`~scaffold.hcl.syntax.HclSyntaxError` if it is not HCL: no stack could be applied.
        """
        from scaffold.hcl.syntax import parse, read

        content = (self.root / self.root_file).read_bytes() if self.root_file else b""
        return read(content, self.root_file) or parse(content, self.root_file)

    @cached_property
    def tier0_stacks(self) -> tuple[str, ...]:
        """The stacks of State tier 0, as the root's settings list them."""
        names = self.settings.body.inside("locals").literal("tier0_stacks")
        return tuple(map(str, names)) if isinstance(names, list | tuple) else ()

    @cached_property
    def _tfvars(self) -> Body | None:
        from scaffold.changes.change import is_ciphertext

        path = self.root / "config.tfvars"
        content = path.read_bytes() if path.is_file() else None
        document = self.document(path, content) if content and not is_ciphertext(content) else None
        return document.body if document else None

    @property
    def variables(self) -> frozenset[str] | None:
        """The variables that ``config.tfvars`` gives to every stack; none if it cannot be read."""
        return frozenset(self._tfvars.attributes) if self._tfvars else None

    def variable(self, name: str) -> str | None:
        """The text that ``config.tfvars`` gives to a variable, where it can be read."""
        value = self._tfvars.literal(name) if self._tfvars else None
        return value if isinstance(value, str) else None


def files_below(directory: Path, *endings: str) -> Iterator[Path]:
    """The files at any depth of a directory whose names end so, without what tools keep there."""
    for inside, below, here in os.walk(directory):
        below[:] = sorted(name for name in below if name not in GENERATED)
        paths = (Path(inside, name) for name in sorted(here) if name.endswith(endings))
        yield from filter(os.path.isfile, paths)  # reading a named pipe would block

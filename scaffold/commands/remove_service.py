"""``scaffold remove-service``: remove a Service from the monorepo, with everything that is only its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from scaffold.changes.change import ChangeSet, Content
from scaffold.changes.commit import demand_own, keep, unsaved, write
from scaffold.changes.git import git, names
from scaffold.changes.step import Step, When
from scaffold.checks.verify import Unverified, verify_edits
from scaffold.errors import RefusedError
from scaffold.indexes import upgrade_config
from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.edits import removals
from scaffold.indexes.entry import Database, ServiceEntry, UpstreamImage
from scaffold.indexes.places import file_of
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import Monorepo
from scaffold.monorepo.root import place

_CLAIM = "kubernetes_persistent_volume_claim"


@dataclass(frozen=True, slots=True)
class Mention:
    """A line elsewhere that names the Service; a person decides whether it has to go."""

    file: PurePosixPath
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a Service changes, not yet written, and what is left."""

    service: str
    change: ChangeSet
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]
    mentions: tuple[Mention, ...]
    unsaved: tuple[PurePosixPath, ...]
    """The files to delete that no commit has as they are now."""
    unverified: tuple[Unverified, ...] = ()

    @property
    def stack(self) -> str:
        """The directory of the stack."""
        return place(self.change.root, self.service)


def plan_removal(monorepo: Monorepo, name: str) -> Removal:
    """Plan the removal of a Service: its stack, and whatever the indexes say about it alone.

    Raises ``RefusedError`` for a stack that does not exist, that belongs to State tier 0, or that another
    stack depends on, and ``VerificationError`` for an edit that a second reader reads differently.
    """
    refuse_going(monorepo, name)
    entry = _own(StackReader(monorepo), name)
    edits = removals(monorepo.files, entry)
    directory = monorepo.place(name)
    wanted: dict[PurePosixPath, Content | None] = {
        PurePosixPath(directory, path): None for path in monorepo.own_files(name)[name]
    }
    wanted |= {edit.path: edit.after for edit in edits.edits}
    change = ChangeSet.plan(monorepo.files, wanted)
    return Removal(
        name,
        change,
        (*_steps(monorepo, entry, change), *edits.steps),
        tuple(_warnings(monorepo, entry)),
        tuple(mentions(monorepo, name, change)),
        unsaved(change),
        verify_edits(change),
    )


@dataclass(frozen=True, slots=True)
class Removed:
    """The outcome of a removal."""

    commit: str | None
    kept: str
    """The Git tree that has the stack as it was, whether a commit has it or not."""


def remove(removal: Removal, *, commit: bool) -> Removed:
    """Do what was planned, and commit exactly that if asked to. Git's object store keeps the stack as it was.

    Raises ``RefusedError`` if files changed meanwhile or the commit would take in somebody else's work; then
    nothing is written. Raises ``UncommittedError`` if Git refuses the commit.
    """
    if commit:
        demand_own(removal.change)
    kept = keep(removal.change.root, [file.path for file in removal.change.changes if file.after is None])
    return Removed(write(removal.change, f"{removal.service}: removed", committed=commit), kept)


def refuse_going(monorepo: Monorepo, name: str) -> None:
    """Raise :class:`RefusedError` for a stack that does not exist, or that others need under its name."""
    if name not in monorepo.stacks:
        raise monorepo.no_stack(name)
    if name in monorepo.tier0_stacks:
        raise RefusedError(f"{name} is a Tier 0 stack: everything else depends on it.")
    users = [stack for stack in monorepo.stacks if stack != name and _depends_on(monorepo, stack, name)]
    if users:
        raise RefusedError(
            f"{', '.join(users)} {'depends' if len(users) == 1 else 'depend'} on {name}.",
            "Remove the dependency from their terragrunt.hcl first.",
        )


def _depends_on(monorepo: Monorepo, stack: str, name: str) -> bool:
    path = monorepo.stack_directory(stack) / "terragrunt.hcl"
    document = monorepo.document(path, path.read_bytes()) if path.is_file() else None
    body = document.body if document else None
    said = [block.body.value("config_path") for block in body.blocks_of("dependency")] if body else []
    for block in body.blocks_of("dependencies") if body else ():
        paths = block.body.value("paths")
        said += paths.elements if paths else []
    # A path may begin with a function's value; the last part of it is the stack.
    texts = (path.text.strip('"').rstrip("/") for path in said if path is not None)
    return any(text.rpartition("/")[2] == name for text in texts)


def _own(reader: StackReader, name: str) -> ServiceEntry:
    """What the stack has to be listed for, without what another stack has as well."""
    entry = reader.entries[name]
    others = [other for stack, other in reader.entries.items() if stack != name]
    hosts = {host.label for other in others for host in other.hosts}
    roles = {database.role for other in others for database in other.databases}
    return replace(
        entry,
        hosts=tuple(host for host in entry.hosts if host.label not in hosts),
        databases=tuple(database for database in entry.databases if database.role not in roles),
        public_paths=(),  # the host tells which targets are its own
        upstream_images=tuple(_only_here(reader.monorepo, name)),
    )


def _only_here(monorepo: Monorepo, stack: str) -> Iterator[UpstreamImage]:
    """The images whose repository is recorded and that no other stack runs."""
    index = upgrade_config.REPOSITORIES
    path = file_of(monorepo.root, index.name)
    content = monorepo.files.read(path)[0] if path else None
    recorded: frozenset[str] = frozenset()
    with suppress(MissingAnchorError):
        recorded = index.entries(content) if isinstance(content, bytes) else recorded
    for image in sorted(recorded):
        written = (f'"{image}{end}' for end in (":", "@", '"'))
        users = {monorepo.stack_of(path) for path, _ in monorepo.terraform_files(*written)}
        if users == {stack}:
            yield UpstreamImage(image, "")


def _steps(monorepo: Monorepo, entry: ServiceEntry, change: ChangeSet) -> Iterator[Step]:
    facts = said(monorepo.root)
    apply = facts["commands"]["apply"]
    destroy = " ".join([*apply.split()[:-1], "destroy"])
    yield Step("Save the data that you want to keep.", when=When.FIRST)
    yield Step(
        "Destroy what runs, while the stack is still there.",
        f"(cd {monorepo.place(entry.stack)} && {destroy})",
        When.FIRST,
    )
    # Vault has to let go of a role first: it could not rotate the password of a user that is gone.
    roles = file_of(monorepo.root, "vault-static-roles")
    vault = monorepo.stack_of(monorepo.root / roles) if roles else ""
    edited = {monorepo.stack_of(monorepo.root / file.path) for file in change.changes}
    for stack in sorted(edited - {"", entry.stack}, key=lambda stack: (stack != vault, stack)):
        yield Step(f"Apply {stack}.", f"(cd {monorepo.place(stack)} && {apply})")
    yield from drop_steps(entry.databases)
    reads = monorepo.terraform_files(f'"{facts["kv_store"]}"', "vault_kv_secret", "vault_generic_secret")
    if any(monorepo.stack_of(path) == entry.stack for path, _ in reads):
        yield Step(
            "Delete its secrets in Vault, if nobody else reads them.",
            f"vault kv metadata delete secret/{entry.name}",
        )


def drop_steps(databases: Iterable[Database]) -> Iterator[Step]:
    """What is left to do about databases that nobody uses any more."""
    for database in databases:
        yield Step(
            f"Drop the {database.engine.value} database {database.name} and its user {database.user}: "
            "no apply does that."
        )


def _warnings(monorepo: Monorepo, entry: ServiceEntry) -> Iterator[str]:
    nfs_path = monorepo.shared.argument("nfs", "nfs_path")
    for path, content in monorepo.terraform_files(_CLAIM, nfs_path):
        document = monorepo.document(path, content)
        if monorepo.stack_of(path) != entry.stack or document is None:
            continue
        for block in document.body.blocks:
            if block.type == "resource" and block.labels[0].startswith(_CLAIM):
                yield f"The volume of {block.address} goes with the stack, with all data on it."
            nfs = block.body.value(nfs_path) if block.type == "module" else None
            if nfs:
                yield f"The NFS directory {nfs.text.strip(chr(34))} stays on the server."
    for host in entry.hosts:
        if host.dns_type != "none":
            yield f"The DNS record of {host.label} ({host.dns_type}) goes with the stack."


def mentions(monorepo: Monorepo, name: str, change: ChangeSet) -> Iterator[Mention]:
    """Where the name still occurs as a word, in the files as they will be."""
    changed = {file.path: file.after for file in change.changes}
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    for path in names(git(monorepo.root, "ls-files", "-z")):
        content = changed[path] if path in changed else _bytes(monorepo, path)
        if not isinstance(content, bytes) or name.encode() not in content or b"\0" in content[:8000]:
            continue
        for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
            if word.search(line):
                yield Mention(path, number, line.strip())


def _bytes(monorepo: Monorepo, path: PurePosixPath) -> bytes | None:
    file = monorepo.root / path
    return file.read_bytes() if file.is_file() and not file.is_symlink() else None

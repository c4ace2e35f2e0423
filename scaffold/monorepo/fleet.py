"""All stacks of a monorepo, read once; what was read is kept between runs, by the content of the files."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from scaffold.monorepo.routes import Route
from scaffold.monorepo.shared import SharedModules
from scaffold.monorepo.stack import Stack, read_stack
from scaffold.monorepo.uses import Use
from scaffold.templates import template

_READERS = ("hcl", "monorepo")
_PARTS = {part.__module__ for part in (Stack, Use, Route)}
"""The modules of the classes that a stack consists of; nothing else is made of what is kept."""
_Kept = Mapping[str, tuple[bytes, Stack]]


def read_fleet(
    root: Path, files: Iterable[tuple[Path, bytes]], stacks: Path, shared: SharedModules
) -> Mapping[str, Stack]:
    """Every stack by its name, from the Terraform files below ``stacks`` and their content.

    A stack of which no file changed since an earlier run is not parsed again.
    """
    sources: dict[str, dict[str, bytes]] = {}
    above, home = len(root.parts), len(stacks.parts)
    for path, content in files:
        name, *below = path.parts[home:]
        if below:
            sources.setdefault(name, {})["/".join(path.parts[above:])] = content
    place = _place(root, shared)
    kept = _load(place) if place else {}
    fleet: dict[str, tuple[bytes, Stack]] = {}
    for name, of_stack in sources.items():
        digest, before = digest_of(of_stack), kept.get(name)
        same = before is not None and before[0] == digest
        fleet[name] = before if before and same else (digest, _read(tuple(of_stack.items()), shared))
    if place and fleet != kept:
        _save(place, fleet)
    return {name: stack for name, (_, stack) in fleet.items()}


@lru_cache(512)
def _read(sources: tuple[tuple[str, bytes], ...], shared: SharedModules) -> Stack:
    """A stack, read once per run: two states of a monorepo, and copies of it, have most of them in common."""
    return read_stack(dict(sources), shared)


def digest_of(sources: Mapping[str, bytes]) -> bytes:
    """The digest of files, by their paths and what is in them."""
    total = sha256()
    for path, content in sources.items():
        total.update(b"%d %d " % (len(path.encode()), len(content)) + path.encode() + content)
    return total.digest()


def _place(root: Path, shared: SharedModules) -> Path | None:
    """The cache file for this monorepo and this very code: another version never trusts it."""
    directory = template.cache_directory("fleet")
    if directory is None:
        return None
    package = Path(__file__).parent.parent
    code = sha256(f"{template.facts_text('operations')}{shared}".encode())
    for reader in _READERS:
        for module in sorted((package / reader).glob("*.py")):
            code.update(module.read_bytes())
    return directory / f"{sha256(os.fsencode(root)).hexdigest()[:16]}-{code.hexdigest()[:16]}"


def unpickled(content: bytes, trusted: Callable[[str], bool]) -> object:
    """What an earlier run kept, made only of classes from ``trusted`` modules.

    Raises :class:`pickle.UnpicklingError` for others, and whatever damaged content leads to.
    """
    return _Unpickler(content, trusted).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, trusted: Callable[[str], bool]) -> None:
        super().__init__(io.BytesIO(content))
        self._trusted = trusted

    def find_class(self, module: str, name: str) -> object:
        # A dotted name would lead on to what the module imports.
        if "." in name or not self._trusted(module):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _load(place: Path) -> _Kept:
    try:
        found = unpickled(place.read_bytes(), _PARTS.__contains__)
    except Exception:  # whatever a damaged file leads to: everything is read again
        return {}
    return found if isinstance(found, dict) else {}


def _save(place: Path, fleet: _Kept) -> None:
    """Replace the whole cache file: of two writers one wins, and nobody reads half a file."""
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(pickle.dumps(fleet, protocol=pickle.HIGHEST_PROTOCOL))
        Path(file.name).replace(place)
    except OSError:
        return
    template.drop_unused(place.parent)

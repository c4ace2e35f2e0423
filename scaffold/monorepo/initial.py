"""What a monorepo shows about itself before it has a ``scaffold.yml``: where things are, and their names."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from scaffold.hcl.modules import read_module
from scaffold.hcl.syntax import Block, Body, Document, read
from scaffold.monorepo.arguments import own_names
from scaffold.monorepo.repository import GENERATED
from scaffold.monorepo.root import STACKS, root_file, stack_in
from scaffold.monorepo.shared import calls
from scaffold.templates import decisions
from scaffold.templates.questions import Value

NOWHERE = "not found"
_DEEP = 3
"""How deep below the root stacks and modules are looked for."""
_MOST = 0.6
"""The share of stacks from which on something is assumed of all."""
_SIGNS = {
    "ingress": ("kubernetes_ingress", "kubernetes_manifest.ingress_route"),
    "nfs": ("nfs",),
    "anubis": ("anubis",),
    "tls": ("kubernetes.io/tls",),
}
"""What is in the files of a module, by what it is for; the first that fits."""


_CLASSES = ("storage_class_name", "storageClassName", "storageClass")
"""What names a StorageClass, in Terraform, in manifests and in the values of charts."""
_ENCRYPTED = ("crypt", "luks")
"""What is in the name of one that encrypts."""
_MIDDLEWARE = "@kubernetescrd"
"""How the name of a Middleware ends in the annotation of an Ingress."""
_WITHOUT_WOODPECKER = "github-ghcr"


@dataclass(frozen=True, slots=True)
class Shown:
    """A fact that the monorepo shows, and the file or directory that shows it."""

    fact: str
    value: Value
    where: str


@dataclass(frozen=True)
class Sight:
    """A monorepo as its files show it, whatever ``scaffold.yml`` says."""

    root: Path

    def shown(self) -> Iterator[Shown]:
        """The facts that were found, each with its place; what was not found is left out."""
        home, stacks = self.home
        if not stacks:
            return
        yield Shown("stacks", home, PurePosixPath(home, stacks[0]).as_posix())
        name = root_file(self.root)
        modules = tuple(self._modules())
        yield from modules
        every, place = self._before_all()
        usual = decisions.house()
        names = {**usual["stands_on"], "every": every}
        there = {key: stack if stack in stacks else "" for key, stack in names.items()}
        yield Shown("stands_on", there, place or f"{home}/")
        if not (self.root / home / stacks[0] / usual["commands"]["apply"].split()[0]).is_file():
            tool = "terragrunt" if name else "terraform"
            commands: dict[str, Value] = {"plan": f"{tool} plan", "apply": f"{tool} apply"}
            commands |= {} if there["vault"] else {"login": ""}
            yield Shown("commands", commands, name or f"{home}/")
        yield from self._storage()
        yield from self._around()

    @cached_property
    def home(self) -> tuple[str, tuple[str, ...]]:
        """The directory that contains most stacks, with their names; ``stacks`` before any other."""
        found: dict[str, list[str]] = {}
        for directory in self._terraform:
            above, _, name = directory.rpartition("/")
            if directory not in self._called and "modules" not in directory.split("/"):
                found.setdefault(above or ".", []).append(name)
        found.pop("", None)
        best = max(found, key=lambda one: (one == STACKS, len(found[one]), one != ".", one), default="")
        return best, tuple(sorted(found.get(best, ())))

    @cached_property
    def _terraform(self) -> dict[str, tuple[Document, ...]]:
        """The directories with Terraform files, by their path from the root."""
        found: dict[str, tuple[Document, ...]] = {}
        for directory, below, names in os.walk(self.root):
            path = Path(directory).relative_to(self.root)
            deep = len(path.parts) >= _DEEP
            below[:] = [] if deep else sorted(n for n in below if n not in GENERATED and n[0] not in "._")
            files = [Path(directory, name) for name in sorted(names) if name.endswith(".tf")]
            documents = [read(file.read_bytes(), str(path / file.name)) for file in files if file.is_file()]
            if documents and path.parts:
                found[path.as_posix()] = tuple(document for document in documents if document)
        return found

    @cached_property
    def _called(self) -> Counter[str]:
        """The directories that are called as modules by path, and how often."""
        found: Counter[str] = Counter()
        for directory, block in self._calls:
            source = block.body.literal("source")
            if isinstance(source, str) and source.startswith("."):
                found[posixpath.normpath(posixpath.join(directory, source))] += 1
        return found

    @property
    def _calls(self) -> Iterator[tuple[str, Block]]:
        """The blocks that call modules, each with the directory that it is in."""
        for directory, documents in self._terraform.items():
            yield from ((directory, block) for d in documents for block in d.body.blocks_of("module"))

    def _modules(self) -> Iterator[Shown]:
        """The shared modules: those that are called most, identified by their files."""
        if self._named:
            its: dict[str, Value] = dict.fromkeys(_SIGNS, "")
            its |= {purpose: place.name for purpose, place in self._named.items()}
            above = next(iter(self._named.values())).parent.as_posix()
            yield Shown("shared_modules", {"directory": above, **its}, above)
            own = {purpose: self._own_names(purpose) for purpose in self._named}
            if own := {purpose: names for purpose, names in own.items() if names}:
                yield Shown("module_arguments", own, above)
        if "ingress" in self._named:
            yield from self._gates()
        # One that the module has as a default is sensed whenever scaffold runs, and needs no line of its own.
        ingress = self._named.get("ingress")
        documents = self._terraform[ingress.as_posix()] if ingress else ()
        if not any("root_domain" in b.labels for d in documents for b in d.body.blocks_of("variable")):
            domain, place = next(filter(None, map(_domain, documents)), ""), str(ingress)
            hosts = [] if domain else list(self._given("ingress", "full_host"))
            ends = Counter(host.partition(".")[2] for host, _ in hosts if host.count(".") > 1)
            for end, _ in ends.most_common(1):
                domain, place = end, next(at for host, at in hosts if host.endswith(end))
            yield Shown("domain", domain, place if domain else NOWHERE)

    def _gates(self) -> Iterator[Shown]:
        """The middleware that the ingress module adds for a login, if it is not the templates' own."""
        place = self._named["ingress"].as_posix()
        texts = {text.string() or "" for d in self._terraform[place] for _, text in d.body.texts()}
        found = sorted(text for text in texts if text.endswith(_MIDDLEWARE))
        usual = dict.fromkeys(decisions.house()["gates"], "")
        if not set(decisions.house()["gates"].values()) & set(found):
            one = len(found) == 1
            yield Shown("gates", {**usual, "required": found[0]} if one else "", place if one else NOWHERE)

    @cached_property
    def _named(self) -> dict[str, PurePosixPath]:
        """Where the shared modules are, by what they are for: those in the directory that has most."""
        home = PurePosixPath(self.home[0])
        names: dict[str, PurePosixPath] = {}
        for path in self._shared:
            place = PurePosixPath(path)
            if home.as_posix() == "." or not place.is_relative_to(home):
                text = b"\n".join(document.source.data for document in self._terraform[path]).lower()
                fitting = (p for p, signs in _SIGNS.items() if any(sign.encode() in text for sign in signs))
                names.setdefault(next(fitting, ""), place)
        names.pop("", None)
        above = Counter(place.parent for place in names.values()).most_common(1)
        return {purpose: place for purpose, place in names.items() if place.parent == above[0][0]}

    def _own_names(self, purpose: str) -> dict[str, str]:
        """What a shared module calls otherwise than the templates."""
        path = self._named[purpose].as_posix()
        return own_names(purpose, self._terraform[path], read_module(self.root / path))

    def _given(self, purpose: str, argument: str) -> Iterator[tuple[str, str]]:
        """What calls of a shared module give an argument: the text, or ``var.NAME``, and the file."""
        if purpose not in self._named:
            return
        name = self._own_names(purpose).get(argument, argument)
        for _, block in self._calls:
            value = block.body.value(name) if calls(block, self._named[purpose].name) else None
            text = (value.string() or value.text) if value is not None else ""
            if text and "${" not in text:
                yield text, block.source.path

    @property
    def _shared(self) -> Iterator[str]:
        """The modules that are called, most often first, and then those beside them."""
        called = [path for path, _ in self._called.most_common() if path in self._terraform]
        beside = {posixpath.dirname(path) for path in called} - {""}
        yield from called
        yield from (p for p in self._terraform if p not in called and posixpath.dirname(p) in beside)

    @property
    def _texts(self) -> Iterator[tuple[str, str, str]]:
        """The texts in the files of the stacks: the argument or key, the text, and the file."""
        home = PurePosixPath(self.home[0])
        for directory, documents in self._terraform.items():
            if PurePosixPath(directory).is_relative_to(home) and directory not in self._called:
                for document in documents:
                    told = ((name, value.string()) for name, value in document.body.texts())
                    yield from ((name, text, document.source.path) for name, text in told if text)

    def _storage(self) -> Iterator[Shown]:
        """The StorageClasses of most volumes, the encrypted one by its name, and the NFS directory."""
        seen: Counter[tuple[str, bool]] = Counter()
        places: dict[str, str] = {}
        for name, text, place in self._texts:
            if name in _CLASSES:
                seen[text, any(sign in text.lower() for sign in _ENCRYPTED)] += 1
            places.setdefault(text, place)
        for fact, encrypted in (("storage_encrypted", True), ("storage_plain", False)):
            value = next((name for (name, is_one), _ in seen.most_common() if is_one == encrypted), "")
            yield Shown(fact, value, places.get(value, NOWHERE) if value else NOWHERE)
            if value and not encrypted and value != decisions.house()[fact]:
                yield Shown("storage_plain_suffix", "", places[value])
        if "nfs" in self._named:
            yield from self._shares()

    def _shares(self) -> Iterator[Shown]:
        """Where most volumes on NFS are, and how calls name the server."""
        roots = [
            (_above(path, stack_in(place, self.home[0])), place)
            for path, place in self._given("nfs", "nfs_path")
            if path.startswith("/")
        ]
        root = next((root for root, _ in Counter(root for root, _ in roots).most_common(1)), "")
        yield Shown("nfs_root", root, next((place for one, place in roots if one == root), NOWHERE))
        servers = list(self._given("nfs", "nfs_server"))
        for server, _ in Counter(name for name, _ in servers).most_common(1):
            place = next(at for name, at in servers if name == server)
            variable = server.removeprefix("var.") if server.startswith("var.") else ""
            yield Shown("nfs_variable", variable, place)
            if not variable:
                yield Shown("nfs_host", server, place)

    def _around(self) -> Iterator[Shown]:
        """What is outside the stacks: what builds images, and where metrics are pushed."""
        texts = [d.source.data.lower() for documents in self._terraform.values() for d in documents]
        if not any(b"woodpecker" in text for text in texts) and not next(
            self.root.glob(".woodpecker*"), None
        ):
            actions = ".github/workflows"
            where = actions if (self.root / actions).is_dir() else "no .woodpecker.yml"
            yield Shown("runs", {"woodpecker": False}, where)
            yield Shown("own_build", _WITHOUT_WOODPECKER, where)
        if not any(b"pushgateway" in text for text in texts):
            yield Shown("pushgateway", "", f"{self.home[0]}/")

    def _before_all(self) -> tuple[str, str]:
        """The stack that most others depend on, and a file that says so."""
        home, stacks = self.home
        seen: dict[str, list[str]] = {}
        for stack in stacks:
            path = f"{home}/{stack}/terragrunt.hcl"
            content = (self.root / path).read_bytes() if (self.root / path).is_file() else b""
            document = read(content, path)
            for target in _targets(document.body) if document else ():
                seen.setdefault(target, []).append(path)
        best = max(seen, key=lambda one: len(seen[one]), default="")
        enough = best and len(seen[best]) >= _MOST * max(len(stacks) - 1, 1)
        return (best, seen[best][0]) if enough else ("", "")


def _domain(document: Document) -> str:
    """The end of hosts: the text after the last reference in one, as in ``"${var.host}.example.org"``."""
    for _, value in document.body.texts():
        end = next(reversed(value.template[1:]), "")
        if isinstance(end, str) and end.startswith(".") and "." in end[1:]:
            return end[1:]
    return ""


def _above(directory: str, stack: str) -> str:
    """What is above a stack's own part of a directory's path, or just above the directory."""
    parts = PurePosixPath(directory).parts
    own = (at for at, part in enumerate(parts) if stack and part.startswith(stack))
    return posixpath.join(*parts[: next(own, len(parts) - 1)])


def _targets(settings: Body) -> Iterator[str]:
    for block in settings.blocks_of("dependency"):
        path = block.body.literal("config_path")
        if isinstance(path, str) and path.startswith("../"):
            yield path.removeprefix("../")

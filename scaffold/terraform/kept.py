"""Results kept between runs: a stack in which nothing has changed is not planned, or looked at, again.

Each question that a result depends on is kept with a digest of its answer, and the result is valid for as
long as every question has the same answer, with the same code. A plan reads the monorepo only through its
``Tree``, so nothing needs to be known here about what it reads. A failure that may be the machine's is never
kept, and neither is a plan that shows a text from a file of values, which Git may have decrypted.
"""

from __future__ import annotations

import contextlib
import copyreg
import hashlib
import os
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import scaffold
from scaffold.changes.change import is_ciphertext
from scaffold.monorepo.fleet import unpickled
from scaffold.templates.template import cache_root
from scaffold.terraform.files import VALUES
from scaffold.terraform.result import PlanResult
from scaffold.terraform.schemas import Schemas
from scaffold.terraform.tool import Tool
from scaffold.terraform.tree import Kind, Tree
from scaffold.terraform.variables import texts_set

T = TypeVar("T")
_MOST = 4000
"""How many results are kept, the last used ones."""
_CHANGING = b"plantimestamp"
"""What evaluates to something else in every plan. Of ``timestamp`` and ``uuid`` a plan knows no value."""
_CODE = ("changes", "hcl", "terraform", "errors.py")
"""The parts of this package that a plan runs through."""
_LIBRARIES = ("google.protobuf", "grpc", "msgpack", "tree_sitter", "tree_sitter_hcl")
"""What reads the files for it, and speaks to the program."""
_SHORTEST = 4
"""Characters of a text below which it is found everywhere, and is no secret."""

Question = tuple[str, str]
Answers = dict[Question, bytes]


class AskedTree:
    """A tree that records every question and a digest of its answer; ``steady`` is False once one changes.

    ``given`` are the texts that files of values give; None if they cannot be told.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.answers: Answers = {}
        self.given: set[str | None] = set()
        self.steady = True

    def kind(self, path: str) -> Kind | None:
        """What stands at the path."""
        return self._note("kind", path, self._tree.kind(path))

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        content = self._note("read", path, self._tree.read(path))
        self.steady = self.steady and _CHANGING not in content
        if path.endswith(VALUES) and not is_ciphertext(content):
            self.given.update(texts_set(path, content))
        return content

    def target(self, path: str) -> str:
        """What a link points to."""
        return self._note("target", path, self._tree.target(path))

    def names(self, path: str) -> frozenset[str]:
        """The names in a directory."""
        return self._note("names", path, self._tree.names(path))

    def _note(self, what: str, path: str, answer: T) -> T:
        digest = digest_of(answer)
        self.steady = self.steady and self.answers.setdefault((what, path), digest) == digest
        return answer


def same_answers(tree: Tree, answers: Answers) -> bool:
    """Whether a tree gives the same answers as another one did."""
    return all(_asked(tree, question) == digest for question, digest in answers.items())


def _asked(tree: object, question: Question) -> bytes | None:
    """The digest of an answer; None if there is none."""
    ask = cast("Callable[[str], object]", getattr(tree, question[0]))
    try:
        return digest_of(ask(question[1]))
    except (OSError, LookupError):
        return None


class Kept:
    """The results that earlier runs kept under one ``base``, which stands for everything except the answers.

    Where nothing can be kept, or there is no base, nothing is found. Runs at the same time share the
    directory: a file appears whole or not at all, and says itself whether it is.
    """

    def __init__(self, base: str, directory: Path | None = None) -> None:
        self._directory = directory or _directory()
        self._base = base
        self._files: dict[str, list[Path]] = defaultdict(list)
        self._digests: dict[tuple[int, Question], bytes] = {}
        for file in _by_age(self._directory):
            self._files[file.name.partition("-")[0]].append(file)

    def result(self, asked: object, name: str) -> object | None:
        """The valid result with this name, if there is one; ``asked`` has a method for each question."""
        for file in self._files.get(self._key(name), ()) if self._base else ():
            with contextlib.suppress(OSError, pickle.UnpicklingError):
                whole = file.read_bytes()
                if hashlib.sha256(whole[32:]).digest() == whole[:32]:
                    answers, pickled = cast("tuple[Answers, bytes]", _loaded(whole[32:]))
                    if all(self._answer(asked, question) == digest for question, digest in answers.items()):
                        os.utime(file)
                        return _loaded(pickled)
        return None

    def store(self, answers: Answers, name: str, pickled: bytes) -> None:
        """Keep a result for as long as these answers stay the same."""
        if not self._base:
            return
        content = pickle.dumps((answers, pickled))
        digest = hashlib.sha256(content)
        target = self._directory / f"{self._key(name)}-{_hex(repr(sorted(answers.items())))}"
        with contextlib.suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            number, staged = tempfile.mkstemp(dir=self._directory)
            try:
                with open(number, "wb") as file:  # noqa: PTH123
                    file.write(digest.digest() + content)
                Path(staged).replace(target)
            except OSError:
                Path(staged).unlink()

    def sweep(self) -> None:
        """Remove the results that have not been used for the longest time, if there are too many."""
        for file in _by_age(self._directory)[_MOST:]:
            with contextlib.suppress(OSError):
                file.unlink()

    def _key(self, name: str) -> str:
        return _hex(f"{self._base}\0{name}")

    def _answer(self, asked: object, question: Question) -> bytes | None:
        """The digest of an answer, which does not change while a run looks for known results."""
        known = (id(asked), question)
        if known not in self._digests and (digest := _asked(asked, question)) is not None:
            self._digests[known] = digest
        return self._digests.get(known)


class KeptPlans(Kept):
    """The plans that earlier runs kept for one program and its schemas."""

    def __init__(self, tool: Tool, known: Schemas, directory: Path | None = None) -> None:
        super().__init__(_identity(tool, known), directory)

    def find(self, tree: Tree, stack: str) -> PlanResult | None:
        """The result of planning the stack in this directory of this tree, if it is known."""
        return cast("PlanResult | None", self.result(tree, stack))

    def keep(self, asked: AskedTree, stack: str, result: PlanResult, run: Path) -> None:
        """Keep a result, unless another run may get a different one; ``run`` is the directory of this run."""
        pickled = pickle.dumps(result)
        told = {run.name, *(text for text in asked.given if text and len(text) >= _SHORTEST)}
        secret = None in asked.given or any(text.encode() in pickled for text in told)
        if result.lasting and asked.steady and not secret:
            self.store(asked.answers, stack, pickled)


def _loaded(content: bytes) -> object:
    """What a file holds; only classes of this project are made of it."""
    return unpickled(content, lambda module: module.partition(".")[0] == scaffold.__name__)


def _directory() -> Path:
    return cache_root() / "plans"


def _by_age(directory: Path) -> list[Path]:
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(directory):
            with contextlib.suppress(FileNotFoundError):
                found.append((entry.stat().st_mtime_ns, entry.path))
    return [Path(path) for _, path in sorted(found, reverse=True)]


def _identity(tool: Tool, known: Schemas) -> str:
    """Everything that a plan depends on except the files; empty for a script, which may start any version."""
    program = Path(tool.path)
    with contextlib.suppress(OSError), program.open("rb") as file:
        if file.read(2) != b"#!":
            return identity(_CODE, [program, *(provider.file for provider in known.providers.values())])
    return ""


def identity(code: Iterable[str], files: Iterable[Path]) -> str:
    """The state of parts of this package, of the libraries that read files for it, and of other files.

    Empty if one cannot be read.
    """
    package = Path(scaffold.__file__).parent
    sources = list(files)
    for library in _LIBRARIES:
        if (found := find_spec(library)) and found.origin:
            sources.append(Path(found.origin))
    for part in code:
        sources += (package / part).rglob("*.py") if (package / part).is_dir() else [package / part]
    try:
        return "\0".join(
            sorted(f"{path}:{s.st_size}:{s.st_mtime_ns}" for path in sources for s in (path.stat(),))
        )
    except OSError:
        return ""


def digest_of(answer: object) -> bytes:
    """The digest of an answer: bytes, a text, a set of names, or anything else as text."""
    if isinstance(answer, frozenset):
        answer = "\0".join(sorted(answer))
    content = answer if isinstance(answer, bytes) else str(answer).encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).digest()[:16]


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _frozen(content: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(content)


copyreg.pickle(MappingProxyType, lambda proxy: (_frozen, (dict(proxy),)))

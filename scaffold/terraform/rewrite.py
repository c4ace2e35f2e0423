"""What is changed in the working copy of an HCL file so that it can be planned without the world around it.

Every change is a splice at places of the syntax tree, and every stand-in is reported. What is left of a file
means what it meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scaffold.hcl.splice import Splice, blank, insertion
from scaffold.hcl.syntax import Block, Document, Expression
from scaffold.terraform.file_changes import Changes
from scaffold.terraform.planned import INSTANCE
from scaffold.terraform.result import Reason, StandInKind
from scaffold.terraform.tree import OutsideError

REFUSED = "-refused"
"""What the name of a file that does not exist ends in: the one that a refused path becomes."""


def _core(*names: str) -> frozenset[str]:
    """Terraform's built-in functions, under both of their names."""
    return frozenset(f"{core}{name}" for core in ("", "core::") for name in names)


_HASHES = ("base64", "base64sha256", "base64sha512", "md5", "sha1", "sha256", "sha512")
_TEMPLATES = _core("templatefile")
_LISTS = _core("fileset")
_READS_AS_IS = _core("file", *(f"file{name}" for name in _HASHES))
_READS_TEXT = _READS_AS_IS | _TEMPLATES
_READERS = _READS_TEXT | _LISTS | _core("fileexists")
_UNCHECKED = _core("templatestring")
_OF_PROVIDER = "provider::"
_UNMARKS = "nonsensitive"
_KEY = frozenset((("each", "key"),))
_EACH = "scaffold_each"
"""The name of a guarded argument inside its guard; only the guard's own condition can see it."""


def may_read(template: bytes) -> bool:
    """Whether a template may call a function that reads files: a look at the bytes, before it is parsed."""
    return any(name.encode() in template for name in _READERS | _UNCHECKED)


def unmarking(document: Document) -> Iterator[Expression]:
    """The calls that remove a placeholder's mark from a value."""
    if _UNMARKS.encode() in document.source.data:
        for call in document.body.calls():
            if call.call is not None and call.call.function in (_UNMARKS, f"core::{_UNMARKS}"):
                yield call


@dataclass(frozen=True, slots=True)
class Mends:
    """What earlier attempts at the same plan have shown to be needed, by file.

    ``instances``: places of ``count`` and ``for_each`` arguments whose value stands in, and ``later`` those
    of them that are not known at a first apply either; ``operators``: files in which ``&&`` and ``||`` are
    evaluated as Terraform 1.12 does; ``variables``: variables for which no placeholder fits and which are
    unknown instead; ``marked``: calls of ``nonsensitive`` that are left out, since what they get comes from
    a placeholder.
    """

    instances: frozenset[tuple[str, int]] = frozenset()
    later: frozenset[tuple[str, int]] = frozenset()
    operators: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    marked: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Rewrites the files of one module.

    ``root`` is the absolute path of the working copy, ``as_written`` that of the files that are changed in
    it, as a person wrote them; ``helper`` a name that nobody could foresee: that of the resource from which
    unknown values come. ``access`` says from what path of the monorepo a call reads, None if only a run shows
    that, ``is_secret`` whether a file's contents may not be read; ``placeholders`` are the module's variables
    without a value.
    """

    root: Path
    as_written: Path
    helper: str
    access: Callable[[Expression, bool], str | None]
    is_secret: Callable[[str], bool]
    mends: Mends
    placeholders: frozenset[str] = frozenset()

    @property
    def unknown_string(self) -> str:
        """A string that Terraform does not know before apply."""
        return f"terraform_data.{self.helper}.id"

    @property
    def unknown_any(self) -> str:
        """A value of any type that Terraform does not know before apply."""
        return f"jsondecode({self.unknown_string})"

    def changes(self, document: Document, *, overrides: bool = False) -> Changes:
        """All changes of one file; ``overrides`` says that its blocks are merged into those of others."""
        result = Changes()
        for block in document.body.blocks:
            match block.type:
                case "terraform":
                    result.only_versions(block)
                case "import":
                    # What is imported is planned as new.
                    result.splices.append(blank(block.source.data, block.start, block.end))
                    target = block.body.value("to")
                    result.stand_in(
                        block, StandInKind.IMPORT, target.text if target is not None else "import"
                    )
                case "data" if not overrides:  # what is merged into depends on the helper already
                    self._defer(block, result)
                case "ephemeral":
                    what = f"{block.address} is opened in every plan, and there is no provider to do it"
                    result.refuse(block, what, reason=Reason.NO_SCHEMA)
                case "check":
                    for data in block.body.blocks_of("data"):
                        self._defer(data, result)
                case "variable":
                    self._validations(block, result)
            self._instances(block, result)
        for call in document.body.calls():
            self.read(call, result)
        if variables := self.placeholders & self.mends.variables:
            result.hide(document.body, frozenset(("var", name) for name in variables), self.unknown_any)
        if document.path in self.mends.operators:
            result.split_operators(document.body)
        return result

    def _validations(self, block: Block, result: Changes) -> None:
        """A placeholder is no value to validate."""
        if block.labels and block.labels[0] in self.placeholders:
            for validation in block.body.blocks_of("validation"):
                result.splices.append(blank(block.source.data, validation.start, validation.end))

    def _instances(self, block: Block, result: Changes) -> None:
        attribute = block.repeated
        if attribute is None or (block.source.path, attribute.start) not in self.mends.instances:
            return
        if attribute.name == "count":
            result.replace(attribute.value, "1")
        else:
            result.replace(attribute.value, f'{{ "{INSTANCE}" = {self.unknown_any} }}')
            result.needs_helper = True
            # What is made of the key of the one instance would look real.
            result.hide(block.body, _KEY, self.unknown_string)
        result.stand_in(attribute, StandInKind.INSTANCES, f"{attribute.name} of {block.address}")

    def read(self, call: Expression, result: Changes, *, in_template: bool = False) -> None:
        """A call that may read a file: it reads what is in the working copy, or nothing."""
        assert call.call is not None
        function, arguments = call.call.function, call.call.arguments
        if function.startswith(_OF_PROVIDER):
            self._stand_in(call, StandInKind.FUNCTION, f"{function}()", result)
            return
        if (call.source.path, call.start) in self.mends.marked:
            result.splices.append(Splice(call.start, call.start + len(function), b""))
            return
        if function in _UNCHECKED:
            message = f"{function}() evaluates text that cannot be checked first"
            result.refuse(call, message, "use templatefile() with a file of the stack")
        if function not in _READERS or not arguments:
            return
        try:
            path = self.access(arguments[0], function in _TEMPLATES)
        except OutsideError as error:
            result.refuse(call, f"{function}() reads {error.path}, which is outside the monorepo")
            return
        secret = path is not None and self.is_secret(path)
        if path is not None and secret and function in _READS_TEXT and not in_template:
            self._stand_in(call, StandInKind.FILE, path, result)
        elif path is not None and function in _TEMPLATES and path.endswith(".tf"):
            result.refuse(call, "a file of the configuration is not a template")
        else:
            self._guard(call, result)

    def _stand_in(self, call: Expression, kind: StandInKind, what: str, result: Changes) -> None:
        """An unknown value in place of a call."""
        unknown = self.unknown_string if kind is StandInKind.FILE else self.unknown_any
        result.replace(call, unknown)
        result.unknown.append((call.start, call.end))
        result.needs_helper = True
        result.stand_in(call, kind, what)

    def _guard(self, call: Expression, result: Changes) -> None:
        """What a call reads may neither leave the working copy nor be a file that was evaluated already.

        Where it reads bytes, it gets those that a person wrote: what is changed in a file of the working copy
        differs from run to run.

        Terraform judges, after its own expansion of the path. What a path is was looked at before; but
        another definition may hold there than the one that was seen here.
        """
        assert call.call is not None
        function, (path, *others) = call.call.function, call.call.arguments
        if call.call.expanded:
            result.refuse(call, f"{function}() gets a list of arguments, which cannot be checked")
            return
        place = f"abspath(pathexpand({_EACH}))"
        inside = f'startswith("${{{place}}}/", {json.dumps(f"{self.root}/")})'
        if function in _TEMPLATES:
            # The comments of a configuration file would be code in a template.
            inside += f' && !endswith(lower({place}), ".tf")'
        read = _EACH
        if function in _READS_AS_IS:
            result.reads_as_is = True
            inner = f"trimprefix({place}, {json.dumps(f'{self.root}/')})"
            written = f'"${{{json.dumps(str(self.as_written))}}}/${{{inner}}}"'
            read = f"(fileexists({written}) ? {written} : {_EACH})"
        self._allow(path, inside, result, read)
        if function in _LISTS and others:
            self._allow(others[0], f'!strcontains({_EACH}, "..")', result)

    def _allow(self, argument: Expression, condition: str, result: Changes, value: str = _EACH) -> None:
        """The argument, or the value made of it, if the condition holds; else the error of a file that does
        not exist.
        """
        refused = f"file({json.dumps(self.helper + REFUSED)})"
        after = f"\n] : {condition} ? {value} : {refused}])"  # a heredoc ends with its line
        result.splices.append(insertion(argument.start, f"one([for {_EACH} in [".encode()))
        result.splices.append(Splice(argument.end, argument.end, after.encode(), argument.start))

    def _defer(self, block: Block, result: Changes) -> None:
        """Data that depends on something still to be created is read after apply: all of it is unknown."""
        result.needs_helper = True
        result.stand_in(block, StandInKind.DATA, block.address)
        helper = f"terraform_data.{self.helper}"
        existing = block.body.value("depends_on")
        if existing is not None:
            result.splices.append(insertion(existing.start + 1, f"{helper}, ".encode()))
            return
        if block.line == block.end_line and block.body.items:
            result.splices.append(insertion(block.brace + 1, b"\n"))
        result.splices.append(insertion(block.end - 1, f"\ndepends_on = [{helper}]\n".encode()))

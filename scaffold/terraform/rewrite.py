"""What is changed in the working copy of an HCL file so that it can be planned without the world around it.

Every change is a splice at the places of the syntax tree, and everything that stands in for something real is
reported. What is left of a file means what it meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scaffold.errors import Finding
from scaffold.hcl.source import at
from scaffold.hcl.splice import Splice, blank, insertion
from scaffold.hcl.syntax import Attribute, Block, Body, Document, Expression
from scaffold.terraform.planned import HELPER, INSTANCE
from scaffold.terraform.result import Reason, StandIn, StandInKind
from scaffold.terraform.tree import OutsideError

UNKNOWN_STRING = f"terraform_data.{HELPER}.id"
"""A string that Terraform does not know before apply."""
UNKNOWN_ANY = f"jsondecode({UNKNOWN_STRING})"
"""A value of any type that Terraform does not know before apply."""
REFUSED = "scaffold-refused-outside"
"""What a guarded path becomes where it leaves the working copy: a file that does not exist."""

_KEPT_SETTINGS = frozenset(("required_providers", "required_version"))


def _core(*names: str) -> frozenset[str]:
    """Functions of Terraform itself, by both of their names."""
    return frozenset(f"{core}{name}" for core in ("", "core::") for name in names)


_HASHES = ("base64", "base64sha256", "base64sha512", "md5", "sha1", "sha256", "sha512")
_TEMPLATES = _core("templatefile")
_LISTS = _core("fileset")
_READS_TEXT = _core("file", *(f"file{name}" for name in _HASHES)) | _TEMPLATES
_READERS = _READS_TEXT | _LISTS | _core("fileexists")
_UNCHECKED = _core("templatestring")
_OF_PROVIDER = "provider::"
_UNMARKS = "nonsensitive"
_KEY = frozenset((("each", "key"),))


def may_read(template: bytes) -> bool:
    """Whether a template may call a function that reads files: a look at the bytes, before it is parsed."""
    return any(name.encode() in template for name in _READERS | _UNCHECKED)


def unmarking(document: Document) -> Iterator[Expression]:
    """The calls that take the mark of a placeholder from a value."""
    if _UNMARKS.encode() in document.source.data:
        for call in document.body.calls():
            if call.call is not None and call.call.function in (_UNMARKS, f"core::{_UNMARKS}"):
                yield call


@dataclass(frozen=True, slots=True)
class FileAccess:
    """What a call reads from: a path from the monorepo's root, or None where it is only known in the end."""

    path: str | None


@dataclass(frozen=True, slots=True)
class Mends:
    """What earlier attempts of the same plan have shown to be needed, by file.

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


@dataclass(slots=True)
class Changes:
    """What is changed in one file."""

    splices: list[Splice] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    needs_helper: bool = False

    def refuse(self, place: Expression | Block, message: str, fix: str = "") -> None:
        """Note that the file reaches out of the working copy, or may."""
        self.findings.append(at(place, Reason.OUTSIDE.value, message, fix=fix or None))


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Rewrites the files of one module.

    ``root`` is the absolute path of the working copy; ``access`` says what path a call reads from,
    ``is_secret`` whether a file's contents may not be read; ``placeholders`` are the module's variables
    without a value.
    """

    root: Path
    access: Callable[[Expression, bool], FileAccess]
    is_secret: Callable[[str], bool]
    mends: Mends
    placeholders: frozenset[str] = frozenset()

    def changes(self, document: Document) -> Changes:
        """All changes of one file."""
        result = Changes()
        for block in document.body.blocks:
            match block.type:
                case "terraform":
                    _settings(block, result)
                case "import":
                    _import(block, result)
                case "data":
                    _defer(block, result)
                case "ephemeral":
                    _ephemeral(block, result)
                case "check":
                    for data in block.body.blocks_of("data"):
                        _defer(data, result)
                case "variable":
                    self._validations(block, result)
            self._instances(block, result)
        for call in document.body.calls():
            self.read(call, result)
        if variables := self.placeholders & self.mends.variables:
            _hide(document.body, frozenset(("var", name) for name in variables), UNKNOWN_ANY, result)
        if document.path in self.mends.operators:
            _operators(document.body, result)
        return result

    def _validations(self, block: Block, result: Changes) -> None:
        """There is no value to validate where a placeholder stands in."""
        if block.labels and block.labels[0] in self.placeholders:
            for validation in block.body.blocks_of("validation"):
                result.splices.append(blank(block.source.data, validation.start, validation.end))

    def _instances(self, block: Block, result: Changes) -> None:
        for name in ("count", "for_each"):
            attribute = block.body.attributes.get(name)
            if attribute is None or (block.source.path, attribute.start) not in self.mends.instances:
                continue
            known = "1" if name == "count" else f'{{ "{INSTANCE}" = {UNKNOWN_ANY} }}'
            result.splices.append(_replacement(attribute.value, known))
            if name == "for_each":
                result.needs_helper = True
                # What is made of the key of the one instance would look real.
                _hide(block.body, _KEY, UNKNOWN_STRING, result)
            what = f"{name} of {block.address}"
            result.stand_ins.append(StandIn(StandInKind.INSTANCES, what, _where(attribute)))

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
            message = f"{function}() evaluates text that cannot be looked at before"
            result.refuse(call, message, "use templatefile() with a file of the stack")
        if function not in _READERS or not arguments:
            return
        try:
            access = self.access(arguments[0], function in _TEMPLATES)
        except OutsideError as error:
            result.refuse(call, f"{function}() reads {error.path}, which is outside of the monorepo")
            return
        pattern = arguments[1].string() if function in _LISTS and len(arguments) > 1 else ""
        if access.path is None or pattern is None or ".." in pattern:
            self._guard(call, result)
        elif self.is_secret(access.path) and function in _READS_TEXT and not in_template:
            self._stand_in(call, StandInKind.FILE, access.path, result)

    def _stand_in(self, call: Expression, kind: StandInKind, what: str, result: Changes) -> None:
        """An unknown value in place of a call."""
        unknown = UNKNOWN_STRING if kind is StandInKind.FILE else UNKNOWN_ANY
        result.splices.append(_replacement(call, unknown))
        result.unknown.append((call.start, call.end))
        result.needs_helper = True
        result.stand_ins.append(StandIn(kind, what, _where(call)))

    def _guard(self, call: Expression, result: Changes) -> None:
        """The path is known only when it is evaluated: then it may not leave the working copy."""
        assert call.call is not None
        path, *others = call.call.arguments
        if call.call.expanded or any(map(_reads, (path, *others))):
            result.refuse(call, "a path that depends on what another file holds cannot be checked")
            return
        inside = f'startswith("${{abspath({path.text})}}/", {json.dumps(f"{self.root}/")})'
        refused = json.dumps(REFUSED)
        if call.call.function in _LISTS and others:
            # A directory that does not exist has no files, without an error: a file that is missing has one.
            inside, refused = f'{inside} && !strcontains({others[0].text}, "..")', f"file({refused})"
        result.splices.append(insertion(path.start, f"{inside} ? ".encode()))
        result.splices.append(insertion(path.end, f" : {refused}".encode()))


def _hide(body: Body, names: frozenset[tuple[str, ...]], unknown: str, result: Changes) -> None:
    """An unknown value wherever one of the names is used, each a root and what follows it."""
    for item in body.items:
        if isinstance(item, Block):
            _hide(item.body, names, unknown, result)
            continue
        for reference in item.value.references():
            if reference.names[:2] in names:
                end = reference.start + len(".".join(reference.names[:2]))
                result.splices.append(Splice(reference.start, end, unknown.encode()))
                result.unknown.append((reference.start, end))
                result.needs_helper = True


def _reads(expression: Expression) -> bool:
    return any(
        inner.call is not None and inner.call.function in _READERS | _UNCHECKED
        for node in expression.nodes
        for inner in Body(expression.source, node).calls()
    )


def _settings(block: Block, result: Changes) -> None:
    """Of the settings only what is needed of providers and versions: no state, no cloud, no key program."""
    for item in block.body.items:
        name = item.name if isinstance(item, Attribute) else item.type
        if name in _KEPT_SETTINGS:
            continue
        result.splices.append(blank(block.source.data, item.start, item.end))
        if name in ("backend", "cloud"):
            result.stand_ins.append(
                StandIn(StandInKind.BACKEND, "state: planned as if nothing existed", _where(item))
            )


def _import(block: Block, result: Changes) -> None:
    result.splices.append(blank(block.source.data, block.start, block.end))
    target = block.body.value("to")
    what = target.text if target is not None else "import"
    result.stand_ins.append(StandIn(StandInKind.IMPORT, what, _where(block)))


def _ephemeral(block: Block, result: Changes) -> None:
    message = f"{block.address} is opened in every plan, and no provider is there to do it"
    result.findings.append(at(block, Reason.NO_SCHEMA.value, message))


def _defer(block: Block, result: Changes) -> None:
    """Data that depends on what is still to be created is read after apply: all of it is unknown."""
    result.needs_helper = True
    result.stand_ins.append(StandIn(StandInKind.DATA, block.address, _where(block)))
    helper = f"terraform_data.{HELPER}"
    existing = block.body.value("depends_on")
    if existing is not None:
        result.splices.append(insertion(existing.start + 1, f"{helper}, ".encode()))
        return
    if block.line == block.end_line and block.body.items:
        result.splices.append(insertion(block.brace + 1, b"\n"))
    result.splices.append(insertion(block.end - 1, f"\ndepends_on = [{helper}]\n".encode()))


def _operators(body: Body, result: Changes) -> None:
    """``a || b`` as ``a ? true : b``, ``a && b`` as ``a ? b : false``: what is not needed may fail."""
    replaced = [(splice.start, splice.end) for splice in result.splices if splice.start < splice.end]
    for operation in reversed(list(body.operations())):
        if operation.operator not in ("||", "&&") or len(operation.operands) != 2:
            continue
        if any(start <= operation.start and operation.end <= end for start, end in replaced):
            continue
        left, right = operation.operands
        either = operation.operator == "||"
        result.splices += [
            insertion(operation.start, b"("),
            Splice(left.end, right.start, b" ? true : " if either else b" ? "),
            insertion(operation.end, b")" if either else b" : false)"),
        ]
        result.stand_ins.append(StandIn(StandInKind.OPERATOR, operation.operator, _where(operation)))


def _replacement(expression: Expression, text: str) -> Splice:
    return Splice(expression.start, expression.end, text.encode())


def _where(place: Expression | Block | Attribute) -> str:
    return f"{place.source.path}:{place.line}"

"""What terragrunt gives to a stack before Terraform sees it: generated files and values of variables.

Only what is written there literally is taken over. Terragrunt's functions are not evaluated, except for the
few that name directories.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scaffold.hcl.evaluate import Names, pieces, text
from scaffold.hcl.syntax import NOT_LITERAL, Body, Expression, ExprKind, parse
from scaffold.terraform.planned import STAND_IN
from scaffold.terraform.tree import Kind, OutsideError, Tree, normal

FILE = "terragrunt.hcl"
_ROOT: Names = {
    ("get_repo_root()",): "",
    ("get_parent_terragrunt_dir()",): "",
    ("get_path_to_repo_root()",): "",
}
"""What the functions that name the monorepo's root stand for: paths here are relative to it."""


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file that terragrunt writes beside the stack's own, and where its content is written.

    ``guessed`` says that a part of it only terragrunt can evaluate.
    """

    name: str
    content: bytes
    origin: str
    line: int
    overwrites: bool
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Generated:
    """All that terragrunt gives to one stack.

    ``inputs`` are literal values of variables; ``var_files`` are paths from the monorepo's root; ``source``
    is the module that the stack is made from if it is not its own directory.
    """

    files: tuple[GeneratedFile, ...] = ()
    inputs: Mapping[str, object] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    source: Expression | None = None


def read(tree: Tree, stack: str) -> Generated:
    """What terragrunt gives to the stack in this directory.

    A stack without a ``terragrunt.hcl`` is read as if it included the nearest one above. Raises
    ``HclSyntaxError`` where a file is not HCL, ``UnicodeDecodeError`` never.
    """
    own = _parse(tree, posixpath.join(stack, FILE))
    parents = [_above(tree, stack, FILE)] if own is None else list(_included(tree, stack, own))
    bodies = [body for path in parents if path and (body := _parse(tree, path)) is not None]
    if own is not None:
        bodies.append(own)
    inputs: dict[str, object] = {}
    for body in bodies:
        inputs |= _inputs(body)
    return Generated(
        files=tuple(file for body in bodies for file in generated(body)),
        inputs=inputs,
        var_files=tuple(dict.fromkeys(path for body in bodies for path in _var_files(body))),
        source=own.inside("terraform").value("source") if own is not None else None,
    )


def _parse(tree: Tree, path: str) -> Body | None:
    return parse(tree.read(path), path).body if tree.kind(path) is Kind.FILE else None


def _included(tree: Tree, stack: str, body: Body) -> Iterator[str | None]:
    for include in body.blocks_of("include"):
        path = include.body.value("path")
        if path is None:
            continue
        if path.call is not None and path.call.function == "find_in_parent_folders":
            name = path.call.arguments[0].string() if path.call.arguments else FILE
            yield _above(tree, stack, name or FILE)
        elif (named := text(path, _ROOT)) is not None:
            yield _inside(named)


def _above(tree: Tree, stack: str, name: str) -> str | None:
    directory = stack
    while directory:
        directory = posixpath.dirname(directory)
        if tree.kind(posixpath.join(directory, name)) is Kind.FILE:
            return posixpath.join(directory, name)
    return None


def _inside(path: str) -> str | None:
    try:
        return normal(path.lstrip("/"))
    except OutsideError:
        return None


def _inputs(body: Body) -> dict[str, object]:
    value = body.value("inputs")
    entries = value.entries if value is not None else ()
    return {
        entry.name: literal
        for entry in entries
        if entry.name is not None and (literal := entry.value.literal()) is not NOT_LITERAL
    }


def _extra(body: Body, *names: str) -> Iterator[Expression]:
    """The elements of lists in the blocks that add to Terraform's command line."""
    for settings in body.blocks_of("terraform"):
        for arguments in settings.body.blocks_of("extra_arguments"):
            values = (arguments.body.value(name) for name in names)
            yield from (element for value in values if value is not None for element in value.elements)


def _var_files(body: Body) -> Iterator[str]:
    for element in _extra(body, "required_var_files", "optional_var_files"):
        named = text(element, _ROOT)
        if named is not None and (path := _inside(named)):
            yield path


def passed(body: Body) -> Iterator[str]:
    """The names of the variables that terragrunt passes on Terraform's command line (``-var name=value``)."""
    for element in _extra(body, "arguments"):
        first = next(iter(element.template), None)
        if isinstance(first, str) and "=" in first:
            yield first.removeprefix("-var=").partition("=")[0]


def generated(body: Body) -> Iterator[GeneratedFile]:
    """The files that the ``generate`` blocks of a ``terragrunt.hcl`` write."""
    for block in body.blocks_of("generate"):
        name, contents = block.body.literal("path"), block.body.value("contents")
        if isinstance(name, str) and contents is not None and posixpath.basename(name) == name:
            parts = list(pieces(contents, _ROOT))
            heredoc = contents.bare.kind is ExprKind.HEREDOC
            yield GeneratedFile(
                name=name,
                content="".join(STAND_IN if piece is None else piece for piece in parts).encode(),
                origin=block.source.path,
                line=contents.line + heredoc,
                overwrites=block.body.literal("if_exists") != "skip",
                guessed=None in parts,
            )

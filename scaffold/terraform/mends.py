"""What a failed attempt teaches: where a stand-in stops Terraform, and what gets it further.

Each mend says less than the stack says, never something else, and each is listed in the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from scaffold.hcl import types
from scaffold.hcl.syntax import Block, Body
from scaffold.terraform.dependencies import Dependencies, Source
from scaffold.terraform.diagnostics import Located, expression_at, unfit
from scaffold.terraform.modules import Module
from scaffold.terraform.rewrite import Mends, unmarking
from scaffold.terraform.workspace import Workspace

_INSTANCES = ("Invalid for_each argument", "Invalid count argument")
_TEXT = ("string", "any")


def from_the_start(workspace: Workspace) -> Mends:
    """The mends without which a placeholder would decide something unnoticed.

    Only text shows that it is none of the user's: a variable of any other type is unknown. ``count`` takes
    the value of a placeholder without a word, where ``for_each`` refuses it. And ``nonsensitive`` would take
    away the mark that says what comes from one.
    """
    dependencies = Dependencies(workspace)
    instances, marked = set(), set()
    for module in workspace.modules.values():
        for document in module.documents.values():
            path = document.source.path
            for block in document.body.blocks:
                if (count := block.body.attributes.get("count")) is not None:
                    sources = dependencies.of(module, count.value, block).sources
                    if Source.PLACEHOLDER in sources and Source.RESOURCE not in sources:
                        instances.add((path, count.start))
            for call in unmarking(document):
                if Source.PLACEHOLDER in dependencies.of(module, call).sources:
                    marked.add((path, call.start))
    placeholders = workspace.variables.placeholders.items()
    return Mends(
        variables=frozenset(
            name
            for name, block in placeholders
            if types.of_expression(block.body.value("type")).name not in _TEXT
        ),
        instances=frozenset(instances),
        marked=frozenset(marked),
    )


def learn(failed: Iterable[Located], workspace: Workspace, mends: Mends) -> Mends:
    """The mends for the next attempt; the same ones if nothing can be learned."""
    for located in failed:
        if located.placed is None:
            continue
        summary, detail = located.diagnostic.summary, located.diagnostic.detail
        if summary in _INSTANCES:
            marked = "ensitive" in detail and bool(workspace.variables.placeholders)
            mends = _instances(located, workspace, mends, marked=marked)
        elif guarded(located, workspace):
            mends = replace(mends, operators=mends.operators | {located.origin})
        else:
            mends = replace(mends, variables=mends.variables | unfit(located, workspace))
    return mends


def _instances(located: Located, workspace: Workspace, mends: Mends, *, marked: bool) -> Mends:
    """The ``count`` or ``for_each`` at a place, if only a stand-in makes it unknown.

    A value that is unknown because a resource is still to be created is unknown with a cluster too: that
    stays an error. ``marked`` says that Terraform has seen the mark of a placeholder in the value.
    """
    module = workspace.module_of(located.path)
    for block in module.documents[located.path].body.blocks:
        attribute = block.repeated
        if attribute is None or not attribute.start <= located.start < attribute.end:
            continue
        sources = Dependencies(workspace).of(module, attribute.value, block).sources
        if not marked and (Source.RESOURCE in sources or not sources):
            continue
        place = (located.origin, attribute.start)
        later = mends.later | {place} if Source.LATER in sources else mends.later
        mends = replace(mends, instances=mends.instances | {place}, later=later)
    return mends


def guarded(located: Located, workspace: Workspace) -> bool:
    """Whether the error is in an operand that newer versions of Terraform would not evaluate.

    Since 1.12 ``a || b`` does not need ``b`` where ``a`` holds, and ``a && b`` not if it does not.
    """
    for expression in expression_at(located, workspace):
        for node in expression.nodes:
            for operation in Body(expression.source, node).operations():
                if operation.operator in ("||", "&&") and len(operation.operands) == 2:
                    right = operation.operands[1]
                    if right.start <= located.start < right.end:
                        return True
    return False


_Files = frozenset[tuple[str, bytes]]
"""The files of a module, by path."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the plans of one run have shown about shared modules, so that nothing is tried twice in vain.

    The validation of a variable is evaluated for every call, also for one with a count of 0, and depends on
    variables alone. Where it fails at an operand (:func:`guarded`) although no call sets one of those, it
    fails for each call that sets none.
    """

    _known: set[tuple[str, _Files, str, frozenset[str]]] = field(default_factory=set)

    def note(self, failed: Iterable[Located], workspace: Workspace) -> None:
        """Remember which failures other stacks will have too."""
        for located in failed:
            if not guarded(located, workspace):
                continue
            module = workspace.module_of(located.path)
            names = frozenset(
                reference.names[:2]
                for expression in expression_at(located, workspace)
                for reference in expression.references()
            )
            unset = frozenset(name[-1] for name in names)
            variables = module.documents[located.path].body.blocks_of("variable")
            if (
                any(block.start <= located.start < block.end for block in variables)
                and all(len(name) == 2 and name[0] == "var" for name in names)
                and all(_sets_none(call, unset) for _, call in workspace.calls_of(module.path))
            ):
                self._known.add((module.path, _files(module), located.origin, unset))

    def operators(self, workspace: Workspace) -> frozenset[str]:
        """The files whose operators are known to need the evaluation of Terraform 1.12."""
        return frozenset(
            origin
            for path, files, origin, unset in tuple(self._known)
            if (module := workspace.modules.get(path)) is not None and files == _files(module)
            if any(_sets_none(call, unset) for _, call in workspace.calls_of(path))
        )


def _sets_none(call: Block, names: frozenset[str]) -> bool:
    return not names & call.body.attributes.keys()


def _files(module: Module) -> _Files:
    return frozenset((path, document.source.data) for path, document in module.documents.items())

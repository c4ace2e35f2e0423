"""What a shared module calls its arguments, as its own files show it by what it does with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from scaffold.hcl.modules import ModuleContract
from scaffold.hcl.syntax import Block, Document, Expression
from scaffold.templates import template

_ALLOWED = "allowed"
"""The place of a variable whose values are listed: behind it stands one of them."""


def own_names(purpose: str, documents: Iterable[Document], contract: ModuleContract) -> dict[str, str]:
    """The names that a module has for arguments and outputs which the templates call otherwise.

    ``purpose`` is what the module is for. Where it uses each of them stands in the templates' operations: the
    block and the argument that a variable becomes. What is not seen there is left out.
    """
    places: Mapping[str, str] = template.facts("operations")["module_arguments_seen"].get(purpose, {})
    own = {*contract.variables, *contract.outputs}
    seen = _seen(tuple(block for document in documents for block in document.body.blocks), contract)
    found = {usual: usual for usual in places if usual in own}
    for usual, place in places.items():
        if usual not in found and (name := next((n for n in seen[place] if n not in found.values()), "")):
            found[usual] = name
    return {usual: name for usual, name in found.items() if usual != name}


def _seen(blocks: tuple[Block, ...], contract: ModuleContract) -> Mapping[str, list[str]]:
    """The variables by each place where they are used, and the outputs by what they give."""
    found: dict[str, list[str]] = defaultdict(list)
    local = {n: a.value for b in blocks if b.type == "locals" for n, a in b.body.attributes.items()}
    for block in (inner for outer in blocks for inner in (outer, *outer.body.walk())):
        kind = block.labels[0] if block.type == "dynamic" else block.type
        for name, attribute in block.body.attributes.items():
            found[f"{kind}.{name}"] += _variables(attribute.value, local)
    for output in (block for block in blocks if block.type == "output" and block.labels):
        value = output.body.value("value")
        for reference in value.references() if value else ():
            found[f"output.{reference.root}"].append(output.labels[0])
    for name, variable in contract.variables.items():
        for allowed in variable.allowed or ():
            found[f"{_ALLOWED}.{allowed}"].append(name)
    return found


def _variables(value: Expression, local: Mapping[str, Expression]) -> Iterator[str]:
    """The variables that a value is made of, also by way of a local."""
    for reference in value.references():
        name = reference.names[1] if len(reference.names) > 1 else ""
        if reference.root == "var" and name:
            yield name
        elif reference.root == "local" and name in local:
            yield from (r.names[1] for r in local[name].references() if r.root == "var" and r.names[1:])

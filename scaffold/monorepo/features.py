"""What one house has and another may lack: where it is found, and what is left out without it.

The rows stand in the templates' operations: a feature is a shared module, a variable of that of ingresses, a
file in the root, a text that some stack has where it runs in the cluster, or a label that something writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaffold.hcl.syntax import Document
from scaffold.monorepo.facts import said
from scaffold.monorepo.repository import SCRIPTS, Monorepo, files_below
from scaffold.monorepo.uses import resource_type
from scaffold.templates import template
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a house.

    ``found`` is where it is seen, from the root; empty if it is not. ``sought`` is what was looked for, and
    ``without`` what is left out, and what works all the same.
    """

    name: str
    what: str
    found: str
    sought: str
    without: str


def features(monorepo: Monorepo) -> Iterator[Feature]:
    """All features, and where this house has each of them."""
    for name, row in _rows().items():
        sought = (
            " or ".join(_names(monorepo, row)) or f"{row.get('module')} under shared_modules in scaffold.yml"
        )
        yield Feature(name, row["what"], find(monorepo, name), sought, row["without"])


def names() -> frozenset[str]:
    """The names of all features."""
    return frozenset(_rows())


def find(monorepo: Monorepo, name: str) -> str:
    """Where the house has a feature, as a path from the root; empty if it lacks it."""
    row = _rows()[name]
    if "takes" in row:
        ingress = find(monorepo, "ingress")
        return ingress if row["takes"] in monorepo.ingress_module.variables else ""
    if "stamps" in row:
        return stamped_in(monorepo, _label(monorepo, row))
    if "signs" in row:
        path = next((path for path, _ in monorepo.terraform_files(*row["signs"])), None)
        return path.relative_to(monorepo.root).as_posix() if path else ""
    return next((path for path in _names(monorepo, row) if (monorepo.root / path).exists()), "")


def _names(monorepo: Monorepo, row: Value) -> list[str]:
    if module := row.get("module"):
        path = monorepo.shared.path(getattr(monorepo.shared, module))
        return [path] if path else []
    if "stamps" in row:
        return [_label(monorepo, row)]
    return [row["takes"]] if "takes" in row else list(row.get("files", row.get("signs", ())))


def _label(monorepo: Monorepo, row: Value) -> str:
    """The label in the path that the house ignores of such objects."""
    path: str = said(monorepo.root)["ignored"][row["stamps"]]["path"]
    return path.split('"')[1] if '"' in path else path


def _rows() -> dict[str, Value]:
    rows: dict[str, Value] = template.facts("operations")["features"]
    return rows


_BESIDE = (".yaml", ".yml", ".tpl", ".tftpl", ".sh")
"""What charts and scripts beside the Terraform files of a stack are written in."""


def stamped_in(monorepo: Monorepo, label: str) -> str:
    """The first file, from the root, in which something writes a label to Namespaces; empty for none.

    What ignores the label does not write it, nor does a Namespace that sets it itself, nor a comment.
    """
    name = label.encode()
    for path, content in monorepo.terraform_files(label):
        if _written(content, name):
            document = monorepo.document(path, content)
            if document is not None and _stamps(document, name):
                return path.relative_to(monorepo.root).as_posix()
    for path in _beside(monorepo):
        content = path.read_bytes()
        lines = content.splitlines() if name in content else ()
        if any(name in line and not line.lstrip().startswith(b"#") for line in lines):
            return path.relative_to(monorepo.root).as_posix()
    return ""


def _stamps(document: Document, label: bytes) -> bool:
    for block in document.body.blocks:
        if resource_type(block) != "kubernetes_namespace":
            said = sum(_written(comment.text.encode(), label) for comment in document.comments_in(block))
            if _written(block.text.encode(), label) > said:
                return True
    return False


def _written(text: bytes, label: bytes) -> int:
    """How often a text names a label other than as a path that is ignored."""
    return text.count(label) - text.count(b'labels["%b"]' % label)


def _beside(monorepo: Monorepo) -> Iterator[Path]:
    """The house's scripts, and what stands beside the Terraform files of the stacks."""
    yield from sorted(path for path in monorepo.root.glob(f"{SCRIPTS}/*") if path.is_file())
    yield from files_below(monorepo.root / monorepo.stacks_home, *_BESIDE)

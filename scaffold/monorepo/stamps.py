"""Who writes a label to the Namespaces of others: a policy, a chart or a script of the monorepo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scaffold.hcl.syntax import Document
from scaffold.monorepo.repository import SCRIPTS, Monorepo, files_below
from scaffold.monorepo.uses import resource_type

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

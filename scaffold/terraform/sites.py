"""Where a planned resource is written: the place in the stack's own files that a person would look at."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from scaffold.hcl.syntax import Block
from scaffold.terraform import meta
from scaffold.terraform.behind import Scope
from scaffold.terraform.plan_json import without_keys
from scaffold.terraform.planned import Path, Site
from scaffold.terraform.rewrite import Mends
from scaffold.terraform.workspace import Workspace


@dataclass(frozen=True)
class Sites:
    """Finds the sites of the resources that one working copy plans."""

    workspace: Workspace
    mends: Mends

    def site(self, module: str, type_: str, name: str, unknown: Sequence[Path] = ()) -> Site:
        """The site of a resource, from the address of its module, with what is behind ``unknown`` values.

        A resource of a shared module is where the stack calls that module.
        """
        scope, blocks = self._path(module, type_, name)
        written = [block for block in blocks if block.source.path.startswith(self.workspace.stack + "/")]
        block = written[-1] if written else None
        own = blocks[-1] if blocks and blocks[-1].type == "resource" else None
        return Site(
            path=block.source.path if block is not None else self.workspace.stack,
            line=block.line if block is not None else None,
            stands_for_many=any(map(self._mended, blocks)),
            meta=dict(meta.arguments(own)) if own is not None else {},
            ignored=tuple(path for path, _ in meta.ignoring(own)) if own is not None else (),
            behind={path: scope.behind(own, path) for path in unknown} if own is not None else {},
        )

    def called(self, module: str) -> str:
        """What a module is called in the source of the call that leads to it; ``module`` is its address."""
        _, blocks = self._path(module, "", "")
        source = blocks[-1].body.literal("source") if blocks else ""
        return posixpath.basename(source) if isinstance(source, str) else ""

    def _path(self, address: str, type_: str, name: str) -> tuple[Scope, list[Block]]:
        """The module of a resource, the ``module`` blocks that lead there, and the resource's own block."""
        scope = Scope(self.workspace.modules, self.workspace.modules[self.workspace.stack])
        blocks: list[Block] = []
        for call in without_keys(address).split(".")[1::2]:
            inside = scope.called(call)
            if inside is None or inside.call is None:
                return scope, blocks
            blocks.append(inside.call)
            scope = inside
        own = (block for block in scope.module.blocks("resource") if block.labels == (type_, name))
        return scope, [*blocks, *own]

    def _mended(self, block: Block) -> bool:
        repeated = block.repeated
        return repeated is not None and (block.source.path, repeated.start) in self.mends.instances

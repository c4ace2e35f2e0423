"""``scaffold init``: the monorepo's ``scaffold.yml``, from what the monorepo shows and what a person says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import yaml

from scaffold.changes.change import ChangeSet, Files
from scaffold.errors import MissingError, RefusedError, UsageError, nearest
from scaffold.monorepo.facts import demand_usable, overrides, schema
from scaffold.monorepo.initial import NOWHERE, Shown, Sight
from scaffold.monorepo.root import OVERRIDES
from scaffold.templates import decisions
from scaffold.templates.questions import Value

_SET = "--set"
_HEAD = "# Facts about this monorepo that scaffold would otherwise get wrong.\n"


@dataclass(frozen=True, slots=True)
class Initial:
    """A ``scaffold.yml`` that is not written yet: what was found, what was there, and the change."""

    shown: tuple[Shown, ...]
    kept: tuple[str, ...]
    """The facts that the file says already: they stay."""
    change: ChangeSet

    @property
    def facts(self) -> tuple[Shown, ...]:
        """The facts that are added: they differ from the templates' own, and the file does not have them."""
        usual = decisions.house()
        return tuple(
            one
            for one in self.shown
            if one.fact not in self.kept and not _is_open(one) and _differs(one.value, usual[one.fact])
        )


def prepare(
    root: Path,
    ask: Callable[[Shown], Value] | None = None,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Initial:
    """Look at a monorepo and propose its ``scaffold.yml``; nothing is written.

    ``ask`` returns what a person says of a fact that is shown; ``settings`` has the text of facts that need
    no asking, those of a mapping as ``fact.key``. A file that is there is kept, and added to. Raises
    :class:`MissingError` if no stacks are seen, or the file or an answer is not usable, and
    :class:`UsageError` for a setting that is no fact, or that the file says already.
    """
    there = overrides(root)
    shown = _with_settings(tuple(Sight(root).shown()), settings, there)
    if not shown:
        only_here = next(root.glob("*.tf"), None) is not None
        why = "has Terraform files, but no stacks" if only_here else "has no directory of Terraform stacks"
        raise MissingError(
            f"{root} {why}.",
            "A stack is a directory of its own, such as stacks/dns with its main.tf. Change into the "
            "monorepo's root, or name it with --monorepo; `scaffold demo DIR` creates a sample to look at.",
        )
    if ask is not None:
        shown = tuple(
            one if one.fact in there or one.where == _SET else replace(one, value=ask(one)) for one in shown
        )
    found = Initial(shown, tuple(there), ChangeSet(root, ()))
    added = {one.fact: one.value for one in found.facts}
    files, path = Files(root), PurePosixPath(OVERRIDES)
    before = files.read(path)[0]
    if before is not None and not isinstance(before, bytes):
        raise RefusedError(f"{OVERRIDES} is a symbolic link.", "Write the facts by hand.")
    text = _HEAD.encode() if before is None else before.rstrip(b"\n") + b"\n"
    after = text + _yaml(added)
    demand_usable(after)
    change = ChangeSet.plan(files, {path: after} if added else {})
    return replace(found, change=change)


def _with_settings(
    shown: tuple[Shown, ...], settings: Mapping[str, str], there: Collection[str]
) -> tuple[Shown, ...]:
    facts, usual = {one.fact: one for one in shown}, decisions.house()
    for name, text in settings.items():
        fact, dot, key = name.partition(".")
        if fact not in usual:
            raise UsageError(
                f"--set {name} is not a fact.", nearest(fact, usual) or "docs/facts.md lists them."
            )
        if fact in there:
            raise UsageError(f"{OVERRIDES} already says {fact}.", "Change it there.")
        try:
            value = yaml.safe_load(text) if text else ""
        except yaml.YAMLError as error:
            raise UsageError(f"--set {name} is not YAML: {text}", "Quote the value.") from error
        if dot:
            before = facts[fact].value if fact in facts else usual[fact]
            value = {**(before if isinstance(before, Mapping) else {}), key: value}
        facts[fact] = Shown(fact, value, _SET)
    return tuple(facts.values())


def _is_open(one: Shown) -> bool:
    """Whether a fact is still open: it was not found, or lacks something that it may not lack."""
    needed = schema()["properties"][one.fact].get("minLength") != 0
    return one.value == "" and (needed or one.where == NOWHERE)


def _differs(value: Value, usual: Value) -> bool:
    if isinstance(value, Mapping) and isinstance(usual, Mapping):
        return any(usual.get(key) != part for key, part in value.items())
    return bool(value != usual)


def _yaml(facts: Mapping[str, Value]) -> bytes:
    """The facts as YAML, each on its lines, a mapping on one."""
    told = ""
    for fact, value in facts.items():
        flow = None if isinstance(value, dict) else False
        told += yaml.safe_dump({fact: value}, default_flow_style=flow, width=110, sort_keys=False)
    return told.encode()

"""Answers without what is wrong in them, so that the rest can still be judged.

Leaving something out moves the later items of a list; paths are reported as they were before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from scaffold.answers.sources import Path
from scaffold.templates.questions import Value


@dataclass(frozen=True, slots=True)
class Pruned:
    """What is left of answers, and which items of each list (by its former path) are still there."""

    values: Mapping[str, Value]
    kept: Mapping[Path, tuple[int, ...]]

    def before(self, path: Path) -> Path:
        """The path that something had in the whole answers."""
        result: Path = ()
        for part in path:
            kept = self.kept.get(result, ()) if isinstance(part, int) else ()
            result = (*result, kept[part] if isinstance(part, int) and part < len(kept) else part)
        return result


def prune(values: Mapping[str, Value], wrong: Collection[Path]) -> Pruned:
    """``values`` without the parts at the paths of ``wrong``."""
    kept: dict[Path, tuple[int, ...]] = {}
    return Pruned(_prune(values, (), wrong, kept), kept)


def _prune(value: Value, at: Path, wrong: Collection[Path], kept: dict[Path, tuple[int, ...]]) -> Value:
    if isinstance(value, Mapping):
        return {k: _prune(v, (*at, k), wrong, kept) for k, v in value.items() if (*at, k) not in wrong}
    if isinstance(value, list):
        kept[at] = tuple(index for index in range(len(value)) if (*at, index) not in wrong)
        return [_prune(value[index], (*at, index), wrong, kept) for index in kept[at]]
    return value


def sound(
    values: Mapping[str, Value],
    wrong: Collection[Path],
    errors: Callable[[Mapping[str, Value]], Collection[Path]],
    *,
    whole: bool,
    meaningless: Collection[Path] = (),
) -> Pruned:
    """What is left of ``values`` without ``wrong`` and without everything that ``errors`` finds in the rest.

    ``whole`` leaves out items of lists and mappings as a whole where something in them is wrong;
    else only the wrong part goes, and what cannot be without it. Parts of ``wrong`` that are
    ``meaningless`` say nothing about the rest of their items.
    """

    def extent(paths: Collection[Path]) -> set[Path]:
        return {path[:2] if whole and path not in meaningless else path for path in paths}

    gone: set[Path] = set()
    found = set(wrong)
    while found - gone:
        gone |= found
        left = prune(values, extent(gone))
        # What lacks a part cannot stay; the missing part itself cannot be left out.
        told = (left.before(path) for path in errors(left.values))
        found = {path if _there(values, path) and path not in gone else path[:-1] for path in told}
    return prune(values, extent(gone))


def _there(values: Value, path: Path) -> bool:
    for part in path:
        there = range(len(values)) if isinstance(values, list) else values
        if not isinstance(there, Mapping | range) or part not in there:
            return False
        values = values[part]
    return True

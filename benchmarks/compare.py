"""How much of hand-written stacks the generator expresses: what both *plan*, resource by resource.

    .venv/bin/python benchmarks/compare.py MONOREPO ANSWERS.yml… [--missing]

MONOREPO is a checkout of the real monorepo; it is only read. Each answer file names a stack that is there.
Both stacks are planned offline with that monorepo's modules. Resources match by kind, name and namespace,
whatever Terraform calls them; a rest of one kind on each side is paired in order. The share is that of the
attributes in the hand-written plan that the generated one has with the same value. ``--missing`` lists the others.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from scaffold import validation
from scaffold.answers import from_yaml
from scaffold.monorepo import STACKS, Monorepo
from scaffold.render import render
from scaffold.sensing import sense
from scaffold.template import Origin
from scaffold.terraform.planned import Leaf, Mark, Placeholder, PlannedResource, Tree, get, leaves
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tree import Overlay

ORIGIN = Origin("https://git.example.test/scaffold.git", "v0.1.0", updatable=True)
NAMED = ("name", "mount_path", "container_port", "kind")
"""By what the elements of a list are told apart, the first one that all of them have."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One resource of the hand-written plan: its attributes, and those that the generated plan lacks."""

    label: str
    total: int
    missing: tuple[str, ...]


def attributes(resource: PlannedResource) -> dict[str, str]:
    """The attributes of a resource by their path; elements that have names go by them, not by position."""
    return {path: _text(leaf) for path, leaf in _walk(resource.values, "") if leaf is not None}


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _walk(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, tuple):
        by = next((n for n in NAMED if len({str(get(item, n)) for item in tree if get(item, n) is not None}) == len(tree)), "")
        for index, value in enumerate(tree):
            yield from _walk(value, f"{path}[{get(value, by) if by and len(tree) > 1 else index}]")
    else:
        yield from ((path, leaf) for _, leaf in leaves(tree))


def _text(leaf: Leaf) -> str:
    # What is not known offline is the same wherever both sides do not know it.
    return "(unknown)" if isinstance(leaf, Mark | Placeholder) else str(leaf)


def identity(resource: PlannedResource) -> tuple[str, str, str]:
    """Kind, namespace and name of the object, as the cluster would know it."""
    manifest = resource.get("manifest")
    place = get(manifest, "metadata") if isinstance(manifest, Mapping) else resource.get("metadata", 0)
    kind = str(get(manifest, "kind")) if isinstance(manifest, Mapping) else resource.type
    return kind, _text(get(place, "namespace") or ""), _text(get(place, "name") or resource.get("name") or "")


def compare(human: Sequence[PlannedResource], ours: Sequence[PlannedResource]) -> list[Compared]:
    """Every resource of the hand-written plan against its counterpart."""
    left = {identity(resource): resource for resource in ours}
    pairs: list[tuple[PlannedResource, PlannedResource | None]] = []
    rest: dict[str, list[PlannedResource]] = defaultdict(list)
    for resource in human:
        if (found := left.pop(identity(resource), None)) is not None:
            pairs.append((resource, found))
        else:
            rest[identity(resource)[0]].append(resource)
    for kind, resources in rest.items():
        candidates = [key for key in left if key[0] == kind]
        for resource in resources:
            pairs.append((resource, left.pop(candidates.pop(0)) if candidates else None))
    return [_one(resource, other) for resource, other in pairs]


def _one(human: PlannedResource, ours: PlannedResource | None) -> Compared:
    wanted = attributes(human)
    have = attributes(ours) if ours is not None else {}
    missing = [f"{path}: {text} ({have.get(path, 'not there')})" for path, text in wanted.items() if have.get(path) != text]
    kind, _, name = identity(human)
    return Compared(f"{kind} {name}", len(wanted), tuple(missing))


def stack_of(monorepo: Monorepo, path: Path) -> tuple[str, Overlay]:
    """The generated stack in place of the hand-written one. Raises where the answers are not valid."""
    given = from_yaml(path.read_bytes(), path.name)
    sensed = sense(monorepo)
    validation.check(given, sensed, {})
    name = str(given.values["name"])
    files = render(given.values, sensed, {}, ORIGIN).files
    there = [p for p in (monorepo.root / STACKS / name).rglob("*.tf") if p.is_file()]
    # Terragrunt's generated files stay; all else makes room.
    kept = {"providers.tf", "backend.tf", "tiers.tf", "cloudflare_provider.tf"}
    overlay = {p.relative_to(monorepo.root).as_posix(): b"" for p in there if p.name not in kept}
    overlay |= {f"{STACKS}/{name}/{p}": c for p, c in files.items() if isinstance(c, bytes) and p.suffix in (".tf", ".hcl")}
    return name, overlay


def main(arguments: Iterable[str]) -> int:
    """Print a line for each stack, and the average."""
    listed = [a for a in arguments if a != "--missing"]
    monorepo, shares = Monorepo(Path(listed[0])), []
    for path in map(Path, listed[1:]):
        name, overlay = stack_of(monorepo, path)
        (human,) = plan_stacks(monorepo.root, [name])
        (ours,) = plan_stacks(monorepo.root, [name], overlay)
        if human.findings or ours.findings:
            print(f"{name}: cannot be planned: {[f.message for f in (*human.findings, *ours.findings)]}")
            continue
        found = compare(human.resources, ours.resources)
        total, missing = sum(c.total for c in found), sum(len(c.missing) for c in found)
        shares.append((total - missing) / total)
        print(f"{name:16} {shares[-1]:6.1%}  {total - missing:4} of {total:4} attributes, {len(human.resources)} resources")
        for one in found if "--missing" in arguments else ():
            for text in one.missing:
                print(f"    {one.label}: {' '.join(text.split())[:200]}")
    if shares:
        print(f"{'average':16} {sum(shares) / len(shares):6.1%}  over {len(shares)} stacks")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

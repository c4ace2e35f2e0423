"""How much of hand-written stacks the generator expresses: what both *plan*, resource by resource.

    .venv/bin/python benchmarks/compare.py MONOREPO ANSWERS.yml… [--missing]

MONOREPO is a checkout of the real monorepo; it is only read. Each answer file names a stack that is there.
Both stacks are planned offline with that monorepo's modules. Resources match by kind, name and namespace,
whatever Terraform calls them; a rest of one kind on each side is paired by likeness. The shares are those
of the attributes in the hand-written plan that the generated one has with the same value: of all, and of
those that no rule of the house forbids (`RULES`). ``--missing`` lists the others.

Answer files are in words of their own, so a text of several lines (a script, a file's content) is there
where the generated plan has one in its place. The ExternalSecrets of one store and namespace are compared as
the one that the house makes of them.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scaffold.answers import validation
from scaffold.answers.sources import from_yaml
from scaffold.changes.change import Symlink
from scaffold.monorepo.repository import STACKS, Monorepo
from scaffold.monorepo.sensing import sense
from scaffold.templates.render import render
from scaffold.templates.template import Origin
from scaffold.terraform.planned import Leaf, Mark, Placeholder, PlannedResource, Tree, get, leaves
from scaffold.terraform.runner import plan_stacks
from scaffold.terraform.tree import Link, Overlay

ORIGIN = Origin("https://git.example.test/scaffold.changes.git", "v0.1.0", updatable=True)
NAMED = {
    "env": ("name",),
    "volume": ("name",),
    "volume_mount": ("mount_path",),
    "option": ("name",),
    "data": ("remoteRef.key", "remoteRef.property"),
}
"""Lists whose order means nothing, with what their elements are told apart by."""
DEFAULTS = {("protocol", "TCP"), ("type", "ClusterIP")}
"""What Kubernetes takes where nothing is written."""
RULES = (
    ("a policy copies the certificate", "kubernetes_secret", "", ""),
    (
        "an image has its registry and a release",
        "",
        r"container\[\d+\]\.image$",
        r"^[^.]*/|^[a-z]+:|:latest$|:[a-z]+$|^[a-z-]+/[a-z-]+$",
    ),
    ("Kyverno decides the pull policy", "", r"image_pull_policy$", ""),
    ("the NFS server is a variable", "persistent_volume", r"volume_attributes\.server$", ""),
    ("shared hosts are variables", "ExternalSecret", r"template\.data\.", r"(postgresql|mysql)\.dbaas"),
    ("a policy sets dns_config, and changes of it are ignored", "", r"\bdns_config\[", ""),
    ("a CronJob forbids a second run beside the first", "cron_job", r"concurrency_policy$", "Replace|Allow"),
    ("a one-shot Job that is removed would run again", "kubernetes_job", r"ttl_seconds_after_finished$", ""),
    ("CI owns the tag of an own image", "", r"container\[\d+\]\.image$", r":[0-9a-f]{8}$"),
    ("the rotated password is called password", "ExternalSecret", r"data\[static-creds.*\]\.secretKey$", ""),
    ("the rotated password is called password", "", r"secret_key_ref\[0\]\.key$", r"^db_password$"),
    (
        "ExternalSecrets are <service>-secrets and -db-creds",
        "",
        r"(secret_key_ref\[\w*\]\.name|secret_key_ref.*\.name|manifest\.metadata\.name|target\.name)$",
        r"-(secrets|token)$",
    ),
    ("Secrets are not in Terraform's state", "", r"env\[(SMTP_PASSWORD|APP_KEY)\]", ""),
    ("GPU nodes are found by nvidia.com/gpu.present", "", r"node_selector\.gpu$", ""),
    ("memory is requested as it is limited", "", r"requests\.memory$", ""),
)
"""Why a hand-written attribute is not wanted: the reason, the kind, and what its path and value look like."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One resource of the hand-written plan: its attributes, those that the generated plan lacks,
    and among them those that a rule of the house forbids."""

    label: str
    total: int
    missing: tuple[str, ...]
    ruled: tuple[str, ...]


def attributes(resource: PlannedResource) -> dict[str, str]:
    """The attributes of a resource by their path; elements that have names go by them, not by position."""
    return {path: _text(leaf) for path, leaf in _walk(resource.values, "") if leaf is not None}


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _walk(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, tuple):
        seen: Counter[str] = Counter()
        by = NAMED.get(path.rpartition(".")[2], ())
        for index, value in enumerate(tree):
            name = " ".join(str(get(value, *one.split("."))) for one in by)
            seen[name] += 1
            yield from _walk(
                value, f"{path}[{name or index}{'' if seen[name] == 1 or not name else f'#{seen[name]}'}]"
            )
    else:
        yield from ((path, leaf) for _, leaf in leaves(tree))


def _text(leaf: Leaf) -> str:
    # What is not known offline is the same wherever both sides do not know it.
    return "(unknown)" if isinstance(leaf, Mark | Placeholder) else str(leaf)


def identity(resource: PlannedResource) -> tuple[str, str, str]:
    """Kind, namespace and name of the object, as the cluster would know it."""
    manifest = resource.get("manifest")
    place = get(manifest, "metadata") if isinstance(manifest, Mapping) else resource.get("metadata", 0)
    kind = str(get(manifest, "kind")) if isinstance(manifest, Mapping) else resource.type.removesuffix("_v1")
    space, named = get(place, "namespace"), get(place, "name") or resource.get("name")
    return kind, _label(space), _label(named)


def _label(tree: Tree) -> str:
    return "" if isinstance(tree, Mapping | tuple) or tree is None else _text(tree)


def gathered(resources: Sequence[PlannedResource]) -> list[PlannedResource]:
    """The resources, with the ExternalSecrets of one store and namespace as one."""
    result: list[PlannedResource] = []
    for resource in resources:
        kind, space, _ = identity(resource)
        store = get(resource.get("manifest"), "spec", "secretStoreRef", "name")
        alike = [
            index
            for index, other in enumerate(result)
            if identity(other)[:2] == (kind, space) == ("ExternalSecret", space)
            and get(other.get("manifest"), "spec", "secretStoreRef", "name") == store
        ]
        if alike:
            result[alike[0]] = replace(
                result[alike[0]], values=_merged(result[alike[0]].values, resource.values)
            )
        else:
            result.append(resource)
    return result


def _merged(one: Mapping[str, Tree], other: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """Two trees as one: lists one after the other, and for a single value the first."""
    result = {**other, **one}
    for key in one.keys() & other.keys():
        left, right = one[key], other[key]
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            result[key] = _merged(left, right)
        elif isinstance(left, tuple) and isinstance(right, tuple):
            result[key] = (*left, *right)
    return result


def compare(human: Sequence[PlannedResource], ours: Sequence[PlannedResource]) -> list[Compared]:
    """Every resource of the hand-written plan against its counterpart."""
    human, ours = gathered(human), gathered(ours)
    left, rest, pairs = list(ours), [], []
    for resource in human:
        same = [other for other in left if identity(other) == identity(resource)]
        if same:
            pairs.append((resource, _nearest(resource, same)))
            left.remove(pairs[-1][1])
        else:
            rest.append(resource)
    found = [_one(resource, other) for resource, other in pairs]
    for resource in rest:
        candidates = [other for other in left if identity(other)[0] == identity(resource)[0]]
        other = _nearest(resource, candidates) if candidates else None
        if other is not None:
            left.remove(other)
        found.append(_one(resource, other))
    return found


def _nearest(resource: PlannedResource, candidates: Sequence[PlannedResource]) -> PlannedResource:
    wanted = attributes(resource).items()
    return max(candidates, key=lambda other: len(wanted & attributes(other).items()))


def _one(human: PlannedResource, ours: PlannedResource | None) -> Compared:
    wanted = attributes(human)
    have = attributes(ours) if ours is not None else {}
    kind, _, name = identity(human)
    ruled: list[str] = []
    missing: list[str] = []
    for path, text in wanted.items():
        mine = have.get(path, "not there")
        default = ours is not None and path not in have and (path.rpartition(".")[2], text) in DEFAULTS
        worded = "\n" in text.strip() and "\n" in mine.strip()
        if mine == text or default or worded:
            continue
        by = next(
            (
                why
                for why, kinds, pattern, there in RULES
                if kinds in kind and re.search(pattern, path) and re.search(there, text)
            ),
            "",
        )
        by = by or ("PersistentVolumes are <service>-<purpose>-host" if mine == f"{text}-host" else "")
        (ruled if by else missing).append(f"{path}: {text} ({mine}){f' [{by}]' if by else ''}")
    return Compared(f"{kind} {name}", len(wanted), tuple(missing), tuple(ruled))


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
    overlay: dict[str, bytes | Link | None] = {
        p.relative_to(monorepo.root).as_posix(): None for p in there if p.name not in kept
    }
    overlay |= {
        f"{STACKS}/{name}/{p}": c if isinstance(c, bytes) else Link(c.target)
        for p, c in files.items()
        if isinstance(c, Symlink) or p.suffix in (".tf", ".hcl")
    }
    return name, overlay


def main(arguments: Sequence[str]) -> int:
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
        total, missing, ruled = (
            sum(counts)
            for counts in zip(*((c.total, len(c.missing), len(c.ruled)) for c in found), strict=True)
        )
        raw, fair = 1 - (missing + ruled) / total, 1 - missing / (total - ruled)
        shares.append((raw, fair))
        print(
            f"{name:16} {raw:6.1%} {fair:6.1%}  {total:4} attributes of {len(human.resources):2} resources,"
            f" {ruled:3} against a rule, {missing:3} missing"
        )
        for one in found if "--missing" in arguments else ():
            for text in (*one.missing, *one.ruled):
                print(f"    {one.label}: {' '.join(text.split())[:200]}")
    if shares:
        raw, fair = (sum(column) / len(column) for column in zip(*shares, strict=True))
        print(f"{'average':16} {raw:6.1%} {fair:6.1%}  over {len(shares)} stacks: all, and what rules allow")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Whether an adoption destroys or replaces anything, judged by its files, without the code of ``adopt``.

    .venv/bin/python benchmarks/adopted.py BEFORE AFTER STACK…

BEFORE and AFTER are copies of a monorepo, without and with the adopted stacks; both are only read. It
compares what ``scaffold plan --json`` prints for each. The ``moved`` blocks of the stack are applied to the
addresses of BEFORE; every object then has to be at its address, with the same type. For some kinds, the
identity must be the same, and so must whatever Kubernetes or the provider cannot change in place: claims,
PersistentVolumes, Deployments, Secrets, Ingresses, Services, ServiceAccounts, roles and manifests.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOVED = re.compile(r"^moved \{\s*from\s*=\s*(\S+)\s*to\s*=\s*(\S+)\s*\}", re.MULTILINE)
Resources = dict[str, dict[str, Any]]


def planned(monorepo: Path, stack: str) -> Resources:
    """The values of a stack's resources by address, with their type."""
    command = [sys.executable, "-m", "scaffold", "plan", stack, "--json", "--monorepo", str(monorepo)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    (one,) = told["stacks"]
    if one.get("findings"):
        raise SystemExit(f"{monorepo} {stack}: {one['findings'][0]}")
    return {r["address"]: r for r in one["resources"]}


def moves(monorepo: Path, stack: str) -> list[tuple[str, str]]:
    """The old and new addresses in the stack's ``moved`` blocks, the longest first."""
    texts = (path.read_text() for path in (monorepo / "stacks" / stack).glob("*.tf"))
    found = [pair for text in texts for pair in MOVED.findall(text)]
    return sorted(found, key=lambda pair: -len(pair[0]))


def moved(address: str, pairs: list[tuple[str, str]]) -> str:
    """An address after the moves."""
    for old, new in pairs:
        if address == old or address.startswith((f"{old}.", f"{old}[")):
            return new + address[len(old) :]
    return address


def fixed(resource: dict[str, Any]) -> dict[str, Any]:
    """What can never change of an object that stays the same one."""
    values = resource["values"]
    kind = re.sub(r"^kubernetes_|_v\d\w*$", "", resource["type"])
    if kind == "manifest":
        manifest = values.get("manifest") or {}
        place = manifest.get("metadata") or {}
        return {"kind": manifest.get("kind"), "name": place.get("name"), "namespace": place.get("namespace")}
    place = (values.get("metadata") or [{}])[0]
    spec = (values.get("spec") or [{}])[0]
    more: dict[str, Any] = {}
    if kind == "deployment":
        more = {"selector": spec.get("selector")}
    elif kind == "persistent_volume_claim":
        more = {name: spec.get(name) for name in ("storage_class_name", "access_modes", "volume_name")}
    elif kind == "persistent_volume":
        csi = ((spec.get("persistent_volume_source") or [{}])[0].get("csi") or [{}])[0]
        share = (csi.get("volume_attributes") or {}).get("share")
        more = {"handle": csi.get("volume_handle"), "share": share, "class": spec.get("storage_class_name")}
    elif kind in ("role_binding", "cluster_role_binding"):
        more = {"role": values.get("role_ref")}
    elif kind == "secret":
        more = {"type": values.get("type") or "Opaque"}
    return {"name": place.get("name"), "namespace": place.get("namespace"), **more}


def wrong(before: Resources, after: Resources, pairs: list[tuple[str, str]]) -> Iterator[str]:
    """What an apply would destroy, or make anew."""
    for address, old in before.items():
        now = moved(address, pairs)
        new = after.get(now)
        if new is None:
            yield f"{address} is destroyed"
        elif new["type"] != old["type"]:
            yield f"{address} becomes {now} of another type"
        elif old["type"].startswith("kubernetes_"):
            ours, theirs = fixed(old), fixed(new)
            for part in ours:
                # What is not known offline has no value on one side, and cannot be judged.
                if ours[part] != theirs.get(part) and None not in (ours[part], theirs.get(part)):
                    yield f"{address} {part}: {ours[part]!r} becomes {theirs.get(part)!r}"
    for old_address, new_address in pairs:
        if not any(moved(a, [(old_address, new_address)]) != a for a in before):
            yield f"moved from {old_address}, which there is not"


def main() -> int:
    """Print a line for each stack, with what is wrong; 1 where anything is."""
    before, after, *stacks = sys.argv[1:]
    bad = 0
    for stack in stacks:
        pairs = moves(Path(after), stack)
        old, new = planned(Path(before), stack), planned(Path(after), stack)
        found = list(wrong(old, new, pairs))
        bad += bool(found)
        gained = len(new.keys() - {moved(address, pairs) for address in old})
        print(
            f"{stack}: {len(old)} objects, {len(pairs)} moves, {gained} gained, {len(found)} wrong",
            flush=True,
        )
        for line in found:
            print(f"  {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a difference does to running workloads: in words, and with codes that can be accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan
from scaffold.checks.planned_backup import no_longer_saved
from scaffold.checks.reach import Door, doors, written_doors
from scaffold.errors import Finding
from scaffold.monorepo.stack import Stack
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.diff import Change, Changed, Difference
from scaffold.terraform.planned import PlannedResource, is_within


class Effect(Enum):
    """What happens to an object, worst first; the value is the code with which a person accepts it."""

    DATA_LOST = "data-lost"
    OPENED = "opened"
    BACKUP_LOST = "backup-lost"
    REPLACED = "replaced"
    DESTROYED = "destroyed"
    CLOSED = "closed"
    RESTARTED = "restarted"
    NOT_APPLIED = "not-applied"


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that happens to an object."""

    effect: Effect
    address: str
    text: str

    def finding(self, place: str, family: str = "", fix: str | None = None) -> Finding:
        """It as a finding about a stack; its code begins with the family's."""
        return Finding(place, None, None, family + self.effect.value, f"{self.address} {self.text}.", fix=fix)


_TO_ACCEPT = (Effect.DATA_LOST, Effect.OPENED, Effect.BACKUP_LOST)
"""What Git cannot undo, or what nobody notices before it is too late: a person has to confirm it."""


def to_accept(
    found: Iterable[Consequence], accepted: Collection[str] = (), also: Collection[Effect] = ()
) -> tuple[Consequence, ...]:
    """What a person has to accept before a change, and has not accepted with these codes.

    ``also`` are effects that are no part of what this kind of change is for.
    """
    asked = (*_TO_ACCEPT, *also)
    return tuple(one for one in found if one.effect in asked and one.effect.value not in accepted)


_NEW_OBJECT: Mapping[str, tuple[str, ...]] = {
    "": ("metadata[0].name", "metadata[0].namespace", "metadata[0].generate_name"),
    "persistent_volume_claim": (
        "spec[0].access_modes", "spec[0].storage_class_name", "spec[0].volume_name", "spec[0].selector",
    ),
    "deployment": ("spec[0].selector",),
    "daemon_set": ("spec[0].selector",),
    "daemonset": ("spec[0].selector",),
    "stateful_set": ("spec[0].selector", "spec[0].service_name", "spec[0].volume_claim_template"),
    "job": ("spec[0].template", "spec[0].selector", "spec[0].completions"),
    "role_binding": ("role_ref",),
    "cluster_role_binding": ("role_ref",),
    "secret": ("type",),
    "storage_class": ("storage_provisioner", "parameters", "reclaim_policy", "volume_binding_mode"),
    "manifest": (
        "manifest.apiVersion", "manifest.kind", "manifest.metadata.name", "manifest.metadata.namespace",
    ),
}  # fmt: skip
"""What the Kubernetes provider cannot change in place, by kind; the first row is every kind's."""
_NEW_RESOURCE: Mapping[str, tuple[str, ...]] = {
    "null_resource": ("triggers",),
    "terraform_data": ("triggers_replace",),
    "cloudflare_record": ("name", "type", "zone_id"),
}
"""The same of other resources, by type."""
_STATEFUL = {
    "persistent_volume_claim": "the data of the volume goes with it",
    "namespace": "everything in it goes with it",
}
"""What holds data, by kind, and what is lost with it."""
_SEEN = {"claim": _STATEFUL["persistent_volume_claim"], "namespace": _STATEFUL["namespace"]}
"""The same by the kinds of names that a stack takes."""


def consequences(
    difference: Difference,
    before: Sequence[PlannedResource],
    after: Sequence[PlannedResource],
    house: HouseNames,
) -> tuple[Consequence, ...]:
    """What the difference does, worst first.

    Data and backups that are lost, hosts that open and close, what is replaced, destroyed and restarted, and
    what is not applied because the stack ignores changes to it.
    """
    return _sorted(
        *(
            Consequence(Effect.BACKUP_LOST, claim.address, "stays, and nothing backs it up any more")
            for claim in no_longer_saved(Plan(before, house), Plan(after, house))
        ),
        *_reach(doors(before, house), doors(after, house)),
        *(found for resource in difference.removed for found in _destroyed(resource)),
        *(found for changed in difference.changed for found in _changed(changed)),
    )


def seen(before: Stack, after: Stack, house: HouseNames) -> tuple[Consequence, ...]:
    """What can be seen without a plan: claims, namespaces and hosts whose names are written out."""
    names = {(use.kind, use.name) for use in after.uses}
    return _sorted(
        *_reach(written_doors(before, house), written_doors(after, house)),
        *(
            Consequence(
                Effect.DATA_LOST, f"{use.path}:{use.line}", f"{use.kind} {use.name}: {_SEEN[use.kind]}"
            )
            for use in before.uses
            if use.kind in _SEEN and (use.kind, use.name) not in names
        ),
    )


def _sorted(*found: Consequence) -> tuple[Consequence, ...]:
    order = list(Effect)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (order.index(one.effect), one.address)))


def _destroyed(resource: PlannedResource) -> Iterator[Consequence]:
    if lost := _lost(resource):
        yield Consequence(Effect.DATA_LOST, resource.address, lost)
    yield Consequence(Effect.DESTROYED, resource.address, "is destroyed")


def _changed(changed: Changed) -> Iterator[Consequence]:
    resource = changed.before
    causes = [change.path for change in changed.changes if _replaces(resource, change)]
    if causes:
        if lost := _lost(resource):
            yield Consequence(Effect.DATA_LOST, changed.address, lost)
        what = f"is destroyed and recreated: {', '.join(causes)} cannot change in place"
        yield Consequence(Effect.REPLACED, changed.address, what)
    elif any(".template[0]." in f".{change.path}" for change in changed.changes) and _runs(resource):
        yield Consequence(Effect.RESTARTED, changed.address, "its pods are restarted")
    if changed.ignored:
        paths = ", ".join(dict.fromkeys(change.path for change in changed.ignored))
        yield Consequence(Effect.NOT_APPLIED, changed.address, f"changes of {paths} are ignored")


def _replaces(resource: PlannedResource, change: Change) -> bool:
    kind = k8s.kind(resource)
    if kind:
        rows = (*_NEW_OBJECT.get(kind, ()), *(_NEW_OBJECT[""] if kind != "manifest" else ()))
    else:
        rows = _NEW_RESOURCE.get(resource.type, ())
    return any(is_within(change.path, row) for row in rows)


def _runs(resource: PlannedResource) -> bool:
    return k8s.kind(resource) in k8s.SERVERS and resource.get("spec", 0, "replicas") not in (0, "0")


def _lost(resource: PlannedResource) -> str:
    """What is lost with an object: the claim of a volume that was created by hand leaves its data alone."""
    by_hand = resource.get("spec", 0, "volume_name") is not None
    return "" if by_hand else _STATEFUL.get(k8s.kind(resource), "")


def _reach(before: Iterable[Door], after: Iterable[Door]) -> Iterator[Consequence]:
    # Of several doors at one place, such as a route for some headers beside the ingress, an open one counts.
    old, new = (
        {(door.host, door.path): door for door in sorted(of, key=lambda door: door.is_open)}
        for of in (before, after)
    )
    for place, door in new.items():
        was = old.get(place)
        was_open = _is_open(place, old)
        if door.is_open and not was_open:
            what = f"{_shown(door)} is open to the internet{_gates(was, door)}"
            yield Consequence(Effect.OPENED, door.ingress, what)
        elif was_open and not door.is_open:
            what = f"{_shown(door)} is closed{_gates(was, door)}"
            yield Consequence(Effect.CLOSED, door.ingress, what)
    for place, was in old.items():
        if place in new:
            continue
        if not was.is_open and _is_open(place, new):
            yield Consequence(Effect.OPENED, was.ingress, f"{_shown(was)} is open to the internet")
        else:
            yield Consequence(Effect.CLOSED, was.ingress, f"{_shown(was)} is gone")


def _is_open(place: tuple[str, str], doors: Mapping[tuple[str, str], Door]) -> bool:
    """Whether a request is let in there, by the door of the place or by the one above it."""
    host, path = place
    above = [door for (at, start), door in doors.items() if at == host and path.startswith(start)]
    return bool(above) and max(above, key=lambda door: len(door.path)).is_open


def _shown(door: Door) -> str:
    return door.host + (door.path if door.path != "/" else "")


def _gates(was: Door | None, now: Door) -> str:
    if was is None or was.gate == now.gate:
        return ""
    return f" (gate {was.gate or 'unknown'} → {now.gate or 'unknown'})"

"""House rules over planned resources: names that are taken, and values that Kubernetes does not accept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.planned import Plan, PlannedRule
from scaffold.checks.rule import Severity
from scaffold.errors import ONE_SLIP, Finding, nearest
from scaffold.monorepo.root import stack_in
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, get, leaves, path_text

_NAMED = (
    *k8s.SERVERS, "namespace", "service", "ingress", "config_map", "secret", "job", "cron_job",
    "persistent_volume", "persistent_volume_claim",
)  # fmt: skip
"""Kinds whose names are DNS names; those of roles may hold more."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = {"namespace": 63, "service": 63, "cron_job": 52}
"""What Kubernetes adds to a CronJob's name has to fit into a label."""
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i|[eE][0-9]+)?")
_QUANTITIES = ("requests", "limits", "capacity")
_NUMBERS, _NAMES = re.compile(r"[0-9*?/,-]+"), re.compile(r"[0-9A-Za-z*?/,-]+")
_FIELDS = (
    ("minute", range(60), _NUMBERS),
    ("hour", range(24), _NUMBERS),
    ("day", range(1, 32), _NUMBERS),
    ("month", range(1, 13), _NAMES),
    ("weekday", range(7), _NAMES),
)
"""The fields of a schedule as Kubernetes reads them: it knows Sunday as 0 only."""


class Values(PlannedRule):
    """Names, quantities, schedules and paths are valid in Kubernetes.

    Follows https://kubernetes.io/docs/concepts/overview/working-with-objects/names, and the forms of
    ``resource.Quantity`` and of ``CronJob.spec.schedule``.
    """

    code = "POD004"
    why = "Only the cluster validates them: anything else fails in the middle of an apply."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Values that the cluster will refuse."""
        for resource in plan.of_kind(*_NAMED):
            yield from self._name(resource)
        for resource in plan.resources:
            if k8s.kind(resource):
                yield from self._quantities(resource)
        for job in plan.of_kind("cron_job"):
            schedule = job.get("spec", 0, "schedule")
            if isinstance(schedule, str) and (wrong := _wrong_in(schedule)):
                yield self.about(job, f"schedule {schedule!r}: {wrong}")
        for pods, container in plan.containers():
            for mount in k8s.items(get(container, "volume_mount")):
                path = get(mount, "mount_path")
                if isinstance(path, str) and not path.startswith("/"):
                    yield self.about(pods.owner, f"mount_path {path} is not absolute")

    def _name(self, resource: PlannedResource) -> Iterator[Finding]:
        name, longest = k8s.name(resource), _LONGEST_NAME.get(k8s.kind(resource), 253)
        if not isinstance(name, str):
            return
        if not _NAME.fullmatch(name):
            yield self.about(resource, f"{name!r} is not a name", "lower-case letters, digits and hyphens")
        elif len(name) > longest:
            yield self.about(resource, f"its name has more than {longest} characters")

    def _quantities(self, resource: PlannedResource) -> Iterator[Finding]:
        for path, leaf in leaves(resource.get("spec")):
            if len(path) < 2 or path[-2] not in _QUANTITIES or isinstance(leaf, bool):
                continue
            if isinstance(leaf, str | int | float) and not _QUANTITY.fullmatch(str(leaf)):
                where = path_text(("spec", *path))
                yield self.about(
                    resource, f"{where} is {leaf!r}, which is not a quantity", "such as 256Mi, 10m"
                )


class Taken(PlannedRule):
    """What only one stack can have is used once."""

    code = "NAM001"
    why = "Two monitors with one name are one; two apps in one Redis database delete each other's keys."
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Monitors, Redis databases, ports of the load balancer and volumes that another stack has too."""
        for stack in sorted({stack_in(r.site.path, plan.house.home) for r in plan.resources}):
            for use, others in plan.house.shared.get(stack, ()):
                # Not in the message, which would be another finding with each stack more.
                what = f"the {use.kind} {use.name} is taken by another stack as well"
                fix = f"choose another one: this is also that of {', '.join(others)}"
                yield self.at((use.path, use.line), what, value=use.name, fix=fix)


class Kinds(PlannedRule):
    """A manifest's kind exists."""

    code = "POD007"
    why = "Terraform accepts a manifest of any kind; the cluster rejects one that it does not know."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Kinds that are one slip away from one that the house uses."""
        known = plan.house.inert_kinds
        for resource in plan.of_kind("manifest"):
            kind = resource.get("manifest", "kind")
            if not isinstance(kind, str) or kind in known:
                continue
            if fix := nearest(kind, known, ONE_SLIP):
                yield self.about(resource, f"there is no kind {kind}", fix)


def _wrong_in(schedule: str) -> str:
    """What is wrong with a schedule; empty if nothing is."""
    if schedule.startswith("@"):
        return ""
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields, not {len(_FIELDS)}"
    for field, (name, known, form) in zip(fields, _FIELDS, strict=True):
        numbers = (int(number) for number in re.findall(r"(?<!/)\b[0-9]+", field))
        if not form.fullmatch(field) or any(number not in known for number in numbers):
            return f"{field} is not a valid {name}"
    return ""

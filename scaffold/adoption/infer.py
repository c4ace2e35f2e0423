"""The answers that a stack could have been rendered from, according to its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaffold.adoption import (
    beside,
    deployments,
    environment,
    exposure,
    files,
    marks,
    placement,
    platform,
    probes,
    storage,
    workload,
)
from scaffold.adoption.inferred import Inferred, found, holding
from scaffold.adoption.standing import Standing

Subject = Callable[[Standing], Iterator[Inferred]]
SUBJECTS: tuple[Subject, ...] = (
    exposure.described,
    beside.shape,
    exposure.ingress,
    exposure.further,
    exposure.challenges,
    exposure.outside,
    platform.namespace,
    platform.limits,
    platform.names,
    platform.certificate,
    platform.sealed,
    platform.access,
    platform.callers,
    workload.image,
    workload.command,
    workload.ports,
    workload.resources,
    workload.extended,
    workload.confined,
    placement.availability,
    placement.devices,
    probes.probes,
    workload.rollout,
    workload.user,
    workload.pod,
    marks.marks,
    marks.service,
    environment.plain,
    environment.secrets,
    environment.refresh,
    environment.planned,
    environment.database,
    platform.datasource,
    storage.volumes,
    storage.backup_job,
    storage.scratch,
    files.directories,
    files.files,
    files.config_maps,
    beside.init_containers,
    beside.sidecars,
    deployments.workloads,
    beside.cron_jobs,
    beside.jobs,
)
"""What is inferred, one function per subject: later answers override earlier ones."""


def infer(stack: Standing) -> tuple[Inferred, ...]:
    """The answers that a stack's plan shows, and the names of existing objects that it shows."""
    if not stack.resources:
        return ()
    name = found("name", stack.name, stack.resources[0], "the stack's directory")
    return holding((name, *(one for subject in SUBJECTS for one in subject(stack))))

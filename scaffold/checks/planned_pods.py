"""House rules over planned resources: what a pod needs to start and to keep running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from scaffold.checks.contract import Allowed, Contract
from scaffold.checks.fleet import Fleet
from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan, PlannedRule, shown, strings, vague
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.hcl.amend import insert_first
from scaffold.hcl.syntax import Block, Document
from scaffold.templates import decisions
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Tree, get, leaves, path_text

_SECRET_REFERENCES = frozenset(("secret_key_ref", "secret_ref", "secret", "image_pull_secrets"))
_MAP_REFERENCES = frozenset(("config_map_key_ref", "config_map_ref", "config_map"))


class Claims(PlannedRule):
    """Mounted claims and volumes exist."""

    code = "POD003"
    why = "A pod that waits for a claim that nobody creates stays Pending forever."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims that nobody creates, mounts without a volume, volumes that nothing mounts."""
        for pods in plan.pods:
            place = k8s.namespace(pods.owner)
            for claim in strings(claim for _, claim in pods.claims()) if not pods.parked else ():
                if claim in plan.house.given_claims or plan.named("persistent_volume_claim", claim, place):
                    continue
                if plan.shows_all_of(place):
                    yield self.about(pods.owner, f"no stack creates the claim {claim} in {shown(place)}")
            yield from self._mounts(pods)
        own = {k8s.name(volume) for volume in plan.of_kind("persistent_volume")}
        for resource in plan.of_kind("persistent_volume_claim"):
            volume = resource.get("spec", 0, "volume_name")
            if not isinstance(volume, str) or volume in own:
                continue
            volumes = {k8s.name(volume) for volume in plan.fleet.of_kind("persistent_volume", None)}
            if volumes and not vague(volumes) and volume not in volumes:
                yield self.about(resource, f"there is no volume {volume}")

    def _mounts(self, pods: k8s.PodTemplate) -> Iterator[Finding]:
        volumes = {get(volume, "name") for volume in k8s.items(get(pods.spec, "volume"))}
        volumes |= {
            get(t, "metadata", 0, "name")
            for t in k8s.items(pods.owner.get("spec", 0, "volume_claim_template"))
        }
        mounted = {get(m, "name") for c in pods.containers() for m in k8s.items(get(c, "volume_mount"))}
        for name in sorted(strings(mounted - volumes)) if not vague(volumes) else ():
            yield self.about(pods.owner, f"a container mounts {name}, which is not a volume of its pod")
        for name in sorted(strings(volumes - mounted)) if not vague(mounted) else ():
            yield self.about(pods.owner, f"no container mounts the volume {name}")


class Secrets(PlannedRule):
    """Referenced Secrets exist."""

    code = "SEC001"
    needs = "external_secrets"
    why = "A container whose Secret is missing never starts; a missing key stops it just the same."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """References to Secrets and ConfigMaps that nobody creates."""
        for pods in plan.pods:
            if any(self._unmade(pods, plan.own, plan.house)) and plan.shows_all_of(k8s.namespace(pods.owner)):
                yield from self._unmade(pods, plan.fleet, plan.house)

    def _unmade(self, pods: k8s.PodTemplate, fleet: Fleet, house: HouseNames) -> Iterator[Finding]:
        """The references of a pod to objects that none of these stacks creates."""
        place = k8s.namespace(pods.owner)
        secrets = _secret_keys(fleet, place)
        made = fleet.of_kind("config_map", place)
        maps: dict[Tree, Iterable[str] | None] = {k8s.name(r): k8s.mapping(r.get("data")) for r in made}
        for path, leaf in leaves(pods.spec):
            if not isinstance(leaf, str) or path[-1] not in ("name", "secret_name") or len(path) < 2:
                continue
            reference = get(pods.spec, *path[:-1])
            if get(reference, "optional") is True:
                continue
            word = next((str(step) for step in reversed(path[:-1]) if isinstance(step, str)), "")
            if word in _SECRET_REFERENCES and leaf not in house.given_secrets:
                kind, known = "Secret", secrets
            elif word in _MAP_REFERENCES:
                kind, known = "ConfigMap", maps
            else:
                continue
            if vague(known):
                continue
            key, keys, where = get(reference, "key"), known.get(leaf), path_text(path)
            if leaf not in known:
                what = f"there is no {kind} {leaf} in its namespace ({where})"
                yield replace(self.about(pods.owner, what), value=leaf)
            elif keys is not None and isinstance(key, str) and key not in keys:
                yield self.about(pods.owner, f"{kind} {leaf} has no key {key} ({where})")


class SealedSecrets(PlannedRule):
    """Secrets in manifests are sealed for their namespace."""

    code = "SEC002"
    why = "Anybody with the repository can read an unsealed Secret; a seal is only valid in one namespace."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Plain Secrets in manifests, and those that are sealed for a namespace that is not the stack's."""
        for resource, _ in k8s.manifests(plan.resources, "Secret"):
            yield self.about(resource, "it is not sealed", "seal it with kubeseal, and change what is in it")
        places = {k8s.name(space) for space in plan.of_kind("namespace")}
        for resource, manifest in k8s.manifests(plan.resources, "SealedSecret"):
            place = get(manifest, "metadata", "namespace")
            if isinstance(place, str) and places and not vague(places) and place not in places:
                yield self.about(resource, f"it is sealed for the namespace {place}", "seal it for this one")


class Resources(PlannedRule):
    """Every container has memory and CPU requests, and no CPU limit."""

    code = "POD001"
    severity = Severity.WARNING
    why = (
        "A container without requests is placed anywhere and killed first; a CPU limit throttles for no gain."
    )

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers without requests or a memory limit, or with a CPU limit."""
        for pods, container in plan.containers():
            asked = get(container, "resources", 0)
            name = shown(get(container, "name"))
            for part, unit in (("requests", "memory"), ("limits", "memory"), ("requests", "cpu")):
                if not isinstance(asked, Mark) and get(asked, part, unit) is None:
                    yield self.about(pods.owner, f"container {name} has no {unit} {part.removesuffix('s')}")
            if get(asked, "limits", "cpu") is not None:
                yield self.about(pods.owner, f"container {name} has a cpu limit")


_DEADLINE = (
    "{% from 'templates/decisions/schedules.jinja' import seconds_to_run %}"
    "{{ [seconds_to_run(schedule) | int, 86400] | min }}"
)


class Deadlines(PlannedRule):
    """A CronJob that forbids two runs at once has a deadline."""

    code = "JOB001"
    severity = Severity.WARNING
    why = "If one run hangs, no later one ever starts, and nothing fails that could raise an alert."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """CronJobs that would wait forever for a run that hangs."""
        for job in plan.of_kind("cron_job"):
            spec = job.get("spec", 0)
            deadline = get(spec, "job_template", 0, "spec", 0, "active_deadline_seconds")
            if get(spec, "concurrency_policy") == "Forbid" and deadline is None:
                fix = "set active_deadline_seconds in the job's spec, below the time between two runs"
                yield self.about(job, "it forbids two runs at once and has no deadline", fix)

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after the job is stopped before its next run, like that of a new CronJob."""
        spec = block.body.inside("spec")
        inner, schedule = spec.inside("job_template").block("spec"), spec.literal("schedule")
        if inner is None or not isinstance(schedule, str) or inner.body.value("active_deadline_seconds"):
            return None
        deadline = decisions.compiled(_DEADLINE).render(schedule=schedule)
        return insert_first(document, inner, f"active_deadline_seconds = {deadline}")

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """A deadline where there was none."""
        deadline = "spec[0].job_template[0].spec[0].active_deadline_seconds"
        return Contract((Allowed("kubernetes_cron_job*", deadline, before=None, after="*"),))


class Probes(PlannedRule):
    """Every listening container is probed on a port that it listens on."""

    code = "POD002"
    severity = Severity.WARNING
    why = (
        "Without readiness, traffic arrives before the app is ready; without liveness, a hung app stays hung."
    )

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers of servers that have ports but no probes, and probes of ports that no container has."""
        for pods in plan.pods:
            if not pods.serves:
                continue
            for container in pods.containers(init=False):
                # There are no UDP probes.
                listens = any(get(port, "protocol") != "UDP" for port in k8s.items(get(container, "port")))
                for probe in ("readiness", "liveness") if listens else ():
                    if not get(container, f"{probe}_probe"):
                        yield self.about(
                            pods.owner, f"container {shown(get(container, 'name'))} has no {probe} probe"
                        )
                yield from self._deaf(pods, container)

    def _deaf(self, pods: k8s.PodTemplate, container: Tree) -> Iterator[Finding]:
        # A shared module may know about a port that it does not declare.
        ports = k8s.items(get(container, "port")) if not pods.owner.module else ()
        for probe in ("startup", "readiness", "liveness") if ports else ():
            for how in ("http_get", "tcp_socket", "grpc"):
                asked = get(container, f"{probe}_probe", 0, how, 0, "port")
                if isinstance(asked, int | str) and not any(k8s.is_port(port, asked) for port in ports):
                    has = ", ".join(shown(get(port, "container_port")) for port in ports)
                    what = f"the {probe} probe asks port {asked}, but the declared ports are {has}"
                    yield self.about(pods.owner, what, "declare the port, or probe another one")


def _secret_keys(fleet: Fleet, place: Tree) -> Mapping[Tree, Iterable[str] | None]:
    """The Secrets of a namespace with their keys; None if Vault decides which keys there are."""
    known: dict[Tree, Iterable[str] | None] = {}
    for resource in fleet.of_kind("secret", place):
        known[k8s.name(resource)] = None
    for manifest in fleet.manifests("ExternalSecret", place):
        spec = get(manifest, "spec")
        templated = k8s.mapping(get(spec, "target", "template", "data")).keys()
        listed = {str(get(entry, "secretKey")) for entry in k8s.items(get(spec, "data"))}
        known[k8s.target(manifest)] = None if get(spec, "dataFrom") else (templated or listed)
    for manifest in fleet.manifests("SealedSecret", place):
        opened = get(manifest, "spec", "template", "metadata", "name") or get(manifest, "metadata", "name")
        known[opened] = list(k8s.mapping(get(manifest, "spec", "encryptedData"))) or None
    return known

"""Which service of a file is the app, and what becomes of the others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scaffold.answers.compose import documented, facts
from scaffold.answers.compose.document import Project
from scaffold.answers.compose.forms import text
from scaffold.answers.compose.logins import is_fixed, leads, reads_secret_of
from scaffold.answers.compose.parts import Part
from scaffold.errors import UsageError

_FIXED = "no variable takes its login, so the app has that of the file in its code: keep its password"
_IN_A_FILE = "the app reads its password from a file, and the shared host asks for none"
_ONCE = "No pod can do that: do by hand what its command does, when the app runs for the first time."
_STORED = "the app's installer writes its password into a file, and that of the shared host rotates"
_BUILT = "it is built from source, so it needs a pipeline of its own"


class Role(Enum):
    """What a service of a file becomes."""

    APP = "the app"
    DATABASE = "a database on the shared host"
    HOST = "a shared host"
    HOUSE = "what the house already has"
    SIDECAR = "a sidecar"
    INIT = "an init container"
    WORKLOAD = "a Deployment beside the app's"
    CRON = "a CronJob"
    OWN = "a Service of its own"
    OUT = "left out"


@dataclass(frozen=True, slots=True)
class Choice:
    """The services that may be the app, the likeliest first, and why the first one is."""

    candidates: tuple[str, ...]
    likely: int
    """How many of them are as likely as the first."""
    why: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What a service becomes, and why."""

    part: Part
    role: Role
    why: str
    fix: str = "If the app needs it, name it with --compose-service."


def choose(project: Project, parts: Mapping[str, Part], named: str | None) -> Choice:
    """The service that is the app: the one that is ``named``, or the likeliest.

    Raises :class:`UsageError` for a name that the file does not have, and if no service is an app.
    """
    runnable = {name: part for name, part in parts.items() if part.runs and part.at[0] == "services"}
    if named is not None:
        if named not in runnable:
            raise UsageError(
                f"{project.source} has no service {named!r} that runs anything.",
                f"Name one of {', '.join(runnable) or 'another file'}.",
            )
        return Choice((named,), 1, "it was named")
    started = {n: p for n, p in runnable.items() if not p.profiles} or runnable
    apps = {n: p for n, p in started.items() if p.known is None and not p.schedule[0]}
    for beside in ("is_front", "runs_once", "is_helper", "is_companion"):
        apps = {n: p for n, p in apps.items() if not getattr(p, beside)} or apps
    if not apps and len(runnable) == 1:
        apps = runnable
    if not apps:
        hint = f"Name it with --compose-service: {', '.join(runnable)}." if runnable else "Name another file."
        raise UsageError(f"{project.source} has no service that is an app.", hint)
    if len(apps) == 1:
        return Choice(tuple(apps), 1, "no other service of the file is an app")
    scores = {name: _score(part, started, project) for name, part in apps.items()}
    ranked = sorted(apps, key=lambda name: -sum(points for points, _ in scores[name]))
    best = sum(points for points, _ in scores[ranked[0]])
    likely = sum(sum(points for points, _ in score) == best for score in scores.values())
    return Choice(
        tuple(ranked), likely, " and ".join(why for _, why in scores[ranked[0]]) or "it comes first"
    )


def _score(part: Part, parts: Mapping[str, Part], project: Project) -> list[tuple[int, str]]:
    """The arguments for a service being the app, as points and in words."""
    others = [other for other in parts.values() if other is not part]
    sharing = [other for other in others if other.network == part.name or part.network == other.name]
    found: list[tuple[int, str]] = []
    published = {
        p.target for other in (part, *sharing) for p in other.ports if p.published and p.protocol == "TCP"
    }
    if published - set(facts()["no_web_ports"]):
        found.append((4, "it publishes ports"))
    elif any(port.published for other in (part, *sharing) for port in other.ports):
        found.append((1, "it publishes ports"))
    if part.has_web_labels:
        found.append((4, "its labels lead visitors to it"))
    # A proxy or a helper in front leads to the app, and a worker waits for it; that says nothing against it.
    needing = [o for o in others if part.name in o.needs and not (o.is_front or o.known or o.is_like(part))]
    if not needing:
        found.append((2, "nothing else depends on it"))
    behind = any(o.is_front and part.name in o.needs for o in others)
    if re.search(facts()["front_names"], part.name) and not behind:
        found.append((2, "its name says that visitors reach it"))
    called = {text(project.top.get("name")), project.directory.name}
    if part.name in called or part.image.base in called:
        found.append((3, "it is called like the project"))
    if any(part.is_like(other) for other in others) and not (part.body.get("command") or part.is_helper):
        found.append((1, "others run its image with another command"))
    return found


def place(app: Part, parts: Mapping[str, Part]) -> dict[str, Placed]:
    """What each service becomes, including the app."""
    placed = {app.name: Placed(app, Role.APP, "")}
    for name, part in parts.items():
        if name != app.name and (found := _apart(app, part, parts)):
            placed[name] = found
    open_ones = [part for name, part in parts.items() if name not in placed]
    pod, grown = [app], True
    while grown:  # what a companion needs is a companion too
        grown = False
        for part in [p for p in open_ones if any(_belong(p, other) for other in pod)]:
            open_ones.remove(part)
            placed[part.name] = _beside(part, app, pod, parts.values())
            if placed[part.name].role is Role.SIDECAR:
                pod.append(part)
                grown = True
    for part in [found.part for found in placed.values() if found.role is Role.DATABASE]:
        of_others = any(_belong(part, other) for other in parts.values() if other not in (part, app))
        stored = documented.stores_login(app) and (_belong(part, app) or not of_others)
        if stored or (documented.is_unknown(app) and is_fixed(part, pod)):
            placed[part.name] = Placed(part, Role.SIDECAR, _STORED if stored else _FIXED)
            pod.append(part)
    for part in [found.part for found in placed.values() if found.role is Role.HOST]:
        if reads_secret_of(app, part):
            placed[part.name] = Placed(part, Role.SIDECAR, _IN_A_FILE)
            pod.append(part)
    for part in [part for part in pod[1:] if not app.schedule[0] and _may_run_apart(part, pod)]:
        placed[part.name] = Placed(part, Role.WORKLOAD, "it runs the app's image, and shares nothing with it")
        pod.remove(part)
    for part in open_ones:
        placed[part.name] = Placed(part, Role.OWN, "nothing in the app names it")
    return placed | _unused(pod, placed) | _too_early(pod[1:], placed)


def _may_run_apart(part: Part, pod: Sequence[Part]) -> bool:
    """Whether a part that runs the app's image can have pods of its own.

    There, it has neither the volumes nor the localhost of the app's pod; and what it inherits of the app's
    variables may name what is there.
    """
    app, others = pod[0], [other for other in pod if other is not part]
    if not part.is_like(app) or part.network or part.mounts or part.ports or part.body.get("volumes_from"):
        return False
    if leads(part, app) or any(other.network == part.name or leads(other, part) for other in others):
        return False
    return not any(o.name in one.needs or leads(one, o) for one in (app, part) for o in others[1:])


def _unused(pod: Iterable[Part], placed: Mapping[str, Placed]) -> dict[str, Placed]:
    """The databases that only other services use, and all but the first of the app's."""
    own = [found.part for found in placed.values() if found.role is Role.OWN]
    databases = [found.part for found in placed.values() if found.role is Role.DATABASE]
    others = [d for d in databases if not any(_belong(d, p) for p in pod) and any(_belong(d, o) for o in own)]
    first = next((part for part in databases if part not in others), None)
    one, alone = "a Service has one database on the shared hosts", "only a Service of its own uses it"
    return {
        part.name: Placed(part, Role.OUT, alone if part in others else one)
        for part in databases
        if part is not first
    }


def _too_early(beside: Collection[Part], placed: Mapping[str, Placed]) -> dict[str, Placed]:
    """What would run before the pod's containers start, but needs one of them."""
    return {
        name: Placed(found.part, Role.OUT, f"it runs once, after {needed.name} has started", _ONCE)
        for name, found in placed.items()
        if found.role is Role.INIT
        and (needed := next((p for p in beside if found.part.names_as_host(p)), None)) is not None
    }


def _apart(app: Part, part: Part, parts: Mapping[str, Part]) -> Placed | None:
    """What becomes of a service that does not run beside the app; nothing if it may run there."""
    if not part.runs:
        return Placed(part, Role.OUT, "it has neither image nor build")
    if part.profiles and not app.profiles:
        return Placed(part, Role.OUT, "it is only started with a profile")
    if part.known is not None and part.name != app.network:
        if part.known.database:
            return Placed(part, Role.DATABASE, f"the house has a shared {part.known.database} host")
        if part.known.host:
            return Placed(part, Role.HOST, f"the house has a shared host for {part.known.host}")
        return Placed(part, Role.HOUSE, part.known.why)
    if part.schedule[0] or part.at[0] == "jobs":
        if not part.schedule[0]:
            return Placed(part, Role.OUT, "it has no schedule")
        if part.is_like(app) or part.is_pulled:
            return Placed(part, Role.CRON, "it runs at set times")
        return Placed(part, Role.OWN, f"it runs at set times, and {_BUILT}")
    if part.runs_once or any(part.ended_before(other) for other in parts.values()):
        if not part.is_like(app) and not part.is_pulled:
            return Placed(part, Role.OUT, f"it runs once, and {_BUILT}")
        if part.runs_once and not any(_belong(part, other) for other in parts.values() if other is not part):
            return None
        if part.body.get("command") or part.body.get("entrypoint"):
            why = "its name says that it runs once" if part.runs_once else "others wait until it has finished"
            return Placed(part, Role.INIT, why)
        return Placed(part, Role.OUT, "it runs once, and the file does not say what")
    return None


def _belong(one: Part, other: Part) -> bool:
    """Whether two services work together: one needs, names or resembles the other."""
    if one.is_like(other) or one.name in other.needs or other.name in one.needs:
        return True
    return one.names_as_host(other) or other.names_as_host(one)


def _beside(part: Part, app: Part, pod: Iterable[Part], parts: Collection[Part]) -> Placed:
    """Whether a service that works with the app can run in its pod."""
    if not part.is_like(app) and not part.is_pulled:
        return Placed(part, Role.OWN, _BUILT)
    taken = {port: other.name for other in pod for port in other.ports_by(parts)}
    # What runs the app's image with another command seldom serves, unless the file says so.
    listens = {port.target for port in part.ports} if part.is_like(app) else part.ports_by(parts)
    clash = next((port for port in sorted(listens) if port in taken), None)
    if clash is not None and part.network != taken[clash]:
        return Placed(part, Role.OWN, f"port {clash} of the pod is {taken[clash]}'s")
    if part.is_like(app):
        return Placed(part, Role.SIDECAR, "it runs the app's image")
    return Placed(
        part, Role.SIDECAR, f"it only works with the app; it is at localhost, no longer at {part.name}"
    )


def service_name(name: str) -> str:
    """A name of a compose file as that of a Service; empty if it cannot be one, or is none to compose."""
    if not re.fullmatch(r"[\w. -]*", name):
        return ""
    called = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return called if re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", called) else ""
